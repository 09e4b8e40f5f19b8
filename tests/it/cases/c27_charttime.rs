//! Chart times that are off by a year.

use super::event_bundle::{ingested, mean, rows};

#[test]
fn values_of_another_year_count_in_no_window() {
    let Some(dir) = super::folder("27-charttime-off-by-a-year") else { return };
    let found = ingested(dir.path(), "p.toml", "in", "bundle");
    let charted = rows(&dir.path().join("in/CHARTEVENTS.csv"));
    let rates = found.numbers("heart_rate");
    assert_eq!(rates.len(), 60);
    for (stay, rate) in &rates {
        let own: Vec<f64> = charted
            .iter()
            .filter(|row| {
                row["icustay_id"] == *stay && row["charttime"].starts_with("2150") && row["valuenum"] != "200"
            })
            .map(|row| row["valuenum"].parse().unwrap())
            .collect();
        let number = |feature: &str| found.number(feature, stay);
        // Stays of the turn of the year have values of 2151.
        if own.len() == 2 {
            assert_eq!(*rate, Some(mean(&own)), "stay {stay}");
            assert_eq!(number("heart_rate_max"), own.iter().copied().reduce(f64::max), "stay {stay}");
            assert_eq!(number("heart_rate_last"), Some(own[1]), "stay {stay}");
        }
        assert_eq!(number("heart_rate_count"), Some(2.0), "stay {stay}");
        assert_ne!(number("heart_rate_max"), Some(200.0), "stay {stay}");
    }
    let dropped = &found.table("CHARTEVENTS").dropped;
    assert_eq!((dropped["after window"], dropped["before window"], dropped["outside every stay"]), (1, 1, 1));
}
