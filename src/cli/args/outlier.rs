//! Arguments of `flag` and `evaluate`.

use std::path::PathBuf;

use clap::Args;

use crate::evaluate::ScoreKind;
use crate::features::DrawsBy;

use super::model::Records;
use super::shared::{Output, draws_by, scores, share};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flag {
    /// Model folder written by `fit`
    #[arg(value_name = "MODEL", required_unless_present = "merge")]
    pub(in crate::cli) model: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) records: Records,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Flag so that the expected share of false flags stays below this level (Benjamini–Hochberg)
    #[arg(long, value_name = "LEVEL", value_parser = share, conflicts_with = "alpha")]
    pub(in crate::cli) fdr: Option<f64>,

    /// Flag every record whose p-value is at or below this level [default without --fdr: 0.01]
    #[arg(long, value_name = "LEVEL", value_parser = share)]
    pub(in crate::cli) alpha: Option<f64>,

    /// Score that ranks the records: combined; log-likelihood, in original units; vector, the likelihood
    /// whatever the units; marginal, from all single values; dependence, from how the values go together;
    /// distance, from the training records near it; mixture, of the standardised numbers; extreme, the most
    /// extreme value; of pictures, log-likelihood; corrected, the likelihood less the complexity; or
    /// typicality, how far the likelihood lies from that of most
    #[arg(long, value_name = "SCORE", default_value_t = ScoreKind::Combined, value_parser = scores())]
    pub(in crate::cli) score: ScoreKind,

    /// Number of features named for each flagged record
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=20))]
    pub(in crate::cli) explain: u8,

    /// Explain the N most unusual records as well, whether or not they are flagged
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(in crate::cli) also_explain: u8,

    /// Write only the N most unusual records, beginning with the most unusual; all figures still refer to the
    /// full set of records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) top: Option<u64>,

    /// Of pictures, also write to this folder where each flagged picture is unlikely: one PNG each, the picture
    /// beside its map, and maps.npz with the numbers; pixel by pixel under the causal flow, patch by patch
    /// under the other models
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) maps: Option<PathBuf>,

    /// Also write all numbers and explanations to this file: .json (one document) or .jsonl (one record per
    /// line)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,

    /// Put the flags of parts of a table together, files that --json wrote as .jsonl, in the order of the
    /// records: p-values stay, and q-values and flags are taken anew over all of them. Flag the parts with
    /// --alpha at the level of the whole, so that whatever may be flagged is explained
    #[arg(long, value_name = "PART", num_args = 1.., group = "records", conflicts_with_all = [
        "model", "score", "also_explain", "top", "json", "reference", "seed",
    ])]
    pub(in crate::cli) merge: Vec<PathBuf>,

    /// Bundle that the model was fitted on. With it, records of a bundle that lacks features of the model,
    /// such as one of another database, are judged by the features that both have, against the records of
    /// this bundle that the model was not fitted on
    #[arg(long, value_name = "BUNDLE")]
    pub(in crate::cli) reference: Option<PathBuf>,

    /// What the noise draws behind a score hang on: the record, or nothing, so that they are fixed; fixed
    /// draws are those of a graph of `export --format onnx`, and --reference names the bundle that calibrates
    /// them
    #[arg(long, value_name = "WHAT", default_value = "record", value_parser = draws_by())]
    pub(in crate::cli) draws_by: DrawsBy,

    /// Number of fixed draws per record [default: that of the model]
    #[arg(long, value_name = "N", requires = "draws_by",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) draws: Option<u32>,

    /// Seed of the noise draws behind explanations; scores have the model's
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Evaluate {
    /// Table of flags written by `flag` (CSV or Parquet); with --label also one of scores
    #[arg(value_name = "FLAGS")]
    pub(in crate::cli) flags: PathBuf,

    /// Hold the flags against this outcome in place of known anomalies: a label of the bundle that --labels
    /// names, or a column of its table
    #[arg(long, value_name = "NAME", requires = "labels")]
    pub(in crate::cli) label: Option<String>,

    /// The outcome is a number above this one, such as a length of stay
    #[arg(long, value_name = "NUMBER", requires = "label", allow_negative_numbers = true)]
    pub(in crate::cli) above: Option<f64>,

    /// Bundle with labels, for --label; or a table with record_id and kind, one row per known anomaly; or
    /// with record_id and label, which is 1 for anomalies and 0 for ordinary records, where those without a
    /// label are left out
    #[arg(long, value_name = "FILE", required_unless_present = "marks")]
    pub(in crate::cli) labels: Option<PathBuf>,

    /// Marks of the flags in place of labels, as the page of `report --review` writes them: how many of the
    /// most unusual flags are errors, and of which pattern
    #[arg(long, value_name = "FILE", conflicts_with_all = ["labels", "label"])]
    pub(in crate::cli) marks: Option<PathBuf>,

    /// Print the result as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
