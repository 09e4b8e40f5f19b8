//! Absent is not rejected: infusions, sums, counts, rules and expressions where something was recorded and
//! cannot be used.

use super::*;
use crate::schema::{CohortRule, Predicate};

const SCHEMA: &str = r#"
name = "infusions"
title = "infusions, output and a pressure"

[record]
table = "STAYS"
id = "STAY_ID"
subject = "SUBJECT_ID"
start = "INTIME"
end = "OUTTIME"

[tables.STAYS.columns]
STAY_ID = "integer"
SUBJECT_ID = "integer"
INTIME = "datetime"
OUTTIME = "datetime"
WARD = "text"
WEIGHT = "float"

[tables.PUMPS]
columns = { STAY_ID = "integer", ITEM = "integer", FROM = "datetime", UNTIL = "datetime", RATE = "float", UNIT = "text" }
events = { record = "STAY_ID", time = "FROM", end = "UNTIL", item = "ITEM", value = "RATE", unit = "UNIT" }

[tables.CHART]
columns = { STAY_ID = "integer", ITEM = "integer", AT = "datetime", NUMBER = "float", TEXT = "text", UNIT = "text" }
events = { record = "STAY_ID", time = "AT", item = "ITEM", value = "NUMBER", text = "TEXT", unit = "UNIT" }

[variables.rate]
label = "Rate"
group = "infusions"
unit = "mcg/min"
range = [0, 5]
absent = 0
aggregate = "max"
sources = [
  { table = "PUMPS", items = [1], units = ["mcg/min"] },
  { table = "PUMPS", items = [2], rule = "not-convertible" },
]

[variables.ventilated]
label = "Ventilated"
group = "ventilation"
kind = "binary"
absent = 0
aggregate = "max"
value_map = { "on" = 1, "off" = 0 }
sources = [{ table = "CHART", items = [3] }]

[variables.urine]
label = "Urine"
group = "output"
unit = "mL"
range = [0, 1000]
aggregate = "sum"
sources = [{ table = "CHART", items = [4], units = ["mL"] }]

[variables.map]
label = "Pressure"
group = "vitals"
unit = "mmHg"
range = [10, 250]
sources = [{ table = "CHART", items = [5] }]

[variables.any_rate]
label = "Rate or none"
group = "infusions"
unit = "mcg/min"
expression = "coalesce(rate:max, 0) * 2"

[variables.urine_or_none]
label = "Urine or none"
group = "output"
unit = "mL"
expression = "coalesce(urine:sum, 0)"

[variables.ward]
label = "Ward"
group = "stay"
kind = "categorical"
levels = { surgical = "S", medical = "007" }
sources = [{ table = "STAYS", column = "WARD" }]

[variables.weight]
label = "Weight"
group = "stay"
unit = "kg"
range = [20, 300]
absent = 70
sources = [{ table = "STAYS", column = "WEIGHT" }]
"#;

const PIPELINE: &str = r#"
name = "infusions"
title = "four hours"
schema = "infusions"
features = [
  "rate", "rate:count", "ventilated", "urine", "urine:count", "map", "map:last", "map:count", "any_rate", "urine_or_none",
  "ward", "weight", { variable = "rate", aggregation = "mean", min_count = 2 },
]

[window]
start = 0
end = 4
"#;

/// Stays 1 to `n`, one per day, with ward and weight.
fn stays(facts: &[(&str, &str)]) -> String {
    let rows: Vec<String> = facts
        .iter()
        .enumerate()
        .map(|(i, (ward, weight))| {
            format!("{0},{0},2150-01-{0:02} 00:00:00,2150-01-{0:02} 20:00:00,{ward},{weight}", i + 1)
        })
        .collect();
    csv_text(
        "stay_id,subject_id,intime,outtime,ward,weight",
        &rows.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

fn ingested(pipeline: &str, facts: &[(&str, &str)], pumps: &[&str], chart: &[&str]) -> RecordTable {
    ingested_by(pipeline, None, facts, pumps, chart)
}

/// The same with a rule, which may test what a pipeline file is not allowed to.
fn ingested_by(
    pipeline: &str,
    rule: Option<Predicate>,
    facts: &[(&str, &str)],
    pumps: &[&str],
    chart: &[&str],
) -> RecordTable {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stays.csv"), stays(facts)).unwrap();
    fs::write(dir.path().join("pumps.csv"), csv_text("stay_id,item,from,until,rate,unit", pumps)).unwrap();
    fs::write(dir.path().join("chart.csv"), csv_text("stay_id,item,at,number,text,unit", chart)).unwrap();
    let schema = parse_schema("infusions.toml", SCHEMA).unwrap_or_else(|e| panic!("{e:?}"));
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let parsed = parse_pipeline("infusions.toml", pipeline, &load).unwrap_or_else(|e| panic!("{e:?}"));
    let mut pipeline = parsed.0;
    pipeline.rules.extend(rule.map(|predicate| CohortRule { name: "the rule".into(), predicate }));
    ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap_or_else(|e| panic!("{e}"))
}

fn assert_numbers(table: &RecordTable, name: &str, expected: &[Option<f64>]) {
    let found: Vec<_> = numbers(table, name).into_iter().map(|x| Some(x).filter(|x| !x.is_nan())).collect();
    assert_eq!(found, expected, "{name}");
}

const NO_FACTS: [(&str, &str); 7] = [("", ""); 7];

#[test]
fn a_rate_that_cannot_be_used_is_missing_and_none_is_zero() {
    let table = ingested(
        PIPELINE,
        &NO_FACTS,
        &[
            "1,1,2150-01-01 01:00:00,2150-01-01 02:00:00,9,mcg/min",
            "2,1,2150-01-02 01:00:00,2150-01-02 02:00:00,,mcg/min",
            "3,1,2150-01-03 01:00:00,2150-01-03 02:00:00,1,furlong",
            "4,2,2150-01-04 01:00:00,2150-01-04 02:00:00,1,",
            "5,1,,2150-01-05 02:00:00,1,mcg/min",
            "6,1,2150-01-06 01:00:00,2150-01-06 02:00:00,9,mcg/min",
            "6,1,2150-01-06 02:00:00,2150-01-06 03:00:00,2,mcg/min",
        ],
        &[],
    );
    let unknown = [None, None, None, None, None, Some(2.0), Some(0.0)];
    assert_numbers(&table, "rate", &unknown);
    assert_numbers(&table, "any_rate", &[None, None, None, None, None, Some(4.0), Some(0.0)]);
    // Only one usable rate where two are asked for.
    assert_numbers(&table, "rate_mean", &[None, None, None, None, None, None, Some(0.0)]);
    assert_numbers(
        &table,
        "rate_count",
        &[Some(0.0), Some(0.0), Some(0.0), Some(0.0), Some(0.0), Some(1.0), Some(0.0)],
    );
    let audit = table.audit.variables.iter().find(|v| v.variable == "rate").unwrap();
    let reasons: Vec<_> = audit.rejected.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(reasons, [("above range", 2), ("no number", 1), ("no time", 1), ("unknown unit", 2)]);
    assert_eq!((audit.records_missing, audit.records_rejected, audit.records_partly_rejected), (6, 5, 1));
    let said = table.audit.messages.texts().join("\n");
    assert!(said.contains("variable rate: 5 records have entries of which none can be used"), "{said}");
    assert!(said.contains("`furlong` 1"), "{said}");
}

#[test]
fn an_infusion_without_end_or_with_one_before_its_beginning_is_unknown_where_it_may_have_run() {
    let hourly = PIPELINE.replace("end = 4", "end = 4\nstep = 1");
    let table = ingested(
        &hourly,
        &[("", ""); 3],
        &[
            "1,1,2150-01-01 01:30:00,,2,mcg/min",
            "2,1,2150-01-02 02:30:00,2150-01-02 01:30:00,2,mcg/min",
            "3,1,2150-01-02 22:00:00,,2,mcg/min",
        ],
        &[],
    );
    assert!(table.record_ids.iter().take(4).eq(["1@0", "1@1", "1@2", "1@3"]));
    let known = [
        // It is known at its beginning alone.
        [Some(0.0), Some(2.0), None, None],
        // It ran between the two times, one of which is wrong.
        [Some(0.0), None, None, Some(0.0)],
        // It began before the stay.
        [None, None, None, None],
    ];
    assert_numbers(&table, "rate", &known.concat());
}

#[test]
fn what_is_charted_when_it_changes_may_go_on_until_the_next_entry() {
    let hourly = PIPELINE.replace("end = 4", "end = 4\nstep = 1");
    let table = ingested(
        &hourly,
        &[("", ""); 4],
        &["3,1,2150-01-03 00:10:00,2150-01-03 00:50:00,2,mcg/min"],
        &[
            "1,3,2150-01-01 00:30:00,,on,",
            "1,3,2150-01-01 02:10:00,,off,",
            "2,3,2150-01-02 01:30:00,,perhaps,",
            "4,3,2150-01-04 00:30:00,,on,",
            "4,3,2150-01-04 00:30:00,,off,",
        ],
    );
    let known = [
        [Some(1.0), None, Some(0.0), Some(0.0)],
        // What cannot be read may be anything, and go on.
        [Some(0.0), None, None, None],
        [Some(0.0), Some(0.0), Some(0.0), Some(0.0)],
        // Of two entries of one time, either may hold.
        [Some(1.0), None, None, None],
    ];
    assert_numbers(&table, "ventilated", &known.concat());
    // An infusion whose end is known has ended.
    assert_eq!(&numbers(&table, "rate")[8..12], [2.0, 0.0, 0.0, 0.0]);
    let said = table.audit.messages.texts().join("\n");
    assert!(said.contains("variable ventilated: 6 records have no entry after one that is not 0"), "{said}");
}

#[test]
fn a_sum_with_entries_of_which_none_can_be_used_is_missing() {
    let table = ingested(
        PIPELINE,
        &[("", ""); 4],
        &[],
        &[
            "1,4,2150-01-01 01:00:00,5000,,mL",
            "2,4,2150-01-02 01:00:00,100,,mL",
            "2,4,2150-01-02 02:00:00,5000,,mL",
            "3,4,2150-01-03 01:00:00,,lots,",
        ],
    );
    assert_numbers(&table, "urine", &[None, Some(100.0), None, None]);
    assert_numbers(&table, "urine_count", &[Some(0.0), Some(1.0), Some(0.0), Some(0.0)]);
    assert_numbers(&table, "urine_or_none", &[None, Some(100.0), None, Some(0.0)]);
    let said = table.audit.messages.texts().join("\n");
    assert!(said.contains("variable urine: 2 records have entries of which none can be used"), "{said}");
    assert!(said.contains("variable urine: the sums of 1 record leave out entries"), "{said}");
}

#[test]
fn an_unreadable_text_of_an_indicator_is_no_zero() {
    let table = ingested(
        PIPELINE,
        &[("", ""); 4],
        &[],
        &[
            "1,3,2150-01-01 01:00:00,,ON ,",
            "2,3,2150-01-02 01:00:00,,see note,",
            "3,3,2150-01-03 01:00:00,,,",
        ],
    );
    assert_numbers(&table, "ventilated", &[Some(1.0), None, None, Some(0.0)]);
}

#[test]
fn the_last_usable_value_stays_the_last() {
    let table = ingested(
        PIPELINE,
        &[("", "")],
        &[],
        &[
            "1,5,2150-01-01 01:00:00,70,,",
            "1,5,2150-01-01 02:00:00,7000,,",
            "1,5,2150-01-01 03:00:00,80,>80,",
        ],
    );
    assert_numbers(&table, "map_last", &[Some(70.0)]);
    assert_numbers(&table, "map_count", &[Some(1.0)]);
    let audit = table.audit.variables.iter().find(|v| v.variable == "map").unwrap();
    assert_eq!(audit.rejected["beyond the limit of measurement"], 1);
}

#[test]
fn a_fact_that_cannot_be_used_does_not_take_the_default() {
    let facts = [("S", "500"), ("007", ""), ("7", "80")];
    let table = ingested(PIPELINE, &facts, &[], &[]);
    assert_numbers(&table, "weight", &[None, Some(70.0), Some(80.0)]);
    let Cells::Text(wards) = &table.columns.iter().find(|c| c.name == "ward").unwrap().cells else {
        panic!()
    };
    assert!(wards.iter().eq([Some("surgical"), Some("medical"), None]), "007 is not 7");
}

#[test]
fn rules_see_the_default_of_what_is_absent_and_nothing_of_what_is_rejected() {
    let table = ingested_by(
        PIPELINE,
        Some(Predicate::Between { column: "rate".into(), min: None, max: Some(0.0) }),
        &[("", ""); 3],
        &[
            "1,1,2150-01-01 01:00:00,2150-01-01 02:00:00,9,mcg/min",
            "2,1,2150-01-02 01:00:00,2150-01-02 02:00:00,2,mcg/min",
        ],
        &["1,5,2150-01-01 01:00:00,70,,"],
    );
    assert_eq!(table.record_ids, ["3"]);
    assert_eq!(table.audit.cohort.last().map(|s| (s.after, s.failed_null)), Some((1, 1)));
}

#[test]
fn a_default_and_what_is_rejected_were_not_measured() {
    let table = ingested_by(
        PIPELINE,
        // The pressure is three features.
        Some(Predicate::MinFeatures { count: 3 }),
        &[("", ""); 3],
        &["1,1,2150-01-01 01:00:00,2150-01-01 02:00:00,9,mcg/min"],
        &["2,5,2150-01-02 01:00:00,70,,", "3,5,2150-01-03 01:00:00,7000,,"],
    );
    assert_eq!(table.record_ids, ["2"]);
}

#[test]
fn without_a_table_what_hangs_on_it_is_unknown_and_not_none() {
    let optional = SCHEMA.replace("[tables.PUMPS]\n", "[tables.PUMPS]\noptional = true\n");
    let schema = parse_schema("infusions.toml", &optional).unwrap_or_else(|e| panic!("{e:?}"));
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let (pipeline, _) = parse_pipeline("infusions.toml", PIPELINE, &load).unwrap_or_else(|e| panic!("{e:?}"));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stays.csv"), stays(&[("", "")])).unwrap();
    let header = "stay_id,item,at,number,text,unit";
    fs::write(dir.path().join("chart.csv"), csv_text(header, &["1,5,2150-01-01 01:00:00,70,,"])).unwrap();
    let read = || ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap_or_else(|e| panic!("{e}"));
    let table = read();
    for name in ["rate", "rate_count", "any_rate", "rate_mean"] {
        assert_numbers(&table, name, &[None]);
    }
    assert_numbers(&table, "ventilated", &[Some(0.0)]);
    let said = table.audit.messages.texts().join("\n");
    assert!(said.contains("1 variable is found there alone and stays empty: rate"), "{said}");
    assert!(said.contains("1 variable is computed from that and stays empty: any_rate"), "{said}");
    assert!(!said.contains("variable rate"), "{said}");
    // Whoever writes a table without rows says that there was nothing.
    fs::write(dir.path().join("pumps.csv"), csv_text("stay_id,item,from,until,rate,unit", &[])).unwrap();
    let table = read();
    assert_numbers(&table, "rate", &[Some(0.0)]);
    assert_numbers(&table, "any_rate", &[Some(0.0)]);
    let said = table.audit.messages.texts().join("\n");
    assert!(
        said.contains("counts as not recorded: rate; 1 variable is computed as if nothing had been"),
        "{said}"
    );
}
