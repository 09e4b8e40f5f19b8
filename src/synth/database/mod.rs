//! The databases in whose shape an extract can be written, one writer each.

mod eicu;
mod meds;
mod mimic3;
mod mimic4;
mod omop;
mod physionet2019;

use std::path::Path;

use super::patient::Patient;
use super::record::Recorder;
use crate::error::IoError;
use crate::schema::words;

words! {
    /// A database in whose shape an extract is written.
    pub enum Database {
        /// MIMIC-III 1.4.
        Mimic3 = "mimic3",
        /// MIMIC-IV 3.
        Mimic4 = "mimic4",
        /// The eICU Collaborative Research Database 2.0.
        Eicu = "eicu",
        /// The OMOP Common Data Model 5.3.
        Omop = "omop",
        /// The Medical Event Data Standard 0.4, with the codes of MIMIC-IV.
        Meds = "meds",
        /// The PhysioNet/CinC Challenge 2019.
        Physionet2019 = "physionet2019",
    }
}

impl Database {
    /// Whether half of the patients are charted in CareVue. Only MIMIC-III has that system.
    pub(super) fn has_carevue(self) -> bool {
        self == Self::Mimic3
    }

    /// Whether there is a table that `chart_rows` can fill with rows that no schema reads.
    pub(super) fn has_filler(self) -> bool {
        matches!(self, Self::Mimic3 | Self::Mimic4 | Self::Eicu)
    }

    /// Whether the files can be compressed: Parquet already is, and one file per patient would not gain.
    pub(super) fn has_gzip(self) -> bool {
        !matches!(self, Self::Meds | Self::Physionet2019)
    }

    pub(super) fn create(self, dir: &Path, gzip: bool) -> Result<Box<dyn Recorder>, IoError> {
        Ok(match self {
            Self::Mimic3 => Box::new(mimic3::Mimic3::create(dir, gzip)?),
            Self::Mimic4 => Box::new(mimic4::Mimic4::create(dir, gzip)?),
            Self::Eicu => Box::new(eicu::Eicu::create(dir, gzip)?),
            Self::Omop => Box::new(omop::Omop::create(dir, gzip)?),
            Self::Meds => Box::new(meds::Meds::create(dir)?),
            Self::Physionet2019 => Box::new(physionet2019::Physionet2019::create(dir)?),
        })
    }
}

/// Age in years at a moment, from the true birth of a patient and not from the shifted one.
fn age_at(patient: &Patient, at: super::clock::Moment) -> f64 {
    let first = patient.admissions[0].admitted;
    patient.body.age + (at.0 - first.0) as f64 / super::clock::YEAR
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
    let test = super::items::PANELS.iter().flat_map(|p| p.iter()).find(|t| t.id == id)?;
    Some(test.quantity.name())
}

/// Whether a concept is among those of items and tests that a writer has names for.
fn among(concept: &str, items: impl Iterator<Item = u64>, tests: impl Iterator<Item = u64>) -> bool {
    items.filter_map(concept_of_item).chain(tests.filter_map(concept_of_test)).any(|c| c == concept)
}
