//! Where the training vectors come from: fresh noise for each epoch, and fixed noise for validation.

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use crate::features::{Bundle, Encoder, RecordKey};
use crate::random::Seed;
use crate::schema::Split;

/// The vectors of one noise draw, with the log-density of the noise that fills missing entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// `(n, d)`.
    pub values: Array2<f64>,
    /// `(n,)`, Σ over missing entries of log N(ε; 0, 1).
    pub log_noise: Array1<f64>,
}

/// A source of training and validation vectors. A draw depends only on its seed and its number.
pub trait Source: Sync {
    /// Number of coordinates d.
    fn n_coordinates(&self) -> usize;
    /// Number of training records.
    fn n_train(&self) -> usize;
    /// Number of validation records.
    fn n_validation(&self) -> usize;
    /// Returns the vectors of some of the training records, in this order, for one noise draw. What a record
    /// gets hangs on the record, the seed and the number of the draw alone.
    fn train(&self, rows: &[usize], seed: Seed, draw: u64) -> Draw;
    /// Returns the vectors of all validation records for one noise draw.
    fn validation(&self, seed: Seed, draw: u64) -> Draw;
    /// Identifies the data, so that a checkpoint is not continued on other data.
    fn fingerprint(&self) -> String;
}

/// The training and validation records of a bundle. Copies of a record have noise of their own in every draw.
#[derive(Debug)]
pub struct BundleSource<'a> {
    encoder: &'a Encoder,
    train: Records,
    validation: Records,
    fingerprint: String,
}

#[derive(Debug)]
struct Records {
    raw: Array2<f64>,
    keys: Vec<RecordKey>,
}

impl Records {
    /// At most so many records of a split, evenly spaced.
    fn of(bundle: &Bundle, split: Split, most: usize) -> Self {
        let mut raw = bundle.raw_of(split);
        let step = raw.nrows().div_ceil(most);
        if step > 1 {
            raw = raw.slice_axis(Axis(0), Slice::new(0, None, step as isize)).to_owned();
        }
        Self { keys: RecordKey::by_copy(raw.view()), raw }
    }
}

impl<'a> BundleSource<'a> {
    /// Copies the training rows out of `bundle`, and up to `most` of the validation rows.
    pub fn new(bundle: &'a Bundle, most: usize) -> Self {
        Self {
            encoder: &bundle.manifest.encoder,
            train: Records::of(bundle, Split::Train, usize::MAX),
            validation: Records::of(bundle, Split::Validation, most.max(1)),
            fingerprint: bundle.fingerprint(),
        }
    }

    fn draw(&self, raw: ArrayView2<'_, f64>, keys: &[RecordKey], seed: Seed, draw: u64) -> Draw {
        let encoded = self.encoder.encode_keyed(raw, keys, seed, draw);
        Draw { values: encoded.values, log_noise: encoded.log_noise }
    }
}

impl Source for BundleSource<'_> {
    fn n_coordinates(&self) -> usize {
        self.encoder.n_coordinates()
    }

    fn n_train(&self) -> usize {
        self.train.keys.len()
    }

    fn n_validation(&self) -> usize {
        self.validation.keys.len()
    }

    fn train(&self, rows: &[usize], seed: Seed, draw: u64) -> Draw {
        let keys: Vec<RecordKey> = rows.iter().map(|&row| self.train.keys[row]).collect();
        self.draw(self.train.raw.select(Axis(0), rows).view(), &keys, seed, draw)
    }

    fn validation(&self, seed: Seed, draw: u64) -> Draw {
        self.draw(self.validation.raw.view(), &self.validation.keys, seed, draw)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}
