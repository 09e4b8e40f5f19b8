//! Where a picture is unlikely under a density that judges pictures as a whole: patch by patch.
//!
//! ```text
//! gain(patch) = log p(picture with the patch replaced) − log p(picture)
//! missing     = gain − median of the gains of all patches of the picture
//! ```
//!
//! The patch is replaced by the mean of the pixels around it, channel by channel. A plain patch is likelier
//! than a textured one under most models, so that most patches gain something: what counts is how much more
//! a patch gains than the others of the same picture. The noise of the levels is the same in all versions of
//! a picture, so that it cancels where nothing was replaced.

use ndarray::{Array2, ArrayView2};

use crate::num::quantile::quantile_sorted;

#[cfg(test)]
mod tests;

/// Smallest side of a picture whose patches have the larger side.
const LARGE: usize = 16;
/// Sides of the patches of small and of larger pictures, in pixels.
const SIDES: (usize, usize) = (2, 4);

/// Rows, pixels of a row, channels.
pub(super) type Size = [usize; 3];

/// The nats that every number of a picture is short of, each with the share of its patch. `log_prob` gives the
/// log-probabilities of pictures, one in each row.
pub(super) fn missing(
    levels: &[f64],
    size: Size,
    log_prob: impl Fn(ArrayView2<'_, f64>) -> Vec<f64>,
) -> Vec<f32> {
    let patches = patches(size);
    let mut versions = Array2::zeros((patches.len() + 1, levels.len()));
    for (mut version, patch) in
        versions.rows_mut().into_iter().zip([None].into_iter().chain(patches.iter().map(Some)))
    {
        version.iter_mut().zip(levels).for_each(|(to, level)| *to = *level);
        if let Some(patch) = patch {
            for channel in 0..size[2] {
                let Some(mean) = mean_around(levels, size, patch, channel) else { continue };
                patch.numbers(size, channel).for_each(|at| version[at] = mean.round());
            }
        }
    }
    let all = log_prob(versions.view());
    let gains: Vec<f64> = all[1..].iter().map(|gained| gained - all[0]).collect();
    let mut sorted = gains.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = quantile_sorted(&sorted, 0.5);
    let mut missing = vec![0.0; levels.len()];
    for (patch, gain) in patches.iter().zip(&gains) {
        let each = (gain - usual) / (patch.n_pixels() * size[2]) as f64;
        for channel in 0..size[2] {
            patch.numbers(size, channel).for_each(|at| missing[at] = each as f32);
        }
    }
    missing
}

/// The rows `top..bottom` and the pixels `left..right`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Patch {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Patch {
    fn n_pixels(&self) -> usize {
        (self.bottom - self.top) * (self.right - self.left)
    }

    fn contains(&self, row: usize, column: usize) -> bool {
        (self.top..self.bottom).contains(&row) && (self.left..self.right).contains(&column)
    }

    /// Where the numbers of a channel lie.
    fn numbers(&self, [_, width, channels]: Size, channel: usize) -> impl Iterator<Item = usize> + use<> {
        let Self { top, bottom, left, right } = *self;
        (top..bottom).flat_map(move |row| (left..right).map(move |c| (row * width + c) * channels + channel))
    }
}

/// The patches that cover a picture; those at the lower and the right border may be smaller.
fn patches([height, width, _]: Size) -> Vec<Patch> {
    let side = if height.min(width) < LARGE { SIDES.0 } else { SIDES.1 };
    let mut all = Vec::new();
    for top in (0..height).step_by(side) {
        for left in (0..width).step_by(side) {
            all.push(Patch { top, bottom: (top + side).min(height), left, right: (left + side).min(width) });
        }
    }
    all
}

/// The mean level of the pixels right around a patch; none where the patch is the whole picture.
fn mean_around(
    levels: &[f64],
    [height, width, channels]: Size,
    patch: &Patch,
    channel: usize,
) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_usize);
    for row in patch.top.saturating_sub(1)..(patch.bottom + 1).min(height) {
        for column in patch.left.saturating_sub(1)..(patch.right + 1).min(width) {
            if !patch.contains(row, column) {
                sum += levels[(row * width + column) * channels + channel];
                n += 1;
            }
        }
    }
    (n > 0).then(|| sum / n as f64)
}
