//! `evaluate`: compares a table of flags with known anomalies, or with an outcome.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};
use crate::outlier::{Agreement, Decision, OutcomeAgreement};
use crate::pipeline::{self, OutcomeRequest};

pub(super) fn run(args: &args::Evaluate, console: &Console) -> Result {
    let labels = match (&args.marks, &args.labels) {
        (Some(marks), _) => return super::evaluate_marks::run(args, marks, console),
        (None, Some(labels)) => labels,
        (None, None) => unreachable!("invariant: clap asks for labels or marks"),
    };
    if let Some(label) = &args.label {
        return outcome(args, labels, label, console);
    }
    let (agreement, messages) = pipeline::evaluate(&args.flags, labels)?;
    for message in messages {
        console.warn(&message);
    }
    if args.json {
        print_json(&agreement)?;
    } else {
        print(&render(&agreement))?;
    }
    Ok(Outcome::Done)
}

fn outcome(args: &args::Evaluate, labels: &Path, label: &str, console: &Console) -> Result {
    let request = OutcomeRequest { scores: &args.flags, labels, label, above: args.above };
    let (agreement, messages) = pipeline::evaluate_outcome(&request)?;
    for message in messages {
        console.warn(&message);
    }
    if args.json {
        print_json(&agreement)?;
    } else {
        print(&render_outcome(label, args.above, &agreement))?;
    }
    Ok(Outcome::Done)
}

fn render_outcome(label: &str, above: Option<f64>, a: &OutcomeAgreement) -> String {
    let share = |x: f64| if x.is_nan() { "-".to_owned() } else { format!("{x:.3}") };
    let between = |low: f64, high: f64| format!("{} to {}", share(low), share(high));
    let above = above.map(|limit| format!(" above {limit}")).unwrap_or_default();
    let mut out = format!("{} records, {} with {label}{above}\n", a.n, a.n_with);
    let mut line = |text: String| writeln!(out, "{text}").expect("invariant: a string grows");
    let interval =
        a.auroc_interval.map(|[low, high]| format!(" ({})", between(low, high))).unwrap_or_default();
    let chance = share(a.n_with as f64 / a.n as f64);
    line(format!(
        "AUROC {}{interval}   average precision {}, by chance {chance}",
        share(a.auroc),
        share(a.average_precision)
    ));
    let Some((flagged, rest)) = a.flagged.as_ref().zip(a.rest.as_ref()) else { return out };
    line(format!(
        "\n{:<12} {:>8} {:>8} {:>8} {:>18}",
        "records", "number", "with it", "rate", "95 % interval"
    ));
    for (name, e) in [("flagged", flagged), ("the others", rest)] {
        line(format!(
            "{name:<12} {:>8} {:>8} {:>8} {:>18}",
            e.n,
            e.n_with.unwrap_or_default(),
            share(e.value),
            between(e.low, e.high)
        ));
    }
    if let Some([difference, low, high]) = a.difference {
        line(format!(
            "{:<12} {:>8} {:>8} {:>8} {:>18}",
            "difference",
            "",
            "",
            share(difference),
            between(low, high)
        ));
    }
    out
}

fn render(a: &Agreement) -> String {
    let share = |x: f64| if x.is_nan() { "-".to_owned() } else { format!("{x:.3}") };
    let mut out = format!(
        "{} records, {} anomalies\nAUROC {}   average precision {}\n\n{:<12} {:>8} {:>8} {:>24}\n",
        a.n,
        a.n_anomalies,
        share(a.auroc),
        share(a.average_precision),
        "rule",
        "flagged",
        "recall",
        "false among the flagged"
    );
    let mut line = |name: String, d: &Decision| {
        let (recall, fdp) = (share(d.recall), share(d.false_discovery_proportion));
        writeln!(out, "{name:<12} {:>8} {recall:>8} {fdp:>24}", d.n_flagged)
            .expect("invariant: a string grows");
    };
    line("as flagged".into(), &a.flagged);
    for d in &a.at_fdr {
        line(format!("FDR {}", d.fdr.unwrap_or_default()), d);
    }
    out.push_str("\nordinary records with p at or below\n");
    for c in &a.calibration {
        writeln!(out, "{:<12} {:>8} ± {}", c.level, share(c.share), share(c.standard_error))
            .expect("invariant: a string grows");
    }
    writeln!(
        out,
        "Kolmogorov–Smirnov distance from uniform {}, largest excess over a level {}",
        share(a.ks_distance),
        share(a.excess)
    )
    .expect("invariant: a string grows");
    if !a.by_kind.is_empty() {
        writeln!(out, "\n{:<24} {:>8} {:>8} {:>8} {:>8}", "kind", "records", "flagged", "recall", "AUROC")
            .expect("invariant: a string grows");
    }
    for k in &a.by_kind {
        let (recall, auroc) = (share(k.recall), share(k.auroc));
        writeln!(out, "{:<24} {:>8} {:>8} {recall:>8} {auroc:>8}", k.kind, k.n, k.n_flagged)
            .expect("invariant: a string grows");
    }
    out
}
