//! The page about a model: what it was fitted on, how well it does, and what it is not for. It holds no
//! identifier and no value of a single record.

use crate::artifact::ModelArtifact;
use crate::features::{FittedColumn, Shape};
use crate::schema::Split;

/// The page, in Markdown.
pub(super) fn render(model: &ModelArtifact) -> String {
    let mut out = String::new();
    let (header, metrics, encoder) = (&model.header, &model.metrics, &model.encoder);
    let separate = header.terms.as_ref().is_none_or(|terms| terms.shape.has_separate_features());
    let line = |out: &mut String, text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(
        &mut out,
        format!("# Model card: {} of {} columns\n", header.family.kind.name(), encoder.columns.len()),
    );
    line(&mut out, "## What it is\n".into());
    line(
        &mut out,
        format!("- A density of {}, fitted by cohort-flow {}.", records(model), header.program_version),
    );
    line(&mut out, format!("- {} free parameters, seed {}.", header.n_parameters, header.seed.0));
    for share in &metrics.shares {
        let (weight, family, n) = (100.0 * share.weight, share.family.name(), share.members);
        let members = if n == 1 { "member" } else { "members" };
        line(&mut out, format!("- {weight:.1} % of the density: {family} ({n} {members})."));
    }
    if !header.condition_on.is_empty() {
        line(&mut out, format!("- Given, and not judged: {}.", header.condition_on.join(", ")));
    }
    line(&mut out, format!("- SHA-256 of the bundle: `{}`.", header.bundle_sha256));

    line(&mut out, "\n## Data\n".into());
    line(&mut out, "| split | records | nats per record | standard error |\n|---|---|---|---|".into());
    for split in Split::ALL {
        let Some(of) = metrics.splits.get(&split) else { continue };
        let name = split.name();
        let error = of.standard_error.map_or_else(|| "–".into(), |error| format!("{error:.3}"));
        line(&mut out, format!("| {name} | {} | {:.3} | {error} |", of.n, of.mean_log_prob));
    }
    line(
        &mut out,
        "\nSplits are by patient where the records name one. Everything was fitted on the training split, \
         the validation split chose among settings, and nothing was chosen by the test split. Of large \
         splits, a mean is over some of the records."
            .into(),
    );
    if separate {
        line(&mut out, columns(&encoder.columns));
    }

    line(&mut out, "\n## Calibration\n".into());
    let n = model.calibration.len();
    if n == 0 {
        line(&mut out, "- There are no calibration records: the model gives no p-values.".into());
    } else {
        let smallest = 1.0 / (n as f64 + 1.0);
        line(&mut out, format!("- {n} calibration records; the smallest p-value is {smallest:.2e}."));
        line(
            &mut out,
            "- Of new records that are exchangeable with the calibration records, at most a share α has a \
             p-value of α or less."
                .into(),
        );
    }
    if let Some(folds) = header.calibration_folds {
        line(
            &mut out,
            format!(
                "- The calibration is cross-conformal: {folds} models, each fitted without the records that \
                 it calibrates, so that the share may be somewhat larger than α."
            ),
        );
    }
    if let Some(column) = &header.calibrate_by {
        line(&mut out, format!("- Each level of {column} is calibrated by itself."));
    }
    if let Some(noise) = metrics.score_noise {
        let (sd, draws) = (noise.median_sd, noise.draws);
        let noise = format!("noise of its own of {sd:.2} nats (median) with {draws} draws");
        line(&mut out, format!("- The log-likelihood of a record has a {noise}."));
    }

    line(&mut out, "\n## Limits\n".into());
    if let Some(trimmed) = metrics.trimmed {
        let text =
            format!("- {trimmed} of the training records were left out as the most unusual of a first fit.");
        line(&mut out, text);
    }
    for message in &metrics.messages {
        line(&mut out, format!("- {}.", message.text.trim_end_matches('.')));
    }
    line(
        &mut out,
        "- A small p-value says that a record is unlike the calibration records. It does not say that the \
         record is wrong, nor that the patient is ill, and it is no diagnosis.\n\
         - On data of another hospital, another time or other units the p-values lose their meaning; \
         `cohort-flow compare` shows the difference.\n\
         - A model is not anonymous data: it holds training quantiles, names of levels and means of groups \
         of records. Treat it as the data it was fitted on."
            .into(),
    );
    out
}

/// The columns, where each means something by itself.
fn columns(columns: &[FittedColumn]) -> String {
    let head = "\n| column | kind | unit | observed in training | missing |\n|---|---|---|---|---|";
    let row = |column: &FittedColumn| {
        let unit = if column.meta.unit.is_empty() { "–" } else { &column.meta.unit };
        let (name, unit, missing) = (cell(&column.meta.name), cell(unit), 100.0 * column.missing_fraction);
        format!("| {name} | {} | {unit} | {} | {missing:.1} % |", kind(column), column.n_observed)
    };
    let rows: Vec<String> = columns.iter().map(row).collect();
    format!("{head}\n{}", rows.join("\n"))
}

fn records(model: &ModelArtifact) -> String {
    match model.header.terms.as_ref().map(|terms| &terms.shape) {
        Some(Shape::Windows { channels, samples, .. }) => {
            format!("windows of {samples} samples of {}", channels.join(", "))
        }
        Some(Shape::Grid { .. }) => format!("pictures of {} values", model.encoder.columns.len()),
        _ => format!(
            "records of {} columns ({} coordinates)",
            model.encoder.columns.len(),
            model.header.coordinates.len()
        ),
    }
}

fn kind(column: &FittedColumn) -> String {
    if column.levels.is_empty() { "number".into() } else { format!("{} levels", column.levels.len()) }
}

/// A text that cannot end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
