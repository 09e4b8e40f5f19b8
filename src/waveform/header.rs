//! WFDB headers: the text beside signal files that says how to read them (header(5) of the WFDB Applications
//! Guide).

use std::path::{Component, Path, PathBuf};

use super::{Format, WaveformError};
use crate::error::IoError;
use crate::plain_file;

/// ADC units per physical unit where the header names none.
const DEFAULT_GAIN: f64 = 200.0;
/// Samples per second where the header names none.
const DEFAULT_FREQUENCY: f64 = 250.0;

/// A parsed header file.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// File it was read from.
    pub path: PathBuf,
    /// Record name as the header states it.
    pub name: String,
    /// Frames per second.
    pub frequency: f64,
    /// Frames; none when the header leaves it to the signal files.
    pub n_frames: Option<usize>,
    /// Signals of a single-segment record; empty otherwise.
    pub signals: Vec<SignalSpec>,
    /// Segments of a multi-segment record in order, gaps included; empty otherwise.
    pub segments: Vec<SegmentSpec>,
    /// Lines after `#`, in order.
    pub comments: Vec<String>,
    /// What departs from the specification and was read all the same, as sentences without the name of the
    /// file.
    pub notes: Vec<String>,
}

/// One signal line.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalSpec {
    /// Signal file, relative to the header; `~` in layouts.
    pub file: String,
    /// How it stores samples.
    pub format: Format,
    /// Samples of this signal in each frame.
    pub samples_per_frame: usize,
    /// Frames by which the file runs ahead of this signal.
    pub skew: usize,
    /// Bytes before the first sample; samples for FLAC.
    pub offset: u64,
    /// ADC units per physical unit.
    pub gain: f64,
    /// Whether the header states a gain; without one, the amplitudes have no unit.
    pub calibrated: bool,
    /// ADC value of physical zero.
    pub baseline: i32,
    /// Physical unit.
    pub units: String,
    /// First sample, where stated.
    pub initial_value: Option<i32>,
    /// Sum of all samples modulo 2^16, where stated.
    pub checksum: Option<i16>,
    /// Name, such as `ABP`; `signal 1` where the header gives none.
    pub name: String,
}

/// One segment line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSpec {
    /// Record name; none for a gap.
    pub name: Option<String>,
    /// Frames; 0 for a layout.
    pub n_frames: usize,
}

impl Header {
    /// Reads `path`, a `.hea` file.
    ///
    /// # Errors
    /// I/O failures, [`WaveformError::Header`] and [`WaveformError::Format`] with the line.
    pub fn read(path: &Path) -> Result<Self, WaveformError> {
        let bytes = plain_file::read(path).map_err(IoError::on("read", path))?;
        Self::parse(path, &String::from_utf8_lossy(&bytes))
    }

    /// Parses the text of a header; `path` names it in messages.
    ///
    /// # Errors
    /// [`WaveformError::Header`] and [`WaveformError::Format`] with the line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, WaveformError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // Old systems end lines by a carriage return alone.
        let ends: &[char] = if text.contains('\n') { &['\n'] } else { &['\r'] };
        let mut comments = Vec::new();
        let mut lines = Vec::new();
        for (i, line) in text.split(ends).enumerate() {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                comments.push(comment.trim().to_owned());
            } else if !line.is_empty() {
                lines.push(Line { path, number: i + 1, text: line });
            }
        }
        let Some((first, rest)) = lines.split_first() else {
            return Err(Line { path, number: 1, text: "" }.wrong("the header holds no record line"));
        };
        let mut fields = first.text.split_whitespace();
        let (name, n_segments) = first.record_name(fields.next().unwrap_or_default(), rest)?;
        let n_signals: usize = first.parsed("number of signals", fields.next())?;
        let frequency = fields.next().map_or(Ok(DEFAULT_FREQUENCY), |text| first.frequency(text))?;
        let n_frames: Option<usize> =
            fields.next().map(|text| first.parsed("number of samples", Some(text))).transpose()?;
        let mut header = Self {
            path: path.to_path_buf(),
            name,
            frequency,
            n_frames: n_frames.filter(|n| *n > 0),
            signals: Vec::new(),
            segments: Vec::new(),
            comments,
            notes: Vec::new(),
        };
        for (i, line) in rest.iter().enumerate() {
            if n_segments.is_some() {
                header.segments.push(line.segment()?);
            } else {
                header.signals.push(line.signal(i)?);
            }
        }
        let (expected, what) = match n_segments {
            Some(n) => (n, "segments"),
            None => (n_signals, "signals"),
        };
        if rest.len() != expected {
            let message = format!("{expected} {what} are announced, found {} lines", rest.len());
            // A miscounted list that adds up to the length of the record is complete; nothing says so of
            // signals.
            let listed = header.segments.iter().map(|s| s.n_frames).fold(0, usize::saturating_add);
            if listed == 0 || header.n_frames != Some(listed) {
                return Err(first.wrong(message));
            }
            header.notes.push(format!("{message}; these add up to the length of the record and are read"));
        }
        header.check_sums();
        Ok(header)
    }

    /// Writers that do not compute checksums put 0 for all of them, and for the first samples too.
    fn check_sums(&mut self) {
        let stated = |sums: Vec<Option<i64>>| {
            sums.iter().flatten().next().is_some() && sums.iter().all(|s| *s == Some(0))
        };
        let sums = self.signals.iter().map(|s| s.checksum.map(i64::from)).collect();
        if !stated(sums) {
            return;
        }
        let initial = self.signals.iter().map(|s| s.initial_value.map(i64::from)).collect();
        let no_initial = stated(initial) && self.signals.iter().all(|s| s.format != Format::Difference8);
        for signal in &mut self.signals {
            signal.checksum = None;
            if no_initial {
                signal.initial_value = None;
            }
        }
        self.notes
            .push("every checksum of the header is 0: the samples are read without checking them".into());
    }

    /// Names of the segments that the text of a header lists, also where the header is at fault elsewhere:
    /// the segments of a damaged list are no records of their own.
    pub(super) fn listed_segments(path: &Path, text: &str) -> Vec<String> {
        if let Ok(header) = Self::parse(path, text) {
            return header.segments.into_iter().filter_map(|s| s.name).collect();
        }
        let mut lines =
            text.split(['\n', '\r']).map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let record = lines.next().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
        if !record.contains('/') {
            return Vec::new();
        }
        let names = lines.filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "~").map(str::to_owned).collect()
    }

    /// Whether this is a list of segments rather than of signals.
    pub fn is_multi_segment(&self) -> bool {
        !self.segments.is_empty()
    }
}

#[derive(Clone, Copy)]
struct Line<'a> {
    path: &'a Path,
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn wrong(&self, message: impl Into<String>) -> WaveformError {
        WaveformError::Header { file: self.path.to_path_buf(), line: self.number, message: message.into() }
    }

    fn parsed<T: std::str::FromStr>(&self, what: &str, text: Option<&str>) -> Result<T, WaveformError> {
        let Some(text) = text else { return Err(self.wrong(format!("the {what} is missing"))) };
        text.parse().map_err(|_| self.wrong(format!("the {what} must be a number, found `{text}`")))
    }

    /// A whole number, which some writers give decimals (`-12.0`).
    fn whole(&self, what: &str, text: &str) -> Result<i32, WaveformError> {
        let number: f64 = self.parsed(what, Some(text))?;
        if number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number) {
            Ok(number as i32)
        } else {
            Err(self.wrong(format!("the {what} must be a whole number, found `{text}`")))
        }
    }

    /// `name[/segments]`; some writers put a folder before the name, which says nothing.
    fn record_name(&self, text: &str, rest: &[Line<'_>]) -> Result<(String, Option<usize>), WaveformError> {
        let Some((name, last)) = text.rsplit_once('/') else { return Ok((text.to_owned(), None)) };
        let without_folder = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let stem = self.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        // A record called by a number, in a folder: its lines are those of signals, with a format in the
        // second place.
        let signals = rest.iter().all(|line| line.text.split_whitespace().count() > 2);
        if last.parse::<usize>().is_err() || (last == stem && name != stem && !rest.is_empty() && signals) {
            return Ok((last.to_owned(), None));
        }
        let count: usize = self.parsed("number of segments", Some(last))?;
        if count == 0 {
            return Err(self.wrong("a multi-segment record needs at least one segment"));
        }
        Ok((without_folder(name), Some(count)))
    }

    /// `frames/counter(base)`: only the frames matter here.
    fn frequency(&self, text: &str) -> Result<f64, WaveformError> {
        let frames = text.split(['/', '(']).next().unwrap_or_default();
        let frequency: f64 = self.parsed("sampling frequency", Some(frames))?;
        if frequency.is_finite() && frequency > 0.0 {
            Ok(frequency)
        } else {
            Err(self.wrong(format!("the sampling frequency must be above 0, found `{frames}`")))
        }
    }

    fn segment(&self) -> Result<SegmentSpec, WaveformError> {
        let mut fields = self.text.split_whitespace();
        let name = fields.next().unwrap_or_default();
        let n_frames = self.parsed("number of samples of the segment", fields.next())?;
        let name = (name != "~").then(|| self.file_name(name)).transpose()?;
        Ok(SegmentSpec { name, n_frames })
    }

    /// A name below the header's folder: a header is not to point elsewhere.
    fn file_name(&self, name: &str) -> Result<String, WaveformError> {
        if Path::new(name).components().all(|c| matches!(c, Component::Normal(_))) {
            Ok(name.to_owned())
        } else {
            Err(self.wrong(format!("`{name}` lies outside the folder of the header")))
        }
    }

    fn signal(&self, position: usize) -> Result<SignalSpec, WaveformError> {
        let mut rest = self.text;
        let mut next = || {
            let (field, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            rest = after.trim_start();
            (!field.is_empty()).then_some(field)
        };
        let file = self.file_name(next().unwrap_or_default())?;
        let Some(layout) = next() else { return Err(self.wrong("the signal format is missing")) };
        let gain = next();
        let resolution = next();
        let zero = next();
        let initial = next();
        let checksum = next();
        let _block_size = next();
        let (code, samples_per_frame, skew, offset) = self.layout(layout)?;
        let format = Format::from_code(code).ok_or_else(|| WaveformError::Format {
            file: self.path.to_path_buf(),
            line: self.number,
            code: code.to_owned(),
        })?;
        let _: Option<i32> = resolution.map(|t| self.parsed("ADC resolution", Some(t))).transpose()?;
        let zero: i32 = zero.map_or(Ok(0), |t| self.whole("ADC zero", t))?;
        let (gain, baseline, units) = self.gain(gain.unwrap_or("0"))?;
        let calibrated = gain != 0.0;
        let name = if rest.is_empty() { format!("signal {}", position + 1) } else { rest.to_owned() };
        // The sum is written as signed or unsigned, of 16 bits or more.
        let checksum: Option<i64> = checksum.map(|t| self.parsed("checksum", Some(t))).transpose()?;
        Ok(SignalSpec {
            file,
            format,
            samples_per_frame,
            skew,
            offset,
            gain: if calibrated { gain } else { DEFAULT_GAIN },
            calibrated,
            baseline: baseline.unwrap_or(zero),
            units,
            initial_value: initial.map(|t| self.parsed("initial value", Some(t))).transpose()?,
            checksum: checksum.map(|sum| sum as i16),
            name,
        })
    }

    /// `format[xSAMPLES][:SKEW][+OFFSET]`.
    fn layout<'a>(&self, text: &'a str) -> Result<(&'a str, usize, usize, u64), WaveformError> {
        let (text, offset) = text.split_once('+').map_or((text, "0"), |(a, b)| (a, b));
        let (text, skew) = text.split_once(':').map_or((text, "0"), |(a, b)| (a, b));
        let (code, per_frame) = text.split_once('x').map_or((text, "1"), |(a, b)| (a, b));
        let per_frame: usize = self.parsed("number of samples per frame", Some(per_frame))?;
        // A frame is read at once; real records have at most some dozens of samples in one.
        if per_frame == 0 || per_frame > 1 << 20 {
            return Err(
                self.wrong(format!("samples per frame must be from 1 to {}, found {per_frame}", 1 << 20))
            );
        }
        Ok((code, per_frame, self.parsed("skew", Some(skew))?, self.parsed("byte offset", Some(offset))?))
    }

    /// `gain[(baseline)][/units]`; a gain of 0 stands for "not calibrated".
    fn gain(&self, text: &str) -> Result<(f64, Option<i32>, String), WaveformError> {
        let (number, units) = text.split_once('/').map_or((text, "mV"), |(a, b)| (a, b));
        let (gain, baseline) = match number.split_once('(') {
            None => (number, None),
            Some((gain, rest)) => (gain, Some(self.whole("baseline", rest.trim_end_matches(')'))?)),
        };
        let gain: f64 = self.parsed("gain", Some(gain))?;
        if !gain.is_finite() {
            return Err(self.wrong(format!("the gain must be a finite number, found `{gain}`")));
        }
        Ok((gain, baseline, units.to_owned()))
    }
}

#[cfg(test)]
mod tests;
