//! The built-in descriptions against the open data they describe.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::{Path, PathBuf};

use cohort_flow::ingest::{Audit, Cells, NoProgress, RecordTable, ingest};
use cohort_flow::schema::load_pipeline;

use crate::support::shared;

fn data(folder: &str) -> Option<PathBuf> {
    shared(&format!("data/{folder}"))
}

fn run(pipeline: &str, dir: &Path) -> RecordTable {
    let (pipeline, schema) = load_pipeline(pipeline).unwrap();
    ingest(&schema.unwrap(), &pipeline, dir, &NoProgress).unwrap()
}

fn no_unit_is_unknown(audit: &Audit) {
    let unknown: Vec<_> =
        audit.variables.iter().filter(|v| v.unknown_unit > 0).map(|v| (&v.variable, &v.units)).collect();
    assert!(unknown.is_empty(), "units the schema does not name: {unknown:#?}");
}

/// Share of the records with a value.
fn observed(table: &RecordTable, feature: &str) -> f64 {
    let column = table.columns.iter().find(|c| c.name == feature).unwrap_or_else(|| panic!("no {feature}"));
    let there = match &column.cells {
        Cells::Number(x) => x.iter().filter(|x| !x.is_nan()).count(),
        Cells::Text(x) => x.iter().flatten().count(),
    };
    there as f64 / table.n_records() as f64
}

#[test]
fn every_unit_and_table_of_the_mimic3_demo_is_described() {
    let Some(dir) = data("mimic3-demo") else { return };
    let table = run("mimic3-first-24h", &dir);
    no_unit_is_unknown(&table.audit);
    // Of the 81 stays; counted from the CSV files by a Python script of its own.
    for (feature, expected) in [
        ("gcs_verbal_min", 70),
        ("weight_first", 64),
        ("fio2_max", 40),
        ("troponin_t_max", 36),
        ("albumin_min", 26),
        ("urine_output", 80),
        ("sodium", 81),
    ] {
        let n = (observed(&table, feature) * 81.0).round();
        assert_eq!(n, f64::from(expected), "{feature}");
    }
}

#[test]
fn physionet2012_is_eight_thousand_stays() {
    let Some(dir) = data("physionet2012") else { return };
    let table = run("physionet2012-48h", &dir);
    assert_eq!(table.n_records(), 8000);
    no_unit_is_unknown(&table.audit);
    let text = |feature: &str, level: &str| {
        let column = table.columns.iter().find(|c| c.name == feature).unwrap();
        let Cells::Text(x) = &column.cells else { panic!("{feature} is not text") };
        x.iter().flatten().filter(|x| *x == level).count()
    };
    // Counted from the two files by a Python script of its own.
    assert_eq!(text("gender", "female") + text("gender", "male"), 7992);
    let units = ["coronary", "cardiac surgery", "medical", "surgical"].map(|level| text("icu_type", level));
    assert_eq!(units, [1167, 1656, 2917, 2260]);
    let column = table.columns.iter().find(|c| c.name == "mech_vent").unwrap();
    let Cells::Number(ventilated) = &column.cells else { panic!("a number") };
    assert_eq!(ventilated.iter().filter(|x| *x == 1.0).count(), 5040);
    assert_eq!(ventilated.iter().filter(|x| *x == 0.0).count(), 2960);
    for (feature, expected) in [
        ("age", 8000),
        ("height", 4156),
        ("weight", 7383),
        ("temperature_max", 7871),
        ("ph_min", 6068),
        ("albumin", 3245),
        ("troponin_t_max", 1805),
        ("urine", 7787),
    ] {
        let n = (observed(&table, feature) * 8000.0).round();
        assert_eq!(n, f64::from(expected), "{feature}");
    }
}
