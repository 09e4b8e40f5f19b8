//! A report made by hand: as many features as asked for, smooth made-up numbers, no randomness.

mod features;
mod models;

use cohort_flow::artifact::Role;
use cohort_flow::report::data::*;
use cohort_flow::report::{Privacy, ReportData};

use features::{correlations, drift, feature, marginals};
use models::{curve, learned, model};

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
            headline: "The flow (butterfly) explains held-out records better than the mixture (gmm), by \
                       0.412 ± 0.051 nats per record."
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
            scored: None,
            split_rule: "60 % train, 10 % validation, 15 % calibration, 15 % test, by patient".into(),
            splits: counted(&SPLITS, privacy),
            inputs: vec![Input {
                name: "CHARTEVENTS.csv.gz".into(),
                bytes: 4_200_000_000,
                sha256: "ef".repeat(32),
            }],
        },
        cohort: Cohort {
            steps: [
                ("all ICU stays", 12000, 0, 0),
                ("adults", 11000, 1000, 20),
                ("first stay per patient", 8000, 3000, 0),
            ]
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
        models: vec![
            model("butterfly", Role::Flow, -1.2, privacy),
            model("glow-lu", Role::Flow, -1.35, privacy),
            model("gmm", Role::Mixture, -1.6, privacy),
        ],
        comparison: Some(Comparison {
            split: "test".into(),
            n: privacy.count(1200),
            rows: [
                ("butterfly", -1.2, 0.0, 0.0),
                ("glow-lu", -1.35, -0.15, 0.09),
                ("gmm", -1.6, -0.412, 0.051),
            ]
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
                    quantiles: Quantiles {
                        p5: at - 9.0,
                        p25: at - 3.0,
                        p50: at,
                        p75: at + 2.0,
                        p95: at + 4.0,
                    },
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
                points: (1..=50)
                    .map(|k| [2.0 * f64::from(k), 2.0 * f64::from(k) + wave(k as usize, 2)])
                    .collect(),
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
        groups: None,
        waveform: None,
        pictures: None,
        windows: false,
        review: None,
        outliers: Some(Outliers {
            integrated_out: Vec::new(),
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
                    explanation: format!(
                        "{} 98.6 °C; with 37.1 the record would be ordinary (Fahrenheit?)",
                        labels[i % p]
                    ),
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
            outcomes: vec![OutcomeRow {
                label: "Death in hospital".into(),
                unit: "%".into(),
                is_share: true,
                n_flagged: privacy.count(23),
                flagged: None,
                n_rest: privacy.count(7977),
                rest: Some(Interval { value: 11.2, low: Some(10.5), high: Some(11.9) }),
            }],
        }),
    }
}

/// Flags to review, of three groups and several patterns; every third has no feature.
pub(crate) fn review(labels: &[String], identifiable: bool) -> Review {
    let privacy = Privacy::new(identifiable);
    Review {
        file: "flags.csv".into(),
        fingerprint: "0123456789ab".into(),
        n_rows: privacy.count(8000),
        n_flagged: privacy.count(40),
        truncated: false,
        group: Some("Ward".into()),
        rows: (0..40)
            .map(|i| ReviewRow {
                row: 17 * i + 3,
                record_id: identifiable.then(|| format!("stay-\"{i}\"")),
                p_value: 0.0008 * (i + 1) as f64,
                group: ["medical", "surgical", "(others)"][i % 3].into(),
                feature: if i % 3 == 2 { String::new() } else { labels[i % labels.len()].clone() },
                pattern: ["no pattern", "decimal point", "another unit", "exchanged values"][i % 4],
                explanation: format!("{} looks 10 times too large", labels[i % labels.len()]),
            })
            .collect(),
    }
}
