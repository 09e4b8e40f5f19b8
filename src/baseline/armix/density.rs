//! A fitted autoregressive mixture as a density.

mod onnx;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::experts::Experts;
use super::rows::with_ones;
use crate::baseline::error::MixtureError;
use crate::density::Density;
use crate::random::{Seed, StreamRng};

/// Number of rows that are handled together. It is fixed, so that results do not depend on the number of
/// threads.
const BLOCK: usize = 256;

/// One factor of the density: a coordinate given some of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The coordinate.
    pub coordinate: usize,
    /// The coordinates that it is given.
    pub given: Vec<usize>,
    /// Its distribution, of standardised coordinates.
    pub experts: Experts,
}

/// An autoregressive mixture; see the head of the module.
#[derive(Debug, Clone, PartialEq)]
pub struct AutoregressiveMixture {
    /// What is subtracted from each coordinate, `(d,)`.
    centre: Array1<f64>,
    /// What each coordinate is divided by, `(d,)`.
    scale: Array1<f64>,
    /// Coordinates that nothing is said about, ascending.
    context: Vec<usize>,
    /// The factors, in the order in which coordinates can be drawn.
    links: Vec<Link>,
    /// `−Σ log σ_j` over the coordinates of the links.
    log_norm: f64,
}

impl AutoregressiveMixture {
    /// Puts a density together from its factors.
    ///
    /// # Shapes
    /// `centre: (d,)`, `scale: (d,)`; one link for each coordinate that is not in `context`, in such an order
    /// that each is given only what is in the context or has come before.
    ///
    /// # Errors
    /// [`MixtureError::Shape`], [`MixtureError::NotFinite`], [`MixtureError::Order`]
    pub fn new(
        centre: Array1<f64>,
        scale: Array1<f64>,
        context: Vec<usize>,
        links: Vec<Link>,
    ) -> Result<Self, MixtureError> {
        let d = centre.len();
        if scale.len() != d {
            return Err(MixtureError::Shape { what: "scale", got: vec![scale.len()], expected: vec![d] });
        }
        for (what, values) in [("centre", &centre), ("scale", &scale)] {
            let sound = |x: f64| x.is_finite() && (what == "centre" || x > 0.0);
            if let Some(column) = values.iter().position(|&x| !sound(x)) {
                return Err(MixtureError::NotFinite { what, row: 0, column });
            }
        }
        let mut known = vec![false; d];
        for &j in &context {
            *known.get_mut(j).ok_or(MixtureError::Order { coordinate: j })? = true;
        }
        for link in &links {
            let coordinate = link.coordinate;
            let right = link.given.iter().all(|&j| j < d && known[j])
                && link.experts.n_given() == link.given.len()
                && known.get(coordinate) == Some(&false);
            if !right {
                return Err(MixtureError::Order { coordinate });
            }
            known[coordinate] = true;
        }
        if let Some(coordinate) = known.iter().position(|known| !known) {
            return Err(MixtureError::Order { coordinate });
        }
        let log_norm = -links.iter().map(|link| scale[link.coordinate].ln()).sum::<f64>();
        Ok(Self { centre, scale, context, links, log_norm })
    }

    /// What is subtracted from each coordinate, `(d,)`.
    pub fn centre(&self) -> ArrayView1<'_, f64> {
        self.centre.view()
    }

    /// What each coordinate is divided by, `(d,)`.
    pub fn scale(&self) -> ArrayView1<'_, f64> {
        self.scale.view()
    }

    /// The factors, in the order in which coordinates can be drawn.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    fn standardised(&self, v: ArrayView2<'_, f64>) -> Array2<f64> {
        (&v - &self.centre) / &self.scale
    }

    /// Draws the coordinates of a row that are not in the context; `x` is room for what they are given.
    fn draw(&self, z: &mut Array1<f64>, rng: &mut StreamRng) {
        for link in &self.links {
            let x: Array1<f64> = std::iter::once(1.0).chain(link.given.iter().map(|&j| z[j])).collect();
            z[link.coordinate] = link.experts.draw(x.view(), rng);
        }
    }
}

impl Density for AutoregressiveMixture {
    fn n_features(&self) -> usize {
        self.centre.len()
    }

    fn n_parameters(&self) -> usize {
        self.links.iter().map(|link| link.experts.n_parameters()).sum()
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        assert_eq!(v.ncols(), self.n_features(), "invariant: callers match coordinates first");
        let mut out = Array1::from_elem(v.nrows(), self.log_norm);
        let blocks = v.axis_chunks_iter(Axis(0), BLOCK).into_par_iter();
        blocks.zip(out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter()).for_each(|(v, mut out)| {
            let z = self.standardised(v);
            for link in &self.links {
                out += &link
                    .experts
                    .log_prob(with_ones(z.view(), &link.given).view(), z.column(link.coordinate));
            }
        });
        out
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        assert!(self.context.is_empty(), "a conditional density draws given a context");
        self.sample_given(Array2::zeros((n, 0)).view(), seed)
    }

    fn context(&self) -> &[usize] {
        &self.context
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        assert_eq!(context.ncols(), self.context.len(), "one column for each coordinate of the context");
        let mut out = Array2::<f64>::zeros((context.nrows(), self.n_features()));
        out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().enumerate().for_each(|(b, mut rows)| {
            let mut rng = seed.stream("armix-sample", b as u64);
            for (i, mut row) in rows.rows_mut().into_iter().enumerate() {
                let known = context.row(b * BLOCK + i);
                let mut z = Array1::zeros(self.n_features());
                for (&j, x) in self.context.iter().zip(known) {
                    z[j] = (x - self.centre[j]) / self.scale[j];
                }
                self.draw(&mut z, &mut rng);
                row.assign(&(&z * &self.scale + &self.centre));
                // What is given comes back as it was, without rounding.
                self.context.iter().zip(known).for_each(|(&j, x)| row[j] = *x);
            }
        });
        out
    }
}

#[cfg(test)]
mod tests;
