//! Windows that slide, look back or count from another moment, and what is computed in them.

use super::*;

pub(super) const WINDOW: &str = "[window]\nstart = 0\nend = 10\nuntil_end = true\n";

/// The small extract through another pipeline, with more in the schema.
pub(super) fn run_with(more: &str, features: &str, rules: &str, window: &str) -> RecordTable {
    let schema = parse_schema("mini.toml", &format!("{SCHEMA}{more}")).unwrap_or_else(|e| panic!("{e:?}"));
    let text = format!(
        "name = \"mini\"\nschema = \"mini\"\nfeatures = [{features}]\n\
         [[rules]]\nname = \"adults\"\ncolumn = \"age\"\nmin = 18\n{rules}\n{window}"
    );
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let pipeline = parse_pipeline("mini.toml", &text, &load).unwrap_or_else(|e| panic!("{e:?}")).0;
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    fs::write(dir.path().join("codes.csv"), "stay_id,code\n10,03849\n10,4019\n13,4019\n98,1\n").unwrap();
    ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap()
}

/// NaN as -1, which no value here is.
pub(super) fn filled(table: &RecordTable, name: &str) -> Vec<f64> {
    numbers(table, name).into_iter().map(|x| if x.is_nan() { -1.0 } else { x }).collect()
}

#[test]
fn sliding_windows_are_records_of_their_own() {
    let back = "{ variable = \"hr\", aggregation = \"last\", lookback = 5 }, \
                { variable = \"hr\", aggregation = \"time-since-last\", lookback = 5 }, \
                { variable = \"hr\", aggregation = \"max\", min_count = 2 }";
    let table = run_with("", &format!("\"age\", \"hr\", {back}"), "", &format!("{WINDOW}step = 5\n"));
    // Stay 11 lasts six hours; each window that begins within a stay is there.
    assert_eq!(table.record_ids, ["10@0", "10@5", "11@0", "11@5", "13@0", "13@5"]);
    assert!(table.subjects().eq(["1", "1", "2", "2", "1", "1"]));
    assert_eq!(filled(&table, "hr"), [85.0, 100.3, 70.0, -1.0, -1.0, 61.0]);
    assert_eq!(filled(&table, "hr_last"), [85.0, 100.3, 70.0, 70.0, -1.0, 61.0]);
    let since = filled(&table, "hr_time_since_last");
    assert_eq!(since, [5.0, 1.0 / 3600.0, 4.0, 5.0, -1.0, 5.0], "up to the end of the stay");
    assert_eq!(filled(&table, "hr_max"), [90.0, -1.0, -1.0, -1.0, -1.0, -1.0]);
    assert_eq!(numbers(&table, "age")[0], numbers(&table, "age")[1]);
    for audit in &table.audit.tables {
        assert_eq!(audit.rows_kept + audit.dropped.values().sum::<u64>(), audit.rows_read, "{audit:?}");
    }
}

#[test]
fn windows_count_from_an_event() {
    let table = run_with("", "\"hr\"", "", &format!("{WINDOW}relative_to = \"first weight\"\n"));
    assert_eq!(table.record_ids, ["10"], "nobody else was weighed");
    // From six in the morning: 100.3 and, at ten, 200.
    assert!((numbers(&table, "hr")[0] - 150.15).abs() < 1e-12);
    let last = table.audit.cohort.last().unwrap();
    assert_eq!((last.rule.as_str(), last.before, last.after), ("has a weight", 3, 1));
}

#[test]
fn derived_variables_pair_by_time() {
    let more = "\n[variables.per_kg]\nunit = \"bpm/kg\"\nexpression = \"hr / weight:first\"\n\
                [variables.ratio]\nexpression = \"hr / weight\"\nwithin = 4\nat = \"hr\"\n\
                [variables.single]\nexpression = \"hr:max + 0 * hours\"\n";
    let table = run_with(more, "\"per_kg:max\", \"per_kg:count\", \"ratio\", \"single\"", "", WINDOW);
    // Two of the three heart rates are at one time and averaged: (85, 100.3) / 80.
    assert_eq!(filled(&table, "per_kg_max"), [100.3 / 80.0, -1.0, -1.0]);
    assert_eq!(numbers(&table, "per_kg_count"), [2.0, 0.0, 0.0]);
    // Weighed at six: not yet at midnight, four hours ago at ten.
    assert_eq!(filled(&table, "ratio"), [100.3 / 80.0, -1.0, -1.0]);
    assert_eq!(filled(&table, "single"), [100.3, 70.0, 61.0]);
}

#[test]
fn rules_ask_any_or_none_of_many_rows() {
    let more = "\n[tables.CODES]\nkey = \"STAY_ID\"\nmany = true\n\
                columns = { STAY_ID = \"integer\", CODE = \"text\" }\n";
    let stays = |rule: &str| {
        let rule = format!("[[rules]]\nname = \"coded\"\n{rule}\n");
        run_with(more, "\"hr\"", &rule, WINDOW).record_ids
    };
    assert_eq!(stays("column = \"CODE\"\none_of = [\"038*\"]"), ["10"]);
    assert_eq!(stays("column = \"CODES.CODE\"\none_of = [\"4019\"]"), ["10", "13"]);
    assert_eq!(stays("column = \"CODE\"\nnone_of = [\"038*\"]"), ["11", "13"]);
    assert_eq!(stays("only_per = \"SUBJECT_ID\""), ["11"], "patient 1 has two stays");
}
