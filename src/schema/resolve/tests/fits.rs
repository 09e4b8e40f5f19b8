//! Whether a value has a place in a JSON Schema: the keywords that the schemas of this crate hold, and no
//! others.

use serde_json::Value;

/// Keywords that say nothing about a value.
const ANNOTATIONS: [&str; 6] = ["$schema", "$defs", "title", "description", "format", "default"];

/// Whether `value` fits `schema`, whose references lead into `root`.
pub(super) fn fits(schema: &Value, value: &Value, root: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return schema == true };
    let fit = |schema: &Value| fits(schema, value, root);
    let of = |keyword: &str| keywords.get(keyword);
    keywords.iter().all(|(keyword, operand)| match keyword.as_str() {
        "$ref" => fit(root.pointer(operand.as_str().unwrap().trim_start_matches('#')).expect("a definition")),
        "anyOf" => operand.as_array().unwrap().iter().any(fit),
        "oneOf" => operand.as_array().unwrap().iter().filter(|s| fit(s)).count() == 1,
        "not" => !fit(operand),
        "if" => of(if fit(operand) { "then" } else { "else" }).is_none_or(fit),
        "then" | "else" => true,
        "type" => has_type(operand, value),
        "enum" => operand.as_array().unwrap().contains(value),
        "const" => operand == value,
        "minimum" => value.as_f64().is_none_or(|x| x >= operand.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|x| x <= operand.as_f64().unwrap()),
        "exclusiveMinimum" => value.as_f64().is_none_or(|x| x > operand.as_f64().unwrap()),
        "exclusiveMaximum" => value.as_f64().is_none_or(|x| x < operand.as_f64().unwrap()),
        "pattern" => {
            let pattern = regex::Regex::new(operand.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= operand.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= operand.as_u64().unwrap()),
        "prefixItems" => {
            let of_prefix = |items: &Vec<Value>| {
                items.iter().zip(operand.as_array().unwrap()).all(|(item, schema)| fits(schema, item, root))
            };
            value.as_array().is_none_or(of_prefix)
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(operand, item, root))),
        "required" => names(operand).all(|name| value.as_object().is_none_or(|o| o.contains_key(name))),
        "minProperties" => value.as_object().is_none_or(|o| o.len() as u64 >= operand.as_u64().unwrap()),
        "propertyNames" => {
            value.as_object().is_none_or(|o| o.keys().all(|k| fits(operand, &k.as_str().into(), root)))
        }
        "properties" => {
            let given = operand.as_object().unwrap().iter().filter_map(|(k, s)| Some((s, value.get(k)?)));
            value.as_object().is_none() || given.into_iter().all(|(schema, inner)| fits(schema, inner, root))
        }
        "additionalProperties" => value.as_object().is_none_or(|o| {
            let mut others = o.iter().filter(|(k, _)| of("properties").is_none_or(|p| p.get(k).is_none()));
            others.all(|(_, inner)| fits(operand, inner, root))
        }),
        "dependentRequired" => {
            let mut given = operand.as_object().unwrap().iter().filter(|(key, _)| value.get(key).is_some());
            given.all(|(_, needs)| names(needs).all(|name| value.get(name).is_some()))
        }
        "dependentSchemas" => {
            let mut given = operand.as_object().unwrap().iter().filter(|(key, _)| value.get(key).is_some());
            given.all(|(_, schema)| fit(schema))
        }
        other => ANNOTATIONS.contains(&other) || panic!("the keyword {other} is not known here"),
    })
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().filter_map(Value::as_str)
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str() {
        None => wanted.as_array().unwrap().iter().any(|one| has_type(one, value)),
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some(other) => panic!("the type {other} is not known here"),
    }
}
