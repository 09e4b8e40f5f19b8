//! Calibration by groups (Mondrian): a record is ranked among the calibration records of its own group only,
//! so that the share of ordinary records flagged is the same in every group, not only on the whole.
//!
//! # References
//! Vovk, Lindsay, Nouretdinov and Gammerman (2003), Mondrian confidence machine; Vovk, Gammerman and Shafer
//! (2022), Algorithmic learning in a random world, §4.6.

use std::collections::BTreeMap;

use ndarray::{ArrayView1, ArrayView2};

use super::OutlierError;
use super::calibrate::{Calibration, ROUNDING};
use super::threshold::{Rule, Warning};
use crate::features::{Encoder, MISSING_LEVEL, level_code};

/// Which group each calibration record is of, and where a record's own is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Position of the text column among the features.
    pub column: usize,
    /// Code of each calibration record's level, in the order of the scores; [`MISSING_LEVEL`] where it has
    /// none.
    pub codes: Vec<i64>,
}

/// Calibration as a whole or by groups.
#[derive(Debug, Clone)]
pub struct Calibrations {
    whole: Calibration,
    groups: Option<(usize, BTreeMap<i64, Calibration>)>,
}

impl Calibrations {
    /// Takes the scores of the calibration records, and of which groups these are.
    ///
    /// # Errors
    /// [`OutlierError::NoCalibration`] without any score, [`OutlierError::Length`] where there is not one
    /// group for each.
    pub fn new(scores: &[f64], grouping: Option<&Grouping>) -> Result<Self, OutlierError> {
        let whole = Calibration::new(scores)?;
        let Some(grouping) = grouping else { return Ok(Self { whole, groups: None }) };
        if grouping.codes.len() != scores.len() {
            let (got, expected) = (grouping.codes.len(), scores.len());
            return Err(OutlierError::Length { what: "groups of calibration records", got, expected });
        }
        let mut by: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (&code, &score) in grouping.codes.iter().zip(scores) {
            by.entry(code).or_default().push(score);
        }
        let groups = by.into_iter().map(|(code, scores)| Ok((code, Calibration::new(&scores)?)));
        Ok(Self { whole, groups: Some((grouping.column, groups.collect::<Result<_, OutlierError>>()?)) })
    }

    /// Position of the column that the calibration goes by, if there is one.
    pub fn column(&self) -> Option<usize> {
        self.groups.as_ref().map(|(column, _)| *column)
    }

    /// The calibration of each group with its code; without groups the whole one, which has none.
    pub fn each(&self) -> impl Iterator<Item = (Option<i64>, &Calibration)> {
        let whole = self.groups.is_none().then_some((None, &self.whole));
        let by = self.groups.iter().flat_map(|(_, by)| by.iter());
        whole.into_iter().chain(by.map(|(code, calibration)| (Some(*code), calibration)))
    }

    pub(super) fn whole(&self) -> &Calibration {
        &self.whole
    }

    /// Code of a record's group, where there are groups.
    pub(super) fn code(&self, row: ArrayView1<'_, f64>) -> Option<i64> {
        self.groups.as_ref().map(|(column, _)| level_code(row[*column]))
    }

    /// Calibration records that a record is ranked among.
    pub(super) fn n(&self, code: Option<i64>) -> usize {
        match (&self.groups, code) {
            (Some((_, by)), Some(code)) => by.get(&code).map_or(0, Calibration::n),
            _ => self.whole.n(),
        }
    }

    /// p-value among the records of the group. Of a group without calibration records nothing can be said: p
    /// = 1.
    pub(super) fn p_value(&self, code: Option<i64>, score: f64) -> f64 {
        match (&self.groups, code) {
            (Some((_, by)), Some(code)) => by.get(&code).map_or(1.0, |c| c.p_value(score)),
            _ => self.whole.p_value(score),
        }
    }

    /// p-values of records, in their order.
    ///
    /// # Shapes
    /// `raw: (n, p)`, `scores`: n
    pub fn p_values(&self, raw: ArrayView2<'_, f64>, scores: &[f64]) -> Vec<f64> {
        raw.rows().into_iter().zip(scores).map(|(row, &s)| self.p_value(self.code(row), s)).collect()
    }

    /// p-values with ties broken by `u ∈ [0, 1)`, one per record: (#{calibration scores > s} + u (1 + #{=
    /// s})) / (n + 1), which is uniform whatever the ties. [`p_values`](Self::p_values) keeps its level with
    /// ties, but is not uniform.
    ///
    /// # References
    /// Vovk, Gammerman and Shafer (2022), Algorithmic learning in a random world, §2.2.5: smoothed conformal
    /// predictors.
    pub fn smoothed_p_values(
        &self,
        raw: ArrayView2<'_, f64>,
        scores: &[f64],
        mut u: impl FnMut() -> f64,
    ) -> Vec<f64> {
        let smoothed = |calibration: &Calibration, score: f64, u: f64| {
            let score = if score.is_nan() { f64::INFINITY } else { score };
            let sorted = calibration.sorted();
            let (below, up_to) =
                (sorted.partition_point(|c| *c < score), sorted.partition_point(|c| *c <= score));
            let (above, equal) = (sorted.len() - up_to, up_to - below);
            (above as f64 + u * (equal + 1) as f64) / (sorted.len() + 1) as f64
        };
        let of = |row: ArrayView1<'_, f64>, score: f64, u: f64| match (&self.groups, self.code(row)) {
            (Some((_, by)), Some(code)) => by.get(&code).map_or(u, |c| smoothed(c, score, u)),
            _ => smoothed(&self.whole, score, u),
        };
        raw.rows().into_iter().zip(scores).map(|(row, &score)| of(row, score, u())).collect()
    }

    /// Groups too small for the level, and rows of groups without any calibration record.
    pub(super) fn warnings(
        &self,
        rule: Rule,
        encoder: &Encoder,
        rows_of: &BTreeMap<i64, usize>,
    ) -> Vec<Warning> {
        let Some((column, by)) = &self.groups else { return Vec::new() };
        let mut out = Vec::new();
        let level = rule.level() * (1.0 + ROUNDING);
        let needed = ((1.0 / rule.level()) * (1.0 - ROUNDING)).ceil() as usize - 1;
        for (&code, calibration) in by {
            let rows = rows_of.get(&code).copied().unwrap_or(0);
            if rows > 0 && calibration.smallest_p() > level {
                out.push(Warning::SmallGroup {
                    group: group_name(encoder, *column, code),
                    n_calibration: calibration.n(),
                    rows,
                    needed,
                });
            }
        }
        let unknown = rows_of.iter().filter(|(code, _)| !by.contains_key(code)).map(|(_, rows)| rows).sum();
        if unknown > 0 {
            out.push(Warning::UnknownGroup { rows: unknown });
        }
        out
    }
}

/// What a group is called.
pub(super) fn group_name(encoder: &Encoder, column: usize, code: i64) -> String {
    match encoder.level_name(column, code as f64) {
        Some(name) => name.to_owned(),
        None if code == MISSING_LEVEL => "(missing)".into(),
        None => "(unseen)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use ndarray::array;
    use rand::RngExt;

    #[test]
    fn a_record_is_ranked_in_its_own_group() {
        let grouping = Grouping { column: 1, codes: vec![0, 0, 1, 1, 1, MISSING_LEVEL] };
        let c = Calibrations::new(&[1.0, 2.0, 10.0, 20.0, 30.0, 5.0], Some(&grouping)).unwrap();
        let code = |x: f64| c.code(array![0.0, x].view());
        assert_eq!(c.p_value(code(0.0), 3.0), 1.0 / 3.0);
        assert_eq!(c.p_value(code(1.0), 3.0), 1.0);
        assert_eq!(c.p_value(code(f64::NAN), 6.0), 0.5);
        assert_eq!((c.p_value(code(7.0), 1e9), c.n(code(7.0))), (1.0, 0));
        let raw = array![[0.0, 0.0], [0.0, 1.0]];
        assert_eq!(c.p_values(raw.view(), &[3.0, 3.0]), [1.0 / 3.0, 1.0]);
        assert!(Calibrations::new(&[1.0], Some(&grouping)).is_err());
    }

    /// Scores of three values, as a mixture gives records of binaries: p-values keep their level, which many
    /// never reach, and with ties broken at random they are uniform.
    #[test]
    fn tied_scores_keep_their_level_and_are_uniform_with_ties_broken() {
        let mut rng = Seed(4).stream("ties", 0);
        let mut draw =
            |n: usize| -> Vec<f64> { (0..n).map(|_| (rng.random::<f64>().powi(2) * 3.0).floor()).collect() };
        let (mut plain, mut smoothed) = (Vec::new(), Vec::new());
        let mut ties = Seed(5).stream("ties", 0);
        for _ in 0..20 {
            let c = Calibrations::new(&draw(400), None).unwrap();
            let scores = draw(400);
            let raw = ndarray::Array2::zeros((400, 1));
            plain.extend(c.p_values(raw.view(), &scores));
            smoothed.extend(c.smoothed_p_values(raw.view(), &scores, || ties.random()));
        }
        let share = |p: &[f64], level: f64| p.iter().filter(|p| **p <= level).count() as f64 / p.len() as f64;
        for level in [0.05, 0.1, 0.25, 0.5, 0.9] {
            // Twenty calibration sets of 400 and 8,000 scores: standard errors of at most 0.8 points.
            assert!(share(&plain, level) <= level + 0.025, "{level}: {}", share(&plain, level));
            assert!((share(&smoothed, level) - level).abs() < 0.025, "{level}: {}", share(&smoothed, level));
        }
        assert_eq!(share(&plain, 0.05), 0.0);
    }

    /// Groups of different spread: pooled, the wide group is flagged far too often; by groups, both at the
    /// level.
    #[test]
    fn p_values_are_uniform_within_each_group() {
        let draw = |n: usize, seed: u64| -> Vec<(i64, f64)> {
            let mut rng = Seed(seed).stream("groups", 0);
            (0..n)
                .map(|i| ((i % 3 == 0).into(), rng.random::<f64>()))
                .map(|(g, u): (i64, f64)| (g, if g == 1 { 3.0 * u } else { u }))
                .collect()
        };
        let mut by_group = [Vec::new(), Vec::new()];
        let mut pooled = 0usize;
        for seed in 0..20 {
            let (calibration, new) = (draw(300, seed), draw(300, 1000 + seed));
            let (codes, scores): (Vec<i64>, Vec<f64>) = calibration.into_iter().unzip();
            let c = Calibrations::new(&scores, Some(&Grouping { column: 0, codes })).unwrap();
            for (g, s) in new {
                by_group[g as usize].push(c.p_value(Some(g), s));
                pooled += usize::from(g == 1 && c.whole().p_value(s) <= 0.1);
            }
        }
        for p in &mut by_group {
            p.sort_by(f64::total_cmp);
            let n = p.len() as f64;
            let at = |i: usize| (i + 1) as f64 / n;
            let distance = p.iter().enumerate().map(|(i, &v)| (at(i) - v).abs()).fold(0.0, f64::max);
            // Twenty calibration sets of 100 stand behind the smaller group: 1.63/√(20·100) and as much again
            // for them.
            assert!(distance < 0.06, "{distance}");
        }
        assert!(pooled as f64 / by_group[1].len() as f64 > 0.2);
    }
}
