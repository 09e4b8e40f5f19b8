//! The linear layers that a butterfly is compared with: a dense matrix in PLU form and a fixed permutation.

use super::affine::write_affine;
use super::bijector::{Bijector, ParameterSpec, Tape, split, split_mut};
use super::draw::is_permutation;
use super::error::FlowError;
use super::lanes::{dot, gather, scatter, sum};
use super::pen::Pen;
use crate::num::gemm::{Matrix, multiply, multiply_transposed_left, multiply_transposed_right};
use crate::num::real::Real;
use crate::onnx::Inexpressible;
use crate::random::StreamRng;

/// The map z = P L (U + diag(eˢ)) x, with P fixed, L unit lower triangular and U strictly upper triangular;
/// ladj = Σ sᵢ.
///
/// # References
/// Kingma & Dhariwal (2018), Glow, arXiv:1807.03039, §3.2.
#[derive(Debug, Clone)]
pub struct PluLinear {
    order: Vec<usize>,
}

impl PluLinear {
    /// A layer whose output i is coordinate `order[i]` of L (U + diag(eˢ)) x. It starts as that permutation
    /// alone.
    ///
    /// # Errors
    /// [`FlowError::NotAPermutation`] if `order` is not a permutation.
    pub fn new(order: Vec<usize>) -> Result<Self, FlowError> {
        if !is_permutation(&order, order.len()) {
            return Err(FlowError::NotAPermutation { n_features: order.len() });
        }
        Ok(Self { order })
    }

    /// Lengths of the parameter arrays: strictly lower triangle, strictly upper triangle, log-diagonal.
    fn lengths(&self) -> [usize; 3] {
        let d = self.order.len();
        [d * (d - 1) / 2, d * (d - 1) / 2, d]
    }

    /// Writes L and U + diag(eˢ) as dense matrices.
    fn unpack<T: Real>(&self, parameters: &[T], lower: &mut [T], upper: &mut [T]) {
        let d = self.order.len();
        let [packed_lower, packed_upper, log_diagonal] = split(parameters, self.lengths());
        lower.fill(T::zero());
        upper.fill(T::zero());
        let (mut at_lower, mut at_upper) = (0, 0);
        for i in 0..d {
            lower[i * d..i * d + i].copy_from_slice(&packed_lower[at_lower..at_lower + i]);
            at_lower += i;
            lower[i * d + i] = T::one();
            let rest = d - i - 1;
            upper[i * d + i] = log_diagonal[i].exp();
            upper[i * d + i + 1..(i + 1) * d].copy_from_slice(&packed_upper[at_upper..at_upper + rest]);
            at_upper += rest;
        }
    }
}

impl<T: Real> Bijector<T> for PluLinear {
    fn n_features(&self) -> usize {
        self.order.len()
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        ["lower", "upper", "log_diagonal"]
            .into_iter()
            .zip(self.lengths())
            .map(|(name, length)| ParameterSpec::new(name, &[length]))
            .collect()
    }

    fn reset(&self, parameters: &mut [T], _rng: &mut StreamRng) {
        parameters.fill(T::zero());
    }

    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        _dropout: Option<&mut StreamRng>,
    ) {
        let (d, n, size) = (self.order.len(), ladj.len(), x.len());
        let [lower, upper, input, middle, output] = tape.slots([d * d, d * d, size, size, size]);
        self.unpack(parameters, lower, upper);
        input.copy_from_slice(x);
        multiply(Matrix::new(upper, d, d), Matrix::new(input, d, n), T::zero(), middle);
        multiply(Matrix::new(lower, d, d), Matrix::new(middle, d, n), T::zero(), output);
        gather(output, n, &self.order, x);
        let total: T = split(parameters, self.lengths())[2].iter().copied().sum();
        for l in ladj.iter_mut() {
            *l += total;
        }
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        write_affine(self, parameters, pen);
        Ok(())
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let d = self.order.len();
        let n = z.len() / d;
        let [lower, upper, x] = tape.slots([d * d, d * d, z.len()]);
        self.unpack(parameters, lower, upper);
        scatter(z, n, &self.order, x);
        // Substitution row by row. Each step subtracts a multiple of one contiguous row from another.
        let eliminate = |x: &mut [T], i: usize, j: usize, factor: T| {
            for c in 0..n {
                let v = x[j * n + c];
                x[i * n + c] -= factor * v;
            }
        };
        for i in 0..d {
            (0..i).for_each(|j| eliminate(x, i, j, lower[i * d + j]));
        }
        for i in (0..d).rev() {
            (i + 1..d).for_each(|j| eliminate(x, i, j, upper[i * d + j]));
            let reciprocal = T::one() / upper[i * d + i];
            if !reciprocal.is_finite() {
                return Err(FlowError::Singular { layer: "linear".into() });
            }
            x[i * n..(i + 1) * n].iter_mut().for_each(|v| *v *= reciprocal);
        }
        z.copy_from_slice(x);
        Ok(())
    }

    // With U including its diagonal, u = U x and v = L u, the gradients are:
    // ∂L/∂L = ∂L/∂v uᵀ ∂L/∂u = Lᵀ ∂L/∂v ∂L/∂U = ∂L/∂u xᵀ ∂L/∂x = Uᵀ ∂L/∂u
    fn backward(
        &self,
        _parameters: &[T],
        tape: &mut Tape<T>,
        gradient: &mut [T],
        ladj_gradient: &[T],
        parameter_gradient: &mut [T],
    ) {
        let (d, n, size) = (self.order.len(), ladj_gradient.len(), gradient.len());
        let [lower, upper, input, middle, d_v, d_u, d_matrix] =
            tape.slots([d * d, d * d, size, size, size, size, d * d]);
        let [d_lower, d_upper, d_log_diagonal] = split_mut(parameter_gradient, self.lengths());
        scatter(gradient, n, &self.order, d_v);
        multiply_transposed_left(Matrix::new(lower, d, d), Matrix::new(d_v, d, n), T::zero(), d_u);
        multiply_transposed_left(Matrix::new(upper, d, d), Matrix::new(d_u, d, n), T::zero(), gradient);
        multiply_transposed_right(Matrix::new(d_v, d, n), Matrix::new(middle, d, n), T::zero(), d_matrix);
        let strictly_lower = (0..d).flat_map(|i| (0..i).map(move |j| i * d + j));
        for (to, at) in d_lower.iter_mut().zip(strictly_lower) {
            *to += d_matrix[at];
        }
        multiply_transposed_right(Matrix::new(d_u, d, n), Matrix::new(input, d, n), T::zero(), d_matrix);
        let strictly_upper = (0..d).flat_map(|i| (i + 1..d).map(move |j| i * d + j));
        for (to, at) in d_upper.iter_mut().zip(strictly_upper) {
            *to += d_matrix[at];
        }
        let d_ladj = sum(ladj_gradient);
        for (i, to) in d_log_diagonal.iter_mut().enumerate() {
            let row = i * n..(i + 1) * n;
            *to += dot(&d_u[row.clone()], &input[row]) * upper[i * d + i] + d_ladj;
        }
    }
}

/// The map z\[i\] = x\[order\[i\]\], which has no parameters; ladj = 0.
#[derive(Debug, Clone)]
pub struct Permutation {
    order: Vec<usize>,
}

impl Permutation {
    /// The permutation that puts coordinate `order[i]` into row i.
    ///
    /// # Errors
    /// [`FlowError::NotAPermutation`] if `order` is not a permutation.
    pub fn new(order: Vec<usize>) -> Result<Self, FlowError> {
        PluLinear::new(order).map(|layer| Self { order: layer.order })
    }
}

impl<T: Real> Bijector<T> for Permutation {
    fn n_features(&self) -> usize {
        self.order.len()
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        Vec::new()
    }

    fn reset(&self, _parameters: &mut [T], _rng: &mut StreamRng) {}

    fn forward(&self, _: &[T], x: &mut [T], ladj: &mut [T], tape: &mut Tape<T>, _: Option<&mut StreamRng>) {
        let [copy] = tape.slots([x.len()]);
        copy.copy_from_slice(x);
        gather(copy, ladj.len(), &self.order, x);
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        write_affine(self, parameters, pen);
        Ok(())
    }

    fn inverse(&self, _: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let [copy] = tape.slots([z.len()]);
        copy.copy_from_slice(z);
        scatter(copy, z.len() / self.order.len(), &self.order, z);
        Ok(())
    }

    fn backward(&self, _: &[T], tape: &mut Tape<T>, gradient: &mut [T], ladj_gradient: &[T], _: &mut [T]) {
        let [copy] = tape.slots([gradient.len()]);
        copy.copy_from_slice(gradient);
        scatter(copy, ladj_gradient.len(), &self.order, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::gradcheck::check_bijector;

    #[test]
    fn dense_and_permutation_layers_are_bijectors() {
        for order in [vec![0], vec![1, 0], vec![2, 0, 1], vec![4, 2, 0, 1, 3]] {
            check_bijector(&PluLinear::new(order.clone()).unwrap(), 51);
            check_bijector(&Permutation::new(order).unwrap(), 52);
        }
    }

    #[test]
    fn a_list_with_a_repeated_index_is_refused() {
        assert!(PluLinear::new(vec![0, 0]).is_err());
        assert!(Permutation::new(vec![1, 2]).is_err());
    }
}
