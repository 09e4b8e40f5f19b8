//! The distribution of the latent as a graph of ONNX.

use std::f64::consts::TAU;

use ndarray::{Array1, ArrayView1, ArrayView2};

use super::Base;
use super::mixture::{Mixture, log_normaliser};
use crate::flow::config::BaseKind;
use crate::flow::pen::Pen;
use crate::onnx::{Inexpressible, Linear, Value};

impl Base {
    /// log p(z) of each row, `(n,)`.
    ///
    /// # Errors
    /// [`Inexpressible`] where groups of coordinates share the distribution.
    pub(crate) fn write(&self, parameters: &[f64], pen: &mut Pen<'_>) -> Result<Value, Inexpressible> {
        if self.repeat != 1 {
            return Err(Inexpressible("a base that several groups of coordinates share".into()));
        }
        let d = self.n_features;
        let constant = -0.5 * d as f64 * TAU.ln();
        if self.kind == BaseKind::Normal {
            let z = pen.read(&[Linear::ordering(&(0..d).collect::<Vec<usize>>())]).swap_remove(0);
            let squares = pen.graph.sum_of_squares(&z, 1, false);
            let log_prob = pen.graph.times(&squares, -0.5);
            return Ok(pen.graph.plus(&log_prob, constant));
        }
        let shape = self.shape();
        let p = Mixture::new(shape, parameters);
        let log_total = log_normaliser(p.logit);
        let mut matrix = vec![0.0; d * d];
        let (mut maps, mut constants) = (Vec::with_capacity(shape.k), Vec::with_capacity(shape.k));
        for c in 0..shape.k {
            p.unpack(c, &mut matrix);
            let a = ArrayView2::from_shape((d, d), &matrix).expect("invariant: d² numbers").to_owned();
            let mean = ArrayView1::from(&p.mean[c * d..(c + 1) * d]);
            let offset: Array1<f64> = -a.dot(&mean);
            maps.push(Linear { matrix: a, offset });
            let log_det: f64 = p.log_diagonal[c * d..(c + 1) * d].iter().sum();
            constants.push(p.logit[c] - log_total + log_det + constant);
        }
        let u = pen.read(&[Linear::stacked(&maps)]).swap_remove(0);
        let graph = &mut *pen.graph;
        let u = graph.reshape(&u, &[-1, shape.k as i64, d as i64]);
        let squares = graph.sum_of_squares(&u, 2, false);
        let terms = graph.times(&squares, -0.5);
        let constants = graph.doubles(&constants, &[shape.k]);
        let terms = graph.add(&terms, &constants);
        Ok(graph.log_sum_exp(&terms, 1, false))
    }
}
