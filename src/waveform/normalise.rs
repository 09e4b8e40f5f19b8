//! Centre and scale of each channel, and the amplitudes that follow from them.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Signal;
use super::cuts::{Cuts, Window};
use super::divide::Divided;
use crate::schema::{Normalise, Split, Waveform};

/// How each record was normalised; written beside the bundle's other files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Samples per second.
    pub frequency: f64,
    /// Channels in the order of the coordinates.
    pub channels: Vec<ChannelScale>,
    /// One entry per record and channel, in the order of the records.
    pub records: Vec<RecordScale>,
}

/// A channel of all windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelScale {
    /// Name.
    pub channel: String,
    /// Physical unit of the records.
    pub units: String,
    /// Step of the normalised amplitudes, the width of their noise.
    pub resolution: f64,
}

/// A channel of one record: amplitude = (physical − centre)/scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordScale {
    /// Record name.
    pub record: String,
    /// Channel name.
    pub channel: String,
    /// Physical value that becomes 0.
    pub centre: f64,
    /// Physical units per unit of amplitude.
    pub scale: f64,
    /// Windows kept.
    pub windows: usize,
}

/// Centre and scale of each channel, per record.
pub(super) fn places(divided: &[Divided], settings: &Waveform) -> Vec<Vec<(f64, f64)>> {
    let channels = settings.channels.len();
    let mut sums: Vec<Vec<Sums>> =
        divided.par_iter().map(|d| training_sums(d, channels, settings.past)).collect();
    match settings.normalise {
        Normalise::None => return vec![vec![(0.0, 1.0); channels]; divided.len()],
        Normalise::Channel => {
            let pooled: Vec<Sums> =
                (0..channels).map(|c| sums.iter().fold(Sums::default(), |all, s| all.add(s[c]))).collect();
            sums.fill(pooled);
        }
        Normalise::Record => {}
    }
    let places = |(d, sums): (&Divided, &Vec<Sums>)| {
        (0..channels)
            .map(|c| {
                let (mean, sd) = sums[c].mean_and_sd();
                // On the lattice of the record, so that rounding to it later changes no value.
                let step = d.cuts.windows.first().map_or(0.0, |w| d.cuts.scales[w.scale].step(c));
                (
                    if step > 0.0 { (mean / step).round() * step } else { mean },
                    if sd > 0.0 { sd } else { 1.0 },
                )
            })
            .collect()
    };
    divided.iter().zip(&sums).map(places).collect()
}

/// Count, sum and sum of squares about a value near the mean.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    mean: f64,
    square: f64,
}

impl Sums {
    fn push(&mut self, x: f64) {
        self.n += 1.0;
        let delta = x - self.mean;
        self.mean += delta / self.n;
        self.square += delta * (x - self.mean);
    }

    /// Chan's update of two samples.
    fn add(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0.0 {
            return self;
        }
        let delta = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + delta * other.n / n,
            square: self.square + other.square + delta * delta * self.n * other.n / n,
        }
    }

    fn mean_and_sd(self) -> (f64, f64) {
        (self.mean, if self.n > 0.0 { (self.square / self.n).sqrt() } else { 0.0 })
    }
}

fn physical(cuts: &Cuts, window: &Window, i: usize, channels: usize) -> f64 {
    let (scale, sample) = (&cuts.scales[window.scale], window.samples[i]);
    let c = i % channels;
    if sample == Signal::MISSING { f64::NAN } else { (f64::from(sample) - scale.baseline[c]) / scale.gain[c] }
}

/// Sums over the training windows without their pasts, whose samples are those of other windows.
fn training_sums(d: &Divided, channels: usize, past: usize) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); channels];
    for (window, _) in d.cuts.windows.iter().zip(&d.splits).filter(|(_, s)| **s == Split::Train) {
        for i in past * channels..window.samples.len() {
            let x = physical(&d.cuts, window, i, channels);
            if !x.is_nan() {
                sums[i % channels].push(x);
            }
        }
    }
    sums
}

/// Normalised amplitudes by column, on the lattices of `resolution`.
pub(super) fn cells(
    divided: &[Divided],
    settings: &Waveform,
    places: &[Vec<(f64, f64)>],
    resolution: &[f64],
) -> Vec<Vec<f64>> {
    /// Columns filled together: a stretch of each window's samples, while they and the ends of the columns
    /// are in cache.
    const TOGETHER: usize = 128;
    let channels = settings.channels.len();
    let n: usize = divided.iter().map(|d| d.cuts.windows.len()).sum();
    let mut cells = vec![Vec::new(); settings.extent() * channels];
    cells.par_chunks_mut(TOGETHER).enumerate().for_each(|(k, cells)| {
        for c in cells.iter_mut() {
            c.reserve_exact(n);
        }
        for (d, place) in divided.iter().zip(places) {
            for window in &d.cuts.windows {
                for (i, cells) in (k * TOGETHER..).zip(cells.iter_mut()) {
                    let c = i % channels;
                    let (centre, scale) = place[c];
                    let amplitude = (physical(&d.cuts, window, i, channels) - centre) / scale;
                    cells.push((amplitude / resolution[c]).round() * resolution[c]);
                }
            }
        }
    });
    cells
}
