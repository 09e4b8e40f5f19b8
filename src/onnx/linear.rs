//! Affine maps that are known when the graph is written, put together before they are written.

use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};

use super::graph::{Graph, Value};

/// The map x ↦ A x + b of each row of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// A, `(outputs, inputs)`.
    pub matrix: Array2<f64>,
    /// b, `(outputs,)`.
    pub offset: Array1<f64>,
}

impl Linear {
    /// The map whose output i is input `order[i]`.
    pub fn ordering(order: &[usize]) -> Self {
        let n = order.len();
        let mut matrix = Array2::zeros((n, n));
        order.iter().enumerate().for_each(|(i, &j)| matrix[(i, j)] = 1.0);
        Self { matrix, offset: Array1::zeros(n) }
    }

    /// The map that puts input `place` at output `order[place]`.
    pub fn placing(order: &[usize]) -> Self {
        let n = order.len();
        let mut matrix = Array2::zeros((n, n));
        order.iter().enumerate().for_each(|(place, &to)| matrix[(to, place)] = 1.0);
        Self { matrix, offset: Array1::zeros(n) }
    }

    /// This map first, then `next`.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        Self { matrix: next.matrix.dot(&self.matrix), offset: next.matrix.dot(&self.offset) + &next.offset }
    }

    /// Some of its outputs.
    #[must_use]
    pub fn rows(&self, rows: &[usize]) -> Self {
        Self { matrix: self.matrix.select(Axis(0), rows), offset: self.offset.select(Axis(0), rows) }
    }

    /// Several maps of the same inputs as one, with their outputs behind each other.
    ///
    /// # Panics
    /// Where their inputs differ in number.
    pub fn stacked(parts: &[Self]) -> Self {
        let matrices: Vec<ArrayView2<'_, f64>> = parts.iter().map(|part| part.matrix.view()).collect();
        let offsets: Vec<_> = parts.iter().map(|part| part.offset.view()).collect();
        Self {
            matrix: concatenate(Axis(0), &matrices).expect("invariant: maps of the same inputs"),
            offset: concatenate(Axis(0), &offsets).expect("invariant: vectors can be put behind each other"),
        }
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.matrix.nrows()
    }

    /// Applies the map to rows.
    ///
    /// # Shapes
    /// `x: (n, inputs)` → `(n, outputs)`
    pub fn apply(&self, graph: &mut Graph, x: &Value) -> Value {
        let (outputs, inputs) = self.matrix.dim();
        let transposed: Vec<f64> = self.matrix.t().iter().copied().collect();
        let matrix = graph.doubles(&transposed, &[inputs, outputs]);
        let offset = graph.doubles(&self.offset.to_vec(), &[outputs]);
        graph.node("Gemm", &[x, &matrix, &offset])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn maps_are_put_together_as_functions_are() {
        let turn = Linear { matrix: array![[0.0, -1.0], [1.0, 0.0]], offset: array![1.0, 2.0] };
        let swap = Linear::ordering(&[1, 0]);
        let both = swap.then(&turn);
        // (3, 5) is swapped to (5, 3) and turned to (−3 + 1, 5 + 2).
        let at = |map: &Linear, x: &Array1<f64>| map.matrix.dot(x) + &map.offset;
        assert_eq!(at(&both, &array![3.0, 5.0]), array![-2.0, 7.0]);
        assert_eq!(at(&both.rows(&[1]), &array![3.0, 5.0]), array![7.0]);
        assert_eq!(Linear::stacked(&[both.rows(&[1]), swap]).n_outputs(), 3);
    }
}
