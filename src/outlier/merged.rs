//! Verdicts on parts of a table → verdicts on the whole. A p-value depends on the record and the model alone;
//! a false discovery rate is one of the table, so that q-values and flags are taken anew over all parts.

use std::collections::{BTreeMap, BTreeSet};

use super::OutlierError;
use super::flag_row::{FlagOptions, FlagRow};
use super::ranked::MostUnusual;
use super::threshold::{Rule, Warning};

/// The q-value of each p-value that occurs (by its bits, with how often it occurs) among `n` (Benjamini and
/// Hochberg).
pub(super) fn q_by_p(counts: &BTreeMap<u64, usize>, n: usize) -> BTreeMap<u64, f64> {
    let (mut q, mut running, mut rank) = (BTreeMap::new(), 1.0_f64, n);
    for (&bits, &count) in counts.iter().rev() {
        // Of equal p-values the last rank counts.
        running = running.min(f64::from_bits(bits) * n as f64 / rank as f64);
        rank -= count;
        q.insert(bits, running);
    }
    q
}

/// Gathers the verdicts of parts, in the order of the whole.
#[derive(Debug, Clone)]
pub struct MergedTally {
    rule: Rule,
    n: usize,
    counts: BTreeMap<u64, usize>,
    may_be_flagged: MostUnusual,
}

/// What follows for every record.
#[derive(Debug, Clone)]
pub struct MergedDecisions {
    rule: Rule,
    q: BTreeMap<u64, f64>,
    explained: BTreeSet<usize>,
    /// Records judged.
    pub n_records: usize,
    /// Records flagged.
    pub n_flagged: usize,
}

impl MergedTally {
    /// Begins a tally.
    ///
    /// # Errors
    /// [`OutlierError::Level`].
    pub fn new(rule: Rule) -> Result<Self, OutlierError> {
        rule.check()?;
        let may_be_flagged = MostUnusual::new(FlagOptions::default().max_explained);
        Ok(Self { rule, n: 0, counts: BTreeMap::new(), may_be_flagged })
    }

    /// Takes in the next record.
    pub fn add(&mut self, row: &FlagRow) {
        *self.counts.entry(row.p_value.to_bits()).or_default() += 1;
        // A q-value is never below its p-value.
        if self.rule.flags(row.p_value, row.p_value) {
            self.may_be_flagged.offer_with(self.n, row.score, row.p_value);
        }
        self.n += 1;
    }

    /// Decides.
    pub fn decide(&self) -> MergedDecisions {
        let (rule, q) = (self.rule, q_by_p(&self.counts, self.n));
        let flags = |bits: u64| rule.flags(f64::from_bits(bits), q[&bits]);
        let n_flagged = self.counts.iter().filter(|(bits, _)| flags(**bits)).map(|(_, count)| count).sum();
        let explained = self.may_be_flagged.iter().filter(|r| flags(r.p.to_bits())).map(|r| r.row).collect();
        MergedDecisions { rule, q, explained, n_records: self.n, n_flagged }
    }
}

impl MergedDecisions {
    /// The verdict on record number `at`. Only those that one run explains keep their explanation. The second
    /// value is whether it should have one and has none, because its part was flagged at a smaller level.
    pub fn verdict(&self, at: usize, row: FlagRow) -> (FlagRow, bool) {
        let q_value = self.q.get(&row.p_value.to_bits()).copied().unwrap_or(1.0);
        let flagged = self.rule.flags(row.p_value, q_value);
        let is_explained = self.explained.contains(&at);
        let lacks = is_explained && row.sentence.is_empty();
        let row = if is_explained {
            row
        } else {
            FlagRow {
                reasons: Vec::new(),
                explanations: Vec::new(),
                pair: None,
                sentence: String::new(),
                ..row
            }
        };
        (FlagRow { q_value, flagged, ..row }, lacks)
    }

    /// What to know where there are more flags than are explained.
    pub fn warning(&self) -> Option<Warning> {
        let (explained, flagged) = (self.explained.len(), self.n_flagged);
        (explained < flagged).then_some(Warning::ExplanationsLimited { explained, flagged })
    }
}

#[cfg(test)]
mod tests {
    use super::super::calibrate::q_values;
    use super::*;

    #[test]
    fn q_values_of_counts_are_those_of_the_list() {
        let p = [0.01, 0.2, 0.01, 0.03, 1.0, 0.2, 0.04, 0.5];
        let mut tally = MergedTally::new(Rule::Fdr(0.1)).unwrap();
        let row = |p: &f64| FlagRow { p_value: *p, sentence: "because".into(), ..FlagRow::default() };
        p.iter().for_each(|p| tally.add(&row(p)));
        let decisions = tally.decide();
        let rows: Vec<(FlagRow, bool)> =
            p.iter().enumerate().map(|(at, p)| decisions.verdict(at, row(p))).collect();
        let q: Vec<f64> = rows.iter().map(|(row, _)| row.q_value).collect();
        assert_eq!(q, q_values(&p));
        assert_eq!(decisions.n_flagged, rows.iter().filter(|(row, _)| row.flagged).count());
        assert_eq!((decisions.n_flagged, decisions.n_records), (4, 8));
        // Those that are not flagged lose the explanation that their part gave them.
        assert!(rows.iter().all(|(row, lacks)| row.flagged != row.sentence.is_empty() && !lacks));
        let (_, lacks) = decisions.verdict(0, FlagRow { p_value: 0.01, ..FlagRow::default() });
        assert!(lacks);
    }
}
