//! What the network sees of a number: its neighbours, means of areas further off, and where it is.
//!
//! ```text
//! neighbours   numbers of the rows above within the reach, and of the pixels to the left, all channels
//! own pixel    the channels before the own one
//! flags        whether each of six neighbours is the first or the last level
//! areas        means of blocks above the neighbours and beside them, and of all rows above
//! guess        LOCO-I's from left, above and above left, moved by what it was wrong by in the channel before
//! position     hat functions over rows and over columns
//! ```
//!
//! Numbers go in as y = 2x/(L−1) − 1. What lies outside the picture has the mean number of the training
//! pictures.

use serde::{Deserialize, Serialize};

/// The size of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canvas {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Levels of a number.
    pub levels: u32,
}

impl Canvas {
    /// Pixels of a picture.
    pub fn n_pixels(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of a picture.
    pub fn n_numbers(&self) -> usize {
        self.n_pixels() * self.channels
    }

    /// A level as the network reads it.
    pub(super) fn scaled(&self, level: u8) -> f32 {
        2.0 * f32::from(level) / (self.levels - 1) as f32 - 1.0
    }
}

/// How far the network sees, and what it takes for what lies outside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Rows above, and pixels on either side, that are seen one by one.
    pub reach: usize,
    /// What lies outside the picture, from −1 to 1.
    pub outside: f32,
}

/// Neighbours whose first and last levels are told apart: rows up and pixels to the right.
const FLAGGED: [(usize, isize); 6] = [(0, -1), (1, 0), (1, -1), (1, 1), (0, -2), (2, 0)];
/// Hat functions over the rows, and over the columns.
const HATS: usize = 8;
/// Side of the blocks right beyond the neighbours, and of those further off.
const NEAR: isize = 4;
const FAR: isize = 8;

/// An area relative to a pixel: the rows `top..bottom` and the pixels `left..right`.
#[derive(Debug, Clone, Copy)]
struct Area {
    top: isize,
    bottom: isize,
    left: isize,
    right: isize,
}

/// Stands for the border of the picture.
const BORDER: isize = 1 << 20;

impl Sight {
    /// Neighbours of the own row and of those above, in pixels.
    fn neighbours(&self) -> Vec<(usize, isize)> {
        let r = self.reach as isize;
        let above = (1..=self.reach).rev().flat_map(move |up| (-r..=r).map(move |right| (up, right)));
        above.chain((-r..0).map(|right| (0, right))).collect()
    }

    /// Areas whose means are seen. None reaches into the own row.
    fn areas(&self) -> Vec<Area> {
        let r = self.reach as isize;
        let near = (-3..=3).map(|k| {
            let left = NEAR * k - NEAR / 2;
            Area { top: -r - NEAR, bottom: -r, left, right: left + NEAR }
        });
        let far = (-2..=2).map(|k| {
            let left = FAR * k - FAR / 2;
            Area { top: -BORDER, bottom: -r - NEAR, left, right: left + FAR }
        });
        let beside = |left, right| Area { top: -r, bottom: 0, left, right };
        let sides = [
            beside(-r - NEAR, -r),
            beside(-r - NEAR - FAR, -r - NEAR),
            beside(r + 1, r + 1 + NEAR),
            beside(r + 1 + NEAR, r + 1 + NEAR + FAR),
            Area { top: -BORDER, bottom: 0, left: -BORDER, right: BORDER },
        ];
        near.chain(far).chain(sides).collect()
    }

    /// Numbers that go into the network.
    pub(super) fn n_inputs(&self, canvas: &Canvas) -> usize {
        let c = canvas.channels;
        self.neighbours().len() * c + (c - 1) + 2 * FLAGGED.len() + self.areas().len() + 1 + 2 * HATS
    }
}

/// A picture prepared for looking at: with a margin of what lies outside, and with sums over areas.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    sight: Sight,
    canvas: Canvas,
    /// `(height + margin, width + 2 margin, channels)`.
    padded: Vec<f32>,
    margin: usize,
    /// Sums over the rows above and the pixels to the left, `(height + 1, width + 1)`.
    sums: Vec<f64>,
    neighbours: Vec<(usize, isize)>,
    areas: Vec<Area>,
}

impl Seen {
    /// A picture of which nothing is known yet.
    pub(super) fn blank(sight: Sight, canvas: Canvas) -> Self {
        // The flags and the guess look two pixels far, whatever the reach.
        let margin = sight.reach.max(2);
        let Canvas { height, width, channels, .. } = canvas;
        Self {
            padded: vec![sight.outside; (height + margin) * (width + 2 * margin) * channels],
            sums: vec![0.0; (height + 1) * (width + 1)],
            neighbours: sight.neighbours(),
            areas: sight.areas(),
            sight,
            canvas,
            margin,
        }
    }

    /// Looks at a whole picture.
    pub(super) fn look(&mut self, picture: &[u8]) {
        let stride = self.canvas.width * self.canvas.channels;
        for (row, levels) in picture.chunks_exact(stride).enumerate() {
            let at = self.at(row, 0, 0);
            for (to, level) in self.padded[at..at + stride].iter_mut().zip(levels) {
                *to = self.canvas.scaled(*level);
            }
            self.end_row(row);
        }
    }

    /// Where a number lies among the padded ones.
    fn at(&self, row: usize, column: usize, channel: usize) -> usize {
        let c = self.canvas.channels;
        ((row + self.margin) * (self.canvas.width + 2 * self.margin) + column + self.margin) * c + channel
    }

    /// Puts a number into its place.
    pub(super) fn set(&mut self, pixel: usize, channel: usize, level: u8) {
        let at = self.at(pixel / self.canvas.width, pixel % self.canvas.width, channel);
        self.padded[at] = self.canvas.scaled(level);
    }

    /// Sums up a row all of whose numbers are known.
    pub(super) fn end_row(&mut self, row: usize) {
        let (width, c) = (self.canvas.width, self.canvas.channels);
        let mut sum = 0.0;
        for column in 0..width {
            let at = self.at(row, column, 0);
            sum += self.padded[at..at + c].iter().map(|y| f64::from(*y)).sum::<f64>() / c as f64;
            let (here, above) = ((row + 1) * (width + 1) + column + 1, row * (width + 1) + column + 1);
            self.sums[here] = self.sums[above] + sum;
        }
    }

    /// Writes what is seen of some pixels into the columns from `first` on of a matrix of `n` columns, and
    /// the guesses at the numbers of the channel into `guess`.
    pub(super) fn inputs(
        &self,
        pixels: &[u32],
        channel: usize,
        (x, first, n): (&mut [f32], usize, usize),
        guess: &mut [f32],
    ) {
        let Canvas { width, channels: c, .. } = self.canvas;
        let stride = (width + 2 * self.margin) * c;
        let own: Vec<usize> =
            pixels.iter().map(|&p| self.at(p as usize / width, p as usize % width, 0)).collect();
        let mut rows = x.chunks_exact_mut(n).map(|row| &mut row[first..first + pixels.len()]);
        let mut next = || rows.next().expect("invariant: as many rows as inputs");
        let offset = |&(up, right): &(usize, isize)| right * c as isize - (up * stride) as isize;
        for neighbour in &self.neighbours {
            for k in 0..c {
                let by = offset(neighbour) + k as isize;
                for (to, own) in next().iter_mut().zip(&own) {
                    *to = self.padded[own.wrapping_add_signed(by)];
                }
            }
        }
        for k in 0..c - 1 {
            for (to, own) in next().iter_mut().zip(&own) {
                *to = if k < channel { self.padded[own + k] } else { 0.0 };
            }
        }
        for neighbour in &FLAGGED {
            let by = offset(neighbour) + channel as isize;
            for end in [-1.0, 1.0] {
                for (to, own) in next().iter_mut().zip(&own) {
                    *to = f32::from(u8::from(self.padded[own.wrapping_add_signed(by)] == end));
                }
            }
        }
        for area in &self.areas {
            for (to, pixel) in next().iter_mut().zip(pixels) {
                *to = self.mean(*area, *pixel as usize);
            }
        }
        for (guess, own) in guess.iter_mut().zip(&own) {
            *guess = self.guess(*own, stride, channel);
        }
        next().copy_from_slice(guess);
        let hat = |at: usize, length: usize, k: usize| {
            let place = at as f32 * (HATS - 1) as f32 / (length.max(2) - 1) as f32;
            (1.0 - (place - k as f32).abs()).max(0.0)
        };
        for k in 0..HATS {
            for (to, pixel) in next().iter_mut().zip(pixels) {
                *to = hat(*pixel as usize / width, self.canvas.height, k);
            }
        }
        for k in 0..HATS {
            for (to, pixel) in next().iter_mut().zip(pixels) {
                *to = hat(*pixel as usize % width, width, k);
            }
        }
    }

    /// The mean of the part of an area that lies in the picture.
    fn mean(&self, area: Area, pixel: usize) -> f32 {
        let (height, width) = (self.canvas.height as isize, self.canvas.width as isize);
        let (row, column) = (pixel as isize / width, pixel as isize % width);
        let (top, bottom) = ((row + area.top).max(0), (row + area.bottom).clamp(0, height));
        let (left, right) = ((column + area.left).max(0), (column + area.right).clamp(0, width));
        if top >= bottom || left >= right {
            return self.sight.outside;
        }
        let sum = |row: isize, column: isize| self.sums[(row * (width + 1) + column) as usize];
        let total = sum(bottom, right) - sum(top, right) - sum(bottom, left) + sum(top, left);
        (total / ((bottom - top) * (right - left)) as f64) as f32
    }

    /// The guess at a number of the pixel that begins at `own`.
    fn guess(&self, own: usize, stride: usize, channel: usize) -> f32 {
        let c = self.canvas.channels;
        let of = |k: usize| {
            let left = self.padded[own - c + k];
            let above = self.padded[own - stride + k];
            let corner = self.padded[own - stride - c + k];
            let (low, high) = (left.min(above), left.max(above));
            if corner >= high {
                low
            } else if corner <= low {
                high
            } else {
                left + above - corner
            }
        };
        match channel {
            0 => of(0),
            k => (of(k) + self.padded[own + k - 1] - of(k - 1)).clamp(-1.0, 1.0),
        }
    }
}
