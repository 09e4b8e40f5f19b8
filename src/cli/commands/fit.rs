//! `fit`: fits a model to a bundle.

use crate::artifact::{ModelArtifact, Options};
use crate::message::counted;
use crate::pipeline::{self, FitRequest};
use crate::random::Seed;
use crate::schema::Split;

use crate::cli::args;
use crate::cli::console::{Console, print_json};
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::{Notes, TrainBar, grouped};

pub(super) fn run(args: &args::Fit, console: &Console) -> Result {
    let request = FitRequest {
        bundle: &args.bundle,
        output: &args.output.output,
        force: args.output.force,
        model: args.model.map_or_else(|| pipeline::default_model(&args.bundle), Ok)?,
        options: Options {
            preset: args.preset,
            epochs: args.epochs,
            ensemble: args.ensemble,
            settings: args.settings.clone(),
        },
        seed: Seed(args.seed),
        time_budget: args.time_budget.map(|t| t.as_secs_f64()),
        resume: args.resume,
        trim: args.trim,
        condition_on: &args.condition_on,
        calibrate_by: args.calibrate_by.as_deref(),
        folds: (args.calibration == args::Calibration::Cross).then_some(args.folds),
    };
    let artifact = fit(&request, console)?;
    console.note(&format!("wrote {}", args.output.output.display()));
    if args.json {
        print_json(&artifact.metrics)?;
    }
    Ok(Outcome::Done)
}

/// Fits a model, shows progress meanwhile, and prints how the fit went.
pub(super) fn fit(
    request: &FitRequest<'_>,
    console: &Console,
) -> std::result::Result<ModelArtifact, pipeline::Error> {
    let label = request.model.name();
    let artifact = if !request.model.definition().trained {
        let spinner = console.spinner(&format!("{label}: choosing its settings on the validation split"));
        let fitted = pipeline::fit(request, &Notes(console));
        spinner.finish_and_clear();
        fitted?
    } else {
        let bar = TrainBar::new(console, label);
        let fitted = pipeline::fit(request, &bar);
        bar.finish();
        fitted?
    };
    describe(&artifact, label, console);
    Ok(artifact)
}

fn describe(artifact: &ModelArtifact, label: &str, console: &Console) {
    let metrics = &artifact.metrics;
    console.note(&format!(
        "{label}: {} parameters, fitted in {:.1} s{}",
        grouped(metrics.n_parameters as u64),
        metrics.train_seconds,
        metrics.epochs.map(|e| format!(", {e} epochs")).unwrap_or_default()
    ));
    for share in &metrics.shares {
        console.note(&format!(
            "  {:<12} {:>9.1} % of the density ({})",
            share.family,
            100.0 * share.weight,
            counted(share.members, "member", "members")
        ));
    }
    for split in Split::ALL {
        if let Some(m) = metrics.splits.get(&split) {
            console.note(&format!(
                "  {:<12} {:>10.3} ± {} nats per record{} (n = {})",
                split.name(),
                m.mean_log_prob,
                m.standard_error.map_or_else(|| "–".to_owned(), |e| format!("{e:.3}")),
                m.bits_per_dimension.map_or_else(String::new, |bits| {
                    let error = bits.standard_error.map_or_else(|| "–".to_owned(), |e| format!("{e:.4}"));
                    format!(", {:.4} ± {error} bits per dimension", bits.mean)
                }),
                grouped(m.n as u64)
            ));
        }
    }
    for message in &metrics.messages {
        console.warn(message);
    }
}
