//! The shares of a pipeline: of the subjects in each split, and of values that have to be observed.

use crate::schema::problems::Problems;
use crate::schema::raw::{Get, PipelineFile, key};
use crate::schema::{Split, SplitFractions};

/// Fractions are written with few digits, so their sum is exact up to rounding of f64.
const SUM_TOLERANCE: f64 = 1e-9;

pub(super) fn split(problems: &Problems<'_>, raw: &PipelineFile) -> SplitFractions {
    let Some(field) = &raw.split else { return SplitFractions::default() };
    let Some(raw) = field.get() else { return SplitFractions::default() };
    let split = SplitFractions {
        train: raw.train.copied().unwrap_or(0.0),
        validation: raw.validation.copied().unwrap_or(0.0),
        calibration: raw.calibration.copied().unwrap_or(0.0),
        test: raw.test.copied().unwrap_or(0.0),
    };
    for (split, message) in check_split(&split) {
        let at = split.and_then(|split| match split {
            Split::Train => key(&raw.train),
            Split::Validation => key(&raw.validation),
            Split::Calibration => key(&raw.calibration),
            Split::Test => key(&raw.test),
        });
        let hint = split.is_none().then(|| "splits not named are 0".to_owned());
        problems.push(at.unwrap_or_else(|| field.key.clone()), message, hint);
    }
    split
}

/// All that is wrong with the shares, with the split it concerns.
pub(in crate::schema) fn check_split(split: &SplitFractions) -> Vec<(Option<Split>, String)> {
    let shares = [split.train, split.validation, split.calibration, split.test];
    let outside = Split::ALL.into_iter().zip(shares).filter(|(_, share)| !(0.0..=1.0).contains(share));
    let mut wrong: Vec<_> = outside
        .map(|(s, share)| (Some(s), format!("share `{}` must lie between 0 and 1, found {share}", s.name())))
        .collect();
    let sum: f64 = shares.iter().sum();
    if wrong.is_empty() && (sum - 1.0).abs() > SUM_TOLERANCE {
        // The sum is rounded for reading: 0.6 + 0.3 is 0.8999999999999999.
        let sum = (sum * 1e6).round() / 1e6;
        wrong.push((None, format!("the shares of the split must sum to 1, found {sum}")));
    } else if wrong.is_empty() && split.train == 0.0 {
        wrong.push((Some(Split::Train), "share `train` is 0; there is nothing to fit on".to_owned()));
    }
    wrong
}

pub(super) fn min_observed(problems: &Problems<'_>, raw: &PipelineFile) -> f64 {
    let Some(given) = raw.min_observed.spanned() else { return 0.0 };
    if let Err(message) = check_min_observed(**given.get_ref()) {
        problems.add(given.span(), message);
    }
    *given.into_inner()
}

/// Training patients that a level needs to be named, where a pipeline does not say: each level is told by its
/// own frequency, however rare it is.
const MIN_LEVEL_PATIENTS: u32 = 1;

pub(super) fn min_level_patients(problems: &Problems<'_>, raw: &PipelineFile) -> u32 {
    let Some(given) = raw.min_level_patients.spanned() else { return MIN_LEVEL_PATIENTS };
    if let Err(message) = check_min_level_patients(**given.get_ref()) {
        problems.add(given.span(), message);
    }
    *given.into_inner()
}

/// Says what is wrong with a least number of patients.
pub(in crate::schema) fn check_min_level_patients(patients: u32) -> Result<(), String> {
    if patients > 0 {
        return Ok(());
    }
    Err("`min_level_patients` is a whole number from 1, found 0".to_owned())
}

/// Says what is wrong with a least share of observed values.
pub(in crate::schema) fn check_min_observed(share: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(format!("`min_observed` is a share from 0 to 1, found {share}"))
}
