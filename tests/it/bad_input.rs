//! Bad input gets a clear error that names file, row or column and a remedy, and leaves nothing behind. One
//! test each.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{bundle, command, fail, listing, run, succeed, table};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

const QUICK: [&str; 6] = ["--preset", "small", "--epochs", "2", "--threads", "1"];

fn fit(dir: &Path, output: &str) {
    let mut args = vec!["fit", "bundle", "--output", output];
    args.extend(QUICK);
    succeed(dir, &args);
}

#[test]
fn a_url_is_refused() {
    let dir = folder();
    fail(
        dir.path(),
        &["ingest", "wide-table", "--input", "https://example.org/t.csv", "--output", "b"],
        &["://", "hint"],
    );
}

#[test]
fn a_missing_table_is_named() {
    let dir = folder();
    let extract = dir.path().join("extract");
    fs::create_dir(&extract).unwrap();
    fs::write(extract.join("PATIENTS.csv"), "SUBJECT_ID,GENDER,DOB\n1,F,2100-01-01 00:00:00\n").unwrap();
    fail(
        dir.path(),
        &["ingest", "mimic3-first-24h", "--input", "extract", "--output", "b"],
        &["ICUSTAYS", "hint"],
    );
}

#[test]
fn an_empty_file_is_named() {
    let dir = folder();
    fs::write(dir.path().join("empty.csv"), "").unwrap();
    fail(dir.path(), &["ingest", "wide-table", "--input", "empty.csv", "--output", "b"], &["empty.csv"]);
}

#[test]
fn a_stray_text_is_counted_and_located() {
    let dir = folder();
    let text = table(300, 1).replacen("p7,", "p7,fast and ", 1);
    fs::write(dir.path().join("t.csv"), text).unwrap();
    let declared = ["--set", "role.heart_rate=continuous"];
    let args = ["ingest", "wide-table", "--input", "t.csv", "--output", "b"];
    let said = succeed(dir.path(), &[&args[..], &declared[..]].concat());
    assert!(said.contains("`heart_rate`") && said.contains("line 9") && !said.contains("fast and"), "{said}");
}

#[test]
fn an_infinity_is_counted_and_located() {
    let dir = folder();
    let text = table(300, 1).replacen("p7,", "p7,inf\u{0}", 1);
    let (before, after) = text.split_once("inf\u{0}").unwrap();
    let text = format!("{before}inf{}", &after[after.find(',').unwrap()..]);
    fs::write(dir.path().join("t.csv"), text).unwrap();
    let said = succeed(dir.path(), &["ingest", "wide-table", "--input", "t.csv", "--output", "b"]);
    assert!(
        said.contains("`heart_rate`") && said.contains("1 infinite") && said.contains("line 9"),
        "{said}"
    );
}

#[test]
fn a_truncated_gz_is_never_a_short_read() {
    use std::io::Write as _;
    let dir = folder();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(table(5000, 1).as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    fs::write(dir.path().join("t.csv.gz"), &whole[..whole.len() / 2]).unwrap();
    fail(dir.path(), &["ingest", "wide-table", "--input", "t.csv.gz", "--output", "b"], &["t.csv.gz"]);
}

#[test]
fn all_schema_problems_come_at_once_with_their_lines() {
    let dir = folder();
    fs::write(
        dir.path().join("mine.toml"),
        "name = \"mine\"\ntitle = \"t\"\nschema = \"mimic3\"\nseed = 1\nfeatures = [\"heart_rat\", \
         \"sbp:medain\"]\n[window]\nstart = 24\nend = 0\n",
    )
    .unwrap();
    let output = run(dir.path(), &["schema", "check", "mine.toml"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["heart_rate", "medain", "mine.toml:5", "window"] {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
    fail(dir.path(), &["ingest", "mine.toml", "--input", ".", "--output", "b"], &["heart_rat", "medain"]);
}

#[test]
fn an_unknown_pipeline_names_the_known_ones() {
    let dir = folder();
    fail(
        dir.path(),
        &["ingest", "mimic3-frist-24h", "--input", ".", "--output", "b"],
        &["mimic3-frist-24h", "mimic3-first-24h"],
    );
}

#[test]
fn unknown_settings_are_listed_together() {
    let dir = folder();
    fs::write(dir.path().join("t.csv"), table(100, 1)).unwrap();
    fail(
        dir.path(),
        &[
            "ingest",
            "wide-table",
            "--input",
            "t.csv",
            "--output",
            "b",
            "--set",
            "colour=red",
            "--set",
            "transform=magic",
        ],
        &["colour", "magic", "normal-score"],
    );
    bundle(dir.path(), 300);
    fail(
        dir.path(),
        &["fit", "bundle", "--output", "m", "--set", "colour=red", "--set", "dropout=2"],
        &["colour", "dropout"],
    );
}

#[test]
fn a_bundle_of_another_version_is_refused() {
    let dir = folder();
    bundle(dir.path(), 300);
    let path = dir.path().join("bundle/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"format_version\": 2", "\"format_version\": 99", 1)).unwrap();
    fail(dir.path(), &["fit", "bundle", "--output", "m"], &["99", "hint"]);
}

#[test]
fn a_damaged_bundle_is_refused() {
    let dir = folder();
    bundle(dir.path(), 300);
    let path = dir.path().join("bundle/tensor.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    fail(dir.path(), &["fit", "bundle", "--output", "m"], &["tensor.safetensors"]);
}

#[test]
fn a_model_that_does_not_fit_the_bundle_is_refused() {
    let dir = folder();
    bundle(dir.path(), 300);
    fit(dir.path(), "model");
    let rows: Vec<String> = (0..200).map(|i| format!("{i},{}.5,{}.25", i * 7 % 31, i * 11 % 17)).collect();
    fs::write(dir.path().join("other.csv"), format!("id,a,b\n{}\n", rows.join("\n"))).unwrap();
    succeed(dir.path(), &["ingest", "wide-table", "--input", "other.csv", "--output", "other"]);
    fail(dir.path(), &["report", "other", "--model", "model", "--output", "r.html"], &["heart_rate"]);
    fail(
        dir.path(),
        &["flag", "model", "--input", "other.csv", "--output", "f.csv"],
        &["heart_rate", "lactate"],
    );
}

#[test]
fn a_damaged_model_is_refused() {
    let dir = folder();
    bundle(dir.path(), 300);
    fit(dir.path(), "model");
    let path = dir.path().join("model/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    fail(dir.path(), &["sample", "model", "--n", "5", "--output", "s.csv"], &["model.safetensors"]);
}

#[test]
fn an_all_null_feature_is_left_out_with_a_warning() {
    let dir = folder();
    let text: String = table(300, 1)
        .lines()
        .enumerate()
        .map(|(i, l)| if i == 0 { format!("{l},nothing\n") } else { format!("{l},\n") })
        .collect();
    fs::write(dir.path().join("t.csv"), text).unwrap();
    let said = succeed(dir.path(), &["ingest", "wide-table", "--input", "t.csv", "--output", "b"]);
    assert!(said.contains("nothing"), "{said}");
}

#[test]
fn one_patient_is_an_error_that_says_so() {
    let dir = folder();
    fs::write(dir.path().join("t.csv"), table(1, 1)).unwrap();
    fail(dir.path(), &["ingest", "wide-table", "--input", "t.csv", "--output", "b"], &["split"]);
}

#[test]
fn fewer_records_than_features_still_gives_a_sound_model() {
    let dir = folder();
    let header: Vec<String> = (0..40).map(|j| format!("x{j}")).collect();
    let rows: String = (0..30)
        .map(|i| {
            (0..40)
                .map(|j| format!("{:.3}", f64::from((i * 37 + j * 91) % 101) / 7.0))
                .collect::<Vec<_>>()
                .join(",")
                + "\n"
        })
        .collect();
    fs::write(dir.path().join("t.csv"), header.join(",") + "\n" + &rows).unwrap();
    succeed(dir.path(), &["ingest", "wide-table", "--input", "t.csv", "--output", "bundle"]);
    fit(dir.path(), "model");
    let metrics = fs::read_to_string(dir.path().join("model/metrics.json")).unwrap();
    assert!(!metrics.contains("null,\n      \"standard_error\""), "{metrics}");
    succeed(dir.path(), &["score", "model", "bundle", "--output", "s.csv"]);
    assert!(!fs::read_to_string(dir.path().join("s.csv")).unwrap().contains("NaN"));
}

#[test]
fn an_existing_output_is_kept() {
    let dir = folder();
    bundle(dir.path(), 300);
    fail(
        dir.path(),
        &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"],
        &["exists", "--force"],
    );
    succeed(dir.path(), &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle", "--force"]);
}

/// A file-size limit stands in for a full disk: the write fails half-way, as it does without space.
#[test]
fn a_full_disk_leaves_the_former_output() {
    let dir = folder();
    bundle(dir.path(), 3000);
    let before = listing(dir.path());
    let script =
        "trap '' XFSZ; ulimit -f 16; exec \"$0\" ingest wide-table --input table.csv --output bundle --force";
    let output = Command::new("sh")
        .current_dir(dir.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_cohort-flow")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("error") && !text.contains("panicked"), "{text}");
    assert_eq!(before, listing(dir.path()));
}

#[test]
fn an_interrupted_fit_resumes_to_the_same_bytes() {
    let dir = folder();
    bundle(dir.path(), 2000);
    let args = |output: &'static str| {
        vec![
            "fit",
            "bundle",
            "--output",
            output,
            "--preset",
            "small",
            "--epochs",
            "200",
            "--set",
            "patience=200",
            "--set",
            "checkpoint_epochs=1",
        ]
    };
    succeed(dir.path(), &args("whole"));

    // The first state says that training is under way: how long that takes depends on the machine.
    let mut child = command(dir.path(), &args("cut")).spawn().unwrap();
    let state = dir.path().join("cut.checkpoint/state.safetensors");
    let start = Instant::now();
    while !state.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success(), "the fit was over before it could be interrupted");
    let start = Instant::now();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(!dir.path().join("cut").exists());

    let mut resume = args("cut");
    resume.push("--resume");
    succeed(dir.path(), &resume);
    for file in ["model.safetensors", "model.json", "history.csv"] {
        let read = |model: &str| fs::read(dir.path().join(model).join(file)).unwrap();
        assert!(read("whole") == read("cut"), "{file} differs after a resume");
    }
    assert!(listing(dir.path()).iter().all(|(p, _)| !p.to_string_lossy().contains(".partial")));
}
