//! How well p-values and scores agree with known anomalies, from the figures of a flags table alone: ranking,
//! recall and realised false discoveries at each level, and whether the p-values of ordinary rows are
//! uniform.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calibrate::ROUNDING;
use super::evaluation::{auroc, average_precision};
use super::{Label, OutlierError};

/// False discovery rates asked about.
const RATES: [f64; 4] = [0.01, 0.05, 0.1, 0.2];
/// Levels of the calibration curve.
const LEVELS: [f64; 9] = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

/// The figures of one row of a flags table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Larger is more unusual.
    pub score: f64,
    /// Calibrated.
    pub p_value: f64,
    /// Adjusted for all records that were flagged together, which may be more than are compared.
    pub q_value: f64,
    /// The decision.
    pub flagged: bool,
}

/// Verdicts against labels. A share without a denominator is `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Rows.
    pub n: usize,
    /// Anomalous rows.
    pub n_anomalies: usize,
    /// Area under the ROC curve of the score; ties count half.
    pub auroc: f64,
    /// Mean precision over the recall steps; tied scores enter together.
    pub average_precision: f64,
    /// The decisions of the table.
    pub flagged: Decision,
    /// Benjamini–Hochberg by the q-values of the table, at several rates.
    pub at_fdr: Vec<Decision>,
    /// Of the ordinary rows, the share with p at or below each level.
    pub calibration: Vec<CalibrationPoint>,
    /// Kolmogorov–Smirnov distance of the ordinary rows' p-values from uniform.
    pub ks_distance: f64,
    /// The largest amount by which the share of ordinary rows at or below a level exceeds it, over all
    /// levels: near 0 for p-values that keep their level, also where ties make them larger than uniform.
    pub excess: f64,
    /// In alphabetical order.
    pub by_kind: Vec<KindAgreement>,
}

/// What a rule flagged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// Rate asked for; none for the table's own decisions.
    pub fdr: Option<f64>,
    /// Rows flagged.
    pub n_flagged: usize,
    /// Anomalies flagged, as a share of all anomalies.
    pub recall: f64,
    /// Ordinary rows flagged, as a share of all flagged rows; 0 when nothing is flagged.
    pub false_discovery_proportion: f64,
}

/// A point of the calibration curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CalibrationPoint {
    /// Level.
    pub level: f64,
    /// Share of the ordinary rows with p ≤ level; at most `level`, up to its error, for valid p-values.
    pub share: f64,
    /// Its binomial standard error.
    pub standard_error: f64,
}

/// The anomalies of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindAgreement {
    /// Kind.
    pub kind: String,
    /// Rows of it.
    pub n: usize,
    /// Of them flagged.
    pub n_flagged: usize,
    /// `n_flagged / n`.
    pub recall: f64,
    /// AUROC against the ordinary rows.
    pub auroc: f64,
}

/// Compares verdicts with labels, row by row.
///
/// # Errors
/// [`OutlierError::Length`] when the numbers of rows differ.
pub fn agreement(verdicts: &[Verdict], labels: &[Label]) -> Result<Agreement, OutlierError> {
    if labels.len() != verdicts.len() {
        return Err(OutlierError::Length { what: "labels", got: labels.len(), expected: verdicts.len() });
    }
    let anomalous: Vec<bool> = labels.iter().map(|l| l.kind.is_some()).collect();
    let scores: Vec<f64> = verdicts.iter().map(|v| v.score).collect();
    let p: Vec<f64> = verdicts.iter().map(|v| v.p_value).collect();
    let decision = |fdr: Option<f64>, flagged: &dyn Fn(usize) -> bool| {
        let hits = (0..p.len()).filter(|&i| flagged(i) && anomalous[i]).count();
        let n_flagged = (0..p.len()).filter(|&i| flagged(i)).count();
        Decision {
            fdr,
            n_flagged,
            recall: hits as f64 / anomalous.iter().filter(|a| **a).count() as f64,
            false_discovery_proportion: (n_flagged - hits) as f64 / n_flagged.max(1) as f64,
        }
    };
    let mut ordinary: Vec<f64> = p.iter().zip(&anomalous).filter(|(_, a)| !**a).map(|(p, _)| *p).collect();
    ordinary.sort_by(f64::total_cmp);
    let mut kinds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, label) in labels.iter().enumerate() {
        if let Some(kind) = &label.kind {
            kinds.entry(kind).or_default().push(i);
        }
    }
    let by_kind = kinds.into_iter().map(|(kind, rows)| {
        let against = |i: &usize| !anomalous[*i] || rows.contains(i);
        let among: Vec<usize> = (0..p.len()).filter(against).collect();
        let n_flagged = rows.iter().filter(|&&i| verdicts[i].flagged).count();
        KindAgreement {
            kind: kind.to_owned(),
            n: rows.len(),
            n_flagged,
            recall: n_flagged as f64 / rows.len() as f64,
            auroc: auroc(
                &among.iter().map(|&i| scores[i]).collect::<Vec<_>>(),
                &among.iter().map(|&i| anomalous[i]).collect::<Vec<_>>(),
            ),
        }
    });
    Ok(Agreement {
        n: labels.len(),
        n_anomalies: anomalous.iter().filter(|a| **a).count(),
        auroc: auroc(&scores, &anomalous),
        average_precision: average_precision(&scores, &anomalous),
        flagged: decision(None, &|i| verdicts[i].flagged),
        at_fdr: RATES
            .iter()
            .map(|&rate| decision(Some(rate), &|i| verdicts[i].q_value <= rate * (1.0 + ROUNDING)))
            .collect(),
        calibration: LEVELS.iter().map(|&level| point(&ordinary, level)).collect(),
        ks_distance: ks_distance(&ordinary),
        excess: excess(&ordinary),
        by_kind: by_kind.collect(),
    })
}

fn point(sorted: &[f64], level: f64) -> CalibrationPoint {
    let n = sorted.len() as f64;
    let share = sorted.partition_point(|&p| p <= level * (1.0 + ROUNDING)) as f64 / n;
    CalibrationPoint { level, share, standard_error: (share * (1.0 - share) / n).sqrt() }
}

/// Largest amount by which the empirical distribution function of sorted values exceeds that of the uniform
/// on (0, 1).
fn excess(sorted: &[f64]) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let n = sorted.len() as f64;
    let above = sorted.iter().enumerate().map(|(i, &p)| (i + 1) as f64 / n - p);
    above.fold(0.0, f64::max)
}

/// Largest distance between the empirical distribution function of sorted values and that of the uniform on
/// (0, 1).
pub fn ks_distance(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    if sorted.is_empty() {
        return f64::NAN;
    }
    let gaps = sorted.iter().enumerate().map(|(i, &p)| ((i + 1) as f64 / n - p).max(p - i as f64 / n));
    gaps.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(kind: Option<&str>) -> Label {
        Label { kind: kind.map(str::to_owned), features: Vec::new() }
    }

    /// By hand: p = .01, .02, .5, .9 with anomalies in rows 0 and 2. q = .04, .04, .667, .9: at 5 % rows 0
    /// and 1 are flagged, so recall ½ and FDP ½; at 1 % nothing is. Ordinary p-values .02 and .9: ECDF gaps
    /// .02, .48 | .4, .1 → 0.48.
    #[test]
    fn figures_are_those_worked_out_by_hand() {
        let verdict = |score, p_value, q_value, flagged| Verdict { score, p_value, q_value, flagged };
        let rows = [
            verdict(9.0, 0.01, 0.04, true),
            verdict(8.0, 0.02, 0.04, true),
            verdict(3.0, 0.5, 2.0 / 3.0, false),
            verdict(1.0, 0.9, 0.9, false),
        ];
        let labels = [label(Some("unit")), label(None), label(Some("swap")), label(None)];
        let a = agreement(&rows, &labels).unwrap();
        assert_eq!((a.n, a.n_anomalies, a.auroc), (4, 2, 0.75));
        assert_eq!(
            (a.flagged.n_flagged, a.flagged.recall, a.flagged.false_discovery_proportion),
            (2, 0.5, 0.5)
        );
        assert_eq!((a.at_fdr[0].n_flagged, a.at_fdr[0].false_discovery_proportion), (0, 0.0));
        assert_eq!((a.at_fdr[1].n_flagged, a.at_fdr[1].recall), (2, 0.5));
        assert!((a.ks_distance - 0.48).abs() < 1e-12, "{}", a.ks_distance);
        assert!((a.excess - 0.48).abs() < 1e-12, "{}", a.excess);
        assert_eq!((a.calibration[0].share, a.calibration[1].share), (0.0, 0.5));
        assert_eq!((a.by_kind[0].kind.as_str(), a.by_kind[0].auroc), ("swap", 0.5));
        assert_eq!((a.by_kind[1].kind.as_str(), a.by_kind[1].recall), ("unit", 1.0));
        assert!(agreement(&rows, &labels[1..]).is_err());
    }

    #[test]
    fn without_anomalies_shares_are_not_numbers_and_nothing_panics() {
        let a = agreement(&[], &[]).unwrap();
        assert!(a.auroc.is_nan() && a.ks_distance.is_nan() && a.flagged.recall.is_nan());
        assert_eq!(serde_json::to_value(&a).unwrap()["auroc"], serde_json::Value::Null);
    }
}
