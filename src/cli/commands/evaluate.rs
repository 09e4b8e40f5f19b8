//! `evaluate`: compares a table of flags with known anomalies.

use std::fmt::Write as _;

use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};
use crate::outlier::{Agreement, Decision};
use crate::pipeline;

pub(super) fn run(args: &args::Evaluate, console: &Console) -> Result {
    let (agreement, messages) = pipeline::evaluate(&args.flags, &args.labels)?;
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
