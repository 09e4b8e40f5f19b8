//! Records of a bundle that lacks some features of a model, such as one of another database.

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::features::StoredRecords;
use crate::ingest::{self, Cells, Column};
use crate::message::{Message, Weight, plural};
use crate::schema::Kind;

use super::records::{expected, unseen_warnings};
use super::{Error, Records};

/// Importance samples by which the features that a bundle lacks are integrated out.
pub(super) const SAMPLES: usize = 64;

/// The features of a model that a bundle has.
pub(super) struct SharedFeatures {
    /// One per feature of the model.
    pub(super) wanted: Vec<bool>,
    /// Names of the others.
    pub(super) lacking: Vec<String>,
}

impl SharedFeatures {
    /// What another bundle than the model's own lacks; none where it lacks nothing.
    ///
    /// # Errors
    /// A bundle that cannot be read; one of other units, or that has no feature of the model, or lacks one
    /// that the model is conditioned on.
    pub(super) fn of(model: &ModelArtifact, dir: &Path) -> Result<Option<Self>, Error> {
        let stored = StoredRecords::open(dir)?;
        if stored.fingerprint == model.header.bundle_sha256 {
            return Ok(None);
        }
        let has = |name: &str| stored.manifest.encoder.columns.iter().any(|c| c.meta.name == name);
        let columns = &model.encoder.columns;
        let wanted: Vec<bool> = columns.iter().map(|c| has(&c.meta.name) && !c.context).collect();
        let lacking: Vec<String> =
            columns.iter().filter(|c| !has(&c.meta.name)).map(|c| c.meta.name.clone()).collect();
        if lacking.is_empty() {
            return Ok(None);
        }
        model.check_terms(&stored.manifest)?;
        let given = columns.iter().find(|c| c.context && !has(&c.meta.name));
        if let Some(given) = given {
            return Err(Error::Usage {
                message: format!(
                    "the bundle {} lacks `{}`, on which the model is conditioned",
                    dir.display(),
                    given.meta.name
                ),
                hint: "what a density is conditioned on has to be known; fit one without it".into(),
            });
        }
        if !wanted.contains(&true) {
            return Err(Error::Usage {
                message: format!("the bundle {} has no feature of the model", dir.display()),
                hint: "ask the model about a bundle of its own pipeline".into(),
            });
        }
        Ok(Some(Self { wanted, lacking }))
    }
}

/// The records of a bundle in the model's terms; what it lacks is missing.
///
/// # Errors
/// Those of reading the table of the bundle.
pub(super) fn read_shared(
    model: &ModelArtifact,
    dir: &Path,
    shared: &SharedFeatures,
) -> Result<Records, Error> {
    let here = expected(&model.encoder).into_iter().zip(&model.encoder.columns);
    let here: Vec<_> = here
        .filter(|(_, column)| !shared.lacking.contains(&column.meta.name))
        .map(|(expected, _)| expected)
        .collect();
    let mut table = ingest::read_expected(&dir.join("features.parquet"), &here)?;
    let n = table.n_records();
    for column in model.encoder.columns.iter().filter(|c| shared.lacking.contains(&c.meta.name)) {
        let meta = &column.meta;
        let is_text = meta.kind == Kind::Categorical || !column.levels.is_empty();
        table.columns.push(Column {
            name: meta.name.clone(),
            label: meta.label.clone(),
            group: meta.group.clone(),
            unit: meta.unit.clone(),
            kind: meta.kind,
            resolution: None,
            range: meta.range,
            spelling: meta.spelling.clone(),
            cells: if is_text {
                Cells::Text(vec![None::<String>; n].into())
            } else {
                Cells::Number(vec![f64::NAN; n].into())
            },
        });
    }
    let raw = model.encoder.raw(&table)?;
    let mut messages = table.audit.messages.0.clone();
    messages.extend(unseen_warnings(&model.encoder, model.encoder.unseen(raw.view())));
    let ids = table.record_ids.iter().map(str::to_owned).collect();
    Ok(Records { ids, raw, splits: None, messages })
}

/// What to say of features that are integrated out.
pub(super) fn integrated_out(lacking: &[String], n: usize) -> Message {
    let text = format!(
        "the bundle lacks {} of the {n} features of the model, which {} integrated out: {}",
        lacking.len(),
        plural(lacking.len(), "is", "are"),
        lacking.join(", ")
    );
    Message::records(Weight::LeftOut, text).counting(lacking.len())
}
