//! The values a digitised signal can take, one lattice per channel.
//!
//! Noise as wide as a step makes recorded values continuous. Which step a number lies on says what was
//! recorded, so a density may read the past without its noise, and be flat over the step of the sample
//! itself: it is then the probability of what was recorded, divided by the width of the step.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// How far a value may lie from its lattice, in steps.
const TOLERANCE: f64 = 1e-3;

/// Lattices of the channels: values are `offset + step · integer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lattice {
    steps: Vec<f64>,
    offsets: Vec<f64>,
}

impl Lattice {
    /// Lattices of the given steps through the values of `windows`, which are without noise; `None` where a
    /// channel does not keep to one.
    ///
    /// # Shapes
    /// `windows: (n, T·C)`, time-major, `steps: (C,)`
    pub fn through(windows: ArrayView2<'_, f64>, steps: &[f64]) -> Option<Self> {
        let first = windows.rows().into_iter().next()?;
        let offsets = first.iter().take(steps.len()).copied().collect();
        let lattice = Self { steps: steps.to_vec(), offsets };
        let on_it = |(i, x): (usize, &f64)| {
            let channel = i % steps.len();
            (lattice.nearest(channel, *x) - x).abs() <= TOLERANCE * steps[channel]
        };
        let sound =
            lattice.is_sound() && windows.rows().into_iter().all(|row| row.iter().enumerate().all(on_it));
        sound.then_some(lattice)
    }

    /// Whether every step is a width and every offset a number.
    pub(super) fn is_sound(&self) -> bool {
        self.steps.len() == self.offsets.len()
            && !self.steps.is_empty()
            && self.steps.iter().all(|s| s.is_finite() && *s > 0.0)
            && self.offsets.iter().all(|o| o.is_finite())
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.steps.len()
    }

    /// Width of a step of `channel`.
    pub fn step(&self, channel: usize) -> f64 {
        self.steps[channel]
    }

    /// The value of `channel` nearest to x.
    pub fn nearest(&self, channel: usize, x: f64) -> f64 {
        let (step, offset) = (self.steps[channel], self.offsets[channel]);
        offset + step * ((x - offset) / step).round()
    }

    /// Windows without their noise.
    ///
    /// # Shapes
    /// `windows: (n, T·C)`, time-major
    pub fn recorded(&self, windows: ArrayView2<'_, f64>) -> ndarray::Array2<f64> {
        let mut out = windows.to_owned();
        for mut row in out.rows_mut() {
            for (i, x) in row.iter_mut().enumerate() {
                *x = self.nearest(i % self.channels(), *x);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn noise_is_taken_off_again() {
        let recorded = array![[0.3, -5.0, 0.8, 1.0], [1.3, 3.0, -0.2, -1.0]];
        let lattice = Lattice::through(recorded.view(), &[0.5, 2.0]).unwrap();
        let noise = array![[0.24, -0.99, -0.2, 0.9], [0.1, 0.0, -0.24, 0.5]];
        let back = lattice.recorded((&recorded + &noise).view());
        assert!((back - recorded).iter().all(|d| d.abs() < 1e-12));
    }

    #[test]
    fn values_beside_the_lattice_are_seen() {
        let off = array![[0.0, 0.0], [1.0, 0.5]];
        assert!(Lattice::through(off.view(), &[1.0, 1.0]).is_none());
        assert!(Lattice::through(off.view(), &[1.0, 0.5]).is_some());
        assert!(Lattice::through(off.view(), &[1.0, 0.0]).is_none());
    }
}
