//! No entry means no infusion; an entry whose rate cannot be used means an infusion of unknown rate.

use super::event_bundle::{ingested, rows};

#[test]
fn an_unusable_rate_is_missing_and_no_entry_is_zero() {
    let Some(dir) = super::folder("18-vasopressor-absent") else { return };
    let found = ingested(dir.path(), "p.toml", "in", "bundle");
    let (nor, vaso) = (found.numbers("norepinephrine_rate"), found.numbers("vasopressin_rate"));
    for stay in ["10", "20", "40", "50", "80"] {
        assert_eq!(nor[stay], None, "stay {stay}");
    }
    assert_eq!(vaso["70"], None);
    assert_eq!((nor["30"], vaso["30"]), (Some(0.1), Some(0.04)));
    assert_eq!((nor["100"], vaso["100"]), (Some(0.05), Some(0.0)));
    // Every other stay has the 0.1 and 0.04 of its own entries, or none and 0.
    let input = dir.path().join("in");
    let entries: Vec<_> = ["INPUTEVENTS_MV.csv", "INPUTEVENTS_CV.csv"]
        .iter()
        .flat_map(|file| rows(&input.join(file)))
        .collect();
    let has = |stay: &str, items: &[&str]| {
        entries.iter().any(|row| row["icustay_id"] == stay && items.contains(&row["itemid"].as_str()))
    };
    for (stay, rate) in &nor {
        if !has(stay, &["221906", "30120", "30047"]) {
            assert_eq!(*rate, Some(0.0), "stay {stay} without noradrenaline");
        }
        if !has(stay, &["222315", "30051"]) {
            assert_eq!(vaso[stay], Some(0.0), "stay {stay} without vasopressin");
        }
    }
    let audit = found.variable("norepinephrine_rate");
    assert_eq!(
        (audit.records_missing - audit.records_rejected, audit.records_rejected),
        (nor.keys().filter(|stay| !has(stay, &["221906", "30120", "30047"])).count() as u64, 5)
    );
    assert!(found.said.contains("variable norepinephrine_rate: 5 records have entries"), "{}", found.said);
    assert!(found.said.contains("`mg/kg/min` 1") && found.said.contains("`mcgmin` 1"), "{}", found.said);
}

#[test]
fn min_count_counts_what_was_measured() {
    let Some(dir) = super::folder("18-vasopressor-absent") else { return };
    let found = ingested(dir.path(), "mc.toml", "in-mc", "counted");
    let entries = rows(&dir.path().join("in-mc/INPUTEVENTS_MV.csv"));
    let rates = found.numbers("norepinephrine_rate_max");
    assert_eq!(rates.len(), 60);
    for (stay, rate) in rates {
        let own: Vec<f64> = entries
            .iter()
            .filter(|row| row["icustay_id"] == stay && row["itemid"] == "221906")
            .map(|row| row["rate"].parse().unwrap())
            .collect();
        let expected = match own.len() {
            0 => Some(0.0),
            1 => None,
            _ => own.into_iter().reduce(f64::max),
        };
        assert_eq!(rate, expected, "stay {stay}");
    }
}
