//! The records a model is asked about: those of its own bundle, of another bundle, or of a table.

use std::path::Path;

use ndarray::Array2;

use crate::artifact::ModelArtifact;
use crate::features::{Bundle, Encoder, FittedColumn};
use crate::ingest::{self, Expected, IngestError};
use crate::message::{Message, Weight, plural};
use crate::schema::Kind;
use crate::schema::Split;

use super::Error;
use super::levels::{self, Gaps};

/// Where records come from.
#[derive(Debug, Clone, Copy)]
pub enum RecordsSource<'a> {
    /// A bundle folder.
    Bundle(&'a Path),
    /// A table with the model's features as columns.
    Table(&'a Path),
}

impl<'a> RecordsSource<'a> {
    /// The bundle or table.
    pub fn path(self) -> &'a Path {
        match self {
            Self::Bundle(path) | Self::Table(path) => path,
        }
    }
}

/// Records in the model's terms.
#[derive(Debug, Clone)]
pub struct Records {
    /// Identifiers, in the source's order.
    pub ids: Vec<String>,
    /// `(n, p)`: numbers and level codes of the model's encoder, NaN where missing.
    pub raw: Array2<f64>,
    /// Splits, when the source is the bundle the model was fitted to.
    pub splits: Option<Vec<Split>>,
    /// What the user should know about them.
    pub messages: Vec<Message>,
}

impl Records {
    /// Reads the records `model` is to judge. Another bundle than the model's own is read by its table, so
    /// that the model's transforms and level codes apply, never the other bundle's.
    ///
    /// # Errors
    /// Unreadable source; columns of the model that the source does not have.
    pub fn read(model: &ModelArtifact, source: RecordsSource<'_>) -> Result<Self, Error> {
        match source {
            RecordsSource::Bundle(dir) => {
                let bundle = Bundle::open(dir)?;
                if bundle.fingerprint() == model.header.bundle_sha256 {
                    model.check_bundle(&bundle)?;
                    return Ok(Self {
                        ids: bundle.record_ids,
                        raw: bundle.raw,
                        splits: Some(bundle.splits),
                        messages: Vec::new(),
                    });
                }
                let terms = model.check_terms(&bundle.manifest)?;
                let records = Self::from_table(model, &dir.join("features.parquet"));
                let mut records = records.map_err(|error| lacking(error, dir))?;
                records.messages.splice(0..0, terms);
                Ok(records)
            }
            RecordsSource::Table(path) => Self::from_table(model, path),
        }
    }

    pub(super) fn from_table(model: &ModelArtifact, path: &Path) -> Result<Self, Error> {
        let table = ingest::read_expected(path, &expected(&model.encoder))?;
        let raw = model.encoder.raw(&table)?;
        if let Some(of_model) = levels::of(model) {
            levels::check(&model.encoder, of_model, raw.view(), 0, Gaps::Refused)?;
        }
        let mut messages = table.audit.messages.0.clone();
        messages.extend(unseen_warnings(&model.encoder, model.encoder.unseen(raw.view())));
        let ids = table.record_ids.iter().map(str::to_owned).collect();
        Ok(Self { ids, raw, splits: None, messages })
    }
}

/// The error of a bundle without some of the columns of a model, which tells of the bundle and not of its
/// files.
pub(super) fn lacking(error: Error, bundle: &Path) -> Error {
    let Error::Ingest(IngestError::MissingColumns(files)) = error else { return error };
    let columns: Vec<String> =
        files.iter().flat_map(|(_, columns)| columns).map(|column| format!("`{column}`")).collect();
    let what = if columns.len() == 1 { "the feature" } else { "the features" };
    Error::Usage {
        message: format!("the bundle {} lacks {what} {} of the model", bundle.display(), columns.join(", ")),
        hint:
            "`score` and `compare` integrate such features out, and so does `flag` with `--reference`, the \
               bundle that the model was fitted on; `report` takes that bundle and the other one as \
               `--input`: or fit a model on the features that both have"
                .into(),
    }
}

/// What to say of levels without a name, by column.
pub(super) fn unseen_warnings(
    encoder: &Encoder,
    mut unseen: Vec<(String, usize)>,
) -> impl Iterator<Item = Message> + use<> {
    let place = |name: &str| encoder.columns.iter().position(|c| c.meta.name == name);
    unseen.sort_by_key(|(column, _)| place(column));
    let message = |(column, count): (String, usize)| {
        let named = place(&column).is_some_and(|at| encoder.columns[at].rare_levels == 0);
        let text = format!(
            "column `{column}`: {} a level {}",
            plural(count, "1 cell holds", &format!("{count} cells hold")),
            if named {
                "the training split never had"
            } else {
                "that no training patient had, or too few to name it"
            }
        );
        Message::column(Weight::Choice, &column, text).counting(count)
    };
    unseen.into_iter().map(message).collect::<Vec<_>>().into_iter()
}

/// The columns a model asks a new table for, in the spelling of its training table.
pub(super) fn expected(encoder: &Encoder) -> Vec<Expected<'_>> {
    fn of(column: &FittedColumn) -> Expected<'_> {
        let FittedColumn { meta, min, max, .. } = column;
        let is_text = meta.kind == Kind::Categorical || !column.levels.is_empty();
        Expected {
            name: &meta.name,
            kind: if is_text { Kind::Categorical } else { meta.kind },
            spelling: &meta.spelling,
            range: (!is_text).then_some((*min, *max)),
        }
    }
    encoder.columns.iter().map(of).collect()
}
