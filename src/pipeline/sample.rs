//! `sample`: synthetic records in original units, with missing values.

use std::path::Path;

use ndarray::ArrayView2;

use crate::artifact::ModelArtifact;
use crate::features::{Encoder, FittedColumn};
use crate::ingest::{OutputCells, OutputColumn, write_table};
use crate::output::keep_inputs;
use crate::random::Seed;
use crate::schema::Kind;

use super::Error;
use super::names::listed;

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub struct SampleRequest<'a> {
    /// Model folder.
    pub model: &'a Path,
    /// Number of records.
    pub n: usize,
    /// Table to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Seed.
    pub seed: Seed,
}

/// Draws and writes.
///
/// # Errors
/// A model that cannot be loaded, an output that cannot be written.
pub fn sample(request: &SampleRequest<'_>) -> Result<(), Error> {
    keep_inputs(request.output, [request.model])?;
    sample_of(&ModelArtifact::load(request.model)?, request)
}

/// The same of a model that has been loaded.
pub(super) fn sample_of(model: &ModelArtifact, request: &SampleRequest<'_>) -> Result<(), Error> {
    if !model.header.condition_on.is_empty() {
        return Err(Error::Usage {
            message: format!(
                "this model is of the other features given {}",
                listed(&model.header.condition_on)
            ),
            hint: "name records with --given that have those, and leave the cells to draw empty".into(),
        });
    }
    let nothing = ndarray::Array2::zeros((0, model.encoder.n_features()));
    let decoded = model.sample_records(nothing.view(), request.n, request.seed);
    let ids = (1..=request.n).map(|i| Some(format!("synthetic-{i}"))).collect();
    let mut columns = vec![OutputColumn::new("record_id", OutputCells::Text(ids))];
    columns.extend(decoded_columns(&model.encoder, decoded.view()));
    write_table(request.output, &columns, request.force)?;
    Ok(())
}

/// Records in original units as columns: names for the levels of text, numbers for the rest.
pub(super) fn decoded_columns(encoder: &Encoder, decoded: ArrayView2<'_, f64>) -> Vec<OutputColumn> {
    let of = |(j, fitted): (usize, &FittedColumn)| {
        let values = decoded.column(j);
        let cells = if fitted.meta.kind == Kind::Categorical || !fitted.levels.is_empty() {
            OutputCells::Text(values.iter().map(|&x| encoder.level_name(j, x).map(str::to_owned)).collect())
        } else {
            OutputCells::Number(values.to_vec())
        };
        OutputColumn::new(&fitted.meta.name, cells).spelt(&fitted.meta.spelling)
    };
    encoder.columns.iter().enumerate().map(of).collect()
}
