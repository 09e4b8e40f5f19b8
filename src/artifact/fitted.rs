//! A fitted model, evaluated and calibrated, and what can be asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ndarray::{ArrayView2, Axis};

use super::effort::Effort;
use super::error::ArtifactError;
use super::estimator::{Fitted, Training};
use super::header::Header;
use super::metrics::{Metrics, peak_memory_bytes};
use super::model::Model;
use super::standardised::standardised_mixture;
use super::terms::Terms;
use crate::density::Density;
use crate::evaluate::DRAWS;
use crate::evaluate::{
    Landmarks, MEASURED_NUMBERS, PICTURE_SHARE, RecordScores, Score, ScoreKind, ScoreNoise, SplitMetrics,
    choose_draws, draws_for, score_records_by, split_metrics,
};
use crate::features::{Bundle, DrawsBy, Encoder, Manifest, Shape, level_code};
use crate::grid::GridFlow;
use crate::message::{Message, Weight, counted};
use crate::random::Seed;
use crate::schema::Split;
use crate::train::HistoryRow;

/// Noise of a record's score, in nats, from which on it is worth a word.
const NOISY: f64 = 0.1;
/// The same as a share of how much the scores of records differ.
const NOISY_SHARE: f64 = 0.05;

/// A fitted model with all that is needed to use it without its bundle.
#[derive(Debug, Clone)]
pub struct ModelArtifact {
    /// What it is and how it came about.
    pub header: Header,
    /// Maps records to vectors and back.
    pub encoder: Encoder,
    /// The density.
    pub model: Arc<dyn Model>,
    /// Score (the header's) of each record of the calibration split, in the bundle's order.
    pub calibration: Vec<f64>,
    /// Level of the column [`Header::calibrate_by`] names, of each of those records; empty without such a
    /// column.
    pub calibration_groups: Vec<i64>,
    /// The same records under the scores a user can choose instead.
    pub other_calibrations: BTreeMap<ScoreKind, Vec<f64>>,
    /// What the draws of the noise hang on; not part of the folder, whose calibration is that of the default.
    pub draws_by: DrawsBy,
    /// Held-out likelihoods and cost.
    pub metrics: Metrics,
    /// One row per epoch of each member; empty for mixtures.
    pub history: Vec<HistoryRow>,
}

impl ModelArtifact {
    /// The model of a density that was fitted to `bundle`: evaluated on every split, and calibrated on the
    /// calibration split.
    pub fn of(bundle: &Bundle, fitted: Fitted) -> Self {
        Self::of_until(bundle, fitted, None)
    }

    /// The same with as much effort as is possible until a deadline, if there is one.
    pub(super) fn of_until(bundle: &Bundle, fitted: Fitted, deadline: Option<Instant>) -> Self {
        let Fitted { account, model, members, history, seconds, training_rows, training_seconds } = fitted;
        let epochs = |training: Option<Training>| training.map(|t| t.epochs);
        let trained: Vec<u32> = if members.is_empty() {
            epochs(account.training).into_iter().collect()
        } else {
            members.iter().filter_map(|(_, account)| epochs(account.training)).collect()
        };
        let metrics = Metrics {
            train_seconds: seconds,
            epochs: (!trained.is_empty()).then(|| trained.iter().sum()),
            rows_per_second: (training_seconds > 0.0).then(|| training_rows / training_seconds),
            ..Metrics::default()
        };
        let mut artifact = Self {
            header: Header::of(bundle, account, members),
            encoder: bundle.manifest.encoder.clone(),
            model,
            calibration: Vec::new(),
            calibration_groups: Vec::new(),
            other_calibrations: BTreeMap::new(),
            draws_by: DrawsBy::default(),
            metrics,
            history,
        };
        // Scores beside the likelihood know nothing of a context: they would call a record unusual for what
        // is given.
        let conditional = !artifact.header.condition_on.is_empty();
        let mut landmarks = if conditional { None } else { landmarks(bundle) };
        let seed = artifact.header.seed;
        let mut mixture = if conditional {
            None
        } else {
            standardised_mixture(bundle, seed, &mut artifact.metrics.messages)
        };
        let (effort, noise) = artifact.measure(bundle, deadline);
        artifact.header.score_draws = noise.map_or(DRAWS, |noise| noise.draws);
        artifact.metrics.score_noise = noise;
        if let Some(noise) = noise.filter(|noise| noise.median_sd > NOISY.max(NOISY_SHARE * noise.spread)) {
            let text = format!(
                "the log-likelihood of a record has a noise of its own of {:.2} nats (median) with {}; \
                 score --draws N takes more",
                noise.median_sd,
                counted(noise.draws, "draw", "draws")
            );
            artifact.metrics.messages.push(Message::records(Weight::Wrong, text).counting(noise.draws));
        }
        let mut splits = BTreeMap::new();
        let mut scaled = false;
        for split in Split::ALL {
            let raw = bundle.raw_of(split);
            if raw.nrows() == 0 {
                continue;
            }
            let raw = match effort.rows(split, raw.nrows()) {
                Some(rows) => raw.select(Axis(0), &rows),
                None => raw,
            };
            let scores = match split {
                // Only its mean is told, and over many records a few draws each will do.
                Split::Train => {
                    let few = draws_for(raw.nrows(), artifact.encoder.n_coordinates());
                    artifact.score_with(
                        raw.view(),
                        artifact.header.score_draws.min(few),
                        artifact.score_seed(),
                    )
                }
                _ => artifact.score(raw.view()),
            };
            let of_shape = |metrics: SplitMetrics| match bundle.manifest.shape {
                Shape::Table | Shape::Windows { .. } => metrics,
                Shape::Grid { .. } => metrics.of_pictures(raw.ncols()),
            };
            splits.extend(split_metrics(&scores).map(|metrics| (split, of_shape(metrics))));
            // Scales read from validation records keep the calibration exactly valid; they come first in
            // `ALL`.
            let scaling = split == Split::Validation || (split == Split::Calibration && !scaled);
            if scaling && !conditional {
                artifact.header.score = match bundle.manifest.shape {
                    Shape::Table | Shape::Windows { .. } => Score::combined(
                        &artifact.encoder,
                        raw.view(),
                        &scores,
                        landmarks.take(),
                        mixture.take(),
                    ),
                    Shape::Grid { width, channels, .. } => {
                        Score::of_pictures(width * channels, channels, raw.view(), &scores)
                    }
                };
                scaled = true;
            }
            if split == Split::Calibration {
                artifact.calibration = artifact.unusualness(raw.view(), &scores);
                for kind in ScoreKind::ALL.into_iter().skip(1) {
                    if let Some(score) = artifact.header.score.choose(kind) {
                        let values = score.of_all(&artifact.encoder, raw.view(), &scores);
                        artifact.other_calibrations.insert(kind, values);
                    }
                }
            }
        }
        artifact.header.n_parameters = artifact.density().n_parameters();
        artifact.metrics = Metrics {
            model: artifact.header.family.kind,
            n_features: artifact.encoder.n_features(),
            n_coordinates: artifact.encoder.n_coordinates(),
            n_parameters: artifact.header.n_parameters,
            seed: artifact.header.seed.0,
            peak_memory_bytes: peak_memory_bytes(),
            shares: artifact.header.shares(),
            splits,
            ..artifact.metrics
        };
        artifact
    }

    /// The density, on vectors of [`Encoder::encode`].
    pub fn density(&self) -> &dyn Density {
        self.model.as_ref()
    }

    /// The model as a causal flow of pictures.
    pub fn pictures(&self) -> Option<&GridFlow> {
        self.model.pictures()
    }

    /// Scores records exactly as the calibration records were scored: the same number of draws, of the same
    /// seed.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`].
    pub fn score(&self, raw: ArrayView2<'_, f64>) -> RecordScores {
        self.score_with(raw, self.header.score_draws, self.score_seed())
    }

    /// Scores records with other draws than the calibration records were scored with.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`].
    pub fn score_with(&self, raw: ArrayView2<'_, f64>, draws: usize, seed: Seed) -> RecordScores {
        score_records_by(self.draws_by, self.density(), &self.encoder, raw, draws, seed)
    }

    /// How well records can be scored, and the score's own noise, measured on records that the model was not
    /// fitted on, as far as there are some.
    fn measure(&self, bundle: &Bundle, deadline: Option<Instant>) -> (Effort, Option<ScoreNoise>) {
        let held_out = [Split::Validation, Split::Calibration, Split::Test, Split::Train];
        let raw = held_out.into_iter().map(|split| bundle.raw_of(split)).find(|raw| raw.nrows() > 0);
        let full = Effort::full(bundle);
        let Some(raw) = raw else { return (full, None) };
        let (density, encoder, raw) = (self.density(), &self.encoder, raw.view());
        let effort = match deadline {
            Some(deadline) => Effort::until(deadline, bundle, density, encoder, raw),
            None => full,
        };
        let numbers = effort.numbers.unwrap_or(MEASURED_NUMBERS);
        let share = if bundle.manifest.shape.is_pictures() { PICTURE_SHARE } else { 0.0 };
        let noise = choose_draws(density, encoder, raw, effort.draws, numbers, share, self.header.seed);
        (effort, Some(noise))
    }

    /// How unusual records are, by the header's score: what is ranked against the calibration records.
    ///
    /// # Shapes
    /// `raw: (n, p)` as given by [`Encoder::raw`]; `scores`: of the same n records → n values
    pub fn unusualness(&self, raw: ArrayView2<'_, f64>, scores: &RecordScores) -> Vec<f64> {
        self.header.score.of_all(&self.encoder, raw, scores)
    }

    /// The score of this name and those of the calibration records; nothing where the model holds none.
    pub fn calibrated(&self, kind: ScoreKind) -> Option<(Score, &[f64])> {
        match kind {
            // The default, whatever it is in a model of an earlier version.
            ScoreKind::Combined => Some((self.header.score.clone(), &self.calibration)),
            other => Some((self.header.score.choose(other)?, self.other_calibrations.get(&other)?)),
        }
    }

    /// Calibrates each level of a text column by itself from now on.
    ///
    /// `rows` are those of the calibration records in `bundle`, in the order of their scores.
    pub fn calibrate_by(&mut self, bundle: &Bundle, column: usize, rows: &[usize]) {
        self.header.calibrate_by = Some(self.encoder.columns[column].meta.name.clone());
        self.calibration_groups = rows.iter().map(|&i| level_code(bundle.raw[[i, column]])).collect();
    }

    /// Takes the calibration scores of `folds`, models fitted each without the records they were calibrated
    /// on, for its own: a cross-conformal calibration.
    ///
    /// A score of one fold means the same in another because each is on the scale of the validation records
    /// under its own model. A score that some fold lacks is left out.
    pub fn calibrate_across(&mut self, folds: &[Self]) {
        let of_all = |kind| folds.iter().map(move |f| f.other_calibrations.get(&kind));
        self.calibration = folds.iter().flat_map(|f| f.calibration.iter().copied()).collect();
        self.other_calibrations = ScoreKind::ALL
            .into_iter()
            .filter(|&kind| self.header.score.choose(kind).is_some())
            .filter_map(|kind| {
                Some((
                    kind,
                    of_all(kind).collect::<Option<Vec<_>>>()?.into_iter().flatten().copied().collect(),
                ))
            })
            .collect();
        self.header.calibration_folds = Some(folds.len() as u32);
    }

    /// Position of the column that calibration goes by, and the level of each calibration record.
    pub fn grouping(&self) -> Option<(usize, &[i64])> {
        let name = self.header.calibrate_by.as_ref()?;
        let column = self.encoder.columns.iter().position(|c| c.meta.name == *name)?;
        Some((column, &self.calibration_groups))
    }

    /// Seed of the noise draws behind every score of this model.
    pub fn score_seed(&self) -> Seed {
        self.header.seed.child("score", 0)
    }

    /// Checks that the model speaks of the coordinates of `bundle`.
    ///
    /// # Errors
    /// [`ArtifactError::OtherColumns`] with the coordinates only one of them has.
    pub fn check_bundle(&self, bundle: &Bundle) -> Result<(), ArtifactError> {
        self.check_encoder(&bundle.manifest.encoder)
    }

    /// Checks that the records of another bundle than the model's own mean what those of the model do.
    /// Returns what a user should know where that is a matter of judgement.
    ///
    /// # Errors
    /// [`ArtifactError::OtherTerms`] where units, the size of windows, the sampling rate or the scale of
    /// amplitudes differ.
    pub fn check_terms(&self, other: &Manifest) -> Result<Vec<Message>, ArtifactError> {
        Terms::compare(self.header.terms.as_ref(), &self.encoder, other)
    }

    /// Checks that the model speaks of the coordinates of a bundle's encoder.
    ///
    /// # Errors
    /// As [`check_bundle`](Self::check_bundle).
    pub fn check_encoder(&self, encoder: &Encoder) -> Result<(), ArtifactError> {
        let (ours, theirs) = (&self.header.coordinates, encoder.coordinate_names());
        if *ours == theirs {
            return Ok(());
        }
        let without = |a: &[String], b: &[String]| a.iter().filter(|x| !b.contains(x)).cloned().collect();
        Err(ArtifactError::OtherColumns {
            only_model: without(ours, &theirs),
            only_bundle: without(&theirs, ours),
        })
    }
}

/// What distances are measured from; nothing for windows of signals, where a distance over thousands of
/// samples says nothing.
fn landmarks(bundle: &Bundle) -> Option<Landmarks> {
    let separate = bundle.manifest.shape.has_separate_features();
    separate.then(|| Landmarks::fit(&bundle.manifest.encoder, bundle.raw_of(Split::Train).view())).flatten()
}
