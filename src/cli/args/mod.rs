//! The arguments of every command as clap parses them. Parsing has no side effects.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod check;
mod data;
mod figure;
mod model;
mod outlier;
mod plan;
mod report;
mod serve;
mod shared;

pub(in crate::cli) use self::check::Check;
pub(in crate::cli) use self::data::{Export, Ingest, OnBadRow, Schema, Synth};
pub(in crate::cli) use self::figure::Figure;
pub(in crate::cli) use self::model::{Calibration, Fit, Inspect, Records, Sample, Score};
pub(in crate::cli) use self::outlier::{Evaluate, Flag};
pub(in crate::cli) use self::plan::{Plan, Spark};
pub(in crate::cli) use self::report::{Compare, Report, ReportFormat};
pub(in crate::cli) use self::serve::{Completions, Man, Serve};

const EXAMPLES: &str = "\
Examples:
  cohort-flow demo --output out/demo
  cohort-flow ingest mimic3-first-24h --input mimic-iii/ --output out/cohort
  cohort-flow fit out/cohort --output out/flow
  cohort-flow fit out/cohort --output out/gmm --model gmm
  cohort-flow report out/cohort --model out/flow --model out/gmm --output out/report.html
  cohort-flow flag out/flow out/cohort --output out/flags.csv

Exit status: 0 done, 1 findings (`schema check` found problems), 2 error, 130 interrupted.
stdout carries data only; everything else goes to stderr.";

/// Density estimation on medical tables: from cohorts to calibrated likelihoods, outliers and a report
#[derive(Debug, Parser)]
#[command(
    name = "cohort-flow",
    version,
    after_help = EXAMPLES,
    max_term_width = 110,
    propagate_version = true
)]
pub(in crate::cli) struct Cli {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,

    #[command(flatten)]
    pub(in crate::cli) global: Global,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Global {
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,

    /// Print more: -v for details, -vv for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(in crate::cli) verbose: u8,

    /// Number of threads for the numerical work; any number gives the same bytes [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(in crate::cli) threads: Option<u16>,

    /// Refuse or leave out links in a folder that lead out of it, so that a folder of somebody else cannot choose
    /// which other files are read. Without this they are followed, and named
    #[arg(long, global = true)]
    pub(in crate::cli) no_follow_links: bool,

    /// How notes, warnings, progress and errors are written to stderr: as text, or as one JSON object per
    /// line for another program
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t = Messages::Text)]
    pub(in crate::cli) messages: Messages,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Messages {
    /// Sentences for people
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Check data of your own in one go: recognise, ingest, fit, flag and report, and say in ten lines what
    /// to look at
    #[command(after_help = "\
Examples:
  cohort-flow check table.csv
  cohort-flow check mimic-iv/ --output out/mimic-iv --time-budget 20m
  cohort-flow check table.csv --new new-patients.csv

The folder of the output holds everything that was made, and `commands.txt`, which repeats it step by step.")]
    Check(Check),
    /// Run the whole chain on synthetic data: synth, ingest, fit, flag and report
    #[command(after_help = "Examples:\n  cohort-flow demo --output out/demo\n  \
                      cohort-flow demo --grid --output out/pictures    # pictures with planted faults")]
    Demo(Demo),
    /// Write a synthetic extract in the shape of MIMIC-III, with planted and labelled anomalies
    #[command(after_help = "Examples:\n  cohort-flow synth --patients 5000 --output out/extract\n  \
                      cohort-flow synth --database eicu --patients 500 --output out/eicu\n  \
                      cohort-flow synth --waveform --patients 20 --output out/waves\n  \
                      cohort-flow synth --grid galaxy --patients 2000 --output out/galaxies")]
    Synth(Synth),
    /// Check, show, list or draft schemas and pipelines
    #[command(subcommand)]
    Schema(Schema),
    /// Turn an extract or a table into a bundle: a normalised tensor, splits and an audit
    #[command(after_help = "\
Examples:
  cohort-flow ingest mimic3-first-24h --input mimic-iii/ --output out/cohort
  cohort-flow ingest icu-first-24h --input mimic-iv/ --check     # would it work? nothing is written
  cohort-flow ingest icu-first-24h --input mimic-iv/ --output out/first-day     # the database is recognised
  cohort-flow ingest physionet2012-48h --input challenge-2012/ --output out/icu
  cohort-flow ingest wide-table --input table.csv --output out/table --set role.sex=binary
  cohort-flow ingest images --input train-images-idx3-ubyte.gz --output out/digits
  cohort-flow ingest images --input x-rays/ --output out/x-rays --set size=32 --set grey=true
  cohort-flow ingest my-pipeline.toml --input extract/ --output out/mine
  cohort-flow ingest mimic3-first-24h --input mimic-iii/ --part 1/2 --output out/part-1
  cohort-flow ingest mimic3-first-24h --input mimic-iii/ --part 2/2 --output out/part-2
  cohort-flow ingest --merge out/part-1 out/part-2 --output out/cohort")]
    Ingest(Ingest),
    /// Say what `ingest` reads of a database and how its rows can be divided: tables, columns, keys, items in
    /// use, what decides about the part of a row, and the stages
    #[command(after_help = "\
Examples:
  cohort-flow plan mimic3-first-24h
  cohort-flow plan icu-first-24h --schema mimic4 --json > plan.json")]
    Plan(Plan),
    /// Write a PySpark job that runs `ingest` on the parts of a lake and merges them: the bundle is that of
    /// one run
    #[command(after_help = "\
Examples:
  cohort-flow spark mimic3-first-24h --tables mimiciii --output job.py
  cohort-flow spark icu-first-24h --schema mimic4 --tables /lake/mimic-iv --format delta --output job.py
  spark-submit job.py --work /shared/work --bundle /shared/cohort --parts 256")]
    Spark(Spark),
    /// Fit a model to a bundle
    #[command(after_help = "\
Examples:
  cohort-flow fit out/cohort --output out/flow
  cohort-flow fit out/cohort --output out/gmm --model gmm
  cohort-flow fit out/cohort --output out/quick --preset small --time-budget 60s
  cohort-flow fit out/pictures --output out/glow --model glow-lu --time-budget 20m
  cohort-flow fit out/cohort --output out/flow --resume")]
    Fit(Fit),
    /// Compute the log-likelihood of records under a model
    #[command(after_help = "\
Examples:
  cohort-flow score out/flow out/cohort --output scores.csv
  cohort-flow score out/flow out/cohort --columns heart_rate,lactate --output marginal.csv")]
    Score(Score),
    /// Show what the linear layers of a flow learned: matrix, nearest permutation, condition number, mixed
    /// features
    #[command(
        after_help = "Examples:\n  cohort-flow inspect out/flow\n  cohort-flow inspect out/flow --json"
    )]
    Inspect(Inspect),
    /// Draw synthetic records in original units, with missing values, or complete the records of a table
    #[command(after_help = "\
Examples:
  cohort-flow sample out/flow --n 1000 --output synthetic.csv
  cohort-flow sample out/flow --given partial.csv --n 20 --output completed.csv
  cohort-flow sample out/pictures-flow --given some.parquet --mask 2,2,4,4 --n 4 --output completed.csv")]
    Sample(Sample),
    /// Flag records that do not fit the model, with calibrated p-values and explanations
    #[command(after_help = "\
Examples:
  cohort-flow flag out/flow out/cohort --output flags.csv
  cohort-flow flag out/flow --input new-patients.csv --output flags.csv --fdr 0.1
  cohort-flow flag out/pictures-flow out/pictures --output flags.csv --maps out/maps  # where pictures are unlikely
  cohort-flow flag out/flow out/other-hospital --reference out/cohort --output flags.csv
  cohort-flow flag out/flow --input part-1.parquet --alpha 0.1 --json part-1.jsonl --output part-1.csv
  cohort-flow flag --merge part-1.jsonl part-2.jsonl --fdr 0.1 --output flags.csv")]
    Flag(Flag),
    /// Compare flags with known anomalies, or with an outcome: ranking, recall, false discoveries,
    /// calibration
    #[command(after_help = "\
Examples:
  cohort-flow evaluate flags.csv --labels out/extract/anomalies.csv
  cohort-flow evaluate flags.parquet --labels labels.csv --json
  cohort-flow evaluate flags.csv --marks marks.csv       # marks made in the page of `report --review`
  cohort-flow evaluate flags.csv --labels out/cohort --label hospital_death   # do the flagged patients die?
  cohort-flow evaluate flags.csv --labels out/cohort --label los_days --above 7")]
    Evaluate(Evaluate),
    /// Write the records of a bundle for other programs: a table in original units (.csv, .parquet, .arrow),
    /// or arrays for NumPy (.npz); or a model for those who serve it
    #[command(after_help = "\
Examples:
  cohort-flow export out/cohort --output cohort.csv
  cohort-flow export out/cohort --split train --output train.npz
  cohort-flow export out/flow --format mlflow --output out/served
  cohort-flow export out/flow --format onnx --input out/cohort --output model.onnx
  cohort-flow export out/flow --format card --output MODEL_CARD.md")]
    Export(Export),
    /// Say what tells the records of two bundles apart: drift of each feature, a classifier on held-out
    /// patients, and the likelihood under a model of the first
    #[command(after_help = "\
Examples:
  cohort-flow compare out/mimic4 out/eicu
  cohort-flow compare out/2019 out/2024 --model out/flow-2019
  cohort-flow compare out/mimic4 out/eicu --json > difference.json")]
    Compare(Compare),
    /// Write one self-contained HTML file that compares models on a bundle
    #[command(after_help = "\
Examples:
  cohort-flow report out/cohort --model out/flow --model out/gmm --output report.html
  cohort-flow report out/cohort --model out/flow --review flags.csv --output review.html   # then mark them
  cohort-flow report out/eicu --model out/flow --by hospitalid --by-table patient.csv.gz --output report.html
  cohort-flow report out/mimic4 --model out/mimic4-gmm --input out/eicu --output eicu-by-mimic4.html")]
    Report(Report),
    /// Draw one figure of the report alone, as a page (.html) or a drawing (.svg)
    #[command(after_help = "\
Examples:
  cohort-flow figure missing out/cohort --output missing.svg
  cohort-flow figure marginals out/cohort --model out/flow --output marginals.html
  cohort-flow figure p-values flags.csv --model out/flow --output p-values.svg")]
    Figure(Figure),
    /// Keep a model loaded and answer requests of another program: scores, flags, samples, completions
    #[command(after_help = "\
Example:
  cohort-flow serve out/flow --stdio

A request is a line of JSON; records follow it, and come back, as Arrow IPC streams. The page `serve` of
the guide describes the protocol, and the Python package speaks it.")]
    Serve(Serve),
    /// Print the script with which a shell completes commands and options
    #[command(after_help = "\
Examples:
  cohort-flow completions bash > ~/.local/share/bash-completion/completions/cohort-flow
  cohort-flow completions zsh > ~/.zfunc/_cohort-flow
  cohort-flow completions fish > ~/.config/fish/completions/cohort-flow.fish")]
    Completions(Completions),
    /// Write manual pages, one for each command
    #[command(after_help = "Example:\n  cohort-flow man --output ~/.local/share/man/man1/cohort-flow.d")]
    Man(Man),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Demo {
    /// Folder that receives everything the demo writes
    #[arg(short, long, value_name = "DIR", default_value = "out/demo")]
    pub(in crate::cli) output: PathBuf,

    /// Keep the output of a former demo: fail instead of replacing it
    #[arg(long)]
    pub(in crate::cli) keep: bool,

    /// Show the chain on pictures with planted faults instead, with maps of where they are unlikely
    #[arg(long, conflicts_with = "patients")]
    pub(in crate::cli) grid: bool,

    /// Number of synthetic patients
    #[arg(long, value_name = "N", default_value_t = 8000,
        value_parser = clap::value_parser!(u64).range(50..))]
    pub(in crate::cli) patients: u64,

    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn records_come_from_a_bundle_or_a_table_but_not_both() {
        let parse = |args: &[&str]| Cli::try_parse_from(args.iter().copied());
        assert!(parse(&["cohort-flow", "score", "m", "b", "-o", "x.csv"]).is_ok());
        assert!(parse(&["cohort-flow", "score", "m", "--input", "t.csv", "-o", "x.csv"]).is_ok());
        assert!(parse(&["cohort-flow", "score", "m", "b", "--input", "t.csv", "-o", "x.csv"]).is_err());
        assert!(parse(&["cohort-flow", "score", "m", "-o", "x.csv"]).is_err());
    }
}
