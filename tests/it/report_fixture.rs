//! A report made by hand: as many features as asked for, smooth made-up numbers, no randomness.

use cohort_flow::artifact::Role;
use cohort_flow::report::data::*;
use cohort_flow::report::{Privacy, ReportData};

/// Smooth, deterministic, in −1..1.
pub(crate) fn wave(i: usize, j: usize) -> f64 {
    ((i * 7 + j * 13) as f64 * 0.7).sin()
}

pub(crate) fn names(p: usize) -> Vec<String> {
    const KNOWN: [&str; 10] = [
        "heart rate",
        "systolic pressure",
        "temperature",
        "respiratory rate",
        "SpO2",
        "glucose",
        "creatinine",
        "sodium",
        "haemoglobin",
        "age",
    ];
    (0..p).map(|i| KNOWN.get(i).map_or_else(|| format!("feature {i}"), |k| (*k).to_owned())).collect()
}

fn counted(pairs: &[(&str, u64)], privacy: Privacy) -> Vec<NamedCount> {
    pairs.iter().map(|(name, n)| NamedCount { name: (*name).into(), n: privacy.count(*n) }).collect()
}

const SPLITS: [(&str, u64); 4] =
    [("train", 4800), ("validation", 800), ("calibration", 1200), ("test", 1200)];

/// Everything present, with the feature labels given.
pub(crate) fn full(labels: &[String], privacy: Privacy) -> ReportData {
    let p = labels.len();
    let mut records = counted(&[("all", 8000)], privacy);
    records.extend(counted(&SPLITS, privacy));
    ReportData {
        format_version: FORMAT_VERSION,
        title: "First 24 hours of ICU stays".into(),
        identifiable: privacy.identifiable(),
        verdict: Verdict {
            outcome: Outcome::Flow,
            headline: "The flow (butterfly) explains held-out records better than the mixture (gmm), by 0.412 ± 0.051 nats \
                       per record."
                .into(),
            reasons: vec![
                "The 95 % interval of the paired difference, +0.312 to +0.512, excludes 0.".into(),
                "p-values hold: at a level of 5 %, 4.8 % of test records are flagged.".into(),
            ],
            cautions: vec!["3 features are missing in more than half of the records.".into()],
            opponent: "mixture",
            difference: Some(0.412),
            standard_error: Some(0.051),
            records,
            n_features: p,
            leading: "butterfly".into(),
        },
        provenance: Provenance {
            program_version: "0.1.0".into(),
            bundle_version: "0.1.0".into(),
            pipeline: "mimic3-first-24h".into(),
            pipeline_title: "Adults, first ICU stay, first 24 hours".into(),
            schema: "mimic3".into(),
            schema_sha256: Some("ab".repeat(32)),
            bundle_sha256: "cd".repeat(32),
            seed: 7,
            draws: 16,
            split_rule: "60 % train, 10 % validation, 15 % calibration, 15 % test, by patient".into(),
            splits: counted(&SPLITS, privacy),
            inputs: vec![Input { name: "CHARTEVENTS.csv.gz".into(), bytes: 4_200_000_000, sha256: "ef".repeat(32) }],
        },
        cohort: Cohort {
            steps: [("all ICU stays", 12000, 0, 0), ("adults", 11000, 1000, 20), ("first stay per patient", 8000, 3000, 0)]
                .map(|(rule, kept, excluded, null)| Step {
                    rule: rule.into(),
                    kept: privacy.count(kept),
                    excluded: privacy.count(excluded),
                    excluded_null: privacy.count(null),
                })
                .to_vec(),
            tables: vec![TableRows {
                table: "CHARTEVENTS".into(),
                read: privacy.count(330_712_483),
                kept: privacy.count(12_000_000),
                dropped: counted(&[("item not used", 318_000_000), ("error flag", 712_483)], privacy),
            }],
            merged: false,
        },
        features: labels.iter().enumerate().map(|(i, l)| feature(i, l, privacy)).collect(),
        missing: labels
            .iter()
            .enumerate()
            .map(|(i, l)| {
                let n = (8000.0 * (0.9 / (1.0 + i as f64))) as u64;
                Missing { label: l.clone(), percent: privacy.percent(n, 8000), bar: n as f64 / 80.0 }
            })
            .collect(),
        alerts: vec![Alert {
            variable: labels[0].clone(),
            what: "above the plausible range".into(),
            n: privacy.count(12),
            percent: Some(0.02),
            dropped: true,
        }],
        warnings: vec!["2 features were left out: too few observed values".into()],
        learning: vec![curve("butterfly", 60, 0.0), curve("glow-lu", 40, -0.3)],
        models: vec![model("butterfly", Role::Flow, -1.2, privacy), model("glow-lu", Role::Flow, -1.35, privacy), model("gmm", Role::Mixture, -1.6, privacy)],
        comparison: Some(Comparison {
            split: "test".into(),
            n: privacy.count(1200),
            rows: [("butterfly", -1.2, 0.0, 0.0), ("glow-lu", -1.35, -0.15, 0.09), ("gmm", -1.6, -0.412, 0.051)]
                .map(|(name, mean, difference, error)| ComparisonRow {
                    model: name.into(),
                    mean,
                    standard_error: 0.11,
                    difference,
                    difference_error: error,
                    low: difference - 1.96 * error,
                    high: difference + 1.96 * error,
                    wins_percent: 31.0,
                })
                .to_vec(),
        }),
        likelihood: ["butterfly", "glow-lu", "gmm"]
            .iter()
            .flat_map(|m| SPLITS.map(|(s, n)| (*m, s, n)))
            .enumerate()
            .map(|(i, (m, s, n))| {
                let at = -1.0 - 0.1 * i as f64;
                SplitLikelihood {
                    model: m.into(),
                    split: s.into(),
                    n: privacy.count(n),
                    quantiles: Quantiles { p5: at - 9.0, p25: at - 3.0, p50: at, p75: at + 2.0, p95: at + 4.0 },
                }
            })
            .collect(),
        marginals: Some(marginals(labels, privacy)),
        correlations: Some(correlations(labels)),
        calibration: Some(Calibration {
            model: "butterfly".into(),
            split: "test".into(),
            n: privacy.count(1200),
            n_calibration: privacy.count(1200),
            histogram: Some(PValueHistogram {
                percent: (0..20).map(|i| 5.0 + wave(i, 3)).collect(),
                low: 3.8,
                high: 6.3,
            }),
            alphas: [0.01, 0.05, 0.1]
                .map(|alpha| AlphaRow {
                    expected: alpha,
                    exceeded: false,
                    model: "butterfly".into(),
                    alpha,
                    observed: Some(alpha * 0.95),
                    low: Some(alpha * 0.8),
                    high: Some(alpha * 1.2),
                })
                .to_vec(),
            regions: Some(Regions {
                n_samples: 4000,
                points: (1..=50).map(|k| [2.0 * f64::from(k), 2.0 * f64::from(k) + wave(k as usize, 2)]).collect(),
                chance: 4.5,
            }),
            qq: Some(QqCurve {
                chance: (1..60).map(|i| f64::from(i) / 10.0 - 3.0).map(|z| [z - 0.1, z + 0.1]).collect(),
                points: (1..60)
                    .map(|i| {
                        let z = f64::from(i) / 10.0 - 3.0;
                        [z, z * 1.03, z * 1.03 - 0.2, z * 1.03 + 0.2]
                    })
                    .collect(),
            }),
        }),
        learned: vec![learned("butterfly", labels)],
        drift: Some(drift(labels, privacy)),
        waveform: None,
        windows: false,
        outliers: Some(Outliers {
            model: "butterfly".into(),
            rule: "false discovery rate 5 %".into(),
            of: "test records".into(),
            n_scored: privacy.count(8000),
            n_flagged: privacy.count(23),
            rows: (0..20)
                .map(|i| OutlierRow {
                    record: privacy.record(i + 1, &format!("stay-{}", 200_000 + i)),
                    log_prob: -80.0 + 2.0 * i as f64,
                    p_value: 0.0008 * (i + 1) as f64,
                    q_value: 0.004 * (i + 1) as f64,
                    flagged: i < 12,
                    feature: labels[i % p].clone(),
                    explanation: format!("{} 98.6 °C; with 37.1 the record would be ordinary (Fahrenheit?)", labels[i % p]),
                    gain: Some(40.0 - i as f64),
                })
                .collect(),
            planted: Some(Planted {
                kinds: [("unit error", 40), ("decimal slip", 35), ("swapped columns", 7)]
                    .map(|(kind, n)| PlantedKind {
                        kind: kind.into(),
                        n: privacy.count(n),
                        recall: privacy.share(n * 3 / 4, n),
                        named_first: privacy.share(n * 4 / 5, n),
                        auc: privacy.allows(n).then_some(0.93),
                    })
                    .to_vec(),
                false_discovery: Some(0.043),
                fdr_level: 0.05,
            }),
        }),
    }
}

fn feature(i: usize, label: &str, privacy: Privacy) -> FeatureSummary {
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

fn curve(name: &str, n: usize, at: f64) -> LearningCurve {
    LearningCurve {
        model: name.into(),
        epochs: (1..=n)
            .map(|epoch| {
                let e = epoch as f64;
                Epoch {
                    epoch,
                    train: Some(at - 1.0 - 30.0 * (-e / 3.0).exp() + 0.004 * e),
                    validation: Some(at - 1.1 - 30.0 * (-e / 3.0).exp() - 0.00008 * (e - 35.0).powi(2)),
                }
            })
            .collect(),
        best_epoch: Some(35.min(n)),
        validation_error: Some(0.2),
    }
}

fn model(name: &str, role: Role, mean: f64, privacy: Privacy) -> ModelSummary {
    ModelSummary {
        name: name.into(),
        kind: name.into(),
        family: role,
        seed: 7,
        n_parameters: 123_456,
        epochs: Some(60),
        train_seconds: Some(if role == Role::Flow { 83.2 } else { 4.1 }),
        rows_per_second: Some(42_000.0),
        peak_memory_bytes: Some(310_000_000),
        splits: SPLITS
            .map(|(split, n)| SplitScore {
                split: split.into(),
                n: privacy.count(n),
                mean: Some(mean),
                standard_error: Some(0.11),
                median: Some(mean + 0.4),
                original_units: Some(mean - 60.0),
                original_units_error: Some(0.2),
                importance_weighted: Some(mean - 59.8),
            })
            .to_vec(),
    }
}

fn learned(name: &str, labels: &[String]) -> Learned {
    let p = labels.len();
    let matrix = |i: usize, j: usize| if (i + 1) % p == j { 0.9 } else { 0.3 * wave(i * j, i + j) };
    Learned {
        model: name.into(),
        kind: name.into(),
        coordinates: labels.to_vec(),
        layers: (1..=3)
            .map(|block| LearnedLayer {
                block,
                n_parameters: 4 * p,
                matrix: (p <= 60).then(|| (0..p).map(|i| (0..p).map(|j| matrix(i, j)).collect()).collect()),
                inputs: labels.to_vec(),
                permutation: (0..p).map(|i| (i + 1) % p).collect(),
                distance: Some(0.4),
                share_on_permutation: Some(0.8),
                n_in_place: 0,
                determinant: Some(0.87),
                log_determinant: Some(-0.14),
                condition: Some(12.3),
                strongest: vec![Mixing {
                    first: labels[0].clone(),
                    second: labels[p - 1].clone(),
                    strength: 0.61,
                }],
            })
            .collect(),
        fault: None,
    }
}

fn drift(labels: &[String], privacy: Privacy) -> Drift {
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

fn marginals(labels: &[String], privacy: Privacy) -> Marginals {
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

fn correlations(labels: &[String]) -> Correlations {
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
