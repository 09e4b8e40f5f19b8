//! Severity scores: equal to SQL that was written from the papers, and missing where they are not known.

use std::path::Path;

use cohort_flow::ingest::{Cells, NoProgress, RecordTable, ingest};
use cohort_flow::schema::{MissingParts, dictionary, load_pipeline, load_pipeline_on, schema_names};

use crate::support::{self, shared};

fn numbers(table: &RecordTable, column: &str) -> Vec<f64> {
    let found = table.columns.iter().find(|c| c.name == column).unwrap_or_else(|| panic!("no {column}"));
    let Cells::Number(x) = &found.cells else { panic!("{column} holds texts") };
    x.to_vec()
}

/// Needs Python with DuckDB: `COHORT_FLOW_PYTHON`, or `python3`.
#[test]
fn scores_equal_sql_that_was_written_from_the_papers() {
    let python = std::env::var("COHORT_FLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_duckdb = std::process::Command::new(&python).args(["-c", "import duckdb"]).output();
    if !has_duckdb.is_ok_and(|o| o.status.success()) {
        support::skipped("a Python with duckdb in COHORT_FLOW_PYTHON (pip install duckdb)");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/duckdb");
    let work = tempfile::tempdir().unwrap();
    for (folder, pipeline, more) in [
        ("data/mimic4-demo", "scores.toml", &[][..]),
        ("data/mimic4-demo", "infection.toml", &["--infection"]),
        ("data/mimic3-demo", "scores.toml", &[]),
    ] {
        let Some(extract) = shared(folder) else { continue };
        let (pipeline, extract) = (here.join(pipeline), std::fs::canonicalize(extract).unwrap());
        let [pipeline, input] = [&pipeline, &extract].map(|path| path.to_str().unwrap());
        support::succeed(
            work.path(),
            &["ingest", pipeline, "--input", input, "--output", "bundle", "--force"],
        );
        let mut check = std::process::Command::new(&python);
        let check =
            check.arg(here.join("scores_mimic.py")).arg(&extract).arg(work.path().join("bundle")).args(more);
        let output = check.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{folder}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_part_that_nobody_recorded_is_normal_or_makes_the_score_missing() {
    let Some(extract) = shared("data/mimic4-demo") else { return };
    let (mut pipeline, schema) = load_pipeline_on("icu-scores", Some("mimic4")).unwrap();
    assert_eq!(pipeline.left_out, Vec::<String>::new(), "MIMIC-IV has every part");
    let schema = schema.unwrap();
    let normal = numbers(&ingest(&schema, &pipeline, &extract, &NoProgress).unwrap(), "sofa");
    pipeline.missing_parts = MissingParts::Missing;
    let table = ingest(&schema, &pipeline, &extract, &NoProgress).unwrap();
    let (strict, respiration) = (numbers(&table, "sofa"), numbers(&table, "sofa_respiration"));
    let there = |x: &[f64]| x.iter().filter(|x| !x.is_nan()).count();
    assert!(
        there(&strict) > 0 && there(&strict) < there(&normal),
        "{} of {}",
        there(&strict),
        there(&normal)
    );
    for ((strict, normal), respiration) in strict.iter().zip(&normal).zip(&respiration) {
        assert!(strict.is_nan() || strict == normal, "the same where every part was recorded");
        assert!(strict.is_nan() || !respiration.is_nan());
    }
}

#[test]
fn a_database_without_a_part_says_for_want_of_what_a_score_is_left_out() {
    let (pipeline, _) = load_pipeline_on("icu-scores", Some("physionet2019")).unwrap();
    let told = |score: &str| {
        pipeline.left_out.iter().find(|text| text.starts_with(&format!("{score} (for want of")))
    };
    assert!(told("sofa_nervous").unwrap().contains("gcs_eye"), "{:?}", pipeline.left_out);
    assert!(pipeline.features.iter().any(|f| f.variable == "sirs"), "SIRS needs no coma scale");
}

/// Bundles hold their schema: one that uses nothing of the scores holds what it held before there were any.
#[test]
fn schemas_of_other_pipelines_hold_nothing_of_scores() {
    for name in ["mimic3-first-24h", "mimic3-hourly", "mimic3-first-48h-benchmark", "physionet2012-48h"] {
        let (_, schema) = load_pipeline(name).unwrap();
        let schema = schema.unwrap();
        let odd =
            |name: &str| name.starts_with("sofa") || name.starts_with("charlson") || name == "death_hours";
        assert!(schema.variables.iter().all(|v| !odd(&v.name)), "{name}");
    }
    for name in schema_names() {
        let (pipeline, schema) = load_pipeline_on("icu-first-24h", Some(name)).unwrap();
        assert!(schema.unwrap().variable("sofa").is_none(), "{name}");
        assert!(pipeline.features.iter().all(|f| f.variable != "sofa"));
    }
}

#[test]
fn every_score_names_its_paper() {
    for score in [
        "sofa",
        "qsofa",
        "sirs",
        "news2",
        "oasis",
        "saps2",
        "kdigo_creatinine",
        "kdigo_urine",
        "charlson",
        "elixhauser",
        "sepsis3",
    ] {
        let concept = dictionary().iter().find(|c| c.variable.name == score).unwrap();
        let source = concept.source.as_deref().unwrap_or_default();
        assert!(source.contains("(19") || source.contains("(20"), "{score}: {source}");
    }
}
