//! Calibrated, explained outliers.
//!
//! The score of a record ([`Score`]) becomes a split-conformal p-value ([`Calibration`]), a decision by level
//! or by false discovery rate ([`Rule`]), and for flagged records an explanation: which value, changed to
//! what, would make the record ordinary, and what may have happened to it ([`Pattern`]). Knows nothing of
//! files or of how a model was fitted; any [`Density`](crate::density::Density) will do.
//!
//! The default score weighs two kinds of evidence: that most measures find a record a little unusual, and
//! that one of them finds it very unusual. A flag is explained by the measure that finds the record most
//! unusual ([`Reason`]). What is calibrated is the resulting number, by records that had no part in it, so
//! that p-values are uniform for ordinary records under every score.
//!
//! # References
//! Bates et al. (2023), arXiv:2104.08279 (p-values that share a calibration set); Han et al. (2022), ADBench,
//! arXiv:2206.09426 (the protocol of the measurements); Kriegel et al. (2011), SIAM SDM, and Zimek et al.
//! (2014), SIGKDD Explorations 15(1) (scores made comparable by their tails); Wilson (2019), PNAS
//! 116(4) (harmonic means of p-values); Li et al. (2022), ECOD, arXiv:2201.00382 (tails of single
//! values); Ramaswamy et al. (2000), SIGMOD (nearest neighbours); Domingo-Ferrer and Mateo-Sanz (2002), IEEE
//! TKDE 14(1) (groups of records in place of records).

mod agreement;
mod block;
mod calibrate;
mod conditional;
mod encoder;
mod evaluation;
mod explain;
mod explanation;
mod feature;
mod flag_row;
mod groups;
mod judge;
mod marks;
mod merged;
mod outcome;
mod pattern;
mod ranked;
mod score;
mod sentence;
mod subject;
mod table;
#[cfg(test)]
mod testing;
mod threshold;
mod versions;

pub use crate::evaluate::{Reason, Score};
pub use agreement::{Agreement, CalibrationPoint, Decision, KindAgreement, Verdict, agreement, ks_distance};
pub use calibrate::{Calibration, q_values};
pub use conditional::Expected;
pub use evaluation::{Evaluation, KindEvaluation, Label, auroc, average_precision, evaluate};
pub use explanation::{FeatureExplanation, PairExplanation, Written};
pub(crate) use feature::significant;
pub use flag_row::{FlagOptions, FlagRow, RowGroup};
pub use groups::{Calibrations, Grouping};
pub use judge::{Decisions, Judge, Scored, Tally};
pub use marks::{ListedFlag, Mark, MarkAgreement, Precision, marked};
pub use merged::{MergedDecisions, MergedTally};
pub use outcome::{Estimate, OutcomeAgreement, outcome};
pub use pattern::{Correction, Pattern, corrections};
pub use ranked::MostUnusual;
pub use score::calibration_scores;
pub use table::{FlagColumn, Flags, flag};
pub use threshold::{DEFAULT_ALPHA, Rule, Warning, warnings};

use crate::error::Hint;

/// Why rows could not be flagged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OutlierError {
    /// Nothing to rank new scores against.
    #[error("there are no calibration scores")]
    NoCalibration,
    /// A level that is no probability.
    #[error("{option} must lie between 0 and 1, got {level}")]
    Level {
        /// Option of the command line.
        option: &'static str,
        /// Value given.
        level: f64,
    },
    /// Two things that belong together row by row differ in length.
    #[error("{got} {what} for {expected} rows")]
    Length {
        /// What there is too much or too little of.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Rows whose columns are not the encoder's.
    #[error("rows have {got} columns, the model was fitted on {expected}")]
    Columns {
        /// Columns of the rows.
        got: usize,
        /// Columns of the encoder.
        expected: usize,
    },
}

impl Hint for OutlierError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCalibration => Some(
                "fit with `--calibration cross`, or on a bundle whose calibration split is not empty (see \
                 `split` in the pipeline)"
                    .into(),
            ),
            Self::Level { .. } => Some(
                "0.05 flags rows so that about 5 % of the alarms (--fdr) or of the ordinary rows (--alpha) \
                 are false"
                    .into(),
            ),
            Self::Length { .. } => None,
            Self::Columns { .. } => {
                Some("prepare the rows with the pipeline the model was fitted with".into())
            }
        }
    }
}
