//! The windows of a record, with a count by reason of those that are left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Signal;
use super::unit::Unit;
use crate::plain_file::Watch;
use crate::schema::Waveform;

/// Reasons for which a window is left out, in the order in which they are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The segment does not record every channel.
    Absent,
    /// Too many missing samples in a channel.
    Missing,
    /// One and the same value throughout a channel.
    Constant,
    /// The unit cannot be converted into that of the other windows.
    Unit,
    /// The samples are those of a window of another record.
    Copy,
    /// A coarser ADC step than the rest of its record, or a record of coarser steps than the others.
    Coarse,
    /// Shares samples with a window of an earlier split.
    Overlap,
}

impl Reason {
    pub(super) const ALL: [Self; 7] =
        [Self::Absent, Self::Missing, Self::Constant, Self::Unit, Self::Copy, Self::Coarse, Self::Overlap];

    /// Name in the audit.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Absent => "a channel is not recorded",
            Self::Missing => "missing samples",
            Self::Constant => "constant channel",
            Self::Unit => "another unit",
            Self::Copy => "copy of a window of another record",
            Self::Coarse => "coarse ADC step",
            Self::Overlap => "reaches into another split",
        }
    }

    /// Rule of the cohort flow that it fails.
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::Absent => "every channel recorded",
            Self::Missing => "samples complete",
            Self::Constant => "no channel constant",
            Self::Unit => "unit of the others, or convertible",
            Self::Copy => "no copies between records",
            Self::Coarse => "ADC step at most `max_step` times the usual",
            Self::Overlap => "splits share no samples",
        }
    }
}

/// A window in ADC units.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// First sample in the record, after those of the past.
    pub(super) start: usize,
    /// Position in [`Cuts::scales`].
    pub(super) scale: usize,
    /// Past and window, time-major: sample t of channel c at `t·channels + c`; [`Signal::MISSING`] where
    /// there is none.
    pub(super) samples: Vec<i32>,
}

/// ADC units of a segment, by channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) gain: Vec<f64>,
    pub(super) baseline: Vec<f64>,
    pub(super) units: Vec<Unit>,
}

impl Scale {
    /// Converts a channel by `new = factor · old + offset`: (x − b)/g · f + o = (x − (b − o·g/f)) / (g/f).
    pub(super) fn convert(&mut self, channel: usize, unit: &Unit, (factor, offset): (f64, f64)) {
        self.gain[channel] /= factor;
        self.baseline[channel] -= offset * self.gain[channel];
        self.units[channel] = unit.clone();
    }

    /// Physical step of a channel.
    pub(super) fn step(&self, channel: usize) -> f64 {
        1.0 / self.gain[channel].abs()
    }
}

/// All windows of a record.
#[derive(Debug, Clone)]
pub(super) struct Cuts {
    pub(super) record: String,
    /// Its header, or its table or array.
    pub(super) path: PathBuf,
    pub(super) subject: String,
    /// The patient that a comment of the header, or a column of the table, states.
    pub(super) stated: Option<String>,
    /// Samples per second of the channels; none when no segment records them all.
    pub(super) frequency: Option<f64>,
    pub(super) scales: Vec<Scale>,
    pub(super) windows: Vec<Window>,
    pub(super) dropped: BTreeMap<Reason, u64>,
    /// Segments, gaps included.
    pub(super) segments: u64,
    pub(super) gaps: u64,
    pub(super) short: u64,
    /// Names of the channels that its segments have, where one that was asked for is not among them.
    pub(super) others: Vec<String>,
    /// Files read, in order.
    pub(super) files: Vec<Watch>,
    /// What the user should know: a file or record, and a sentence about it.
    pub(super) notes: Vec<(String, String)>,
}

impl Cuts {
    pub(super) fn new(record: String, file: Watch) -> Self {
        Self {
            subject: record.clone(),
            record,
            path: file.path().to_path_buf(),
            stated: None,
            frequency: None,
            scales: Vec::new(),
            windows: Vec::new(),
            dropped: BTreeMap::new(),
            segments: 0,
            gaps: 0,
            short: 0,
            others: Vec::new(),
            files: vec![file],
            notes: Vec::new(),
        }
    }

    /// Cuts `n` uninterrupted samples that begin at sample `start` of the record; `channels` where all are
    /// recorded.
    pub(super) fn stretch(
        &mut self,
        channels: Option<&[&[i32]]>,
        start: usize,
        n: usize,
        scale: usize,
        settings: &Waveform,
    ) {
        let extent = settings.extent();
        if n < extent {
            self.short += 1;
            return;
        }
        let Some(channels) = channels else {
            self.drop(Reason::Absent, (n - extent) / settings.stride + 1);
            return;
        };
        for at in (0..=n - extent).step_by(settings.stride) {
            match window(channels, at, settings) {
                Ok(samples) => {
                    self.windows.push(Window { start: start + at + settings.past, scale, samples });
                }
                Err(reason) => self.drop(reason, 1),
            }
        }
    }

    pub(super) fn drop(&mut self, reason: Reason, n: usize) {
        if n > 0 {
            *self.dropped.entry(reason).or_default() += n as u64;
        }
    }
}

fn window(signals: &[&[i32]], start: usize, settings: &Waveform) -> Result<Vec<i32>, Reason> {
    let range = start..start + settings.extent();
    let mut constant = false;
    for signal in signals {
        let samples = &signal[range.clone()];
        let missing = samples.iter().filter(|&&x| x == Signal::MISSING).count();
        let mut there = samples[settings.past..].iter().filter(|&&x| x != Signal::MISSING);
        if missing as f64 > settings.max_missing * samples.len() as f64 {
            return Err(Reason::Missing);
        }
        let first = there.next();
        constant |= there.all(|x| Some(x) == first);
    }
    if constant {
        return Err(Reason::Constant);
    }
    Ok(range.flat_map(|t| signals.iter().map(move |s| s[t])).collect())
}
