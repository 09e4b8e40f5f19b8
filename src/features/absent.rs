//! The probability of what is missing where no coordinate tells of it.
//!
//! Features that are missing in 1 to 99 % of the training records have an indicator among the coordinates,
//! and the model says how likely it is. Of the others too few records teach a model anything: whether they
//! are missing is taken to be independent of everything else, with half a count added to each state
//! (Krichevsky & Trofimov 1981):
//!
//! ```text
//! P(missing) = (missing + ½)/(n + 1)      P(observed) = (observed + ½)/(n + 1),  1 where none was missing in training
//! ```
//!
//! The last keeps likelihoods of complete tables what any other program says of them. Features that are
//! missing in the same training records share one state; a record in which they part has met a state that no
//! training record had, and that costs ½/(n + 1) once more.

use serde::{Deserialize, Serialize};

/// Features that are missing together, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Positions of the features.
    pub columns: Vec<usize>,
    /// Training records without them.
    pub missing: u64,
    /// Training records.
    pub records: u64,
}

impl Absence {
    /// The log-probability of the states of the features in a row of raw numbers, as far as no coordinate
    /// tells of it.
    pub fn log_prob(&self, raw: impl Fn(usize) -> f64) -> f64 {
        let missing = count_missing(&self.columns, &raw);
        let state = if 2 * missing >= self.columns.len() {
            self.log_share(self.missing)
        } else if self.missing == 0 {
            0.0
        } else {
            self.log_share(self.records - self.missing)
        };
        state + log_parted(&self.columns, missing, self.records)
    }

    /// Share of the training records without them.
    pub fn share(&self) -> f64 {
        self.missing as f64 / self.records.max(1) as f64
    }

    fn log_share(&self, count: u64) -> f64 {
        ((count as f64 + 0.5) / (self.records as f64 + 1.0)).ln()
    }
}

/// What it costs that features that always went together have parted: nothing where they have not.
pub(super) fn log_parted(columns: &[usize], missing: usize, records: u64) -> f64 {
    if missing == 0 || missing == columns.len() { 0.0 } else { (0.5 / (records as f64 + 1.0)).ln() }
}

/// How many of the features a row lacks.
pub(super) fn count_missing(columns: &[usize], raw: impl Fn(usize) -> f64) -> usize {
    columns.iter().filter(|&&c| raw(c).is_nan()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_missing_has_half_a_count_and_costs_complete_records_nothing() {
        let never = Absence { columns: vec![0], missing: 0, records: 999 };
        assert_eq!(never.log_prob(|_| 3.0), 0.0);
        assert!((never.log_prob(|_| f64::NAN) - 0.0005_f64.ln()).abs() < 1e-12);
        let rare = Absence { columns: vec![0], missing: 4, records: 999 };
        assert!((rare.log_prob(|_| f64::NAN) - 0.0045_f64.ln()).abs() < 1e-12);
        assert!((rare.log_prob(|_| 3.0) - 0.9955_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn features_missing_together_cost_once_and_parting_costs_more() {
        let both = Absence { columns: vec![0, 1], missing: 4, records: 999 };
        let at = |row: [f64; 2]| both.log_prob(|c| row[c]);
        let nan = f64::NAN;
        assert!((at([nan, nan]) - 0.0045_f64.ln()).abs() < 1e-12);
        assert!((at([nan, 1.0]) - 0.0045_f64.ln() - 0.0005_f64.ln()).abs() < 1e-12);
    }
}
