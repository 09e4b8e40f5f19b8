//! Real columns, where they are at hand.

use std::fs;
use std::path::Path;

use super::*;
use crate::num::special::normal_log_pdf;

/// Mean of the values of one PhysioNet 2012 parameter per stay.
fn physionet(parameters: &[&str]) -> Option<Vec<Vec<f64>>> {
    use std::io::Read;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/physionet2012/set_a.csv.gz");
    let Ok(file) = fs::File::open(&path) else {
        eprintln!("skipped: needs ../shared/data/physionet2012/set_a.csv.gz");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut last: Vec<std::collections::BTreeMap<u32, f64>> = vec![Default::default(); parameters.len()];
    for line in text.lines().skip(1) {
        let mut fields = line.trim_end().split(',');
        let (Some(id), Some(_), Some(name), Some(value)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if let Some(k) = parameters.iter().position(|p| *p == name) {
            let value: f64 = value.parse().unwrap();
            if value > 0.0 {
                last[k].insert(id.parse().unwrap(), value);
            }
        }
    }
    Some(last.into_iter().map(|m| m.into_values().collect()).collect())
}

#[test]
fn normal_scores_of_real_columns_generalise() {
    let names = ["HR", "Temp", "Creatinine", "Platelets", "Glucose", "WBC", "PaO2", "Lactate"];
    let Some(columns) = physionet(&names) else { return };
    for (name, values) in names.iter().zip(columns) {
        // Every other stay is held out.
        let train: Vec<f64> = values.iter().copied().step_by(2).collect();
        let held_out: Vec<f64> = values.iter().copied().skip(1).step_by(2).collect();
        let mut sorted = train.clone();
        sorted.sort_by(f64::total_cmp);
        let tally = crate::features::noise::tally(&sorted);
        let noise = Noise::fit(&tally, None);
        assert!(matches!(noise, Noise::Uniform { .. }), "{name}: {noise:?}");
        let g = Transform::fit(TransformKind::NormalScore, &noise.spread(&tally));
        let mut rng = Seed(1).stream(name, 0);
        let mut score = |values: &[f64], g: &Transform| {
            let total: f64 = values
                .iter()
                .map(|&x| {
                    let (v, log) = g.forward(noise.lift(x, rng.random()));
                    (normal_log_pdf(v) + log).max(-20.0)
                })
                .sum();
            total / values.len() as f64
        };
        let (seen, unseen) = (score(&train, &g), score(&held_out, &g));
        let line = score(&held_out, &Transform::fit(TransformKind::Standardize, &noise.spread(&tally)));
        eprintln!(
            "{name}: n {}, {noise:?}, train {seen:.3}, held out {unseen:.3}, normal {line:.3}",
            train.len()
        );
        assert!((seen - unseen).abs() < 0.1, "{name}: {seen} {unseen}");
        assert!(unseen > line, "{name}: {unseen} {line}");
    }
}
