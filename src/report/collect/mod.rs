//! From a bundle, its models and their flags to the numbers of the report.

mod calibration;
mod cells;
mod cohort;
mod drift;
mod features;
mod flags;
mod histogram;
mod learned;
mod models;
mod samples;
mod spectrum;
mod verdict;
mod waveform;

use std::collections::BTreeMap;

use ndarray::Array2;

use crate::artifact::{ModelArtifact, Role};
use crate::evaluate::RecordScores;
use crate::features::{Bundle, Shape};
use crate::outlier::{Evaluation, Flags};
use crate::random::Seed;
use crate::schema::{Pipeline, Split, SplitFractions};
use crate::waveform::Normalisation;

use super::data::{FORMAT_VERSION, Input, NamedCount, Provenance, ReportData};
use super::{Privacy, ReportError, format};

pub use drift::Older;

/// What levels are called that no training record had.
const NOT_MET: &str = "not met in training";

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
}

/// Flags of the first model, with what is known about them.
#[derive(Debug, Clone)]
pub struct Flagged {
    /// One row per record judged.
    pub flags: Flags,
    /// What to know about them, as sentences.
    pub warnings: Vec<String>,
    /// False discovery rate asked for.
    pub fdr: f64,
    /// Whether the records are others than the test split.
    pub new_records: bool,
    /// Against known anomalies.
    pub evaluation: Option<Evaluation>,
}

/// A model with its scores of every split.
struct Scored<'a> {
    name: String,
    model: &'a ModelArtifact,
    scores: BTreeMap<Split, RecordScores>,
}

impl Scored<'_> {
    /// What it is in a comparison.
    fn role(&self) -> Role {
        self.model.header.family.kind.definition().role
    }

    /// Mean by which models are chosen: validation if there is one, never the test split.
    fn standing(&self) -> f64 {
        let mean = |s| self.model.metrics.splits.get(&s).map(|m| m.mean_log_prob).filter(|m| m.is_finite());
        mean(Split::Validation).or_else(|| mean(Split::Train)).unwrap_or(f64::NEG_INFINITY)
    }
}

/// What all sections look at.
struct Context<'a> {
    bundle: &'a Bundle,
    privacy: Privacy,
    seed: Seed,
    /// In the order given.
    models: Vec<Scored<'a>>,
    /// Position of the model shown where only one is: the best on validation.
    leading: usize,
    /// Held-out records to compare with: the test split, where it may be looked at.
    test: Option<Split>,
}

impl Context<'_> {
    fn n(&self, split: Split) -> u64 {
        self.bundle.manifest.splits.get(split) as u64
    }

    fn leading(&self) -> &Scored<'_> {
        &self.models[self.leading]
    }

    /// Label of a feature, made unique by its name where two features share one.
    fn labels(&self) -> Vec<String> {
        let columns = &self.bundle.manifest.encoder.columns;
        let given = |j: usize| {
            let meta = &columns[j].meta;
            if meta.label.is_empty() { meta.name.as_str() } else { meta.label.as_str() }
        };
        let mut times: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        for j in 0..columns.len() {
            *times.entry(given(j)).or_default() += 1;
        }
        (0..columns.len())
            .map(|j| {
                if times[given(j)] > 1 {
                    format!("{} [{}]", given(j), columns[j].meta.name)
                } else {
                    given(j).to_owned()
                }
            })
            .collect()
    }

    /// Values of a feature among rows, ascending, missing ones left out.
    fn sorted(raw: &Array2<f64>, feature: usize) -> Vec<f64> {
        let mut values: Vec<f64> = raw.column(feature).iter().copied().filter(|v| !v.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

/// Every number of the report. Deterministic: the same inputs and options give the same data.
///
/// # Errors
/// [`ReportError::NoModel`]; [`ReportError::OtherBundle`] for a model fitted on another bundle.
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
    let privacy = Privacy::new(options.identifiable);
    let names = unique(models.iter().map(|(name, _)| name.clone()).collect());
    let scored: Vec<Scored<'_>> =
        names.into_iter().zip(models).map(|(name, (_, model))| score(name, bundle, model)).collect();
    let leading = (0..scored.len())
        .reduce(|a, b| if scored[b].standing() > scored[a].standing() { b } else { a })
        .unwrap_or(0);
    let n_test = bundle.manifest.splits.get(Split::Test) as u64;
    let test = (n_test >= 2 && privacy.allows(n_test)).then_some(Split::Test);
    let context = Context { bundle, privacy, seed: options.seed, models: scored, leading, test };

    // Thousands of coordinates that are samples of one curve say nothing one by one, nor in pairs.
    let windows = !bundle.manifest.shape().has_separate_features();
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
    let pipeline = &bundle.manifest.pipeline;
    Ok(ReportData {
        format_version: FORMAT_VERSION,
        title: title(pipeline),
        identifiable: options.identifiable,
        verdict,
        provenance: provenance(&context),
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
        drift: older.map(|o| drift::drift(&context, o, options.subjects)),
        waveform: waveform::waveforms(&context, options.scales.as_ref()),
        windows,
    })
}

/// What a reader should know before anything else.
fn warnings(context: &Context<'_>) -> Vec<String> {
    let given = &context.leading().model.header.condition_on;
    let past = context.bundle.manifest.pipeline.waveform.as_ref().map(|w| w.past).filter(|p| *p > 0);
    let conditional = (!given.is_empty()).then(|| {
        if let Some(past) = past {
            return format!(
                "The models are of windows given the {past} samples before each: likelihoods and flags say nothing about those."
            );
        }
        format!(
            "The models are of the other features given {}: likelihoods, samples and flags say nothing about those.",
            given.join(", ")
        )
    });
    let audited = context.bundle.audit.warnings.iter().map(|w| context.privacy.sentence(w));
    conditional.into_iter().chain(audited).collect()
}

/// Training records beyond which they are not scored again: their mean is in the model's metrics, and scoring 30,000 × 200 took
/// longer than all the rest of a page.
const TRAINING_SCORED: usize = 20_000;

fn score<'a>(name: String, bundle: &Bundle, model: &'a ModelArtifact) -> Scored<'a> {
    let mut scores = BTreeMap::new();
    for split in Split::ALL {
        let raw = bundle.raw_of(split);
        let skipped = split == Split::Train && raw.nrows() > TRAINING_SCORED;
        if raw.nrows() > 0 && !skipped {
            scores.insert(split, model.score(raw.view()));
        }
    }
    Scored { name, model, scores }
}

/// Names with a number after those that came before.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut candidate = name.clone();
        let mut number = 2;
        while out.contains(&candidate) {
            candidate = format!("{name} {number}");
            number += 1;
        }
        out.push(candidate);
    }
    out
}

/// Records by split. Small splits would be told by the others and the total, so the largest is blurred.
fn splits(context: &Context<'_>) -> Vec<NamedCount> {
    let present: Vec<Split> = Split::ALL.into_iter().filter(|s| context.n(*s) > 0).collect();
    let (small, rest): (Vec<Split>, Vec<Split>) =
        present.iter().copied().partition(|s| !context.privacy.shows(context.n(*s)));
    let hidden = small.iter().map(|s| context.n(*s)).sum();
    let largest = rest.into_iter().max_by_key(|s| context.n(*s)).filter(|_| !small.is_empty());
    let cell = |s: Split| {
        let n = context.n(s);
        if Some(s) == largest {
            context.privacy.blurred(n, hidden, small.len() as u64)
        } else {
            context.privacy.count(n)
        }
    };
    present.into_iter().map(|s| NamedCount { name: s.name().into(), n: cell(s) }).collect()
}

fn provenance(context: &Context<'_>) -> Provenance {
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
        split_rule: if declared {
            "as the table declares, else by seeded hash of the subject".into()
        } else {
            shares(&pipeline.split)
        },
        splits: splits(context),
        inputs: manifest
            .inputs
            .iter()
            .enumerate()
            .map(|(k, i)| {
                // Files of recordings are called after them.
                let of_recordings = match manifest.shape() {
                    Shape::Table => false,
                    Shape::Windows { .. } => true,
                };
                let hidden = of_recordings && !context.privacy.identifiable();
                let name = if hidden { format!("file {}", k + 1) } else { i.name.clone() };
                Input { name, bytes: i.bytes, sha256: i.sha256.clone() }
            })
            .collect(),
    }
}

/// The pipeline's title; of windows with their channels, which are often not those of the pipeline as it ships.
fn title(pipeline: &Pipeline) -> String {
    let title = if pipeline.title.is_empty() { &pipeline.name } else { &pipeline.title };
    match &pipeline.waveform {
        Some(w) => format!("{title}: {}", w.channels.join(", ")),
        None => title.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_numbered() {
        let names = ["a", "b", "a", "a 2", "a"].map(str::to_owned).to_vec();
        assert_eq!(unique(names), ["a", "b", "a 2", "a 2 2", "a 3"]);
    }
}
