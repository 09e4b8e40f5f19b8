//! What the records of a model are, beside the names of their features: a record of another bundle can be judged
//! only if it means the same.

use serde::{Deserialize, Serialize};

use super::error::ArtifactError;
use crate::features::{Encoder, Manifest, Shape};
use crate::message::{Message, Weight};
use crate::schema::{PipelineKind, Window};

/// What a record is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// What its features are to each other.
    pub shape: Shape,
    /// Samples per second of its signals, where it is a window of such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<f64>,
    /// Which events count, where it is made of events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

impl Terms {
    /// The terms of a bundle.
    pub fn of(manifest: &Manifest) -> Self {
        let (frequency, window) = match manifest.pipeline.kind() {
            PipelineKind::Windows(waveform) => (waveform.frequency, None),
            PipelineKind::Cohort => (None, Some(manifest.pipeline.window.clone())),
            PipelineKind::Table(_) => (None, None),
        };
        Self { shape: manifest.shape.clone(), frequency, window }
    }

    /// Compares them with those of another bundle, whose features of the same names are to be judged by
    /// `encoder`. Returns what may differ for good reasons.
    ///
    /// # Errors
    /// [`ArtifactError::OtherTerms`] with everything that makes its records other things.
    pub fn check(&self, encoder: &Encoder, other: &Manifest) -> Result<Vec<Message>, ArtifactError> {
        let theirs = Self::of(other);
        let mut differences = Vec::new();
        match (&self.shape, &theirs.shape) {
            (Shape::Table, Shape::Table) => {}
            (a, b) if a == b => {}
            (Shape::Windows { samples: ours, .. }, Shape::Windows { samples, .. }) if ours != samples => {
                differences.push(format!("its windows have {samples} samples, the model's {ours}"));
            }
            (Shape::Windows { past: ours, .. }, Shape::Windows { past, .. }) if ours != past => {
                differences.push(format!("its windows have {past} samples before them, the model's {ours}"));
            }
            (Shape::Windows { .. }, Shape::Windows { .. }) => {
                differences.push("its windows have other channels, or in another order".into());
            }
            (Shape::Table, Shape::Windows { .. }) => {
                differences
                    .push("its records are windows of signals, the model's are rows of a table".into());
            }
            (Shape::Windows { .. }, Shape::Table) => {
                differences
                    .push("its records are rows of a table, the model's are windows of signals".into());
            }
        }
        if let (Some(ours), Some(frequency)) = (self.frequency, theirs.frequency)
            && ours != frequency
        {
            differences.push(format!("its signals have {frequency} samples a second, the model's {ours}"));
        }
        differences.extend(other_units(encoder, &other.encoder));
        if !differences.is_empty() {
            return Err(ArtifactError::OtherTerms { differences });
        }
        let window = self.window.as_ref().zip(theirs.window.as_ref()).filter(|(ours, theirs)| ours != theirs);
        Ok(window.map(|(ours, theirs)| other_window(ours, theirs)).into_iter().collect())
    }
}

/// Features whose unit is another one.
fn other_units(ours: &Encoder, theirs: &Encoder) -> Option<String> {
    const SHOWN: usize = 5;
    let plain = |unit: &str| unit.trim().to_lowercase();
    let differ: Vec<String> = ours
        .columns
        .iter()
        .filter_map(|ours| {
            let theirs = theirs.columns.iter().find(|theirs| theirs.meta.name == ours.meta.name)?;
            let (a, b) = (&ours.meta.unit, &theirs.meta.unit);
            // A unit that one of them does not state may be the same.
            let other = plain(a) != plain(b) && !plain(a).is_empty() && !plain(b).is_empty();
            other.then(|| format!("`{}` is in {b} there and in {a} in the model", ours.meta.name))
        })
        .collect();
    let more = differ.len().saturating_sub(SHOWN);
    let shown = differ.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    (!differ.is_empty()).then(|| if more > 0 { format!("{shown} and {more} more") } else { shown })
}

fn other_window(ours: &Window, theirs: &Window) -> Message {
    let hours = |window: &Window| {
        let mut text = format!("hours {} to {}", window.start_hours, window.end_hours);
        if let Some(step) = window.step_hours {
            text.push_str(&format!(" in steps of {step}"));
        }
        if window.until_end {
            text.push_str(" until the record ends");
        }
        text
    };
    let (a, b) = (hours(theirs), hours(ours));
    let differ = if a == b {
        ", counted from another moment".to_owned()
    } else {
        format!(": {a} there, {b} in the model")
    };
    Message::records(
        Weight::Wrong,
        format!(
            "the records of this bundle are made of other hours than the model's{differ}; features of one name mean \
             something else, so that a surprise may come from that"
        ),
    )
}
