//! Records → vectors under draws of the auxiliary noise.
//!
//! The noise of a record hangs on its key ([`RecordKey`]), the seed and the number of the draw, and on
//! nothing beside: not on its row, not on the other rows, not on the number of threads.
//!
//! Several draws of one record are stratified. With S draws, the numbers of a coordinate are one in each of
//! the S equal parts of (0, 1), in an order of its own that is drawn for each coordinate (a Latin hypercube):
//!
//! ```text
//! u_sj = (π_j(s) + w_sj)/S        π_j a random permutation of 0 … S − 1,  w_sj ~ U(0, 1)
//! ```
//!
//! Each draw by itself is uniform, so that means over the draws are unbiased; what the log-likelihood owes to
//! single coordinates averages out at S⁻³ rather than S⁻¹.
//!
//! A graph that other programs run has no hash of a record. It takes draws that are the same for every record
//! ([`DrawsBy::Fixed`]), and its scores are calibrated by records that were scored in the same way.
//!
//! # References
//! McKay, Beckman & Conover (1979), Technometrics 21(2); Stein (1987), Technometrics 29(2), for the variance.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use rand::Rng;
use rayon::prelude::*;

use super::{Encoder, FittedColumn, Noise, RecordKey, Transform};
use crate::num::special::{normal_log_pdf, normal_quantile};
use crate::random::{KeyedStreams, Seed, StreamRng};
use crate::schema::words;

words! {
    /// What the draws of the noise of a record hang on, beside the seed.
    #[derive(Default)]
    pub enum DrawsBy {
        /// Its content.
        #[default]
        Record = "record",
        /// Nothing: they are the same for every record.
        Fixed = "fixed",
    }
}

/// Numbers that stay in cache.
const CACHED: usize = 1 << 15;

/// Vectors of records under one draw of the noise, or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// `(n, d)`, finite.
    pub values: Array2<f64>,
    /// Σ log|∂v/∂x| over observed coordinates and indicators, the context left out, `(n,)`.
    pub log_det: Array1<f64>,
    /// Σ log N(ε; 0,1) over the coordinates that hold noise, less the log-probability of the states no
    /// coordinate tells of (rare levels, what is hardly ever missing), the context left out, `(n,)`.
    pub log_noise: Array1<f64>,
}

/// Draws of the noise of each record, one below the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    /// Vectors of all draws of the first record, then those of the next.
    pub encoded: Encoded,
    /// Where the draws of each record begin, and the end: n + 1 numbers. A record without noise has a single
    /// one.
    pub begins: Vec<usize>,
}

/// One number of a record as a coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The coordinate.
    pub v: f64,
    /// log|∂v/∂x|; 0 where the coordinate is noise.
    pub log_det: f64,
    /// log N(v; 0,1) where the coordinate is noise, less the log-probability of the value where that is its
    /// own matter.
    pub log_noise: f64,
}

impl FittedColumn {
    /// The coordinate of a number under the noise u in (0, 1): the number's own, or noise for one that is
    /// missing (NaN) or stands apart.
    #[inline]
    pub fn cell(&self, x: f64, u: f64) -> Cell {
        let log_apart = if x.is_nan() { Some(0.0) } else { self.log_apart(x) };
        match log_apart {
            Some(log_prob) => {
                let v = normal_quantile(u);
                Cell { v, log_det: 0.0, log_noise: normal_log_pdf(v) - log_prob }
            }
            None => {
                let (v, log_det) = self.encode(x, u);
                Cell { v, log_det, log_noise: 0.0 }
            }
        }
    }

    /// The log-probability of a level that has no cell of its own, being rare or not met in training.
    #[inline]
    pub fn log_apart(&self, x: f64) -> Option<f64> {
        match &self.transform {
            Transform::Levels(levels) => levels.apart(x).map(|a| a.log_prob),
            _ => None,
        }
    }

    /// Whether the coordinate of a number depends on the noise.
    fn is_noisy(&self, x: f64) -> bool {
        if x.is_nan() || matches!(self.transform, Transform::Levels(_)) {
            return true;
        }
        let (low, high) = self.noise.interval(x);
        low < high
    }
}

impl Encoder {
    /// One draw of the noise, keyed by the content of each record: copies of a record have equal vectors.
    ///
    /// # Shapes
    /// `raw: (n, p)` → `values: (n, d)`, `log_det: (n,)`, `log_noise: (n,)`
    ///
    /// # Panics
    /// Where `raw` has not [`n_features`](Self::n_features) columns.
    pub fn encode(&self, raw: ArrayView2<'_, f64>, seed: Seed, draw: u64) -> Encoded {
        self.encode_keyed(raw, &RecordKey::by_content(raw), seed, draw)
    }

    /// One draw of the noise, keyed as given.
    ///
    /// # Shapes
    /// `raw: (n, p)`, `keys`: n → as [`encode`](Self::encode)
    ///
    /// # Panics
    /// Where `raw` has not [`n_features`](Self::n_features) columns or there is not one key for each row.
    pub fn encode_keyed(
        &self,
        raw: ArrayView2<'_, f64>,
        keys: &[RecordKey],
        seed: Seed,
        draw: u64,
    ) -> Encoded {
        assert_eq!(keys.len(), raw.nrows(), "one key for each record");
        let streams = seed.keyed("encode", draw);
        let begins: Vec<usize> = (0..=raw.nrows()).collect();
        self.encode_rows(raw, &begins, |i, u| {
            let mut rng = streams.stream(keys[i].bytes());
            u.iter_mut().for_each(|u| *u = uniform(&mut rng));
        })
    }

    /// One draw of the noise, keyed as given, in single precision and without its derivatives.
    ///
    /// # Shapes
    /// `raw: (n, p)`, `keys`: n → `values`: n·d
    pub(super) fn draw(
        &self,
        raw: ArrayView2<'_, f64>,
        keys: &[RecordKey],
        streams: KeyedStreams,
        values: &mut [f32],
    ) {
        let (p, d) = (self.n_features(), self.n_coordinates());
        let cached = (CACHED / d.max(1)).max(8);
        let parts = values.par_chunks_mut((cached * d).max(1)).zip(keys.par_chunks(cached));
        parts.enumerate().for_each(|(part, (values, keys))| {
            let mut u = vec![0.0; keys.len() * d];
            for (u, key) in u.chunks_exact_mut(d).zip(keys) {
                let mut rng = streams.stream(key.bytes());
                u.iter_mut().for_each(|u| *u = uniform(&mut rng));
            }
            let number = |i: usize, column: usize| raw[[part * cached + i, column]];
            for (j, column) in self.columns.iter().enumerate() {
                for i in 0..keys.len() {
                    values[i * d + j] = column.cell(number(i, j), u[i * d + j]).v as f32;
                }
            }
            for (k, indicator) in self.indicators.iter().enumerate() {
                for i in 0..keys.len() {
                    let at = i * d + p + k;
                    let bit = f64::from(u8::from(indicator.is_missing(|c| number(i, c))));
                    values[at] = indicator.levels.forward(indicator.levels.lift(bit, u[at])).0 as f32;
                }
            }
        });
    }

    /// `draws` stratified draws of each record, keyed by its content. A record whose vector needs no noise
    /// gets a single one, since all would be equal.
    ///
    /// # Shapes
    /// `raw: (n, p)`
    ///
    /// # Panics
    /// Where `raw` has not [`n_features`](Self::n_features) columns.
    pub fn encode_draws(&self, raw: ArrayView2<'_, f64>, draws: usize, seed: Seed) -> Draws {
        self.encode_draws_by(DrawsBy::Record, raw, draws, seed)
    }

    /// The same with draws that hang on what `by` says.
    ///
    /// # Shapes
    /// `raw: (n, p)`
    ///
    /// # Panics
    /// As [`encode_draws`](Self::encode_draws).
    pub fn encode_draws_by(&self, by: DrawsBy, raw: ArrayView2<'_, f64>, draws: usize, seed: Seed) -> Draws {
        let mut begins = vec![0];
        let mut end = 0;
        for row in raw.rows() {
            end += if self.is_noisy(row) { draws.max(1) } else { 1 };
            begins.push(end);
        }
        let d = self.n_coordinates();
        let encoded = match by {
            DrawsBy::Record => {
                let streams = seed.keyed("stratified", draws as u64);
                let key = |i: usize| RecordKey::of(raw.row(i)).bytes();
                self.encode_rows(raw, &begins, |i, u| stratify(&mut streams.stream(key(i)), u, d))
            }
            DrawsBy::Fixed => {
                let fixed: Vec<f64> = self.fixed_uniforms(draws, seed).into_iter().collect();
                self.encode_rows(raw, &begins, |_, u| u.copy_from_slice(&fixed[..u.len()]))
            }
        };
        Draws { encoded, begins }
    }

    /// The uniform numbers of draws by [`DrawsBy::Fixed`].
    ///
    /// # Shapes
    /// → `(draws, d)`
    pub fn fixed_uniforms(&self, draws: usize, seed: Seed) -> Array2<f64> {
        let (draws, d) = (draws.max(1), self.n_coordinates());
        let mut u = vec![0.0; draws * d];
        stratify(&mut seed.stream("fixed draws", draws as u64), &mut u, d);
        Array2::from_shape_vec((draws, d), u).expect("invariant: draws·d numbers were drawn")
    }

    /// Whether records as those of the training split have noise of their own.
    pub fn has_noise(&self) -> bool {
        let noisy = |c: &FittedColumn| {
            c.missing_fraction > 0.0
                || !matches!(c.noise, Noise::None)
                || matches!(c.transform, Transform::Levels(_))
        };
        !self.indicators.is_empty() || self.columns.iter().any(noisy)
    }

    /// Whether the vector of any of these records depends on the noise.
    ///
    /// # Shapes
    /// `raw: (n, p)`
    pub fn any_noise(&self, raw: ArrayView2<'_, f64>) -> bool {
        raw.rows().into_iter().any(|row| self.is_noisy(row))
    }

    fn is_noisy(&self, row: ArrayView1<'_, f64>) -> bool {
        !self.indicators.is_empty() || self.columns.iter().zip(row).any(|(c, &x)| c.is_noisy(x))
    }

    /// Encodes row i of `raw` as often as `begins` says, with the uniform numbers that `noise` fills in.
    fn encode_rows(
        &self,
        raw: ArrayView2<'_, f64>,
        begins: &[usize],
        noise: impl Fn(usize, &mut [f64]) + Sync,
    ) -> Encoded {
        let (n, p, d) = (raw.nrows(), self.n_features(), self.n_coordinates());
        assert_eq!(raw.ncols(), p, "raw numbers must have one column per feature of the encoder");
        let total = begins[n];
        let mut values = vec![0.0; total * d];
        let (mut log_det, mut log_noise) = (vec![0.0; total], vec![0.0; total]);
        if let Some(cached) = CACHED.checked_div(d) {
            // Column by column, one map and its knots at a time, of as many rows as stay in cache.
            let mut parts = Vec::new();
            let (mut values, mut log_det, mut log_noise) =
                (&mut values[..], &mut log_det[..], &mut log_noise[..]);
            let mut from = 0;
            while from < n {
                let most = begins[from] + cached.max(8);
                // At least one record, however many draws it has.
                let to = begins.partition_point(|&b| b <= most).saturating_sub(1).clamp(from + 1, n);
                let rows = begins[to] - begins[from];
                let (v, rest) = values.split_at_mut(rows * d);
                values = rest;
                let (det, rest) = log_det.split_at_mut(rows);
                log_det = rest;
                let (log, rest) = log_noise.split_at_mut(rows);
                log_noise = rest;
                parts.push((from..to, v, det, log));
                from = to;
            }
            parts.into_par_iter().for_each(|(records, values, log_det, log_noise)| {
                let first = begins[records.start];
                let mut owners = Vec::with_capacity(log_det.len());
                for i in records {
                    noise(i, &mut values[(begins[i] - first) * d..(begins[i + 1] - first) * d]);
                    owners.extend(std::iter::repeat_n(i, begins[i + 1] - begins[i]));
                }
                self.encode_block(raw, &owners, values, log_det, log_noise);
            });
        }
        Encoded {
            values: Array2::from_shape_vec((total, d), values).expect("invariant: n·d values were written"),
            log_det: Array1::from_vec(log_det),
            log_noise: Array1::from_vec(log_noise),
        }
    }

    /// Replaces the uniform numbers in `values` by coordinates; `owners` is the row of `raw` behind each of
    /// its rows.
    fn encode_block(
        &self,
        raw: ArrayView2<'_, f64>,
        owners: &[usize],
        values: &mut [f64],
        log_det: &mut [f64],
        log_noise: &mut [f64],
    ) {
        let (p, d) = (self.n_features(), self.n_coordinates());
        for (j, column) in self.columns.iter().enumerate() {
            for (i, &owner) in owners.iter().enumerate() {
                let v = &mut values[i * d + j];
                let cell = column.cell(raw[[owner, j]], *v);
                *v = cell.v;
                if !column.context {
                    log_det[i] += cell.log_det;
                    log_noise[i] += cell.log_noise;
                }
            }
        }
        for (k, indicator) in self.indicators.iter().enumerate() {
            let given = self.is_context_indicator(k);
            for (i, &owner) in owners.iter().enumerate() {
                let v = &mut values[i * d + p + k];
                let bit = f64::from(u8::from(indicator.is_missing(|c| raw[[owner, c]])));
                let (coordinate, log) = indicator.levels.forward(indicator.levels.lift(bit, *v));
                *v = coordinate;
                if !given {
                    log_det[i] += log;
                }
            }
        }
        let mut known = None;
        for (i, &owner) in owners.iter().enumerate() {
            let states = match known {
                Some((of, states)) if of == owner => states,
                _ => self.log_prob_states(|c| raw[[owner, c]]),
            };
            known = Some((owner, states));
            log_noise[i] -= states;
        }
    }

    /// The log-probability of which features a record lacks, as far as no coordinate tells of it.
    pub fn log_prob_states(&self, raw: impl Fn(usize) -> f64) -> f64 {
        let own = |columns: &[usize]| columns.iter().all(|&c| !self.columns[c].context);
        let absences = self.absences.iter().filter(|a| own(&a.columns)).map(|a| a.log_prob(&raw));
        let parted = self.indicators.iter().filter(|i| own(&i.columns)).map(|i| i.log_parted(&raw));
        absences.sum::<f64>() + parted.sum::<f64>()
    }
}

/// Uniform on the open interval (0, 1).
fn uniform(rng: &mut StreamRng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Fills the draws of one record, S rows of `d` numbers.
fn stratify(rng: &mut StreamRng, u: &mut [f64], d: usize) {
    let draws = u.len() / d.max(1);
    if draws == 1 {
        u.iter_mut().for_each(|u| *u = uniform(rng));
        return;
    }
    let mut order: Vec<usize> = (0..draws).collect();
    for j in 0..d {
        for i in (1..draws).rev() {
            order.swap(i, (uniform(rng) * (i + 1) as f64) as usize);
        }
        for (s, &part) in order.iter().enumerate() {
            u[s * d + j] = ((part as f64 + uniform(rng)) / draws as f64).clamp(1e-16, 1.0 - 1e-16);
        }
    }
}

#[cfg(test)]
mod tests;
