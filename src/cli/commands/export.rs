//! `export`.

use crate::pipeline::{self, DeployRequest, Error, ExportRequest, ModelFormat};

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::grouped;
use crate::cli::streams::Output;
use crate::schema::Split;

pub(super) fn run(args: &args::Export, console: &Console) -> Result {
    match &args.format {
        Some(word) => of_model(args, word, console),
        None if pipeline::is_model(&args.source) => Err(Error::Usage {
            message: format!(
                "{} is a model, which can be exported in more than one form",
                args.source.display()
            ),
            hint: "name one: --format mlflow, --format onnx or --format card".into(),
        }),
        None => of_records(args, console),
    }
}

fn of_model(args: &args::Export, word: &str, console: &Console) -> Result {
    let Some(format) = ModelFormat::ALL.into_iter().find(|format| format.name() == word) else {
        return Err(Error::Usage {
            message: format!("there is no form {word} of a model"),
            hint: "use --format mlflow, --format onnx or --format card".into(),
        });
    };
    let (output, force) = (args.output.output.as_path(), args.output.force);
    let bundle = args.input.as_deref();
    let draws = args.draws.map(|n| n as usize);
    if format != ModelFormat::Onnx && (bundle.is_some() || draws.is_some() || args.score.is_some()) {
        return Err(Error::Usage {
            message: format!("--input, --draws and --score do not apply to --format {word}"),
            hint: "they belong to --format onnx; leave them out".into(),
        });
    }
    let score = args.score.unwrap_or_default();
    let request = DeployRequest { model: &args.source, output, force, format, bundle, draws, score };
    pipeline::deploy(&request)?;
    console.note(&format!("wrote {}", output.display()));
    Ok(Outcome::Done)
}

fn of_records(args: &args::Export, console: &Console) -> Result {
    let split =
        args.split.as_ref().and_then(|name| Split::ALL.into_iter().find(|split| split.name() == name));
    let (output, force) = (Output::of(&args.output.output)?, args.output.force);
    let request = ExportRequest { bundle: &args.source, output: output.path(), force, split };
    let n = pipeline::export(&request)?;
    console.note(&format!("wrote {} records to {}", grouped(n as u64), output.finish()?));
    Ok(Outcome::Done)
}
