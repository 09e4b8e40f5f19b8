//! Arguments of `figure`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::pipeline::Drawing;

use super::shared::Output;

fn drawings() -> impl TypedValueParser<Value = Drawing> {
    PossibleValuesParser::new(Drawing::ALL.map(Drawing::name)).map(|name| {
        let found = Drawing::ALL.into_iter().find(|drawing| drawing.name() == name);
        found.expect("invariant: clap lets the names of figures through alone")
    })
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Figure {
    /// Which figure: missing, the missing values by feature of a bundle; marginals, its held-out records
    /// against samples of a model; p-values, those of a table of flags
    #[arg(value_name = "FIGURE", value_parser = drawings())]
    pub(in crate::cli) drawing: Drawing,

    /// Bundle; for p-values the table that `flag` wrote
    #[arg(value_name = "INPUT")]
    pub(in crate::cli) input: PathBuf,

    /// Model whose samples are drawn, or that the flags are of
    #[arg(short, long, value_name = "MODEL")]
    pub(in crate::cli) model: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Show counts of fewer than 11 records
    #[arg(long)]
    pub(in crate::cli) identifiable: bool,

    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}
