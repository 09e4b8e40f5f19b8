//! From a bundle, its models and their flags to the numbers of the report.

mod apart;
mod calibration;
mod cells;
mod cohort;
mod context;
mod drift;
mod features;
mod flags;
mod groups;
mod histogram;
mod joint;
mod learned;
mod models;
mod pictures;
mod provenance;
mod review;
mod samples;
mod single;
mod spectrum;
mod verdict;
mod waveform;

use crate::artifact::ModelArtifact;
use crate::features::{Bundle, Shape};
use crate::random::Seed;
use crate::waveform::Normalisation;

use super::data::{FORMAT_VERSION, ReportData};
use super::{Privacy, ReportError};
use context::Context;

pub use apart::{CohortOf, apart};
pub use flags::{Flagged, Outcome};
pub use groups::GroupColumn;
pub use joint::{Older, OlderModel};
pub use review::Reviewed;
pub use single::{marginals, missing_values, p_value_shares};

/// Choices of the reader.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// Print record ids and counts of few patients, and mark the page.
    pub identifiable: bool,
    /// Seed of the samples drawn.
    pub seed: Seed,
    /// How waveform windows were normalised, where the bundle holds such.
    pub scales: Option<Normalisation>,
    /// Patients of the bundle, where they are fewer than its records.
    pub subjects: Option<usize>,
    /// Groups whose likelihoods are shown.
    pub groups: Option<GroupColumn>,
    /// Flags that the reader is to mark.
    pub review: Option<Reviewed>,
}

/// Every number of the report. Deterministic: the same inputs and options give the same data.
///
/// # Errors
/// [`ReportError::NoModel`]; [`ReportError::OtherBundle`] for a model fitted on another bundle;
/// [`ReportError::Partial`] for a model of the older cohort that cannot integrate features out.
pub fn collect(
    bundle: &Bundle,
    models: &[(String, ModelArtifact)],
    flagged: Option<&Flagged>,
    older: Option<&Older>,
    options: &ReportOptions,
) -> Result<ReportData, ReportError> {
    if models.is_empty() {
        return Err(ReportError::NoModel);
    }
    let fingerprint = bundle.fingerprint();
    if let Some((name, _)) = models.iter().find(|(_, m)| m.header.bundle_sha256 != fingerprint) {
        return Err(ReportError::OtherBundle { what: format!("model `{name}`") });
    }
    let given = &models[0].1.header.condition_on;
    if let Some((name, _)) = models.iter().find(|(_, m)| m.header.condition_on != *given) {
        return Err(ReportError::OtherContext { first: models[0].0.clone(), second: name.clone() });
    }
    let context = Context::new(bundle, models, Privacy::new(options.identifiable), options.seed);
    // Thousands of coordinates that are samples of one curve say nothing one by one, nor in pairs.
    let windows = !bundle.manifest.shape.has_separate_features();
    let (marginals, correlations) = if windows { (None, None) } else { samples::collect(&context) };
    let calibration = calibration::calibration(&context);
    let features = if windows { Vec::new() } else { features::summaries(&context) };
    let comparison = models::comparison(&context);
    let verdict = verdict::verdict(&verdict::Evidence {
        context: &context,
        comparison: comparison.as_ref(),
        calibration: calibration.as_ref(),
        marginals: marginals.as_ref(),
        features: &features,
        flagged,
    });
    Ok(ReportData {
        format_version: FORMAT_VERSION,
        title: provenance::title(&bundle.manifest),
        identifiable: options.identifiable,
        verdict,
        provenance: provenance::provenance(&context),
        cohort: cohort::cohort(&context),
        features,
        missing: if windows { Vec::new() } else { features::missing(&context) },
        alerts: cohort::alerts(&context),
        warnings: warnings(&context),
        learning: models::learning(&context),
        models: models::summaries(&context),
        comparison,
        likelihood: models::by_split(&context),
        marginals,
        correlations,
        calibration,
        learned: learned::learned(&context),
        outliers: flagged.map(|f| flags::outliers(&context, f, &context.models[0].name)),
        review: options.review.as_ref().map(|r| review::review(&context, r, options.groups.as_ref())),
        drift: older.map(|o| drift::drift(&context, o, options.subjects)).transpose()?,
        groups: options.groups.as_ref().and_then(|g| groups::groups(&context, g, flagged)),
        waveform: waveform::waveforms(&context, options.scales.as_ref()),
        pictures: pictures::pictures(&context),
        windows,
    })
}

/// What a reader should know before anything else.
fn warnings(context: &Context<'_>) -> Vec<String> {
    let given = &context.leading().model.header.condition_on;
    let past = match context.bundle.manifest.shape {
        Shape::Table | Shape::Windows { past: 0, .. } | Shape::Grid { .. } => None,
        Shape::Windows { past, .. } => Some(past),
    };
    let conditional = (!given.is_empty()).then(|| {
        if let Some(past) = past {
            return format!(
                "The models are of windows given the {past} samples before each: likelihoods and \
                 flags say nothing about those."
            );
        }
        format!(
            "The models are of the other features given {}: likelihoods, samples and flags \
             say nothing about those.",
            given.join(", ")
        )
    });
    let audited = context.bundle.audit.messages.iter().map(|m| context.privacy.sentence(&m.text));
    conditional.into_iter().chain(audited).collect()
}
