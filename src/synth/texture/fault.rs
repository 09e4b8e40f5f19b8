//! Faults of a detector, planted into pictures.

use super::kind::TEXTURE_LEVELS;
use crate::synth::draw::Draw;

/// What is wrong with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A block of pixels sees nothing.
    DeadBlock,
    /// A row repeats its first pixel.
    StuckRow,
    /// A few pixels are at the last level.
    HotPixels,
    /// The rows below a line are moved sideways.
    Displaced,
}

impl Fault {
    /// All of them, in the order of their labels, which count from 1.
    pub(super) const ALL: [Self; 4] = [Self::DeadBlock, Self::StuckRow, Self::HotPixels, Self::Displaced];

    /// As `anomalies.csv` has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DeadBlock => "dead-block",
            Self::StuckRow => "stuck-row",
            Self::HotPixels => "hot-pixels",
            Self::Displaced => "displaced",
        }
    }

    /// Spoils a picture of `side` × `side` levels, and returns where: top, left, height and width.
    pub(super) fn plant(self, levels: &mut [u8], side: usize, draw: &mut Draw) -> [usize; 4] {
        let below = |n: usize, draw: &mut Draw| draw.below(n as u64) as usize;
        match self {
            Self::DeadBlock => {
                let size = side / 4;
                let (top, left) = (below(side - size + 1, draw), below(side - size + 1, draw));
                for row in top..top + size {
                    levels[row * side + left..row * side + left + size].fill(0);
                }
                [top, left, size, size]
            }
            Self::StuckRow => {
                let row = 1 + below(side - 1, draw);
                let first = levels[row * side];
                levels[row * side..(row + 1) * side].fill(first);
                [row, 0, 1, side]
            }
            Self::HotPixels => {
                // All of them lie in one block, whose corner is always hot.
                let size = (side / 4).max(3);
                let (top, left) = (below(side - size + 1, draw), below(side - size + 1, draw));
                for _ in 0..side / 4 {
                    let at = (top + below(size, draw)) * side + left + below(size, draw);
                    levels[at] = (TEXTURE_LEVELS - 1) as u8;
                }
                levels[top * side + left] = (TEXTURE_LEVELS - 1) as u8;
                [top, left, size, size]
            }
            Self::Displaced => {
                let top = side / 4 + below(side / 2, draw);
                let by = 2 + below(side / 2, draw);
                for row in levels.chunks_exact_mut(side).skip(top) {
                    row.rotate_right(by);
                }
                [top, 0, side - top, side]
            }
        }
    }
}
