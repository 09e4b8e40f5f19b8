//! The JSON Schema of each kind of file, for completion and checks in an editor.

use schemars::transform::{Transform, transform_subschemas};
use schemars::{Schema, schema_for};
use serde_json::Value;

use super::{ConceptsFile, PipelineFile, SchemaFile};

/// The JSON Schema of schema files.
pub fn schema_json_schema() -> String {
    text(schema_for!(SchemaFile))
}

/// The JSON Schema of pipeline files.
pub fn pipeline_json_schema() -> String {
    text(schema_for!(PipelineFile))
}

/// The JSON Schema of the dictionary of concepts.
pub fn concepts_json_schema() -> String {
    text(schema_for!(ConceptsFile))
}

fn text(mut schema: Schema) -> String {
    WithoutNull.transform(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).expect("invariant: a JSON Schema is JSON");
    text.push('\n');
    text
}

/// Takes out null, by which schemars stands for a key that is left out: TOML has no null.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|t| t != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
            forms.retain(|form| form.get("type").is_none_or(|t| t != "null"));
            if let [Value::Object(only)] = forms.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                only.into_iter().for_each(|(key, value)| drop(schema.insert(key, value)));
            }
        }
        transform_subschemas(self, schema);
    }
}
