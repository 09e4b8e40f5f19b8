//! Densities in straight coordinates.
//!
//! Normal scores make each column normal by itself, and bend what was a straight line between two columns.
//! Some tables are simpler one way, some the other. So a density may be fitted to the values themselves, each
//! minus its mean and divided by its standard deviation, and is brought back to the encoder's coordinates:
//!
//! ```text
//! u_j = (g_j⁻¹(v_j) − m_j) / s_j        log p(v) = log p(u) + Σ_j log|∂u_j/∂v_j|
//! ```
//!
//! where g_j is the normal-score map of column j. Coordinates of levels and of missing values, and those
//! whose map is a line already, stay as they are.

use std::fmt;

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

use super::model::Model;
use super::tensors::Tensor;
use crate::density::Density;
use crate::features::{Encoder, GraphCoordinates, Transform};
use crate::onnx::{Graph, Inexpressible, Value};
use crate::random::Seed;

/// Rows that one thread handles together.
const BLOCK: usize = 256;

/// The map from the coordinates of an encoder to straight ones.
#[derive(Debug, Clone)]
pub(super) struct Straight {
    /// For each coordinate that has to be straightened, its place and how.
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    coordinate: usize,
    transform: Transform,
    shift: f64,
    scale: f64,
    /// Whether the coordinate is given, so that it adds nothing to a density of the others.
    given: bool,
}

impl Straight {
    /// The map of an encoder; nothing where all its coordinates are straight.
    pub(super) fn of(encoder: &Encoder) -> Option<Self> {
        let bent = encoder.columns.iter().enumerate();
        let bent = bent.filter(|(_, column)| matches!(column.transform, Transform::NormalScore(_)));
        let lines: Vec<Line> = bent
            .map(|(coordinate, column)| Line {
                coordinate,
                transform: column.transform.clone(),
                shift: column.mean,
                scale: if column.sd.is_normal() { column.sd } else { 1.0 },
                given: column.context,
            })
            .collect();
        (!lines.is_empty()).then_some(Self { lines })
    }

    /// Straight coordinates, and the sum of log|∂u/∂v| of each row over the coordinates that are not given.
    ///
    /// # Shapes
    /// `v: (n, d)` → `(n, d)`, `(n,)`
    pub(super) fn straighten(&self, v: ArrayView2<'_, f64>) -> (Array2<f64>, Array1<f64>) {
        let mut u = v.to_owned();
        let mut log_det = Array1::zeros(v.nrows());
        let (rows, sums) =
            (u.axis_chunks_iter_mut(Axis(0), BLOCK), log_det.axis_chunks_iter_mut(Axis(0), BLOCK));
        rows.into_par_iter().zip(sums.into_par_iter()).for_each(|(mut rows, mut sums)| {
            for line in &self.lines {
                Zip::from(rows.column_mut(line.coordinate)).and(&mut sums).for_each(|v, sum| {
                    let y = line.transform.inverse(*v);
                    if !line.given {
                        *sum -= line.transform.forward(y).1 + line.scale.ln();
                    }
                    *v = (y - line.shift) / line.scale;
                });
            }
        });
        (u, log_det)
    }

    /// Straight coordinates as a graph of ONNX, made of the numbers themselves and not of their coordinates,
    /// and the sum of log|∂u/∂v| of each row.
    fn straighten_in(
        &self,
        graph: &mut Graph,
        at: &GraphCoordinates,
    ) -> Result<(GraphCoordinates, Value), Inexpressible> {
        let numbers = &at.numbers;
        let place = |line: &Line| numbers.columns.iter().position(|&column| column == line.coordinate);
        let places: Option<Vec<usize>> = self.lines.iter().map(place).collect();
        let (Some(places), Some(y), Some(log_det)) = (places, &numbers.dequantised, &numbers.log_det) else {
            return Err(Inexpressible("a line through a coordinate that is no number".into()));
        };
        if self.lines.iter().any(|line| line.given) {
            return Err(Inexpressible("a conditional density".into()));
        }
        let (n, all) = (self.lines.len(), numbers.columns.len());
        let shift: Vec<f64> = self.lines.iter().map(|line| line.shift).collect();
        let scale: Vec<f64> = self.lines.iter().map(|line| line.scale).collect();
        let log_scale: f64 = scale.iter().map(|scale| scale.ln()).sum();
        let (shift, scale) = (graph.doubles(&shift, &[n]), graph.doubles(&scale, &[n]));
        let y = graph.columns(y, &places, all, 2);
        let y = graph.subtract(&y, &shift);
        let u = graph.divide(&y, &scale);
        let u = graph.reshape(&u, &[-1, n as i64]);
        let log_det = graph.columns(log_det, &places, all, 2);
        let log_det = graph.sum(&log_det, 2, false);
        let log_det = graph.reshape(&log_det, &[-1]);
        let log_det = graph.plus(&log_det, log_scale);
        let is_bent = |coordinate: usize| self.lines.iter().any(|line| line.coordinate == coordinate);
        let rest: Vec<usize> = (0..at.order.len()).filter(|&place| !is_bent(at.order[place])).collect();
        let mut parts = vec![u];
        if !rest.is_empty() {
            parts.push(graph.columns(&at.values, &rest, at.order.len(), 1));
        }
        let values = graph.concat(&parts, 1);
        let order = self
            .lines
            .iter()
            .map(|line| line.coordinate)
            .chain(rest.iter().map(|&at_place| at.order[at_place]));
        let straight = GraphCoordinates { values, order: order.collect(), ..at.clone() };
        Ok((straight, graph.minus(&log_det)))
    }

    /// The encoder's coordinates of straight ones.
    fn bend(&self, mut u: Array2<f64>) -> Array2<f64> {
        for line in &self.lines {
            u.column_mut(line.coordinate)
                .mapv_inplace(|u| line.transform.forward(line.shift + line.scale * u).0);
        }
        u
    }
}

/// A density that was fitted in straight coordinates, as a density of the encoder's.
#[derive(Debug, Clone)]
pub(super) struct Straightened<M> {
    map: Straight,
    model: M,
}

impl<M> Straightened<M> {
    pub(super) fn new(map: Straight, model: M) -> Self {
        Self { map, model }
    }
}

impl<M: Density> Density for Straightened<M> {
    fn n_features(&self) -> usize {
        self.model.n_features()
    }

    fn n_parameters(&self) -> usize {
        self.model.n_parameters()
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        let (u, log_det) = self.map.straighten(v);
        self.model.log_prob(u.view()) + log_det
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        self.map.bend(self.model.sample(n, seed))
    }

    fn context(&self) -> &[usize] {
        self.model.context()
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        let places = self.model.context();
        let mut straight = Array2::zeros((context.nrows(), self.n_features()));
        for (column, &place) in context.columns().into_iter().zip(places) {
            straight.column_mut(place).assign(&column);
        }
        let (straight, _) = self.map.straighten(straight.view());
        let drawn = self.model.sample_given(straight.select(Axis(1), places).view(), seed);
        let mut drawn = self.map.bend(drawn);
        // What is given comes back as it was, without the rounding of two maps.
        for (column, &place) in context.columns().into_iter().zip(places) {
            drawn.column_mut(place).assign(&column);
        }
        drawn
    }
}

impl<M: Model> Model for Straightened<M>
where
    M: fmt::Debug,
{
    fn tensors(&self) -> Vec<Tensor> {
        self.model.tensors()
    }

    fn log_prob_in(&self, graph: &mut Graph, at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        let (straight, log_det) = self.map.straighten_in(graph, at)?;
        let log_prob = self.model.log_prob_in(graph, &straight)?;
        Ok(graph.add(&log_prob, &log_det))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::{Kernel, Mixture};
    use crate::features::NormalScore;
    use ndarray::array;

    /// A skewed first coordinate and a second one that is left alone.
    fn straightened() -> Straightened<Mixture> {
        let mut skewed: Vec<f64> = (1..400).map(|i| (f64::from(i) / 80.0).exp()).collect();
        skewed.sort_by(f64::total_cmp);
        let transform = Transform::NormalScore(NormalScore::fit(&skewed).unwrap());
        let line = Line { coordinate: 0, transform, shift: 40.0, scale: 30.0, given: false };
        let scales = array![[[1.0, 0.3], [0.3, 0.5]]];
        let model = Mixture::with_kernel(Kernel::T(6.0), array![1.0], array![[0.2, 0.0]], scales).unwrap();
        Straightened::new(Straight { lines: vec![line] }, model)
    }

    #[test]
    fn the_density_integrates_to_one_over_the_coordinates_of_the_encoder() {
        let (h, n) = (0.02, 1500);
        let model = straightened();
        let grid = Array2::from_shape_fn((n * n, 2), |(i, j)| {
            let cell = if j == 0 { i / n } else { i % n };
            -15.0 + h * (cell as f64 + 0.5)
        });
        let mass: f64 = model.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h * h;
        // The tails of six degrees of freedom go beyond the grid.
        assert!((mass - 1.0).abs() < 2e-3, "{mass}");
    }

    #[test]
    fn samples_have_the_density() {
        let model = straightened();
        let drawn = model.sample(20_000, Seed(2));
        assert_eq!(drawn, model.sample(20_000, Seed(2)));
        let other = model.sample(20_000, Seed(3));
        let gap = model.log_prob(drawn.view()).mean().unwrap() - model.log_prob(other.view()).mean().unwrap();
        assert!(gap.abs() < 0.06, "{gap}");
        let (straight, _) = model.map.straighten(drawn.view());
        // Mean 0.2, variance 1·6/4; five standard errors.
        let mean = straight.column(0).mean().unwrap();
        assert!((mean - 0.2).abs() < 5.0 * (1.5_f64 / 20_000.0).sqrt(), "{mean}");
    }
}
