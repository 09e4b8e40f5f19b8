//! Records → windows that are complete enough, with a count of the others by reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::digitise::{digitise, scale};
use super::{Record, Segment, Signal, WaveformError, plain};
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
    /// A coarser ADC step than the rest of its record, or a record of coarser steps than the others.
    Coarse,
    /// Shares samples with a window of an earlier split.
    Overlap,
}

impl Reason {
    pub(super) const ALL: [Self; 5] =
        [Self::Absent, Self::Missing, Self::Constant, Self::Coarse, Self::Overlap];

    /// Name in the audit.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Absent => "a channel is not recorded",
            Self::Missing => "missing samples",
            Self::Constant => "constant channel",
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
    /// Past and window, time-major: sample t of channel c at `t·channels + c`; [`Signal::MISSING`] where there is none.
    pub(super) samples: Vec<i32>,
}

/// ADC units of a segment, by channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) gain: Vec<f64>,
    pub(super) baseline: Vec<f64>,
}

impl Scale {
    /// Physical step of a channel.
    pub(super) fn step(&self, channel: usize) -> f64 {
        1.0 / self.gain[channel].abs()
    }
}

/// All windows of a record.
#[derive(Debug, Clone)]
pub(super) struct Cuts {
    pub(super) record: String,
    pub(super) subject: String,
    /// Samples per second of the channels; none when no segment records them all.
    pub(super) frequency: Option<f64>,
    /// Physical units by channel, of the first segment that records them all.
    pub(super) units: Vec<String>,
    pub(super) scales: Vec<Scale>,
    pub(super) windows: Vec<Window>,
    pub(super) dropped: BTreeMap<Reason, u64>,
    /// Segments, gaps included.
    pub(super) segments: u64,
    pub(super) gaps: u64,
    pub(super) short: u64,
    /// Signal files read, in order.
    pub(super) files: Vec<PathBuf>,
    /// What the user should know about them.
    pub(super) warnings: Vec<String>,
}

/// Cuts the windows of one record, segment by segment: none crosses a gap or a change of gain.
///
/// # Errors
/// Those of the reader; [`WaveformError::UnequalRates`] when the channels of a segment are.
pub(super) fn cut(path: &Path, settings: &Waveform) -> Result<Cuts, WaveformError> {
    if plain::is_plain(path) {
        return cut_plain(path, settings);
    }
    let record = Record::open(path)?;
    let mut cuts = Cuts::new(record.header.name.clone(), record.header.path.clone());
    record.subject().clone_into(&mut cuts.subject);
    cuts.segments = record.segments.len() as u64;
    for segment in &record.segments {
        cuts.segment(&record, segment, settings)?;
    }
    Ok(cuts)
}

/// Cuts the windows of a table or array, stretch by stretch.
fn cut_plain(path: &Path, settings: &Waveform) -> Result<Cuts, WaveformError> {
    let frequency = settings.frequency.ok_or_else(|| WaveformError::NoFrequency(path.to_path_buf()))?;
    let signals = plain::read(path, settings)?;
    let mut cuts = Cuts::new(plain::record_name(path), path.to_path_buf());
    cuts.warnings.clone_from(&signals.warnings);
    cuts.frequency = signals.absent.is_empty().then_some(frequency);
    cuts.units = vec![String::new(); settings.channels.len()];
    cuts.segments = signals.stretches.len() as u64;
    let digitised: Vec<_> = (0..settings.channels.len())
        .map(|c| {
            let pieces: Vec<Vec<f64>> = signals.stretches.iter().map(|s| s.channels[c].clone()).collect();
            digitise(&pieces, signals.integers.then_some(1.0))
        })
        .collect();
    for (name, channel) in settings.channels.iter().zip(&digitised) {
        if !channel.digital {
            cuts.warnings.push(format!(
                "`{}`: values of `{name}` lie on no steps: they are taken as continuous",
                cuts.record
            ));
        }
    }
    cuts.scales = vec![scale(&digitised)];
    for (i, stretch) in signals.stretches.iter().enumerate() {
        let channels: Vec<&[i32]> = digitised.iter().map(|d| d.pieces[i].as_slice()).collect();
        let recorded = signals.absent.is_empty().then_some(channels.as_slice());
        cuts.stretch(recorded, stretch.start, stretch.len, 0, settings);
    }
    Ok(cuts)
}

impl Cuts {
    fn new(record: String, file: PathBuf) -> Self {
        Self {
            subject: record.clone(),
            record,
            frequency: None,
            units: Vec::new(),
            scales: Vec::new(),
            windows: Vec::new(),
            dropped: BTreeMap::new(),
            segments: 0,
            gaps: 0,
            short: 0,
            files: vec![file],
            warnings: Vec::new(),
        }
    }

    /// Cuts `n` uninterrupted samples that begin at sample `start` of the record; `channels` where all are recorded.
    fn stretch(
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

    fn drop(&mut self, reason: Reason, n: usize) {
        if n > 0 {
            *self.dropped.entry(reason).or_default() += n as u64;
        }
    }

    fn segment(
        &mut self,
        record: &Record,
        segment: &Segment,
        settings: &Waveform,
    ) -> Result<(), WaveformError> {
        let Some(header) = record.segment_header(segment)? else {
            self.gaps += 1;
            return Ok(());
        };
        let folder = header.path.parent().unwrap_or(Path::new(""));
        if record.header.is_multi_segment() {
            self.files.push(header.path.clone());
        }
        for spec in &header.signals {
            let file = folder.join(&spec.file);
            if spec.format != super::Format::Null && !self.files.contains(&file) {
                self.files.push(file);
            }
        }
        let find =
            |name: &String| header.signals.iter().position(|s| s.name.trim().eq_ignore_ascii_case(name));
        let chosen: Vec<Option<usize>> = settings.channels.iter().map(find).collect();
        // Even segments without the channels are read: a damaged file is not to be passed over in silence.
        let signals = super::read_signals(&header)?;
        let rate = |s: &Signal| s.frequency;
        let there: Vec<&Signal> = chosen.iter().flatten().map(|&i| &signals[i]).collect();
        if there.iter().any(|s| rate(s) != rate(there[0])) {
            let rates: Vec<_> = there.iter().map(|s| format!("{} {} Hz", s.name, s.frequency)).collect();
            return Err(WaveformError::UnequalRates { record: header.path, rates: rates.join(", ") });
        }
        let per_frame = there.first().map_or(1, |s| s.samples_per_frame);
        let n =
            there.first().map_or_else(|| header.n_frames.unwrap_or(segment.n_frames), |s| s.samples.len());
        let start = segment.start * per_frame;
        if n < settings.extent() || there.len() < chosen.len() {
            self.stretch(None, start, n, 0, settings);
            return Ok(());
        }
        let frequency = *self.frequency.get_or_insert(there[0].frequency);
        if frequency != there[0].frequency {
            let rates = format!("{frequency} and {} Hz in segments of one record", there[0].frequency);
            return Err(WaveformError::UnequalRates { record: header.path, rates });
        }
        if self.units.is_empty() {
            self.units = there.iter().map(|s| s.units.clone()).collect();
        }
        let scale = Scale {
            gain: there.iter().map(|s| s.gain).collect(),
            baseline: there.iter().map(|s| f64::from(s.baseline)).collect(),
        };
        let scale = self.scales.iter().position(|s| *s == scale).unwrap_or_else(|| {
            self.scales.push(scale);
            self.scales.len() - 1
        });
        let samples: Vec<&[i32]> = there.iter().map(|s| s.samples.as_slice()).collect();
        self.stretch(Some(&samples), start, n, scale, settings);
        Ok(())
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
