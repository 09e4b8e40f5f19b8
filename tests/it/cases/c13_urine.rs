//! Output rows that were exported more than once.

use super::event_bundle::ingested;

#[test]
fn a_copied_row_is_no_second_measurement() {
    let Some(dir) = super::folder("13-urine-double") else { return };
    let found = ingested(dir.path(), "p.toml", "in", "bundle");
    let (sums, counts) = (found.numbers("urine_output"), found.numbers("urine_output_count"));
    assert_eq!(sums.len(), 60);
    for (id, sum) in &sums {
        let (expected, count) = match id.as_str() {
            // Two nurses charted 50 and 55 mL in the same minute.
            "20" => (205.0, 3.0),
            // Another device: 50 mL more.
            "40" => (200.0, 3.0),
            _ => (150.0, 2.0),
        };
        assert_eq!((*sum, counts[id]), (Some(expected), Some(count)), "stay {id}");
    }
    // One row of stay 10 and three of stay 30 are copies.
    assert_eq!(found.table("OUTPUTEVENTS").dropped["copy of another row"], 4);
    assert!(found.said.contains("table OUTPUTEVENTS: 4 rows repeat another row"), "{}", found.said);
    assert_eq!(found.variable("urine_output").duplicate_keys, 1);
    assert!(found.said.contains("urine_output") && found.said.contains("sums add them up"), "{}", found.said);
}
