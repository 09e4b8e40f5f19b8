//! Windows of all records → one row per window, normalised and on one resolution.
//!
//! Amplitudes are normalised as x ↦ (x − centre)/scale with centre and scale of the channel over training
//! windows, and lie on a lattice whose step is that of the ADC. Records differ in gain, and so in step; a
//! column has one resolution, the coarsest of the windows that are kept, and finer recordings are rounded to
//! it. With one gain, the usual case within a record, that changes nothing.

use std::path::Path;

use super::WaveformError;
use super::account::{fingerprints, flow, nothing_left, segments, windows};
use super::cuts::{Cuts, Reason};
use super::divide::{self, Divided};
use super::gather::{Gathered, gather};
use super::normalise::{ChannelScale, Normalisation, RecordScale, cells, places};
use crate::ingest::{Audit, Cells, Column, RecordTable, Spelling, Subjects};
use crate::num::quantile::median;
use crate::schema::{Kind, Normalise, Pipeline, SplitBy, Waveform};

/// Reads the records of `input` and cuts them into windows, time-major: sample t of channel c is column
/// t·channels + c, called `ABP[0017]`. The samples of the past come before it, those of `ABP[-0001]` last.
///
/// `input` is a WFDB record, a table or array of signals, or a folder of either.
///
/// Of a folder, records that cannot be read or lack a channel are left out and counted; a single record is an
/// error.
///
/// # Errors
/// [`WaveformError`]; [`WaveformError::NoWindows`] with the counts when nothing is left.
pub fn read_windows(
    pipeline: &Pipeline,
    settings: &Waveform,
    input: &Path,
) -> Result<(RecordTable, Normalisation), WaveformError> {
    let Gathered { records: mut kept, audit: records, variables, messages } = gather(settings, input)?;
    let inputs = fingerprints(&kept)?;
    drop_coarse(&mut kept, settings);
    let divided = match settings.split_by {
        SplitBy::Record => divide::by_patient(kept, pipeline),
        SplitBy::Time => kept.into_iter().map(|cuts| divide::in_time(cuts, pipeline, settings)).collect(),
    };
    let tables = vec![records, segments(&divided), windows(&divided)];
    let audit = Audit {
        inputs,
        cohort: flow(&divided),
        tables,
        variables,
        messages: messages.into(),
        ..Audit::default()
    };
    if divided.iter().all(|d| d.cuts.windows.is_empty()) {
        return Err(nothing_left(settings, &audit));
    }
    Ok(table(divided, settings, audit))
}

/// Leaves out windows of a coarser step than most of their record, then records coarser than most.
fn drop_coarse(records: &mut [Cuts], settings: &Waveform) {
    for channel in 0..settings.channels.len() {
        for cuts in records.iter_mut() {
            let usual = usual_step(cuts, channel);
            let before = cuts.windows.len();
            let Cuts { windows, scales, .. } = cuts;
            windows.retain(|w| scales[w.scale].step(channel) <= settings.max_step * usual);
            cuts.drop(Reason::Coarse, before - cuts.windows.len());
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
                cuts.drop(Reason::Coarse, n);
            }
        }
    }
}

fn usual_step(cuts: &Cuts, channel: usize) -> f64 {
    let steps: Vec<f64> = cuts.windows.iter().map(|w| cuts.scales[w.scale].step(channel)).collect();
    if steps.is_empty() { 0.0 } else { median(&steps) }
}

fn table(divided: Vec<Divided>, settings: &Waveform, audit: Audit) -> (RecordTable, Normalisation) {
    let channels = settings.channels.len();
    let places = places(&divided, settings);
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
                spelling: Spelling::undeclared(),
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
    // Windows of one patient in every split are what a split by time asks for: the subject is then the
    // window.
    let by_time = settings.split_by == SplitBy::Time;
    let subjects = if by_time {
        Subjects::Records
    } else {
        Subjects::Named(subject_ids.into_iter().map(Some).collect())
    };
    let splits = by_time.then_some(splits);
    (
        RecordTable { record_ids: record_ids.into(), subjects, splits, columns, labels: Vec::new(), audit },
        normalisation,
    )
}

#[cfg(test)]
mod tests;
