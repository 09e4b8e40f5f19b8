//! Flows of the records of a table, as the loop trains them.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::adam::{Averaging, Group};
use super::batch::{Batch, shuffled};
use super::data::Source;
use super::progress::Progress;
use super::recipe::{Keep, Recipe, Trained};
use super::schedule::{Schedule, Warmup};
use super::step::{Gradients, mean_log_prob};
use super::trainable::{NotFinite, Step, Trainable, groups};
use super::trainer::train;
use super::{TrainConfig, TrainError};
use crate::flow::Flow;

/// Trains `flow` on `source`.
///
/// `checkpoint` is the folder in which the state is kept. With `resume`, a state found there is continued,
/// and the run ends in the same bytes as if it had never been interrupted. The caller removes the folder once
/// the model is saved.
///
/// # Errors
/// [`TrainError`] for unusable settings or data, for divergence, for an interruption, and for a checkpoint
/// that cannot be used.
pub fn train_source(
    source: &dyn Source,
    flow: Flow<f32>,
    config: &TrainConfig,
    checkpoint: Option<&Path>,
    resume: bool,
    progress: &dyn Progress,
) -> Result<Trained<Flow<f32>>, TrainError> {
    config.check()?;
    for (split, rows, needed) in [("train", source.n_train(), 2), ("validation", source.n_validation(), 1)] {
        if rows < needed {
            return Err(TrainError::TooFewRows { split, rows, needed });
        }
    }
    let started = Instant::now();
    let model = Records::new(source, flow, config)?;
    let run = json!({
        "data": source.fingerprint(),
        "flow": serde_json::to_value(model.flow.config()).expect("invariant: settings are plain values"),
        "train": config.identity(),
    });
    let keep = checkpoint.map(|dir| Keep { dir, run: &run, resume });
    let trained = train(model, &config.recipe(), keep, started, progress)?;
    Ok(trained.map(|model| model.flow))
}

impl TrainConfig {
    /// Number of epochs in which `n` training records are all seen once.
    fn epochs_of(&self, n: usize) -> usize {
        n.div_ceil(self.epoch_records).max(1)
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            schedule: Schedule {
                peak: self.learning_rate,
                warmup: Warmup::Share(self.warmup),
                floor: self.final_rate,
            },
            averaging: Averaging { decay: self.ema_decay, short_at_first: true },
            clip_norm: self.clip_norm,
            max_epochs: self.max_epochs,
            patience: self.patience,
            time_budget_seconds: self.time_budget_seconds,
            checkpoint_epochs: self.checkpoint_epochs,
            checkpoint_seconds: self.checkpoint_seconds,
        }
    }
}

/// A flow with the records that it is trained on.
struct Records<'a> {
    source: &'a dyn Source,
    flow: Flow<f32>,
    config: &'a TrainConfig,
    validation: Vec<Batch>,
    gradients: Gradients,
    batches: usize,
    /// Number of the current epoch, and the noise draw of its records in the order in which they are visited.
    epoch: u64,
    draw: Batch,
}

impl<'a> Records<'a> {
    /// Adapts the flow to the first draw of the training records.
    fn new(source: &'a dyn Source, mut flow: Flow<f32>, config: &'a TrainConfig) -> Result<Self, TrainError> {
        let seed = config.seed.child("validation-noise", 0);
        let mut validation: Vec<Batch> = Vec::new();
        for draw in 0..u64::from(config.validation_draws) {
            let batch = Batch::new("validation", source.validation(seed, draw))?;
            // Data that have no noise give the same vectors in every draw, so one draw is enough.
            if validation.first().is_some_and(|first| first.rows == batch.rows) {
                break;
            }
            validation.push(batch);
        }
        let n = source.n_train();
        let some: Vec<usize> = (0..n).step_by(config.epochs_of(n)).collect();
        let first = Batch::new("train", source.train(&some, config.seed.child("train-noise", 0), 0))?;
        flow.arrange(first.rows.t())?;
        flow.initialize(first.rows.t());
        let gradients = Gradients::new(&flow, config.batch_size.min(n));
        let batches = n.div_ceil(config.batch_size).div_ceil(config.epochs_of(n));
        Ok(Self { source, flow, config, validation, gradients, batches, epoch: 0, draw: Batch::empty() })
    }
}

impl Trainable for Records<'_> {
    fn n_train(&self) -> usize {
        self.source.n_train()
    }

    fn n_validation(&self) -> usize {
        self.source.n_validation()
    }

    fn batches(&self) -> usize {
        self.batches
    }

    fn groups(&self) -> Vec<Group> {
        let config = self.config;
        groups(self.flow.parameter_views(), config.weight_decay as f32, |name| {
            if name.contains(".linear.") {
                config.linear_rate as f32
            } else if name.starts_with("base.") {
                config.base_rate as f32
            } else {
                1.0
            }
        })
    }

    fn parameters(&self) -> &[f32] {
        self.flow.parameters()
    }

    fn set_parameters(&mut self, parameters: &[f32]) {
        self.flow.parameters_mut().copy_from_slice(parameters);
    }

    fn begin(&mut self, epoch: u32) -> Result<(), NotFinite> {
        self.epoch = u64::from(epoch);
        let seed = self.config.seed;
        // The last draw is given back before the next is made, which may be large.
        self.draw = Batch::empty();
        let n = self.source.n_train();
        let epochs = self.config.epochs_of(n);
        let (pass, part) = ((epoch as usize - 1) / epochs, (epoch as usize - 1) % epochs);
        let order = shuffled(n, &mut seed.stream("shuffle", pass as u64 + 1));
        let members = &order[part * n / epochs..(part + 1) * n / epochs];
        let draw = self.source.train(members, seed.child("train-noise", 0), self.epoch);
        self.draw = Batch::new("train", draw).map_err(|_| NotFinite)?;
        Ok(())
    }

    fn step(&mut self, batch: usize) -> Step<'_> {
        // All batches have the same size up to one record, because a small last batch would make a noisy
        // step.
        let n = self.draw.log_noise.len();
        let members: Vec<usize> = (batch * n / self.batches..(batch + 1) * n / self.batches).collect();
        let dropout = self.config.seed.child("dropout", self.epoch);
        let stream = |block| dropout.stream("block", ((batch as u64) << 32) | block);
        let log_prob = self.gradients.compute(&self.flow, &self.draw, &members, stream);
        Step { log_prob, records: members.len(), gradient: &self.gradients.sum, scale: 1.0 }
    }

    fn validation_log_prob(&mut self) -> f64 {
        mean_log_prob(&self.flow, &self.validation)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::super::config::EPOCH_RECORDS;
    use super::super::data::Draw;
    use super::*;
    use crate::flow::FlowConfig;
    use crate::random::Seed;

    /// Each record is its own number.
    struct Numbered(usize);

    impl Source for Numbered {
        fn n_coordinates(&self) -> usize {
            2
        }
        fn n_train(&self) -> usize {
            self.0
        }
        fn n_validation(&self) -> usize {
            1
        }
        fn train(&self, rows: &[usize], _: Seed, _: u64) -> Draw {
            let values = Array2::from_shape_fn((rows.len(), 2), |(i, _)| rows[i] as f64);
            Draw { values, log_noise: Array1::zeros(rows.len()) }
        }
        fn validation(&self, _: Seed, _: u64) -> Draw {
            Draw { values: Array2::zeros((1, 2)), log_noise: Array1::zeros(1) }
        }
        fn fingerprint(&self) -> String {
            self.0.to_string()
        }
    }

    #[test]
    fn the_epochs_of_a_pass_see_every_record_once_and_passes_differ() {
        let (n, config) = (EPOCH_RECORDS + 1_000, TrainConfig::default());
        let source = Numbered(n);
        let flow = FlowConfig { n_features: 2, n_blocks: 1, hidden: 4, ..FlowConfig::default() };
        let flow = crate::train::start_flow(&flow, Seed(1), None).unwrap();
        let mut records = Records::new(&source, flow, &config).unwrap();
        let mut pass = |first: u32| -> Vec<usize> {
            (first..first + 2)
                .flat_map(|epoch| {
                    records.begin(epoch).unwrap();
                    records.draw.rows.column(0).iter().map(|x| *x as usize).collect::<Vec<_>>()
                })
                .collect()
        };
        let (first, second) = (pass(1), pass(3));
        assert_ne!(first, second);
        for mut seen in [first, second] {
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..n));
        }
    }
}
