//! The settings of flows and of their training, as `--set` names them.

use super::settings::{Key, Range, key};
use super::{TrainConfig, TrainError};
use crate::flow::picture::Front;
use crate::flow::{
    Activation, BaseKind, Conditioning, Coupling, Covariance, FlowConfig, Linear, Mask, Parametrisation,
    Permutation, Pictures, Schedule, Windows,
};

/// A flow and its training: what the settings of a family of flows change.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowSettings {
    /// Architecture.
    pub flow: FlowConfig,
    /// Trainer.
    pub train: TrainConfig,
}

impl FlowSettings {
    /// Every key of `--set` for flows.
    pub fn keys() -> Vec<Key<Self>> {
        let flow = flow_keys().into_iter().map(|k| k.within(|s: &Self| &s.flow, |s| &mut s.flow));
        let train = train_keys().into_iter().map(|k| k.within(|s: &Self| &s.train, |s| &mut s.train));
        let of_layers = |key: Key<Self>| match key.name() {
            "linear_rate" => key.only_where(
                |s| !matches!(s.flow.linear, Linear::Permutation),
                "mixing layers that are learned, and this flow has fixed permutations",
            ),
            "base_rate" => key.only_where(
                |s| s.flow.base != BaseKind::Normal,
                "mixture bases, and this flow has a normal one",
            ),
            _ => key,
        };
        flow.chain(train.map(of_layers)).collect()
    }
}

/// The settings of the trainer. The time budget and the seed are missing because they have options of their
/// own.
fn train_keys() -> Vec<Key<TrainConfig>> {
    vec![
        key!(TrainConfig, learning_rate: f64, Range::above(0.0, 1.0), "peak learning rate"),
        key!(TrainConfig, linear_rate: f64, Range::real(0.0, 100.0),
            "factor on the learning rate of the mixing layers"),
        key!(TrainConfig, base_rate: f64, Range::real(0.0, 100.0),
            "factor on the learning rate of a mixture base"),
        key!(TrainConfig, final_rate: f64, Range::real(0.0, 1.0),
            "share of the peak learning rate at the end"),
        key!(TrainConfig, warmup: f64, Range::real(0.0, 0.9),
            "share of the run in which the learning rate rises"),
        key!(TrainConfig, weight_decay: f64, Range::real(0.0, 10.0), "decay of weight matrices"),
        key!(TrainConfig, batch_size: usize, Range::whole(1, 1 << 20), "records per step"),
        key!(TrainConfig, max_epochs: u32, Range::whole(1, 1_000_000), "largest number of epochs"),
        key!(TrainConfig, epoch_records: usize, Range::whole(1, 1 << 30),
            "largest number of records of an epoch"),
        key!(TrainConfig, validation_records: usize, Range::whole(1, 1 << 30),
            "largest number of validation records that an epoch is judged by"),
        key!(TrainConfig, patience: u32, Range::whole(1, 1_000_000),
            "epochs without improvement that end the run"),
        key!(TrainConfig, ema_decay: f64, Range::real(0.0, 0.999_999),
            "decay of the averaged weights per step"),
        key!(TrainConfig, clip_norm: f64, Range::above(0.0, 1e9), "largest norm of a gradient"),
        key!(TrainConfig, validation_draws: u32, Range::whole(1, 256),
            "noise draws of the validation records"),
        key!(TrainConfig, checkpoint_epochs: u32, Range::whole(1, 1_000_000), "epochs between checkpoints"),
        key!(TrainConfig, checkpoint_seconds: f64, Range::above(0.0, 1e9), "seconds between checkpoints"),
    ]
}

impl TrainConfig {
    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`TrainError::Settings`] with all values outside their ranges.
    pub fn check(&self) -> Result<(), TrainError> {
        let mut problems: Vec<String> = train_keys().iter().filter_map(|key| key.problem(self)).collect();
        if let Some(t) = self.time_budget_seconds
            && !(t.is_finite() && t > 0.0)
        {
            problems.push(format!("`time_budget_seconds` must be finite and > 0, got {t}"));
        }
        if problems.is_empty() { Ok(()) } else { Err(TrainError::Settings { problems }) }
    }
}

fn flow_keys() -> Vec<Key<FlowConfig>> {
    let mut keys = window_keys();
    keys.extend([
        key!(FlowConfig, n_blocks: usize, Range::whole(1, 256), "number of blocks"),
        key!(FlowConfig, hidden: usize, Range::whole(1, 65_536), "width of the hidden layers"),
        key!(FlowConfig, n_hidden_layers: usize, Range::whole(1, 64), "number of hidden layers"),
        key!(FlowConfig, dropout: f64, Range::real(0.0, 0.95),
            "share of hidden units that are dropped in training"),
        key!(FlowConfig, random_start: f64, Range::real(0.0, 10.0),
            "size of the random angles a butterfly starts with")
        .only_where(
            |c| match c.linear {
                Linear::Butterfly { .. } => true,
                Linear::PluDense => c.is_of_vectors(),
                Linear::Permutation => false,
            },
            "butterflies, and to dense layers of tables",
        ),
        key!(FlowConfig, log_scale_bound: f64, Range::above(0.0, 100.0),
            "bound of the log-scales of affine couplings")
        .only_where(|c| c.coupling == Coupling::Affine, "affine couplings, and this flow has splines"),
        spline_key(
            "n_bins",
            "bins of the splines",
            Range::whole(1, 256),
            |n_bins, _| n_bins as f64,
            |n_bins, _, x| *n_bins = x as usize,
        ),
        spline_key(
            "bound",
            "interval of the splines, on either side of zero",
            Range::above(0.0, 1000.0),
            |_, bound| bound,
            |_, bound, x| *bound = x,
        ),
    ]);
    keys.extend(named_keys());
    keys
}

/// The numbers of flows of windows.
fn window_keys() -> Vec<Key<FlowConfig>> {
    fn window(
        name: &'static str,
        help: &'static str,
        range: Range,
        field: fn(&mut Windows) -> &mut usize,
    ) -> Key<FlowConfig> {
        let get = move |c: &FlowConfig| c.window.map_or(f64::NAN, |mut w| *field(&mut w) as f64);
        let set = move |c: &mut FlowConfig, x: f64| {
            if let Some(window) = &mut c.window {
                *field(window) = x as usize;
            }
        };
        Key::number(name, help, range, get, set)
            .only_where(|c| c.window.is_some(), "flows of waveform windows")
    }
    vec![
        window("patch", "samples of a patch", Range::whole(1, 4096), |w| &mut w.patch),
        Key::number(
            "scales",
            "patch sizes that the blocks cycle through, or scales of pictures",
            Range::whole(1, 8),
            |c: &FlowConfig| match (&c.window, &c.picture) {
                (Some(w), _) => w.scales as f64,
                (None, Some(p)) => p.scales as f64,
                (None, None) => f64::NAN,
            },
            |c: &mut FlowConfig, x| {
                if let Some(w) = &mut c.window {
                    w.scales = x as usize;
                }
                if let Some(p) = &mut c.picture {
                    p.scales = x as usize;
                }
            },
        )
        .only_where(|c| !c.is_of_vectors(), "flows of waveform windows and of pictures"),
        window("splits", "times that half of the samples go to the base", Range::whole(0, 6), |w| {
            &mut w.splits
        }),
        window("reach", "patches that a patch sees on either side", Range::whole(0, 16), |w| &mut w.reach),
        window("order", "samples the autoregression looks back", Range::whole(0, 4096), |w| &mut w.order),
    ]
}

/// A number of the splines of couplings.
fn spline_key(
    name: &'static str,
    help: &'static str,
    range: Range,
    get: fn(usize, f64) -> f64,
    set: fn(&mut usize, &mut f64, f64),
) -> Key<FlowConfig> {
    let get = move |c: &FlowConfig| match c.coupling {
        Coupling::Spline { n_bins, bound } => get(n_bins, bound),
        Coupling::Affine => f64::NAN,
    };
    let set = move |c: &mut FlowConfig, x| {
        if let Coupling::Spline { n_bins, bound } = &mut c.coupling {
            set(n_bins, bound, x);
        }
    };
    Key::number(name, help, range, get, set)
        .only_where(|c| c.coupling != Coupling::Affine, "spline couplings, and this flow has affine ones")
}

/// The settings whose values have names.
fn named_keys() -> Vec<Key<FlowConfig>> {
    fn butterfly(c: &mut FlowConfig, change: impl FnOnce(&mut Schedule, &mut Parametrisation)) {
        if let Linear::Butterfly { schedule, parametrisation } = &mut c.linear {
            change(schedule, parametrisation);
        }
    }
    fn window(c: &mut FlowConfig, change: impl FnOnce(&mut Windows)) {
        if let Some(window) = &mut c.window {
            change(window);
        }
    }
    const BUTTERFLIES: &str = "butterflies, and this flow has none";
    fn picture(c: &mut FlowConfig, change: impl FnOnce(&mut Pictures)) {
        if let Some(picture) = &mut c.picture {
            change(picture);
        }
    }
    const TABLES: &str = "flows of tables";
    let has_butterflies = |c: &FlowConfig| matches!(c.linear, Linear::Butterfly { .. });
    vec![
        Key::<FlowConfig>::choice(
            "coupling",
            "what couplings do to a coordinate",
            &["spline", "affine"],
            |c, v| match (v, c.coupling) {
                ("affine", _) => c.coupling = Coupling::Affine,
                (_, Coupling::Affine) => c.coupling = FlowConfig::default().coupling,
                _ => {}
            },
        ),
        Key::<FlowConfig>::choice("schedule", "stages of a butterfly", &["benes", "radix2"], |c, v| {
            let schedule = if v == "benes" { Schedule::Benes } else { Schedule::Radix2 };
            butterfly(c, |s, _| *s = schedule);
        })
        .only_where(
            move |c| has_butterflies(c) && c.is_of_vectors(),
            "butterflies of flows of tables, and this flow has none",
        ),
        Key::<FlowConfig>::choice(
            "parametrisation",
            "parameters of a butterfly",
            &["rotation", "raw"],
            |c, v| {
                let chosen = if v == "raw" { Parametrisation::Raw } else { Parametrisation::Rotation };
                butterfly(c, |_, p| *p = chosen);
            },
        )
        .only_where(has_butterflies, BUTTERFLIES),
        Key::<FlowConfig>::choice(
            "conditioning",
            "what a coordinate is transformed given",
            &["coupling", "autoregressive"],
            |c, v| {
                let coupling = v == "coupling";
                c.conditioning = if coupling { Conditioning::Coupling } else { Conditioning::Autoregressive };
            },
        )
        .only_where(FlowConfig::is_of_vectors, TABLES),
        Key::<FlowConfig>::choice(
            "share_weights",
            "whether all pairs in a block of a butterfly share one matrix",
            &["true", "false"],
            |c, v| window(c, |w| w.share_weights = v == "true"),
        )
        .only_where(
            move |c| has_butterflies(c) && c.window.is_some_and(|w| !w.within_patches),
            "butterflies over whole windows, and this flow has none",
        ),
        Key::<FlowConfig>::choice(
            "butterfly",
            "what butterflies of windows mix",
            &["window", "patch"],
            |c, v| {
                window(c, |w| w.within_patches = v == "patch");
            },
        )
        .only_where(
            move |c| has_butterflies(c) && c.window.is_some(),
            "butterflies of flows of waveform windows, and this flow has none",
        ),
        Key::<FlowConfig>::choice(
            "across_space",
            "whether butterflies of pictures mix rows and columns as well as channels",
            &["true", "false"],
            |c, v| picture(c, |p| p.across_space = v == "true"),
        )
        .only_where(
            move |c| has_butterflies(c) && c.picture.is_some(),
            "butterflies of flows of pictures, and this flow has none",
        ),
        Key::<FlowConfig>::choice(
            "front",
            "layer that mixes all numbers of a picture before the first scale",
            &["none", "butterfly", "dense"],
            |c, v| {
                picture(c, |p| {
                    p.front = match v {
                        "butterfly" => Front::Butterfly,
                        "dense" => Front::Dense,
                        _ => Front::None,
                    }
                });
            },
        )
        .only_where(|c| c.picture.is_some(), "flows of pictures with convolutions"),
        Key::<FlowConfig>::choice(
            "mask",
            "which coordinates condition the others",
            &["cycling", "halves"],
            |c, v| c.mask = if v == "halves" { Mask::Halves } else { Mask::Cycling },
        )
        .only_where(|c| c.conditioning == Conditioning::Coupling, "couplings, and this flow has none"),
        Key::<FlowConfig>::choice(
            "permutation",
            "the permutation a layer starts from",
            &["identity", "random", "data"],
            |c, v| {
                c.permutation = match v {
                    "data" => Permutation::Data,
                    "random" => Permutation::Random,
                    _ => Permutation::Identity,
                }
            },
        )
        .only_where(has_butterflies, BUTTERFLIES),
        Key::<FlowConfig>::choice(
            "activation",
            "activation of the hidden layers",
            &["silu", "relu"],
            |c, v| {
                c.activation = if v == "relu" { Activation::Relu } else { Activation::Silu };
            },
        ),
        Key::<FlowConfig>::choice(
            "elementwise_spline",
            "whether a spline of each coordinate comes first",
            &["true", "false"],
            |c, v| c.elementwise_spline = v == "true",
        )
        .only_where(FlowConfig::is_of_vectors, TABLES),
        // The number of components is a placeholder: the search for the mixture finds it.
        Key::<FlowConfig>::choice(
            "base",
            "base density",
            &["normal", "mixture", "diagonal-mixture"],
            |c, v| {
                let mixture = |covariance| BaseKind::Mixture { n_components: 1, covariance };
                c.base = match v {
                    "mixture" => mixture(Covariance::Full),
                    "diagonal-mixture" => mixture(Covariance::Diagonal),
                    _ => BaseKind::Normal,
                }
            },
        ),
        Key::<FlowConfig>::seed("permutation_seed", "seed of random permutations", |c, seed| {
            c.permutation_seed = seed;
        })
        .only_where(
            |c| {
                let fixed = matches!(c.linear, Linear::Permutation);
                fixed || c.permutation == Permutation::Random || c.random_start > 0.0
            },
            "random permutations, and this flow has none",
        ),
    ]
}

#[cfg(test)]
mod tests;
