//! The split of each window: by patient, or by the order in time within each record.

use super::cuts::{Cuts, Reason};
use crate::features::assign_subjects;
use crate::schema::{Pipeline, Split, SplitFractions, Waveform};

/// A record with the split of each of its windows.
pub(super) struct Divided {
    pub(super) cuts: Cuts,
    pub(super) splits: Vec<Split>,
}

/// All windows of a patient in one split: the one that the bundle will give to records of these subjects.
pub(super) fn by_patient(records: Vec<Cuts>, pipeline: &Pipeline) -> Vec<Divided> {
    let with_windows: Vec<String> =
        records.iter().filter(|c| !c.windows.is_empty()).map(|c| c.subject.clone()).collect();
    let mut splits = assign_subjects(with_windows.iter().map(String::as_str), pipeline).0.into_iter();
    let divided = records.into_iter().map(|cuts| {
        let split = if cuts.windows.is_empty() { None } else { splits.next() };
        Divided { splits: split.into_iter().cycle().take(cuts.windows.len()).collect(), cuts }
    });
    divided.collect()
}

/// Splits of the windows of a record. By time, a window that shares samples with one of an earlier split is
/// left out.
pub(super) fn in_time(mut cuts: Cuts, pipeline: &Pipeline, settings: &Waveform) -> Divided {
    let mut splits = by_time(cuts.windows.len(), &pipeline.split);
    let mut keep = vec![true; splits.len()];
    for i in 1..splits.len() {
        // Windows are in order of time, so only the last kept one of another split can reach this far.
        keep[i] = (0..i)
            .rev()
            .take_while(|&j| cuts.windows[j].start + settings.window > cuts.windows[i].start)
            .all(|j| !keep[j] || splits[j] == splits[i]);
    }
    let before = cuts.windows.len();
    let mut flags = keep.iter();
    cuts.windows.retain(|_| *flags.next().expect("invariant: one flag per window"));
    let mut flags = keep.iter();
    splits.retain(|_| *flags.next().expect("invariant: one flag per window"));
    cuts.drop(Reason::Overlap, before - splits.len());
    Divided { cuts, splits }
}

/// The first share of `n` trains; the first window always does.
fn by_time(n: usize, fractions: &SplitFractions) -> Vec<Split> {
    let shares = [fractions.train, fractions.validation, fractions.calibration, fractions.test];
    let mut ends = [0usize; 4];
    let mut sum = 0.0;
    for (end, share) in ends.iter_mut().zip(shares) {
        sum += share;
        *end = (sum * n as f64).round() as usize;
    }
    ends[0] = ends[0].max(1);
    let split = |i| Split::ALL[ends.iter().position(|&end| i < end).unwrap_or(3)];
    (0..n).map(split).collect()
}
