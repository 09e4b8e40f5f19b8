//! Windows of waveforms: what takes the place of tables by coordinate.

use serde::Serialize;

use crate::report::Cell;

/// Sections of a bundle of waveform windows.
#[derive(Debug, Clone, Serialize)]
pub struct Waveforms {
    /// Model shown.
    pub model: String,
    /// Split looked at.
    pub split: String,
    /// Its windows.
    pub n: Cell,
    /// Samples per channel in a window.
    pub window: usize,
    /// Samples per second; none where the source does not say.
    pub frequency: Option<f64>,
    /// Coordinates of a window: samples times channels.
    pub n_dimensions: usize,
    /// Channels in the order of the coordinates.
    pub channels: Vec<WaveChannel>,
    /// Models in the order given.
    pub models: Vec<PerDimension>,
    /// Held-out windows beside sampled ones.
    pub traces: Vec<Trace>,
    /// One per channel.
    pub spectra: Vec<Spectrum>,
    /// One per recording drawn.
    pub over_time: Vec<OverTime>,
    /// Least likely first.
    pub odd: Vec<OddWindow>,
    /// What the butterflies over windows learned, one entry for each model that has such.
    pub levels: Vec<LearnedLevels>,
}

/// How much each level of a model's butterflies mixes.
#[derive(Debug, Clone, Serialize)]
pub struct LearnedLevels {
    /// Model name.
    pub model: String,
    /// Blocks, each with a butterfly.
    pub blocks: usize,
    /// The coarsest level first.
    pub rows: Vec<LevelRow>,
}

/// One distance at which butterflies pair coordinates.
#[derive(Debug, Clone, Serialize)]
pub struct LevelRow {
    /// "16 samples", "1 channel".
    pub distance: String,
    /// The same in seconds, for samples of a known rate.
    pub seconds: Option<f64>,
    /// Share of the squared entries off the diagonal, by block: 0 nothing mixed, 1 swapped.
    pub mixing: Vec<Option<f64>>,
}

/// Amplitudes of a channel, over all samples of all windows.
#[derive(Debug, Clone, Serialize)]
pub struct WaveChannel {
    /// Name.
    pub name: String,
    /// Unit of the amplitudes given here and drawn.
    pub unit: String,
    /// Mean of the training windows.
    pub mean_train: Option<f64>,
    /// Standard deviation.
    pub sd_train: Option<f64>,
    /// Mean of the held-out windows.
    pub mean_held_out: Option<f64>,
    /// Standard deviation.
    pub sd_held_out: Option<f64>,
    /// Mean of the samples.
    pub mean_samples: Option<f64>,
    /// Standard deviation.
    pub sd_samples: Option<f64>,
}

/// Held-out log-likelihood of a model in nats per dimension.
#[derive(Debug, Clone, Serialize)]
pub struct PerDimension {
    /// Model name.
    pub model: String,
    /// Mean over windows; higher is better.
    pub mean: f64,
    /// Standard error over windows.
    pub error: Option<f64>,
    /// Standard error over recordings, whose windows resemble each other; none of a single recording.
    pub error_recordings: Option<f64>,
    /// Mean of this − best, window by window.
    pub difference: f64,
    /// Its standard error over windows.
    pub difference_error: Option<f64>,
    /// Its standard error over recordings.
    pub difference_error_recordings: Option<f64>,
    /// Nats per window, the same mean times the dimensions.
    pub per_window: f64,
}

/// One window of one channel, real or sampled.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// Channel name.
    pub channel: String,
    /// Unit of `values`.
    pub unit: String,
    /// "held-out" or "sample".
    pub source: String,
    /// Which window of its source, from 1.
    pub number: usize,
    /// One per sample in time.
    pub values: Vec<f64>,
}

/// Power spectral densities of a channel.
#[derive(Debug, Clone, Serialize)]
pub struct Spectrum {
    /// Channel name.
    pub channel: String,
    /// Unit of the density.
    pub unit: String,
    /// Unit of `frequency`.
    pub frequency_unit: String,
    /// Middle of each band.
    pub frequency: Vec<f64>,
    /// Median over held-out windows.
    pub data: Vec<f64>,
    /// Quartiles over held-out windows; empty with too few.
    pub band: Vec<[f64; 2]>,
    /// Median over samples.
    pub samples: Vec<f64>,
}

/// Likelihood along one recording.
#[derive(Debug, Clone, Serialize)]
pub struct OverTime {
    /// Record name, or its number.
    pub recording: String,
    /// "hours" or "% of the recording".
    pub time_unit: String,
    /// Time, mean nats per dimension, and its standard error where several windows are behind it.
    pub points: Vec<TimePoint>,
}

/// One window, or a run of windows.
#[derive(Debug, Clone, Serialize)]
pub struct TimePoint {
    /// Middle of the run.
    pub time: f64,
    /// Nats per dimension.
    pub mean: f64,
    /// Standard error over the windows of the run.
    pub error: Option<f64>,
    /// Split of the windows, or "held-out" for several.
    pub split: String,
}

/// A window the model finds unlikely.
#[derive(Debug, Clone, Serialize)]
pub struct OddWindow {
    /// Record name and first sample, or rank.
    pub window: String,
    /// Where in its recording: hours, or a third of it.
    pub place: String,
    /// Nats per dimension.
    pub per_dimension: f64,
    /// Per cent of the windows of the split that are less likely.
    pub percentile: f64,
    /// One per channel.
    pub traces: Vec<Trace>,
}
