//! Estimators around an estimator: each changes what is fitted on, or what the scores are compared with, and
//! knows nothing of the family.

mod calibration;
mod folds;
mod given;
mod trimmed;

pub use calibration::{Calibrated, Calibration};
pub use folds::Folds;
pub use given::Given;
pub use trimmed::Trimmed;
