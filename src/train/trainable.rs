//! What the training loop needs to know of a model.
//!
//! A model is trained through one flat buffer of parameters. Its only state between two epochs is that
//! buffer: noise, order and dropout of an epoch come from random streams that are named by the number of the
//! epoch, so that an epoch which is repeated after a roll-back or an interruption is the same epoch.

use super::adam::Group;
use crate::flow::ParameterView;

/// A model that the loop can train.
pub(crate) trait Trainable {
    /// Number of training records.
    fn n_train(&self) -> usize;

    /// Number of validation records.
    fn n_validation(&self) -> usize;

    /// Number of steps of an epoch.
    fn batches(&self) -> usize;

    /// The parameters by name, with the weight decay and the rate of each.
    fn groups(&self) -> Vec<Group>;

    /// The parameters.
    fn parameters(&self) -> &[f32];

    /// Replaces the parameters.
    fn set_parameters(&mut self, parameters: &[f32]);

    /// Draws the noise and the order of an epoch, which counts from 1.
    ///
    /// # Errors
    /// [`NotFinite`] when the records of this draw cannot be used.
    fn begin(&mut self, epoch: u32) -> Result<(), NotFinite>;

    /// Sums the log-densities of the records of a batch, which counts from 0, and computes the gradient of
    /// the loss by the parameters. The loss is minus the mean log-density of the batch, in any unit that is
    /// the same for all batches.
    fn step(&mut self, batch: usize) -> Step<'_>;

    /// Mean bound per validation record in nats, in tensor space.
    fn validation_log_prob(&mut self) -> f64;
}

/// What a model computes of a batch.
pub(crate) struct Step<'a> {
    /// Sum of the bounds of the records in nats, in tensor space.
    pub(crate) log_prob: f64,
    /// Number of records.
    pub(crate) records: usize,
    /// The gradient of the loss, divided by `scale`.
    pub(crate) gradient: &'a [f32],
    /// The factor that the gradient is still to be multiplied with. The optimiser does it on the way.
    pub(crate) scale: f32,
}

/// Records that hold a number which is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotFinite;

/// Returns the groups of named parameters: `weight_decay` for weight matrices, and the learning-rate factor
/// that `rate` finds for the name.
pub(crate) fn groups(
    parameters: &[ParameterView],
    weight_decay: f32,
    rate: impl Fn(&str) -> f32,
) -> Vec<Group> {
    let group = |view: &ParameterView| Group {
        range: view.range.clone(),
        weight_decay: if view.weight_decay { weight_decay } else { 0.0 },
        rate: rate(&view.name),
    };
    parameters.iter().map(group).collect()
}
