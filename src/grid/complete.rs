//! Completion of a picture of which some numbers are not known.
//!
//! The flow tells the distribution of a number given those before it. What lies after a gap counts as well,
//! by weights: many candidates are drawn side by side, number by number, and whenever a known number is
//! passed,
//!
//! ```text
//! log w_i += log P(x_known | what candidate i has before it)
//! ```
//!
//! At the end of a row whose weights have become uneven the candidates are drawn anew by weight, so that the
//! rows further down go on from those that fit. The completions follow the model given all known numbers as
//! the candidates become many.
//!
//! # References
//! Doucet and Johansen (2009), A tutorial on particle filtering and smoothing (sequential importance
//! resampling).

use std::collections::BTreeMap;

use rand::RngExt;

use super::model::GridFlow;
use super::network::{Seeing, draw};
use super::sight::Seen;
use crate::flow::Tape;
use crate::num::resample::{effective_samples, systematic};
use crate::num::stable::log_sum_exp;
use crate::random::StreamRng;

/// Share of the candidates that the weights must be worth, or the candidates are drawn anew.
const FEWEST: f64 = 0.5;

/// Completions of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Completions {
    /// The levels of each.
    pub levels: Vec<Vec<u8>>,
    /// How many different candidates the completions are worth, in the row of the picture where these are
    /// fewest: candidates that were drawn anew share the rows before.
    pub effective: f64,
}

/// A candidate.
#[derive(Clone)]
struct Candidate {
    seen: Seen,
    levels: Vec<u8>,
    /// For each row with a gap, which candidate of that time it comes from.
    origins: Vec<u32>,
}

/// All candidates, with working memory for the network.
struct Candidates<'f> {
    flow: &'f GridFlow,
    each: Vec<Candidate>,
    log_weight: Vec<f64>,
    x: Vec<f32>,
    y: Vec<f32>,
    guess: Vec<f32>,
    log_prob: Vec<f32>,
    tape: Tape<f32>,
}

impl GridFlow {
    /// Draws `n` pictures given the numbers that are known, chosen from `candidates`, or from n if that is
    /// more.
    ///
    /// # Panics
    /// If the picture has another number of numbers.
    pub fn complete(
        &self,
        known: &[Option<u8>],
        n: usize,
        candidates: usize,
        rng: &mut StreamRng,
    ) -> Completions {
        let canvas = self.canvas();
        assert_eq!(known.len(), canvas.n_numbers(), "a level or a gap for each number");
        let n_candidates = candidates.max(n);
        let Some(first) = known.iter().position(Option::is_none) else {
            let levels: Vec<u8> = known.iter().flatten().copied().collect();
            return Completions { levels: vec![levels; n], effective: n_candidates as f64 };
        };
        let begin = first / canvas.channels;
        let mut all = Candidates::new(self, self.before(known, begin), n_candidates);
        for row in begin / canvas.width..canvas.height {
            let pixels = (row * canvas.width).max(begin)..(row + 1) * canvas.width;
            let numbers = &known[pixels.start * canvas.channels..pixels.end * canvas.channels];
            for pixel in pixels {
                for channel in 0..canvas.channels {
                    all.step(pixel, channel, known[pixel * canvas.channels + channel], rng);
                }
            }
            all.end_row(row, numbers.iter().any(Option::is_none), rng);
        }
        all.choose(n, rng)
    }

    /// The candidate of which nothing is drawn yet: all before a pixel is known.
    fn before(&self, known: &[Option<u8>], pixel: usize) -> Candidate {
        let canvas = self.canvas();
        let mut one = Candidate {
            seen: Seen::blank(self.sight(), canvas),
            levels: vec![0; canvas.n_numbers()],
            origins: Vec::new(),
        };
        for (at, level) in known[..pixel * canvas.channels].iter().flatten().enumerate() {
            one.set(at, canvas.channels, *level);
        }
        (0..pixel / canvas.width).for_each(|row| one.seen.end_row(row));
        one
    }
}

impl Candidate {
    fn set(&mut self, at: usize, channels: usize, level: u8) {
        self.levels[at] = level;
        self.seen.set(at / channels, at % channels, level);
    }
}

impl<'f> Candidates<'f> {
    fn new(flow: &'f GridFlow, one: Candidate, n: usize) -> Self {
        Self {
            each: vec![one; n],
            log_weight: vec![0.0; n],
            x: vec![0.0; flow.shape().inputs * n],
            y: vec![0.0; n],
            guess: vec![0.0; n],
            log_prob: vec![0.0; n],
            tape: Tape::default(),
            flow,
        }
    }

    /// Draws a number of all candidates, or weighs them by it where it is known.
    fn step(&mut self, pixel: usize, channel: usize, known: Option<u8>, rng: &mut StreamRng) {
        let (n, shape, canvas) = (self.each.len(), self.flow.shape(), self.flow.canvas());
        let at = pixel * canvas.channels + channel;
        for (i, candidate) in self.each.iter().enumerate() {
            let (x, guess) = (&mut self.x, &mut self.guess[i..=i]);
            candidate.seen.inputs(&[pixel as u32], channel, (x, i, n), guess);
        }
        let parameters = self.flow.of_channel(channel);
        if let Some(level) = known {
            self.y.fill(canvas.scaled(level));
            let seeing = Seeing { x: &self.x, y: &self.y, guess: &self.guess, levels: canvas.levels };
            shape.log_prob(parameters, &seeing, &mut self.log_prob, &mut self.tape);
            for (weight, log_prob) in self.log_weight.iter_mut().zip(&self.log_prob) {
                *weight += f64::from(*log_prob);
            }
            self.each.iter_mut().for_each(|candidate| candidate.set(at, canvas.channels, level));
            return;
        }
        let out = shape.outputs_of(parameters, &self.x, n, &mut self.tape);
        for (i, candidate) in self.each.iter_mut().enumerate() {
            let u = [rng.random(), rng.random()];
            let level = draw(|j| out[j * n + i], self.guess[i], shape.components, canvas.levels, u);
            candidate.set(at, canvas.channels, level);
        }
    }

    /// Ends a row, and draws the candidates anew where their weights are worth too few of them.
    fn end_row(&mut self, row: usize, has_gap: bool, rng: &mut StreamRng) {
        for (i, candidate) in self.each.iter_mut().enumerate() {
            candidate.seen.end_row(row);
            if has_gap {
                candidate.origins.push(i as u32);
            }
        }
        let n = self.each.len();
        if effective_samples(&self.log_weight) < FEWEST * n as f64 {
            let chosen = systematic(&self.log_weight, n, rng.random());
            self.each = chosen.into_iter().map(|i| self.each[i].clone()).collect();
            self.log_weight.fill(0.0);
        }
    }

    fn choose(self, n: usize, rng: &mut StreamRng) -> Completions {
        let rows = self.each.first().map_or(0, |candidate| candidate.origins.len());
        let of_row = |row: usize| {
            let mut weights: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
            for (candidate, weight) in self.each.iter().zip(&self.log_weight) {
                weights.entry(candidate.origins[row]).or_default().push(*weight);
            }
            effective_samples(&weights.values().map(|w| log_sum_exp(w)).collect::<Vec<_>>())
        };
        let effective = (0..rows).map(of_row).fold(f64::INFINITY, f64::min);
        let chosen = systematic(&self.log_weight, n, rng.random());
        Completions { levels: chosen.into_iter().map(|i| self.each[i].levels.clone()).collect(), effective }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Canvas, GridShape, Sight};
    use crate::random::Seed;

    /// A flow of which each number depends strongly on those before it.
    fn drawn(canvas: Canvas) -> GridFlow {
        let sight = Sight { reach: 2, outside: -0.3 };
        let shape = GridShape { inputs: sight.n_inputs(&canvas), hidden: 6, layers: 1, components: 2 };
        let mut rng = Seed(7).stream("drawn", 0);
        let n = canvas.channels * shape.n_parameters();
        let parameters = (0..n).map(|_| 3.0 * (rng.random::<f32>() - 0.5)).collect();
        GridFlow::new(canvas, sight, shape, parameters).unwrap()
    }

    #[test]
    fn completions_follow_the_model_given_what_lies_before_and_after_the_gap() {
        let canvas = Canvas { height: 3, width: 2, channels: 1, levels: 3 };
        let flow = drawn(canvas);
        let n = 4000;
        for gap in [vec![1, 2], vec![0, 3], vec![4, 5], vec![0, 1, 2, 3, 4, 5]] {
            let known: Vec<Option<u8>> =
                (0..6).map(|i| (!gap.contains(&i)).then_some((i * i % 3) as u8)).collect();
            // All ways to fill the gap, with the share that the model gives to each.
            let ways: Vec<Vec<u8>> = (0..3_usize.pow(gap.len() as u32))
                .map(|way| {
                    let mut picture: Vec<u8> = known.iter().map(|level| level.unwrap_or(0)).collect();
                    for (k, &at) in gap.iter().enumerate() {
                        picture[at] = (way / 3_usize.pow(k as u32) % 3) as u8;
                    }
                    picture
                })
                .collect();
            let log_probs: Vec<f64> =
                ways.iter().map(|picture| flow.log_prob_of_each(picture).iter().sum()).collect();
            let total = log_sum_exp(&log_probs);
            let completed = flow.complete(&known, n, n, &mut Seed(1).stream("test", 0));
            let distance: f64 = ways
                .iter()
                .zip(&log_probs)
                .map(|(picture, log_prob)| {
                    let times = completed.levels.iter().filter(|levels| *levels == picture).count();
                    (times as f64 / n as f64 - (log_prob - total).exp()).abs()
                })
                .sum::<f64>()
                / 2.0;
            // Of 4,000 draws of K ways the distance is about sqrt(K / (2 π 4,000)) at most; twice that, since
            // candidates share what they come from.
            let bound = 2.0 * (ways.len() as f64 / (std::f64::consts::TAU * n as f64)).sqrt() + 0.005;
            assert!(distance < bound, "gap {gap:?}: {distance}, at most {bound}");
            assert!(completed.effective > 100.0, "gap {gap:?}: {}", completed.effective);
            let again = flow.complete(&known, n, n, &mut Seed(1).stream("test", 0));
            assert_eq!(again, completed);
        }
        let whole = vec![Some(1); 6];
        let same = flow.complete(&whole, 3, 5, &mut Seed(3).stream("test", 0));
        assert_eq!((same.levels, same.effective), (vec![vec![1; 6]; 3], 5.0));
    }

    #[test]
    fn what_comes_after_a_gap_matters() {
        let flow = drawn(Canvas { height: 3, width: 2, channels: 1, levels: 3 });
        let share = |after: u8| {
            let known: Vec<Option<u8>> =
                [Some(1), Some(2), None, None, Some(after), Some(after)].into_iter().collect();
            let completed = flow.complete(&known, 2000, 2000, &mut Seed(1).stream("test", 0));
            completed.levels.iter().filter(|levels| levels[3] == 0).count() as f64 / 2000.0
        };
        assert!((share(0) - share(2)).abs() > 0.05, "{} {}", share(0), share(2));
    }
}
