//! `--set key=value`: one table of keys with their ranges serves parsing, checking and the list shown for a mistake.

use std::fmt;

use super::{TrainConfig, TrainError};
use crate::flow::FlowConfig;

/// Allowed numbers of a setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    min: f64,
    max: f64,
    /// Whether `min` itself is excluded.
    above: bool,
    whole: bool,
}

impl Range {
    const fn real(min: f64, max: f64) -> Self {
        Self { min, max, above: false, whole: false }
    }

    const fn above(min: f64, max: f64) -> Self {
        Self { min, max, above: true, whole: false }
    }

    const fn whole(min: u32, max: u32) -> Self {
        Self { min: min as f64, max: max as f64, above: false, whole: true }
    }

    pub(crate) fn contains(&self, x: f64) -> bool {
        let low = if self.above { x > self.min } else { x >= self.min };
        low && x <= self.max && !(self.whole && x.fract() != 0.0)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.whole { "a whole number" } else { "a number" };
        if self.above {
            write!(f, "{kind} above {} and at most {}", self.min, self.max)
        } else {
            write!(f, "{kind} from {} to {}", self.min, self.max)
        }
    }
}

/// A numeric setting of `C`.
pub(crate) struct Key<C> {
    pub(crate) name: &'static str,
    pub(crate) range: Range,
    pub(crate) get: fn(&C) -> f64,
    set: fn(&mut C, f64),
}

macro_rules! key {
    ($name:ident, f64, $range:expr) => {
        Key { name: stringify!($name), range: $range, get: |c| c.$name, set: |c, x| c.$name = x }
    };
    ($name:ident, $type:ty, $range:expr) => {
        Key { name: stringify!($name), range: $range, get: |c| c.$name as f64, set: |c, x| c.$name = x as $type }
    };
}

/// Settings of the trainer. The budget and the seed have options of their own.
pub(crate) fn train_keys() -> [Key<TrainConfig>; 13] {
    [
        Key {
            name: "learning_rate",
            range: Range::above(0.0, 1.0),
            get: |c| c.learning_rate,
            set: |c, x| c.learning_rate = x,
        },
        key!(linear_rate, f64, Range::real(0.0, 100.0)),
        key!(final_rate, f64, Range::real(0.0, 1.0)),
        key!(warmup, f64, Range::real(0.0, 0.9)),
        key!(weight_decay, f64, Range::real(0.0, 10.0)),
        key!(batch_size, usize, Range::whole(1, 1 << 20)),
        key!(max_epochs, u32, Range::whole(1, 1_000_000)),
        key!(patience, u32, Range::whole(1, 1_000_000)),
        key!(ema_decay, f64, Range::real(0.0, 0.999_999)),
        key!(clip_norm, f64, Range::above(0.0, 1e9)),
        key!(validation_draws, u32, Range::whole(1, 256)),
        key!(checkpoint_epochs, u32, Range::whole(1, 1_000_000)),
        key!(checkpoint_seconds, f64, Range::above(0.0, 1e9)),
    ]
}
