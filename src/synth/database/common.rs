//! What the writers of several databases need to know.

use super::super::clock::{Moment, YEAR};
use super::super::items;
use super::super::patient::Patient;

/// Age in years at a moment, from the true birth of a patient and not from the shifted one.
pub(super) fn age_at(patient: &Patient, at: Moment) -> f64 {
    let first = patient.admissions[0].admitted;
    patient.body.age + (at.0 - first.0) as f64 / YEAR
}

/// The concept of a planted mistake that a bedside item of MetaVision is written for.
fn concept_of_item(id: u64) -> Option<&'static str> {
    Some(match id {
        220_045 => "heart_rate",
        220_050 | 220_179 => "sbp",
        220_051 | 220_180 => "dbp",
        220_052 | 220_181 => "map",
        220_210 => "resp_rate",
        220_277 => "spo2",
        223_761 | 223_762 => "temperature",
        220_739 => "gcs_eye",
        223_900 => "gcs_verbal",
        223_901 => "gcs_motor",
        226_512 => "weight",
        226_707 => "height",
        _ => return None,
    })
}

/// The concept of a laboratory test.
fn concept_of_test(id: u64) -> Option<&'static str> {
    let test = items::PANELS.iter().flat_map(|p| p.iter()).find(|t| t.id == id)?;
    Some(test.quantity.name())
}

/// Whether a concept is among those of items and tests that a writer has names for.
pub(super) fn among(
    concept: &str,
    items: impl Iterator<Item = u64>,
    tests: impl Iterator<Item = u64>,
) -> bool {
    items.filter_map(concept_of_item).chain(tests.filter_map(concept_of_test)).any(|c| c == concept)
}
