//! The exact distribution of some coordinates of a Gaussian mixture given the others.
//!
//! ```text
//! known coordinates first:  Σ = L Lᵀ,  L = [[A, 0], [B, C]],  w = A⁻¹(v − μ_known)
//! p(v) = Σ_k w_k N(v; μ_known, A Aᵀ)          z | v, k ~ N(μ_free + B w, C Cᵀ)
//! ```
//!
//! One Cholesky factor serves both lines. No covariance is subtracted from another one, so rounding cannot
//! make a covariance lose its definiteness.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayView3, Axis, Slice};

use super::{Kernel, MixtureError};
use crate::num::special::normal_quantile;
use crate::num::stable::log_sum_exp;
use crate::num::triangular::{cholesky, solve_lower};
use crate::random::StreamRng;

/// Share of the defensive draws that come from a wider distribution. An integrand may have heavier tails than
/// the mixture, or modes where the mixture sees none, so some draws must fall there.
const DEFENSIVE: f64 = 0.1;
/// Factor on the standard deviations of the wider distribution.
const WIDER: f64 = 2.0;
/// How the wider distribution chooses its component: this share by the weights of the mixture, and the rest
/// by the weights given the known coordinates.
const BY_PRIOR: f64 = 0.5;

/// A mixture whose coordinates are divided into known and free ones.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalMixture {
    kernel: Kernel,
    known: usize,
    components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq)]
struct Component {
    weight: f64,
    mean_known: Array1<f64>,
    mean_free: Array1<f64>,
    /// The block A of the Cholesky factor; see the head of the module.
    known: Array2<f64>,
    /// The block B.
    gain: Array2<f64>,
    /// The block C.
    free: Array2<f64>,
    /// `log w_k − Σ log A[i,i]` and the constant of the kernel on the known coordinates.
    log_norm_known: f64,
    /// `−Σ log C[i,i]` and the constant of the kernel on the free coordinates given the known ones.
    log_norm_free: f64,
}

/// The distribution of the free coordinates given one value of the known ones.
#[derive(Debug, Clone)]
pub struct FreeMixture<'a> {
    of: &'a ConditionalMixture,
    log_prob: f64,
    /// Weight of each component given the known coordinates.
    shares: Vec<f64>,
    means: Vec<Array1<f64>>,
    /// Shape of the components given the known coordinates.
    kernel: Kernel,
    /// Factor on the scale of each component, given the known coordinates.
    stretches: Vec<f64>,
}

impl ConditionalMixture {
    /// Divides the coordinates of a mixture; see [`Mixture::divided`](super::Mixture::divided). The
    /// coordinates in `known` come first, in that order, and the others follow in ascending order as the free
    /// ones.
    ///
    /// # Errors
    /// [`MixtureError::NotPositiveDefinite`] when rounding leaves a covariance without a Cholesky factor in
    /// this order.
    ///
    /// # Panics
    /// Panics when `known` names a coordinate that the mixture does not have.
    pub(super) fn new(
        kernel: Kernel,
        (weights, means, covariances): (ArrayView1<'_, f64>, ArrayView2<'_, f64>, ArrayView3<'_, f64>),
        known: &[usize],
    ) -> Result<Self, MixtureError> {
        let d = means.ncols();
        let order: Vec<usize> = known.iter().copied().chain((0..d).filter(|j| !known.contains(j))).collect();
        let k = known.len();
        let mut components = Vec::with_capacity(weights.len());
        for (c, &weight) in weights.iter().enumerate() {
            if weight <= 0.0 {
                continue;
            }
            let covariance = covariances.index_axis_move(Axis(0), c);
            let ordered = covariance.select(Axis(0), &order).select(Axis(1), &order);
            let lower = cholesky(ordered.view()).ok_or(MixtureError::NotPositiveDefinite { component: c })?;
            let (head, tail) = (Slice::from(..k), Slice::from(k..));
            let part =
                |rows, columns| lower.slice_axis(Axis(0), rows).slice_axis(Axis(1), columns).to_owned();
            let mean = means.row(c).select(Axis(0), &order);
            let log_det: Vec<f64> = lower.diag().iter().map(|x| x.ln()).collect();
            let norm = |of: Kernel, logs: &[f64]| -logs.iter().sum::<f64>() + of.log_norm(logs.len());
            components.push(Component {
                weight,
                mean_known: mean.slice_axis(Axis(0), head).to_owned(),
                mean_free: mean.slice_axis(Axis(0), tail).to_owned(),
                known: part(head, head),
                gain: part(tail, head),
                free: part(tail, tail),
                log_norm_known: weight.ln() + norm(kernel, &log_det[..k]),
                log_norm_free: norm(kernel.given(0.0, k).0, &log_det[k..]),
            });
        }
        Ok(Self { kernel, known: k, components })
    }

    /// Conditions the mixture on the known coordinates.
    ///
    /// # Shapes
    /// `v: (known,)`
    ///
    /// # Panics
    /// Panics when `v` has another length.
    pub fn given(&self, v: &[f64]) -> FreeMixture<'_> {
        assert_eq!(v.len(), self.known, "invariant: one value per known coordinate");
        let v = Array1::from(v.to_vec());
        let mut terms = Vec::with_capacity(self.components.len());
        let mut means = Vec::with_capacity(self.components.len());
        let mut stretches = Vec::with_capacity(self.components.len());
        for c in &self.components {
            let white = solve_lower(c.known.view(), (&v - &c.mean_known).view());
            let square = white.dot(&white);
            terms.push(c.log_norm_known + self.kernel.log_profile(square, self.known));
            stretches.push(self.kernel.given(square, self.known).1.sqrt());
            means.push(&c.mean_free + &c.gain.dot(&white));
        }
        let log_prob = log_sum_exp(&terms);
        let shares = terms.iter().map(|t| (t - log_prob).exp()).collect();
        let kernel = self.kernel.given(0.0, self.known).0;
        FreeMixture { of: self, log_prob, shares, means, kernel, stretches }
    }
}

impl FreeMixture<'_> {
    /// Returns the log-density of the known coordinates.
    pub fn log_prob_known(&self) -> f64 {
        self.log_prob
    }

    /// Draws the free coordinates from their conditional distribution.
    pub fn draw(&self, rng: &mut StreamRng) -> Array1<f64> {
        let component = choose(&self.shares, rng);
        self.draw_from(component, 1.0, rng)
    }

    /// Draws the free coordinates from a distribution with heavier tails, in which every component keeps a
    /// share of the draws. Its density is [`log_defensive`](Self::log_defensive).
    pub fn draw_defensive(&self, rng: &mut StreamRng) -> Array1<f64> {
        if uniform(rng) >= DEFENSIVE {
            return self.draw(rng);
        }
        let shares: Vec<f64> = (0..self.shares.len()).map(|c| self.defensive_share(c)).collect();
        let component = choose(&shares, rng);
        self.draw_from(component, WIDER, rng)
    }

    /// Returns the log-density of the distribution that [`draw_defensive`](Self::draw_defensive) draws from.
    pub fn log_defensive(&self, z: &Array1<f64>) -> f64 {
        let mut terms = Vec::with_capacity(2 * self.shares.len());
        for (c, component) in self.of.components.iter().enumerate() {
            let white = solve_lower(component.free.view(), (z - &self.means[c]).view());
            let square = white.dot(&white);
            let share = [(1.0 - DEFENSIVE) * self.shares[c], DEFENSIVE * self.defensive_share(c)];
            for (share, scale) in share.into_iter().zip([self.stretches[c], WIDER * self.stretches[c]]) {
                let log_norm = component.log_norm_free - z.len() as f64 * scale.ln();
                let profile = self.kernel.log_profile(square / (scale * scale), z.len());
                terms.push(share.ln() + log_norm + profile);
            }
        }
        log_sum_exp(&terms)
    }

    fn defensive_share(&self, c: usize) -> f64 {
        (1.0 - BY_PRIOR) * self.shares[c] + BY_PRIOR * self.of.components[c].weight
    }

    fn draw_from(&self, component: usize, scale: f64, rng: &mut StreamRng) -> Array1<f64> {
        let mean = &self.means[component];
        let noise: Array1<f64> = (0..mean.len()).map(|_| normal_quantile(uniform(rng))).collect();
        let noise = noise * (scale * self.stretches[component] * self.kernel.stretch(rng));
        mean + &self.of.components[component].free.dot(&noise)
    }
}

/// Draws a position with probability proportional to its share. The shares sum to one up to rounding.
fn choose(shares: &[f64], rng: &mut StreamRng) -> usize {
    let mut u = uniform(rng) * shares.iter().sum::<f64>();
    for (c, share) in shares.iter().enumerate() {
        if u < *share {
            return c;
        }
        u -= share;
    }
    shares.iter().rposition(|s| *s > 0.0).unwrap_or(0)
}

/// Draws a uniform number on the open interval (0, 1). Both ends are excluded because their normal quantiles
/// are infinite.
fn uniform(rng: &mut StreamRng) -> f64 {
    use rand::Rng;
    ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;
    use crate::baseline::Mixture;
    use crate::density::Density;
    use crate::random::Seed;

    fn three() -> Mixture {
        let a = [2.0, 0.6, -0.4, 0.6, 1.0, 0.3, -0.4, 0.3, 0.5];
        let b = [0.5, -0.2, 0.1, -0.2, 1.5, 0.7, 0.1, 0.7, 1.0];
        let covariances = Array3::from_shape_vec((2, 3, 3), [a, b].concat()).unwrap();
        Mixture::new(array![0.4, 0.6], array![[0.0, 1.0, -1.0], [2.0, -1.0, 0.5]], covariances).unwrap()
    }

    #[test]
    fn known_density_times_free_density_is_the_joint() {
        // The integral of the joint density over the two free coordinates must be the density of the known
        // one.
        let gmm = three();
        let conditional = gmm.divided(&[1]).unwrap();
        let (h, n) = (0.06, 260);
        for v in [-2.0, 0.3, 4.0] {
            let grid = Array2::from_shape_fn((n * n, 3), |(i, j)| match j {
                0 => 1.0 + h * ((i / n) as f64 - 130.0),
                1 => v,
                _ => h * ((i % n) as f64 - 130.0),
            });
            let mass: f64 = gmm.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h * h;
            let given = conditional.given(&[v]);
            assert!((mass.ln() - given.log_prob_known()).abs() < 1e-6, "{v}: {mass}");
            // The proposal density must integrate to one as well.
            let q: f64 =
                grid.rows().into_iter().map(|r| given.log_defensive(&array![r[0], r[2]]).exp()).sum::<f64>();
            assert!((q * h * h - 1.0).abs() < 2e-3, "{v}: {}", q * h * h);
        }
    }

    #[test]
    fn draws_have_the_conditional_moments() {
        // With one component, the mean and the variance of the regression have a closed form.
        let covariance = Array3::from_shape_vec((1, 2, 2), vec![4.0, 1.8, 1.8, 1.0]).unwrap();
        let gmm = Mixture::new(array![1.0], array![[1.0, -1.0]], covariance).unwrap();
        let conditional = gmm.divided(&[1]).unwrap();
        let given = conditional.given(&[0.5]);
        let mut rng = Seed(3).stream("test", 0);
        let z: Vec<f64> = (0..20_000).map(|_| given.draw(&mut rng)[0]).collect();
        let mean = z.iter().sum::<f64>() / 2e4;
        let variance = z.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
        // The exact values are 1 + 1.8·1.5 and 4 − 1.8². The tolerance is five standard errors.
        assert!((mean - 3.7).abs() < 0.031 && (variance - 0.76).abs() < 0.038, "{mean} {variance}");
    }

    #[test]
    fn nothing_known_and_nothing_free_are_the_ends() {
        let gmm = three();
        let none = gmm.divided(&[]).unwrap();
        assert!(none.given(&[]).log_prob_known().abs() < 1e-12);
        let all = gmm.divided(&[2, 0, 1]).unwrap();
        let joint = gmm.log_prob(array![[0.3, -0.2, 1.0]].view())[0];
        let given = all.given(&[1.0, 0.3, -0.2]);
        assert!((given.log_prob_known() - joint).abs() < 1e-12);
        assert_eq!(given.draw(&mut Seed(1).stream("test", 0)).len(), 0);
    }
}
