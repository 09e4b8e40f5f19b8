//! Decimal commas and dates with the day first.

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::succeed;

#[test]
fn decimal_commas_are_numbers_and_dates_are_left_out_with_a_message() {
    let Some(tmp) = folder("12-decimal-comma-dates") else { return };
    let dir = tmp.path();
    let said = succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
    let bundle = Bundle::open(&dir.join("bundle")).unwrap();
    let columns = &bundle.manifest.encoder.columns;
    let mean = |name: &str| {
        let at = columns.iter().position(|c| c.meta.name == name).expect(name);
        assert!(columns[at].levels.is_empty(), "{name}");
        let x: Vec<f64> = bundle.raw.column(at).iter().copied().filter(|x| !x.is_nan()).collect();
        assert_eq!(x.len(), 500, "{name}");
        x.iter().sum::<f64>() / 500.0
    };
    assert!((mean("temp") - 37.07).abs() < 0.005);
    assert!((mean("ph") - 7.055).abs() < 0.0005, "{}", mean("ph"));
    // Either reading of the comma is allowed; this one follows the other columns of the file, and a message
    // says so.
    assert!(mean("wbc") < 100.0);
    assert!(said.contains("--set decimal.wbc=point"), "{said}");
    assert!(columns.iter().all(|c| c.meta.name != "admitted"));
    assert!(said.contains("column `admitted` is left out: it holds dates"), "{said}");
}
