//! `--set key=value`. One table of keys with their ranges serves the parser, the checks, and the list that is
//! shown after a mistake.

use std::fmt;

use super::{TrainConfig, TrainError};
use crate::flow::{
    Activation, BaseKind, Conditioning, Coupling, Covariance, FlowConfig, Linear, Mask, Parametrisation,
    Permutation, Schedule,
};

/// The range of allowed values of a numeric setting.
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

/// A numeric setting of the configuration `C`.
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
    ($name:ident, u32, $range:expr) => {
        Key {
            name: stringify!($name),
            range: $range,
            get: |c| c.$name.into(),
            set: |c, x| c.$name = x as u32,
        }
    };
    ($name:ident, $type:ty, $range:expr) => {
        Key {
            name: stringify!($name),
            range: $range,
            get: |c| c.$name as f64,
            set: |c, x| c.$name = x as $type,
        }
    };
}

/// The settings of the trainer. The time budget and the seed are missing because they have options of their
/// own.
pub(crate) fn train_keys() -> [Key<TrainConfig>; 14] {
    [
        Key {
            name: "learning_rate",
            range: Range::above(0.0, 1.0),
            get: |c| c.learning_rate,
            set: |c, x| c.learning_rate = x,
        },
        key!(linear_rate, f64, Range::real(0.0, 100.0)),
        key!(base_rate, f64, Range::real(0.0, 100.0)),
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

impl TrainConfig {
    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`TrainError::Settings`] with all values outside their ranges.
    pub fn check(&self) -> Result<(), TrainError> {
        let mut problems = Vec::new();
        for key in train_keys() {
            let value = (key.get)(self);
            if !key.range.contains(value) {
                problems.push(format!("`{}` must be {}, got {value}", key.name, key.range));
            }
        }
        if let Some(t) = self.time_budget_seconds
            && !(t.is_finite() && t > 0.0)
        {
            problems.push(format!("`time_budget_seconds` must be finite and > 0, got {t}"));
        }
        if problems.is_empty() { Ok(()) } else { Err(TrainError::Settings { problems }) }
    }
}

/// A whole number in the settings for windows. A flow without windows has no such setting, and reads as NaN.
macro_rules! window_key {
    ($name:ident, $range:expr) => {
        Key {
            name: stringify!($name),
            range: $range,
            get: |c| c.window.map_or(f64::NAN, |w| w.$name as f64),
            set: |c, x| {
                if let Some(window) = &mut c.window {
                    window.$name = x as usize;
                }
            },
        }
    };
}

fn flow_keys() -> [Key<FlowConfig>; 13] {
    [
        window_key!(patch, Range::whole(1, 4096)),
        window_key!(scales, Range::whole(1, 8)),
        window_key!(splits, Range::whole(0, 6)),
        window_key!(reach, Range::whole(0, 16)),
        window_key!(order, Range::whole(0, 4096)),
        key!(n_blocks, usize, Range::whole(1, 256)),
        key!(hidden, usize, Range::whole(1, 65_536)),
        key!(n_hidden_layers, usize, Range::whole(1, 64)),
        key!(dropout, f64, Range::real(0.0, 0.95)),
        key!(random_start, f64, Range::real(0.0, 10.0)),
        key!(log_scale_bound, f64, Range::above(0.0, 100.0)),
        Key {
            name: "n_bins",
            range: Range::whole(1, 256),
            get: |c| if let Coupling::Spline { n_bins, .. } = c.coupling { n_bins as f64 } else { f64::NAN },
            set: |c, x| {
                if let Coupling::Spline { n_bins, .. } = &mut c.coupling {
                    *n_bins = x as usize;
                }
            },
        },
        Key {
            name: "bound",
            range: Range::above(0.0, 1000.0),
            get: |c| if let Coupling::Spline { bound, .. } = c.coupling { bound } else { f64::NAN },
            set: |c, x| {
                if let Coupling::Spline { bound, .. } = &mut c.coupling {
                    *bound = x;
                }
            },
        },
    ]
}

/// A setting whose values have names.
struct Choice {
    name: &'static str,
    allowed: &'static [&'static str],
    set: fn(&mut FlowConfig, &str),
}

fn choices() -> [Choice; 12] {
    fn butterfly(c: &mut FlowConfig, change: impl FnOnce(&mut Schedule, &mut Parametrisation)) {
        if let Linear::Butterfly { schedule, parametrisation } = &mut c.linear {
            change(schedule, parametrisation);
        }
    }
    [
        Choice {
            name: "coupling",
            allowed: &["spline", "affine"],
            set: |c, v| match (v, c.coupling) {
                ("affine", _) => c.coupling = Coupling::Affine,
                (_, Coupling::Affine) => c.coupling = FlowConfig::default().coupling,
                _ => {}
            },
        },
        Choice {
            name: "schedule",
            allowed: &["benes", "radix2"],
            set: |c, v| {
                butterfly(c, |s, _| *s = if v == "benes" { Schedule::Benes } else { Schedule::Radix2 });
            },
        },
        Choice {
            name: "parametrisation",
            allowed: &["rotation", "raw"],
            set: |c, v| {
                butterfly(c, |_, p| {
                    *p = if v == "raw" { Parametrisation::Raw } else { Parametrisation::Rotation };
                });
            },
        },
        Choice {
            name: "conditioning",
            allowed: &["coupling", "autoregressive"],
            set: |c, v| {
                c.conditioning =
                    if v == "coupling" { Conditioning::Coupling } else { Conditioning::Autoregressive };
            },
        },
        Choice {
            name: "share_weights",
            allowed: &["true", "false"],
            set: |c, v| {
                if let Some(window) = &mut c.window {
                    window.share_weights = v == "true";
                }
            },
        },
        Choice {
            name: "butterfly",
            allowed: &["window", "patch"],
            set: |c, v| {
                if let Some(window) = &mut c.window {
                    window.within_patches = v == "patch";
                }
            },
        },
        Choice {
            name: "mask",
            allowed: &["cycling", "halves"],
            set: |c, v| c.mask = if v == "halves" { Mask::Halves } else { Mask::Cycling },
        },
        Choice {
            name: "permutation",
            allowed: &["identity", "random", "data"],
            set: |c, v| {
                c.permutation = match v {
                    "data" => Permutation::Data,
                    "random" => Permutation::Random,
                    _ => Permutation::Identity,
                }
            },
        },
        Choice {
            name: "activation",
            allowed: &["silu", "relu"],
            set: |c, v| c.activation = if v == "relu" { Activation::Relu } else { Activation::Silu },
        },
        Choice {
            name: "elementwise_spline",
            allowed: &["true", "false"],
            set: |c, v| c.elementwise_spline = v == "true",
        },
        Choice {
            name: "base",
            allowed: &["normal", "mixture", "diagonal-mixture"],
            // The number of components is a placeholder: the search for the mixture finds it.
            set: |c, v| {
                c.base = match v {
                    "mixture" => BaseKind::Mixture { n_components: 1, covariance: Covariance::Full },
                    "diagonal-mixture" => {
                        BaseKind::Mixture { n_components: 1, covariance: Covariance::Diagonal }
                    }
                    _ => BaseKind::Normal,
                }
            },
        },
        Choice {
            name: "permutation_seed",
            allowed: &[],
            set: |c, v| c.permutation_seed = v.parse().unwrap_or(0),
        },
    ]
}

/// Applies all `key=value` settings to the two configurations, or changes neither of them.
///
/// # Errors
/// [`TrainError::Overrides`] with every unknown key and every unusable value at once, and with the list of
/// all keys.
pub fn apply_overrides(
    flow: &mut FlowConfig,
    train: &mut TrainConfig,
    settings: &[(String, String)],
) -> Result<(), TrainError> {
    let (mut new_flow, mut new_train) = (flow.clone(), train.clone());
    let mut problems = Vec::new();
    // The named values come first, because `n_bins` has a meaning only for some values of `coupling`, in
    // whatever order the two are given.
    for (key, value) in settings {
        if let Some(choice) = choices().iter().find(|c| c.name == key) {
            let usable = if choice.allowed.is_empty() {
                value.parse::<u64>().is_ok()
            } else {
                choice.allowed.contains(&value.as_str())
            };
            if usable {
                (choice.set)(&mut new_flow, value);
            } else {
                problems.push(format!("`{key}` must be {}, got `{value}`", describe(choice)));
            }
        }
    }
    for (key, value) in settings {
        if choices().iter().any(|c| c.name == key) {
            continue;
        }
        let number = |range: &Range| match value.parse::<f64>() {
            Ok(x) if range.contains(x) => Ok(x),
            _ => Err(format!("`{key}` must be {range}, got `{value}`")),
        };
        if let Some(k) = flow_keys().iter().find(|k| k.name == key) {
            if (k.get)(&new_flow).is_nan() {
                let what = if ["n_bins", "bound"].contains(&k.name) {
                    "spline couplings, and this flow has affine ones"
                } else {
                    "flows of waveform windows"
                };
                problems.push(format!("`{key}` applies to {what}"));
                continue;
            }
            match number(&k.range) {
                Ok(x) => (k.set)(&mut new_flow, x),
                Err(problem) => problems.push(problem),
            }
        } else if let Some(k) = train_keys().iter().find(|k| k.name == key) {
            match number(&k.range) {
                Ok(x) => (k.set)(&mut new_train, x),
                Err(problem) => problems.push(problem),
            }
        } else {
            problems.push(format!("there is no setting `{key}`"));
        }
    }
    if !problems.is_empty() {
        return Err(TrainError::Overrides { problems, allowed: allowed_settings() });
    }
    (*flow, *train) = (new_flow, new_train);
    Ok(())
}

/// Returns every key of `--set` for flows with its allowed values.
pub fn allowed_settings() -> Vec<String> {
    let mut list: Vec<String> = flow_keys().iter().map(|k| format!("{}: {}", k.name, k.range)).collect();
    list.extend(choices().iter().map(|c| format!("{}: {}", c.name, describe(c))));
    list.extend(train_keys().iter().map(|k| format!("{}: {}", k.name, k.range)));
    list
}

fn describe(choice: &Choice) -> String {
    if choice.allowed.is_empty() { "a whole number".into() } else { choice.allowed.join(" or ") }
}

#[cfg(test)]
mod tests;
