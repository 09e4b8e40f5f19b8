//! Which levels of a text column are known by name.
//!
//! A model is handed on to people who may not see the records, and carries the names of the levels it knows.
//! A name that only one or two patients have (a rare diagnosis, a village, a name in a column of remarks)
//! would tell of them. Where a pipeline asks for it, levels of fewer training patients than
//! `min_level_patients` are one level without a name, which new levels fall into as well: they have its code,
//! its frequency, and [`RARE_LEVEL`] on paper.

use crate::ingest::{RecordTable, Subjects, Texts};
use crate::schema::Split;

/// What stands where a name would, for levels of too few training patients to be named.
pub const RARE_LEVEL: &str = "(rare)";

/// The levels of a text column in the training records.
pub(super) struct Named {
    /// Names of those with enough patients, by falling number of records.
    pub(super) names: Vec<String>,
    /// How many others there are.
    pub(super) rare: usize,
    /// Training records that hold one of those.
    pub(super) rare_records: usize,
}

impl Named {
    /// The levels of `texts` that at least `least` training patients have, and an account of the others.
    pub(super) fn of(texts: &Texts, table: &RecordTable, splits: &[Split], least: usize) -> Self {
        let mut counts = vec![0_usize; texts.levels().len()];
        // The first patients of each level; more than `least` need not be told apart.
        let mut patients: Vec<Vec<usize>> = vec![Vec::new(); counts.len()];
        let patient = patient_of(table);
        for (record, (code, split)) in texts.codes().iter().zip(splits).enumerate() {
            if *split != Split::Train || code.is_nan() {
                continue;
            }
            counts[code as usize] += 1;
            let known = &mut patients[code as usize];
            if known.len() < least {
                let patient = patient(record);
                if !known.contains(&patient) {
                    known.push(patient);
                }
            }
        }
        let (mut named, mut rare, mut rare_records) = (Vec::new(), 0, 0);
        for ((level, count), known) in texts.levels().zip(counts).zip(patients).filter(|((_, n), _)| *n > 0) {
            if known.len() < least {
                (rare, rare_records) = (rare + 1, rare_records + count);
            } else {
                named.push((level, count));
            }
        }
        named.sort_unstable_by_key(|level| (std::cmp::Reverse(level.1), level.0));
        let names = named.into_iter().map(|(level, _)| level.to_owned()).collect();
        Self { names, rare, rare_records }
    }
}

/// A number for whom a record is about, which is the same for all records of one patient.
fn patient_of(table: &RecordTable) -> impl Fn(usize) -> usize {
    move |record| match &table.subjects {
        Subjects::Records => record,
        Subjects::Copies(copies) => copies
            .binary_search_by_key(&record, |(copy, _)| *copy as usize)
            .map_or(record, |at| copies[at].1 as usize),
        Subjects::Named(names) => match names.codes().get(record) {
            // A record without a name is a patient of its own.
            code if code.is_nan() => names.levels().len() + record,
            code => code as usize,
        },
    }
}
