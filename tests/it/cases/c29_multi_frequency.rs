//! Bedside records with several samples per frame.

use std::fs;

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::{fail, succeed};

#[test]
fn several_samples_in_a_frame_keep_their_rate_and_unequal_rates_are_refused() {
    let Some(dir) = folder("29-wfdb-multi-frequency") else { return };
    let dir = dir.path();
    let args = |channels: &'static str, output: &'static str| {
        [
            "ingest",
            "waveform-1024",
            "--input",
            "rec",
            "--output",
            output,
            "--set",
            channels,
            "--set",
            "window=64",
            "--set",
            "stride=64",
            "--set",
            "normalise=none",
        ]
    };
    succeed(dir, &args("channels=II", "a"));
    let bundle = Bundle::open(&dir.join("a")).unwrap();
    assert_eq!(bundle.raw.nrows(), 468);
    assert!(fs::read_to_string(dir.join("a/waveform.json")).unwrap().contains("\"frequency\": 500.0"));
    // A frame is four samples of II and one of ABP.
    let bytes = fs::read(dir.join("rec/mf.dat")).unwrap();
    let samples: Vec<f64> = bytes
        .as_chunks::<10>()
        .0
        .iter()
        .flat_map(|frame| {
            frame.as_chunks::<2>().0[..4].iter().map(|b| f64::from(i16::from_le_bytes(*b)) / 200.0)
        })
        .collect();
    for (id, row) in bundle.record_ids.iter().zip(bundle.raw.rows()) {
        let start: usize = id.rsplit_once('@').unwrap().1.parse().unwrap();
        assert!(row.iter().zip(&samples[start..]).all(|(x, y)| (x - y).abs() < 1e-9), "{id}");
    }
    fail(dir, &args("channels=II,ABP", "b"), &["different rates", "II 500 Hz, ABP 125 Hz", "mf.hea"]);
}
