//! Records → windows that are complete enough, with a count of the others by reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::digitise::{digitise, scale};
use super::patient::of_comment;
use super::unit::Unit;
use super::{Header, Record, Segment, Signal, SignalSpec, WaveformError, plain};
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
    /// In a unit that cannot be converted into that of the other windows.
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
    /// Past and window, time-major: sample t of channel c at `t·channels + c`; [`Signal::MISSING`] where there is none.
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
    /// Signal files read, in order.
    pub(super) files: Vec<PathBuf>,
    /// What the user should know: a file or record, and a sentence about it.
    pub(super) warnings: Vec<(String, String)>,
}

/// Cuts the windows of one record, segment by segment: none crosses a gap or a change of gain. A table may hold the signals
/// of several patients, who are then records of their own.
///
/// # Errors
/// Those of the reader; [`WaveformError::UnequalRates`] when the channels of a segment are.
pub(super) fn cut(path: &Path, settings: &Waveform) -> Result<Vec<Cuts>, WaveformError> {
    if plain::is_plain(path) {
        return cut_plain(path, settings);
    }
    let record = Record::open(path)?;
    // By the name of the file, which is unique in its folder; headers are renamed without being rewritten.
    let mut cuts = Cuts::new(stem(&record.header), record.header.path.clone());
    cuts.note(&record.header);
    cuts.stated = record.header.comments.iter().find_map(|c| of_comment(c));
    cuts.segments = record.segments.len() as u64;
    for segment in &record.segments {
        cuts.segment(&record, segment, settings)?;
    }
    Ok(vec![cuts])
}

fn stem(header: &Header) -> String {
    header.path.file_stem().map_or_else(|| header.name.clone(), |s| s.to_string_lossy().into_owned())
}

/// Cuts the windows of a table or array, stretch by stretch.
fn cut_plain(path: &Path, settings: &Waveform) -> Result<Vec<Cuts>, WaveformError> {
    let frequency = settings.frequency.ok_or_else(|| WaveformError::NoFrequency(path.to_path_buf()))?;
    let signals = plain::read(path, settings)?;
    let digitised: Vec<_> = (0..settings.channels.len())
        .map(|c| {
            let pieces: Vec<Vec<f64>> = signals.stretches.iter().map(|s| s.channels[c].clone()).collect();
            digitise(&pieces, signals.integers.then_some(1.0))
        })
        .collect();
    let name = plain::record_name(path);
    let mut warnings: Vec<(String, String)> =
        signals.warnings.iter().map(|w| (path.display().to_string(), w.clone())).collect();
    for (channel_name, channel) in settings.channels.iter().zip(&digitised) {
        if !channel.digital {
            let sentence =
                format!("values of `{channel_name}` lie on no steps: they are taken as continuous");
            warnings.push((format!("`{name}`"), sentence));
        }
    }
    let mut patients: Vec<Option<&String>> = signals.stretches.iter().map(|s| s.patient.as_ref()).collect();
    let mut seen = std::collections::HashSet::new();
    patients.retain(|p| seen.insert(*p));
    if patients.is_empty() {
        patients.push(None);
    }
    let several = patients.len() > 1;
    let mut all = Vec::with_capacity(patients.len());
    for patient in patients {
        let record = match patient {
            Some(patient) if several => format!("{name}:{patient}"),
            _ => name.clone(),
        };
        let mut cuts = Cuts::new(record, path.to_path_buf());
        cuts.stated = patient.cloned();
        cuts.frequency = signals.absent.is_empty().then_some(frequency);
        cuts.scales = vec![scale(&digitised)];
        cuts.others.clone_from(&signals.others);
        cuts.warnings = std::mem::take(&mut warnings);
        for (i, stretch) in
            signals.stretches.iter().enumerate().filter(|(_, s)| s.patient.as_ref() == patient)
        {
            let channels: Vec<&[i32]> = digitised.iter().map(|d| d.pieces[i].as_slice()).collect();
            let recorded = signals.absent.is_empty().then_some(channels.as_slice());
            cuts.segments += 1;
            cuts.stretch(recorded, stretch.start, stretch.len, 0, settings);
        }
        all.push(cuts);
    }
    Ok(all)
}

/// Whether a file's name for a channel is the one asked for: letter case and blanks make no difference.
pub(super) fn same_channel(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

impl Cuts {
    fn new(record: String, file: PathBuf) -> Self {
        Self {
            subject: record.clone(),
            record,
            path: file.clone(),
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

    /// What is odd about a header that was read all the same.
    fn note(&mut self, header: &Header) {
        let file = header.path.display().to_string();
        self.warnings.extend(header.notes.iter().map(|note| (file.clone(), note.clone())));
    }

    pub(super) fn drop(&mut self, reason: Reason, n: usize) {
        if n > 0 {
            *self.dropped.entry(reason).or_default() += n as u64;
        }
    }

    /// Positions of the channels among the signals of a header; the first where several are called so.
    fn choose(&mut self, header: &Header, settings: &Waveform) -> Vec<Option<usize>> {
        let signals = &header.signals;
        let mut chosen = Vec::with_capacity(settings.channels.len());
        for name in &settings.channels {
            let found: Vec<usize> =
                (0..signals.len()).filter(|&i| same_channel(&signals[i].name, name)).collect();
            if found.len() > 1 {
                let sentence =
                    format!("{} signals are called `{name}`: the first of them is taken", found.len());
                self.warnings.push((header.path.display().to_string(), sentence));
            }
            if found.is_empty() {
                for signal in signals.iter().filter(|s| !self.others.contains(&s.name)).collect::<Vec<_>>() {
                    self.others.push(signal.name.clone());
                }
            }
            chosen.push(found.first().copied());
        }
        chosen
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
            self.note(&header);
            if self.stated.is_none() {
                self.stated = header.comments.iter().find_map(|c| of_comment(c));
            }
        }
        for spec in &header.signals {
            let file = folder.join(&spec.file);
            if spec.format != super::Format::Null && !self.files.contains(&file) {
                self.files.push(file);
            }
        }
        let chosen = self.choose(&header, settings);
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
        let spec = |i: &usize| &header.signals[*i];
        let scale = Scale {
            units: chosen.iter().flatten().map(spec).map(unit).collect(),
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

fn unit(spec: &SignalSpec) -> Unit {
    if spec.calibrated { Unit::parse(&spec.units) } else { Unit::uncalibrated() }
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
