//! `export`.

use crate::pipeline::{self, ExportRequest};

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::grouped;
use crate::schema::Split;

pub(super) fn run(args: &args::Export, console: &Console) -> Result {
    let split =
        args.split.as_ref().and_then(|name| Split::ALL.into_iter().find(|split| split.name() == name));
    let (output, force) = (args.output.output.as_path(), args.output.force);
    let n = pipeline::export(&ExportRequest { bundle: &args.bundle, output, force, split })?;
    console.note(&format!("wrote {} records to {}", grouped(n as u64), output.display()));
    Ok(Outcome::Done)
}
