//! Assignment of subjects to splits by a seeded hash: one patient is never on two sides, and adding patients
//! moves nobody.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::ingest::{RecordTable, Subjects};
use crate::message::{Message, Weight, plural};
use crate::schema::{Pipeline, Split, SplitFractions};

use super::FeatureError;

/// The first 53 bits of SHA-256(seed, id) as a number in [0, 1).
pub(super) fn position(subject_id: &str, seed: u64) -> f64 {
    let mut hash = Sha256::new();
    hash.update(b"split");
    hash.update(seed.to_le_bytes());
    hash.update(subject_id.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let bits = digest[..8].iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte)) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

fn shares(fractions: &SplitFractions) -> [f64; 4] {
    [fractions.train, fractions.validation, fractions.calibration, fractions.test]
}

/// Subjects in the order of their hashes, cut so that every split with a share gets at least one; nothing
/// where there are fewer subjects than such splits.
fn by_rank<'s>(
    subject_ids: impl Iterator<Item = &'s str> + Clone,
    seed: u64,
    shares: &[f64; 4],
) -> Option<Vec<Split>> {
    let mut subjects: Vec<&str> = subject_ids.clone().collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects.sort_by(|a, b| position(a, seed).total_cmp(&position(b, seed)));
    let total: f64 = shares.iter().sum();
    let mut counts = shares.map(|share| {
        if share > 0.0 { ((share / total * subjects.len() as f64).round() as usize).max(1) } else { 0 }
    });
    // Rounding falls on the largest, the training split in any sensible division.
    let largest = (0..4).max_by_key(|&i| counts[i])?;
    let others: usize = (0..4).filter(|&i| i != largest).map(|i| counts[i]).sum();
    counts[largest] = subjects.len().checked_sub(others).filter(|&n| n > 0)?;
    let assigned = Split::ALL.into_iter().zip(counts).flat_map(|(split, n)| std::iter::repeat_n(split, n));
    let of: HashMap<&str, Split> = subjects.into_iter().zip(assigned).collect();
    Some(subject_ids.map(|id| of[id]).collect())
}

/// The split of a subject: its hash against cumulated shares.
pub fn assign_split(subject_id: &str, seed: u64, fractions: &SplitFractions) -> Split {
    let u = position(subject_id, seed);
    let shares = shares(fractions);
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

/// The splits of records whose subjects are these: by hash, or by rank where so few subjects would leave a
/// split empty, which the second value says.
pub fn assign_subjects<'s>(
    subject_ids: impl Iterator<Item = &'s str> + Clone,
    pipeline: &Pipeline,
) -> (Vec<Split>, bool) {
    // The rows of a subject mostly follow each other.
    let mut last: Option<(&str, Split)> = None;
    let split_of = |id| match last {
        Some((met, split)) if met == id => split,
        _ => {
            let split = assign_split(id, pipeline.seed, &pipeline.split);
            last = Some((id, split));
            split
        }
    };
    let splits: Vec<Split> = subject_ids.clone().map(split_of).collect();
    let shares = shares(&pipeline.split);
    let lacking = Split::ALL.iter().zip(shares).any(|(s, f)| f > 0.0 && !splits.contains(s));
    let ranked = lacking.then(|| by_rank(subject_ids, pipeline.seed, &shares)).flatten();
    ranked.map_or((splits, false), |ranked| (ranked, true))
}

/// The split of every record: the declared one, or that of its subject. Warnings name splits left empty that
/// are only needed later.
///
/// # Errors
/// [`FeatureError::NoRecords`]; [`FeatureError::EmptySplit`] when training or validation would have none.
pub fn assign_splits(
    table: &RecordTable,
    pipeline: &Pipeline,
) -> Result<(Vec<Split>, Vec<Message>), FeatureError> {
    if table.n_records() == 0 {
        return Err(FeatureError::NoRecords);
    }
    let declared = table.splits.is_some();
    let (splits, by_rank) = match &table.splits {
        Some(declared) => (declared.clone(), false),
        None => assign_subjects(table.subjects(), pipeline),
    };
    let mut messages = Vec::new();
    if by_rank {
        messages.push(Message::records(
            Weight::Choice,
            "so few subjects that chance would leave a split empty: they are divided by rank, and adding \
             subjects may move others",
        ));
    }
    for split in Split::ALL {
        if splits.contains(&split) {
            continue;
        }
        match split {
            Split::Train | Split::Validation => {
                let mut subjects: Vec<&str> = table.subjects().collect();
                subjects.sort_unstable();
                subjects.dedup();
                return Err(FeatureError::EmptySplit {
                    split,
                    n_records: splits.len(),
                    n_subjects: subjects.len(),
                    declared,
                });
            }
            Split::Calibration => messages.push(Message::records(
                Weight::Wrong,
                "no record is in the calibration split: p-values need `fit --calibration cross`",
            )),
            Split::Test => {
                messages.push(Message::records(
                    Weight::Wrong,
                    "no record is in the test split: nothing judges the models on unseen data",
                ));
            }
        }
    }
    // Where every record is a subject of its own, none has records in two splits.
    if declared && !matches!(table.subjects, Subjects::Records) {
        let (divided, subjects) = divided_subjects(table.subjects(), &splits);
        if divided > 0 {
            let text = format!(
                "{divided} of {subjects} subjects {} records in more than one of the declared splits: \
                 held-out figures may be too good",
                plural(divided, "has", "have")
            );
            messages.push(Message::records(Weight::Leak, text).counting(divided));
        }
    }
    Ok((splits, messages))
}

/// Subjects with records in more than one split, and all subjects.
fn divided_subjects<'s>(subject_ids: impl Iterator<Item = &'s str>, splits: &[Split]) -> (usize, usize) {
    let mut first: HashMap<&str, (Split, bool)> = HashMap::new();
    for (id, &split) in subject_ids.zip(splits) {
        let (known, divided) = first.entry(id).or_insert((split, false));
        *divided |= *known != split;
    }
    (first.values().filter(|(_, divided)| *divided).count(), first.len())
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
        // python: int.from_bytes(hashlib.sha256(b"split" + (7).to_bytes(8, "little") + id).digest()[:8],
        // "big") >> 11
        let f = SplitFractions { train: 0.25, validation: 0.25, calibration: 0.25, test: 0.25 };
        let got: Vec<Split> = ["10006", "10011", "a", ""].iter().map(|id| assign_split(id, 7, &f)).collect();
        assert_eq!(got, [Split::Train, Split::Test, Split::Calibration, Split::Train]);
    }

    #[test]
    fn a_handful_of_subjects_fills_every_split_with_a_share() {
        let f = shares(&SplitFractions::default());
        for n in 4..40 {
            // Every subject twice.
            let ids: Vec<String> = (0..2 * n).map(|i| (i / 2).to_string()).collect();
            let splits = by_rank(ids.iter().map(String::as_str), 5, &f).unwrap();
            assert!(Split::ALL.iter().all(|s| splits.contains(s)), "{n}");
            assert!(splits.chunks(2).all(|pair| pair[0] == pair[1]));
            assert!(splits.iter().filter(|s| **s == Split::Train).count() >= n / 2, "{n}: {splits:?}");
        }
        assert!(by_rank(["a", "b"].into_iter(), 5, &f).is_none());
    }

    #[test]
    fn subjects_in_two_splits_are_counted() {
        let ids = ["a", "b", "a", "c", "b", "b"];
        let of = [Split::Train, Split::Train, Split::Test, Split::Test, Split::Train, Split::Test];
        assert_eq!(divided_subjects(ids.into_iter(), &of), (2, 3));
    }

    #[test]
    fn splits_without_a_share_get_nobody() {
        let f = SplitFractions { train: 0.5, validation: 0.0, calibration: 0.0, test: 0.5 };
        for i in 0..2_000 {
            assert!(matches!(assign_split(&i.to_string(), 3, &f), Split::Train | Split::Test));
        }
    }
}
