//! Training of flows: AdamW, warm-up and cosine decay, averaged weights, early stopping, roll-back and
//! checkpoints.
//!
//! The loss is minus the mean over the training records of a lower bound on their log-likelihood
//! ([`evaluate`](crate::evaluate) defines it; "bound" in this module means its value in tensor space). The
//! noise that fills in discrete and missing values is drawn anew each epoch. Results do not depend on the
//! number of threads, because the work is cut into blocks of fixed size and the results of the blocks are
//! added up in their order.

mod adam;
mod batch;
mod checkpoint;
mod config;
mod data;
mod error;
mod history;
mod keys;
mod preset;
mod progress;
mod recipe;
mod records;
mod schedule;
mod settings;
mod start;
mod step;
mod trainable;
mod trainer;

pub(crate) use adam::{Averaging, Group};
pub(crate) use batch::shuffled;
pub use checkpoint::{
    CheckpointError, checkpoint_dir, fold_dir, has_checkpoint, member_dir, remove_checkpoint,
};
pub use config::TrainConfig;
pub use data::{BundleSource, Draw, Source};
pub use error::TrainError;
pub use history::HistoryRow;
pub use keys::FlowSettings;
pub use preset::{FlowKind, Preset, picture_preset, preset, window_preset};
pub use progress::{EpochReport, Progress, Silent, StartReport};
pub(crate) use recipe::Recipe;
pub use recipe::{Keep, Stop, Trained};
pub use records::train_source;
pub(crate) use schedule::{Schedule, Warmup};
pub(crate) use settings::key;
pub use settings::{Key, Range, SettingsError, apply_settings};
pub use start::{Mixture, start_flow, train_flow};
pub(crate) use trainable::{NotFinite, Step, Trainable, groups};
pub(crate) use trainer::train;

#[cfg(test)]
mod tests;
