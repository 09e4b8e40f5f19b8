//! The settings of a flow of windows: patches, scales, and what is factored out.

use serde::{Deserialize, Serialize};

/// How a flow treats the coordinates of windows of signals. The coordinates are time-major: t·C + c.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// Number of channels C.
    pub channels: usize,
    /// Number of samples P in a patch. All patches share networks, scales and dense matrices.
    pub patch: usize,
    /// Number of patch sizes P, 2P, 4P, … that the blocks cycle through.
    pub scales: usize,
    /// Number of times that every other sample is factored out. Such a sample goes to the base, and the
    /// blocks that follow transform only the others.
    #[serde(skip_serializing_if = "crate::num::is_zero")]
    pub splits: usize,
    /// Number of patches on either side that the network of a coupling sees.
    pub reach: usize,
    /// Number of past samples that the causal linear layer sees; 0 leaves the layer out.
    pub order: usize,
    /// Whether all pairs in a block of a butterfly share one matrix, as in the paper.
    pub share_weights: bool,
    /// Whether butterflies mix only the coordinates within a patch, there and back, with the same matrices
    /// for all patches. Otherwise they mix the coordinates of the whole window.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub within_patches: bool,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            channels: 1,
            patch: 16,
            scales: 1,
            splits: 0,
            reach: 1,
            order: 0,
            share_weights: true,
            within_patches: false,
        }
    }
}

impl Windows {
    /// Number of samples in a patch of block `block`.
    pub(crate) fn patch_of(&self, block: usize) -> usize {
        self.patch << (block / 2 % self.scales.max(1))
    }

    /// Problems of these settings for windows of `n_features` coordinates, which follow `n_given` coordinates
    /// that they are conditioned on.
    pub(in crate::flow) fn problems(&self, n_features: usize, n_given: usize) -> Vec<String> {
        let mut problems = Vec::new();
        if self.channels == 0 || !n_features.is_multiple_of(self.channels.max(1)) {
            problems.push(format!("`channels` must divide {n_features} coordinates, got {}", self.channels));
            return problems;
        }
        let length = n_features / self.channels;
        if self.scales == 0 || self.scales > 8 {
            problems.push(format!("`scales` must lie between 1 and 8, got {}", self.scales));
        } else if self.patch == 0 || !length.is_multiple_of(self.patch << (self.scales - 1)) {
            problems.push(format!(
                "`patch` · 2^(`scales` − 1) must divide the {length} samples of a window, got {} · {}",
                self.patch,
                1 << (self.scales - 1)
            ));
        }
        if self.splits > 6 {
            problems.push(format!("`splits` must lie between 0 and 6, got {}", self.splits));
        } else if self.splits > 0
            && problems.is_empty()
            && !length.is_multiple_of((self.patch << (self.scales - 1)) << self.splits)
        {
            problems.push(format!(
                "`patch` · 2^(`scales` − 1 + `splits`) must divide the {length} samples of a window, \
                 got {} · {}",
                self.patch,
                1 << (self.scales - 1 + self.splits)
            ));
        }
        if self.reach > 16 {
            problems.push(format!("`reach` must lie between 0 and 16, got {}", self.reach));
        }
        let seen = length + n_given / self.channels;
        if self.order >= seen.max(1) {
            problems.push(format!(
                "`order` must be less than the {seen} samples of a window, got {}",
                self.order
            ));
        }
        problems
    }
}
