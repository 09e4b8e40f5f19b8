//! Situations that users of other programs reported in public, one file per case. Each test runs the commands
//! of the case in a copy of its folder and states the right values. The inputs lie in `../shared/cases`;
//! without them a test says that it was skipped.

mod c01_parquet_category;
mod c02_event_tables;
mod c02_parquet_types;
mod c05_codes;
mod c07_split;
mod c08_psi;
mod c09_sentinel;
mod c10_offset;
mod c12_decimal_comma;
mod c13_urine;
mod c15_units;
mod c16_headers;
mod c17_icd;
mod c18_vasopressors;
mod c20_bounds;
mod c22_carriage_returns;
mod c23_physionet2012;
mod c24_hourly;
mod c26_temperature;
mod c27_charttime;
mod c28_lab_duplicates;
mod c29_multi_frequency;
mod c30_percentages;
mod c31_subject_names;
mod c32_patient_folders;
mod c33_given;
mod c34_rare_level;
mod c34_report;
mod c36_rare_missing;
mod c37_encodings;
mod c37_event_tables;
mod c38_cardinality;
mod c38_report;
mod event_bundle;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support;

/// A copy of the folder of the case `name`, in which the test may write.
pub(crate) fn folder(name: &str) -> Option<TempDir> {
    let source = support::shared(&format!("cases/{name}"))?;
    let copy = tempfile::tempdir().unwrap();
    copy_into(&source, copy.path());
    Some(copy)
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            // Not `fs::copy`, which keeps the permissions: the originals are read-only.
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
