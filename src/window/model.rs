//! The density of a window: autoregression and conditional mixture together.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::RngExt;
use rayon::prelude::*;

use super::conditional::Shape;
use super::context::{Context, by_time};
use super::lattice::Lattice;
use crate::baseline::{MixtureError, Var};
use crate::density::Density;
use crate::flow::Tape;
use crate::num::special::normal_quantile;
use crate::random::{Seed, StreamRng};

/// Windows that share a random stream.
const BLOCK: usize = 4;

/// A causal flow of windows.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowFlow {
    var: Var,
    context: Context,
    shape: Shape,
    parameters: Vec<f32>,
    lattice: Option<Lattice>,
    /// Half of a step in units of the innovation, `(C, T)` without the past; empty without a lattice.
    half: Vec<f32>,
}

/// A window prepared for the network, without the samples it is conditioned on.
pub(super) struct Prepared {
    pub(super) inputs: Vec<f32>,
    /// `(C, T)`.
    pub(super) innovations: Vec<f32>,
}

impl WindowFlow {
    /// Puts a flow together from the autoregression and the network's parameters; with a lattice the signals
    /// are digitised.
    ///
    /// # Errors
    /// [`MixtureError::Shape`] when the sizes do not fit together, [`MixtureError::NotFinite`] for damaged
    /// parameters.
    pub fn new(
        var: Var,
        context: Context,
        shape: Shape,
        parameters: Vec<f32>,
        lattice: Option<Lattice>,
    ) -> Result<Self, MixtureError> {
        let sizes =
            |what, got, expected| MixtureError::Shape { what, got: vec![got], expected: vec![expected] };
        if context.channels != var.channels() || shape.channels != var.channels() {
            return Err(sizes("channels of the conditional mixture", shape.channels, var.channels()));
        }
        if shape.inputs != context.n_inputs() {
            return Err(sizes("inputs of the network", shape.inputs, context.n_inputs()));
        }
        if parameters.len() != shape.n_parameters() || shape.components == 0 {
            return Err(sizes("parameters of the network", parameters.len(), shape.n_parameters()));
        }
        if let Some(column) = parameters.iter().position(|p| !p.is_finite()) {
            return Err(MixtureError::NotFinite { what: "network parameters", row: 0, column });
        }
        let mut half = Vec::new();
        if let Some(lattice) = &lattice {
            if lattice.channels() != var.channels() || !lattice.is_sound() {
                return Err(sizes("channels of the lattice", lattice.channels(), var.channels()));
            }
            for c in 0..var.channels() {
                half.extend(
                    (var.past()..var.length()).map(|t| (0.5 * lattice.step(c) / var.unit(t, c)) as f32),
                );
            }
        }
        Ok(Self { var, context, shape, parameters, lattice, half })
    }

    /// The linear layer.
    pub fn var(&self) -> &Var {
        &self.var
    }

    /// What the network sees of the past of a sample.
    pub fn sight(&self) -> Context {
        self.context
    }

    /// Sizes of the network.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Values the signals can take, where they are digitised.
    pub fn lattice(&self) -> Option<&Lattice> {
        self.lattice.as_ref()
    }

    /// Half of a step of each sample, empty for signals that are not digitised.
    pub(super) fn half(&self) -> &[f32] {
        &self.half
    }

    /// The network's parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    pub(super) fn set_parameters(&mut self, parameters: &[f32]) {
        self.parameters.copy_from_slice(parameters);
    }

    /// Samples the density is of: all but those it is conditioned on.
    pub(super) fn n_own(&self) -> usize {
        self.var.length() - self.var.past()
    }

    fn centred(&self, window: &[f64]) -> Array2<f64> {
        let c = self.var.channels();
        let mut v = by_time(window, c);
        let mean = self.var.mean();
        for mut row in v.rows_mut() {
            row.iter_mut().zip(mean).for_each(|(x, m)| *x -= m);
        }
        v
    }

    /// Inputs and innovations of windows.
    pub(super) fn prepare(&self, v: ArrayView2<'_, f64>) -> Vec<Prepared> {
        let (t, c, past) = (self.var.length(), self.var.channels(), self.var.past());
        let v = match &self.lattice {
            Some(lattice) => lattice.recorded(v),
            None => v.to_owned(),
        };
        let v = v.view();
        let e = self.var.innovations(v);
        let windows: Vec<_> = v.rows().into_iter().zip(e.axis_chunks_iter(Axis(0), t)).collect();
        windows
            .into_par_iter()
            .map(|(window, e)| {
                let v = self.centred(&window.to_vec());
                let inputs = self.context.inputs(v.view(), e, past);
                let own = e.slice_axis(Axis(0), (past..).into());
                let innovations = (0..c).flat_map(|c| own.column(c).to_vec()).map(|x| x as f32).collect();
                Prepared { inputs, innovations }
            })
            .collect()
    }

    pub(super) fn log_prob_prepared(&self, windows: &[Prepared]) -> Vec<f64> {
        let (n, scale) = (self.n_own(), self.var.log_scale());
        let one = |tape: &mut Tape<f32>, w: &Prepared| {
            let each = self.shape.log_prob(&self.parameters, &w.inputs, &w.innovations, &self.half, n, tape);
            each.iter().map(|&x| f64::from(x)).sum::<f64>() - scale
        };
        windows.par_iter().map_init(Tape::default, one).collect()
    }

    fn sample_window(&self, given: ArrayView1<'_, f64>, rng: &mut StreamRng) -> Array1<f64> {
        let (length, c, past) = (self.var.length(), self.var.channels(), self.var.past());
        let mut v = Array2::<f64>::zeros((1, length * c));
        v.slice_axis_mut(Axis(1), (0..given.len()).into()).row_mut(0).assign(&given);
        if let Some(lattice) = &self.lattice {
            v = lattice.recorded(v.view());
        }
        // Of the past; what stands after it is written over.
        let mut e = match past {
            0 => Array2::<f64>::zeros((length, c)),
            _ => self.var.innovations(v.view()),
        };
        let mut v = v.row(0).to_owned();
        let mut tape = Tape::default();
        for t in past..length {
            // Samples beyond the reach of the context are not looked at again.
            let from = t.saturating_sub(self.context.reach());
            let seen = self.centred(&v.as_slice().expect("invariant: made here")[from * c..(t + 1) * c]);
            let mut past = e.view();
            past.slice_axis_inplace(Axis(0), (from..=t).into());
            let x: Vec<f32> = self.context.inputs(seen.view(), past, t - from);
            let (weights, means, scales) = self.shape.mixture(&self.parameters, &x, &mut tape);
            let mut u = rng.random::<f64>();
            let mut k = weights.len() - 1;
            for (j, w) in weights.iter().enumerate() {
                if u < *w {
                    k = j;
                    break;
                }
                u -= w;
            }
            for channel in 0..c {
                // (0, 1]: the open end at 1 is left to rounding.
                let u = rng.random::<f64>().clamp(1e-16, 1.0 - 1e-16);
                let q = k * c + channel;
                let standard = if self.lattice.is_some() { (u / (1.0 - u)).ln() } else { normal_quantile(u) };
                e[[t, channel]] = means[q] + scales[q] * standard;
            }
            self.var.extend(&mut v, t, e.row(t));
            if let Some(lattice) = &self.lattice {
                // Channel by channel: the next one follows from the value this one was recorded with.
                for channel in 0..c {
                    let drawn = v[t * c + channel];
                    e[[t, channel]] += (lattice.nearest(channel, drawn) - drawn) / self.var.unit(t, channel);
                    self.var.extend(&mut v, t, e.row(t));
                    v[t * c + channel] = lattice.nearest(channel, drawn);
                }
            }
        }
        if let Some(lattice) = &self.lattice {
            for (i, x) in v.iter_mut().enumerate().skip(given.len()) {
                *x = lattice.nearest(i % c, *x) + lattice.step(i % c) * (rng.random::<f64>() - 0.5);
            }
        }
        v.slice_axis_mut(Axis(0), (0..given.len()).into()).assign(&given);
        v
    }
}

impl Density for WindowFlow {
    fn n_features(&self) -> usize {
        self.var.n_features()
    }

    fn n_parameters(&self) -> usize {
        self.var.n_parameters() - self.var.innovation().n_parameters() + self.parameters.len()
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        assert_eq!(v.ncols(), self.n_features(), "invariant: callers match coordinates first");
        // Inputs are some hundred times as large as the windows.
        v.axis_chunks_iter(Axis(0), 16).flat_map(|v| self.log_prob_prepared(&self.prepare(v))).collect()
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        self.sample_given(Array2::zeros((n, 0)).view(), seed)
    }

    fn context(&self) -> &[usize] {
        self.var.context()
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        assert_eq!(context.ncols(), self.context().len(), "one column for each coordinate of the context");
        let mut out = Array2::<f64>::zeros((context.nrows(), self.n_features()));
        out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().enumerate().for_each(|(b, mut rows)| {
            let mut rng = seed.stream("window-sample", b as u64);
            for (i, mut row) in rows.rows_mut().into_iter().enumerate() {
                row.assign(&self.sample_window(context.row(b * BLOCK + i), &mut rng));
            }
        });
        out
    }
}
