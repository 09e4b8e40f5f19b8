//! Arguments of `flag`.

use std::path::PathBuf;

use clap::Args;

use super::Records;
use super::{Output, share};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flag {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) records: Records,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Flag so that the expected share of false flags stays below this (Benjamini–Hochberg)
    #[arg(long, value_name = "LEVEL", value_parser = share, conflicts_with = "alpha")]
    pub(in crate::cli) fdr: Option<f64>,

    /// Flag every record with p-value at or below this [default, without --fdr: 0.01]
    #[arg(long, value_name = "LEVEL", value_parser = share)]
    pub(in crate::cli) alpha: Option<f64>,

    /// Features named per flagged record
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=20))]
    pub(in crate::cli) explain: u8,

    /// Seed of the noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}
