//! Signals in tables and arrays, which say neither sampling rate nor resolution.
//!
//! A table (`.csv`, `.csv.gz`, `.parquet`) has one column per channel and one row per sample. Samples of one
//! value of a column `window`, one below the other, are a stretch by themselves. Where there is a column
//! `time`, in seconds, a stretch ends where it jumps. Where a column names patients (`subject_id`, `patient`,
//! …), a stretch is of one patient.
//!
//! An array (`.npy`) has the shape (samples,), (samples, channels) or (windows, samples, channels), with the
//! channels in the order of the pipeline. Each window is a stretch by itself.

use std::io::{BufReader, Seek as _};
use std::path::Path;

use ndarray::{ArrayD, Axis};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};

use super::WaveformError;
use super::clock::interruptions;
use super::numpy_header;
use super::patient::is_patient_word;
use crate::error::IoError;
use crate::ingest::{Cells, IngestError, Texts, column_names, read_columns};
use crate::plain_file;
use crate::schema::{Kind, Waveform};

/// Column of a table that tells stretches apart.
const WINDOW: &str = "window";
/// Column of a table with the times of its samples in seconds.
const TIME: &str = "time";

/// Uninterrupted samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// First sample in the file.
    pub(super) start: usize,
    /// Samples.
    pub(super) len: usize,
    /// The values of each channel. They are empty for a channel that the file has not.
    pub(super) channels: Vec<Vec<f64>>,
    /// The patient, where a column of the table names patients.
    pub(super) patient: Option<String>,
}

/// What a file holds of the channels asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlainSignals {
    pub(super) stretches: Vec<Stretch>,
    /// Channels the file has not.
    pub(super) absent: Vec<String>,
    /// The columns that it has, where one is absent.
    pub(super) others: Vec<String>,
    /// Whether its numbers are integers, as a converter writes them.
    pub(super) integers: bool,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// How names of such files end.
const ENDINGS: [&str; 4] = [".csv.gz", ".csv", ".parquet", ".npy"];

/// Whether `path` is called like a file of this kind.
pub(super) fn is_plain(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().to_lowercase());
    ENDINGS.iter().any(|end| name.ends_with(end))
}

/// Name of the record in such a file.
pub(super) fn record_name(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let end = ENDINGS.iter().find(|end| name.to_lowercase().ends_with(*end));
    end.map_or(name.clone(), |end| name[..name.len() - end.len()].to_owned())
}

/// Whether a file's name for a channel is the one asked for: letter case, blanks and quotes around it (as
/// PhysioBank writes them) make no difference.
pub(super) fn same_channel(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        let words: Vec<&str> = name.trim_matches(['\'', '"']).split_whitespace().collect();
        words.join(" ").to_lowercase()
    };
    plain(a) == plain(b)
}

/// Reads the channels of a pipeline.
///
/// # Errors
/// [`WaveformError::Table`] for a table that cannot be read, with row and column; [`WaveformError::Array`]
/// for an array that is none, of another shape or of numbers that are not real.
pub(super) fn read(path: &Path, settings: &Waveform) -> Result<PlainSignals, WaveformError> {
    let array = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
    if array { read_array(path, settings) } else { read_table(path, settings) }
}

fn read_table(path: &Path, settings: &Waveform) -> Result<PlainSignals, WaveformError> {
    let names = column_names(path)?;
    // The name as the file spells it.
    let spelt = |name: &str| names.iter().find(|n| same_channel(n, name)).map(String::as_str);
    let has = |name: &str| spelt(name).is_some();
    let (present, absent): (Vec<&String>, Vec<&String>) = settings.channels.iter().partition(|c| has(c));
    let asked_for = |name: &str| present.iter().any(|c| same_channel(c, name));
    let window = spelt(WINDOW).filter(|name| !asked_for(name));
    let patient = names.iter().map(String::as_str).find(|n| is_patient_word(n) && !asked_for(n));
    let mut expected: Vec<(&str, Kind)> =
        present.iter().filter_map(|c| Some((spelt(c)?, Kind::Continuous))).collect();
    let others = if absent.is_empty() { Vec::new() } else { names.clone() };
    if expected.is_empty() {
        let absent = absent.into_iter().cloned().collect();
        return Ok(PlainSignals {
            stretches: Vec::new(),
            absent,
            others,
            integers: false,
            notes: Vec::new(),
        });
    }
    expected.extend([window, patient].into_iter().flatten().map(|name| (name, Kind::Categorical)));
    let time = spelt(TIME).filter(|name| !asked_for(name));
    let mut notes = Vec::new();
    let table = if let Some(time) = time {
        let with_time = [&expected[..], &[(time, Kind::Continuous)]].concat();
        read_columns(path, &with_time).or_else(|error| {
            // Dates as text, say: then the rest must be readable without.
            let table = read_columns(path, &expected).map_err(|_| error)?;
            notes.push(format!("column `{TIME}` does not hold seconds: gaps in it are not looked for"));
            Ok::<_, IngestError>(table)
        })?
    } else {
        read_columns(path, &expected)?
    };
    let n = table.n_records();
    let labels = |name: Option<&str>| {
        table.columns.iter().find_map(|c| match &c.cells {
            Cells::Text(labels) if Some(c.name.as_str()) == name => Some(labels),
            _ => None,
        })
    };
    let (windows, patients) = (labels(window), labels(patient));
    let changes = |of: Option<&Texts>, i: usize| of.is_some_and(|l| l.get(i) != l.get(i - 1));
    let begins = |&i: &usize| i == 0 || changes(windows, i) || changes(patients, i);
    let mut starts: Vec<usize> = (0..n).filter(begins).collect();
    if n == 0 {
        starts.push(0);
    }
    let numbers = |name: &str| {
        table.columns.iter().find_map(|c| match &c.cells {
            Cells::Number(x) if same_channel(&c.name, name) => Some(x),
            _ => None,
        })
    };
    if let (Some(times), Some(frequency)) = (time.and_then(numbers), settings.frequency) {
        let times = times.to_vec();
        let found = interrupted(path, &times, &starts, frequency)?;
        notes.extend(jumps(&times, &found));
        starts.extend(found);
        starts.sort_unstable();
    }
    starts.push(n);
    let stretch = |range: &[usize]| Stretch {
        start: range[0],
        len: range[1] - range[0],
        channels: settings
            .channels
            .iter()
            .map(|name| {
                let mut part = vec![0.0; range[1] - range[0]];
                numbers(name).map_or_else(Vec::new, |x| {
                    x.read(range[0], &mut part);
                    part
                })
            })
            .collect(),
        patient: patients.filter(|_| range[0] < n).and_then(|p| p.get(range[0])).map(str::to_owned),
    };
    let mut stretches: Vec<Stretch> = starts.windows(2).map(stretch).collect();
    for (c, name) in settings.channels.iter().enumerate() {
        notes.extend(mask_codes(name, stretches.iter_mut().filter_map(|s| s.channels.get_mut(c))));
    }
    Ok(PlainSignals {
        stretches,
        absent: absent.into_iter().cloned().collect(),
        others,
        integers: false,
        notes,
    })
}

/// Where the times of the stretches that begin at `starts` jump.
fn interrupted(
    path: &Path,
    times: &[f64],
    starts: &[usize],
    frequency: f64,
) -> Result<Vec<usize>, WaveformError> {
    let ends = starts.iter().skip(1).copied().chain([times.len()]);
    let mut out = Vec::new();
    for (start, end) in starts.iter().copied().zip(ends) {
        match interruptions(&times[start..end], frequency) {
            Ok(found) => out.extend(found.into_iter().map(|i| start + i)),
            Err(found) => return Err(WaveformError::Clock { file: path.to_path_buf(), frequency, found }),
        }
    }
    Ok(out)
}

/// What to say of the places where times jump.
fn jumps(times: &[f64], places: &[usize]) -> Vec<String> {
    // What is no number follows nothing, and is not ahead of it either.
    let (back, ahead): (Vec<usize>, Vec<usize>) = places.iter().partition(|&&i| times[i] <= times[i - 1]);
    let at = |of: &[usize]| match of {
        [only] => format!("in row {}", only + 1),
        of => format!("in {} rows, first in row {}", of.len(), of[0] + 1),
    };
    let mut said = Vec::new();
    if !ahead.is_empty() {
        said.push(format!("`{TIME}` jumps or is missing {}: no window crosses such a place", at(&ahead)));
    }
    if !back.is_empty() {
        said.push(format!(
            "`{TIME}` does not increase {}: a stretch of its own begins there, and if it is of the same time \
             as an earlier one, samples may be in two splits",
            at(&back)
        ));
    }
    said
}

fn read_array(path: &Path, settings: &Waveform) -> Result<PlainSignals, WaveformError> {
    let wrong = |message: String| WaveformError::Array { file: path.to_path_buf(), message };
    let (values, integers) = numbers(path)?;
    let c = settings.channels.len();
    let shape = values.shape().to_vec();
    // All shapes as (windows, samples, channels).
    let values = match shape.as_slice() {
        [_] => values.insert_axis(Axis(0)).insert_axis(Axis(2)),
        [_, _] => values.insert_axis(Axis(0)),
        [_, _, _] => values,
        _ => {
            return Err(wrong(format!(
                "an array of shape {shape:?}; allowed are (samples,), (samples, channels) and (windows, \
                 samples, channels)"
            )));
        }
    };
    if values.shape()[2] != c {
        return Err(wrong(format!(
            "{} channels in shape {shape:?}, the pipeline names {c}: {}",
            values.shape()[2],
            settings.channels.join(", ")
        )));
    }
    let len = values.shape()[1];
    let mut stretches: Vec<Stretch> = values
        .outer_iter()
        .enumerate()
        .map(|(i, window)| Stretch {
            start: i * len,
            len,
            channels: window.axis_iter(Axis(1)).map(|x| x.iter().copied().collect()).collect(),
            patient: None,
        })
        .collect();
    let mut notes = Vec::new();
    for (c, name) in settings.channels.iter().enumerate() {
        notes.extend(mask_codes(name, stretches.iter_mut().map(|s| &mut s.channels[c])));
    }
    Ok(PlainSignals { stretches, absent: Vec::new(), others: Vec::new(), integers, notes })
}

/// Numbers that stand for a missing sample: the smallest of 16 and 32 bits, as WFDB and converters write it,
/// and runs of nines.
const CODES: [f64; 6] = [-32768.0, -2_147_483_648.0, -9999.0, -99999.0, -999.0, 99999.0];

/// Takes a code for missing samples out of a channel, where it lies further from all other values than these
/// lie apart. Returns a sentence with the count.
fn mask_codes<'a>(channel: &str, pieces: impl Iterator<Item = &'a mut Vec<f64>>) -> Option<String> {
    let mut pieces: Vec<&mut Vec<f64>> = pieces.collect();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut counts = [0usize; CODES.len()];
    for x in pieces.iter().flat_map(|p| p.iter()).filter(|x| x.is_finite()) {
        match CODES.iter().position(|code| code == x) {
            Some(k) => counts[k] += 1,
            None => (low, high) = (low.min(*x), high.max(*x)),
        }
    }
    let apart = |code: f64| low <= high && (low - code).max(code - high) > high - low;
    let codes: Vec<usize> = (0..CODES.len()).filter(|&k| counts[k] > 0 && apart(CODES[k])).collect();
    if codes.is_empty() {
        return None;
    }
    for x in pieces.iter_mut().flat_map(|p| p.iter_mut()) {
        if codes.iter().any(|&k| CODES[k] == *x) {
            *x = f64::NAN;
        }
    }
    let n: usize = codes.iter().map(|&k| counts[k]).sum();
    let names: Vec<String> = codes.iter().map(|&k| CODES[k].to_string()).collect();
    let codes = names.join(" and ");
    Some(match n {
        1 => format!("1 sample of `{channel}` is {codes}, far from all others: it is taken as missing"),
        _ => {
            format!("{n} samples of `{channel}` are {codes}, far from all others: they are taken as missing")
        }
    })
}

/// The numbers of an array of any real type, and whether they are integers.
fn numbers(path: &Path) -> Result<(ArrayD<f64>, bool), WaveformError> {
    if let Some(values) = typed::<f64>(path)? {
        return Ok((values, false));
    }
    if let Some(values) = typed::<f32>(path)? {
        return Ok((values.mapv(f64::from), false));
    }
    if let Some(values) = typed::<i16>(path)? {
        return Ok((values.mapv(f64::from), true));
    }
    if let Some(values) = typed::<i32>(path)? {
        return Ok((values.mapv(f64::from), true));
    }
    if let Some(values) = typed::<u8>(path)? {
        return Ok((values.mapv(f64::from), true));
    }
    if let Some(values) = typed::<u16>(path)? {
        return Ok((values.mapv(f64::from), true));
    }
    if let Some(values) = typed::<i64>(path)? {
        return Ok((values.mapv(|x| x as f64), true));
    }
    let message = "its numbers are none of float64, float32, int16, int32, int64, uint8 and uint16".into();
    Err(WaveformError::Array { file: path.to_path_buf(), message })
}

/// The array where its type is `T`.
fn typed<T: ReadableElement>(path: &Path) -> Result<Option<ArrayD<T>>, WaveformError> {
    let mut file = plain_file::open(path).map_err(IoError::on("open", path))?;
    let wrong = |message: String| WaveformError::Array { file: path.to_path_buf(), message };
    // The reader makes room for what the header says before it reads it.
    let size = file.metadata().map_err(IoError::on("read", path))?.len();
    if numpy_header::numbers(&mut file).map_err(IoError::on("read", path))?.is_some_and(|n| n > size) {
        return Err(wrong("it ends before its header says".into()));
    }
    file.rewind().map_err(IoError::on("read", path))?;
    let file = BufReader::new(file);
    match ArrayD::<T>::read_npy(file) {
        Ok(array) => Ok(Some(array)),
        Err(ReadNpyError::WrongDescriptor(_)) => Ok(None),
        Err(ReadNpyError::Io(e)) => Err(IoError::on("read", path)(e).into()),
        Err(ReadNpyError::MissingData) => Err(wrong("it ends before its header says".into())),
        Err(ReadNpyError::ExtraBytes(n)) => Err(wrong(format!("{n} bytes follow its last number"))),
        Err(e) => Err(wrong(e.to_string())),
    }
}
