//! Laboratory values that come twice, as charted mirrors and as repeated rows.

use super::event_bundle::{ingested, same};

#[test]
fn mirrors_and_repeated_rows_count_once() {
    let Some(dir) = super::folder("28-lab-duplicates") else { return };
    let found = ingested(dir.path(), "p.toml", "in", "bundle");
    let (means, counts, lasts) =
        (found.numbers("wbc"), found.numbers("wbc_count"), found.numbers("wbc_last"));
    assert_eq!(means.len(), 60);
    for (stay, value) in &means {
        let (mean, count, last) = match stay.as_str() {
            // 10, 20 and 22: two values of one time are two measurements.
            "20" => (52.0 / 3.0, 3.0, 21.0),
            _ => (15.0, 2.0, 20.0),
        };
        assert!(same(*value, Some(mean), 1e-12), "stay {stay}: {value:?}");
        assert_eq!((counts[stay], lasts[stay]), (Some(count), Some(last)), "stay {stay}");
    }
    assert_eq!(found.table("LABEVENTS").dropped["copy of another row"], 1);
    assert!(found.said.contains("table LABEVENTS: 1 row repeats another row"), "{}", found.said);
}
