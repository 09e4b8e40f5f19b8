//! The settings of a flow of pictures: their size, the number of scales, and what butterflies mix.

use serde::{Deserialize, Serialize};

/// The size of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureSize {
    /// Number of rows.
    pub height: usize,
    /// Number of pixels in a row.
    pub width: usize,
    /// Number of numbers of a pixel.
    pub channels: usize,
}

impl PictureSize {
    /// Number of pixels.
    pub(crate) fn n_pixels(self) -> usize {
        self.height * self.width
    }

    /// Number of numbers.
    pub(crate) fn n_numbers(self) -> usize {
        self.n_pixels() * self.channels
    }

    /// The size after squares of pixels have become pixels. An axis of odd length keeps its length.
    pub(super) fn squeezed(self) -> Self {
        let factor = |length: usize| if length.is_multiple_of(2) { 2 } else { 1 };
        let (down, across) = (factor(self.height), factor(self.width));
        Self {
            height: self.height / down,
            width: self.width / across,
            channels: self.channels * down * across,
        }
    }
}

/// A layer that mixes all numbers of a picture before the first scale. It can learn an order of the pixels
/// that the convolutions make better use of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Front {
    /// No such layer.
    #[default]
    None,
    /// A Beneš butterfly, which can be any permutation.
    Butterfly,
    /// A dense matrix in PLU form.
    Dense,
}

impl Front {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// How a flow treats the coordinates of pictures, which are row after row, pixel after pixel and channel
/// after channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// The size of the pictures.
    pub size: PictureSize,
    /// Number of scales. Each begins with squeezing, and all but the last end with half of the channels being
    /// factored out.
    pub scales: usize,
    /// Whether butterflies mix the rows and the columns of a picture as well as its channels.
    pub across_space: bool,
    /// The layer before the first scale.
    #[serde(default, skip_serializing_if = "Front::is_none")]
    pub front: Front,
}

/// Largest number of scales that is chosen by default, which is that of the paper for 32 × 32 pixels.
const SCALES: usize = 3;

impl Pictures {
    /// The settings for pictures of a size.
    pub fn new(size: PictureSize) -> Self {
        Self { size, scales: most_scales(size).min(SCALES), across_space: true, front: Front::None }
    }

    /// Whether the pixels of these pictures have channels to be coupled, or get some by squeezing. Without,
    /// no number would be transformed given another.
    pub fn couples(&self) -> bool {
        self.size.n_numbers() == 1 || self.size.squeezed().channels > 1
    }

    /// The size of the part that each scale works on, after its squeezing.
    pub(crate) fn sizes(&self) -> Vec<PictureSize> {
        let mut size = self.size;
        (0..self.scales)
            .map(|scale| {
                if scale > 0 {
                    size.channels -= size.channels / 2;
                }
                size = size.squeezed();
                size
            })
            .collect()
    }

    /// The scale that a block belongs to. The blocks are distributed evenly.
    pub(crate) fn scale_of(&self, block: usize, n_blocks: usize) -> usize {
        block * self.scales / n_blocks
    }

    /// Problems of these settings for records of `n_features` coordinates.
    pub(in crate::flow) fn problems(&self, n_features: usize) -> Vec<String> {
        let PictureSize { height, width, channels } = self.size;
        let numbers = height.checked_mul(width).and_then(|n| n.checked_mul(channels));
        if numbers != Some(n_features) || n_features == 0 {
            return vec![format!(
                "{n_features} coordinates are no pictures of {height} × {width} pixels of {channels}"
            )];
        }
        let most = most_scales(self.size);
        let mut problems = Vec::new();
        if self.scales == 0 || self.scales > most {
            problems.push(format!(
                "`scales` must lie between 1 and {most} for {height} × {width} pixels, got {}",
                self.scales
            ));
        }
        if !self.couples() {
            problems.push(format!(
                "pictures of {height} × {width} pixels of one channel cannot be divided into squares"
            ));
        }
        problems
    }
}

/// Number of times that pictures of this size can be squeezed, and 1 for pictures that cannot.
fn most_scales(size: PictureSize) -> usize {
    let halvings = |length: usize| if length == 0 { 0 } else { length.trailing_zeros() as usize };
    halvings(size.height).max(halvings(size.width)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(height: usize, width: usize, channels: usize) -> Vec<[usize; 3]> {
        let all = Pictures::new(PictureSize { height, width, channels }).sizes();
        all.iter().map(|s| [s.height, s.width, s.channels]).collect()
    }

    #[test]
    fn every_scale_has_half_of_the_numbers_of_the_one_before() {
        assert_eq!(sizes(32, 32, 3), [[16, 16, 12], [8, 8, 24], [4, 4, 48]]);
        assert_eq!(sizes(28, 28, 1), [[14, 14, 4], [7, 7, 8]]);
        assert_eq!(sizes(6, 5, 1), [[3, 5, 2]]);
        assert_eq!(sizes(4, 3, 1), [[2, 3, 2], [1, 3, 2]]);
        assert_eq!(sizes(1, 1, 3), [[1, 1, 3]]);
        // Half of three channels of which one is factored out is two.
        assert_eq!(sizes(1, 4, 3), [[1, 2, 6], [1, 1, 6]]);
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let of = |height, width, channels| Pictures::new(PictureSize { height, width, channels });
        assert!(of(27, 27, 1).problems(729)[0].contains("cannot be divided"));
        assert!(of(27, 27, 3).problems(2187).is_empty());
        assert!(of(1, 1, 1).problems(1).is_empty());
        assert!(of(28, 28, 1).problems(783)[0].contains("783 coordinates"));
        let many = Pictures { scales: 3, ..of(28, 28, 1) };
        assert!(many.problems(784)[0].contains("between 1 and 2"));
    }
}
