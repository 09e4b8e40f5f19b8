//! Bedside records whose units differ between records or segments.

use std::fs;
use std::path::Path;

use cohort_flow::features::Bundle;
use cohort_flow::waveform::Normalisation;

use super::folder;
use crate::support::succeed;

fn ingest(dir: &Path, input: &str, channel: &str, normalise: &str) -> (Bundle, Normalisation, String) {
    let _ = fs::remove_dir_all(dir.join("bundle"));
    let channels = format!("channels={channel}");
    let normalise = format!("normalise={normalise}");
    let args = [
        "ingest",
        "waveform-1024",
        "--input",
        input,
        "--output",
        "bundle",
        "--set",
        &channels,
        "--set",
        "window=64",
        "--set",
        "stride=64",
        "--set",
        &normalise,
    ];
    let said = succeed(dir, &args);
    let scales = serde_json::from_slice(&fs::read(dir.join("bundle/waveform.json")).unwrap()).unwrap();
    (Bundle::open(&dir.join("bundle")).unwrap(), scales, said)
}

/// Samples of a signal file of one channel in ADC units.
fn samples(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    bytes.as_chunks::<2>().0.iter().map(|b| f64::from(i16::from_le_bytes(*b))).collect()
}

/// The values of a window times its scale plus its centre, with its record and first sample.
fn windows(bundle: &Bundle, scales: &Normalisation) -> Vec<(String, usize, Vec<f64>)> {
    bundle
        .record_ids
        .iter()
        .zip(bundle.raw.rows())
        .map(|(id, row)| {
            let (record, start) = id.rsplit_once('@').unwrap();
            let scale = scales.records.iter().find(|r| r.record == record).unwrap();
            (
                record.to_owned(),
                start.parse().unwrap(),
                row.iter().map(|x| x * scale.scale + scale.centre).collect(),
            )
        })
        .collect()
}

#[test]
fn every_window_is_true_in_the_unit_of_the_bundle() {
    let Some(dir) = folder("15-wfdb-mixed-units") else { return };
    let dir = dir.path();
    for normalise in ["channel", "none", "record"] {
        for input in ["folder", "control"] {
            let (bundle, scales, said) = ingest(dir, input, "II", normalise);
            assert_eq!(scales.channels[0].units, "mV");
            assert_eq!(bundle.raw.nrows(), 4 * 117, "{normalise} {input}");
            assert_eq!(
                said.contains("117 windows in uV are converted to mV: `uv0`"),
                input == "folder",
                "{said}"
            );
            for (record, start, values) in windows(&bundle, &scales) {
                let adc = samples(&dir.join(input).join(format!("{record}.dat")));
                for (x, adc) in values.iter().zip(&adc[start..]) {
                    // 200 ADC units are 1 mV, and 0.2 are 1 uV. Records of unequal scale are rounded to the
                    // coarsest resolution among them, here of 0.005 mV.
                    let half_a_step = if normalise == "record" { 0.0026 } else { 1e-4 };
                    assert!((x - adc / 200.0).abs() < half_a_step, "{normalise} {record} {start}: {x}");
                }
            }
        }
    }
    let (bundle, scales, said) = ingest(dir, "multi", "II", "record");
    assert!(said.contains("in uV are converted to mV"), "{said}");
    assert_eq!((bundle.raw.nrows(), scales.channels[0].units.as_str()), (2 * 117, "mV"));
    let all: Vec<f64> = windows(&bundle, &scales).into_iter().flat_map(|w| w.2).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let sd = (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    assert!((sd - 0.80).abs() < 0.02, "{sd}");
}

#[test]
fn pressures_in_kilopascal_are_brought_to_millimetres_of_mercury() {
    let Some(dir) = folder("15-wfdb-mixed-units") else { return };
    for (input, normalise, records) in [("abp", "none", 4), ("abp", "channel", 4), ("abpmulti", "record", 2)]
    {
        let (bundle, scales, said) = ingest(dir.path(), input, "ABP", normalise);
        assert!(said.contains("117 windows in kPa are converted to mmHg"), "{said}");
        assert_eq!((bundle.raw.nrows(), scales.channels[0].units.as_str()), (records * 117, "mmHg"));
        for (record, start, values) in windows(&bundle, &scales) {
            let mean = values.iter().sum::<f64>() / 64.0;
            assert!((mean - 90.0).abs() < 15.0, "{record} {start}: {mean}");
        }
        let all: Vec<(String, f64)> = windows(&bundle, &scales)
            .into_iter()
            .flat_map(|w| w.2.into_iter().map(move |x| (w.0.clone(), x)))
            .collect();
        for scale in &scales.records {
            let of: Vec<f64> = all.iter().filter(|w| w.0 == scale.record).map(|w| w.1).collect();
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            assert!((mean - 90.0).abs() < 0.9, "{}: {mean}", scale.record);
        }
        let audit = bundle.audit.variables.iter().find(|v| v.variable == "ABP").unwrap();
        assert_eq!((audit.converted, audit.unknown_unit), (117, 0));
    }
}
