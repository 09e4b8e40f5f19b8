//! How unusual a record is, as one number: larger is more unusual.
//!
//! The log-likelihood in original units ranks badly by itself: a record with more measurements, or with
//! measurements on coarser scales, is less likely whatever they say. The default score puts measures of
//! unlike nature together ([`Evidence`]), each by its upper tail among reference records ([`Tail`]):
//!
//! ```text
//! score = evidence + max_j −ln p_j
//! ```
//!
//! where j runs over the values of the record that training never met, in columns that have levels, and p_j
//! is the probability of meeting any such value there (Good 1953). It is added and not averaged: a word that
//! no training record has is not made ordinary by the other values being so.
//!
//! All measures behind the default are named as reasons, and each can be chosen instead of it.
//!
//! # References
//! Zimek et al. (2014), SIGKDD Explorations 15(1), and Kriegel et al. (2011), SIAM SDM, for ensembles of
//! outlier scores that were made comparable. Good (1953), Biometrika 40, for values not met before.

mod onnx;

pub use onnx::Judged;

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::complexity::Complexity;
use super::evidence::{Evidence, Nats, is_enough};
use super::landmarks::Landmarks;
use super::tail::Tail;
use super::{RecordScores, ScoreKind, Standardised, parts};
use crate::features::Encoder;
use crate::num::quantile::median;

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
    Corrected(Complexity),
    /// Holds the median log-likelihood of reference pictures.
    Typicality(f64),
}

/// A measure, and what makes it commensurable with others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    measure: Measure,
    /// Its upper tail among reference records; nothing for a measure that is offered beside the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tail: Option<Tail>,
}

/// What is calibrated. Calibration and new records must be scored by the same one, with as many noise draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// At least one. Without evidence the first is the score.
    parts: Vec<Part>,
    /// How they are put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
}

/// Measures by which a patient of another kind is a little odd. The first two do without distances.
const BROAD: [ScoreKind; 4] =
    [ScoreKind::Vector, ScoreKind::LogLikelihood, ScoreKind::Marginal, ScoreKind::Distance];
/// Measures of which one is enough for a wrong value. The last needs many reference records: where most
/// numbers of a small table are equal, it finds records unusual that are not.
const SHARP: [ScoreKind; 3] = [ScoreKind::Vector, ScoreKind::Extreme, ScoreKind::Mixture];

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
            Self::Corrected(_) => ScoreKind::Corrected,
            Self::Typicality(_) => ScoreKind::Typicality,
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
            Self::Corrected(complexity) => complexity.surprise(row, log_prob),
            Self::Typicality(median) => (log_prob - median).abs(),
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
        Self { parts: vec![Part { measure, tail: None }], evidence: None }
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
        // Without distances the record is a window of signals or one of very few. Neighbouring samples of a
        // window say the same many times over, so that their tails do not add up.
        let broad: &[ScoreKind] = if landmarks.is_some() { &BROAD } else { &BROAD[..2] };
        let sharp: &[ScoreKind] = if is_enough(raw.nrows()) { &SHARP } else { &SHARP[..2] };
        let fitted = landmarks.map(Measure::Distance).into_iter().chain(mixture.map(Measure::Mixture));
        let part = |measure: Measure| {
            let is_behind = BROAD.contains(&measure.kind()) || SHARP.contains(&measure.kind());
            let tail =
                is_behind.then(|| Tail::fit(Self::of_one(measure.clone()).of_all(encoder, raw, scores)));
            Part { measure, tail }
        };
        let mut out = Self { parts: measures.into_iter().chain(fitted).map(part).collect(), evidence: None };
        let rows = raw.axis_iter(Axis(0)).into_par_iter();
        let log_probs = scores.log_prob.par_iter().zip(&scores.log_prob_tensor);
        let reference: Vec<Nats> =
            rows.zip(log_probs).map(|(row, (l, t))| out.nats(encoder, row, *l, *t)).collect();
        let there = |kinds: &[ScoreKind]| -> Vec<ScoreKind> {
            kinds.iter().copied().filter(|kind| out.parts.iter().any(|p| p.measure.kind() == *kind)).collect()
        };
        out.evidence = Some(Evidence::fit(there(broad), there(sharp), &reference));
        out
    }

    /// The score of pictures, read off reference pictures: the likelihood, or where most of it is complexity,
    /// what is left of it beyond that. Both can be chosen. Pixels by themselves say nothing of a picture.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`], with `row` numbers in a row of a picture and `channels` in
    /// a pixel; `scores`: of the same n records
    pub fn of_pictures(row: usize, channels: usize, raw: ArrayView2<'_, f64>, scores: &RecordScores) -> Self {
        let complexity = Complexity::fit(row, channels, raw, &scores.log_prob);
        let corrects = complexity.explains_most();
        let mut measures = vec![Measure::LogLikelihood, Measure::Corrected(complexity)];
        if corrects {
            measures.reverse();
        }
        measures.push(Measure::Typicality(median(&scores.log_prob)));
        Self {
            parts: measures.into_iter().map(|measure| Part { measure, tail: None }).collect(),
            evidence: None,
        }
    }

    /// How unusual a record is by each of the measures behind the default score.
    fn nats(&self, encoder: &Encoder, row: ArrayView1<'_, f64>, log_prob: f64, log_prob_tensor: f64) -> Nats {
        let nats = |part: &Part| {
            let value = part.measure.of(encoder, row, log_prob, log_prob_tensor);
            Some((part.measure.kind(), part.tail.as_ref()?.nats(value)))
        };
        self.parts.iter().filter_map(nats).collect()
    }

    /// Whether several measures are put together.
    pub fn is_combined(&self) -> bool {
        self.evidence.is_some()
    }

    /// The name of the first measure, which is the score unless several are put together.
    pub fn first(&self) -> ScoreKind {
        self.parts[0].measure.kind()
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
        match &self.evidence {
            None => self.parts[0].measure.of(encoder, row, log_prob, log_prob_tensor),
            Some(evidence) => {
                let nats = self.nats(encoder, row, log_prob, log_prob_tensor);
                (evidence.of(&nats) + parts::unmet(encoder, row)).min(parts::MOST)
            }
        }
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
        let mut out = self.nats(encoder, row, log_prob, log_prob_tensor);
        out.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        out.into_iter().map(|(measure, nats)| Reason { measure, tail: (-nats).exp() }).collect()
    }
}

#[cfg(test)]
mod tests;
