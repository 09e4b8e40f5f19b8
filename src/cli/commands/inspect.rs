//! `inspect`: prints what the linear layers of a flow learned.

use std::fmt::Write as _;

use crate::flow::LayerInspection;
use crate::flow::window::Span;
use crate::pipeline::{self, Inspection};

use crate::cli::args;
use crate::cli::console::{print, print_json};
use crate::cli::exit::{Outcome, Result};

/// Largest number of mixed pairs, and of moved features, that are named for each layer.
const NAMED: usize = 6;

pub(super) fn run(args: &args::Inspect) -> Result {
    let found = pipeline::inspect(&args.model)?;
    if args.json {
        print_json(&found)?;
    } else {
        print(&text(&found))?;
    }
    Ok(Outcome::Done)
}

fn text(found: &Inspection) -> String {
    let mut out = String::new();
    if found.layers.is_empty() {
        out.push_str(&levels(found));
    }
    for layer in &found.layers {
        let _ = writeln!(
            out,
            "{}: {}, {} × {} from {} parameters",
            layer.layer, found.model, layer.size, layer.size, layer.n_parameters
        );
        let _ = writeln!(
            out,
            "  nearest permutation  {}",
            if layer.is_identity { "identity".to_owned() } else { moves(layer, &found.coordinates) }
        );
        let _ = writeln!(
            out,
            "  distance to it       {:.4} ({:.1} % of the squared entries lie on it)",
            layer.distance,
            100.0 * layer.share_on_permutation
        );
        let _ = writeln!(
            out,
            "  determinant          {:.4e} (log {:+.4}), condition number {:.2}",
            layer.determinant, layer.log_abs_determinant, layer.condition_number
        );
        let _ = writeln!(out, "  mixes most           {}", mixed(layer, &found.coordinates));
    }
    out
}

/// Renders a table of how strongly each level of the butterflies over windows mixes, with one column for each
/// block.
fn levels(found: &Inspection) -> String {
    let mut out = String::new();
    if found.levels.is_empty() {
        let _ = writeln!(out, "{}: its linear layers are no butterflies", found.model);
        return out;
    }
    let _ = writeln!(
        out,
        "{}: share of squared entries off the diagonal, by distance of what a level pairs \
         (0 nothing mixed, 1 swapped)",
        found.model
    );
    let mut spans: Vec<Span> = Vec::new();
    for level in &found.levels {
        if !spans.contains(&level.span) {
            spans.push(level.span);
        }
    }
    let blocks = found.levels.iter().map(|l| l.block + 1).max().unwrap_or(0);
    let _ = write!(out, "{:>16}", "distance");
    for block in 1..=blocks {
        let _ = write!(out, "{:>9}", format!("block {block}"));
    }
    out.push('\n');
    for span in spans {
        let _ = write!(out, "{:>16}", span.to_string());
        for block in 0..blocks {
            let of = found.levels.iter().find(|l| l.block == block && l.span == span);
            let _ = match of {
                Some(level) => write!(out, "{:>9.4}", level.mixing),
                None => write!(out, "{:>9}", "–"),
            };
        }
        out.push('\n');
    }
    out
}

fn moves(layer: &LayerInspection, names: &[String]) -> String {
    let moved: Vec<_> = layer.nearest_permutation.iter().enumerate().filter(|(i, j)| i != *j).collect();
    let mut parts: Vec<String> = moved
        .iter()
        .take(NAMED)
        .map(|&(i, &j)| format!("{} to place {}", names[layer.carried[j]], i + 1))
        .collect();
    if moved.len() > NAMED {
        parts.push(format!("and {} more", moved.len() - NAMED));
    }
    parts.join(", ")
}

fn mixed(layer: &LayerInspection, names: &[String]) -> String {
    let pairs: Vec<String> = layer
        .mixed
        .iter()
        .take(NAMED)
        .map(|p| format!("{} with {} ({:.2})", names[p.first], names[p.second], p.strength))
        .collect();
    if pairs.is_empty() { "nothing".into() } else { pairs.join(", ") }
}
