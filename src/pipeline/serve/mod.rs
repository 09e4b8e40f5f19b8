//! `serve`: a model that is loaded once and answers requests of another program, one after the other, until
//! its input ends. `src/guide/serve.md` describes the protocol.
//!
//! Records that come with a request are put into a file and go the way of `score --input FILE`, so that the
//! answers are the same to the bit. An answer is written whole before its first byte is sent: a request
//! either fails with a reason or is answered completely.

mod frame;
mod request;

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::flag::flag_by;
use super::flag_output::FlagRequest;
use super::impute::{ImputeRequest, impute_by};
use super::sample::{SampleRequest, sample_of};
use super::score::{ScoreRequest, score_by};
use super::{Error, RecordsSource};
use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::features::DrawsBy;
use crate::ingest::{self, NoProgress};
use crate::message::Message;
use crate::output::Scratch;
use crate::plain_file;
use crate::random::Seed;
use crate::schema::Kind;
use frame::{Chunks, read_line, write_chunks};
use request::{Request, Task};

/// Version of the protocol; another one is not understood by programs written for this one.
const PROTOCOL: u32 = 1;
/// Candidates of a completion where a request does not say.
const IMPORTANCE_SAMPLES: usize = 256;
/// Most records of one sample, as on the command line.
const MOST_SAMPLED: usize = 100_000_000;

/// Answers requests on `input` about the model in the folder `model`, until the input ends.
///
/// # Errors
/// A model that cannot be loaded; a request that cannot be read, after which nobody knows where the next one
/// begins; a stream that breaks off. What is wrong with the records of a request is told in its answer.
pub fn serve(model: &Path, input: &mut impl BufRead, output: &mut impl Write) -> Result<(), Error> {
    let service = Service { model: ModelArtifact::load(model)?, folder: model, scratch: Scratch::new()? };
    send(output, &json!({ "ready": service.description() }))?;
    loop {
        let Some(line) = read_line(input).map_err(reading)? else { return Ok(()) };
        let Request { id, task } = match Request::read(&line) {
            Ok(request) => request,
            Err(error) => {
                send(output, &refusal(&Value::Null, &error))?;
                return Err(error);
            }
        };
        let records = task
            .has_data()
            .then(|| ingest::spool(&mut Chunks::new(input), service.scratch.path(), "records"))
            .transpose()?;
        match service.answer(&task, records.as_deref()) {
            Ok(answer) => {
                let mut line = answer.facts;
                line["id"] = id;
                line["ok"] = true.into();
                line["messages"] = json!(answer.messages);
                line["data"] = answer.table.is_some().into();
                write_line(output, &line).map_err(writing)?;
                if let Some(table) = &answer.table {
                    let mut file = plain_file::open(table).map_err(IoError::on("read", table))?;
                    write_chunks(&mut file, output).map_err(writing)?;
                }
                output.flush().map_err(writing)?;
            }
            Err(error) => send(output, &refusal(&id, &error))?,
        }
    }
}

fn refusal(id: &Value, error: &Error) -> Value {
    json!({ "id": id, "ok": false, "error": error.account() })
}

fn write_line(output: &mut impl Write, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

fn send(output: &mut impl Write, line: &Value) -> Result<(), Error> {
    Ok(write_line(output, line).and_then(|()| output.flush()).map_err(writing)?)
}

fn reading(error: io::Error) -> IoError {
    IoError::on("read", Path::new("the requests"))(error)
}

fn writing(error: io::Error) -> IoError {
    IoError::on("write", Path::new("the answers"))(error)
}

/// A model with all that its answers need.
struct Service<'m> {
    model: ModelArtifact,
    folder: &'m Path,
    scratch: Scratch,
}

/// What is sent back.
struct Answer {
    table: Option<PathBuf>,
    messages: Vec<Message>,
    facts: Value,
}

impl Service<'_> {
    /// What the model is and which columns it asks for.
    fn description(&self) -> Value {
        let header = &self.model.header;
        let columns = &self.model.encoder.columns;
        let features: Vec<Value> = columns
            .iter()
            .map(|column| {
                let text = column.meta.kind == Kind::Categorical || !column.levels.is_empty();
                json!({
                    "name": column.meta.name,
                    "kind": column.meta.kind,
                    "unit": column.meta.unit,
                    "levels": text.then_some(&column.levels),
                })
            })
            .collect();
        json!({
            "protocol": PROTOCOL,
            "version": env!("CARGO_PKG_VERSION"),
            "family": header.family.kind.name(),
            "features": features,
            "condition_on": header.condition_on,
            "n_calibration": self.model.calibration.len(),
            "score_draws": header.score_draws,
        })
    }

    fn answer(&self, task: &Task, records: Option<&Path>) -> Result<Answer, Error> {
        let output = self.scratch.path().join("answer.arrow");
        let given =
            || records.ok_or_else(|| Error::Protocol { message: "the request has no records".into() });
        let told = |messages, facts| Answer { table: Some(output.clone()), messages, facts };
        match task {
            Task::Describe {} => Ok(Answer {
                table: None,
                messages: Vec::new(),
                facts: json!({ "model": self.description() }),
            }),
            Task::Score { draws, seed } => {
                let request = ScoreRequest {
                    draws_by: DrawsBy::default(),
                    model: self.folder,
                    records: RecordsSource::Table(given()?),
                    output: &output,
                    force: true,
                    draws: *draws,
                    seed: seed.map(Seed),
                    importance_samples: None,
                };
                Ok(told(score_by(&self.model, &request, &NoProgress)?, json!({})))
            }
            Task::Flag { alpha, fdr, score, explain, also_explain, top, seed } => {
                let request = FlagRequest {
                    draws_by: DrawsBy::default(),
                    draws: None,
                    maps: None,
                    model: self.folder,
                    records: RecordsSource::Table(given()?),
                    output: &output,
                    force: true,
                    rule: Task::rule(*alpha, *fdr)?,
                    score: Task::kind(score.as_deref())?,
                    explain: explain.unwrap_or(3).min(20),
                    also_explain: also_explain.unwrap_or(0),
                    top: *top,
                    json: None,
                    reference: None,
                    seed: Seed(seed.unwrap_or(1)),
                };
                let summary = flag_by(&self.model, &request, &NoProgress)?;
                let facts = json!({
                    "n_records": summary.n_records,
                    "n_flagged": summary.n_flagged,
                    "n_calibration": summary.n_calibration,
                });
                Ok(told(summary.messages, facts))
            }
            Task::Sample { n, seed } => {
                in_range("n", *n, 1, MOST_SAMPLED)?;
                let seed = Seed(seed.unwrap_or(1));
                let request = SampleRequest { model: self.folder, n: *n, output: &output, force: true, seed };
                sample_of(&self.model, &request)?;
                Ok(told(Vec::new(), json!({})))
            }
            Task::Complete { n, importance_samples, seed } => {
                let samples = importance_samples.unwrap_or(IMPORTANCE_SAMPLES);
                in_range("n", *n, 1, MOST_SAMPLED)?;
                in_range("importance_samples", samples, 2, 1_000_000)?;
                let request = ImputeRequest {
                    model: self.folder,
                    given: given()?,
                    mask: None,
                    n: *n,
                    output: &output,
                    force: true,
                    samples,
                    seed: Seed(seed.unwrap_or(1)),
                };
                Ok(told(impute_by(&self.model, &request)?, json!({})))
            }
        }
    }
}

fn in_range(name: &str, value: usize, least: usize, most: usize) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::Protocol { message: format!("`{name}` is {value}; it lies between {least} and {most}") })
}
