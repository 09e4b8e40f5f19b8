//! Records → vectors: what is fitted on the training split, one draw of the auxiliary noise, and the way
//! back.
//!
//! Every model sees one real vector v per record ([`Encoder::encode`]), so likelihoods of all models are
//! comparable. The record's log-likelihood in original units is bounded by
//!
//! ```text
//! log p(x_obs, m) ≥ E[ log p_model(v) + Σ_observed log|∂v/∂x| − Σ_missing log N(ε; 0,1) ]
//! ```
//!
//! with the two sums in [`Encoded::log_det`] and [`Encoded::log_noise`]. Indicators of missing values count
//! as observed. For values recorded at a resolution δ the bound is that of the density smoothed over δ, in
//! units of the column; of a discrete column it is a probability.
//!
//! # References
//! Theis et al. (2016), arXiv:1511.01844; Ho et al. (2019), arXiv:1902.00275.

mod absent;
mod bundle;
mod column_meta;
mod encode;
mod encoder;
mod error;
mod fit;
mod folds;
mod key;
mod label_meta;
mod labels;
mod levels;
mod manifest;
mod noise;
mod normal_score;
mod numbers;
mod onnx;
mod pixels;
mod prepared;
mod rare;
mod sample;
mod shape;
mod split;
mod stream;
mod support;
mod tensors;
mod transform;
mod warning;

#[cfg(test)]
mod tests;

pub use absent::Absence;
pub use bundle::Bundle;
pub use column_meta::ColumnMeta;
pub use encode::{Cell, Draws, DrawsBy, Encoded};
pub use encoder::{Encoder, FittedColumn, Indicator, MISSING_LEVEL, QUANTILE_LEVELS, level_code};
pub use error::FeatureError;
pub use folds::Fold;
pub use key::RecordKey;
pub use label_meta::LabelMeta;
pub use labels::LabelTable;
pub use levels::{Apart, Levels, Rare};
pub use manifest::{FORMAT_VERSION, Manifest, SplitCounts};
pub use noise::{Atom, Noise};
pub use normal_score::NormalScore;
pub use numbers::CodedTable;
pub use onnx::{GraphCoordinates, RawRecords};
pub use pixels::PixelScale;
pub use prepared::Prepared;
pub use rare::RARE_LEVEL;
pub use shape::Shape;
pub use split::{assign_split, assign_splits, assign_subjects};
pub use stream::{StoredBlock, StoredRecords};
pub use support::{Bound, Support};
pub use transform::Transform;
pub use warning::FeatureWarning;

/// Adds counts of columns to those there are.
pub fn add_counts(all: &mut Vec<(String, usize)>, more: Vec<(String, usize)>) {
    for (column, count) in more {
        match all.iter_mut().find(|(name, _)| *name == column) {
            Some((_, sum)) => *sum += count,
            None => all.push((column, count)),
        }
    }
}
