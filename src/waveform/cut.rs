//! Cuts records into windows, segment by segment, so that no window crosses a gap or a change of gain.

use std::collections::HashSet;
use std::path::Path;

use super::cuts::{Cuts, Scale};
use super::digitise::digitise;
use super::patient::of_comment;
use super::record::header_path;
use super::unit::Unit;
use super::{Header, Record, Segment, Signal, SignalSpec, WaveformError, plain};
use crate::plain_file::{Watch, within};
use crate::schema::Waveform;

/// Cuts the windows of one record, segment by segment: none crosses a gap or a change of gain. A table may
/// hold the signals of several patients, who are then records of their own. Links that lead out of
/// `folder`, which the user named, are not followed.
///
/// # Errors
/// Those of the reader; [`WaveformError::UnequalRates`] when the channels of a segment are.
pub(super) fn cut(path: &Path, folder: &Path, settings: &Waveform) -> Result<Vec<Cuts>, WaveformError> {
    if plain::is_plain(path) {
        return cut_plain(path, settings);
    }
    let path = header_path(path)?;
    let watch = Watch::begin(&path);
    let record = Record::open(&path)?;
    // The name of the file is unique in its folder; the name inside may be an old one, since headers are
    // renamed without being rewritten.
    let mut cuts = Cuts::new(stem(&record.header), watch);
    cuts.note(&record.header);
    cuts.stated = record.header.comments.iter().find_map(|c| of_comment(c));
    cuts.segments = record.segments.len() as u64;
    for segment in &record.segments {
        cuts.segment(&record, segment, folder, settings)?;
    }
    Ok(vec![cuts])
}

fn stem(header: &Header) -> String {
    header.path.file_stem().map_or_else(|| header.name.clone(), |s| s.to_string_lossy().into_owned())
}

/// Cuts the windows of a table or array, stretch by stretch.
fn cut_plain(path: &Path, settings: &Waveform) -> Result<Vec<Cuts>, WaveformError> {
    let watch = Watch::begin(path);
    let frequency = settings.frequency.ok_or_else(|| WaveformError::NoFrequency(path.to_path_buf()))?;
    let signals = plain::read(path, settings)?;
    let digitised: Vec<_> = (0..settings.channels.len())
        .map(|c| {
            let pieces: Vec<Vec<f64>> = signals.stretches.iter().map(|s| s.channels[c].clone()).collect();
            digitise(&pieces, signals.integers.then_some(1.0))
        })
        .collect();
    let name = plain::record_name(path);
    let mut notes: Vec<(String, String)> =
        signals.notes.iter().map(|w| (path.display().to_string(), w.clone())).collect();
    for (channel_name, channel) in settings.channels.iter().zip(&digitised) {
        if !channel.digital {
            let sentence =
                format!("values of `{channel_name}` lie on no steps: they are taken as continuous");
            notes.push((format!("`{name}`"), sentence));
        }
    }
    let mut patients: Vec<Option<&String>> = signals.stretches.iter().map(|s| s.patient.as_ref()).collect();
    let mut seen = HashSet::new();
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
        let mut cuts = Cuts::new(record, watch.clone());
        cuts.stated = patient.cloned();
        cuts.frequency = signals.absent.is_empty().then_some(frequency);
        cuts.scales = vec![Scale {
            gain: digitised.iter().map(|c| c.gain).collect(),
            baseline: digitised.iter().map(|c| c.baseline).collect(),
            // A table or array names no unit.
            units: vec![Unit::parse(""); digitised.len()],
        }];
        cuts.others.clone_from(&signals.others);
        cuts.notes = std::mem::take(&mut notes);
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

impl Cuts {
    /// What is odd about a header that was read all the same.
    fn note(&mut self, header: &Header) {
        let file = header.path.display().to_string();
        self.notes.extend(header.notes.iter().map(|note| (file.clone(), note.clone())));
    }

    /// Positions of the channels among the signals of a header; the first where several are called so.
    fn choose(&mut self, header: &Header, settings: &Waveform) -> Vec<Option<usize>> {
        let signals = &header.signals;
        let mut chosen = Vec::with_capacity(settings.channels.len());
        for name in &settings.channels {
            let found: Vec<usize> =
                (0..signals.len()).filter(|&i| plain::same_channel(&signals[i].name, name)).collect();
            if found.len() > 1 {
                let sentence =
                    format!("{} signals are called `{name}`: the first of them is taken", found.len());
                self.notes.push((header.path.display().to_string(), sentence));
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
        named: &Path,
        settings: &Waveform,
    ) -> Result<(), WaveformError> {
        let watch = record.segment_path(segment).map(|path| {
            within(named, &path)?;
            Ok::<_, WaveformError>(Watch::begin(&path))
        });
        let watch = watch.transpose()?;
        let Some(header) = record.segment_header(segment)? else {
            self.gaps += 1;
            return Ok(());
        };
        let folder = header.path.parent().unwrap_or(Path::new(""));
        if record.header.is_multi_segment() {
            self.files.extend(watch);
            self.note(&header);
            if self.stated.is_none() {
                self.stated = header.comments.iter().find_map(|c| of_comment(c));
            }
        }
        for spec in &header.signals {
            let file = folder.join(&spec.file);
            if spec.format != super::Format::Null && !file.is_file() {
                return Err(WaveformError::MissingSignals {
                    record: header.path.clone(),
                    file: spec.file.clone(),
                });
            }
            if spec.format != super::Format::Null && self.files.iter().all(|known| known.path() != file) {
                within(named, &file)?;
                self.files.push(Watch::begin(&file));
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
