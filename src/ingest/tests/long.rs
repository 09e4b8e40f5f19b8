//! Tables without a table of records.

use super::*;

#[test]
fn addresses_are_refused() {
    let input = Path::new("https://example.org/mimic");
    let error = ingest(&schema(), &pipeline(PIPELINE), input, &NoProgress).unwrap_err();
    assert!(matches!(error, IngestError::Remote(_)), "{error}");
}

const LONG: &str = r#"
name = "long"
title = "a long table"
[record]
id = "RecordID"
[tables.measurements]
files = ["set_*"]
columns = { RecordID = "integer", Time = "elapsed", Parameter = "text", Value = "float" }
events = { record = "RecordID", time = "Time", item = "Parameter", value = "Value" }
[variables.hr]
label = "Heart rate"
group = "vitals"
unit = "bpm"
range = [10, 300]
sources = [{ table = "measurements", items = ["HR"] }]
[variables.vent]
label = "Ventilated"
group = "vitals"
kind = "binary"
absent = 0
aggregate = "max"
sources = [{ table = "measurements", items = ["MechVent"] }]
"#;

#[test]
fn records_of_a_long_table_are_its_distinct_ids() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("set_a.csv"),
        "RecordID,Time,Parameter,Value\n9,00:00,Other,3\n10,00:07,HR,70\n10,01:00,HR,80\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("set_b.csv"),
        "RecordID,Time,Parameter,Value\n11,48:00,HR,70\n10,02:00,MechVent,1\n",
    )
    .unwrap();
    let schema = parse_schema("long.toml", LONG).unwrap_or_else(|e| panic!("{e:?}"));
    let text = "name = \"l\"\ntitle = \"l\"\nschema = \"long\"\nfeatures = [\"hr\", \"vent\"]\n[window]\nstart = 0\nend = 48\n";
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let pipeline = parse_pipeline("l.toml", text, &load).unwrap_or_else(|e| panic!("{e:?}")).0;
    let table = ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap();
    assert_eq!(table.record_ids, ["9", "10", "11"]);
    assert!(table.subjects().eq(table.record_ids.iter()));
    let hr = numbers(&table, "hr");
    assert!(hr[0].is_nan() && hr[1] == 75.0 && hr[2].is_nan(), "48:00 is outside the window");
    assert_eq!(numbers(&table, "vent"), [0.0, 1.0, 0.0], "absence is a finding");
    let audit = &table.audit.tables[0];
    assert_eq!((audit.rows_read, audit.rows_kept), (5, 3));
    assert_eq!((audit.dropped["other item"], audit.dropped["after window"]), (1, 1));
}
