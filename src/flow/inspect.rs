//! Describes what the linear layers of a flow have learned: the matrix of each layer, the permutation nearest
//! to it, its distance from that permutation, its condition number, and which coordinates it mixes.
//!
//! Let M be the matrix of a layer and P a permutation matrix with signs. Then
//!
//! ```text
//! ‖M − P‖² = ‖M‖² + d − 2 Σᵢ |M_iπ(i)|        nearest π: a linear assignment on |M|
//! strength(a, b) = Σᵢ |M_ia M_ib| / √(Σᵢ M_ia² · Σᵢ M_ib²)
//! ```

use ndarray::{Array1, Array2};
use serde::Serialize;

use super::error::FlowError;
use super::model::Flow;
use crate::num::assignment::least_cost;
use crate::num::real::Real;

/// Number of steps of the power iteration behind a condition number. The error of a singular value falls with
/// every step. After this number of steps it is below a thousandth, even if the largest two singular values
/// differ by only a hundredth.
const POWER_STEPS: usize = 300;
/// Smallest strength at which a pair of mixed coordinates is listed.
const WEAK: f64 = 0.1;

/// Two coordinates that a layer mixes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mixed {
    /// Input coordinate of the flow that the first of the two mainly carries.
    pub first: usize,
    /// Input coordinate of the flow that the second one mainly carries; `first` < `second`.
    pub second: usize,
    /// Strength of the mixing: 0 if no output depends on both coordinates, 1 if all outputs depend on both
    /// alike.
    pub strength: f64,
}

/// What one linear layer has learned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerInspection {
    /// Index of the block that the layer is in.
    pub block: usize,
    /// Name of the layer as in the model's tensors, for example "block.0.linear".
    pub layer: String,
    /// Size d of the d × d matrix.
    pub size: usize,
    /// Number of parameters of the layer.
    pub n_parameters: usize,
    /// The matrix, whose entry (i, j) is ∂zᵢ/∂xⱼ.
    #[serde(serialize_with = "rows")]
    pub matrix: Array2<f64>,
    /// The nearest permutation: output i is nearest to ± input `nearest_permutation[i]`.
    pub nearest_permutation: Vec<usize>,
    /// Distance ‖M − P‖ / √d from the nearest permutation P with signs: 0 for a permutation, 1 for the zero
    /// matrix.
    pub distance: f64,
    /// Share of the squared entries that lie on the nearest permutation: 1 if the layer permutes and scales
    /// coordinates.
    pub share_on_permutation: f64,
    /// Whether the nearest permutation is the identity.
    pub is_identity: bool,
    /// The determinant det M. For large d it may underflow to 0 or overflow to infinity; use
    /// `log_abs_determinant` then.
    pub determinant: f64,
    /// The logarithm log|det M|, in nats.
    pub log_abs_determinant: f64,
    /// The ratio of the largest to the smallest singular value (condition number in the 2-norm).
    pub condition_number: f64,
    /// Input coordinate of the *flow* that each input of this layer mainly carries. It is found by following
    /// the nearest permutations of the layers before this one.
    pub carried: Vec<usize>,
    /// The pairs of coordinates that the layer mixes most, with the strongest first. At most d pairs are
    /// listed.
    pub mixed: Vec<Mixed>,
}

fn rows<S: serde::Serializer>(matrix: &Array2<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(matrix.rows().into_iter().map(|row| row.to_vec()))
}

impl<T: Real> Flow<T> {
    /// Inspects the linear layer of every block, from first to last.
    ///
    /// # Errors
    /// [`FlowError::Singular`] if the matrix of a layer is singular or not finite.
    pub fn inspect(&self) -> Result<Vec<LayerInspection>, FlowError> {
        // Small determinants and inverses need f64, whatever type the flow was trained in.
        let flow = self.cast::<f64>();
        let config = self.config();
        let mut carried: Vec<usize> =
            (0..self.n_features()).filter(|i| !config.context.contains(i)).collect();
        (0..self.config().n_blocks)
            .map(|block| {
                let found = flow.inspect_block(block, &carried)?;
                carried = found.nearest_permutation.iter().map(|&j| carried[j]).collect();
                Ok(found)
            })
            .collect()
    }
}

impl Flow<f64> {
    fn inspect_block(&self, block: usize, carried: &[usize]) -> Result<LayerInspection, FlowError> {
        let d = self.n_free();
        let layer = format!("block.{block}.linear");
        let matrix = self.linear_matrix(block)?;
        let singular = || FlowError::Singular { layer: layer.clone() };
        let inverse = self.linear_inverse(block)?;
        if inverse.iter().any(|v| !v.is_finite()) {
            return Err(singular());
        }
        let permutation = least_cost(matrix.mapv(|v| -v.abs()).view()).ok_or_else(singular)?;
        let on_permutation = || permutation.iter().enumerate().map(|(i, &j)| matrix[(i, j)]);
        let squares: f64 = matrix.iter().map(|v| v * v).sum();
        let squared_distance = squares + d as f64 - 2.0 * on_permutation().map(f64::abs).sum::<f64>();
        let (sign, log_abs_determinant) = sign_and_log_determinant(matrix.clone());
        let prefix = format!("{layer}.");
        Ok(LayerInspection {
            block,
            size: d,
            n_parameters: self
                .parameter_views()
                .iter()
                .filter(|v| v.name.starts_with(&prefix))
                .map(|v| v.range.len())
                .sum(),
            distance: (squared_distance.max(0.0) / d as f64).sqrt(),
            share_on_permutation: on_permutation().map(|v| v * v).sum::<f64>() / squares,
            is_identity: permutation.iter().enumerate().all(|(i, &j)| i == j),
            determinant: sign * log_abs_determinant.exp(),
            log_abs_determinant,
            condition_number: largest_singular_value(&matrix) * largest_singular_value(&inverse),
            carried: carried.to_vec(),
            mixed: mixed(&matrix, carried),
            nearest_permutation: permutation,
            matrix,
            layer,
        })
    }
}

/// The largest singular value of M: the square root of the largest eigenvalue of MᵀM, by power iteration. The
/// irregular start makes it unlikely that it is orthogonal to the eigenvector.
fn largest_singular_value(m: &Array2<f64>) -> f64 {
    let mut v = Array1::from_shape_fn(m.ncols(), |i| 1.0 + 0.3 * (2.7 * i as f64).sin());
    let mut value = 0.0;
    for _ in 0..POWER_STEPS {
        let norm = v.dot(&v).sqrt();
        v /= norm;
        let image = m.dot(&v);
        let next = image.dot(&image).sqrt();
        v = m.t().dot(&image);
        if (next - value).abs() <= 1e-12 * next {
            return next;
        }
        value = next;
    }
    value
}

/// Sign and log|det|, by elimination with partial pivoting.
fn sign_and_log_determinant(mut a: Array2<f64>) -> (f64, f64) {
    let d = a.nrows();
    let (mut sign, mut log) = (1.0, 0.0);
    for k in 0..d {
        let pivot = (k..d).max_by(|&i, &j| a[(i, k)].abs().total_cmp(&a[(j, k)].abs())).unwrap_or(k);
        if pivot != k {
            sign = -sign;
            for c in 0..d {
                a.swap((k, c), (pivot, c));
            }
        }
        sign *= a[(k, k)].signum();
        log += a[(k, k)].abs().ln();
        for i in k + 1..d {
            let factor = a[(i, k)] / a[(k, k)];
            if factor != 0.0 {
                for c in k..d {
                    a[(i, c)] -= factor * a[(k, c)];
                }
            }
        }
    }
    (sign, log)
}

fn mixed(m: &Array2<f64>, carried: &[usize]) -> Vec<Mixed> {
    let d = m.ncols();
    let sizes = m.mapv(f64::abs);
    let norms: Vec<f64> = sizes.columns().into_iter().map(|c| c.dot(&c).sqrt()).collect();
    let products = sizes.t().dot(&sizes);
    let mut pairs: Vec<Mixed> = (0..d)
        .flat_map(|a| (a + 1..d).map(move |b| (a, b)))
        .map(|(a, b)| Mixed {
            first: carried[a].min(carried[b]),
            second: carried[a].max(carried[b]),
            strength: products[(a, b)] / (norms[a] * norms[b]),
        })
        .filter(|pair| pair.strength >= WEAK)
        .collect();
    pairs.sort_by(|a, b| {
        b.strength.total_cmp(&a.strength).then((a.first, a.second).cmp(&(b.first, b.second)))
    });
    pairs.truncate(d);
    pairs
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::flow::{FlowConfig, Linear};
    use crate::random::Seed;

    #[test]
    fn a_routed_permutation_is_named_and_followed() {
        let mut flow = Flow::<f32>::new(&FlowConfig::new(5), Seed(0)).unwrap();
        flow.route_permutation(0, &[3, 0, 4, 1, 2]).unwrap();
        let layers = flow.inspect().unwrap();
        assert_eq!(layers.len(), 4);
        assert_eq!(layers[0].nearest_permutation, [3, 0, 4, 1, 2]);
        assert!(!layers[0].is_identity && layers[1].is_identity);
        assert_eq!(layers[1].carried, [3, 0, 4, 1, 2]);
        for layer in &layers {
            assert!(layer.distance < 1e-3 && layer.share_on_permutation > 0.999_999);
            assert!((layer.condition_number - 1.0).abs() < 1e-5 && layer.log_abs_determinant.abs() < 1e-6);
            assert!(layer.mixed.is_empty());
        }
        assert!(serde_json::to_string(&layers).unwrap().contains("\"matrix\":[["));
    }

    #[test]
    fn a_trained_layer_has_the_numbers_of_its_matrix() {
        for linear in [Linear::default(), Linear::PluDense] {
            let mut flow = Flow::<f64>::new(&FlowConfig { linear, ..FlowConfig::new(6) }, Seed(1)).unwrap();
            for (i, p) in flow.parameters_mut().iter_mut().enumerate() {
                *p += 0.3 * (i as f64 * 1.7).sin();
            }
            for layer in flow.inspect().unwrap() {
                let m = flow.linear_matrix(layer.block).unwrap();
                let sample = ndarray::Array2::<f64>::eye(6);
                assert_eq!(layer.matrix, m);
                // The matrix and the layer's own inverse must belong together, and log|det| must agree with
                // the bound that the smallest singular value gives.
                let product = m.dot(&flow.linear_inverse(layer.block).unwrap());
                assert!((&product - &sample).iter().all(|v| v.abs() < 1e-10));
                let inverse_norm =
                    (1.0 / largest_singular_value(&flow.linear_inverse(layer.block).unwrap())).ln();
                assert!(layer.log_abs_determinant >= 6.0 * inverse_norm - 1e-9);
                assert!(
                    layer.condition_number > 1.0 && layer.distance > 0.0 && layer.determinant.is_finite()
                );
                assert!(layer.mixed.iter().all(|p| p.first < p.second && p.strength <= 1.0 + 1e-12));
            }
        }
    }

    #[test]
    fn numbers_of_a_known_matrix() {
        // The singular values are 3 and 1, turned by 45°.
        let m = array![[2.0, 1.0], [1.0, 2.0]];
        assert!((largest_singular_value(&m) - 3.0).abs() < 1e-9);
        let (sign, log) = sign_and_log_determinant(array![[0.0, 2.0], [3.0, 0.0]]);
        assert_eq!(sign, -1.0);
        assert!((log - 6f64.ln()).abs() < 1e-15);
        let pairs = mixed(&array![[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, -1.0]], &[0, 1, 2]);
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].first, pairs[0].second), (0, 2));
        assert!((pairs[0].strength - 1.0).abs() < 1e-15);
    }
}
