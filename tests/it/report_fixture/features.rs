//! Features: their summaries, marginals, correlations and drift.

use super::*;

pub(super) fn feature(i: usize, label: &str, privacy: Privacy) -> FeatureSummary {
    let mut splits = vec![("all", 8000u64)];
    splits.extend(SPLITS);
    FeatureSummary {
        name: label.to_owned(),
        label: label.to_owned(),
        group: if i < 5 { "vitals" } else { "labs" }.into(),
        unit: "mmHg".into(),
        kind: "continuous".into(),
        splits: splits
            .into_iter()
            .map(|(split, n)| SplitStats {
                split: split.into(),
                observed: privacy.part(n * 9 / 10, n),
                missing_percent: privacy.percent(n / 10, n),
                mean: Some(80.0 + wave(i, 1)),
                sd: Some(12.3),
                median: Some(79.0),
                q1: Some(70.5),
                q3: Some(90.25),
                low: Some(40.0),
                high: Some(180.0),
            })
            .collect(),
        levels: if i == 4 {
            ["female", "male"]
                .map(|l| LevelShare {
                    percent_of_all: privacy.percent(4000, 9000),
                    level: l.into(),
                    n: privacy.part(4000, 8000),
                    percent: privacy.percent(4000, 8000),
                })
                .to_vec()
        } else {
            Vec::new()
        },
        smd: Some(wave(i, 2) * 0.12),
        smd_error: Some(0.03),
    }
}

pub(super) fn drift(labels: &[String], privacy: Privacy) -> Drift {
    Drift {
        old: "cohort-2019".into(),
        n_old: privacy.count(7000),
        n_new: privacy.count(8000),
        same: false,
        repeated: false,
        features: labels
            .iter()
            .enumerate()
            .map(|(i, label)| FeatureDrift {
                label: label.clone(),
                unit: "mmHg".into(),
                note: if i == 1 { "unit was kPa".into() } else { String::new() },
                n_old: privacy.count(6500),
                n_new: privacy.count(7400),
                mean_old: Some(80.0),
                mean_new: Some(80.0 + wave(i, 4)),
                smd: Some(0.1 * wave(i, 4)),
                smd_error: Some(0.017),
                ks: Some(0.03),
                cells: 10,
                psi: Some(0.02 / (1.0 + i as f64)),
                psi_chance: Some(0.0045),
                p_value: Some(if i < 3 { 1e-9 } else { 0.3 }),
                p_adjusted: Some(if i < 3 { 1e-7 } else { 1.0 }),
                values_beyond_chance: i < 3,
                missing_old: privacy.percent(500, 7000),
                missing_new: privacy.percent(600, 8000),
                missing_difference: Some(0.36),
                missing_error: Some(0.42),
                missing_p_value: Some(0.4),
                missing_p_adjusted: Some(1.0),
                missing_beyond_chance: false,
                beyond_chance: i < 3,
            })
            .collect(),
        n_beyond_chance: labels.len().min(3),
        n_compared: labels.len(),
        only_old: vec!["weight".into()],
        only_new: Vec::new(),
        joint: vec![JointDrift {
            model: "old flow".into(),
            n_old: privacy.count(1100),
            n_new: privacy.count(8000),
            mean_old: -1.3,
            mean_new: -1.9,
            difference: -0.6,
            error: 0.12,
            low: -0.84,
            high: -0.36,
            ks: 0.08,
            ks_chance: 0.04,
            odd_percent: Some(7.1),
            odd_low: Some(6.6),
            odd_high: Some(7.7),
            integrated_out: Vec::new(),
            n_shared: None,
            few_samples: None,
            verdict: "records of this cohort are stranger to old flow: -0.600 ± 0.120 nats per record".into(),
            histogram: Some(Histogram {
                edges: (0..=12).map(|k| -40.0 + 4.0 * f64::from(k)).collect(),
                levels: vec![],
                data: vec![100.0 / 12.0; 12],
                error: vec![1.0; 12],
                samples: vec![100.0 / 12.0; 12],
            }),
        }],
    }
}

pub(super) fn marginals(labels: &[String], privacy: Privacy) -> Marginals {
    let bell = |shift: f64| -> Vec<f64> {
        let raw: Vec<f64> = (0..24).map(|k| (-(f64::from(k) - 11.5 - shift).powi(2) / 30.0).exp()).collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|r| 100.0 * r / sum).collect()
    };
    Marginals {
        model: "butterfly".into(),
        split: "test".into(),
        n_samples: 4800,
        features: labels
            .iter()
            .enumerate()
            .map(|(i, label)| Marginal {
                label: label.clone(),
                unit: "mmHg".into(),
                ks: 0.2 / (1.0 + i as f64),
                ks_real: Some(0.02),
                ks_chance: 0.04,
                missing_data: privacy.percent(120, 1200),
                missing_samples: 9.3,
                histogram: (i < 30).then(|| {
                    if i == 1 {
                        Histogram {
                            edges: vec![],
                            levels: vec!["female".into(), "male".into()],
                            data: vec![45.0, 55.0],
                            error: vec![2.0, 2.0],
                            samples: vec![47.0, 53.0],
                        }
                    } else {
                        Histogram {
                            edges: (0..=24).map(|k| 40.0 + 5.0 * f64::from(k)).collect(),
                            levels: vec![],
                            data: bell(0.0),
                            error: vec![0.4; 24],
                            samples: bell(wave(i, 5)),
                        }
                    }
                }),
            })
            .collect(),
        n_drawn: labels.len().min(30),
        models: ["training records", "butterfly", "gmm"]
            .map(|m| ModelFit {
                model: m.into(),
                mean_ks: 0.03,
                max_ks: 0.2,
                n_beyond_chance: 4,
                mean_correlation_error: Some(0.021),
            })
            .to_vec(),
    }
}

pub(super) fn correlations(labels: &[String]) -> Correlations {
    // As collected: no map of more than 40 features.
    let labels = &labels[..labels.len().min(40)];
    let p = labels.len();
    let matrix = |shift: f64| -> Vec<Vec<Option<f64>>> {
        (0..p)
            .map(|i| {
                (0..p)
                    .map(|j| match i.abs_diff(j) {
                        0 => Some(1.0),
                        9 => None,
                        _ => Some(0.8 * wave(i * j, i + j) * (1.0 + shift)),
                    })
                    .collect()
            })
            .collect()
    };
    let (data, samples) = (matrix(0.0), matrix(-0.15));
    let difference = data
        .iter()
        .zip(&samples)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| Some((*b)? - (*a)?)).collect())
        .collect();
    Correlations {
        model: "butterfly".into(),
        split: "test".into(),
        labels: labels.to_vec(),
        n_correlated: labels.len(),
        truncated: false,
        data,
        samples,
        difference,
        worst: vec![CorrelationPair {
            first: labels[0].clone(),
            second: labels[p - 1].clone(),
            data: 0.8,
            samples: 0.68,
            real: Some(0.79),
            error: Some(0.02),
        }],
        mean_error: 0.03,
        mean_error_real: Some(0.025),
    }
}
