//! A vector autoregression whose innovations follow a Gaussian mixture. It is the classical density of
//! windows cut from stationary signals.
//!
//! A window holds T samples of C channels in time-major order: channel c of sample t is coordinate t·C + c.
//! Let Σ be the covariance of p + 1 consecutive samples, and Σ = L·Lᵀ. The innovation of sample t is the part
//! that the samples before it leave unexplained, whitened:
//!
//! ```text
//! e_t = L_tt⁻¹ (v_t − E[v_t | v_{t−p} … v_{t−1}])     from t = p on the last block of L, before it block t
//! log p(v) = Σ_t [ log g(e_t) − log det L_tt ]        g: one Gaussian mixture for all t
//! ```
//!
//! The map v ↦ e is block-triangular, so this is the exact joint density of the window. From t = p on, this
//! is ordinary least squares for a VAR(p). The first p samples are whitened by the covariance of p
//! consecutive samples, with the same g.

mod fit;
mod innovation;

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Mixture, MixtureError};
use crate::density::Density;
use crate::num::triangular::{cholesky, invert_lower};
use crate::random::Seed;

pub use fit::{VarConfig, VarTrial, fit_var};

/// Number of windows that are handled together. It is fixed, so that results do not depend on the number of
/// threads.
const BLOCK: usize = 16;

/// A fitted vector autoregression.
#[derive(Debug, Clone, PartialEq)]
pub struct Var {
    length: usize,
    /// Coordinates of the first samples of a window, if the density is conditioned on them.
    context: Vec<usize>,
    channels: usize,
    mean: Array1<f64>,
    covariance: Array2<f64>,
    innovation: Mixture,
    /// Cholesky factor of the covariance, `((p+1)·C, (p+1)·C)`.
    lower: Array2<f64>,
    /// Inverse of `lower`. Its row block t whitens sample t given the samples before it.
    whiten: Array2<f64>,
    /// For each block of the factor, the sum of the logarithms of its diagonal.
    log_scale: Vec<f64>,
}

impl Var {
    /// Puts together a model of windows with `length` samples of `channels` channels. The size of the
    /// covariance determines the order p.
    ///
    /// # Shapes
    /// `mean: ((p+1)·C,)` and `covariance: ((p+1)·C, (p+1)·C)`, of p + 1 consecutive samples, time-major, p ≥
    /// 1. `innovation` is a mixture on C coordinates.
    ///
    /// # Errors
    /// [`MixtureError`] when the shapes disagree or the covariance is not positive definite.
    pub fn new(
        length: usize,
        channels: usize,
        mean: Array1<f64>,
        covariance: Array2<f64>,
        innovation: Mixture,
    ) -> Result<Self, MixtureError> {
        let n = mean.len();
        let fits = channels > 0 && n.is_multiple_of(channels) && n >= 2 * channels && n <= length * channels;
        if !fits {
            let expected = vec![(length * channels).min(2 * channels)];
            return Err(MixtureError::Shape { what: "mean of consecutive samples", got: vec![n], expected });
        }
        if covariance.dim() != (n, n) {
            let got = covariance.shape().to_vec();
            return Err(MixtureError::Shape {
                what: "covariance of consecutive samples",
                got,
                expected: vec![n, n],
            });
        }
        if innovation.n_features() != channels {
            let got = vec![innovation.n_features()];
            return Err(MixtureError::Shape { what: "innovation mixture", got, expected: vec![channels] });
        }
        if let Some(((row, column), _)) = covariance.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(MixtureError::NotFinite { what: "covariance", row, column });
        }
        if let Some((column, _)) = mean.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(MixtureError::NotFinite { what: "mean", row: 0, column });
        }
        let lower = cholesky(covariance.view()).ok_or(MixtureError::NotPositiveDefinite { component: 0 })?;
        let whiten = invert_lower(lower.view());
        let block = |t: usize| (0..channels).map(|c| lower[[t * channels + c, t * channels + c]].ln()).sum();
        let log_scale = (0..n / channels).map(block).collect();
        Ok(Self {
            length,
            context: Vec::new(),
            channels,
            mean,
            covariance,
            innovation,
            lower,
            whiten,
            log_scale,
        })
    }

    /// Turns the model into the density of the rest of a window given its first `past` samples.
    ///
    /// # Errors
    /// [`MixtureError::Shape`] when no sample is left.
    pub fn given(self, past: usize) -> Result<Self, MixtureError> {
        if past >= self.length {
            return Err(MixtureError::Shape {
                what: "samples of the past",
                got: vec![past],
                expected: vec![self.length - 1],
            });
        }
        Ok(Self { context: (0..past * self.channels).collect(), ..self })
    }

    /// Number of samples at the start of a window that the density is conditioned on.
    pub fn past(&self) -> usize {
        self.context.len() / self.channels
    }

    /// Number of past samples p that predict the next one.
    pub fn order(&self) -> usize {
        self.mean.len() / self.channels - 1
    }

    /// Samples per channel T, including those that the density is conditioned on.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Number of channels C.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Mean of p + 1 consecutive samples, `((p+1)·C,)`.
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// Covariance of p + 1 consecutive samples, `((p+1)·C, (p+1)·C)`.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// Inverse Cholesky factor of that covariance. Its row block t whitens sample t given the samples before
    /// it.
    pub fn whitening(&self) -> ArrayView2<'_, f64> {
        self.whiten.view()
    }

    /// Distribution g of the whitened innovations.
    pub fn innovation(&self) -> &Mixture {
        &self.innovation
    }

    /// Returns the same autoregression with another distribution g.
    fn with_innovation(self, innovation: Mixture) -> Self {
        Self { innovation, ..self }
    }

    /// Σ_t log det L_tt of a window, which the map to innovations subtracts from the log-density.
    pub fn log_scale(&self) -> f64 {
        self.log_scale_of(self.past()..self.length)
    }

    /// The part of [`Var::log_scale`] that belongs to the samples `samples`.
    pub fn log_scale_of(&self, samples: Range<usize>) -> f64 {
        samples.map(|t| self.log_scale[t.min(self.order())]).sum()
    }

    /// Standard deviation of channel `c` of sample `t` given all earlier samples and the channels before `c`.
    /// An innovation of 1 moves the sample by this amount.
    pub fn unit(&self, t: usize, c: usize) -> f64 {
        let i = t.min(self.order()) * self.channels + c;
        self.lower[[i, i]]
    }

    /// Computes the whitened innovations of windows.
    ///
    /// # Shapes
    /// `v: (n, T·C)` → `(n·T, C)`, one window after the other.
    pub fn innovations(&self, v: ArrayView2<'_, f64>) -> Array2<f64> {
        let (c, width) = (self.channels, self.mean.len());
        let mut out = Array2::<f64>::zeros((v.nrows() * self.length, c));
        let last = part(self.whiten.view(), width - c..width, 0..width);
        out.axis_chunks_iter_mut(Axis(0), self.length * BLOCK)
            .into_par_iter()
            .zip(v.axis_chunks_iter(Axis(0), BLOCK))
            .for_each(|(mut out, v)| {
                for (mut e, row) in out.axis_chunks_iter_mut(Axis(0), self.length).zip(v.rows()) {
                    let first = self.whiten.dot(&(&span(row, 0..width) - &self.mean));
                    for (k, x) in first.iter().enumerate() {
                        e[[k / c, k % c]] = *x;
                    }
                    for t in self.order() + 1..self.length {
                        let end = (t + 1) * c;
                        let x = &span(row, end - width..end) - &self.mean;
                        e.row_mut(t).assign(&last.dot(&x));
                    }
                }
            });
        out
    }

    /// Returns the window with the given innovations. It inverts [`Var::innovations`] for one window.
    ///
    /// # Shapes
    /// `e: (T, C)` → `(T·C,)`
    pub fn window(&self, e: ArrayView2<'_, f64>) -> Array1<f64> {
        self.continued(Array1::zeros(0).view(), e)
    }

    /// Returns the window that begins with the samples `given` and has the innovations `e` from then on.
    fn continued(&self, given: ArrayView1<'_, f64>, e: ArrayView2<'_, f64>) -> Array1<f64> {
        let mut v = Array1::<f64>::zeros(self.length * self.channels);
        v.slice_axis_mut(Axis(0), (0..given.len()).into()).assign(&given);
        for t in given.len() / self.channels..self.length {
            self.extend(&mut v, t, e.row(t));
        }
        v
    }

    /// Writes sample t of a window whose earlier samples are present: v_t = E[v_t | past] + L_tt e_t.
    pub fn extend(&self, v: &mut Array1<f64>, t: usize, e: ArrayView1<'_, f64>) {
        let c = self.channels;
        let (k, from) = if t <= self.order() { (t, 0) } else { (self.order(), t - self.order()) };
        let rows = k * c..(k + 1) * c;
        let block = part(self.lower.view(), rows.clone(), rows.clone());
        // Row block k of L⁻¹ gives e = W_past·past + L_kk⁻¹·x. Solved for x, this is L_kk (e − W_past·past).
        let past = &span(v.view(), from * c..t * c) - &span(self.mean.view(), 0..k * c);
        let explained = part(self.whiten.view(), rows.clone(), 0..k * c).dot(&past);
        let x = block.dot(&(&e - &explained)) + span(self.mean.view(), rows);
        for (i, x) in x.iter().enumerate() {
            v[t * c + i] = *x;
        }
    }
}

/// Returns a block of a matrix. ndarray's `s!` expands to an `allow(unsafe_code)`, which this crate forbids.
fn part(mut a: ArrayView2<'_, f64>, rows: Range<usize>, columns: Range<usize>) -> ArrayView2<'_, f64> {
    a.slice_axis_inplace(Axis(0), rows.into());
    a.slice_axis_inplace(Axis(1), columns.into());
    a
}

/// Returns a range of a vector.
fn span(mut a: ArrayView1<'_, f64>, range: Range<usize>) -> ArrayView1<'_, f64> {
    a.slice_axis_inplace(Axis(0), range.into());
    a
}

impl Density for Var {
    fn n_features(&self) -> usize {
        self.length * self.channels
    }

    fn n_parameters(&self) -> usize {
        let (c, p) = (self.channels, self.order());
        // If the model is given all the samples it looks back on, it needs no parameters for the start of a
        // window.
        let first = if self.past() < p { p * c + p * c * (p * c + 1) / 2 } else { 0 };
        first + c + p * c * c + c * (c + 1) / 2 + self.innovation.n_parameters()
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        assert_eq!(v.ncols(), self.n_features(), "invariant: callers match coordinates first");
        let (scale, past) = (self.log_scale(), self.past());
        // The number of windows is bounded, because the innovations of all windows need as much memory as the
        // windows themselves.
        let mut out = Vec::with_capacity(v.nrows());
        for v in v.axis_chunks_iter(Axis(0), 64 * BLOCK) {
            let each = self.innovation.log_prob(self.innovations(v).view());
            out.extend(
                each.as_slice()
                    .expect("invariant: made by this crate")
                    .chunks(self.length)
                    .map(|e| e[past..].iter().sum::<f64>() - scale),
            );
        }
        Array1::from_vec(out)
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        self.sample_given(Array2::zeros((n, 0)).view(), seed)
    }

    fn context(&self) -> &[usize] {
        &self.context
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        assert_eq!(context.ncols(), self.context.len(), "one column for each coordinate of the context");
        let mut out = Array2::<f64>::zeros((context.nrows(), self.n_features()));
        out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().enumerate().for_each(|(b, mut rows)| {
            let innovations =
                self.innovation.sample(rows.nrows() * self.length, seed.child("var-sample", b as u64));
            let each = innovations.axis_chunks_iter(Axis(0), self.length);
            for (i, (mut row, e)) in rows.rows_mut().into_iter().zip(each).enumerate() {
                row.assign(&self.continued(context.row(b * BLOCK + i), e));
            }
        });
        out
    }
}

#[cfg(test)]
mod tests;
