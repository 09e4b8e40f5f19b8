//! Where the numbers of a report come from.

use super::context::{Context, SCORED};
use crate::features::{Manifest, Shape};
use crate::report::data::{Input, Provenance};
use crate::report::format;
use crate::schema::{Split, SplitFractions};

pub(super) fn provenance(context: &Context<'_>) -> Provenance {
    let manifest = &context.bundle.manifest;
    let pipeline = &manifest.pipeline;
    let declared = pipeline.wide.as_ref().is_some_and(|w| w.split.is_some());
    Provenance {
        program_version: env!("CARGO_PKG_VERSION").into(),
        bundle_version: manifest.program_version.clone(),
        pipeline: pipeline.name.clone(),
        pipeline_title: pipeline.title.clone(),
        schema: manifest.schema.as_ref().map_or_else(String::new, |s| s.name.clone()),
        schema_sha256: manifest.schema_sha256.clone(),
        bundle_sha256: context.bundle.fingerprint(),
        seed: manifest.seed,
        draws: context.leading().model.header.score_draws,
        scored: Split::ALL.into_iter().any(|s| context.n(s) > SCORED as u64).then_some(SCORED),
        split_rule: if declared {
            "as the table declares, else by seeded hash of the subject".into()
        } else {
            shares(&pipeline.split)
        },
        splits: context.splits(),
        inputs: manifest
            .inputs
            .iter()
            .enumerate()
            .map(|(k, i)| {
                // Files of recordings are called after them.
                let of_recordings = match manifest.shape {
                    Shape::Table => false,
                    Shape::Windows { .. } | Shape::Grid { .. } => true,
                };
                let hidden = of_recordings && !context.privacy.identifiable();
                let name = if hidden { format!("file {}", k + 1) } else { i.name.clone() };
                Input { name, bytes: i.bytes, sha256: i.sha256.clone() }
            })
            .collect(),
    }
}

/// The pipeline's title; of windows with their channels, which are often not those of the pipeline as it
/// ships.
pub(super) fn title(manifest: &Manifest) -> String {
    let pipeline = &manifest.pipeline;
    let title = if pipeline.title.is_empty() { &pipeline.name } else { &pipeline.title };
    match &manifest.shape {
        Shape::Table => title.clone(),
        Shape::Windows { channels, .. } => format!("{title}: {}", channels.join(", ")),
        Shape::Grid { height, width, channels, levels } => {
            format!("{title}: {height} × {width} pixels, {channels} numbers each, of {levels} levels")
        }
    }
}

fn shares(f: &SplitFractions) -> String {
    let parts = Split::ALL.iter().zip([f.train, f.validation, f.calibration, f.test]);
    let parts: Vec<String> = parts
        .filter(|(_, share)| *share > 0.0)
        .map(|(split, share)| format!("{} % {}", format::significant(100.0 * share, 3), split.name()))
        .collect();
    format!("{}, by seeded hash of the subject", parts.join(", "))
}
