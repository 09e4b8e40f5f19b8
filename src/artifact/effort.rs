//! How much scoring a fit can afford.
//!
//! A fitted density is scored on every split: for the means that are told, for the scales of scores and for
//! the calibration. Without a budget of time this is done as well as it can be. With one, what is left of it
//! after training decides how many noise draws stand behind a score, and over how many records of a split a
//! mean is taken. The calibration records are all scored in any case.

use std::time::{Duration, Instant};

use ndarray::{ArrayView2, Axis, Slice};

use crate::density::Density;
use crate::evaluate::{draws_for, most_draws, score_records};
use crate::features::{Bundle, Encoder};
use crate::random::Seed;
use crate::schema::Split;

/// Records of a split over which a mean is taken, where time is short. A mean over so many has an error of
/// less than a hundredth of the spread of records.
const RECORDS: usize = 20_000;
/// The same of the training records, with which nothing is compared.
const TRAINING_RECORDS: usize = 5_000;
/// Records on which the speed of scoring is measured.
const TIMED: usize = 2_048;
/// Share of what is left that scoring may take; writing the model takes some as well.
const SHARE: f64 = 0.75;
/// Share of it that goes into choosing the number of draws.
const CHOICE: f64 = 0.15;
/// Nanoseconds that scoring takes for a number, as is assumed before there is a model.
const ASSUMED: f64 = 250.0;
/// How many times longer a number may take than is assumed, since the model may be an ensemble of flows.
const SEVERAL: f64 = 3.0;
/// Draws that have to be possible, and the largest share of a budget that is kept back for them.
const NEEDED: (usize, f64) = (4, 0.25);
/// Draws that are wished for, and the largest share of a budget that is kept back for them. With one draw,
/// the scores of 1,000 records of 40 columns had a noise of 4.0 nats, with 256 of 0.06.
const WISHED: (usize, f64) = (64, 0.15);

/// The largest share of a budget that is kept back for the scores of pictures.
const PICTURES: f64 = 0.1;
/// Fewest draws behind the score of a picture.
const FEWEST_OF_PICTURES: usize = 2;

/// How well the records of a bundle are scored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Fewest and most noise draws behind a score.
    pub(super) draws: (usize, usize),
    /// Most records of a split over which a mean is taken.
    pub(super) records: usize,
    /// Numbers that may be scored for each measurement of the score's own noise; none without a bound.
    pub(super) numbers: Option<usize>,
}

impl Effort {
    /// As well as it can be done.
    pub(super) fn full(bundle: &Bundle) -> Self {
        let (n, d) = (bundle.manifest.n_records, bundle.manifest.encoder.n_coordinates());
        let most = most_draws(n, d);
        // What differs between draws of a picture is a small part of what differs between pictures.
        let fewest = if bundle.manifest.shape.is_pictures() { FEWEST_OF_PICTURES } else { draws_for(n, d) };
        Self { draws: (fewest, most), records: usize::MAX, numbers: None }
    }

    /// What can be done until `deadline`, from the time that a few records take.
    pub(super) fn until(
        deadline: Instant,
        bundle: &Bundle,
        density: &dyn Density,
        encoder: &Encoder,
        raw: ArrayView2<'_, f64>,
    ) -> Self {
        let full = Self::full(bundle);
        let some = raw.slice_axis(Axis(0), Slice::from(..raw.nrows().min(TIMED)));
        let begun = Instant::now();
        score_records(density, encoder, some, 1, Seed(0));
        let per_row = begun.elapsed().as_secs_f64().max(1e-9) / some.nrows().max(1) as f64;
        let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64() * SHARE;
        let of = |records: usize| scored(bundle, records) as f64 * per_row;
        // As many records as there are, if each can have as many draws as it has without a budget.
        if of(usize::MAX) * full.draws.1 as f64 <= left {
            return full;
        }
        let most = (left * (1.0 - CHOICE) / of(RECORDS).max(1e-9)) as usize;
        let most = most.clamp(1, full.draws.1);
        Self {
            draws: (full.draws.0.min(most), most),
            records: RECORDS,
            numbers: Some((left * CHOICE / 4.0 / per_row) as usize * encoder.n_coordinates()),
        }
    }

    /// Seconds of a budget that training should leave for scoring.
    pub(super) fn kept_back(budget: f64, bundle: &Bundle) -> f64 {
        let encoder = &bundle.manifest.encoder;
        // Without noise, all draws of a record are equal, and it has one. The training records, of which
        // there are most, are not looked at.
        let held_out = [Split::Validation, Split::Calibration, Split::Test];
        let noisy = held_out.iter().any(|&split| encoder.any_noise(bundle.raw_of(split).view()));
        let one = (scored(bundle, RECORDS) * encoder.n_coordinates()) as f64 * ASSUMED * 1e-9;
        if !noisy {
            return one.min(NEEDED.1 * budget);
        }
        if bundle.manifest.shape.is_pictures() {
            // Few draws do, so that the wish for many takes no time from training.
            return (one * NEEDED.0 as f64).min(PICTURES * budget);
        }
        let full = Self::full(bundle).draws.1;
        let seconds = |(draws, share): (usize, f64), times: f64| {
            (one * times * draws.min(full) as f64).min(share * budget)
        };
        seconds(NEEDED, 1.0).max(seconds(WISHED, SEVERAL))
    }

    /// Of the rows of a split, those over which its mean is taken: all, or one row in so many. Of the
    /// training records, no comparison is made, so that some always do.
    pub(super) fn rows(&self, split: Split, rows: usize) -> Option<Vec<usize>> {
        let most = if split == Split::Train { self.records.min(TRAINING_RECORDS) } else { self.records };
        let step = rows.div_ceil(most);
        (split != Split::Calibration && step > 1).then(|| (0..rows).step_by(step).collect())
    }
}

/// Rows that are scored where means are taken over at most so many records.
fn scored(bundle: &Bundle, records: usize) -> usize {
    let splits = &bundle.manifest.splits;
    let train = splits.train.min(records).min(TRAINING_RECORDS);
    train + splits.validation.min(records) + splits.test.min(records) + splits.calibration
}

/// When a budget of seconds that begins now is over; never where it is too long for a clock.
pub(super) fn deadline(budget: f64) -> Option<Instant> {
    Instant::now().checked_add(Duration::try_from_secs_f64(budget.max(0.0)).ok()?)
}
