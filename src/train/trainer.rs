//! The training loop: batches, steps, validation, roll-back and checkpoints.
//!
//! A run is a sequence of epochs. Its whole state between two epochs is a [`State`]: a roll-back returns to
//! the state before the epoch, a checkpoint is that state on disk, and an interrupted epoch is simply
//! repeated.

use std::time::Instant;

use super::adam::{AdamW, Average, Group, clip_factor, norm};
use super::checkpoint::{self, State};
use super::progress::{EpochReport, Progress, StartReport};
use super::recipe::{Keep, Recipe, Stop, Trained};
use super::schedule::{EarlyStopping, Moment};
use super::trainable::{Step, Trainable};
use super::{HistoryRow, TrainError};

/// Number of roll-backs after which a run counts as diverged. The learning rate is then 1/256 of the
/// configured one.
const MAX_ROLLBACKS: u32 = 8;

/// Trains `model`. `started` is when the work began that counts as training.
///
/// # Errors
/// [`TrainError`] for divergence, for an interruption, and for a checkpoint that cannot be used.
pub(crate) fn train<M: Trainable>(
    model: M,
    recipe: &Recipe,
    keep: Option<Keep<'_>>,
    started: Instant,
    progress: &dyn Progress,
) -> Result<Trained<M>, TrainError> {
    let (groups, batches) = (model.groups(), model.batches());
    Run { model, recipe, keep, progress, groups, batches, started, earlier: 0.0 }.run()
}

struct Run<'a, M> {
    model: M,
    recipe: &'a Recipe,
    keep: Option<Keep<'a>>,
    progress: &'a dyn Progress,
    groups: Vec<Group>,
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

impl<M: Trainable> Run<'_, M> {
    fn run(mut self) -> Result<Trained<M>, TrainError> {
        let mut state = self.begin()?;
        let max_epochs = self.recipe.max_epochs;
        self.progress.start(&StartReport {
            n_parameters: state.parameters.len(),
            n_train: self.model.n_train(),
            n_validation: self.model.n_validation(),
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
            if state.stopping.exhausted(state.epoch, self.recipe.patience) {
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
                    let checkpoint = self.keep.map(|keep| keep.dir.to_path_buf());
                    return Err(TrainError::Interrupted { epoch: before.epoch, checkpoint });
                }
                Epoch::NotFinite => {
                    state.clone_from(&before);
                    self.roll_back(&mut state)?;
                }
                Epoch::Done { log_prob, gradient_norm, clipped, learning_rate, out_of_time } => {
                    state.epoch += 1;
                    let row = HistoryRow {
                        epoch: state.epoch,
                        step: state.adam.steps,
                        learning_rate,
                        train_log_prob: Some(log_prob),
                        gradient_norm: Some(gradient_norm),
                        clipped: Some(clipped),
                        rollbacks: state.rollbacks,
                        ..HistoryRow::untrained()
                    };
                    if !self.validate(&mut state, row) {
                        state.clone_from(&before);
                        self.roll_back(&mut state)?;
                        continue;
                    }
                    if out_of_time {
                        break Stop::TimeBudget;
                    }
                    let due = state.epoch - saved.0 >= self.recipe.checkpoint_epochs
                        || saved.1.elapsed().as_secs_f64() >= self.recipe.checkpoint_seconds;
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
        self.progress.end();
        if self.progress.interrupted() {
            let checkpoint = self.keep.map(|keep| keep.dir.to_path_buf());
            return Err(TrainError::Interrupted { epoch: state.epoch, checkpoint });
        }
        let seconds = self.seconds();
        self.model.set_parameters(&state.best);
        Ok(Trained {
            model: self.model,
            epochs: state.epoch,
            best_epoch: state.stopping.best_epoch,
            history: state.history,
            stop,
            seconds,
            rows_per_second: if seconds > 0.0 { state.rows as f64 / seconds } else { 0.0 },
        })
    }

    /// Returns the state of the checkpoint, or the state of the untrained model.
    fn begin(&mut self) -> Result<State, TrainError> {
        let parameters = self.model.parameters().to_vec();
        if let Some(keep) = self.keep {
            if !keep.resume {
                // The state of an earlier run must not be mistaken for a state of this run.
                checkpoint::remove_checkpoint(keep.dir)?;
            } else if let Some(state) = checkpoint::read(keep.dir, keep.run, parameters.len())? {
                self.earlier = state.seconds;
                return Ok(state);
            } else {
                // A run that was killed before its first checkpoint starts again, which ends in the same
                // bytes.
                self.progress.note("no checkpoint found, training starts from the beginning");
            }
        }
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
        if !self.validate(&mut state, HistoryRow::untrained()) {
            return Err(TrainError::Diverged { epoch: 0, rollbacks: 0, learning_rate: 0.0 });
        }
        Ok(state)
    }

    fn save(&self, state: &State) -> Result<(), TrainError> {
        if let Some(keep) = self.keep {
            let state = State { seconds: self.seconds(), ..state.clone() };
            checkpoint::write(keep.dir, keep.run, &state)?;
        }
        Ok(())
    }

    fn roll_back(&self, state: &mut State) -> Result<(), TrainError> {
        let learning_rate = self.recipe.schedule.peak * state.rate_factor;
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
        self.recipe.time_budget_seconds.is_some_and(|budget| self.seconds() >= budget)
    }

    /// Returns the share of the run that is over before a batch. It is the share of the steps, or the share
    /// of the time budget if that is larger.
    fn share(&self, epoch: u32, batch: usize) -> f64 {
        let steps =
            (f64::from(epoch) + batch as f64 / self.batches as f64) / f64::from(self.recipe.max_epochs);
        self.recipe.time_budget_seconds.map_or(steps, |budget| steps.max(self.seconds() / budget))
    }

    /// Runs one epoch on `state`. If the result is not `Done`, the state is unusable and the caller restores
    /// it.
    fn epoch(&mut self, state: &mut State) -> Epoch {
        if self.model.begin(state.epoch + 1).is_err() {
            return Epoch::NotFinite;
        }
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
            let moment = Moment {
                before: self.share(state.epoch, batch),
                after: self.share(state.epoch, batch + 1),
                steps: state.adam.steps,
            };
            learning_rate = self.recipe.schedule.rate(moment) * state.rate_factor;
            self.model.set_parameters(&state.parameters);
            let Step { log_prob: sum, records, gradient, scale } = self.model.step(batch);
            let length = norm(gradient) * f64::from(scale.abs());
            if !(sum.is_finite() && length.is_finite()) {
                return Epoch::NotFinite;
            }
            let factor = clip_factor(length, self.recipe.clip_norm);
            state.adam.step(&mut state.parameters, gradient, scale * factor, learning_rate, &self.groups);
            state.average.update(&state.parameters, self.recipe.averaging);
            log_prob += sum;
            norms += length;
            clipped += u32::from(factor < 1.0);
            steps += 1;
            rows += records;
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
        self.model.set_parameters(&state.average.values);
        let value = self.model.validation_log_prob();
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
            max_epochs: self.recipe.max_epochs,
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
