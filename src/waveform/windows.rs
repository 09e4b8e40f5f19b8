//! Windows of all records → one row per window, normalised and on one resolution.
//!
//! Amplitudes are normalised as x ↦ (x − centre)/scale with centre and scale of the channel over training windows, and
//! lie on a lattice whose step is that of the ADC. Records differ in gain, and so in step; a column has one
//! resolution, the coarsest of the windows that are kept, and finer recordings are rounded to it. With one
//! gain, the usual case within a record, that changes nothing.

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::account::{fingerprints, flow, nothing_left, segments, windows};
use super::cut::{Cuts, Reason, Window};
use super::gather::{Gathered, gather};
use super::{Signal, WaveformError};
use crate::features::assign_subjects;
use crate::ingest::{Audit, Cells, Column, RecordTable, Subjects};
use crate::num::quantile::median;
use crate::schema::{Kind, Normalise, Pipeline, Split, SplitBy, SplitFractions, Waveform};

/// How each record was normalised; written beside the bundle's other files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Samples per second.
    pub frequency: f64,
    /// Channels in the order of the coordinates.
    pub channels: Vec<ChannelScale>,
    /// One entry per record and channel, in the order of the records.
    pub records: Vec<RecordScale>,
}

/// A channel of all windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelScale {
    /// Name.
    pub channel: String,
    /// Physical unit of the records.
    pub units: String,
    /// Step of the normalised amplitudes, the width of their noise.
    pub resolution: f64,
}

/// A channel of one record: amplitude = (physical − centre)/scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordScale {
    /// Record name.
    pub record: String,
    /// Channel name.
    pub channel: String,
    /// Physical value that becomes 0.
    pub centre: f64,
    /// Physical units per unit of amplitude.
    pub scale: f64,
    /// Windows kept.
    pub windows: usize,
}

/// A record with the split of each of its windows.
pub(super) struct Divided {
    pub(super) cuts: Cuts,
    pub(super) splits: Vec<Split>,
}

/// Reads the records of `input` and cuts them into windows, time-major: sample t of channel c is column t·channels + c,
/// called `ABP[0017]`. The samples of the past come before it, those of `ABP[-0001]` last.
///
/// `input` is a WFDB record, a table or array of signals, or a folder of either.
///
/// Of a folder, records that cannot be read or lack a channel are left out and counted; a single record is an error.
///
/// # Errors
/// [`WaveformError`]; [`WaveformError::NoWindows`] with the counts when nothing is left.
pub fn read_windows(
    pipeline: &Pipeline,
    settings: &Waveform,
    input: &Path,
) -> Result<(RecordTable, Normalisation), WaveformError> {
    let Gathered { records: mut kept, audit: records, variables, warnings } = gather(settings, input)?;
    let inputs = fingerprints(&kept)?;
    drop_coarse(&mut kept, settings);
    let divided = match settings.split_by {
        SplitBy::Record => by_patient(kept, pipeline),
        SplitBy::Time => kept.into_iter().map(|cuts| divide(cuts, pipeline, settings)).collect(),
    };
    let tables = vec![records, segments(&divided), windows(&divided)];
    let audit = Audit { inputs, cohort: flow(&divided), tables, variables, warnings, ..Audit::default() };
    if divided.iter().all(|d| d.cuts.windows.is_empty()) {
        return Err(nothing_left(settings, &audit));
    }
    Ok(table(divided, settings, audit))
}

fn count(cuts: &mut Cuts, reason: Reason, n: usize) {
    if n > 0 {
        *cuts.dropped.entry(reason).or_default() += n as u64;
    }
}

/// Leaves out windows of a coarser step than most of their record, then records coarser than most.
fn drop_coarse(records: &mut [Cuts], settings: &Waveform) {
    for channel in 0..settings.channels.len() {
        for cuts in records.iter_mut() {
            let usual = usual_step(cuts, channel);
            let before = cuts.windows.len();
            let Cuts { windows, scales, .. } = cuts;
            windows.retain(|w| scales[w.scale].step(channel) <= settings.max_step * usual);
            count(cuts, Reason::Coarse, before - cuts.windows.len());
        }
    }
    // Steps in physical units compare records only where amplitudes do.
    if settings.normalise == Normalise::Record {
        return;
    }
    for channel in 0..settings.channels.len() {
        let steps: Vec<f64> =
            records.iter().filter(|r| !r.windows.is_empty()).map(|r| usual_step(r, channel)).collect();
        if steps.is_empty() {
            return;
        }
        let usual = median(&steps);
        for cuts in records.iter_mut() {
            if usual_step(cuts, channel) > settings.max_step * usual {
                let n = cuts.windows.len();
                cuts.windows.clear();
                count(cuts, Reason::Coarse, n);
            }
        }
    }
}

fn usual_step(cuts: &Cuts, channel: usize) -> f64 {
    let steps: Vec<f64> = cuts.windows.iter().map(|w| cuts.scales[w.scale].step(channel)).collect();
    if steps.is_empty() { 0.0 } else { median(&steps) }
}

/// All windows of a patient in one split: the one that the bundle will give to records of these subjects.
fn by_patient(records: Vec<Cuts>, pipeline: &Pipeline) -> Vec<Divided> {
    let with_windows: Vec<String> =
        records.iter().filter(|c| !c.windows.is_empty()).map(|c| c.subject.clone()).collect();
    let mut splits = assign_subjects(with_windows.iter().map(String::as_str), pipeline).0.into_iter();
    let divided = records.into_iter().map(|cuts| {
        let split = if cuts.windows.is_empty() { None } else { splits.next() };
        Divided { splits: split.into_iter().cycle().take(cuts.windows.len()).collect(), cuts }
    });
    divided.collect()
}

/// Splits of the windows of a record. By time, a window that shares samples with one of an earlier split is left out.
fn divide(mut cuts: Cuts, pipeline: &Pipeline, settings: &Waveform) -> Divided {
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
    count(&mut cuts, Reason::Overlap, before - splits.len());
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

/// Centre and scale of each channel, per record.
fn normalisation(divided: &[Divided], settings: &Waveform) -> Vec<Vec<(f64, f64)>> {
    let channels = settings.channels.len();
    let mut sums: Vec<Vec<Sums>> =
        divided.par_iter().map(|d| training_sums(d, channels, settings.past)).collect();
    match settings.normalise {
        Normalise::None => return vec![vec![(0.0, 1.0); channels]; divided.len()],
        Normalise::Channel => {
            let pooled: Vec<Sums> =
                (0..channels).map(|c| sums.iter().fold(Sums::default(), |all, s| all.add(s[c]))).collect();
            sums.fill(pooled);
        }
        Normalise::Record => {}
    }
    let places = |(d, sums): (&Divided, &Vec<Sums>)| {
        (0..channels)
            .map(|c| {
                let (mean, sd) = sums[c].mean_and_sd();
                // On the lattice of the record, so that rounding to it later changes no value.
                let step = d.cuts.windows.first().map_or(0.0, |w| d.cuts.scales[w.scale].step(c));
                (
                    if step > 0.0 { (mean / step).round() * step } else { mean },
                    if sd > 0.0 { sd } else { 1.0 },
                )
            })
            .collect()
    };
    divided.iter().zip(&sums).map(places).collect()
}

/// Count, sum and sum of squares about a value near the mean.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    mean: f64,
    square: f64,
}

impl Sums {
    fn push(&mut self, x: f64) {
        self.n += 1.0;
        let delta = x - self.mean;
        self.mean += delta / self.n;
        self.square += delta * (x - self.mean);
    }

    /// Chan's update of two samples.
    fn add(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0.0 {
            return self;
        }
        let delta = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + delta * other.n / n,
            square: self.square + other.square + delta * delta * self.n * other.n / n,
        }
    }

    fn mean_and_sd(self) -> (f64, f64) {
        (self.mean, if self.n > 0.0 { (self.square / self.n).sqrt() } else { 0.0 })
    }
}

fn physical(cuts: &Cuts, window: &Window, i: usize, channels: usize) -> f64 {
    let (scale, sample) = (&cuts.scales[window.scale], window.samples[i]);
    let c = i % channels;
    if sample == Signal::MISSING { f64::NAN } else { (f64::from(sample) - scale.baseline[c]) / scale.gain[c] }
}

/// Of the windows alone: samples of their pasts are those of other windows.
fn training_sums(d: &Divided, channels: usize, past: usize) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); channels];
    for (window, _) in d.cuts.windows.iter().zip(&d.splits).filter(|(_, s)| **s == Split::Train) {
        for i in past * channels..window.samples.len() {
            let x = physical(&d.cuts, window, i, channels);
            if !x.is_nan() {
                sums[i % channels].push(x);
            }
        }
    }
    sums
}

/// Normalised amplitudes by column, on the lattices of `resolution`.
fn cells(
    divided: &[Divided],
    settings: &Waveform,
    places: &[Vec<(f64, f64)>],
    resolution: &[f64],
) -> Vec<Vec<f64>> {
    /// Columns filled together: a stretch of each window's samples, while they and the ends of the columns are in cache.
    const TOGETHER: usize = 128;
    let channels = settings.channels.len();
    let n: usize = divided.iter().map(|d| d.cuts.windows.len()).sum();
    let mut cells = vec![Vec::new(); settings.extent() * channels];
    cells.par_chunks_mut(TOGETHER).enumerate().for_each(|(k, cells)| {
        for c in cells.iter_mut() {
            c.reserve_exact(n);
        }
        for (d, place) in divided.iter().zip(places) {
            for window in &d.cuts.windows {
                for (i, cells) in (k * TOGETHER..).zip(cells.iter_mut()) {
                    let c = i % channels;
                    let (centre, scale) = place[c];
                    let amplitude = (physical(&d.cuts, window, i, channels) - centre) / scale;
                    cells.push((amplitude / resolution[c]).round() * resolution[c]);
                }
            }
        }
    });
    cells
}

fn table(divided: Vec<Divided>, settings: &Waveform, audit: Audit) -> (RecordTable, Normalisation) {
    let channels = settings.channels.len();
    let places = normalisation(&divided, settings);
    let mut resolution = vec![0.0f64; channels];
    for (d, place) in divided.iter().zip(&places) {
        for window in &d.cuts.windows {
            for (c, resolution) in resolution.iter_mut().enumerate() {
                *resolution = resolution.max(d.cuts.scales[window.scale].step(c) / place[c].1);
            }
        }
    }
    let cells = cells(&divided, settings, &places, &resolution);
    let (mut record_ids, mut subject_ids, mut splits) = (Vec::new(), Vec::new(), Vec::new());
    for d in &divided {
        for (window, split) in d.cuts.windows.iter().zip(&d.splits) {
            record_ids.push(format!("{}@{}", d.cuts.record, window.start));
            subject_ids.push(d.cuts.subject.clone());
            splits.push(*split);
        }
    }
    let units: Vec<String> = (0..channels)
        .map(|c| {
            let of =
                |d: &Divided| d.cuts.windows.first().map(|w| d.cuts.scales[w.scale].units[c].name.clone());
            divided.iter().find_map(of).unwrap_or_default()
        })
        .collect();
    let shown = |c: usize| if settings.normalise == Normalise::None { units[c].clone() } else { "SD".into() };
    let digits = (settings.window - 1).to_string().len().max(4);
    let columns = cells
        .into_iter()
        .enumerate()
        .map(|(i, cells)| {
            let (t, c) = (i / channels, i % channels);
            let name = match t.checked_sub(settings.past) {
                Some(t) => format!("{}[{t:0digits$}]", settings.channels[c]),
                None => format!("{}[-{:0digits$}]", settings.channels[c], settings.past - t),
            };
            Column {
                label: name.clone(),
                name,
                group: settings.channels[c].clone(),
                unit: shown(c),
                kind: Kind::Continuous,
                resolution: Some(resolution[c]),
                range: None,
                spelling: crate::ingest::Spelling::undeclared(),
                cells: Cells::Number(cells.into()),
            }
        })
        .collect();
    let scales = divided.iter().zip(&places).flat_map(|(d, place)| {
        place.iter().enumerate().map(|(c, &(centre, scale))| RecordScale {
            record: d.cuts.record.clone(),
            channel: settings.channels[c].clone(),
            centre,
            scale,
            windows: d.cuts.windows.len(),
        })
    });
    let normalisation = Normalisation {
        frequency: divided.iter().find_map(|d| d.cuts.frequency).unwrap_or(0.0),
        channels: (0..channels)
            .map(|c| ChannelScale {
                channel: settings.channels[c].clone(),
                units: units[c].clone(),
                resolution: resolution[c],
            })
            .collect(),
        records: scales.collect(),
    };
    // Windows of one patient in every split are what a split by time asks for: the subject is then the window.
    let by_time = settings.split_by == SplitBy::Time;
    let subjects = if by_time {
        Subjects::Records
    } else {
        Subjects::Named(subject_ids.into_iter().map(Some).collect())
    };
    let splits = by_time.then_some(splits);
    (RecordTable { record_ids: record_ids.into(), subjects, splits, columns, audit }, normalisation)
}

#[cfg(test)]
mod tests;
