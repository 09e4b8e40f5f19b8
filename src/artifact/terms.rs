//! What the records of a model are: units, windows of time, windows of signals. Records of another bundle are
//! told by their names alone, and a column of the same name may hold something else.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::features::{Encoder, Manifest, Shape};
use crate::message::{Message, Weight};
use crate::schema::{Normalise, PipelineKind, Waveform, Window};

use super::ArtifactError;

/// The terms of a bundle that are no part of its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// What the features of a record are to each other.
    pub shape: Shape,
    /// From when to when measurements count; absent for tables and signals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// How signals were cut; absent for tables and cohorts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waveform: Option<Waveform>,
}

/// Differences named in a message; more are counted.
const NAMED: usize = 5;

impl Terms {
    /// The terms of a bundle.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let pipeline = &manifest.pipeline;
        Self {
            shape: manifest.shape.clone(),
            window: matches!(pipeline.kind(), PipelineKind::Cohort).then(|| pipeline.window.clone()),
            waveform: pipeline.waveform.clone(),
        }
    }

    /// Checks that the records of another bundle mean what those of a model do. Returns what a user should
    /// know where that is a matter of judgement. `terms` are absent in models of earlier versions.
    ///
    /// # Errors
    /// [`ArtifactError::OtherTerms`] where units, the size of windows, the sampling rate or the scale of
    /// amplitudes differ.
    pub(super) fn compare(
        terms: Option<&Self>,
        encoder: &Encoder,
        other: &Manifest,
    ) -> Result<Vec<Message>, ArtifactError> {
        let mut differences = units(encoder, &other.encoder);
        let mut messages = Vec::new();
        if let Some(ours) = terms {
            let theirs = Self::of(other);
            if ours.shape != theirs.shape {
                differences.push(format!(
                    "its records are {}, and those of the bundle are {}",
                    described(&ours.shape),
                    described(&theirs.shape)
                ));
            }
            if let (Some(a), Some(b)) = (&ours.waveform, &theirs.waveform) {
                differences.extend(signals(a, b));
                if a.normalise == Normalise::Channel && b.normalise == Normalise::Channel {
                    let text = "amplitudes are in standard deviations of the bundle's own training windows, \
                                and not of those that the model was fitted on: a difference in size or level \
                                does not show; use normalise=none to compare bundles";
                    messages.push(Message::records(Weight::Wrong, text));
                }
            }
            if let (Some(a), Some(b)) = (&ours.window, &theirs.window)
                && a != b
            {
                let text = format!(
                    "the model was fitted on measurements of {}, and those of the bundle are of {}",
                    hours(a),
                    hours(b)
                );
                messages.push(Message::records(Weight::Wrong, text));
            }
        }
        if differences.is_empty() { Ok(messages) } else { Err(ArtifactError::OtherTerms { differences }) }
    }
}

/// Columns whose units differ; the samples of a channel are one.
fn units(ours: &Encoder, theirs: &Encoder) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for a in &ours.columns {
        let Some(b) = theirs.columns.iter().find(|b| b.meta.name == a.meta.name) else { continue };
        if a.meta.unit != b.meta.unit && !a.meta.unit.is_empty() && !b.meta.unit.is_empty() {
            // `II[0017]` is a sample of the channel `II`.
            let name = a.meta.name.split_once('[').map_or(a.meta.name.as_str(), |(channel, _)| channel);
            let name = if name == a.meta.group { name } else { &a.meta.name };
            let text = format!("`{name}` is in {}, and in {} in the bundle", a.meta.unit, b.meta.unit);
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    if more > 0 {
        found.push(format!("{more} more have other units"));
    }
    found
}

fn signals(a: &Waveform, b: &Waveform) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(a), Some(b)) = (a.frequency, b.frequency)
        && (a - b).abs() > 1e-6 * a
    {
        found.push(format!("its signals have {a} samples per second, and those of the bundle {b}"));
    }
    if a.normalise != b.normalise {
        let (a, b) = (a.normalise.name(), b.normalise.name());
        found.push(format!("it was fitted with normalise={a}, and the bundle was made with normalise={b}"));
    }
    found
}

fn described(shape: &Shape) -> String {
    match shape {
        Shape::Table => "rows of a table".into(),
        Shape::Windows { channels, samples, past } => {
            let past = if *past > 0 { format!(" after {past} of the past") } else { String::new() };
            format!("windows of {samples} samples{past} of {}", channels.join(", "))
        }
        Shape::Grid { height, width, channels, levels } => {
            format!("pictures of {height} × {width} pixels, {channels} numbers each, of {levels} levels")
        }
    }
}

fn hours(window: &Window) -> String {
    let mut text = format!("hours {} to {}", window.start_hours, window.end_hours);
    if let Some(step) = window.step_hours {
        write!(text, ", by {step} hours").expect("invariant: a string can be written to");
    }
    if let Some(width) = window.width_hours {
        write!(text, " of {width} hours").expect("invariant: a string can be written to");
    }
    if window.until_end {
        text += ", until the end of the record";
    }
    if window.relative_to.is_some() {
        text += ", from another moment than its start";
    }
    text
}
