//! Tables with one column per signal: copies of cells, second measurements, and rows out of order.

use super::*;

const SIGNALS: &str = r#"
name = "signals"
title = "one column per signal"
[record]
id = "stay"
[tables.signals]
files = ["signals*"]
columns = { stay = "integer", minute = "minutes", pulse = "float", oxygen = "float" }
events = { record = "stay", time = "minute", wide = true }
[variables.hr]
label = "Heart rate"
group = "vitals"
unit = "bpm"
range = [10, 300]
sources = [{ table = "signals", items = ["pulse"] }]
[variables.spo2]
label = "Oxygen saturation"
group = "vitals"
unit = "%"
range = [20, 100]
sources = [{ table = "signals", items = ["oxygen"] }]
"#;

const OF_SIGNALS: &str = "name = \"s\"\ntitle = \"s\"\nschema = \"signals\"\nfeatures = [\"hr\", \"hr:count\", \
    \"spo2\", \"spo2:count\"]\n[window]\nstart = 0\nend = 24\n";

fn read(files: &[&str]) -> RecordTable {
    let dir = tempfile::tempdir().unwrap();
    for (i, rows) in files.iter().enumerate() {
        let text = format!("stay,minute,pulse,oxygen\n{rows}");
        fs::write(dir.path().join(format!("signals_{i}.csv")), text).unwrap();
    }
    let schema = parse_schema("signals.toml", SIGNALS).unwrap_or_else(|e| panic!("{e:?}"));
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let pipeline = parse_pipeline("s.toml", OF_SIGNALS, &load).unwrap_or_else(|e| panic!("{e:?}")).0;
    ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap()
}

/// Stay 1 has minute 5 four times: as a copy, with another pulse, with a pulse that cannot be used, and with
/// an oxygen saturation that no row before it had. Stay 2 has the first row at its minute rejected.
const ROWS: [&str; 9] = [
    "1,5,80,97\n",
    "1,10,90,\n",
    "1,5,80,97\n",
    "1,5,84,97\n",
    "1,5,9000,98\n",
    "2,5,9000,\n",
    "2,5,70,\n",
    "2,0,72,95\n",
    "2,2000,72,95\n",
];

#[test]
fn cells_of_rows_that_share_a_time_are_copies_or_second_measurements() {
    let table = read(&[&ROWS.concat()]);
    assert_eq!(table.record_ids, ["1", "2"]);
    // 80, 90 and 84 of stay 1; 70 and 72 of stay 2.
    assert_eq!(numbers(&table, "hr_count"), [3.0, 2.0]);
    assert!((numbers(&table, "hr")[0] - 254.0 / 3.0).abs() < 1e-12 && numbers(&table, "hr")[1] == 71.0);
    assert_eq!(numbers(&table, "spo2_count"), [2.0, 1.0], "97 once and 98; 95 once");
    assert_eq!(numbers(&table, "spo2"), [97.5, 95.0]);
    let audit = &table.audit.tables[0];
    assert_eq!((audit.rows_read, audit.rows_kept), (9, 6), "{audit:?}");
    assert_eq!(audit.dropped["copy of another row"], 1);
    assert_eq!((audit.dropped["above range"], audit.dropped["after window"]), (1, 1));
    let duplicates: Vec<u64> = table.audit.variables.iter().map(|v| v.duplicate_keys).collect();
    assert_eq!(duplicates, [1, 1], "the pulse and the oxygen saturation of stay 1 at minute 5");
    assert_eq!(table.audit.variables[0].above_range, 2);
}

#[test]
fn order_and_files_of_the_rows_change_nothing() {
    let expected = read(&[&ROWS.concat()]);
    let mut rows = ROWS;
    for turn in 0..ROWS.len() {
        rows.rotate_left(1);
        if turn % 2 == 0 {
            rows.reverse();
        }
        for files in [vec![rows.concat()], vec![rows[..4].concat(), rows[4..].concat()]] {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            let found = read(&files);
            assert_eq!(found.record_ids, expected.record_ids);
            for column in ["hr", "hr_count", "spo2", "spo2_count"] {
                assert_eq!(numbers(&found, column), numbers(&expected, column), "{column}");
            }
            let account = |table: &RecordTable| format!("{:?}", table.audit.variables);
            assert_eq!(account(&found), account(&expected));
        }
    }
}
