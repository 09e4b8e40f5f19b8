//! `export`.

use crate::pipeline::{self, ExportRequest};

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::grouped;
use crate::cli::streams::Output;
use crate::schema::Split;

pub(super) fn run(args: &args::Export, console: &Console) -> Result {
    let split =
        args.split.as_ref().and_then(|name| Split::ALL.into_iter().find(|split| split.name() == name));
    let (output, force) = (Output::of(&args.output.output)?, args.output.force);
    let request = ExportRequest { bundle: &args.bundle, output: output.path(), force, split };
    let n = pipeline::export(&request)?;
    console.note(&format!("wrote {} records to {}", grouped(n as u64), output.finish()?));
    Ok(Outcome::Done)
}
