//! The artefacts that lines, sensors and patients cause in a signal.

use std::ops::Range;

use super::event::FREQUENCY;
use crate::synth::draw::Draw;

/// A kind of artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Artefact {
    /// The arterial line is flushed, so the signal shows the pressure of the bag.
    Flush,
    /// A clot or a kink damps the arterial line.
    Damping,
    /// The finger moves.
    Motion,
    /// The sensor falls off.
    Detached,
    /// Electrocautery adds fast noise to both signals.
    Interference,
    /// The transducer is moved, so the pressure is off by a constant.
    ZeroDrift,
}

impl Artefact {
    pub(super) const ALL: [Self; 6] =
        [Self::Flush, Self::Damping, Self::Motion, Self::Detached, Self::Interference, Self::ZeroDrift];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Flush => "flush",
            Self::Damping => "damping",
            Self::Motion => "motion",
            Self::Detached => "detached",
            Self::Interference => "interference",
            Self::ZeroDrift => "zero-drift",
        }
    }

    pub(super) const fn channels(self) -> &'static str {
        match self {
            Self::Flush | Self::Damping | Self::ZeroDrift => "ABP",
            Self::Motion | Self::Detached => "PLETH",
            Self::Interference => "PLETH;ABP",
        }
    }

    pub(super) fn apply(self, [pleth, abp]: &mut [Vec<f64>; 2], range: Range<usize>, draw: &mut Draw) {
        let n = range.len() as f64;
        let (pleth, abp) = (&mut pleth[range.clone()], &mut abp[range]);
        match self {
            Self::Flush => {
                let ring = draw.between(8.0, 20.0);
                for (i, x) in abp.iter_mut().enumerate() {
                    let left = (n - i as f64) / FREQUENCY;
                    let s = i as f64 / FREQUENCY;
                    let level = 300.0 - 200.0 * (-s / 0.05).exp();
                    // The line rings when the valve closes.
                    let tail = if left < 0.3 { 40.0 * (ring * (0.3 - left) * 6.3).sin() } else { 0.0 };
                    *x = level + tail + 0.3 * draw.normal();
                }
            }
            Self::Damping => {
                let mean = abp.iter().sum::<f64>() / n;
                let rest = draw.between(0.05, 0.25);
                for x in abp {
                    *x = mean + rest * (*x - mean);
                }
            }
            Self::Motion => {
                let (mut slow, size) = (0.0, draw.between(0.1, 0.4));
                for (i, x) in pleth.iter_mut().enumerate() {
                    slow = 0.93 * slow + 0.37 * draw.normal();
                    *x += size * slow * (std::f64::consts::PI * i as f64 / n).sin();
                }
            }
            Self::Detached => {
                let level = draw.between(0.0, 0.15);
                for x in pleth {
                    *x = level + 0.003 * draw.normal();
                }
            }
            Self::Interference => {
                let phase = draw.between(0.0, 6.3);
                for (i, (p, a)) in pleth.iter_mut().zip(abp.iter_mut()).enumerate() {
                    let burst = (2.4 * i as f64 + phase).sin() + 0.7 * draw.normal();
                    *p += 0.03 * burst;
                    *a += 5.0 * burst;
                }
            }
            Self::ZeroDrift => {
                let shift = draw.between(20.0, 40.0) * if draw.chance(0.5) { 1.0 } else { -1.0 };
                let ramp = |i: f64| (i / (0.5 * FREQUENCY)).min((n - i) / (0.5 * FREQUENCY)).min(1.0);
                abp.iter_mut().enumerate().for_each(|(i, x)| *x += shift * ramp(i as f64));
            }
        }
    }
}
