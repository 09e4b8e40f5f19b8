//! The databases in whose shape an extract can be written, one writer each.

mod common;
mod eicu;
mod meds;
mod mimic3;
mod mimic4;
mod omop;
mod physionet2019;

use std::path::Path;

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
