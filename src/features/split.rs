//! Assignment of subjects to splits by a seeded hash: one patient is never on two sides, and adding patients moves
//! nobody.

use sha2::{Digest, Sha256};

use crate::ingest::RecordTable;
use crate::schema::{Pipeline, Split, SplitFractions};

use super::FeatureError;

/// The split of a subject: the first 53 bits of SHA-256(seed, id) as a number in [0, 1), against cumulated shares.
pub fn assign_split(subject_id: &str, seed: u64, fractions: &SplitFractions) -> Split {
    let mut hash = Sha256::new();
    hash.update(b"split");
    hash.update(seed.to_le_bytes());
    hash.update(subject_id.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let bits = digest[..8].iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte)) >> 11;
    let u = bits as f64 / (1u64 << 53) as f64;
    let shares = [fractions.train, fractions.validation, fractions.calibration, fractions.test];
    let total: f64 = shares.iter().sum();
    let mut below = 0.0;
    for (split, share) in Split::ALL.into_iter().zip(shares) {
        below += share;
        if u * total < below {
            return split;
        }
    }
    // Rounding of the sum: the last split with a share.
    Split::ALL
        .into_iter()
        .zip(shares)
        .rev()
        .find(|(_, share)| *share > 0.0)
        .map_or(Split::Train, |(split, _)| split)
}

/// The split of every record: the declared one, or that of its subject. Warnings name splits left empty that are
/// only needed later.
///
/// # Errors
/// [`FeatureError::NoRecords`]; [`FeatureError::EmptySplit`] when training or validation would have none.
pub(super) fn assign_splits(
    table: &RecordTable,
    pipeline: &Pipeline,
) -> Result<(Vec<Split>, Vec<String>), FeatureError> {
    if table.n_records() == 0 {
        return Err(FeatureError::NoRecords);
    }
    let declared = table.splits.is_some();
    let splits: Vec<Split> = match &table.splits {
        Some(declared) => declared.clone(),
        None => table.subject_ids.iter().map(|id| assign_split(id, pipeline.seed, &pipeline.split)).collect(),
    };
    let mut warnings = Vec::new();
    for split in Split::ALL {
        if splits.contains(&split) {
            continue;
        }
        match split {
            Split::Train | Split::Validation => {
                let mut subjects: Vec<&String> = table.subject_ids.iter().collect();
                subjects.sort_unstable();
                subjects.dedup();
                return Err(FeatureError::EmptySplit {
                    split,
                    n_records: splits.len(),
                    n_subjects: subjects.len(),
                    declared,
                });
            }
            Split::Calibration => warnings.push(
                "no record is in the calibration split: p-values of flagged records cannot be calibrated"
                    .into(),
            ),
            Split::Test => {
                warnings
                    .push("no record is in the test split: nothing judges the models on unseen data".into());
            }
        }
    }
    if declared && has_divided_subject(table, &splits) {
        warnings.push(
            "a subject has records in more than one of the declared splits: held-out figures may be too good"
                .into(),
        );
    }
    Ok((splits, warnings))
}

fn has_divided_subject(table: &RecordTable, splits: &[Split]) -> bool {
    let mut first = std::collections::HashMap::new();
    table.subject_ids.iter().zip(splits).any(|(id, split)| first.entry(id).or_insert(split) != &split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_met_and_seeds_differ() {
        let f = SplitFractions::default();
        let n = 20_000;
        let count =
            |seed, split| (0..n).filter(|i| assign_split(&i.to_string(), seed, &f) == split).count() as f64;
        for (split, share) in Split::ALL.into_iter().zip([0.6, 0.1, 0.15, 0.15]) {
            // Four standard deviations of a binomial share.
            let slack = 4.0 * (share * (1.0 - share) / f64::from(n)).sqrt();
            assert!((count(1, split) / f64::from(n) - share).abs() < slack, "{split:?}");
        }
        assert!(
            (0..50)
                .any(|i: u32| { assign_split(&i.to_string(), 1, &f) != assign_split(&i.to_string(), 2, &f) })
        );
    }

    #[test]
    fn the_assignment_is_a_fixed_function() {
        // python: int.from_bytes(hashlib.sha256(b"split" + (7).to_bytes(8, "little") + id).digest()[:8], "big") >> 11
        let f = SplitFractions { train: 0.25, validation: 0.25, calibration: 0.25, test: 0.25 };
        let got: Vec<Split> = ["10006", "10011", "a", ""].iter().map(|id| assign_split(id, 7, &f)).collect();
        assert_eq!(got, [Split::Train, Split::Test, Split::Calibration, Split::Train]);
    }

    #[test]
    fn splits_without_a_share_get_nobody() {
        let f = SplitFractions { train: 0.5, validation: 0.0, calibration: 0.0, test: 0.5 };
        for i in 0..2_000 {
            assert!(matches!(assign_split(&i.to_string(), 3, &f), Split::Train | Split::Test));
        }
    }
}
