//! The textures: what a picture is drawn from, and its entropy in closed form.
//!
//! ```text
//! periodic, galaxy   x = M b + e           b: one of finitely many plain pictures, with levels 0 to 3
//!                                          e: sum of two dice of 8 sides, from 0 to 14, M = 16
//!                    H(x) = H(b) + d H(e)
//! field              x = 32 + ⌊0.46 (left − 32) + 0.46 (above − 32)⌉ + e
//!                                          e: sum of two dice of 3 sides, from −2 to 2
//!                    H(x) = d H(e)
//! ```
//!
//! The noise of the first two is smaller than M, so that a picture tells b and e, and its entropy is the sum
//! of theirs. In a field each number tells its noise once those before it are known. Its levels stay within
//! 31 of the middle: where both neighbours do, the next is at most ⌊0.92 · 31⌉ + 2 = 31 from it. The noise is
//! wide enough that two pictures of one b do not pass for copies of each other.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use crate::schema::words;
use crate::synth::draw::Draw;

words! {
    /// What pictures are like.
    pub enum Texture {
        /// A tile of 8 × 8 pixels, repeated, at one of 64 phases, with noise.
        Periodic = "periodic",
        /// A bright spot of one of several places, sizes, shapes and brightnesses, with noise.
        Galaxy = "galaxy",
        /// A random field, each of whose pixels is near those to its left and above.
        Field = "field",
    }
}

/// Levels of a number, of which no texture reaches the last.
pub const TEXTURE_LEVELS: u32 = 64;
/// Side of the tile of a periodic texture.
const TILE: usize = 8;
/// Levels of a plain picture, and the distance between them after noise is added.
const PLAIN: u8 = 4;
const SPREAD: u8 = 16;
/// Sides of the two dice whose sum is the noise, of plain pictures and of a field.
const DICE: u8 = 8;
const FIELD_DICE: u8 = 3;
/// The middle of a field, and how much of the distance of either neighbour from it a pixel keeps.
const MIDDLE: i32 = 32;
const KEPT: f64 = 0.46;
/// Places of a galaxy in either direction, over the middle half of the picture.
const PLACES: usize = 8;

/// What pictures are drawn from.
pub(super) enum Source {
    /// All plain pictures, each as likely as the others.
    Plain(Vec<Vec<u8>>),
    /// A field of so many pixels a side.
    Field(usize),
}

impl Source {
    /// The source of a texture of `side` × `side` pixels.
    pub(super) fn new(texture: Texture, side: usize) -> Self {
        match texture {
            Texture::Periodic => Self::Plain(phases(side)),
            Texture::Galaxy => Self::Plain(galaxies(side)),
            Texture::Field => Self::Field(side),
        }
    }

    /// The levels of a picture, row after row.
    pub(super) fn draw(&self, draw: &mut Draw) -> Vec<u8> {
        match self {
            Self::Plain(plain) => {
                let chosen = &plain[draw.below(plain.len() as u64) as usize];
                chosen.iter().map(|level| SPREAD * level + dice(DICE, draw)).collect()
            }
            Self::Field(side) => {
                let mut levels = vec![0_u8; side * side];
                for at in 0..levels.len() {
                    let noise = i32::from(dice(FIELD_DICE, draw)) - i32::from(FIELD_DICE - 1);
                    levels[at] = (expected(&levels, *side, at) + noise) as u8;
                }
                levels
            }
        }
    }

    /// Entropy of a picture in nats.
    pub(super) fn entropy(&self) -> f64 {
        match self {
            Self::Plain(plain) => {
                let numbers = plain.first().map_or(0, Vec::len) as f64;
                // Two of them may be the same on few pixels.
                let mut counts: BTreeMap<&[u8], f64> = BTreeMap::new();
                plain.iter().for_each(|picture| *counts.entry(picture).or_default() += 1.0);
                let shares = counts.values().map(|count| count / plain.len() as f64);
                shares.map(|share| -share * share.ln()).sum::<f64>() + numbers * entropy_of_dice(DICE)
            }
            Self::Field(side) => (side * side) as f64 * entropy_of_dice(FIELD_DICE),
        }
    }

    /// Log-probability of a picture in nats; −∞ for one that the source does not draw.
    #[cfg(test)]
    pub(super) fn log_prob(&self, levels: &[u8]) -> f64 {
        let of_dice = |sides: u8, sum: i32| {
            let (sides, sum) = (f64::from(sides), f64::from(sum));
            ((sides - (sum - (sides - 1.0)).abs()).max(0.0) / (sides * sides)).ln()
        };
        match self {
            Self::Plain(plain) => {
                let base: Vec<u8> = levels.iter().map(|level| level / SPREAD).collect();
                let times = plain.iter().filter(|picture| **picture == base).count();
                let noise = levels.iter().map(|level| of_dice(DICE, i32::from(level % SPREAD)));
                (times as f64 / plain.len() as f64).ln() + noise.sum::<f64>()
            }
            Self::Field(side) => {
                let noise = |at: usize| i32::from(levels[at]) - expected(levels, *side, at);
                (0..levels.len()).map(|at| of_dice(FIELD_DICE, noise(at) + i32::from(FIELD_DICE - 1))).sum()
            }
        }
    }
}

/// What a pixel of a field is before its noise; outside the picture lies the middle.
fn expected(levels: &[u8], side: usize, at: usize) -> i32 {
    let off = |at: usize| f64::from(i32::from(levels[at]) - MIDDLE);
    let left = if at.is_multiple_of(side) { 0.0 } else { off(at - 1) };
    let above = if at >= side { off(at - side) } else { 0.0 };
    MIDDLE + (KEPT * (left + above)).round() as i32
}

/// The sum of two dice with sides from 0.
fn dice(sides: u8, draw: &mut Draw) -> u8 {
    (draw.below(u64::from(sides)) + draw.below(u64::from(sides))) as u8
}

/// Entropy of the sum of two dice in nats: sums have 1, 2, …, sides, …, 2, 1 of sides² throws.
fn entropy_of_dice(sides: u8) -> f64 {
    let throws = f64::from(sides).powi(2);
    let of = |sum: i32| {
        let share = f64::from(i32::from(sides) - (sum - i32::from(sides) + 1).abs()) / throws;
        -share * share.ln()
    };
    (0..2 * i32::from(sides) - 1).map(of).sum()
}

/// The tile at all its phases. It is a wave of one period with a checkered corner, which makes it the same at
/// no two phases.
fn phases(side: usize) -> Vec<Vec<u8>> {
    let tile = |row: usize, column: usize| {
        let along = TAU * (row + 2 * column) as f64 / TILE as f64;
        let across = TAU * (3 * row) as f64 / TILE as f64 + 0.7;
        let wave = 1.5 + 0.9 * along.sin() + 0.6 * across.cos();
        let corner = if row < 3 && column < 3 && (row + column).is_multiple_of(2) { 1.0 } else { 0.0 };
        (wave + corner).round().clamp(0.0, f64::from(PLAIN - 1)) as u8
    };
    let phase = |at: usize| {
        let (down, right) = (at / TILE, at % TILE);
        let pixel = |i: usize| tile((i / side + down) % TILE, (i % side + right) % TILE);
        (0..side * side).map(pixel).collect()
    };
    (0..TILE * TILE).map(phase).collect()
}

/// Spots whose brightness falls off exponentially: round, wide or tall, small or large, bright or faint.
fn galaxies(side: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let place = |k: usize| side as f64 * (0.25 + 0.5 * (k as f64 + 0.5) / PLACES as f64);
    for at in 0..PLACES * PLACES {
        let (row, column) = (place(at / PLACES), place(at % PLACES));
        for radius in [0.08, 0.12, 0.18] {
            for (tall, wide) in [(1.0, 1.0), (0.6, 1.5), (1.5, 0.6)] {
                for brightness in [5.0, 9.0] {
                    let pixel = |i: usize| {
                        let down = ((i / side) as f64 + 0.5 - row) / tall;
                        let right = ((i % side) as f64 + 0.5 - column) / wide;
                        let distance = down.hypot(right) / (radius * side as f64);
                        (brightness * (-distance).exp()).round().min(f64::from(PLAIN - 1)) as u8
                    };
                    all.push((0..side * side).map(pixel).collect());
                }
            }
        }
    }
    all
}
