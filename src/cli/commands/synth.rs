//! `synth`: writes a synthetic extract or synthetic waveform records.

use crate::pipeline::Error;
use crate::random::Seed;
use crate::synth::{
    SynthConfig, SynthSummary, Texture, TextureConfig, TextureSummary, WaveformConfig, synthesize,
    synthesize_textures, synthesize_waveforms,
};

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::grouped;

pub(super) fn run(args: &args::Synth, console: &Console) -> Result {
    if args.waveform {
        return waveforms(args, console);
    }
    if let Some(texture) = args.grid {
        return textures(texture, args, console);
    }
    let config = SynthConfig {
        database: args.database,
        patients: args.patients,
        seed: Seed(args.seed),
        gzip: args.gzip,
        anomaly_fraction: args.anomalies,
        chart_rows: args.chart_rows,
        force: args.output.force,
        ..SynthConfig::default()
    };
    let bar = console.bar(args.patients, "patients", "{prefix} {bar:24} {pos}/{len} {elapsed} ({eta} left)");
    let summary = synthesize(&config, &args.output.output, &|n| bar.set_position(n));
    bar.finish_and_clear();
    describe(&summary.map_err(Error::from)?, console);
    console.note(&format!("wrote {}", args.output.output.display()));
    Ok(Outcome::Done)
}

fn waveforms(args: &args::Synth, console: &Console) -> Result {
    let config = WaveformConfig {
        patients: args.patients,
        minutes: args.minutes,
        seed: Seed(args.seed),
        anomaly_fraction: args.anomalies,
        force: args.output.force,
    };
    let bar = console.bar(args.patients, "records", "{prefix} {bar:24} {pos}/{len} {elapsed} ({eta} left)");
    let summary = synthesize_waveforms(&config, &args.output.output, &|n| bar.set_position(n));
    bar.finish_and_clear();
    let summary = summary.map_err(Error::from)?;
    console.note(&format!(
        "{} records, {} samples per channel, {} artefacts, {} ectopic beats",
        grouped(summary.records),
        grouped(summary.samples),
        grouped(summary.artefacts),
        grouped(summary.ectopic)
    ));
    console.note(&format!("wrote {}", args.output.output.display()));
    Ok(Outcome::Done)
}

fn textures(texture: Texture, args: &args::Synth, console: &Console) -> Result {
    let config = TextureConfig {
        texture,
        pictures: args.patients,
        side: args.side,
        seed: Seed(args.seed),
        anomaly_fraction: args.anomalies,
        force: args.output.force,
    };
    let bar = console.bar(args.patients, "pictures", "{prefix} {bar:24} {pos}/{len} {elapsed} ({eta} left)");
    let summary = synthesize_textures(&config, &args.output.output, &|n| bar.set_position(n));
    bar.finish_and_clear();
    describe_textures(&summary.map_err(Error::from)?, console);
    console.note(&format!("wrote {}", args.output.output.display()));
    Ok(Outcome::Done)
}

/// Prints in a line what the pictures hold.
pub(super) fn describe_textures(summary: &TextureSummary, console: &Console) {
    console.note(&format!(
        "{} pictures of {side} × {side} pixels, {} of them with a planted fault; an ordinary one holds {:.4} \
         bits per dimension",
        grouped(summary.pictures),
        grouped(summary.faults),
        summary.entropy_bits_per_dimension,
        side = summary.side
    ));
}

/// Prints in two lines what the extract holds.
pub(super) fn describe(summary: &SynthSummary, console: &Console) {
    console.note(&format!(
        "{} patients, {} admissions, {} ICU stays, {} of them with a planted anomaly",
        grouped(summary.patients),
        grouped(summary.admissions),
        grouped(summary.stays),
        grouped(summary.anomalies)
    ));
    let rows: Vec<String> =
        summary.rows.iter().map(|(table, n)| format!("{table} {}", grouped(*n))).collect();
    console.note(&format!("rows: {}", rows.join(", ")));
}
