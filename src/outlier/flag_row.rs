//! How records are flagged, and the verdict on one of them.

use serde::{Deserialize, Serialize};

use crate::evaluate::{DRAWS, Reason, Score};
use crate::features::DrawsBy;
use crate::random::Seed;

use super::explanation::{FeatureExplanation, PairExplanation};
use super::groups::Grouping;
use super::threshold::Rule;

/// How to flag and explain.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagOptions {
    /// What decides.
    pub rule: Rule,
    /// What is calibrated; the one the calibration scores were made with.
    pub score: Score,
    /// Groups to calibrate by.
    pub groups: Option<Grouping>,
    /// What the draws hang on; as those of the calibration scores.
    pub draws_by: DrawsBy,
    /// Noise draws per score; as many as the calibration scores were made with.
    pub draws: usize,
    /// Features named per explained row.
    pub explain_top: usize,
    /// Rows explained although they are not flagged: this many of the most unusual.
    pub also_explain: usize,
    /// At most this many rows are explained, the most unusual first.
    pub max_explained: usize,
    /// Of the noise of the scores; that of the calibration scores.
    pub score_seed: Seed,
    /// Of the noise of the explanations.
    pub seed: Seed,
}

impl Default for FlagOptions {
    fn default() -> Self {
        Self {
            rule: Rule::Fdr(0.05),
            score: Score::default(),
            groups: None,
            draws_by: DrawsBy::default(),
            draws: DRAWS,
            explain_top: 3,
            also_explain: 0,
            // At the design goal of 50 ms each, half a minute; nobody reads as many.
            max_explained: 500,
            score_seed: Seed(0),
            seed: Seed(0),
        }
    }
}

/// The verdict on one record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagRow {
    /// Whose row it is.
    pub record_id: String,
    /// Log-likelihood bound in original units, in nats.
    pub log_prob: f64,
    /// Larger is more unusual.
    pub score: f64,
    /// Split-conformal.
    pub p_value: f64,
    /// Benjamini–Hochberg over all rows of the table.
    pub q_value: f64,
    /// The decision.
    pub flagged: bool,
    /// The group it was calibrated in, where calibration went by groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<RowGroup>,
    /// By which measures behind the score it is unusual, most of all first; empty when the row was not
    /// explained, and for a score of one measure.
    pub reasons: Vec<Reason>,
    /// By decreasing gain; empty when the row was not explained.
    pub explanations: Vec<FeatureExplanation>,
    /// Two features that are unusual together.
    pub pair: Option<PairExplanation>,
    /// The explanation in words; empty when the row was not explained.
    pub sentence: String,
}

/// A record's group and how well it is calibrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroup {
    /// Level of the column; "(missing)" and "(unseen)" where there is none.
    pub name: String,
    /// Calibration records of the group.
    pub n_calibration: usize,
}
