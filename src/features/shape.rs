//! The shape of a record. Whatever depends on it matches on [`Shape`], so that another shape cannot be
//! forgotten.

use serde::{Deserialize, Serialize};

use crate::schema::{Pipeline, PipelineKind};

/// What the features of a record are to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shape {
    /// Columns of a table, each of which means something by itself.
    Table,
    /// Windows of signals: sample after sample, and within a sample channel after channel.
    Windows {
        /// Names of the channels.
        channels: Vec<String>,
        /// Samples of each channel that the density is of.
        samples: usize,
        /// Samples of each channel before those, which the density is conditioned on.
        past: usize,
    },
    /// Pictures: row after row, pixel after pixel, and within a pixel channel after channel.
    Grid {
        /// Rows.
        height: usize,
        /// Pixels of a row.
        width: usize,
        /// Numbers of a pixel.
        channels: usize,
        /// Levels of a number, from 0.
        levels: u32,
    },
}

impl Shape {
    /// The shape of the records that a pipeline makes.
    pub fn of(pipeline: &Pipeline) -> Self {
        match pipeline.kind() {
            PipelineKind::Cohort | PipelineKind::Table(_) => Self::Table,
            PipelineKind::Windows(w) => {
                Self::Windows { channels: w.channels.clone(), samples: w.window, past: w.past }
            }
            PipelineKind::Grid(g) => {
                Self::Grid { height: g.height, width: g.width, channels: g.channels, levels: g.levels }
            }
        }
    }

    /// Whether a feature means something by itself, so that it is worth a summary, a test or an explanation
    /// of its own. One of the thousands of samples of a curve is not.
    pub fn has_separate_features(&self) -> bool {
        match self {
            Self::Table => true,
            Self::Windows { .. } | Self::Grid { .. } => false,
        }
    }

    /// Whether records are pictures.
    pub fn is_pictures(&self) -> bool {
        match self {
            Self::Table | Self::Windows { .. } => false,
            Self::Grid { .. } => true,
        }
    }

    /// Whether all coordinates are learnt together, by what is shared between them, so that their number says
    /// nothing of how many records are enough.
    pub(super) fn shares_what_is_learnt(&self) -> bool {
        match self {
            Self::Table | Self::Windows { .. } => false,
            Self::Grid { .. } => true,
        }
    }
}
