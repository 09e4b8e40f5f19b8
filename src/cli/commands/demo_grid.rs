//! `demo --grid`: runs the whole chain on pictures.
//!
//! As with tables, the model is fitted and calibrated on ordinary pictures, and judges new ones with planted
//! faults. The entropy of the pictures is known, so that what the model lacks can be told.

use std::fs;
use std::path::Path;

use crate::artifact::{Family, ModelArtifact, Options};
use crate::evaluate::ScoreKind;
use crate::features::DrawsBy;
use crate::outlier::Rule;
use crate::output::Staged;
use crate::pipeline::{self, Error, FitRequest, FlagRequest, IngestRequest, RecordsSource, ReportRequest};
use crate::random::Seed;
use crate::schema::Split;
use crate::synth::{TEXTURE_LEVELS, Texture, TextureConfig, TextureSummary, synthesize_textures};

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::IngestBars;

const PIPELINE: &str = "images";
const TEXTURE: Texture = Texture::Field;
/// Pictures to fit and calibrate on, and new ones.
const PICTURES: (u64, u64) = (6000, 300);
const SIDE: usize = 16;
/// Share of the new pictures with a planted fault.
const FAULTS: f64 = 0.1;
/// False discovery rate at which the new pictures are flagged.
const FDR: f64 = 0.1;
/// Seconds of the fit. With the other steps, the demo takes less than two minutes on two cores.
const BUDGET: f64 = 45.0;

pub(super) fn run(args: &args::Demo, console: &Console) -> Result {
    let out = &args.output;
    let staged = Staged::dir(out, !args.keep)?;
    let dir = staged.path();
    let seed = Seed(args.seed);

    console.note("1/5  synth: pictures to learn from, and new ones with planted faults");
    let reference = textures(PICTURES.0, seed.child("reference", 0), 0.0, &dir.join("pictures"), console)?;
    textures(PICTURES.1, seed.child("incoming", 0), FAULTS, &dir.join("incoming-pictures"), console)?;

    console.note("2/5  ingest");
    let settings = [("levels".to_owned(), TEXTURE_LEVELS.to_string())];
    for (input, output) in [("pictures", "bundle"), ("incoming-pictures", "incoming")] {
        let request = IngestRequest {
            schema: None,
            pipeline: PIPELINE,
            input: &dir.join(input),
            output: &dir.join(output),
            force: false,
            settings: &settings,
            bad_rows: crate::ingest::BadRows::Fail,
            cache: None,
        };
        super::ingest::describe(&pipeline::ingest(&request, &IngestBars::new(console))?, console);
    }

    console.note("3/5  fit: the causal flow of pictures, and a Gaussian mixture of their numbers");
    let bundle = dir.join("bundle");
    for (model, name) in [(Family::Causal, "flow"), (Family::Gmm, "gmm")] {
        let request = FitRequest {
            bundle: &bundle,
            output: &dir.join(name),
            force: false,
            model,
            options: Options::default(),
            seed,
            time_budget: (model == Family::Causal).then_some(BUDGET),
            resume: false,
            trim: None,
            condition_on: &[],
            calibrate_by: None,
            folds: None,
        };
        super::fit::fit(&request, console)?;
    }
    let flow = ModelArtifact::load(&dir.join("flow")).map_err(Error::from)?;
    if let Some(bits) = flow.metrics.splits.get(&Split::Test).and_then(|m| m.bits_per_dimension) {
        console.note(&format!(
            "held-out pictures take {:.4} bits per dimension, {:.4} more than they hold",
            bits.mean,
            bits.mean - reference.entropy_bits_per_dimension
        ));
    }

    console.note(&format!("4/5  flag: the new pictures, at a false discovery rate of {FDR}"));
    let incoming = dir.join("incoming").join("features.parquet");
    let request = FlagRequest {
        maps: Some(&dir.join("maps")),
        model: &dir.join("flow"),
        records: RecordsSource::Table(&incoming),
        output: &dir.join("flags.csv"),
        force: false,
        rule: Rule::Fdr(FDR),
        score: ScoreKind::Combined,
        explain: 0,
        also_explain: 0,
        top: None,
        json: None,
        reference: None,
        draws_by: DrawsBy::default(),
        draws: None,
        seed,
    };
    super::score::describe(&pipeline::flag(&request, &IngestBars::new(console))?, console);

    console.note("5/5  report");
    let request = ReportRequest {
        bundle: &bundle,
        models: &[&dir.join("flow"), &dir.join("gmm")],
        compare: None,
        by: None,
        by_table: None,
        review: None,
        format: pipeline::ReportFormat::Html,
        output: &dir.join("report.html"),
        force: false,
        // The pictures are of nobody.
        identifiable: true,
        fdr: FDR,
        records: Some(RecordsSource::Table(&incoming)),
        labels: Some(&dir.join("incoming-pictures").join("anomalies.csv")),
        seed,
    };
    let evaluation = pipeline::report(&request)?.evaluation;
    let n_maps = fs::read_dir(dir.join("maps")).map_or(0, Iterator::count).saturating_sub(1);
    staged.commit()?;
    if let Some(e) = evaluation {
        console.note(&super::demo::found(&e, "faults"));
    }
    console.note(&format!(
        "{n_maps} pictures with maps of where they are unlikely in {}",
        out.join("maps").display()
    ));
    console.note(&format!("open {} in a browser", out.join("report.html").display()));
    Ok(Outcome::Done)
}

fn textures(
    pictures: u64,
    seed: Seed,
    anomaly_fraction: f64,
    output: &Path,
    console: &Console,
) -> std::result::Result<TextureSummary, Error> {
    let config =
        TextureConfig { texture: TEXTURE, pictures, side: SIDE, seed, anomaly_fraction, force: false };
    let summary = synthesize_textures(&config, output, &|_| {})?;
    super::synth::describe_textures(&summary, console);
    Ok(summary)
}
