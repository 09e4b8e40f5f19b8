//! How unusual a record is, as one number: larger is more unusual.
//!
//! The log-likelihood in original units ranks records badly: a record with more measurements, or with
//! measurements on coarser scales, is less likely whatever they say. The default score asks two questions. Is
//! it the record of an unusual patient, a little odd in many ways? And is it wrong somewhere, in one value or
//! in how two go together? Each is answered by measures of unlike nature, put together by their upper tails
//! among reference records ([`Tail`]), and the score is the clearer answer:
//!
//! ```text
//! answer_q = Σ_k w_qk √(−2 ln p_k) / Σ_k w_qk
//! score = max_q (ln o_q − ln P(a reference record has answer_q))
//! patient: o = 1, w = 2 distance, 1 marginal, 1 vector       slip: o = ½, w = 2 vector, 2 mixture, 1 extreme
//! ```
//!
//! Where p is small, √(−2 ln p) is nearly the normal quantile of 1 − p, so that an answer is Stouffer's way of
//! adding evidence.
//!
//! Measures and weights are chosen by measurement: a trial on 26 public tables, 20 of them medical
//! (`tests/bench/pyod`, ADBench's protocol, default fits, one seed), and on 120 errors planted in 2,500
//! synthetic stays of 60 values; optimistic, since the choice was made on them. Area under the ROC curve and
//! average precision on the tables, on the medical ones, and on the planted errors: the first question alone
//! 0.883/0.834, 0.869/0.841 and 0.885/0.480; the second alone 0.874/0.819, 0.855/0.824 and 0.953/0.746;
//! the larger of both at equal odds 0.879/0.823, 0.863/0.832 and 0.952/0.723, with the odds at 1 : 1/e
//! 0.882/0.829, 0.868/0.840 and 0.929/0.641; all five measures in one mean 0.879/0.824, 0.863/0.834 and
//! 0.928/0.631. The weighted mean of three surprises that was the default before had 0.871/0.810 and
//! 0.839/0.805 on the tables. ½ lies between the two odds that were tried.
//!
//! # References
//! Stouffer et al. (1949), The American Soldier; Zimek et al. (2014), SIGKDD Explorations 15(1), and Kriegel
//! et al. (2011), SIAM SDM, for ensembles of outlier scores that were made comparable.

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::landmarks::Landmarks;
use super::tail::Tail;
use super::{RecordScores, ScoreKind, Standardised, parts};
use crate::features::Encoder;

/// What a record is measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Measure {
    LogLikelihood,
    Vector,
    Marginal,
    Dependence,
    Distance(Landmarks),
    Mixture(Standardised),
    Extreme,
}

/// A measure, and its share in the default score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    measure: Measure,
    /// Nothing for one that is offered beside the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Share>,
}

/// What makes the parts of a score commensurable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Share {
    /// For each question.
    weights: [f64; QUESTIONS],
    tail: Tail,
}

/// An unusual patient, and a slip.
const QUESTIONS: usize = 2;
/// How often a record is expected to be unusual by each question, against the first: a slip has to be twice
/// as clear. With equal odds what is most extreme by chance drowns unusual patients in small tables.
const ODDS: [f64; QUESTIONS] = [1.0, 0.5];

/// What is calibrated. Calibration and new records must be scored by the same one, with as many noise draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// At least one. Without shares the first is the score.
    parts: Vec<Part>,
    /// What makes the answers commensurable; empty without shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Tail>,
}

/// One of the measures behind a score, and how unusual a record is by it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The measure.
    pub measure: ScoreKind,
    /// Share of reference records that are at least as unusual by it, in steps finer than one record and
    /// beyond the last of them extrapolated; not calibrated.
    pub tail: f64,
}

impl Measure {
    const fn kind(&self) -> ScoreKind {
        match self {
            Self::LogLikelihood => ScoreKind::LogLikelihood,
            Self::Vector => ScoreKind::Vector,
            Self::Marginal => ScoreKind::Marginal,
            Self::Dependence => ScoreKind::Dependence,
            Self::Distance(_) => ScoreKind::Distance,
            Self::Mixture(_) => ScoreKind::Mixture,
            Self::Extreme => ScoreKind::Extreme,
        }
    }

    /// Weights in the default score; nothing for a measure that is only offered.
    const fn weights(&self) -> Option<[f64; QUESTIONS]> {
        match self {
            Self::Distance(_) => Some([2.0, 0.0]),
            Self::Marginal => Some([1.0, 0.0]),
            Self::Vector => Some([1.0, 2.0]),
            Self::Mixture(_) => Some([0.0, 2.0]),
            Self::Extreme => Some([0.0, 1.0]),
            Self::LogLikelihood | Self::Dependence => None,
        }
    }

    fn of(&self, encoder: &Encoder, row: ArrayView1<'_, f64>, log_prob: f64, tensor: f64) -> f64 {
        match self {
            Self::LogLikelihood => -log_prob,
            Self::Vector => parts::vector(tensor, row),
            Self::Marginal => parts::marginal(encoder, row),
            Self::Dependence => parts::dependence(encoder, row, tensor),
            Self::Distance(landmarks) => landmarks.distance(row),
            Self::Mixture(mixture) => mixture.surprise(row),
            Self::Extreme => parts::extreme(encoder, row),
        }
    }
}

impl Default for Score {
    /// Minus the record's log-likelihood bound in original units.
    fn default() -> Self {
        Self::of_one(Measure::LogLikelihood)
    }
}

impl Score {
    fn of_one(measure: Measure) -> Self {
        Self { parts: vec![Part { measure, share: None }], answers: Vec::new() }
    }

    /// The default score, read off reference records. On validation records the calibration stays exactly
    /// valid; on the calibration records themselves p-values are off by O(1/n), since a few quantiles are
    /// read from them.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`], n > 0; `scores`: of the same n records
    pub fn combined(
        encoder: &Encoder,
        raw: ArrayView2<'_, f64>,
        scores: &RecordScores,
        landmarks: Option<Landmarks>,
        mixture: Option<Standardised>,
    ) -> Self {
        let measures = [
            Measure::LogLikelihood,
            Measure::Vector,
            Measure::Marginal,
            Measure::Dependence,
            Measure::Extreme,
        ];
        let fitted = landmarks.map(Measure::Distance).into_iter().chain(mixture.map(Measure::Mixture));
        let part = |measure: Measure| {
            let share = measure.weights().map(|weights| {
                let values = Self::of_one(measure.clone()).of_all(encoder, raw, scores);
                Share { weights, tail: Tail::fit(values) }
            });
            Part { measure, share }
        };
        let parts = measures.into_iter().chain(fitted).map(part).collect();
        let mut out = Self { parts, answers: Vec::new() };
        let rows = raw.rows().into_iter().zip(scores.log_prob.iter().zip(&scores.log_prob_tensor));
        let answers: Vec<_> = rows.map(|(row, (l, t))| out.answers(encoder, row, *l, *t)).collect();
        out.answers = (0..QUESTIONS).map(|q| Tail::fit(answers.iter().map(|a| a[q]).collect())).collect();
        out
    }

    /// How clearly each question is answered with yes.
    fn answers(
        &self,
        encoder: &Encoder,
        row: ArrayView1<'_, f64>,
        log_prob: f64,
        tensor: f64,
    ) -> [f64; QUESTIONS] {
        let (mut sums, mut totals) = ([0.0; QUESTIONS], [0.0; QUESTIONS]);
        for (measure, share) in self.shares() {
            let root = (2.0 * share.tail.nats(measure.of(encoder, row, log_prob, tensor))).sqrt();
            for (q, weight) in share.weights.iter().enumerate() {
                sums[q] += weight * root;
                totals[q] += weight;
            }
        }
        std::array::from_fn(|q| sums[q] / totals[q])
    }

    /// The parts of the default score, with the share of each.
    fn shares(&self) -> impl Iterator<Item = (&Measure, &Share)> {
        self.parts.iter().filter_map(|part| Some((&part.measure, part.share.as_ref()?)))
    }

    /// Whether several measures are put together.
    pub fn is_combined(&self) -> bool {
        self.shares().next().is_some()
    }

    /// The score of this name, a measure of `self`, a model's default; nothing where the model has no such
    /// part.
    pub fn choose(&self, kind: ScoreKind) -> Option<Self> {
        if kind == ScoreKind::Combined {
            return self.is_combined().then(|| self.clone());
        }
        let part = self.parts.iter().find(|part| part.measure.kind() == kind)?;
        Some(Self::of_one(part.measure.clone()))
    }

    /// The score of one record from its log-likelihood bounds and its numbers.
    pub fn of(
        &self,
        encoder: &Encoder,
        row: ArrayView1<'_, f64>,
        log_prob: f64,
        log_prob_tensor: f64,
    ) -> f64 {
        if self.answers.is_empty() {
            return self.parts[0].measure.of(encoder, row, log_prob, log_prob_tensor);
        }
        let answers = self.answers(encoder, row, log_prob, log_prob_tensor);
        let nats = self.answers.iter().zip(answers).map(|(tail, a)| tail.nats(a));
        nats.zip(ODDS).map(|(nats, odds)| nats + odds.ln()).fold(0.0, f64::max)
    }

    /// The scores of records, in their order.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`]; `scores`: of the same n records
    pub fn of_all(&self, encoder: &Encoder, raw: ArrayView2<'_, f64>, scores: &RecordScores) -> Vec<f64> {
        let rows = raw.axis_iter(Axis(0)).into_par_iter();
        let log_probs = scores.log_prob.par_iter().zip(&scores.log_prob_tensor);
        rows.zip(log_probs).map(|(row, (l, t))| self.of(encoder, row, *l, *t)).collect()
    }

    /// By which of the measures behind it the score finds a record unusual, most of all first; nothing for a
    /// score of one measure.
    pub fn reasons(
        &self,
        encoder: &Encoder,
        row: ArrayView1<'_, f64>,
        log_prob: f64,
        log_prob_tensor: f64,
    ) -> Vec<Reason> {
        let nats = |(measure, share): (&Measure, &Share)| {
            (measure.kind(), share.tail.nats(measure.of(encoder, row, log_prob, log_prob_tensor)))
        };
        let mut out: Vec<(ScoreKind, f64)> = self.shares().map(nats).collect();
        out.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        out.into_iter().map(|(measure, nats)| Reason { measure, tail: (-nats).exp() }).collect()
    }
}

#[cfg(test)]
mod tests;
