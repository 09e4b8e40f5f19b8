//! A world small enough to know the truth of: seven vital signs under a multivariate normal distribution.

use ndarray::{Array1, Array2, ArrayView2};
use rand::RngExt;

use crate::density::Density;
use crate::features::Cell;
use crate::random::{Seed, StreamRng};

use super::feature::Feature;
use super::versions::Cells;

pub(super) const TEMPERATURE: usize = 0;
pub(super) const HEART_RATE: usize = 1;
pub(super) const SYSTOLIC: usize = 2;
pub(super) const DIASTOLIC: usize = 3;
pub(super) const WEIGHT: usize = 4;
pub(super) const HEIGHT: usize = 5;
pub(super) const GLUCOSE: usize = 6;

/// (name, unit, mean, standard deviation, resolution)
pub(super) const VITALS: [(&str, &str, f64, f64, f64); 7] = [
    ("temperature", "°C", 37.0, 0.6, 0.1),
    ("heart_rate", "/min", 85.0, 15.0, 1.0),
    ("systolic", "mmHg", 120.0, 14.0, 1.0),
    ("diastolic", "mmHg", 65.0, 9.0, 1.0),
    ("weight", "kg", 80.0, 16.0, 0.1),
    ("height", "cm", 170.0, 9.0, 1.0),
    ("glucose", "mg/dL", 130.0, 30.0, 1.0),
];

const CORRELATIONS: [(usize, usize, f64); 3] =
    [(TEMPERATURE, HEART_RATE, 0.4), (SYSTOLIC, DIASTOLIC, 0.9), (WEIGHT, HEIGHT, 0.5)];

/// N(0, Σ) by its Cholesky factor.
pub(super) struct Normal {
    lower: Array2<f64>,
}

impl Normal {
    pub(super) fn vitals() -> Self {
        let mut covariance = Array2::eye(VITALS.len());
        for (i, j, r) in CORRELATIONS {
            covariance[(i, j)] = r;
            covariance[(j, i)] = r;
        }
        Self::new(&covariance)
    }

    pub(super) fn new(covariance: &Array2<f64>) -> Self {
        let d = covariance.nrows();
        let mut lower = Array2::zeros((d, d));
        for i in 0..d {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| lower[(i, k)] * lower[(j, k)]).sum();
                lower[(i, j)] = if i == j {
                    f64::sqrt(covariance[(i, i)] - dot)
                } else {
                    (covariance[(i, j)] - dot) / lower[(j, j)]
                };
            }
        }
        Self { lower }
    }
}

impl Density for Normal {
    fn n_features(&self) -> usize {
        self.lower.nrows()
    }

    fn n_parameters(&self) -> usize {
        self.lower.nrows() * (self.lower.nrows() + 3) / 2
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        let d = self.n_features();
        let constant: f64 = (0..d).map(|i| self.lower[(i, i)].ln()).sum::<f64>()
            + 0.5 * d as f64 * std::f64::consts::TAU.ln();
        v.rows()
            .into_iter()
            .map(|row| {
                let mut z = vec![0.0; d];
                for i in 0..d {
                    let dot: f64 = (0..i).map(|k| self.lower[(i, k)] * z[k]).sum();
                    z[i] = (row[i] - dot) / self.lower[(i, i)];
                }
                -0.5 * z.iter().map(|z| z * z).sum::<f64>() - constant
            })
            .collect()
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        let mut rng = seed.stream("sample", 0);
        let z = Array2::from_shape_simple_fn((n, self.n_features()), || normal(&mut rng));
        z.dot(&self.lower.t())
    }
}

/// By Box and Muller.
pub(super) fn normal(rng: &mut StreamRng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Standardises each vital sign after spreading it over its resolution.
pub(super) struct Vitals;

impl Cells for Vitals {
    fn record(&self, raw: &[f64], seed: Seed, draw: u64) -> Vec<f64> {
        let mut rng = seed.stream("record", draw);
        let mut coordinate = |j: usize, x: f64| {
            let (u, epsilon) = (rng.random(), normal(&mut rng));
            if x.is_nan() { epsilon } else { self.cell(j, x, u).v }
        };
        raw.iter().enumerate().map(|(j, &x)| coordinate(j, x)).collect()
    }

    fn cell(&self, feature: usize, x: f64, u: f64) -> Cell {
        let (_, _, mean, sd, resolution) = VITALS[feature];
        let v = (x + resolution * (u - 0.5) - mean) / sd;
        Cell { v, log_det: -f64::ln(sd), log_noise: 0.0 }
    }
}

/// The vital signs with the quantiles of their normal distributions (R 4.4 `qnorm`).
pub(super) fn features() -> Vec<Feature> {
    const Z: [(f64, f64); 11] = [
        (0.0, -3.8),
        (0.01, -2.3263),
        (0.05, -1.6449),
        (0.1, -1.2816),
        (0.25, -0.6745),
        (0.5, 0.0),
        (0.75, 0.6745),
        (0.9, 1.2816),
        (0.95, 1.6449),
        (0.99, 2.3263),
        (1.0, 3.8),
    ];
    VITALS
        .iter()
        .map(|&(name, unit, mean, sd, resolution)| Feature {
            name: name.into(),
            label: String::new(),
            unit: unit.into(),
            quantiles: Z.iter().map(|&(p, z)| (p, mean + sd * z)).collect(),
            resolution,
            levels: vec![],
            level_names: vec![],
            context: false,
        })
        .collect()
}

/// Recorded vital signs of `n` ordinary patients.
pub(super) fn patients(n: usize, seed: Seed) -> Array2<f64> {
    let mut rows = Normal::vitals().sample(n, seed);
    for mut row in rows.rows_mut() {
        for (x, (_, _, mean, sd, resolution)) in row.iter_mut().zip(VITALS) {
            *x = ((mean + sd * *x) / resolution).round() * resolution;
        }
    }
    rows
}
