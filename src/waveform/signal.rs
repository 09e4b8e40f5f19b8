//! Signal files of one segment → samples, checked against the header.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::format::GROUP;
use super::{Format, Header, SignalSpec, WaveformError};
use crate::error::IoError;
use crate::plain_file;

/// Samples decoded at a time.
const BLOCK: usize = 1 << 16;

/// One signal of a segment in ADC units.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Name, such as `ABP`.
    pub name: String,
    /// Physical unit.
    pub units: String,
    /// ADC units per physical unit.
    pub gain: f64,
    /// ADC value of physical zero.
    pub baseline: i32,
    /// Samples per second.
    pub frequency: f64,
    /// Samples per frame.
    pub samples_per_frame: usize,
    /// ADC values; [`Signal::MISSING`] where the file holds none or the format's code for an invalid sample.
    pub samples: Vec<i32>,
}

impl Signal {
    /// Stands for a missing sample. The code of format 32; no other format reaches it.
    pub const MISSING: i32 = i32::MIN;

    /// An ADC value in physical units, NaN when missing.
    pub fn physical(&self, sample: i32) -> f64 {
        if sample == Self::MISSING {
            f64::NAN
        } else {
            (f64::from(sample) - f64::from(self.baseline)) / self.gain
        }
    }
}

/// Signals of a file, which lie interleaved in it.
struct Group<'a> {
    header: &'a Header,
    path: PathBuf,
    signals: &'a [SignalSpec],
}

/// Reads all signals of a single-segment record.
///
/// # Errors
/// I/O failures; [`WaveformError::Truncated`], [`WaveformError::Disagrees`] and [`WaveformError::Flac`] when
/// a signal file is not what the header says.
pub fn read_signals(header: &Header) -> Result<Vec<Signal>, WaveformError> {
    let dir = header.path.parent().unwrap_or(Path::new(""));
    let mut out: Vec<Signal> = Vec::with_capacity(header.signals.len());
    let mut rest = header.signals.as_slice();
    while let Some(first) = rest.first() {
        let n = rest.iter().take_while(|s| s.file == first.file && s.format == first.format).count();
        let (signals, after) = rest.split_at(n);
        rest = after;
        let group = Group { header, path: dir.join(&first.file), signals };
        out.extend(group.read()?);
    }
    let frames = |s: &Signal| s.samples.len() / s.samples_per_frame;
    for (signal, spec) in out.iter().zip(&header.signals) {
        let expected = header.n_frames.unwrap_or_else(|| frames(&out[0]));
        if frames(signal) != expected {
            return Err(WaveformError::Disagrees {
                file: dir.join(&spec.file),
                signal: spec.name.clone(),
                what: "samples",
                expected: expected.to_string(),
                found: frames(signal).to_string(),
            });
        }
    }
    Ok(out)
}

impl Group<'_> {
    fn read(&self) -> Result<Vec<Signal>, WaveformError> {
        let format = self.signals[0].format;
        let mut samples = match format {
            Format::Null => {
                let frames = self.header.n_frames.unwrap_or(0);
                self.signals.iter().map(|s| vec![Signal::MISSING; frames * s.samples_per_frame]).collect()
            }
            _ if format.is_flac() => self.read_flac()?,
            _ => self.read_plain(format)?,
        };
        if format == Format::Difference8 {
            for (spec, samples) in self.signals.iter().zip(&mut samples) {
                let mut value = spec.initial_value.unwrap_or(0);
                for sample in samples {
                    value = value.wrapping_add(*sample);
                    *sample = value;
                }
            }
        }
        let signals = self.signals.iter().zip(samples);
        signals.map(|(spec, samples)| self.finish(spec, samples)).collect()
    }

    fn disagrees(
        &self,
        spec: &SignalSpec,
        what: &'static str,
        expected: String,
        found: String,
    ) -> WaveformError {
        WaveformError::Disagrees { file: self.path.clone(), signal: spec.name.clone(), what, expected, found }
    }

    /// Checks a signal as the file holds it, then undoes the skew and marks invalid samples.
    fn finish(&self, spec: &SignalSpec, mut samples: Vec<i32>) -> Result<Signal, WaveformError> {
        if spec.format != Format::Null {
            if let Some(expected) = spec.checksum {
                let found = samples.iter().fold(0i16, |sum, &x| sum.wrapping_add(x as i16));
                if found != expected {
                    return Err(self.disagrees(spec, "checksum", expected.to_string(), found.to_string()));
                }
            }
            // The first sample of format 8 is the initial value plus the first difference. Of one that is
            // invalid nothing is known, and writers state 0.
            if let (Some(expected), Some(&found)) = (spec.initial_value, samples.first())
                && spec.format != Format::Difference8
                && expected != found
                && Some(found) != spec.format.invalid()
            {
                return Err(self.disagrees(spec, "first sample", expected.to_string(), found.to_string()));
            }
        }
        if let Some(invalid) = spec.format.invalid() {
            for sample in &mut samples {
                if *sample == invalid {
                    *sample = Signal::MISSING;
                }
            }
        }
        let skew = (spec.skew.saturating_mul(spec.samples_per_frame)).min(samples.len());
        if skew > 0 {
            samples.rotate_left(skew);
            let n = samples.len();
            samples[n - skew..].fill(Signal::MISSING);
        }
        Ok(Signal {
            name: spec.name.clone(),
            units: spec.units.clone(),
            gain: spec.gain,
            baseline: spec.baseline,
            frequency: self.header.frequency * spec.samples_per_frame as f64,
            samples_per_frame: spec.samples_per_frame,
            samples,
        })
    }

    fn read_plain(&self, format: Format) -> Result<Vec<Vec<i32>>, WaveformError> {
        let fail = |action| IoError::on(action, &self.path);
        let mut file = plain_file::open(&self.path).map_err(fail("open"))?;
        let size = file.metadata().map_err(fail("read"))?.len();
        let offset = self.signals[0].offset;
        let found = size.saturating_sub(offset);
        let per_frame: usize = self.signals.iter().map(|s| s.samples_per_frame).sum();
        let frames = match self.header.n_frames {
            Some(frames) => frames,
            // The header leaves it open: there are as many as the file holds, counted by the longest whole
            // group.
            None => usize::try_from(samples_in(format, found) / per_frame as u64).unwrap_or(usize::MAX),
        };
        let needed = format.bytes(frames as u64 * per_frame as u64);
        // The size comes before the memory: a header may announce anything.
        if needed > found {
            return Err(WaveformError::Truncated { file: self.path.clone(), frames, needed, found });
        }
        // Without checksums the length is all there is to compare; writers pad to whole groups.
        let unchecked = self.signals.iter().all(|s| s.checksum.is_none());
        if unchecked && found > needed + format.bytes(per_frame as u64) + 4 {
            let holds = samples_in(format, found) / per_frame as u64;
            return Err(self.disagrees(&self.signals[0], "samples", frames.to_string(), holds.to_string()));
        }
        file.seek(SeekFrom::Start(offset)).map_err(fail("read"))?;
        let mut out: Vec<Vec<i32>> =
            self.signals.iter().map(|s| Vec::with_capacity(frames * s.samples_per_frame)).collect();
        let block = (BLOCK / per_frame / GROUP).max(1) * GROUP;
        let (mut bytes, mut flat) = (Vec::new(), Vec::with_capacity(block * per_frame));
        let mut done = 0;
        while done < frames {
            let n = block.min(frames - done);
            let size = format.bytes((n * per_frame) as u64) as usize;
            bytes.resize(size, 0);
            file.read_exact(&mut bytes).map_err(fail("read"))?;
            flat.clear();
            format.decode(&bytes, n * per_frame, &mut flat);
            let mut at = 0;
            for (spec, out) in self.signals.iter().zip(&mut out) {
                let k = spec.samples_per_frame;
                if per_frame == 1 {
                    out.extend_from_slice(&flat);
                } else if k == 1 {
                    out.extend(flat.iter().skip(at).step_by(per_frame));
                } else {
                    flat.chunks_exact(per_frame).for_each(|frame| out.extend_from_slice(&frame[at..at + k]));
                }
                at += k;
            }
            done += n;
        }
        Ok(out)
    }

    /// A FLAC stream has one channel per signal; samples of a frame follow each other.
    fn read_flac(&self) -> Result<Vec<Vec<i32>>, WaveformError> {
        let wrong = |message: String| WaveformError::Flac { file: self.path.clone(), message };
        let file = plain_file::open(&self.path).map_err(IoError::on("open", &self.path))?;
        let mut reader = claxon::FlacReader::new(BufReader::new(file)).map_err(|e| wrong(e.to_string()))?;
        let info = reader.streaminfo();
        let (n, k) = (self.signals.len(), self.signals[0].samples_per_frame);
        if info.channels as usize != n {
            return Err(wrong(format!("{n} channels are announced by the header, found {}", info.channels)));
        }
        let bits = self.signals[0].format.bits();
        if info.bits_per_sample != bits {
            return Err(wrong(format!(
                "{bits} bits are announced by the header, found {}",
                info.bits_per_sample
            )));
        }
        if self.signals.iter().any(|s| s.samples_per_frame != k) {
            return Err(wrong("its signals have different numbers of samples per frame".into()));
        }
        let offset = usize::try_from(self.signals[0].offset).unwrap_or(usize::MAX);
        let wanted = self.header.n_frames.map(|frames| frames.saturating_mul(k));
        let mut out: Vec<Vec<i32>> = vec![Vec::new(); n];
        let mut blocks = reader.blocks();
        let mut buffer = Vec::new();
        let mut skip = offset;
        while wanted.is_none_or(|wanted| out[0].len() < wanted) {
            let Some(block) = blocks.read_next_or_eof(buffer).map_err(|e| wrong(e.to_string()))? else {
                break;
            };
            let from = skip.min(block.duration() as usize);
            skip -= from;
            for (channel, out) in out.iter_mut().enumerate() {
                out.extend_from_slice(&block.channel(channel as u32)[from..]);
            }
            buffer = block.into_buffer();
        }
        if let Some(wanted) = wanted {
            if out[0].len() < wanted {
                let found = format!("{} of {wanted} samples per signal are there", out[0].len());
                return Err(wrong(found));
            }
            for samples in &mut out {
                samples.truncate(wanted);
            }
        }
        let whole = out[0].len() / k * k;
        for samples in &mut out {
            samples.truncate(whole);
        }
        Ok(out)
    }
}

/// Samples that `bytes` bytes hold.
fn samples_in(format: Format, bytes: u64) -> u64 {
    match format {
        Format::Packed212 => bytes / 3 * 2 + u64::from(bytes % 3 == 2),
        Format::Packed310 | Format::Packed311 => bytes / 4 * 3 + [0, 0, 1, 1][(bytes % 4) as usize],
        _ => bytes / format.bytes(1).max(1),
    }
}

#[cfg(test)]
mod tests;
