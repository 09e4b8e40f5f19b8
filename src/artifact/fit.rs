//! From a bundle to a model: what `cohort-flow fit` does once its options are resolved.

use std::path::Path;
use std::time::Instant;

use ndarray::Array2;

use super::units::fit_in_any_unit;
use super::{MemberHeader, Model, ModelArtifact, ensemble};
use crate::baseline::{Gmm, GmmConfig, GmmError, GmmTrial, WIDE, fit_gmm};
use crate::error::Hint;
use crate::evaluate::{Standardised, axes, stacked_draws, standardise};
use crate::features::Bundle;
use crate::flow::{BaseKind, Conditioning, FlowConfig};
use crate::random::Seed;
use crate::schema::Split;
use crate::train::{
    BundleSource, FlowKind, HistoryRow, Mixture, Preset, Progress, TrainConfig, TrainError, Trained,
    has_checkpoint, member_dir, remove_checkpoint, start_flow, train_source,
};
use crate::window::WindowError;

/// Rows a mixture is fitted on, at least, as far as more noise draws of the same records can provide them.
const MIXTURE_ROWS: usize = 8_000;
/// Added to each variance of standardised numbers, so that in few rows of many columns distances stay what counts.
const STANDARDISED_RIDGE: f64 = 0.1;
/// Most rows that mixture is fitted on.
const STANDARDISED_ROWS: usize = 10_000;
/// Rows × columns² beyond which fewer rows are taken: expectation maximisation takes that many operations per component
/// and iteration, and 30,000 × 200 took minutes.
const STANDARDISED_WORK: usize = 50_000_000;
/// Most noise draws per record.
const MIXTURE_DRAWS: usize = 8;

/// Noise draws of the validation records that mixtures and weights are chosen on.
const VALIDATION_DRAWS: usize = 4;

/// Failure of a fit.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Of the trainer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Of the mixture.
    #[error(transparent)]
    Gmm(#[from] GmmError),
    /// The model is one of waveform windows, the bundle holds other records.
    #[error("this model is for waveform windows: {0}")]
    NotWindows(String),
}

impl From<WindowError> for FitError {
    fn from(error: WindowError) -> Self {
        match error {
            WindowError::Gmm(e) => Self::Gmm(e),
            WindowError::Train(e) => Self::Train(e),
        }
    }
}

impl Hint for FitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Train(e) => e.hint(),
            Self::Gmm(e) => e.hint(),
            Self::NotWindows(_) => {
                Some("ingest WFDB records with the pipeline waveform-1024 and max_missing=0".into())
            }
        }
    }
}

/// Fits a Gaussian mixture to the training records of `bundle`, its settings chosen on the validation records.
///
/// # Errors
/// Those of [`fit_gmm`].
pub fn fit_mixture_model(bundle: &Bundle, config: &GmmConfig) -> Result<ModelArtifact, GmmError> {
    let started = Instant::now();
    let config = &GmmConfig { context: bundle.manifest.encoder.context_coordinates(), ..config.clone() };
    let (gmm, trials) = search(bundle, config)?;
    Ok(ModelArtifact::from_gmm(bundle, config, gmm, trials, started.elapsed().as_secs_f64()))
}

/// What a fitted density is put together from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnsembleConfig {
    /// Flows, of different seeds; at least 1.
    pub flows: u32,
    /// Whether a Gaussian mixture is a member as well, where one can be fitted.
    pub mixture: bool,
    /// Whether every other flow is autoregressive, from the first on, whatever the configuration says.
    pub alternating: bool,
}

impl EnsembleConfig {
    /// One flow and nothing else.
    pub const SINGLE: Self = Self { flows: 1, mixture: false, alternating: false };

    /// What `preset` makes of `n_train` records of `d` coordinates.
    ///
    /// Mean bound of the validation records (nats) of one flow, one flow on a mixture base, three flows and a mixture, and
    /// the same with mixture bases: 249 × 30 (WDBC, benign) −18.9, −15.5, −10.5, −12.1; 592 × 18 (vehicle) −3.02, −2.94,
    /// −2.26, −2.76; 274 × 8 (Pima) −10.37, –, −9.88, −10.00. Members that differ gain more than a better start, so the
    /// bases stay normal. Two autoregressive flows among the three gain more: public tables, validation, from three couplings
    /// to two autoregressive flows and a coupling, WDBC −3.08 to −1.41, Pima −7.49 to −6.72, vehicle −2.03 to −1.76, phoneme
    /// −1.93 to −1.83, ICU stays of 18 columns −20.02 to −19.93, magic −4.22 to −4.16, satimage 0.50 to 0.53, page-blocks 14.60 to
    /// 14.65, and shuttle 13.46 to 13.44, for 1.4 to 1.9 times the time. Beyond 120,000 training values the two further flows are not worth their time: on 4,804 × 71
    /// (ICU stays) three flows and a mixture took 234 CPU-seconds.
    pub fn of(preset: Preset, n_train: usize, d: usize) -> Self {
        if preset != Preset::Auto || n_train >= 50_000 {
            return Self::SINGLE;
        }
        // Expectation maximisation takes n·d² operations per component and iteration.
        let mixture = n_train * d * d <= 30_000_000;
        let flows = if n_train * d <= 120_000 { 3 } else { 1 };
        Self { flows, mixture, alternating: flows > 1 }
    }
}

/// A fitted member and what it cost.
pub(super) struct Part {
    pub(super) header: MemberHeader,
    pub(super) model: Model,
    pub(super) history: Vec<HistoryRow>,
    /// Training rows seen, and the seconds that took.
    pub(super) rows: f64,
    pub(super) seconds: f64,
}

/// Trains flows on the training records of `bundle`: one, or an ensemble. A mixture base starts from the mixture
/// [`fit_mixture_model`] would find in a shorter search; a resumed run searches it again, so that its model tells of the
/// same search.
///
/// A time budget is that of all members together.
///
/// # Errors
/// Those of [`train_source`] and of the mixture.
#[expect(clippy::too_many_arguments, reason = "what to fit on, what to fit, and where to keep it meanwhile")]
pub fn fit_flow_model(
    bundle: &Bundle,
    kind: FlowKind,
    flow: &FlowConfig,
    config: &TrainConfig,
    ensemble: EnsembleConfig,
    checkpoint: Option<&Path>,
    resume: bool,
    progress: &dyn Progress,
) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    // What an earlier run left must not be taken for this one's, whichever member it is of.
    if let Some(dir) = checkpoint.filter(|_| !resume) {
        remove_checkpoint(dir).map_err(TrainError::from)?;
    }
    let mut searched = None;
    if ensemble.mixture || flow.base != BaseKind::Normal {
        progress.note("fitting a Gaussian mixture to start from");
        let context = bundle.manifest.encoder.context_coordinates();
        let quick = GmmConfig { seed: config.seed, context, ..GmmConfig::quick() };
        match search(bundle, &quick) {
            Ok(found) => searched = Some(found),
            // The flows need no mixture unless their base is one.
            Err(e) if flow.base == BaseKind::Normal => {
                progress.note(&format!("no mixture among the members: {e}"));
            }
            Err(e) => return Err(e.into()),
        }
    }
    let start = |member: u32, seed: Seed| {
        let mut flow = flow.clone();
        flow.context = bundle.manifest.encoder.context_coordinates();
        if ensemble.alternating && member.is_multiple_of(2) {
            flow.conditioning = Conditioning::Autoregressive;
        }
        match (&searched, flow.base) {
            (Some((gmm, _)), BaseKind::Mixture { .. }) => {
                let mixture =
                    Mixture { weights: gmm.weights(), means: gmm.means(), covariances: gmm.covariances() };
                start_flow(&flow, seed, Some(mixture))
            }
            _ => start_flow(&flow, seed, None),
        }
    };
    let before = started.elapsed().as_secs_f64();
    let source = BundleSource::new(bundle);
    let single = ensemble == EnsembleConfig::SINGLE;
    let mut spent = before;
    let mut parts = Vec::new();
    for i in 0..ensemble.flows {
        let seed = if i == 0 { config.seed } else { config.seed.child("member", i.into()) };
        let left = config.time_budget_seconds.map(|b| (b - spent) / f64::from(ensemble.flows - i));
        let config = TrainConfig {
            seed,
            // A member whose turn comes too late still gets its first steps.
            time_budget_seconds: left.map(|s| s.max(0.05)),
            ..config.clone()
        };
        let dir = checkpoint.map(|c| if single { c.to_path_buf() } else { member_dir(c, i) });
        if ensemble.flows > 1 {
            progress.note(&format!("flow {} of {}", i + 1, ensemble.flows));
        }
        // Members whose turn had not come have no state, and that is nothing to report.
        let resume = resume && (i == 0 || dir.as_deref().is_some_and(has_checkpoint));
        let mut trained = train_source(&source, start(i, seed)?, &config, dir.as_deref(), resume, progress)?;
        spent += trained.seconds;
        if single {
            trained.seconds += before;
            let mut artifact = ModelArtifact::from_flow(bundle, kind, &config, trained);
            artifact.header.trials = searched.map(|(_, trials)| trials).unwrap_or_default();
            return Ok(artifact);
        }
        parts.push(Part::of_flow(trained, seed, i + 1));
    }
    if let (true, Some((gmm, _))) = (ensemble.mixture, &searched) {
        parts.push(Part::of_mixture(gmm.clone(), config.seed));
    }
    weigh(bundle, config.seed, &mut parts);
    let mut artifact = ModelArtifact::from_parts(bundle, kind, config, parts, spent);
    artifact.header.trials = searched.map(|(_, trials)| trials).unwrap_or_default();
    Ok(artifact)
}

impl Part {
    fn of_flow(trained: Trained, seed: Seed, number: u32) -> Self {
        let validation_log_prob =
            trained.history.iter().find(|r| r.epoch == trained.best_epoch).map(|r| r.validation_log_prob);
        let header = MemberHeader {
            weight: 1.0,
            flow: Some(trained.flow.config().clone()),
            seed,
            epochs: Some(trained.epochs),
            best_epoch: Some(trained.best_epoch),
            stop: Some(trained.stop),
            validation_log_prob,
        };
        let mut history = trained.history;
        for row in &mut history {
            row.member = number;
        }
        Self {
            header,
            model: Model::Flow(trained.flow),
            history,
            rows: trained.rows_per_second * trained.seconds,
            seconds: trained.seconds,
        }
    }

    fn of_mixture(gmm: Gmm, seed: Seed) -> Self {
        let header = MemberHeader {
            weight: 1.0,
            flow: None,
            seed,
            epochs: None,
            best_epoch: None,
            stop: None,
            validation_log_prob: None,
        };
        Self { header, model: Model::Gmm(Box::new(gmm)), history: Vec::new(), rows: 0.0, seconds: 0.0 }
    }
}

/// Chooses the weights of `parts` on the validation records.
fn weigh(bundle: &Bundle, seed: Seed, parts: &mut [Part]) {
    let raw = bundle.raw_of(Split::Validation);
    let seed = seed.child("ensemble-weights", 0);
    let rows = stacked_draws(&bundle.manifest.encoder, raw.view(), VALIDATION_DRAWS, seed);
    let mut log_prob = Array2::zeros((rows.nrows(), parts.len()));
    for (part, mut column) in parts.iter_mut().zip(log_prob.columns_mut()) {
        column.assign(&part.model.density().log_prob(rows.view()));
    }
    let weights = ensemble::weights(log_prob.view(), raw.nrows());
    parts.iter_mut().zip(weights).for_each(|(part, weight)| part.header.weight = weight);
}

/// The mixture over standardised numbers behind a combined score; none for windows of signals, where a distance over
/// thousands of samples says nothing and costs hours, none where the table holds no numbers or EM fails on them.
pub(super) fn standardised_mixture(bundle: &Bundle, seed: Seed) -> Option<Standardised> {
    let axes = axes(&bundle.manifest.encoder);
    if axes.is_empty() || axes.len() > WIDE || bundle.manifest.pipeline.waveform.is_some() {
        return None;
    }
    let rows = |split| {
        let at = bundle.rows(split);
        let most = (STANDARDISED_WORK / (axes.len() * axes.len())).clamp(500, STANDARDISED_ROWS);
        let step = at.len().div_ceil(most).max(1);
        let chosen: Vec<usize> = at.into_iter().step_by(step).collect();
        standardise(&axes, bundle.raw.select(ndarray::Axis(0), &chosen).view())
    };
    let config = GmmConfig {
        components: vec![1, 2, 4, 8],
        regularisation: vec![STANDARDISED_RIDGE],
        starts: 1,
        seed: seed.child("standardised", 0),
        ..GmmConfig::default()
    };
    let (train, validation) = (rows(Split::Train), rows(Split::Validation));
    match fit_gmm(train.view(), validation.view(), 1, &config) {
        Ok((gmm, _)) => {
            let weights = gmm.weights().to_vec();
            Standardised::new(axes, &weights, gmm.means().view(), gmm.covariances().outer_iter())
        }
        Err(e) => {
            tracing::warn!("outliers are ranked without their distances: {e}");
            None
        }
    }
}

fn search(bundle: &Bundle, config: &GmmConfig) -> Result<(Gmm, Vec<GmmTrial>), GmmError> {
    let encoder = &bundle.manifest.encoder;
    let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
    let draws = (MIXTURE_ROWS / train.nrows().max(1)).clamp(1, MIXTURE_DRAWS);
    let rows = stacked_draws(encoder, train.view(), draws, config.seed.child("train-noise", 0));
    let held_out =
        stacked_draws(encoder, validation.view(), VALIDATION_DRAWS, config.seed.child("validation-noise", 0));
    // Data without noise give one copy of each record, whatever was asked for.
    let copies = rows.nrows() / train.nrows().max(1);
    fit_in_any_unit(rows.view(), held_out.view(), copies, config)
}
