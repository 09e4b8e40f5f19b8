//! What several tests need: the program, small tables of our own making, and the place of the real data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cohort_flow::random::Seed;
use rand::RngExt;

/// The program under test with `args`, in `dir`.
pub(crate) fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohort-flow"));
    command.current_dir(dir).args(args).env_remove("COHORT_FLOW_LOG").env("NO_COLOR", "1");
    command
}

/// Runs to the end.
pub(crate) fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().expect("the program starts")
}

/// Runs and expects success; shows everything otherwise.
pub(crate) fn succeed(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    let (stdout, stderr) = texts(&output);
    assert!(output.status.success(), "{args:?} ended with {}\n{stdout}\n{stderr}", output.status);
    stderr
}

/// Runs and expects exit code 2, an `error:` that holds every one of `parts`, no panic, and no new file in
/// `dir`.
pub(crate) fn fail(dir: &Path, args: &[&str], parts: &[&str]) -> String {
    let before = listing(dir);
    let output = run(dir, args);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}\n{stdout}\n{stderr}");
    assert!(stderr.contains("error"), "{args:?} says no error:\n{stderr}");
    assert!(!stderr.contains("panicked"), "{args:?} panicked:\n{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{args:?} does not say `{part}`:\n{stderr}");
    }
    assert_eq!(before, listing(dir), "{args:?} left something behind");
    stderr
}

fn texts(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Everything below `dir`, sorted, with sizes.
pub(crate) fn listing(dir: &Path) -> Vec<(PathBuf, u64)> {
    let mut out = Vec::new();
    let mut stack = vec![dir.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in std::fs::read_dir(&dir).expect("a folder of the test") {
            let entry = entry.expect("an entry");
            let meta = entry.metadata().expect("metadata");
            if meta.is_dir() {
                stack.push(entry.path());
            }
            out.push((entry.path(), if meta.is_dir() { 0 } else { meta.len() }));
        }
    }
    out.sort();
    out
}

/// A CSV with `id` and three dependent measurements, a count, a sex and a partly missing lab.
pub(crate) fn table(n: usize, seed: u64) -> String {
    let mut rng = Seed(seed).stream("test table", 0);
    let mut normal = || -> f64 { (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0 };
    let mut out = String::from("id,heart_rate,sbp,map,gcs,sex,lactate\n");
    for i in 0..n {
        let severity = normal();
        let hr = 80.0 + 12.0 * severity + 6.0 * normal();
        let sbp = 125.0 - 14.0 * severity + 9.0 * normal();
        let map = 0.7 * sbp + 3.0 * normal();
        let gcs = (14.0 - 2.0 * severity.max(0.0) + 0.5 * normal()).round().clamp(3.0, 15.0);
        let sex = if normal() > 0.0 { "F" } else { "M" };
        let lactate = if severity + normal() > 0.0 {
            format!("{:.1}", (0.5 + 0.4 * severity + 0.2 * normal()).exp())
        } else {
            String::new()
        };
        writeln!(out, "p{i},{hr:.0},{sbp:.0},{map:.1},{gcs:.0},{sex},{lactate}").expect("a string grows");
    }
    out
}

/// Writes [`table`] and ingests it into `bundle`.
pub(crate) fn bundle(dir: &Path, n: usize) {
    std::fs::write(dir.join("table.csv"), table(n, 1)).expect("a small file");
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
}

/// A file or folder of the data that lie beside the project, if they are there. Says that a test is skipped
/// otherwise.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !found.exists() {
        skipped(&format!("../shared/{path}"));
        return None;
    }
    Some(found)
}

/// Notes that the test, or a part of it, is skipped for want of something. The target `skipped`, which runs
/// after this one, counts the notes and shows them.
pub(crate) fn skipped(for_want_of: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped.tsv");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    // One write for each line, so that lines of tests that run side by side do not mix.
    file.and_then(|mut file| file.write_all(format!("{test}\t{for_want_of}\n").as_bytes()))
        .expect("the folder for what tests leave behind");
}

/// A gzipped table as rows of cells by header.
pub(crate) fn gzipped_rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(fs::File::open(path).unwrap()));
    let header = reader.headers().unwrap().clone();
    let named = |row: csv::StringRecord| {
        header.iter().zip(row.iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(|row| named(row.unwrap())).collect()
}
