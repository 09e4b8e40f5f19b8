//! What the network sees of the past of each sample.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::num::real::Real;

/// Samples of one pooled mean.
const POOL: usize = 8;
/// Amplitudes beyond this are cut for the network, though not for the density.
const LIMIT: f64 = 8.0;

/// Extent of the past: single samples nearby, means of eight further off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Channels C.
    pub channels: usize,
    /// Last samples seen one by one.
    pub lags: usize,
    /// Means of eight samples before those.
    pub pools: usize,
}

impl Context {
    /// As much of `length` samples as is worth seeing: up to 16 samples and up to two seconds at 125 Hz.
    pub fn of(length: usize, channels: usize) -> Self {
        let lags = 16.min(length / 2).max(1);
        Self { channels, lags, pools: ((length.saturating_sub(lags)) / (2 * POOL)).min(30) }
    }

    /// Numbers per sample: v and e of each channel at each lag and pool, and how much past there is.
    pub fn n_inputs(&self) -> usize {
        2 * self.channels * (self.lags + self.pools) + 1
    }

    /// Samples of the past that are looked at.
    pub fn reach(&self) -> usize {
        self.lags + self.pools * POOL
    }

    /// Inputs of samples `from..` of a window, given its samples up to the last but one; later ones are not
    /// read.
    ///
    /// # Shapes
    /// `v: (T, C)` centred samples, `e: (T, C)` innovations → `(n_inputs, T − from)`, one column per sample.
    pub fn inputs<T: Real>(&self, v: ArrayView2<'_, f64>, e: ArrayView2<'_, f64>, from: usize) -> Vec<T> {
        let length = v.nrows();
        let n = length - from;
        let mut out = vec![T::zero(); self.n_inputs() * n];
        let mut rows = out.chunks_exact_mut(n.max(1));
        let mut row = || rows.next().expect("invariant: n_inputs rows");
        let limited = |x: &f64| x.clamp(-LIMIT, LIMIT);
        for c in 0..self.channels {
            let level: Vec<f64> = v.column(c).iter().map(limited).collect();
            let surprise: Vec<f64> = e.column(c).iter().map(|x| x.asinh()).collect();
            let size: Vec<f64> = surprise.iter().map(|x| x.abs()).collect();
            for x in [&level, &surprise] {
                for lag in 1..=self.lags {
                    let row = row();
                    for t in from.max(lag)..length {
                        row[t - from] = T::from_f64(x[t - lag]);
                    }
                }
            }
            for x in [&level, &size] {
                // Sum of the first t.
                let mut sum = vec![0.0; length + 1];
                for t in 0..length {
                    sum[t + 1] = sum[t] + x[t];
                }
                for pool in 0..self.pools {
                    let (near, far) = (self.lags + pool * POOL, self.lags + (pool + 1) * POOL);
                    let row = row();
                    for t in from.max(near)..length {
                        let mean = (sum[t - near] - sum[t.saturating_sub(far)]) / POOL as f64;
                        row[t - from] = T::from_f64(mean);
                    }
                }
            }
        }
        let reach = self.reach() as f64;
        for (t, x) in row().iter_mut().enumerate() {
            *x = T::from_f64(((t + from) as f64 / reach).min(1.0));
        }
        out
    }
}

/// Samples of a window by time and channel.
pub(super) fn by_time(window: &[f64], channels: usize) -> Array2<f64> {
    Array2::from_shape_vec((window.len() / channels, channels), window.to_vec())
        .expect("invariant: whole samples")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_sees_its_past_alone_however_much_is_asked_for() {
        let (length, context) = (60, Context { channels: 2, lags: 5, pools: 3 });
        let v = Array2::from_shape_fn((length, 2), |(t, c)| ((3 * t + c) as f64).sin());
        let e = Array2::from_shape_fn((length, 2), |(t, c)| ((5 * t + 2 * c) as f64).cos());
        let all: Vec<f64> = context.inputs(v.view(), e.view(), 0);
        assert_eq!(all.len(), context.n_inputs() * length);
        for t in [0, 1, 4, 5, 12, 13, 40, 59] {
            let mut changed = (v.clone(), e.clone());
            for later in t..length {
                changed.0.row_mut(later).fill(99.0);
                changed.1.row_mut(later).fill(-99.0);
            }
            let part = |a: &Array2<f64>| a.select(ndarray::Axis(0), &(0..=t).collect::<Vec<_>>());
            let one: Vec<f64> = context.inputs(part(&changed.0).view(), part(&changed.1).view(), t);
            for (i, x) in one.iter().enumerate() {
                assert!((x - all[i * length + t]).abs() < 1e-12, "{t} {i}");
            }
        }
        // Lag 2 of the first channel at t = 10, and the pool of samples 0..8 before the five lags at t = 13.
        assert_eq!(all[length + 10], v[[8, 0]]);
        let mean = (0..8).map(|t| v[[t, 0]]).sum::<f64>() / 8.0;
        assert!((all[10 * length + 13] - mean).abs() < 1e-12);
    }
}
