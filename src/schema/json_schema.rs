//! JSON Schema of the two kinds of files, for completion and checks in an editor.
//!
//! The types below say what may be written; they are never filled. What is read, and how problems are told, is `check`:
//! a test holds the keys of every built-in file against these.

#![expect(dead_code, reason = "types of a file format, read by the derive of JSON Schema alone")]

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};

/// The JSON Schema of schema files.
pub fn schema_json_schema() -> String {
    text(&schema_for!(SchemaFile))
}

/// The JSON Schema of pipeline files.
pub fn pipeline_json_schema() -> String {
    text(&schema_for!(PipelineFile))
}

fn text(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).expect("invariant: a JSON Schema is JSON");
    text.push('\n');
    text
}

/// One value, or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// An item's identifier.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum ItemKey {
    Id(i64),
    Name(String),
}

/// A cell to compare with.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum CellValue {
    Number(f64),
    Text(String),
}

/// Type of a source column.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum ColumnType {
    Integer,
    Float,
    Text,
    Datetime,
    Elapsed,
}

/// Statistical kind of a variable.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum KindName {
    Continuous,
    Count,
    Ordinal,
    Binary,
    Categorical,
}

/// How the measurements of a window become one number.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum AggregationName {
    First,
    Last,
    Min,
    Max,
    Mean,
    Median,
    Std,
    Sum,
    Count,
    Slope,
    TimeSinceLast,
}

/// A cohort-flow schema: what the source data are.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SchemaFile {
    /// Name it is referred to by.
    name: String,
    /// One line for people.
    title: Option<String>,
    /// What one row of the result stands for.
    record: RecordFile,
    /// Files and their columns, by name.
    tables: BTreeMap<String, TableFile>,
    /// Everything that can become a feature, by name.
    variables: BTreeMap<String, VariableFile>,
}

/// What a record is and when it begins and ends.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RecordFile {
    /// Table with one row per record; without it records are the distinct ids of the event tables.
    table: Option<String>,
    /// Column identifying the record.
    id: String,
    /// Column identifying the patient; splits never divide one.
    subject: Option<String>,
    /// Column with the record's start.
    start: Option<String>,
    /// Column with the record's end.
    end: Option<String>,
}

/// One logical table: records, facts joined by `key`, or `events`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TableFile {
    /// File stems without extension, `*` allowed; the table's name when left out.
    files: Option<OneOrMany<String>>,
    /// Columns that are read, with their types.
    columns: BTreeMap<String, ColumnType>,
    /// Column that joins facts to the records.
    key: Option<String>,
    /// Any number of rows per record (diagnoses), for cohort rules.
    many: Option<bool>,
    /// Which columns of measurements mean what.
    events: Option<EventsFile>,
    /// Rows of measurements to drop.
    drop: Option<OneOrMany<DropFile>>,
}

/// Which columns of an event table mean what.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EventsFile {
    /// Record id; rows without are assigned by subject and time.
    record: Option<String>,
    /// Subject id.
    subject: Option<String>,
    /// When, or the beginning of what lasts.
    time: String,
    /// End of what lasts, such as an infusion.
    end: Option<String>,
    /// What was measured.
    item: String,
    /// Numeric value.
    value: String,
    /// Value as text.
    text: Option<String>,
    /// Unit as written.
    unit: Option<String>,
}

/// Drops the rows whose column holds one of the values; a null never equals.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct DropFile {
    column: String,
    equals: OneOrMany<CellValue>,
    /// Name in the audit.
    reason: Option<String>,
}

/// Something known about a record: found in `sources`, or computed by `expression`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct VariableFile {
    /// For people.
    label: Option<String>,
    /// Heading it is listed under.
    group: Option<String>,
    /// Unit of the result.
    unit: Option<String>,
    /// Statistical kind; continuous when left out.
    kind: Option<KindName>,
    /// Lowest and highest plausible value; others become missing and are counted.
    range: Option<[f64; 2]>,
    /// Values beyond these become these, within `range`.
    clip: Option<[f64; 2]>,
    /// Step the value is recorded in.
    resolution: Option<f64>,
    /// Raw values that mean missing.
    missing_codes: Option<OneOrMany<f64>>,
    /// Texts and the numbers they stand for: `{ text = number }` or `[[text, number], …]`.
    value_map: Option<TextMap<f64>>,
    /// Levels and the texts that become them; `*` at the end stands for any ending.
    levels: Option<TextMap<OneOrMany<String>>>,
    /// Value of a record without any measurement.
    absent: Option<f64>,
    /// `<0.01` counts as half the limit.
    censored: Option<bool>,
    /// Units besides those of the sources.
    conversions: Option<OneOrMany<ConversionFile>>,
    /// Aggregation when the pipeline names none.
    aggregate: Option<AggregationName>,
    /// Where it is found.
    sources: Option<OneOrMany<SourceFile>>,
    /// Arithmetic over other variables: `heart_rate / sbp`, `weight:first / (height:last / 100) ^ 2`.
    expression: Option<String>,
    /// Hours a measurement may be older than the moment it is combined at; 0 when left out.
    within: Option<f64>,
    /// Combined only when this variable is measured.
    at: Option<String>,
}

/// A table, or a list of pairs where order or spelling matters.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum TextMap<T> {
    Table(BTreeMap<String, T>),
    Pairs(Vec<(String, T)>),
}

/// `value · scale + offset` for rows of a unit.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ConversionFile {
    unit: String,
    scale: Option<f64>,
    offset: Option<f64>,
}

/// One place a variable is found: `items` of an event table, a `column`, or a date of `birth`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SourceFile {
    table: String,
    /// Items of an event table.
    items: Option<OneOrMany<ItemKey>>,
    /// Units that scale and offset apply to; an absent one always is.
    units: Option<OneOrMany<String>>,
    scale: Option<f64>,
    offset: Option<f64>,
    /// `mixed-fraction`: 0.4 and 40 are both a fraction of 0.4. `not-convertible`: there is an entry, in a unit that does
    /// not convert.
    rule: Option<RuleName>,
    /// Lower wins: a window with any value of 0 ignores those of 1.
    precedence: Option<u32>,
    /// A fact of the record.
    column: Option<String>,
    /// A date of birth; the result is the age at the record's start.
    birth: Option<String>,
    /// Age given to those above 89.
    cap: Option<f64>,
}

/// Conversions that depend on the value itself.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum RuleName {
    MixedFraction,
    NotConvertible,
}

/// A cohort-flow pipeline: what is done with the source data.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PipelineFile {
    name: String,
    title: Option<String>,
    /// Built-in schema or path of one; left out for wide tables.
    schema: Option<String>,
    /// Seed of the splits and of the stored noise draw.
    seed: Option<u64>,
    /// Features with fewer observed training values than this share are left out.
    min_observed: Option<f64>,
    /// The map to a normalised coordinate.
    transform: Option<TransformName>,
    /// Whether rounded and discrete values get noise of their resolution.
    dequantize: Option<bool>,
    /// `"variable"`, `"variable:aggregation"` or a table.
    features: Option<OneOrMany<FeatureFile>>,
    /// Cohort rules, in order.
    rules: Option<OneOrMany<CohortRuleFile>>,
    /// Which events count.
    window: Option<WindowFile>,
    /// Shares of the patients.
    split: Option<SplitFile>,
    /// For one table with a row per record.
    wide: Option<WideFile>,
    /// For windows of bedside waveforms.
    waveform: Option<WaveformFile>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum TransformName {
    NormalScore,
    Standardize,
    Robust,
    LogStandardize,
    None,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum FeatureFile {
    Text(String),
    Table(FeatureTable),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FeatureTable {
    variable: String,
    aggregation: Option<AggregationName>,
    /// Column name.
    name: Option<String>,
    /// Hours before the window's start that count too.
    lookback: Option<f64>,
    /// Fewer measurements than this give no value.
    min_count: Option<u32>,
}

/// One test of a record, named for the audit.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct CohortRuleFile {
    name: String,
    /// A fact, a column of the records, or of a table joined to them (`TABLE.COLUMN`).
    column: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    /// Accepted values; `*` at the end stands for any ending.
    one_of: Option<OneOrMany<String>>,
    /// Refused values.
    none_of: Option<OneOrMany<String>>,
    /// A column that has to hold the same.
    same_as: Option<String>,
    /// A column whose value no other record shares.
    only_per: Option<String>,
    /// The patient's earliest record.
    first_per_subject: Option<bool>,
    /// Least number of features with a value.
    min_features: Option<usize>,
}

/// Hours from the record's start.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WindowFile {
    start: Option<f64>,
    end: f64,
    /// Whether events after the record's end are dropped.
    until_end: Option<bool>,
    /// Hours from one window to the next: one record per window.
    step: Option<f64>,
    /// Length of each window; the step when left out.
    width: Option<f64>,
    /// A time column (`ADMITTIME`) or `first VARIABLE` that hours count from.
    relative_to: Option<String>,
}

/// Shares that sum to 1.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SplitFile {
    train: Option<f64>,
    validation: Option<f64>,
    calibration: Option<f64>,
    test: Option<f64>,
}

/// How a wide table is read.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WideFile {
    id: Option<String>,
    group: Option<String>,
    split: Option<String>,
    ignore: Option<OneOrMany<String>>,
    /// Texts read as missing.
    missing: Option<OneOrMany<String>>,
    /// More such texts for single columns.
    missing_in: Option<BTreeMap<String, OneOrMany<String>>>,
    /// Separator of the cells: a character, or comma, semicolon, tab, pipe or space; otherwise it is told from the file.
    separator: Option<String>,
    /// Decimal mark of all columns; otherwise it is told from the cells.
    decimal: Option<DecimalName>,
    /// Decimal marks of single columns.
    decimal_in: Option<BTreeMap<String, DecimalName>>,
    /// Kinds by column name.
    kinds: Option<BTreeMap<String, KindName>>,
}

/// The mark between whole number and fraction.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum DecimalName {
    Point,
    Comma,
}

/// How windows are cut from waveform records.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WaveformFile {
    /// Signal names, in the order of the coordinates.
    channels: OneOrMany<String>,
    /// Samples per channel in a window.
    window: u64,
    /// Samples before each window that its density is conditioned on; none when left out.
    past: Option<u64>,
    /// Samples from one window's start to the next; the window when left out.
    stride: Option<u64>,
    /// Windows with a larger share of missing samples in any channel are dropped.
    max_missing: Option<f64>,
    /// Windows of a coarser ADC step than this many times the usual one are dropped.
    max_step: Option<f64>,
    /// How amplitudes of different records are made comparable.
    normalise: Option<NormaliseName>,
    /// What decides the split of a window.
    split_by: Option<SplitByName>,
    /// Samples per second of tables and arrays; WFDB records say theirs.
    frequency: Option<f64>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum NormaliseName {
    Record,
    Channel,
    None,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum SplitByName {
    Time,
    Record,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::schema::{Aggregation, DType, Kind, pipeline_names, pipeline_text, schema_names, schema_text};

    /// Whether a value has a place in a JSON Schema: types, enums, properties and their absence. The keywords schemars
    /// writes for the types above, no more.
    fn fits(schema: &Value, value: &Value, root: &Value) -> Result<(), String> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let found = root.pointer(reference.trim_start_matches('#')).expect("a definition");
            return fits(found, value, root);
        }
        if let Some(any) = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array) {
            let outcomes: Vec<_> = any.iter().map(|s| fits(s, value, root)).collect();
            return if outcomes.iter().any(Result::is_ok) { Ok(()) } else { Err(format!("{outcomes:?}")) };
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
            return if allowed.contains(value) {
                Ok(())
            } else {
                Err(format!("{value} is none of {allowed:?}"))
            };
        }
        if let Some(constant) = schema.get("const") {
            return if constant == value { Ok(()) } else { Err(format!("{value} is not {constant}")) };
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(t)) => vec![t],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => panic!("a schema without a type: {schema}"),
        };
        let of_type = |t: &&str| match *t {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => value.is_null(),
        };
        if !types.iter().any(of_type) {
            return Err(format!("{value} is no {types:?}"));
        }
        if let Some(items) = value.as_array() {
            let prefix = schema.get("prefixItems").and_then(Value::as_array);
            for (i, item) in items.iter().enumerate() {
                let of = prefix.and_then(|p| p.get(i)).or(schema.get("items")).expect("items");
                fits(of, item, root)?;
            }
        }
        let Some(object) = value.as_object() else { return Ok(()) };
        for (key, inner) in object {
            let property = schema.get("properties").and_then(|p| p.get(key));
            match property.or(schema.get("additionalProperties")) {
                Some(Value::Bool(false)) | None => return Err(format!("unknown key {key}")),
                Some(of) => fits(of, inner, root).map_err(|e| format!("{key}: {e}"))?,
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        match required.filter_map(Value::as_str).find(|key| !object.contains_key(*key)) {
            Some(key) => Err(format!("no {key}")),
            None => Ok(()),
        }
    }

    fn json(toml: &str) -> Value {
        serde_json::to_value(toml.parse::<toml::Table>().unwrap()).unwrap()
    }

    #[test]
    fn every_built_in_file_fits_its_json_schema() {
        let of_schemas: Value = serde_json::from_str(&schema_json_schema()).unwrap();
        for name in schema_names() {
            let found = fits(&of_schemas, &json(schema_text(name).unwrap()), &of_schemas);
            assert_eq!(found, Ok(()), "{name}");
        }
        let of_pipelines: Value = serde_json::from_str(&pipeline_json_schema()).unwrap();
        for name in pipeline_names() {
            let found = fits(&of_pipelines, &json(pipeline_text(name).unwrap()), &of_pipelines);
            assert_eq!(found, Ok(()), "{name}");
        }
        let misspelt = json("name = \"x\"\nschema = \"y\"\nfeature = [\"a\"]");
        assert!(fits(&of_pipelines, &misspelt, &of_pipelines).unwrap_err().contains("unknown key feature"));
    }

    #[test]
    fn names_are_those_that_are_read() {
        let schema: Value = serde_json::from_str(&schema_json_schema()).unwrap();
        let names = |definition: &str| -> Vec<String> {
            let found = schema.pointer(&format!("/$defs/{definition}")).expect("a definition");
            let list = found.get("enum").or(found.get("oneOf")).and_then(Value::as_array).expect("a list");
            let name =
                |v: &Value| v.as_str().or(v.get("const").and_then(Value::as_str)).map(ToString::to_string);
            list.iter().filter_map(name).collect()
        };
        assert_eq!(names("AggregationName"), Aggregation::ALL.map(|a| a.name().to_string()));
        assert_eq!(names("KindName"), Kind::ALL.map(|k| k.name().to_string()));
        assert_eq!(names("ColumnType"), DType::ALL.map(|d| d.name().to_string()));
    }
}
