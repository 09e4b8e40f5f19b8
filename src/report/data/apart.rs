//! Two cohorts beside each other, and what tells them apart.

use serde::Serialize;

use super::Drift;
use crate::evaluate::Area;

/// Two cohorts, A and B.
#[derive(Debug, Clone, Serialize)]
pub struct Apart {
    /// What A is called, with its database where it has one.
    pub a: String,
    /// What B is called.
    pub b: String,
    /// Feature by feature, and under the models of A; A is the older cohort of the two.
    pub drift: Drift,
    /// How well a classifier tells records of unknown patients apart; none where a cohort has too few.
    pub classifier: Option<Area>,
    /// Folds of patients that it was fitted on and judged by.
    pub folds: usize,
    /// Records of each cohort that it was given, where it was not given all.
    pub sampled: Option<usize>,
    /// Features in both cohorts; those by which they are told apart best come first.
    pub features: Vec<FeatureApart>,
    /// Features whose numbers of B were converted to the unit of A.
    pub converted: Vec<String>,
}

/// One feature in both cohorts.
#[derive(Debug, Clone, Serialize)]
pub struct FeatureApart {
    /// Its name.
    pub name: String,
    /// Its unit, empty when none.
    pub unit: String,
    /// How well the classifier tells cohorts apart by this feature alone, its absence included.
    pub alone: Option<Area>,
    /// Median in A; none for categories and where few values are there.
    pub median_a: Option<f64>,
    /// In B.
    pub median_b: Option<f64>,
    /// Per cent missing in A; none where few values are there or few are missing.
    pub missing_a: Option<f64>,
    /// In B.
    pub missing_b: Option<f64>,
    /// What the difference looks like, where it is that of another unit.
    pub looks_like: Option<String>,
}
