//! What the linear layers of the flows became.

use super::context::{Context, Scored};
use crate::flow::LayerInspection;
use crate::flow::window::Span;
use crate::report::data::{Learned, LearnedLayer, LearnedLevels, LevelRow, Mixing};

/// Coordinates beyond which a matrix is not given: its cells could not be told apart.
const MAPPED: usize = 80;
/// Pairs of coordinates named per layer.
const PAIRS: usize = 12;
/// Decimals of the entries of a matrix: finer than any shade.
const DECIMALS: f64 = 1e3;

pub(super) fn learned(context: &Context<'_>) -> Vec<Learned> {
    // An ensemble is shown by its first flow.
    let flows = context
        .models
        .iter()
        .filter_map(|m| Some((m, m.model.model.first_flow()?)))
        // Matrices of windows and pictures are thousands of coordinates wide; the levels of windows have a
        // table of their own.
        .filter(|(_, flow)| flow.config().is_of_vectors());
    flows
        .map(|(scored, flow)| {
            let coordinates = names(context);
            let (layers, fault) = match flow.inspect() {
                Ok(found) => (found.iter().map(|l| layer(l, &coordinates)).collect(), None),
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            Learned {
                model: match scored.model.model.members() {
                    [] => scored.name.clone(),
                    _ => format!("{}, first flow of the ensemble", scored.name),
                },
                kind: scored.model.header.family.kind.to_string(),
                coordinates,
                layers,
                fault,
            }
        })
        .collect()
}

/// Labels of the features, then of the indicators of what is missing.
/// How much the levels of each model's butterflies mix.
pub(super) fn levels(context: &Context<'_>, frequency: Option<f64>) -> Vec<LearnedLevels> {
    let of = |scored: &Scored<'_>| {
        let found = scored.model.model.flow()?.level_mixing();
        let blocks = found.iter().map(|l| l.block + 1).max()?;
        let mut spans: Vec<Span> = Vec::new();
        for level in &found {
            if !spans.contains(&level.span) {
                spans.push(level.span);
            }
        }
        let rows = spans.into_iter().map(|span| LevelRow {
            distance: span.to_string(),
            seconds: match (span, frequency) {
                (Span::Samples(n), Some(f)) => Some(n as f64 / f),
                _ => None,
            },
            mixing: (0..blocks)
                .map(|block| found.iter().find(|l| l.block == block && l.span == span).map(|l| l.mixing))
                .collect(),
        });
        Some(LearnedLevels { model: scored.name.clone(), blocks, rows: rows.collect() })
    };
    context.models.iter().filter_map(of).collect()
}

fn names(context: &Context<'_>) -> Vec<String> {
    let labels = context.labels();
    let indicators = context.bundle.manifest.encoder.indicators.iter().map(|i| {
        let first = i.columns.first().and_then(|&c| labels.get(c)).map_or("?", String::as_str);
        match i.columns.len() {
            0 | 1 => format!("{first} missing"),
            k => format!("{first} and {} more missing", k - 1),
        }
    });
    let indicators: Vec<String> = indicators.collect();
    labels.into_iter().chain(indicators).collect()
}

fn layer(found: &LayerInspection, coordinates: &[String]) -> LearnedLayer {
    let finite = |v: f64| v.is_finite().then_some(v);
    let name = |i: usize| coordinates.get(i).cloned().unwrap_or_else(|| format!("coordinate {}", i + 1));
    let matrix = (found.size <= MAPPED).then(|| {
        let rounded = |v: &f64| (v * DECIMALS).round() / DECIMALS;
        found.matrix.rows().into_iter().map(|row| row.iter().map(rounded).collect()).collect()
    });
    LearnedLayer {
        block: found.block + 1,
        n_parameters: found.n_parameters,
        matrix,
        inputs: found.carried.iter().map(|&i| name(i)).collect(),
        permutation: found.nearest_permutation.clone(),
        distance: finite(found.distance),
        share_on_permutation: finite(found.share_on_permutation),
        n_in_place: found.nearest_permutation.iter().enumerate().filter(|(i, j)| i == *j).count(),
        determinant: finite(found.determinant),
        log_determinant: finite(found.log_abs_determinant),
        condition: finite(found.condition_number),
        strongest: found
            .mixed
            .iter()
            .take(PAIRS)
            .map(|m| Mixing { first: name(m.first), second: name(m.second), strength: m.strength })
            .collect(),
    }
}
