//! Event tables whose lines end in carriage returns.

use super::event_bundle::ingested;
use crate::support;

#[test]
fn line_ends_of_any_kind_give_the_same_cohort() {
    let Some(dir) = super::folder("22-cr-only-events") else { return };
    let lf = ingested(dir.path(), "p.toml", "lf", "lf-bundle");
    let (rates, counts) = (lf.numbers("heart_rate"), lf.numbers("heart_rate_count"));
    assert_eq!(rates.len(), 60);
    assert!(counts.values().all(|n| *n == Some(2.0)));
    assert!((lf.mean("heart_rate") - 90.5).abs() < 1e-12);
    for input in ["crlf", "cr", "cr-icu"] {
        let other = ingested(dir.path(), "p.toml", input, &format!("{input}-bundle"));
        assert_eq!(
            (other.numbers("heart_rate"), other.numbers("heart_rate_count")),
            (rates.clone(), counts.clone())
        );
    }
}

#[test]
fn a_carriage_return_within_a_cell_loses_nothing() {
    let Some(dir) = super::folder("22-cr-only-events") else { return };
    let output =
        support::run(dir.path(), &["ingest", "p.toml", "--input", "stray", "--output", "stray-bundle"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        assert!(output.status.code() == Some(2) && said.contains("CHARTEVENTS.csv"), "{said}");
        return;
    }
    let lf = ingested(dir.path(), "p.toml", "lf", "lf-bundle");
    let stray = ingested(dir.path(), "p.toml", "stray", "again");
    // The unit of two cells is spelled with the carriage return.
    assert_eq!(stray.numbers("heart_rate"), lf.numbers("heart_rate"), "{said}");
    assert_eq!(stray.numbers("heart_rate_count"), lf.numbers("heart_rate_count"), "{said}");
}
