//! Layers that are affine maps, while a flow is written into a graph of ONNX.

use ndarray::{Array1, Array2};

use super::bijector::{Bijector, Tape};
use super::pen::Pen;
use crate::num::real::Real;
use crate::onnx::Linear;

/// Appends a layer that is affine with the same log-determinant everywhere. Its matrix is read off what it
/// makes of the unit vectors.
pub(super) fn write_affine<T: Real, B: Bijector<f64>>(layer: &B, parameters: &[T], pen: &mut Pen<'_>) {
    let parameters: Vec<f64> = parameters.iter().map(|p| p.into_f64()).collect();
    let d = layer.n_features();
    // The columns are the unit vectors and, last, the origin.
    let mut columns = vec![0.0; d * (d + 1)];
    (0..d).for_each(|i| columns[i * (d + 1) + i] = 1.0);
    let mut log_det = vec![0.0; d + 1];
    layer.forward(&parameters, &mut columns, &mut log_det, &mut Tape::default(), None);
    let at = |i: usize, j: usize| columns[i * (d + 1) + j];
    let map = Linear {
        matrix: Array2::from_shape_fn((d, d), |(i, j)| at(i, j) - at(i, d)),
        offset: Array1::from_shape_fn(d, |i| at(i, d)),
    };
    pen.then(&map, log_det[d]);
}
