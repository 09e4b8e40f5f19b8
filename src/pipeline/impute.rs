//! `sample --given`: completions of records whose cells are empty.

use std::path::Path;

use ndarray::ArrayView2;

use crate::artifact::ModelArtifact;
use crate::features::Encoder;
use crate::ingest::{self, OutputCells, OutputColumn, write_table};
use crate::message::{Message, Weight, plural};
use crate::output::{OutputError, keep_inputs};
use crate::partial::{self, Proposal};
use crate::random::Seed;

use super::Error;
use super::gap::{self, Gap};
use super::levels::{self, Gaps};
use super::marginal::{few_samples, few_samples_warning};
use super::names::listed;
use super::records::expected;
use super::sample::decoded_columns;

/// Most cells of a table of completions.
const MOST_CELLS: usize = 1_000_000_000;

/// What to complete.
#[derive(Debug, Clone, Copy)]
pub struct ImputeRequest<'a> {
    /// Model folder.
    pub model: &'a Path,
    /// Table with the model's features as columns, cells to complete being empty.
    pub given: &'a Path,
    /// A rectangle of pixels of pictures that is completed besides the empty cells.
    pub mask: Option<Gap>,
    /// Completions of each record.
    pub n: usize,
    /// Table to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Candidates they are chosen from.
    pub samples: usize,
    /// Seed.
    pub seed: Seed,
}

/// Completes each record and writes the completions, one row each. Returns what the user should know.
///
/// # Errors
/// Columns or categories the model does not know; whatever reading, drawing or writing reports.
pub fn impute(request: &ImputeRequest<'_>) -> Result<Vec<Message>, Error> {
    keep_inputs(request.output, [request.model, request.given])?;
    if !request.force && request.output.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(request.output.to_path_buf()).into());
    }
    impute_by(&ModelArtifact::load(request.model)?, request)
}

/// The same by a model that has been loaded.
pub(super) fn impute_by(model: &ModelArtifact, request: &ImputeRequest<'_>) -> Result<Vec<Message>, Error> {
    let encoder = &model.encoder;
    let expected = expected(encoder);
    let table = ingest::read_only_expected(request.given, &expected)?;
    let mut raw = encoder.raw(&table)?;
    if let Some(mask) = request.mask {
        gap::empty(model, &mut raw, mask)?;
    }
    if let Some(of_model) = levels::of(model) {
        levels::check(encoder, of_model, raw.view(), 0, Gaps::Allowed)?;
    }
    if let Some((row, j)) =
        encoder.context().into_iter().find_map(|j| Some((raw.column(j).iter().position(|x| x.is_nan())?, j)))
    {
        return Err(Error::Usage {
            message: format!(
                "--given: column `{}`: row {} is empty, and the model is conditioned on that column",
                encoder.columns[j].meta.name,
                row + 1
            ),
            hint: format!("fill in {} in every row", listed(&model.header.condition_on)),
        });
    }
    if let Some((column, count)) = encoder.unseen(raw.view()).into_iter().next() {
        let levels = encoder.columns.iter().find(|c| c.meta.name == column).map(|c| listed(&c.levels));
        return Err(Error::Usage {
            message: format!(
                "--given: column `{column}`: {} a category the model does not know",
                plural(count, "1 cell holds", &format!("{count} cells hold"))
            ),
            hint: format!(
                "its categories are {}; leave the cell empty to have one drawn",
                levels.unwrap_or_default()
            ),
        });
    }
    let (n, k) = (raw.nrows(), request.n);
    if n.saturating_mul(k).saturating_mul(expected.len()) > MOST_CELLS {
        return Err(Error::Usage {
            message: format!("--n {k}: {n} records completed so often do not fit into one table"),
            hint: "ask for fewer completions, or split the table".into(),
        });
    }
    let (samples, seed) = (request.samples, request.seed);
    let completed = if let Some(flow) = model.pictures() {
        partial::complete_pictures(flow, raw.view(), k, samples, seed)
    } else if let Some(drawn) = partial::draw_given(model, raw.view(), k, samples, seed) {
        drawn
    } else {
        partial::impute(&Proposal::of(model)?, raw.view(), k, samples, seed)?
    };
    let repeated = |i: usize| i / k;
    let ids = (0..n * k).map(|i| Some(table.record_ids[repeated(i)].to_owned())).collect();
    let mut columns = vec![
        OutputColumn::new("record_id", OutputCells::Text(ids)),
        OutputColumn::new(
            "draw",
            OutputCells::Text((0..n * k).map(|i| Some((i % k + 1).to_string())).collect()),
        ),
        OutputColumn::new(
            "effective_samples",
            OutputCells::Number((0..n * k).map(|i| completed.effective_samples[repeated(i)]).collect()),
        ),
    ];
    columns.extend(decoded_columns(encoder, completed.raw.view()));
    let mut messages = table.audit.messages.0.clone();
    // Pixels have no tails of their own.
    if model.pictures().is_none() {
        messages.extend(unusual_values(encoder, raw.view()));
    }
    messages.extend(few_samples_warning(
        few_samples(&completed.effective_samples),
        n,
        "their completions repeat a few candidates and vary too little",
    ));
    let impossible = completed.effective_samples.iter().filter(|e| **e == 0.0).count();
    if impossible > 0 && model.pictures().is_none() {
        let text = format!(
            "{impossible} of {n} records {} so unusual that the model gives no candidate any weight: their \
             completions are the proposal mixture's, not the model's",
            plural(impossible, "is", "are")
        );
        messages.push(Message::records(Weight::Wrong, text).counting(impossible));
    }
    write_table(request.output, &columns, request.force)?;
    Ok(messages)
}

/// Values given that lie where hardly any training value did: what is drawn beside them rests on no data.
/// Eight nats are one training value in three thousand, extrapolated from the outer quantiles.
fn unusual_values(encoder: &Encoder, raw: ArrayView2<'_, f64>) -> Vec<Message> {
    const RARE: f64 = 8.0;
    let mut messages = Vec::new();
    for (column, values) in encoder.columns.iter().zip(raw.columns()) {
        let beyond = |x: f64| !x.is_nan() && (x < column.min || x > column.max) && column.surprise(x) > RARE;
        let rows: Vec<usize> =
            (0..values.len()).filter(|&i| column.levels.is_empty() && beyond(values[i])).collect();
        if let Some(first) = rows.first() {
            let text = format!(
                "column `{}`: {} of {} records given (the first in row {}) {} unusual, with a value far \
                 beyond those of the training records: what is drawn beside it is extrapolated",
                column.meta.name,
                rows.len(),
                values.len(),
                first + 1,
                plural(rows.len(), "is", "are")
            );
            messages.push(Message::column(Weight::Wrong, &column.meta.name, text).counting(rows.len()));
        }
    }
    messages
}
