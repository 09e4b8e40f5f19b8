//! The part of a pipeline that cuts windows from bedside waveforms.

use schemars::JsonSchema;

use super::enums::words;
use serde::{Deserialize, Serialize};

/// How windows are cut from waveform records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waveform {
    /// Signal names, in the order of the coordinates; letter case does not matter.
    pub channels: Vec<String>,
    /// Samples per channel in a window.
    pub window: usize,
    /// Samples before each window that its density is conditioned on; they are no part of it.
    #[serde(default, skip_serializing_if = "crate::num::is_zero")]
    pub past: usize,
    /// Samples from the start of one window to that of the next.
    pub stride: usize,
    /// Windows with a larger share of missing samples in any channel are dropped.
    pub max_missing: f64,
    /// Windows recorded at a step more than this many times the usual one are dropped.
    pub max_step: f64,
    /// How amplitudes of different records are made comparable.
    pub normalise: Normalise,
    /// What decides who is in which split.
    pub split_by: SplitBy,
    /// Samples per second of tables and arrays; WFDB records say theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<f64>,
}

words! {
    /// Centre and scale of a channel, fitted on training windows only.
    #[derive(JsonSchema)]
    pub enum Normalise {
        /// Mean 0, standard deviation 1 over the training windows of each record.
        Record = "record",
        /// Mean 0, standard deviation 1 over the training windows of all records.
        Channel = "channel",
        /// Physical units.
        None = "none",
    }
}

words! {
    /// What decides which split a window is in.
    #[derive(JsonSchema)]
    pub enum SplitBy {
        /// The earliest windows of each record train, the latest test.
        Time = "time",
        /// All windows of a subject are in one split.
        Record = "record",
    }
}

/// Keys of `--set` that only waveform pipelines have.
pub(super) const KEYS: [&str; 9] =
    ["channels", "window", "past", "stride", "max_missing", "max_step", "normalise", "split_by", "frequency"];

impl Waveform {
    /// Samples that are cut for a window: those it is conditioned on and its own.
    pub fn extent(&self) -> usize {
        self.past + self.window
    }

    /// All that is wrong with the values, with the key it concerns.
    pub(super) fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.channels.is_empty() || self.channels.iter().any(|c| c.trim().is_empty()) {
            wrong.push(("channels", "at least one channel must be named, and none may be empty".to_owned()));
        }
        let lower: Vec<String> = self.channels.iter().map(|c| c.to_lowercase()).collect();
        if (1..lower.len()).any(|i| lower[..i].contains(&lower[i])) {
            wrong.push(("channels", "a channel is named twice".to_owned()));
        }
        if self.window < 2 {
            wrong.push(("window", format!("a window must have at least 2 samples, found {}", self.window)));
        }
        if self.stride == 0 {
            wrong.push(("stride", "the stride must be at least 1 sample".to_owned()));
        }
        if !(0.0..1.0).contains(&self.max_missing) {
            wrong.push(("max_missing", format!("a share from 0 to below 1, found {}", self.max_missing)));
        }
        if self.max_step.is_nan() || self.max_step < 1.0 {
            wrong.push(("max_step", format!("a factor of 1 or more, found {}", self.max_step)));
        }
        if let Some(frequency) = self.frequency.filter(|f| !(f.is_finite() && *f > 0.0)) {
            wrong.push(("frequency", format!("samples per second, above 0, found {frequency}")));
        }
        if self.normalise == Normalise::Record && self.split_by == SplitBy::Record {
            let message = "held-out records have no training windows to normalise them by: set `normalise` \
                           to `channel` or `none`, or `split_by` to `time`";
            wrong.push(("normalise", message.to_owned()));
        }
        wrong
    }

    /// Applies `--set key=value`; none when the key is not one of [`KEYS`].
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        fn parsed<T: std::str::FromStr>(value: &str, wanted: &str) -> Result<T, String> {
            value.parse().map_err(|_| format!("must be {wanted}, got `{value}`"))
        }
        fn choice<T: Copy>(value: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
            all.iter().copied().find(|&c| name(c) == value).ok_or_else(|| {
                let names: Vec<_> = all.iter().map(|&c| format!("`{}`", name(c))).collect();
                format!("allowed are {}, got `{value}`", names.join(", "))
            })
        }
        Some(match key {
            "channels" => {
                self.channels = value.split(',').map(|c| c.trim().to_owned()).collect();
                Ok(())
            }
            "window" => parsed(value, "a number of samples").map(|window| {
                // Windows side by side stay so.
                if self.stride == self.window {
                    self.stride = window;
                }
                self.window = window;
            }),
            "past" => parsed(value, "a number of samples").map(|past| self.past = past),
            "stride" => parsed(value, "a number of samples").map(|stride| self.stride = stride),
            "max_missing" => parsed(value, "a share").map(|share| self.max_missing = share),
            "max_step" => parsed(value, "a factor").map(|factor| self.max_step = factor),
            "frequency" => parsed(value, "samples per second").map(|rate| self.frequency = Some(rate)),
            "normalise" => choice(value, &Normalise::ALL, Normalise::name).map(|n| self.normalise = n),
            "split_by" => choice(value, &SplitBy::ALL, SplitBy::name).map(|s| self.split_by = s),
            _ => return None,
        })
    }
}
