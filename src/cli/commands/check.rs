//! `check`: everything that the program does with data of somebody's own, in one go and without options.
//!
//! The flow is calibrated across folds when the data themselves are flagged, because then every record has
//! been scored once by a model that was fitted without it; for new records the calibration split is enough.
//! Windows of signals follow each other in time and are no exchangeable folds, and a flow of pictures would
//! have a sixth of the time for each fit, so both are calibrated on the split. A mixture takes a picture as a
//! vector of many hundred numbers without neighbours, for which there is no time either: pictures have the
//! flow alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::artifact::{Family, ModelArtifact, Options};
use crate::error::IoError;
use crate::evaluate::ScoreKind;
use crate::features::{DrawsBy, Shape};
use crate::ingest::BadRows;
use crate::outlier::{DEFAULT_ALPHA, Rule};
use crate::output::{Staged, keep_inputs};
use crate::pipeline::{
    self, Error, FitRequest, FlagRequest, FlagSummary, Given, IngestRequest, Ingested, RecordsSource,
    ReportFormat, ReportRequest, Reported,
};
use crate::random::Seed;
use crate::train::Preset;

use super::check_summary::{Checked, Summary};
use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::IngestBars;

/// Share of the time after which the flow is to end: flags, explanations and the report need the rest.
const FITTED: f64 = 0.65;
/// Share of the time that the flow has at least, however long reading and the mixture took.
const FLOW: f64 = 0.25;
/// Folds of the cross-conformal calibration.
const FOLDS: u32 = 5;
/// Records that the summary names.
const NAMED: usize = 5;
/// False discovery rate of the flags that the report shows; the default of `report`.
const FDR: f64 = 0.1;

pub(super) fn run(args: &args::Check, console: &Console) -> Result {
    let inputs = [Some(args.input.as_path()), args.new.as_deref()];
    keep_inputs(&args.output, inputs.into_iter().flatten())?;
    // Before anything is written: what is not recognised leaves no folder behind.
    let mut given = pipeline::recognise(&args.input)?;
    // What the user says stands in the place of what was recognised.
    given.settings.retain(|(key, _)| !args.settings.iter().any(|(said, _)| said == key));
    given.settings.extend(args.settings.iter().cloned());
    let staged = Staged::dir(&args.output, args.force)?;
    let check = Check { args, console, dir: staged.path(), commands: Commands::default() };
    let (summary, commands) = check.run(&given)?;
    write(&staged.path().join("summary.txt"), &summary.text())?;
    write(&staged.path().join("commands.txt"), &commands.text())?;
    staged.commit()?;
    if args.json {
        print_json(&summary)?;
    } else {
        print(&summary.text())?;
    }
    Ok(Outcome::Done)
}

fn write(path: &Path, text: &str) -> std::result::Result<(), Error> {
    Ok(fs::write(path, text).map_err(IoError::on("write", path))?)
}

struct Check<'a> {
    args: &'a args::Check,
    console: &'a Console,
    /// Where everything is written until it is complete.
    dir: &'a Path,
    commands: Commands,
}

impl Check<'_> {
    fn run(mut self, given: &Given) -> std::result::Result<(Summary, Commands), Error> {
        let begun = Instant::now();
        self.console.note(&format!("{} is {}", self.args.input.display(), given.what));
        let ingested = self.ingest(given, "bundle")?;
        let shape = ingested.manifest.shape.clone();
        let pictures = matches!(shape, Shape::Grid { .. });
        // A mixture chooses its settings by itself and knows no time budget, so it comes first.
        let mixture = (!pictures).then(|| self.fit("mixture", &shape, None)).transpose()?;
        let budget = self.args.time_budget.as_secs_f64();
        let left = (FITTED * budget - begun.elapsed().as_secs_f64()).max(FLOW * budget);
        let flow = self.fit("flow", &shape, Some(left))?;
        let new = self.args.new.as_deref().map(|new| self.new_records(new, given)).transpose()?;
        let flags = self.flag(new.as_deref(), pictures)?;
        let reported = self.report(new.as_deref(), mixture.is_some())?;
        let summary = Summary::of(&Checked {
            given,
            ingested: &ingested,
            flow: &flow,
            mixture: mixture.as_ref(),
            reported: &reported,
            flags: &flags,
            new: self.args.new.as_deref(),
            output: &self.args.output,
        });
        Ok((summary, self.commands))
    }

    /// A file of the output as a later reader finds it.
    fn later(&self, name: &str) -> String {
        self.args.output.join(name).display().to_string()
    }

    fn ingest(&mut self, given: &Given, name: &str) -> std::result::Result<Ingested, Error> {
        let request = IngestRequest {
            pipeline: given.pipeline,
            schema: given.schema.as_deref(),
            input: &given.input,
            output: &self.dir.join(name),
            force: false,
            settings: &given.settings,
            // A malformed row is left out and counted: one bad line must not end the check of a database.
            bad_rows: BadRows::Skip,
            cache: None,
        };
        let mut words = vec!["ingest".into(), given.pipeline.into()];
        words.extend(["--input".into(), given.input.display().to_string()]);
        words.extend(["--output".into(), self.later(name)]);
        words.extend(given.schema.iter().flat_map(|schema| ["--schema".into(), schema.clone()]));
        words.extend(given.settings.iter().flat_map(|(k, v)| ["--set".into(), format!("{k}={v}")]));
        words.extend(["--on-bad-row".into(), "skip".into()]);
        self.commands.add(&words);
        let ingested = pipeline::ingest(&request, &IngestBars::new(self.console))?;
        super::ingest::describe(&ingested, self.console);
        Ok(ingested)
    }

    fn fit(
        &mut self,
        name: &str,
        shape: &Shape,
        budget: Option<f64>,
    ) -> std::result::Result<ModelArtifact, Error> {
        let bundle = self.dir.join("bundle");
        let flow = name == "flow";
        let (baseline, exchangeable) = match shape {
            Shape::Table => (Family::Gmm, true),
            Shape::Windows { .. } => (Family::Var, false),
            Shape::Grid { .. } => (Family::Gmm, false),
        };
        let model = if flow { pipeline::default_model(&bundle)? } else { baseline };

        let crosses = flow && exchangeable && self.args.new.is_none();
        let budget = budget.map(|seconds| (seconds * 10.0).round().max(1.0) / 10.0);
        let request = FitRequest {
            bundle: &bundle,
            output: &self.dir.join(name),
            force: false,
            model,
            options: Options { preset: Preset::Auto, ..Options::default() },
            seed: Seed(self.args.seed),
            time_budget: budget,
            resume: false,
            trim: None,
            condition_on: &[],
            calibrate_by: None,
            folds: crosses.then_some(FOLDS),
        };
        let mut words = vec!["fit".into(), self.later("bundle"), "--output".into(), self.later(name)];
        words.extend(["--model".into(), model.name().to_owned()]);
        words.extend(budget.iter().flat_map(|s| ["--time-budget".into(), format!("{s}s")]));
        words.extend(["--seed".into(), self.args.seed.to_string()]);
        if crosses {
            words.extend(["--calibration".into(), "cross".into(), "--folds".into(), FOLDS.to_string()]);
        }
        self.commands.add(&words);
        super::fit::fit(&request, self.console)
    }

    /// The new records as a table that the models can read: an extract is ingested first.
    fn new_records(&mut self, new: &Path, given: &Given) -> std::result::Result<PathBuf, Error> {
        if given.pipeline == "wide-table" {
            return Ok(new.to_path_buf());
        }
        self.ingest(&Given { input: new.to_path_buf(), ..given.clone() }, "new")?;
        Ok(self.dir.join("new").join("features.parquet"))
    }

    /// The words that name the records to flag, and the records.
    fn records<'r>(&self, new: Option<&'r Path>, bundle: &'r Path) -> (Vec<String>, RecordsSource<'r>) {
        match new {
            None => (vec![self.later("bundle")], RecordsSource::Bundle(bundle)),
            Some(table) => {
                let path = match table.strip_prefix(self.dir) {
                    Ok(made) => self.args.output.join(made).display().to_string(),
                    Err(_) => table.display().to_string(),
                };
                (vec!["--input".into(), path], RecordsSource::Table(table))
            }
        }
    }

    fn flag(&mut self, new: Option<&Path>, pictures: bool) -> std::result::Result<FlagSummary, Error> {
        let bundle = self.dir.join("bundle");
        let maps = self.dir.join("maps");
        let (named, records) = self.records(new, &bundle);
        let request = FlagRequest {
            draws_by: DrawsBy::default(),
            draws: None,
            maps: pictures.then_some(maps.as_path()),
            model: &self.dir.join("flow"),
            records,
            output: &self.dir.join("flags.csv"),
            force: false,
            rule: Rule::Alpha(DEFAULT_ALPHA),
            score: ScoreKind::Combined,
            explain: 3,
            also_explain: NAMED,
            top: None,
            json: None,
            reference: None,
            seed: Seed(self.args.seed),
        };
        let mut words = vec!["flag".into(), self.later("flow")];
        words.extend(named);
        words.extend(["--output".into(), self.later("flags.csv")]);
        words.extend(["--also-explain".into(), NAMED.to_string()]);
        if pictures {
            words.extend(["--maps".into(), self.later("maps")]);
        }
        words.extend(["--seed".into(), self.args.seed.to_string()]);
        self.commands.add(&words);
        let summary = pipeline::flag(&request, &IngestBars::new(self.console))?;
        super::score::describe(&summary, self.console);
        Ok(summary)
    }

    fn report(&mut self, new: Option<&Path>, mixture: bool) -> std::result::Result<Reported, Error> {
        let bundle = self.dir.join("bundle");
        let mut words = vec!["report".into(), self.later("bundle")];
        let names = if mixture { &["flow", "mixture"][..] } else { &["flow"] };
        words.extend(names.iter().flat_map(|name| ["--model".into(), self.later(name)]));
        let models: Vec<PathBuf> = names.iter().map(|name| self.dir.join(name)).collect();
        words.extend(["--output".into(), self.later("report.html")]);
        words.extend(["--seed".into(), self.args.seed.to_string()]);
        let records = new.map(|new| {
            let (named, records) = self.records(Some(new), &bundle);
            words.extend(named);
            records
        });
        self.commands.add(&words);
        let spinner = self.console.spinner("report");
        let written = pipeline::report(&ReportRequest {
            bundle: &bundle,
            models: &models.iter().map(PathBuf::as_path).collect::<Vec<_>>(),
            compare: None,
            format: ReportFormat::Html,
            output: &self.dir.join("report.html"),
            force: false,
            identifiable: false,
            fdr: FDR,
            records,
            labels: None,
            review: None,
            by: None,
            by_table: None,
            seed: Seed(self.args.seed),
        });
        spinner.finish_and_clear();
        written
    }
}

/// The same step by step.
#[derive(Debug, Default)]
struct Commands(Vec<String>);

impl Commands {
    fn add(&mut self, words: &[String]) {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        self.0.push(format!("cohort-flow {}", words.join(" ")));
    }

    fn text(&self) -> String {
        format!(
            "# What `cohort-flow check` did, one step a line; run them with another --output, or with --force.\n\
             # A fit within a time budget goes as far as the machine allows, so a flow differs from run to run;\n\
             # without --time-budget it is the same on every run.\n{}\n",
            self.0.join("\n")
        )
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("out/check"), "out/check");
        assert_eq!(quoted("my table.csv"), "'my table.csv'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
