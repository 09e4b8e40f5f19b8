//! The log-likelihood of hypothetical versions of one record, relative to the record as it is.
//!
//! All versions share their noise, so that differences are not blurred by it, and all are scored in one call
//! of the density. Noise of observed features is drawn here, because a changed value has to meet the noise of
//! the value it replaces; that of missing values and of indicators is the encoder's, and stays.

use ndarray::Array2;
use rand::RngExt;

use crate::density::Density;
use crate::features::Cell;
use crate::random::Seed;

use super::block::Edit;

/// Stands for the logarithm of a density that underflows: low enough to lose against anything, yet finite.
const LOWEST: f64 = -1e9;

/// How the values of one record become coordinates; the explainer's view of an encoder.
pub(super) trait Cells: Sync {
    /// All coordinates of a record under one noise draw; those of features come first, in their order.
    fn record(&self, raw: &[f64], seed: Seed, draw: u64) -> Vec<f64>;
    /// Coordinate of the value `x` of a feature under the noise `u` in (0, 1), with what belongs to its
    /// likelihood.
    fn cell(&self, feature: usize, x: f64, u: f64) -> Cell;
}

/// Log-likelihood of a version less that of the record, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gain {
    /// Of the vector the model sees. No change of a column's unit or scale touches it, and a rare value of a
    /// skewed column is not held unlikely just because values are sparse around it: what features are
    /// compared by.
    pub(super) vector: f64,
    /// In original units: what distributions of a value are made of.
    pub(super) original: f64,
}

impl Gain {
    /// Of what was not evaluated.
    pub(super) const NONE: Self = Self { vector: f64::NEG_INFINITY, original: f64::NEG_INFINITY };
}

/// One record under several noise draws.
pub(super) struct Versions<'a> {
    density: &'a dyn Density,
    cells: &'a dyn Cells,
    raw: &'a [f64],
    draws: Vec<Draw>,
}

struct Draw {
    coordinates: Vec<f64>,
    u: Vec<f64>,
    /// log|∂v/∂x| and log-density of the noise of each observed feature.
    log_det: Vec<f64>,
    log_noise: Vec<f64>,
}

impl<'a> Versions<'a> {
    pub(super) fn new(
        density: &'a dyn Density,
        cells: &'a dyn Cells,
        raw: &'a [f64],
        draws: usize,
        seed: Seed,
    ) -> Self {
        let draws = (0..draws as u64)
            .map(|draw| {
                let mut rng = seed.stream("cells", draw);
                let mut coordinates = cells.record(raw, seed, draw);
                // Zero would be an infinite coordinate of a level that stands apart.
                let u: Vec<f64> = raw.iter().map(|_| rng.random::<f64>().max(1e-16)).collect();
                let (mut log_det, mut log_noise) = (vec![0.0; u.len()], vec![0.0; u.len()]);
                for (j, &x) in raw.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                    let cell = cells.cell(j, x, u[j]);
                    (coordinates[j], log_det[j], log_noise[j]) = (cell.v, cell.log_det, cell.log_noise);
                }
                Draw { coordinates, u, log_det, log_noise }
            })
            .collect();
        Self { density, cells, raw, draws }
    }

    /// Gain of each edit over the record as it is, averaged over the draws.
    ///
    /// # Shapes
    /// The density sees one block of 1 + edits rows per draw: the record, then its versions.
    pub(super) fn gains(&self, edits: &[Edit]) -> Vec<Gain> {
        let width = self.draws[0].coordinates.len();
        let block = 1 + edits.len();
        let mut rows = Vec::with_capacity(self.draws.len() * block * width);
        let mut log_det = vec![0.0; edits.len()];
        let mut log_noise = vec![0.0; edits.len()];
        for draw in &self.draws {
            rows.extend_from_slice(&draw.coordinates);
            for ((edit, change), states) in edits.iter().zip(&mut log_det).zip(&mut log_noise) {
                let start = rows.len();
                rows.extend_from_slice(&draw.coordinates);
                for &(j, value) in edit.iter().filter(|(j, value)| self.raw[*j] != *value) {
                    let cell = self.cells.cell(j, value, draw.u[j]);
                    rows[start + j] = cell.v;
                    *change += cell.log_det - draw.log_det[j];
                    *states -= cell.log_noise - draw.log_noise[j];
                }
            }
        }
        let rows = Array2::from_shape_vec((self.draws.len() * block, width), rows)
            .expect("invariant: every block holds one row of coordinates per version of the record");
        let log_prob: Vec<f64> = self.density.log_prob(rows.view()).iter().map(|&l| finite(l)).collect();
        let draws = self.draws.len() as f64;
        log_det
            .into_iter()
            .zip(log_noise)
            .enumerate()
            .map(|(e, (log_det, states))| {
                let whole = log_prob.chunks_exact(block).map(|b| b[1 + e] - b[0]).sum::<f64>();
                let vector = (whole + states) / draws;
                Gain { vector, original: vector + log_det / draws }
            })
            .collect()
    }
}

fn finite(log_prob: f64) -> f64 {
    if log_prob.is_nan() { LOWEST } else { log_prob.clamp(LOWEST, -LOWEST) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::testing::{HEIGHT, Normal, Vitals, WEIGHT};
    use ndarray::{Array1, array};

    /// Quadratic form by hand: weight and height have correlation ½, so the standardised pair (a, b) has
    /// −½(a² − ab + b²)/(1 − ¼); everything else cancels.
    #[test]
    fn gain_is_the_difference_of_log_densities_under_shared_noise() {
        let raw = array![37.0, 85.0, f64::NAN, 65.0, 96.0, 170.0, 130.0];
        let density = Normal::vitals();
        let versions = Versions::new(&density, &Vitals, raw.as_slice().unwrap(), 64, Seed(3));
        let q = |weight: f64, height: f64| {
            let (a, b) = ((weight - 80.0) / 16.0, (height - 170.0) / 9.0);
            -0.5 * (a * a - a * b + b * b) / 0.75
        };
        let gains = versions.gains(&[
            vec![(WEIGHT, 96.0)],
            vec![(WEIGHT, 64.0)],
            vec![(WEIGHT, 80.0), (HEIGHT, 179.0)],
        ]);
        assert_eq!(gains[0], Gain { vector: 0.0, original: 0.0 });
        // Noise of one kilogram or centimetre moves the average over 64 draws by about 0.01.
        assert!((gains[1].vector - (q(64.0, 170.0) - q(96.0, 170.0))).abs() < 0.05, "{gains:?}");
        assert!((gains[2].vector - (q(80.0, 179.0) - q(96.0, 170.0))).abs() < 0.05, "{gains:?}");
        assert!(versions.gains(&[]).is_empty());
    }

    #[test]
    fn underflow_is_finite() {
        struct Nowhere;
        impl Density for Nowhere {
            fn n_features(&self) -> usize {
                7
            }
            fn n_parameters(&self) -> usize {
                0
            }
            fn log_prob(&self, v: ndarray::ArrayView2<'_, f64>) -> Array1<f64> {
                Array1::from_iter((0..v.nrows()).map(|i| if i == 0 { f64::NEG_INFINITY } else { f64::NAN }))
            }
            fn sample(&self, n: usize, _: Seed) -> Array2<f64> {
                Array2::zeros((n, 7))
            }
        }
        let raw = Array1::from_elem(7, 50.0);
        assert_eq!(
            Versions::new(&Nowhere, &Vitals, raw.as_slice().unwrap(), 1, Seed(1)).gains(&[vec![(0, 37.0)]]),
            [Gain { vector: 0.0, original: 0.0 }]
        );
    }
}
