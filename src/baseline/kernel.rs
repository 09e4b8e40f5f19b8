//! The shape of a component: how its density falls with the distance from its centre.
//!
//! ```text
//! m = (v − μ)ᵀ Σ⁻¹ (v − μ)
//! Gaussian     log p(v) = −d/2 log 2π − ½ log|Σ| − m/2
//! t            log p(v) = log Γ((ν+d)/2) − log Γ(ν/2) − d/2 log πν − ½ log|Σ| − (ν+d)/2 log(1 + m/ν)
//! ```
//!
//! Σ is the covariance of a Gaussian, and ν/(ν−2) times as large is that of a t distribution with ν > 2.
//!
//! # References
//! Peel and McLachlan (2000), Robust mixture modelling using the t distribution, equations 2 and 20.

use std::f64::consts::PI;

use rand_distr::{ChiSquared, Distribution};
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use crate::random::StreamRng;

/// How the density of a component falls with the distance from its centre.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// As that of a normal distribution.
    #[default]
    Gaussian,
    /// As that of Student's t, with so many degrees of freedom.
    T(f64),
}

impl Kernel {
    /// The part of the log-density on `d` coordinates that depends on neither place nor scale.
    pub(super) fn log_norm(self, d: usize) -> f64 {
        let half = 0.5 * d as f64;
        match self {
            Self::Gaussian => -half * (2.0 * PI).ln(),
            Self::T(degrees) => {
                ln_gamma(0.5 * degrees + half) - ln_gamma(0.5 * degrees) - half * (PI * degrees).ln()
            }
        }
    }

    /// The part of the log-density on `d` coordinates that depends on the squared distance.
    pub(super) fn log_profile(self, squared_distance: f64, d: usize) -> f64 {
        match self {
            Self::Gaussian => -0.5 * squared_distance,
            Self::T(degrees) => -0.5 * (degrees + d as f64) * (squared_distance / degrees).ln_1p(),
        }
    }

    /// How much a row at this squared distance counts for centre and scale, which is less for a row far out:
    /// the expectation of the precision that a t distribution gives each of its rows.
    pub(super) fn precision(self, squared_distance: f64, d: usize) -> f64 {
        match self {
            Self::Gaussian => 1.0,
            Self::T(degrees) => (degrees + d as f64) / (degrees + squared_distance),
        }
    }

    /// What a normal draw is multiplied by.
    pub(super) fn stretch(self, rng: &mut StreamRng) -> f64 {
        match self {
            Self::Gaussian => 1.0,
            Self::T(degrees) => {
                let square = ChiSquared::new(degrees).expect("invariant: degrees of freedom are positive");
                (degrees / square.sample(rng)).sqrt()
            }
        }
    }

    /// The kernel of some coordinates given `known` others at this squared distance, and the factor on their
    /// squared scale. Of a t distribution these are `t` with ν + known degrees and `(ν + m)/(ν + known)`
    /// (Ding 2016, On the conditional distribution of the multivariate t distribution).
    pub(super) fn given(self, squared_distance: f64, known: usize) -> (Self, f64) {
        match self {
            Self::Gaussian => (Self::Gaussian, 1.0),
            Self::T(degrees) => {
                let more = degrees + known as f64;
                (Self::T(more), (degrees + squared_distance) / more)
            }
        }
    }

    /// Degrees of freedom; none of a Gaussian.
    pub fn degrees(self) -> Option<f64> {
        match self {
            Self::Gaussian => None,
            Self::T(degrees) => Some(degrees),
        }
    }

    /// Parameters of its own.
    pub(super) fn n_parameters(self) -> usize {
        match self {
            Self::Gaussian => 0,
            Self::T(_) => 1,
        }
    }

    /// Whether it is a density.
    pub(super) fn is_sound(self) -> bool {
        match self {
            Self::Gaussian => true,
            Self::T(degrees) => degrees.is_finite() && degrees > 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Continuous, StudentsT};

    #[test]
    fn one_coordinate_is_the_distribution_of_statrs() {
        for degrees in [1.0, 2.5, 7.0, 60.0] {
            let theirs = StudentsT::new(0.0, 1.0, degrees).unwrap();
            let kernel = Kernel::T(degrees);
            for x in [0.0, 0.7, -3.0, 40.0] {
                let ours = kernel.log_norm(1) + kernel.log_profile(x * x, 1);
                // Both sides are sums of a few logarithms.
                assert!((ours - theirs.ln_pdf(x)).abs() < 1e-9, "{degrees} {x}");
            }
        }
    }

    #[test]
    fn many_degrees_are_a_gaussian() {
        let (gaussian, t) = (Kernel::Gaussian, Kernel::T(1e9));
        for (m, d) in [(0.0, 3), (4.0, 1), (30.0, 12)] {
            let gap = t.log_norm(d) + t.log_profile(m, d) - gaussian.log_norm(d) - gaussian.log_profile(m, d);
            assert!(gap.abs() < 1e-5, "{m} {d}: {gap}");
            assert!((t.precision(m, d) - 1.0).abs() < 1e-6);
        }
    }
}
