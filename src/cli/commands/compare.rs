//! `compare`: two bundles beside each other, in sentences.

use std::fmt::Write as _;
use std::path::Path;

use crate::evaluate::Area;
use crate::message::counted;
use crate::pipeline::{self, CompareRequest, Compared};
use crate::random::Seed;
use crate::report::Cell;
use crate::report::data::{Apart, FeatureApart};

use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};

pub(super) fn run(args: &args::Compare, console: &Console) -> Result {
    let models: Vec<&Path> = args.model.iter().map(AsRef::as_ref).collect();
    let request = CompareRequest { a: &args.a, b: &args.b, models: &models, seed: Seed(args.seed) };
    let spinner = console.spinner("comparing");
    let compared = pipeline::compare(&request);
    spinner.finish_and_clear();
    let compared = compared?;
    for message in &compared.messages {
        console.warn(message);
    }
    if args.json {
        print_json(&compared)?;
    } else {
        print(&described(&compared, args.top))?;
    }
    Ok(Outcome::Done)
}

fn described(compared: &Compared, top: usize) -> String {
    let apart = &compared.apart;
    let drift = &apart.drift;
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("A: {}, {} records", apart.a, number(drift.n_old)));
    line(format!("B: {}, {} records", apart.b, number(drift.n_new)));
    if drift.same {
        line("both bundles are the same to the byte".into());
    }
    for text in &apart.converted {
        line(format!("units: {text}"));
    }
    line(String::new());
    line(classifier(apart));
    line(format!(
        "{} of {} differ by more than chance (any false alarm has a probability of 5 % at most)",
        drift.n_beyond_chance,
        counted(drift.features.len(), "shared feature", "shared features")
    ));
    line(String::new());
    line("what tells them apart, each feature by itself (AUROC on held-out patients):".into());
    for feature in apart.features.iter().take(top) {
        line(format!("  {}", sentence(feature)));
    }
    if apart.features.len() > top {
        line(format!("  … and {} more (--top, --json)", apart.features.len() - top));
    }
    for (name, only) in [("A", &drift.only_old), ("B", &drift.only_new)] {
        if !only.is_empty() {
            line(String::new());
            line(format!("only in {name}: {}", only.join("; ")));
        }
    }
    for joint in &drift.joint {
        line(String::new());
        line(format!(
            "likelihood: {} (B {:.2}, A {:.2} on records that {} was not fitted on)",
            joint.verdict, joint.mean_new, joint.mean_old, joint.model
        ));
        if let Some(odd) = joint.odd_percent {
            line(format!("  {odd:.1} % of the records of B have a p-value of at most 5 %"));
        }
    }
    for shared in &compared.shared_likelihood {
        line(String::new());
        line(format!(
            "likelihood of the {} that B has, under {}: {:+.2} ± {:.2} nats per record from A to B (A {:.2} \
             of {} held-out records, B {:.2} of {})",
            counted(shared.features, "feature", "features"),
            shared.model,
            shared.difference,
            shared.error,
            shared.mean_a,
            shared.n_a,
            shared.mean_b,
            shared.n_b
        ));
        line(format!("  integrated out, since B lacks them: {}", shared.integrated_out.join(", ")));
    }
    out
}

fn classifier(apart: &Apart) -> String {
    let Some(area) = apart.classifier else {
        return "classifier: none, a cohort has too few patients".into();
    };
    let verdict = match area.auroc - 1.96 * area.standard_error {
        _ if area.auroc > 0.95 => "nearly every record tells where it is from",
        low if low > 0.5 => "the cohorts can be told apart",
        _ => "nothing tells the cohorts apart that this classifier can see",
    };
    let sampled = match apart.sampled {
        Some(n) => format!(", at most {n} records of each"),
        None => String::new(),
    };
    format!(
        "classifier of A against B: AUROC {} (logistic regression, {} folds of patients{sampled}): {verdict}",
        shown(area),
        apart.folds
    )
}

fn shown(area: Area) -> String {
    format!("{:.3} ± {:.3}", area.auroc, area.standard_error)
}

/// "temperature 0.999 ± 0.001: 36.9 °C in A, 98.4 in B; B looks like °F under °C".
fn sentence(feature: &FeatureApart) -> String {
    let mut parts = Vec::new();
    if let (Some(a), Some(b)) = (feature.median_a, feature.median_b) {
        let unit = if feature.unit.is_empty() { String::new() } else { format!(" {}", feature.unit) };
        parts.push(format!("median {}{unit} in A, {} in B", rounded(a), rounded(b)));
    }
    if let (Some(a), Some(b)) = (feature.missing_a, feature.missing_b)
        && (a - b).abs() >= 1.0
    {
        parts.push(format!("missing {a:.0} % in A, {b:.0} % in B"));
    }
    parts.extend(feature.looks_like.clone());
    let alone = feature.alone.map_or_else(String::new, |area| format!("  {}", shown(area)));
    format!("{:<24}{alone}  {}", feature.name, parts.join("; "))
}

/// Four significant digits, without zeros at the end.
fn rounded(x: f64) -> String {
    let digits = if x == 0.0 { 0 } else { (3 - x.abs().log10().floor() as i32).clamp(0, 6) as usize };
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn number(cell: Cell) -> String {
    cell.text(|n| crate::cli::progress::grouped(n as u64))
}
