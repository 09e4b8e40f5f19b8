//! `serve`, `--input -` and `--output -`: what comes through a pipe is judged as the same table in a file.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{bundle, command, succeed, table};

/// A bundle, a mixture, and a table of new records as CSV.
fn prepare(dir: &Path) {
    bundle(dir, 300);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    fs::write(dir.join("new.csv"), table(40, 2)).unwrap();
}

struct Session {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Session {
    fn begin(dir: &Path) -> (Self, Value) {
        let mut command = command(dir, &["serve", "model", "--stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("TMPDIR", dir);
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut session = Self { child, answers };
        let ready = session.line();
        (session, ready["ready"].clone())
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"))
    }

    fn ask(&mut self, request: &str, records: Option<&[u8]>) -> (Value, Vec<u8>) {
        let pipe = self.child.stdin.as_mut().unwrap();
        writeln!(pipe, "{request}").unwrap();
        if let Some(records) = records {
            for chunk in records.chunks(1000) {
                pipe.write_all(&u32::try_from(chunk.len()).unwrap().to_le_bytes()).unwrap();
                pipe.write_all(chunk).unwrap();
            }
            pipe.write_all(&[0; 4]).unwrap();
        }
        pipe.flush().unwrap();
        let answer = self.line();
        let mut data = Vec::new();
        if answer["data"] == true {
            while let Some(chunk) = self.chunk() {
                data.extend(chunk);
            }
        }
        (answer, data)
    }

    /// The next chunk of an answer; none at its end.
    fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.answers.read_exact(&mut length).unwrap();
        let mut chunk = vec![0; u32::from_le_bytes(length) as usize];
        self.answers.read_exact(&mut chunk).unwrap();
        (!chunk.is_empty()).then_some(chunk)
    }

    /// Closes the requests and returns the exit status.
    fn end(mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_served_model_answers_as_the_commands_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    prepare(dir);
    let (mut session, ready) = Session::begin(dir);
    assert_eq!((&ready["protocol"], &ready["family"]), (&1.into(), &"gmm".into()));
    assert_eq!(ready["features"].as_array().unwrap().len(), 6);

    let records = fs::read(dir.join("new.csv")).unwrap();
    let file = |name: &str| fs::read(dir.join(name)).unwrap();
    succeed(dir, &["score", "model", "--input", "new.csv", "--output", "scores.arrow"]);
    let (answer, scores) = session.ask(r#"{"id":1,"do":"score"}"#, Some(&records));
    assert_eq!((&answer["id"], &answer["ok"]), (&1.into(), &true.into()));
    assert!(scores == file("scores.arrow"), "the scores are those of the file, byte for byte");

    succeed(dir, &["flag", "model", "--input", "new.csv", "--output", "flags.arrow", "--alpha", "0.1"]);
    let (answer, flags) = session.ask(r#"{"id":"b","do":"flag","alpha":0.1}"#, Some(&records));
    assert!(flags == file("flags.arrow"));
    assert_eq!((&answer["id"], &answer["n_records"]), (&"b".into(), &40.into()));

    succeed(dir, &["sample", "model", "--n", "5", "--seed", "3", "--output", "sample.arrow"]);
    assert!(session.ask(r#"{"do":"sample","n":5,"seed":3}"#, None).1 == file("sample.arrow"));

    let holes = "heart_rate,sbp,map,gcs,sex,lactate\n80,,90,15,F,\n";
    fs::write(dir.join("holes.csv"), holes).unwrap();
    succeed(dir, &["sample", "model", "--given", "holes.csv", "--n", "3", "--output", "complete.arrow"]);
    let (_, completed) = session.ask(r#"{"do":"complete","n":3}"#, Some(holes.as_bytes()));
    assert!(completed == file("complete.arrow"));

    let (answer, _) = session.ask(r#"{"do":"describe"}"#, None);
    assert_eq!(answer["model"], ready);
    assert_eq!(session.end(), Some(0));
    let left = fs::read_dir(dir)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("cohort-flow-"));
    assert_eq!(left.count(), 0, "the folder for records is gone");
}

#[test]
fn a_wrong_request_is_answered_and_the_next_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    prepare(dir);
    let (mut session, _) = Session::begin(dir);
    let mut refused = |request: &str, records: Option<&[u8]>| {
        let (answer, data) = session.ask(request, records);
        assert!(answer["ok"] == false && data.is_empty(), "{request}: {answer}");
        answer["error"].clone()
    };
    let error = refused(r#"{"do":"score"}"#, Some(b"id,heart_rate\n1,80\n"));
    assert_eq!(error["kind"], "input");
    assert!(error["message"].as_str().unwrap().contains("sbp") && error["hint"].is_string(), "{error}");
    assert_eq!(refused(r#"{"do":"score"}"#, Some(b""))["kind"], "input");
    assert_eq!(refused(r#"{"do":"flag","alpha":2}"#, Some(b"x\n1\n"))["kind"], "protocol");
    assert_eq!(refused(r#"{"do":"sample","n":0}"#, None)["kind"], "protocol");
    let records = fs::read(dir.join("new.csv")).unwrap();
    assert_eq!(session.ask(r#"{"do":"score"}"#, Some(&records)).0["ok"], true);
    // Nobody knows what follows a line that is no request.
    let (answer, _) = session.ask("score, please", None);
    assert_eq!(answer["error"]["kind"], "protocol");
    assert_eq!(session.end(), Some(2));
}

/// Runs with a text on standard input, and returns standard output.
fn piped(dir: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = command(dir, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn tables_come_and_go_through_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    prepare(dir);
    let csv = fs::read(dir.join("table.csv")).unwrap();
    piped(dir, &["ingest", "wide-table", "--input", "-", "--output", "piped"], &csv);
    let tensor = |bundle: &str| fs::read(dir.join(bundle).join("tensor.safetensors")).unwrap();
    assert!(tensor("piped") == tensor("bundle"));

    let new = fs::read(dir.join("new.csv")).unwrap();
    for verb in ["score", "flag"] {
        succeed(dir, &[verb, "model", "--input", "new.csv", "--output", "file.csv", "--force"]);
        let out = piped(dir, &[verb, "model", "--input", "-", "--output", "-"], &new);
        assert!(out == fs::read(dir.join("file.csv")).unwrap(), "{verb}");
    }
    // An Arrow stream is told from its first bytes.
    succeed(dir, &["sample", "model", "--n", "30", "--output", "table.arrow"]);
    let stream = fs::read(dir.join("table.arrow")).unwrap();
    succeed(dir, &["score", "model", "--input", "table.arrow", "--output", "file.csv", "--force"]);
    let out = piped(dir, &["score", "model", "--input", "-", "--output", "-"], &stream);
    assert!(out == fs::read(dir.join("file.csv")).unwrap());
}

#[test]
fn another_program_is_told_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    bundle(dir, 300);
    let output =
        command(dir, &["fit", "bundle", "--output", "bundle", "--messages", "json"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let events: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let error = events.last().unwrap();
    assert_eq!((&error["event"], &error["kind"]), (&"error".into(), &"output".into()), "{stderr}");
    assert!(error["message"].is_string() && error["hint"].is_string());
    let args = ["ingest", "wide-table", "--input", "table.csv", "--output", "again", "--messages", "json"];
    let stderr = String::from_utf8(command(dir, &args).output().unwrap().stderr).unwrap();
    let kinds: Vec<Value> =
        stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone()).collect();
    assert!(kinds.contains(&"note".into()) && kinds.contains(&"progress".into()), "{stderr}");
}

#[test]
fn shells_and_manuals_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for shell in ["bash", "zsh", "fish"] {
        let script =
            String::from_utf8(command(dir, &["completions", shell]).output().unwrap().stdout).unwrap();
        for word in ["ingest", "check", "time-budget", "calibrate-by"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    succeed(dir, &["man", "--output", "man"]);
    let page = fs::read_to_string(dir.join("man/cohort-flow-fit.1")).unwrap();
    assert!(page.contains("time\\-budget") && page.contains("Examples"), "{page}");
    assert!(fs::read_dir(dir.join("man")).unwrap().count() > 12);
}
