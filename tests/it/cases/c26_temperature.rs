//! Fahrenheit numbers under the Celsius item, and the reverse.

use super::event_bundle::{ingested, same};

#[test]
fn a_temperature_under_the_item_of_the_other_unit_is_not_used() {
    let Some(dir) = super::folder("26-temperature-units") else { return };
    let found = ingested(dir.path(), "p.toml", "in", "bundle");
    let of = |stay: &str| {
        let number = |feature: &str| found.number(feature, stay);
        (number("temperature"), number("temperature_max"), number("temperature_count"))
    };
    for stay in ["10", "20"] {
        assert_eq!(of(stay), (None, None, Some(0.0)), "stay {stay}");
    }
    let (mean, max, count) = of("30");
    assert!(same(mean, Some(36.9), 1e-12) && same(max, Some(37.0), 1e-12) && count == Some(2.0));
    assert!(same(of("40").0, Some(37.25), 1e-12), "{:?}", of("40"));
    let audit = found.variable("temperature");
    assert_eq!((audit.above_range, audit.below_range), (2, 1));
    assert_eq!((audit.records_missing, audit.records_rejected, audit.records_partly_rejected), (2, 2, 1));
}
