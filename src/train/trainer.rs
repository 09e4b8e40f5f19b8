//! The training loop: batches, steps, validation, roll-back and checkpoints.
//!
//! A run is a sequence of epochs. Its whole state between two epochs is a [`State`]: a roll-back returns to
//! the state before the epoch, a checkpoint is that state on disk, and an interrupted epoch is simply
//! repeated. All random numbers of an epoch come from streams that are named by the number of the epoch, so a
//! repeated epoch is the same epoch.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::adam::{AdamW, Average, Group, clip_factor, norm};
use super::batch::{Batch, shuffled};
use super::checkpoint::{self, State};
use super::data::Source;
use super::groups::groups;
use super::progress::{EpochReport, Progress, StartReport};
use super::schedule::{EarlyStopping, Schedule};
use super::step::{Gradients, mean_log_prob};
use super::{HistoryRow, TrainConfig, TrainError};
use crate::flow::Flow;

/// Number of roll-backs after which a run counts as diverged. The learning rate is then 1/256 of the
/// configured one.
const MAX_ROLLBACKS: u32 = 8;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Validation did not improve for `patience` epochs.
    EarlyStopping,
    /// The run reached `max_epochs`.
    MaxEpochs,
    /// The time budget is spent.
    TimeBudget,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The flow with the weights that had the best validation value.
    pub flow: Flow<f32>,
    /// One row per epoch.
    pub history: Vec<HistoryRow>,
    /// Number of epochs run.
    pub epochs: u32,
    /// Epoch that the weights are from.
    pub best_epoch: u32,
    /// Why the run ended.
    pub stop: Stop,
    /// Wall-clock seconds, including the seconds before a resume.
    pub seconds: f64,
    /// Training records per second.
    pub rows_per_second: f64,
}

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
) -> Result<Trained, TrainError> {
    config.check()?;
    for (split, rows, needed) in [("train", source.n_train(), 2), ("validation", source.n_validation(), 1)] {
        if rows < needed {
            return Err(TrainError::TooFewRows { split, rows, needed });
        }
    }
    Run::new(source, flow, config, checkpoint, progress)?.run(resume)
}

struct Run<'a> {
    source: &'a dyn Source,
    config: &'a TrainConfig,
    checkpoint: Option<&'a Path>,
    progress: &'a dyn Progress,
    flow: Flow<f32>,
    groups: Vec<Group>,
    schedule: Schedule,
    identity: Value,
    validation: Vec<Batch>,
    gradients: Gradients,
    batches: usize,
    started: Instant,
    /// Seconds spent by earlier processes, before this one resumed the run.
    earlier: f64,
}

/// How an epoch ended.
enum Epoch {
    Done { log_prob: f64, gradient_norm: f64, clipped: f64, learning_rate: f64, out_of_time: bool },
    NotFinite,
    Interrupted,
}

impl<'a> Run<'a> {
    fn new(
        source: &'a dyn Source,
        mut flow: Flow<f32>,
        config: &'a TrainConfig,
        checkpoint: Option<&'a Path>,
        progress: &'a dyn Progress,
    ) -> Result<Self, TrainError> {
        let started = Instant::now();
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
        let first = Batch::new("train", source.train(config.seed.child("train-noise", 0), 0))?;
        flow.arrange(first.rows.t())?;
        flow.initialize(first.rows.t());
        let groups = groups(&flow, config);
        let batches = source.n_train().div_ceil(config.batch_size);
        let gradients = Gradients::new(&flow, config.batch_size.min(source.n_train()));
        let schedule =
            Schedule { peak: config.learning_rate, warmup: config.warmup, floor: config.final_rate };
        let identity = json!({
            "data": source.fingerprint(),
            "flow": serde_json::to_value(flow.config()).expect("invariant: settings are plain values"),
            "train": config.identity(),
        });
        Ok(Self {
            source,
            config,
            checkpoint,
            progress,
            flow,
            groups,
            schedule,
            identity,
            validation,
            gradients,
            batches,
            started,
            earlier: 0.0,
        })
    }

    fn run(mut self, resume: bool) -> Result<Trained, TrainError> {
        let mut state = self.begin(resume)?;
        let max_epochs = self.config.max_epochs;
        self.progress.start(&StartReport {
            n_parameters: self.flow.n_parameters(),
            n_train: self.source.n_train(),
            n_validation: self.source.n_validation(),
            max_epochs,
            batches: self.batches,
            resumed_epochs: state.epoch,
        });
        // Saving now means that the work before this state, such as the search of a mixture, need not be
        // repeated.
        self.save(&state)?;
        let mut saved = (state.epoch, Instant::now());
        let mut before = state.clone();
        let stop = loop {
            if state.stopping.exhausted(state.epoch, self.config.patience) {
                break Stop::EarlyStopping;
            }
            if state.epoch >= max_epochs {
                break Stop::MaxEpochs;
            }
            if self.out_of_time() {
                break Stop::TimeBudget;
            }
            before.clone_from(&state);
            match self.epoch(&mut state) {
                Epoch::Interrupted => {
                    self.save(&before)?;
                    let checkpoint = self.checkpoint.map(Path::to_path_buf);
                    return Err(TrainError::Interrupted { epoch: before.epoch, checkpoint });
                }
                Epoch::NotFinite => {
                    state.clone_from(&before);
                    self.roll_back(&mut state)?;
                }
                Epoch::Done { log_prob, gradient_norm, clipped, learning_rate, out_of_time } => {
                    state.epoch += 1;
                    let row = HistoryRow {
                        member: 1,
                        epoch: state.epoch,
                        step: state.adam.steps,
                        learning_rate,
                        train_log_prob: Some(log_prob),
                        validation_log_prob: 0.0,
                        gradient_norm: Some(gradient_norm),
                        clipped: Some(clipped),
                        rollbacks: state.rollbacks,
                        best: false,
                    };
                    if !self.validate(&mut state, row) {
                        state.clone_from(&before);
                        self.roll_back(&mut state)?;
                        continue;
                    }
                    if out_of_time {
                        break Stop::TimeBudget;
                    }
                    let due = state.epoch - saved.0 >= self.config.checkpoint_epochs
                        || saved.1.elapsed().as_secs_f64() >= self.config.checkpoint_seconds;
                    if due {
                        self.save(&state)?;
                        saved = (state.epoch, Instant::now());
                    }
                }
            }
        };
        // The final state is kept, so that a member of an ensemble is not trained again when the run is
        // interrupted in a later member.
        self.save(&state)?;
        let seconds = self.seconds();
        self.flow.parameters_mut().copy_from_slice(&state.best);
        Ok(Trained {
            flow: self.flow,
            epochs: state.epoch,
            best_epoch: state.stopping.best_epoch,
            history: state.history,
            stop,
            seconds,
            rows_per_second: if seconds > 0.0 { state.rows as f64 / seconds } else { 0.0 },
        })
    }

    /// Returns the state of the checkpoint, or the state of an untrained flow.
    fn begin(&mut self, resume: bool) -> Result<State, TrainError> {
        if let Some(dir) = self.checkpoint {
            if !resume {
                // The state of an earlier run must not be mistaken for a state of this run.
                checkpoint::remove_checkpoint(dir)?;
            } else if let Some(state) = checkpoint::read(dir, &self.identity, self.flow.n_parameters())? {
                self.earlier = state.seconds;
                return Ok(state);
            } else {
                // A run that was killed before its first checkpoint starts again, which ends in the same
                // bytes.
                self.progress.note("no checkpoint found, training starts from the beginning");
            }
        }
        let parameters = self.flow.parameters().to_vec();
        let mut state = State {
            epoch: 0,
            average: Average::new(&parameters),
            adam: AdamW::new(parameters.len()),
            stopping: EarlyStopping::new(),
            best: parameters.clone(),
            parameters,
            rate_factor: 1.0,
            rollbacks: 0,
            history: Vec::new(),
            seconds: 0.0,
            rows: 0,
        };
        let row = HistoryRow {
            member: 1,
            epoch: 0,
            step: 0,
            learning_rate: 0.0,
            train_log_prob: None,
            validation_log_prob: 0.0,
            gradient_norm: None,
            clipped: None,
            rollbacks: 0,
            best: false,
        };
        if !self.validate(&mut state, row) {
            return Err(TrainError::Diverged { epoch: 0, rollbacks: 0, learning_rate: 0.0 });
        }
        Ok(state)
    }

    fn save(&self, state: &State) -> Result<(), TrainError> {
        if let Some(dir) = self.checkpoint {
            let state = State { seconds: self.seconds(), ..state.clone() };
            checkpoint::write(dir, &self.identity, &state)?;
        }
        Ok(())
    }

    fn roll_back(&self, state: &mut State) -> Result<(), TrainError> {
        let learning_rate = self.config.learning_rate * state.rate_factor;
        if state.rollbacks == MAX_ROLLBACKS {
            return Err(TrainError::Diverged {
                epoch: state.epoch + 1,
                rollbacks: MAX_ROLLBACKS,
                learning_rate,
            });
        }
        state.rollbacks += 1;
        state.rate_factor *= 0.5;
        let (epoch, rate) = (state.epoch + 1, learning_rate * 0.5);
        self.progress
            .note(&format!("a step of epoch {epoch} was not finite: repeated with learning rate {rate:.1e}"));
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }

    fn out_of_time(&self) -> bool {
        self.config.time_budget_seconds.is_some_and(|budget| self.seconds() >= budget)
    }

    /// Returns the share of the run that is over. It is the share of the steps, or the share of the time
    /// budget if that is larger.
    fn share(&self, epoch: u32, batch: usize) -> f64 {
        let steps =
            (f64::from(epoch) + batch as f64 / self.batches as f64) / f64::from(self.config.max_epochs);
        self.config.time_budget_seconds.map_or(steps, |budget| steps.max(self.seconds() / budget))
    }

    /// Runs one epoch on `state`. If the result is not `Done`, the state is unusable and the caller restores
    /// it.
    fn epoch(&mut self, state: &mut State) -> Epoch {
        let number = u64::from(state.epoch) + 1;
        let seed = self.config.seed;
        let draw = self.source.train(seed.child("train-noise", 0), number);
        let Ok(data) = Batch::new("train", draw) else { return Epoch::NotFinite };
        let n = data.log_noise.len();
        let order = shuffled(n, &mut seed.stream("shuffle", number));
        let dropout = seed.child("dropout", number);
        let (mut log_prob, mut norms, mut clipped, mut learning_rate) = (0.0, 0.0, 0_u32, 0.0);
        let mut steps = 0;
        let mut rows = 0;
        let mut out_of_time = false;
        for batch in 0..self.batches {
            if self.progress.interrupted() {
                return Epoch::Interrupted;
            }
            if batch > 0 && self.out_of_time() {
                out_of_time = true;
                break;
            }
            // All batches have the same size up to one record, because a small last batch would make a noisy
            // step.
            let members = &order[batch * n / self.batches..(batch + 1) * n / self.batches];
            self.flow.parameters_mut().copy_from_slice(&state.parameters);
            let stream = |block| dropout.stream("block", ((batch as u64) << 32) | block);
            let sum = self.gradients.compute(&self.flow, &data, members, stream);
            let gradient = &self.gradients.sum;
            let length = norm(gradient);
            if !(sum.is_finite() && length.is_finite()) {
                return Epoch::NotFinite;
            }
            learning_rate = self.schedule.rate(self.share(state.epoch, batch + 1)) * state.rate_factor;
            let factor = clip_factor(length, self.config.clip_norm);
            state.adam.step(&mut state.parameters, gradient, factor, learning_rate, &self.groups);
            state.average.update(&state.parameters, self.config.ema_decay);
            log_prob += sum;
            norms += length;
            clipped += u32::from(factor < 1.0);
            steps += 1;
            rows += members.len();
            self.progress.batch(state.epoch + 1, batch + 1, self.batches);
        }
        if state.parameters.iter().any(|p| !p.is_finite()) {
            return Epoch::NotFinite;
        }
        state.rows += rows as u64;
        let steps = f64::from(steps);
        Epoch::Done {
            log_prob: log_prob / rows as f64,
            gradient_norm: norms / steps,
            clipped: f64::from(clipped) / steps,
            learning_rate,
            out_of_time,
        }
    }

    /// Scores the averaged weights, and keeps them if they are the best. Returns false when the value is not
    /// finite.
    fn validate(&mut self, state: &mut State, mut row: HistoryRow) -> bool {
        self.flow.parameters_mut().copy_from_slice(&state.average.values);
        let value = mean_log_prob(&self.flow, &self.validation);
        if !value.is_finite() {
            return false;
        }
        row.validation_log_prob = value;
        row.best = state.stopping.observe(state.epoch, value);
        if row.best {
            state.best.copy_from_slice(&state.average.values);
        }
        let seconds = self.seconds();
        self.progress.epoch(&EpochReport {
            epoch: row.epoch,
            max_epochs: self.config.max_epochs,
            train_log_prob: row.train_log_prob,
            validation_log_prob: value,
            best_log_prob: state.stopping.best,
            best_epoch: state.stopping.best_epoch,
            seconds,
            rows_per_second: if seconds > 0.0 { state.rows as f64 / seconds } else { 0.0 },
        });
        state.history.push(row);
        true
    }
}
