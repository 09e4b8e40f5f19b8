//! `compare`: two bundles → how far they are apart, and what by.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::artifact::ModelArtifact;
use crate::features::Bundle;
use crate::ingest::{self, Cells};
use crate::message::{Message, Weight};
use crate::partial::{Proposal, marginals};
use crate::random::Seed;
use crate::report::data::Apart;
use crate::report::{self, CohortOf, Older, OlderModel};
use crate::schema::{self, Kind, Split};

use super::report::{count_subjects, name_of};
use super::shared::{SAMPLES, SharedFeatures, read_shared};
use super::{Error, Records, RecordsSource};
use crate::num::moments::mean_and_standard_error;

/// Records of each cohort that are judged by integrating features out, at most. Each takes as many
/// likelihoods as there are samples, and those of an ensemble of flows are slow: a thousand records took over
/// ten minutes.
const MOST: usize = 200;

/// What to compare.
#[derive(Debug, Clone, Copy)]
pub struct CompareRequest<'a> {
    /// The bundle the other is held against.
    pub a: &'a Path,
    /// The other bundle.
    pub b: &'a Path,
    /// Models fitted on A.
    pub models: &'a [&'a Path],
    /// Seed of noise and of samples.
    pub seed: Seed,
}

/// The likelihood of both cohorts by the features that B has, where it has not all of a model.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SharedLikelihood {
    /// The model.
    pub model: String,
    /// Features that are judged.
    pub features: usize,
    /// Features that B lacks, which are integrated out.
    pub integrated_out: Vec<String>,
    /// Records of A that the model was not fitted on.
    pub n_a: usize,
    /// Records of B.
    pub n_b: usize,
    /// Mean log-likelihood of the records of A, in nats of original units.
    pub mean_a: f64,
    /// Of those of B.
    pub mean_b: f64,
    /// B − A.
    pub difference: f64,
    /// Its standard error.
    pub error: f64,
}

/// What came of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Compared {
    /// Both cohorts beside each other.
    #[serde(flatten)]
    pub apart: Apart,
    /// Models of which B lacks features.
    pub shared_likelihood: Vec<SharedLikelihood>,
    /// What the user should know.
    pub messages: Vec<Message>,
}

/// Compares two bundles.
///
/// # Errors
/// Bundles and models that cannot be read; a model that was not fitted on A, or that is of other units.
pub fn compare(request: &CompareRequest<'_>) -> Result<Compared, Error> {
    let (mut a, b) = (Bundle::open(request.a)?, Bundle::open(request.b)?);
    if a.manifest.shape != b.manifest.shape || !a.manifest.shape.has_separate_features() {
        return Err(Error::Usage {
            message: "compare is for two bundles of records with features, and not for windows of signals"
                .into(),
            hint: "`report --compare` compares windows by the likelihood under a model".into(),
        });
    }
    let fingerprint = a.fingerprint();
    let mut messages = Vec::new();
    let mut models = Vec::new();
    let mut shared_likelihood = Vec::new();
    for path in request.models {
        let model = ModelArtifact::load(path)?;
        if model.header.bundle_sha256 != fingerprint {
            return Err(Error::Usage {
                message: format!("model {} was not fitted on {}", path.display(), request.a.display()),
                hint: "name the bundle of the model first: compare A B --model MODEL_OF_A".into(),
            });
        }
        match SharedFeatures::of(&model, request.b)? {
            Some(shared) => {
                shared_likelihood.push(by_shared(&model, name_of(path), &a, request, &shared)?);
            }
            None => {
                let records = Records::read(&model, RecordsSource::Bundle(request.b))?;
                messages.extend(records.messages);
                models.push(OlderModel {
                    name: name_of(path),
                    model,
                    raw: records.raw,
                    wanted: None,
                    lacking: Vec::new(),
                });
            }
        }
    }
    let persons = persons_of(request.a, &a)?;
    let converted = reconcile(&mut a, &b);
    let older =
        Older { name: named(request.a, &a), subjects: count_subjects(request.a, &a)?, bundle: a, models };
    let other = CohortOf {
        name: named(request.b, &b),
        persons: persons_of(request.b, &b)?,
        subjects: count_subjects(request.b, &b)?,
        bundle: &b,
    };
    let apart = report::apart((&older, &persons), &other, converted, request.seed)?;
    if apart.classifier.is_none() {
        let text =
            "no classifier was fitted: it takes 20 patients of each cohort and a feature that both have";
        messages.push(Message::records(Weight::LeftOut, text));
    }
    Ok(Compared { apart, shared_likelihood, messages })
}

/// The folder, and the database that its records are of.
fn named(path: &Path, bundle: &Bundle) -> String {
    match &bundle.manifest.schema {
        Some(schema) => format!("{} ({})", name_of(path), schema.name),
        None => name_of(path),
    }
}

/// Whose each record is, as a number.
fn persons_of(path: &Path, bundle: &Bundle) -> Result<Vec<u64>, Error> {
    let table = ingest::read_columns(&path.join("features.parquet"), &[("subject_id", Kind::Categorical)])?;
    let cells = table.columns.first().map(|column| &column.cells);
    let name = |row: usize| match cells {
        Some(Cells::Text(ids)) => ids.get(row).unwrap_or(&bundle.record_ids[row]),
        _ => &bundle.record_ids[row],
    };
    Ok((0..bundle.record_ids.len()).map(|row| hash(name(row))).collect())
}

fn hash(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    u64::from_le_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

/// Makes the units of A those of B where the dictionary of concepts can; renames features of A in units that
/// do not convert, so that they are not compared. Returns the features converted.
fn reconcile(a: &mut Bundle, b: &Bundle) -> Vec<String> {
    let mut converted = Vec::new();
    for (k, column) in a.manifest.encoder.columns.iter_mut().enumerate() {
        let Some(other) = b.manifest.encoder.columns.iter().find(|c| c.meta.name == column.meta.name) else {
            continue;
        };
        let (from, to) = (column.meta.unit.clone(), other.meta.unit.clone());
        if from == to || from.is_empty() || to.is_empty() {
            continue;
        }
        let feature = a.manifest.pipeline.features.iter().find(|f| f.name == column.meta.name);
        let concept = schema::dictionary().iter().find(|c| {
            Some(&c.variable.name) == feature.map(|f| &f.variable) || c.variable.name == column.meta.name
        });
        let line = concept.and_then(|concept| conversion(&concept.variable, &from, &to));
        match line {
            Some((scale, offset)) => {
                a.raw.column_mut(k).mapv_inplace(|x| x * scale + offset);
                converted.push(format!("{} from {from} to {to}", column.meta.name));
                column.meta.unit = to;
            }
            None => {
                column.meta.name = format!("{} in {from}", column.meta.name);
                column.meta.label = column.meta.name.clone();
            }
        }
    }
    converted
}

/// The line from one unit of a concept to another.
fn conversion(concept: &schema::Variable, from: &str, to: &str) -> Option<(f64, f64)> {
    let to_own = |unit: &str| match concept.conversions.iter().find(|c| c.unit == unit) {
        _ if unit == concept.unit => Some((1.0, 0.0)),
        Some(c) => Some((c.scale, c.offset)),
        None => None,
    };
    let ((scale, offset), (back, shift)) = (to_own(from)?, to_own(to)?);
    (back != 0.0).then(|| (scale / back, (offset - shift) / back))
}

/// Both cohorts under a model by the features that B has.
fn by_shared(
    model: &ModelArtifact,
    name: String,
    a: &Bundle,
    request: &CompareRequest<'_>,
    shared: &SharedFeatures,
) -> Result<SharedLikelihood, Error> {
    let split = [Split::Test, Split::Calibration]
        .into_iter()
        .filter(|s| *s != Split::Calibration || model.header.calibration_folds.is_none())
        .find(|s| a.manifest.splits.get(*s) > 1);
    let Some(split) = split else {
        return Err(Error::Usage {
            message: format!("{} has no records that the model was not fitted on", request.a.display()),
            hint: "make it with a test split".into(),
        });
    };
    let proposal = Proposal::of(model)?;
    let held_out = a.raw_of(split);
    let theirs = read_shared(model, request.b, shared)?;
    let judge = |raw: &ndarray::Array2<f64>| -> Result<Vec<f64>, Error> {
        let raw = raw.slice_axis(ndarray::Axis(0), ndarray::Slice::from(..raw.nrows().min(MOST)));
        Ok(marginals(&proposal, raw, &shared.wanted, SAMPLES, request.seed)?.log_prob)
    };
    let (before, now) = (judge(&held_out)?, judge(&theirs.raw)?);
    let ((mean_a, error_a), (mean_b, error_b)) =
        (mean_and_standard_error(&before), mean_and_standard_error(&now));
    Ok(SharedLikelihood {
        model: name,
        features: shared.wanted.iter().filter(|w| **w).count(),
        integrated_out: shared.lacking.clone(),
        n_a: before.len(),
        n_b: now.len(),
        mean_a,
        mean_b,
        difference: mean_b - mean_a,
        error: error_a.hypot(error_b),
    })
}
