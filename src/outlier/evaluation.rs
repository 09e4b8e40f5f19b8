//! How well flags find known anomalies: ranking (AUROC, average precision), decisions (recall, false
//! discovery proportion), and explanations (is the corrupted feature named), overall and by kind of anomaly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OutlierError;
use super::block::variable;
use super::table::Flags;

/// What is known of one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Kind of anomaly; `None` for an ordinary row.
    pub kind: Option<String>,
    /// Features or variables that were corrupted; empty when not known.
    pub features: Vec<String>,
}

/// Flags against labels. Ratios without a denominator are NaN, written as null in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Rows.
    pub n: usize,
    /// Anomalous rows.
    pub n_anomalies: usize,
    /// Flagged rows.
    pub n_flagged: usize,
    /// Area under the ROC curve of the score; ties count half.
    pub auroc: f64,
    /// Mean precision over the recall steps; tied scores enter together.
    pub average_precision: f64,
    /// Anomalies flagged, as a share of all anomalies.
    pub recall: f64,
    /// Ordinary rows flagged, as a share of all flagged rows; 0 when nothing is flagged.
    pub false_discovery_proportion: f64,
    /// Ordinary rows flagged, as a share of all ordinary rows.
    pub false_alarm_rate: f64,
    /// One entry per kind, in alphabetical order.
    pub by_kind: Vec<KindEvaluation>,
}

/// The same for the anomalies of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindEvaluation {
    /// Kind of anomaly.
    pub kind: String,
    /// Rows of this kind.
    pub n: usize,
    /// Of them flagged.
    pub n_flagged: usize,
    /// `n_flagged / n`.
    pub recall: f64,
    /// AUROC of this kind against the ordinary rows.
    pub auroc: f64,
    /// Explained rows of this kind whose corrupted features are known.
    pub n_explained: usize,
    /// Of them, rows whose first explanation names a corrupted feature.
    pub n_named_first: usize,
    /// Of them, rows where any explanation does.
    pub n_named: usize,
}

/// Compares flags with labels, row by row.
///
/// # Errors
/// [`OutlierError::Length`] when the numbers of rows differ.
pub fn evaluate(flags: &Flags, labels: &[Label]) -> Result<Evaluation, OutlierError> {
    if labels.len() != flags.rows.len() {
        return Err(OutlierError::Length { what: "labels", got: labels.len(), expected: flags.rows.len() });
    }
    let scores: Vec<f64> = flags.rows.iter().map(|r| r.score).collect();
    let anomalous: Vec<bool> = labels.iter().map(|l| l.kind.is_some()).collect();
    let n_anomalies = anomalous.iter().filter(|a| **a).count();
    let n_flagged = flags.rows.iter().filter(|r| r.flagged).count();
    let hits = flags.rows.iter().zip(&anomalous).filter(|(r, a)| r.flagged && **a).count();
    let mut kinds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, label) in labels.iter().enumerate() {
        if let Some(kind) = &label.kind {
            kinds.entry(kind).or_default().push(i);
        }
    }
    let by_kind =
        kinds.iter().map(|(kind, rows)| evaluate_kind(kind, rows, flags, labels, &scores)).collect();
    let n = labels.len();
    Ok(Evaluation {
        n,
        n_anomalies,
        n_flagged,
        auroc: auroc(&scores, &anomalous),
        average_precision: average_precision(&scores, &anomalous),
        recall: hits as f64 / n_anomalies as f64,
        false_discovery_proportion: (n_flagged - hits) as f64 / n_flagged.max(1) as f64,
        false_alarm_rate: (n_flagged - hits) as f64 / (n - n_anomalies) as f64,
        by_kind,
    })
}

fn evaluate_kind(
    kind: &str,
    rows: &[usize],
    flags: &Flags,
    labels: &[Label],
    scores: &[f64],
) -> KindEvaluation {
    let against: Vec<usize> =
        (0..labels.len()).filter(|&i| labels[i].kind.is_none()).chain(rows.iter().copied()).collect();
    let n_flagged = rows.iter().filter(|&&i| flags.rows[i].flagged).count();
    let explained: Vec<usize> = rows
        .iter()
        .copied()
        .filter(|&i| !labels[i].features.is_empty() && !flags.rows[i].explanations.is_empty())
        .collect();
    let names = |i: usize, top: usize| {
        flags.rows[i]
            .explanations
            .iter()
            .take(top)
            .any(|e| labels[i].features.iter().any(|f| *f == e.feature || f == variable(&e.feature)))
    };
    KindEvaluation {
        kind: kind.to_owned(),
        n: rows.len(),
        n_flagged,
        recall: n_flagged as f64 / rows.len() as f64,
        auroc: auroc(
            &against.iter().map(|&i| scores[i]).collect::<Vec<_>>(),
            &against.iter().map(|&i| labels[i].kind.is_some()).collect::<Vec<_>>(),
        ),
        n_explained: explained.len(),
        n_named_first: explained.iter().filter(|&&i| names(i, 1)).count(),
        n_named: explained.iter().filter(|&&i| names(i, usize::MAX)).count(),
    }
}

/// Probability that an anomalous row scores above an ordinary one, ties counting half; NaN without both.
pub fn auroc(scores: &[f64], anomalous: &[bool]) -> f64 {
    let (mut below, mut pairs) = (0_usize, 0.0);
    for tied in tied_groups(scores).into_iter().rev() {
        let positive = tied.iter().filter(|&&i| anomalous[i]).count();
        let negative = tied.len() - positive;
        pairs += positive as f64 * (below as f64 + 0.5 * negative as f64);
        below += negative;
    }
    pairs / (below as f64 * (scores.len() - below) as f64)
}

/// Σ (R_k − R_{k−1})·P_k over thresholds from the top, tied scores entering together; NaN without anomalies.
pub fn average_precision(scores: &[f64], anomalous: &[bool]) -> f64 {
    let total = anomalous.iter().filter(|a| **a).count() as f64;
    let (mut found, mut seen, mut sum) = (0_usize, 0_usize, 0.0);
    for tied in tied_groups(scores) {
        let positive = tied.iter().filter(|&&i| anomalous[i]).count();
        found += positive;
        seen += tied.len();
        sum += positive as f64 * found as f64 / seen as f64;
    }
    sum / total
}

/// Row numbers grouped by equal score, highest first.
fn tied_groups(scores: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order.chunk_by(|&a, &b| scores[a] == scores[b]).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::FlagRow;
    use crate::outlier::explanation::FeatureExplanation;

    const T: bool = true;
    const F: bool = false;

    /// By hand: 6 pairs (anomaly, ordinary): 0.9 beats 0.4, 0.4, 0.1 (3); 0.4 ties twice and beats 0.1 (2) →
    /// 5/6. scikit-learn 1.5 `roc_auc_score` gives 0.8333 too.
    #[test]
    fn auroc_counts_ties_half() {
        let (scores, labels) = ([0.1, 0.4, 0.4, 0.9, 0.4], [F, F, T, T, F]);
        assert!((auroc(&scores, &labels) - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!(auroc(&[1.0, 1.0, 1.0], &[T, F, F]), 0.5);
        assert_eq!(auroc(&[1.0, 2.0], &[T, F]), 0.0);
        assert!(auroc(&[1.0], &[T]).is_nan() && auroc(&[], &[]).is_nan());
    }

    /// By hand: recall 1/2 at precision 1/1, then 2/2 at precision 2/4 (three tied rows enter together) →
    /// 0.75.
    #[test]
    fn average_precision_takes_tied_scores_together() {
        let (scores, labels) = ([0.1, 0.4, 0.4, 0.9, 0.4], [F, F, T, T, F]);
        assert!((average_precision(&scores, &labels) - 0.75).abs() < 1e-15);
        // Ranks 1 and 3 without ties: (1/1 + 2/3)/2.
        assert!((average_precision(&[3.0, 2.0, 1.0], &[T, F, T]) - 5.0 / 6.0).abs() < 1e-15);
        assert!(average_precision(&[1.0], &[F]).is_nan());
    }

    fn row(score: f64, flagged: bool, features: &[&str]) -> FlagRow {
        let explanations = features
            .iter()
            .map(|f| FeatureExplanation { feature: (*f).into(), ..FeatureExplanation::default() })
            .collect();
        FlagRow { score, flagged, explanations, ..FlagRow::default() }
    }

    fn label(kind: &str, features: &[&str]) -> Label {
        Label { kind: Some(kind.into()), features: features.iter().map(|f| (*f).into()).collect() }
    }

    #[test]
    fn flags_are_counted_overall_and_by_kind() {
        let flags = Flags {
            rows: vec![
                row(9.0, T, &["a", "b"]),
                row(8.0, T, &["b", "a"]),
                row(1.0, F, &[]),
                row(7.0, T, &["c"]),
                row(0.5, F, &[]),
                row(7.5, T, &["c"]),
            ],
            ..Flags::default()
        };
        let labels = [
            label("unit", &["a"]),
            label("unit", &["a"]),
            label("unit", &["a"]),
            Label::default(),
            Label::default(),
            label("swap", &[]),
        ];
        let e = evaluate(&flags, &labels).unwrap();
        assert_eq!((e.n, e.n_anomalies, e.n_flagged), (6, 4, 4));
        assert_eq!((e.recall, e.false_discovery_proportion, e.false_alarm_rate), (0.75, 0.25, 0.5));
        let unit = e.by_kind.iter().find(|k| k.kind == "unit").unwrap();
        assert_eq!(
            (unit.n, unit.n_flagged, unit.n_explained, unit.n_named_first, unit.n_named),
            (3, 2, 2, 1, 2)
        );
        assert!((unit.auroc - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!(
            (e.by_kind[0].kind.as_str(), e.by_kind[0].auroc, e.by_kind[0].n_explained),
            ("swap", 1.0, 0)
        );
        assert!(matches!(
            evaluate(&flags, &labels[1..]),
            Err(OutlierError::Length { got: 5, expected: 6, .. })
        ));
    }

    #[test]
    fn nothing_flagged_is_no_false_discovery() {
        let e = evaluate(&Flags::default(), &[]).unwrap();
        assert_eq!((e.n, e.false_discovery_proportion), (0, 0.0));
        assert!(e.auroc.is_nan() && e.recall.is_nan());
    }
}
