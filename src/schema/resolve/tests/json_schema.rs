//! The JSON Schema accepts and refuses the same files as the parser. Of a mistake that shows only when parts
//! of a file are held against each other, the lists say `resolver: REASON`: no JSON Schema can know it.

use serde_json::Value;

use super::fits::fits;
use super::mistakes::Edit;
use super::*;
use crate::schema::raw::{concepts_json_schema, pipeline_json_schema, schema_json_schema};
use crate::schema::{DType, pipeline_names, pipeline_text, schema_names, schema_text};

fn json(toml: &str) -> Option<Value> {
    serde_json::to_value(toml.parse::<toml::Table>().ok()?).ok().map(finite)
}

/// JSON has no numbers that are not finite: serde writes null, which a TOML file cannot hold.
fn finite(value: Value) -> Value {
    match value {
        Value::Null => "not finite".into(),
        Value::Array(items) => items.into_iter().map(finite).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, finite(value))).collect(),
        other => other,
    }
}

fn of_schemas() -> Value {
    serde_json::from_str(&schema_json_schema()).unwrap()
}

fn of_pipelines() -> Value {
    serde_json::from_str(&pipeline_json_schema()).unwrap()
}

fn accepts(schema: &Value, toml: &str) -> bool {
    json(toml).is_some_and(|value| fits(schema, &value, schema))
}

#[test]
fn what_the_parser_accepts_fits_the_json_schema() {
    let (of_schemas, of_pipelines) = (of_schemas(), of_pipelines());
    let of_concepts: Value = serde_json::from_str(&concepts_json_schema()).unwrap();
    assert!(accepts(&of_concepts, super::super::CONCEPTS_TEXT));
    for text in [OFFSETS, CODES] {
        assert!(parse_schema("", text).is_ok() && accepts(&of_schemas, text));
    }
    for name in schema_names() {
        assert!(accepts(&of_schemas, schema_text(name).unwrap()), "{name}");
    }
    for name in pipeline_names() {
        assert!(accepts(&of_pipelines, pipeline_text(name).unwrap()), "{name}");
    }
    for (base, edits, schema) in [
        (WARD, include_str!("ward_right.txt"), &of_schemas),
        (ROUNDS, include_str!("rounds_right.txt"), &of_pipelines),
    ] {
        for edit in Edit::all(edits) {
            let text = edit.made_in(base);
            let refused = if base == WARD { parse_schema("", &text).err() } else { pipeline_of(&text).err() };
            assert!(refused.is_none() && accepts(schema, &text), "{}: {refused:?}", edit.to);
        }
    }
}

#[test]
fn what_the_parser_refuses_does_not_fit_unless_only_the_resolver_can_know() {
    let (of_schemas, of_pipelines) = (of_schemas(), of_pipelines());
    let mut refused = 0;
    for (base, mistakes, schema) in [
        (WARD, include_str!("ward.txt"), &of_schemas),
        (OFFSETS, include_str!("offsets.txt"), &of_schemas),
        (CODES, include_str!("codes.txt"), &of_schemas),
        (ROUNDS, include_str!("rounds.txt"), &of_pipelines),
        (TABLE, include_str!("table.txt"), &of_pipelines),
    ] {
        for mistake in Edit::all(mistakes) {
            let accepted = accepts(schema, &mistake.made_in(base));
            assert_eq!(accepted, mistake.of_resolver, "{}: {}", mistake.to, mistake.message);
            refused += usize::from(!accepted);
        }
    }
    assert!(refused >= 40, "{refused}");
}

#[test]
fn a_waveform_pipeline_is_refused_for_the_same_values() {
    let (of_pipelines, text) = (of_pipelines(), pipeline_text("waveform-1024").unwrap());
    let set = |key: &str, value: &str| {
        let mut table: toml::Table = text.parse().unwrap();
        let value = format!("x = {value}").parse::<toml::Table>().unwrap().remove("x").unwrap();
        table["waveform"].as_table_mut().unwrap().insert(key.to_owned(), value);
        toml::to_string(&table).unwrap()
    };
    for (key, value, right) in [
        ("channels", "\"II\"", true),
        ("channels", "[\"II\", \" \"]", false),
        ("channels", "[]", false),
        ("window", "1", false),
        ("window", "2", true),
        ("window", "64.5", false),
        ("past", "0", true),
        ("stride", "0", false),
        ("max_missing", "1", false),
        ("max_missing", "0.99", true),
        ("max_step", "0.5", false),
        ("frequency", "0", false),
        ("frequency", "125", true),
        ("normalise", "\"channels\"", false),
        ("normalise", "\"channel\"", true),
        ("split_by", "\"patient\"", false),
        ("gain", "1", false),
    ] {
        let text = set(key, value);
        assert_eq!(pipeline_of(&text).is_ok(), right, "{key} = {value}");
        assert_eq!(accepts(&of_pipelines, &text), right, "{key} = {value}");
    }
    let by_record = set("split_by", "\"record\"").replace("normalise = \"record\"\n", "");
    let found = problems(pipeline_of(&by_record));
    assert!(found[0].message.starts_with("held-out records have no training windows"), "{found:?}");
    assert!(!accepts(&of_pipelines, &by_record));
}

#[test]
fn names_are_those_that_are_read() {
    let schema = of_schemas();
    let names = |definition: &str| -> Vec<String> {
        let found = schema.pointer(&format!("/$defs/{definition}")).expect("a definition");
        let list = found.get("enum").or(found.get("oneOf")).and_then(Value::as_array).expect("a list");
        let name = |v: &Value| v.as_str().or(v.get("const").and_then(Value::as_str)).map(ToString::to_string);
        list.iter().filter_map(name).collect()
    };
    assert_eq!(names("Aggregation"), Aggregation::ALL.map(|a| a.name().to_string()));
    assert_eq!(names("Kind"), Kind::ALL.map(|k| k.name().to_string()));
    assert_eq!(names("DType"), DType::ALL.map(|d| d.name().to_string()));
}
