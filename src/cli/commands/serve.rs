//! `serve`: answers requests of another program on standard input.

use std::io::{BufWriter, stdin, stdout};

use crate::pipeline;

use crate::cli::args;
use crate::cli::exit::{Outcome, Result};

pub(super) fn run(args: &args::Serve) -> Result {
    let mut output = BufWriter::with_capacity(1 << 16, stdout().lock());
    pipeline::serve(&args.model, &mut stdin().lock(), &mut output)?;
    Ok(Outcome::Done)
}
