//! `figure`: one figure of the report.

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::pipeline::{self, FigureRequest};
use crate::random::Seed;

pub(super) fn run(args: &args::Figure, console: &Console) -> Result {
    pipeline::draw(&FigureRequest {
        drawing: args.drawing,
        input: &args.input,
        model: args.model.as_deref(),
        output: &args.output.output,
        force: args.output.force,
        identifiable: args.identifiable,
        seed: Seed(args.seed),
    })?;
    console.note(&format!("wrote {}", args.output.output.display()));
    Ok(Outcome::Done)
}
