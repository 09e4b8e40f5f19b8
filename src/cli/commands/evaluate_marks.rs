//! `evaluate --marks`: how many of the flags that people looked at are errors.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};
use crate::outlier::{MarkAgreement, Precision};
use crate::pipeline;

pub(super) fn run(args: &args::Evaluate, marks: &Path, console: &Console) -> Result {
    let (agreement, messages) = pipeline::evaluate_marks(&args.flags, marks)?;
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

fn render(a: &MarkAgreement) -> String {
    let share = |x: f64| if x.is_nan() { "-".to_owned() } else { format!("{x:.3}") };
    let mut out = format!(
        "{} flags: {} errors, {} true but unusual, {} not sure, {} without a mark\n",
        a.all.n_flags,
        a.all.n_errors,
        a.all.n_unusual,
        a.all.n_unsure,
        a.all.n_unmarked()
    );
    let heading = |name: &str| {
        format!(
            "\n{name:<24} {:>6} {:>7} {:>8} {:>9} {:>10} {:>17}\n",
            "errors", "unusual", "not sure", "no mark", "precision", "95 % interval"
        )
    };
    let line = |name: &str, p: &Precision| {
        let Precision { n_errors, n_unusual, n_unsure, precision, .. } = p;
        format!(
            "{name:<24} {n_errors:>6} {n_unusual:>7} {n_unsure:>8} {:>9} {:>10} {:>17}\n",
            p.n_unmarked(),
            share(precision.value),
            format!("{} to {}", share(precision.low), share(precision.high))
        )
    };
    out.push_str(&heading("most unusual"));
    for p in &a.at {
        out.push_str(&line(&format!("first {}", p.n_flags), p));
    }
    out.push_str(&line("all", &a.all));
    out.push_str(&heading("pattern"));
    for (pattern, p) in &a.by_pattern {
        out.push_str(&line(pattern, p));
    }
    let _ = writeln!(
        out,
        "\nPrecision is the share of errors among errors and true but unusual flags; intervals are Wilson's."
    );
    out
}
