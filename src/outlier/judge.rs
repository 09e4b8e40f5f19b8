//! Verdicts on any number of records, block by block, in memory that does not grow with them.
//!
//! A first pass scores the records and tallies their p-values, of which there are no more than calibration
//! records: what Benjamini and Hochberg need of a table is how often each value occurs. A second pass writes
//! the verdicts and explains the most unusual records, which the tally has picked.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::OutlierError;
use super::encoder::EncoderCells;
use super::explain::{Explainer, Explanation};
use super::feature::Feature;
use super::flag_row::{FlagOptions, FlagRow, RowGroup};
use super::groups::{Calibrations, group_name};
use super::merged::q_by_p;
use super::ranked::{MostUnusual, Ranked};
use super::sentence::sentence;
use super::threshold::{Warning, warnings};
use super::versions::Gain;
use crate::density::Density;
use crate::evaluate::{LOG_PROB_FLOOR, RecordScores, score_records_by};
use crate::features::{Absence, Encoder, RecordKey};

/// A model with its calibration and the options of a run.
pub struct Judge<'a> {
    density: &'a dyn Density,
    encoder: &'a Encoder,
    calibrations: Calibrations,
    features: Vec<Feature>,
    options: &'a FlagOptions,
}

/// Scores of some records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scored {
    /// Log-likelihoods.
    pub records: RecordScores,
    /// What is ranked.
    pub scores: Vec<f64>,
}

/// What the first pass gathers.
#[derive(Debug, Clone)]
pub struct Tally {
    n: usize,
    /// How often each p-value occurs, by its bits: of positive numbers they have the numbers' order.
    counts: BTreeMap<u64, usize>,
    groups: BTreeMap<i64, usize>,
    not_finite: usize,
    /// MostUnusual for an explanation: rows that may be flagged, and the most unusual of all.
    may_be_flagged: MostUnusual,
    most_unusual: MostUnusual,
}

/// What follows from it for every record.
#[derive(Debug, Clone)]
pub struct Decisions {
    /// q-value of each p-value that occurs.
    q: BTreeMap<u64, f64>,
    explained: BTreeSet<usize>,
    /// What to know before acting on the flags.
    pub warnings: Vec<Warning>,
    /// Records judged.
    pub n_records: usize,
    /// Records flagged.
    pub n_flagged: usize,
}

impl<'a> Judge<'a> {
    /// Brings a model and its calibration scores together.
    ///
    /// # Errors
    /// [`OutlierError`]: no calibration scores, or a level outside (0, 1).
    pub fn new(
        density: &'a dyn Density,
        encoder: &'a Encoder,
        calibration_scores: &[f64],
        options: &'a FlagOptions,
    ) -> Result<Self, OutlierError> {
        options.rule.check()?;
        let calibrations = Calibrations::new(calibration_scores, options.groups.as_ref())?;
        Ok(Self { density, encoder, calibrations, features: Feature::all(encoder), options })
    }

    /// Calibration records behind the p-values.
    pub fn n_calibration(&self) -> usize {
        self.calibrations.whole().n()
    }

    /// Scores records.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`]
    ///
    /// # Errors
    /// [`OutlierError::Columns`] where `raw` has another width.
    pub fn score(&self, raw: ArrayView2<'_, f64>) -> Result<Scored, OutlierError> {
        if raw.ncols() != self.features.len() {
            return Err(OutlierError::Columns { got: raw.ncols(), expected: self.features.len() });
        }
        let options = self.options;
        let (draws, seed) = (options.draws, options.score_seed);
        let records = score_records_by(options.draws_by, self.density, self.encoder, raw, draws, seed);
        let scores = options.score.of_all(self.encoder, raw, &records);
        Ok(Scored { records, scores })
    }

    fn p_value(&self, row: ArrayView1<'_, f64>, score: f64) -> f64 {
        self.calibrations.p_value(self.calibrations.code(row), score)
    }

    /// Begins a tally.
    pub fn begin(&self) -> Tally {
        let options = self.options;
        Tally {
            n: 0,
            counts: BTreeMap::new(),
            groups: BTreeMap::new(),
            not_finite: 0,
            may_be_flagged: MostUnusual::new(options.max_explained),
            most_unusual: MostUnusual::new(options.also_explain.min(options.max_explained)),
        }
    }

    /// Takes the next records into the tally.
    pub fn tally(&self, tally: &mut Tally, raw: ArrayView2<'_, f64>, log_prob: &[f64], scores: &[f64]) {
        let options = self.options;
        for ((row, &score), &log_prob) in raw.rows().into_iter().zip(scores).zip(log_prob) {
            let p = self.p_value(row, score);
            *tally.counts.entry(p.to_bits()).or_default() += 1;
            if let Some(code) = self.calibrations.code(row) {
                *tally.groups.entry(code).or_default() += 1;
            }
            // One floored draw among the averaged ones is enough to leave the range of real log-likelihoods.
            tally.not_finite += usize::from(log_prob < LOG_PROB_FLOOR / 1e3);
            // A q-value is never below its p-value.
            if options.rule.flags(p, p) {
                tally.may_be_flagged.offer_with(tally.n, score, p);
            }
            tally.most_unusual.offer_with(tally.n, score, p);
            tally.n += 1;
        }
    }

    /// Decides.
    pub fn decide(&self, tally: &Tally) -> Decisions {
        let options = self.options;
        let q = q_by_p(&tally.counts, tally.n);
        let flags = |bits: &u64| options.rule.flags(f64::from_bits(*bits), q[bits]);
        let n_flagged = tally.counts.iter().filter(|(bits, _)| flags(bits)).map(|(_, count)| count).sum();
        let flagged = |r: &&Ranked| q.get(&r.p.to_bits()).is_some_and(|&q| options.rule.flags(r.p, q));
        let mut chosen: BTreeSet<Ranked> = tally.may_be_flagged.iter().filter(flagged).copied().collect();
        chosen.extend(tally.most_unusual.iter().copied());
        let explained: BTreeSet<usize> = match options.explain_top {
            0 => BTreeSet::new(),
            _ => chosen.iter().take(options.max_explained).map(|r| r.row).collect(),
        };
        let small = tally.counts.range(..=0.05_f64.to_bits()).map(|(_, count)| count).sum();
        let mut out = warnings(self.calibrations.whole(), options.rule, tally.n, small);
        out.extend(self.calibrations.warnings(options.rule, self.encoder, &tally.groups));
        if tally.not_finite > 0 {
            out.push(Warning::NotFinite { rows: tally.not_finite });
        }
        let told = chosen.iter().take(options.max_explained).filter(flagged).count();
        if told < n_flagged && options.explain_top > 0 {
            out.push(Warning::ExplanationsLimited { explained: told, flagged: n_flagged });
        }
        Decisions { q, explained, warnings: out, n_records: tally.n, n_flagged }
    }

    /// The verdicts on records that were scored and tallied, the first of them being number `from`.
    ///
    /// # Errors
    /// [`OutlierError::Columns`] where `raw` has another width.
    pub fn rows(
        &self,
        decisions: &Decisions,
        from: usize,
        record_ids: &[String],
        raw: ArrayView2<'_, f64>,
        log_prob: &[f64],
        scores: &[f64],
    ) -> Result<Vec<FlagRow>, OutlierError> {
        let verdict = |i: usize| {
            let p = self.p_value(raw.row(i), scores[i]);
            let q = decisions.q.get(&p.to_bits()).copied().unwrap_or(1.0);
            let group = self.options.groups.as_ref().zip(self.calibrations.code(raw.row(i)));
            FlagRow {
                record_id: record_ids[i].clone(),
                log_prob: log_prob[i],
                score: scores[i],
                p_value: p,
                q_value: q,
                flagged: self.options.rule.flags(p, q),
                group: group.map(|(g, code)| RowGroup {
                    name: group_name(self.encoder, g.column, code),
                    n_calibration: self.calibrations.n(Some(code)),
                }),
                ..FlagRow::default()
            }
        };
        let mut rows: Vec<FlagRow> = (0..raw.nrows()).map(verdict).collect();
        let chosen: Vec<usize> =
            decisions.explained.range(from..from + rows.len()).map(|row| row - from).collect();
        // Their log-likelihoods as vectors, which the first pass does not keep: to the bit what it had.
        let again = self.score(raw.select(ndarray::Axis(0), &chosen).view())?;
        let cells = EncoderCells(self.encoder);
        let explainer = Explainer::new(self.density, &cells, &self.features);
        let explanations: Vec<Explanation> = (0..chosen.len())
            .into_par_iter()
            .map(|k| {
                let records = &again.records;
                let whole = (records.log_prob[k], records.log_prob_tensor[k]);
                self.explain(&explainer, raw.row(chosen[k]), whole)
            })
            .collect();
        let log_probs = again.records.log_prob.iter().zip(&again.records.log_prob_tensor);
        for ((i, Explanation { features, pair }), (l, t)) in
            chosen.into_iter().zip(explanations).zip(log_probs)
        {
            rows[i].reasons = self.options.score.reasons(self.encoder, raw.row(i), *l, *t);
            let observed = raw.row(i).iter().filter(|x| !x.is_nan()).count();
            let best = features.first().map_or(0.0, |f| f.gain);
            let absent = absent(self.encoder, &self.features, raw.row(i), best);
            rows[i].sentence = sentence(&features, pair.as_ref(), observed, &absent, rows[i].p_value);
            (rows[i].explanations, rows[i].pair) = (features, pair);
        }
        Ok(rows)
    }

    fn explain(
        &self,
        explainer: &Explainer<'_>,
        row: ArrayView1<'_, f64>,
        (log_prob, tensor): (f64, f64),
    ) -> Explanation {
        let options = self.options;
        let (code, values) = (self.calibrations.code(row), row.to_vec());
        let after = |edit: &[(usize, f64)], gain: Gain| {
            let mut values = values.clone();
            for &(j, v) in edit {
                values[j] = v;
            }
            let (original, vector) = (log_prob + gain.original, tensor + gain.vector);
            let score = options.score.of(self.encoder, (&values).into(), original, vector);
            self.calibrations.p_value(code, score)
        };
        // The explanation of a record is its own, wherever the record stands.
        let own = u128::from_le_bytes(RecordKey::of(row).bytes()) as u64;
        let seed = options.seed.child("flag", 0).child("explain", own);
        explainer.explain(&values, &after, options.explain_top, seed)
    }
}

/// Features whose absence is less likely than `gain` nats, the rarest first: no change of a value mends the
/// record as much.
fn absent<'f>(
    encoder: &Encoder,
    features: &'f [Feature],
    row: ArrayView1<'_, f64>,
    gain: f64,
) -> Vec<&'f str> {
    let surprise = |a: &&Absence| -a.log_prob(|c| row[c]);
    // Below three nats, one record in twenty, an absence is nothing special.
    let mut rare: Vec<&Absence> = encoder.absences.iter().filter(|a| surprise(a) > gain.max(3.0)).collect();
    rare.sort_by(|a, b| surprise(b).total_cmp(&surprise(a)));
    let missing = rare.into_iter().flat_map(|a| a.columns.iter().filter(|&&c| row[c].is_nan()));
    missing.map(|&c| features[c].title()).collect()
}
