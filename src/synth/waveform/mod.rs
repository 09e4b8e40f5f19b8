//! Pulsatile bedside signals as WFDB records: PLETH and ABP with drift, ectopic beats and artefacts, which
//! are labelled.
//!
//! There is one record per patient, in format 16 at 125 Hz. `events.csv` lists every ectopic beat and
//! artefact with its samples. `anomalies.csv` lists the windows of 1,024 samples that contain one, under the
//! names that the pipeline `waveform-1024` gives them. Nothing in the records is derived from a patient, and
//! nothing about medicine should be concluded from them.

mod artefact;
mod event;
mod pulse;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::SynthError;
use super::draw::Draw;
use crate::error::IoError;
use crate::output::Staged;
use crate::random::Seed;
use artefact::Artefact;
use event::{Event, FREQUENCY};
use pulse::Circulation;

/// Number of samples in each of the windows that `anomalies.csv` lists.
const WINDOW: usize = 1024;
/// For each channel its name, the ADC units per physical unit, the ADC value of zero, and the physical unit.
const CHANNELS: [(&str, f64, i32, &str); 2] = [("PLETH", 1000.0, 0, "NU"), ("ABP", 20.0, -1600, "mmHg")];

/// What to synthesise.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveformConfig {
    /// Number of records, one per patient.
    pub patients: u64,
    /// Length of each record in minutes.
    pub minutes: f64,
    /// Seed of all random numbers.
    pub seed: Seed,
    /// Share of the windows of 1,024 samples in which an artefact is planted.
    pub anomaly_fraction: f64,
    /// Whether to replace an existing output folder.
    pub force: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveformSummary {
    /// Number of records.
    pub records: u64,
    /// Number of samples per channel, over all records.
    pub samples: u64,
    /// Number of artefacts.
    pub artefacts: u64,
    /// Number of ectopic beats.
    pub ectopic: u64,
}

/// Writes the records into the folder `dir`. The folder appears complete or not at all. `progress` is called
/// with the number of records written so far.
///
/// # Errors
/// Settings out of range, an existing output without `force`, and a full or read-only disk.
///
/// # Examples
/// ```
/// use cohort_flow::random::Seed;
/// use cohort_flow::synth::{WaveformConfig, synthesize_waveforms};
///
/// let dir = tempfile::tempdir()?;
/// let config =
///     WaveformConfig { patients: 1, minutes: 1.0, seed: Seed(1), anomaly_fraction: 0.1, force: false };
/// let summary = synthesize_waveforms(&config, &dir.path().join("waves"), &|_| {})?;
/// assert_eq!(summary.samples, 7500);
/// assert!(dir.path().join("waves/w00001.hea").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn synthesize_waveforms(
    config: &WaveformConfig,
    dir: &Path,
    progress: &dyn Fn(u64),
) -> Result<WaveformSummary, SynthError> {
    if config.patients == 0 {
        return Err(SynthError::NoPatients);
    }
    if !(0.0..=1.0).contains(&config.anomaly_fraction) {
        return Err(SynthError::AnomalyFraction(config.anomaly_fraction));
    }
    if !(0.5..=1440.0).contains(&config.minutes) {
        return Err(SynthError::Minutes(config.minutes));
    }
    let staged = Staged::dir(dir, config.force)?;
    let n = (config.minutes * 60.0 * FREQUENCY).round() as usize;
    let mut summary = WaveformSummary { records: 0, samples: 0, artefacts: 0, ectopic: 0 };
    let mut events = String::from("record,kind,channels,start,end\n");
    let mut anomalies = String::from("record_id,kind,variables\n");
    for patient in 1..=config.patients {
        let name = format!("w{patient:05}");
        let mut draw = Draw::new(config.seed.stream("synth/waveform", patient));
        let (mut signals, mut happened) = Circulation::new(&mut draw).signals(n, &mut draw);
        summary.ectopic += happened.len() as u64;
        let artefacts = plant(&mut signals, config.anomaly_fraction, &mut draw);
        summary.artefacts += artefacts.len() as u64;
        label(&name, n, &artefacts, &happened, &mut anomalies);
        happened.extend(artefacts);
        happened.sort_by_key(|e| e.start);
        for e in &happened {
            let line = writeln!(events, "{name},{},{},{},{}", e.kind, e.channels, e.start, e.end);
            line.expect("invariant: writing to a string cannot fail");
        }
        write_record(staged.path(), &name, &signals)?;
        summary.records += 1;
        summary.samples += n as u64;
        progress(patient);
    }
    for (file, text) in [("events.csv", &events), ("anomalies.csv", &anomalies)] {
        let path = staged.path().join(file);
        fs::write(&path, text).map_err(IoError::on("write", &path))?;
    }
    staged.commit()?;
    Ok(summary)
}

/// Plants artefacts in a share of the windows, each within its window. The kinds take turns.
fn plant(signals: &mut [Vec<f64>; 2], share: f64, draw: &mut Draw) -> Vec<Event> {
    let mut planted = Vec::new();
    let first = draw.below(Artefact::ALL.len() as u64) as usize;
    for window in 0..signals[0].len() / WINDOW {
        if !draw.chance(share) {
            continue;
        }
        let artefact = Artefact::ALL[(first + planted.len()) % Artefact::ALL.len()];
        let length = (draw.between(2.0, 6.0) * FREQUENCY) as usize;
        let start = window * WINDOW + draw.below((WINDOW - length) as u64) as usize;
        artefact.apply(signals, start..start + length, draw);
        let (kind, channels) = (artefact.name(), artefact.channels());
        planted.push(Event { kind, channels, start, end: start + length });
    }
    planted
}

/// Appends one line for each window with an event. If a window has both, the artefact is named rather than
/// the ectopic beat.
fn label(record: &str, n: usize, artefacts: &[Event], ectopic: &[Event], out: &mut String) {
    for window in 0..n / WINDOW {
        let range = window * WINDOW..(window + 1) * WINDOW;
        let inside = |e: &&Event| e.start < range.end && e.end > range.start;
        if let Some(e) = artefacts.iter().find(inside).or_else(|| ectopic.iter().find(inside)) {
            writeln!(out, "{record}@{},{},{}", range.start, e.kind, e.channels)
                .expect("invariant: writing to a string cannot fail");
        }
    }
}

fn write_record(dir: &Path, name: &str, signals: &[Vec<f64>; 2]) -> Result<(), SynthError> {
    let n = signals[0].len();
    let digital = |c: usize, x: f64| {
        let (_, gain, baseline, _) = CHANNELS[c];
        // The smallest code means "no valid sample", and a real converter stops above it.
        (x * gain + f64::from(baseline)).round().clamp(-32767.0, 32767.0) as i16
    };
    let mut bytes = Vec::with_capacity(4 * n);
    let (mut sums, mut first) = ([0i16; 2], [0i16; 2]);
    for t in 0..n {
        for (c, signal) in signals.iter().enumerate() {
            let x = digital(c, signal[t]);
            sums[c] = sums[c].wrapping_add(x);
            if t == 0 {
                first[c] = x;
            }
            bytes.extend(x.to_le_bytes());
        }
    }
    let mut header = format!("{name} 2 {FREQUENCY} {n}\n");
    for (c, (label, gain, baseline, units)) in CHANNELS.iter().enumerate() {
        writeln!(header, "{name}.dat 16 {gain}({baseline})/{units} 16 0 {} {} 0 {label}", first[c], sums[c])
            .expect("invariant: writing to a string cannot fail");
    }
    for (ending, bytes) in [("dat", bytes.as_slice()), ("hea", header.as_bytes())] {
        let path = dir.join(format!("{name}.{ending}"));
        fs::write(&path, bytes).map_err(IoError::on("write", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
