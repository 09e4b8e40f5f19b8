//! Decimals, small integers and dictionaries in the event tables of a Parquet extract.

use super::event_bundle::{ingested, mean, rows};

#[test]
fn values_are_read_whatever_number_or_category_type_they_are_stored_in() {
    let Some(dir) = super::folder("02-parquet-decimal") else { return };
    // The same heart rates as text, in the extract of another case.
    let Some(plain) = super::folder("22-cr-only-events") else { return };
    let charted = rows(&plain.path().join("lf/CHARTEVENTS.csv"));
    for input in ["mimic", "mimic-i16", "mimic-cat"] {
        let found = ingested(dir.path(), "p.toml", input, &format!("{input}-bundle"));
        let rates = found.numbers("heart_rate");
        assert_eq!(rates.len(), 60, "{input}");
        for (stay, rate) in rates {
            let own: Vec<f64> = charted
                .iter()
                .filter(|row| row["icustay_id"] == stay && row["itemid"] == "220045")
                .map(|row| row["valuenum"].parse().unwrap())
                .collect();
            assert_eq!((rate, own.len()), (Some(mean(&own)), 2), "{input}, stay {stay}");
        }
        let audit = found.variable("heart_rate");
        assert_eq!((audit.values_kept, audit.records_missing), (120, 0), "{input}");
        assert_eq!((audit.unknown_unit, audit.not_a_number, audit.converted), (0, 0, 0), "{input}");
    }
}
