//! Fits that must end in a clear error or a sound model whatever the data or the user do: killed processes,
//! damaged checkpoints, outliers, degenerate columns, absurd settings.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cohort_flow::artifact::ModelArtifact;
use cohort_flow::random::Seed;
use rand::RngExt;

use crate::support::{bundle, command, fail, run, succeed};

/// A fit that goes on for long enough to be killed at any stage, an ensemble so that it may be hit between
/// members too.
const LONG: [&str; 12] = [
    "--preset",
    "small",
    "--epochs",
    "20",
    "--set",
    "patience=100",
    "--set",
    "checkpoint_epochs=3",
    "--ensemble",
    "2",
    "--threads",
    "1",
];

fn args<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["fit", "bundle", "--output", output], more].concat()
}

#[test]
fn a_fit_killed_at_ten_random_moments_ends_in_the_bytes_of_an_undisturbed_one() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 1000);
    let start = Instant::now();
    succeed(dir, &args("whole", &LONG));
    let mut whole = start.elapsed();
    let mut rng = Seed(17).stream("kill", 0);
    let mut killed = 0;
    // Fits that were over first do not count, and say how long one takes now that the machine is less busy.
    for round in 0..40 {
        if killed == 10 {
            break;
        }
        let output = format!("cut{round}");
        let start = Instant::now();
        let mut child = command(dir, &args(&output, &LONG)).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(rng.random::<f64>() * 0.9));
        let finished = child.try_wait().unwrap().is_some();
        // SIGKILL: no handler runs, nothing is flushed.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if !status.success() {
            killed += 1;
            assert!(!dir.join(&output).exists());
            succeed(dir, &args(&output, &[&LONG[..], &["--resume"]].concat()));
        }
        if finished {
            whole = whole.min(start.elapsed()).mul_f64(0.7);
        }
        for file in ["model.safetensors", "model.json", "history.csv"] {
            let read = |model: &str| fs::read(dir.join(model).join(file)).unwrap();
            assert!(read("whole") == read(&output), "{file} differs after kill {round}");
        }
        assert!(!dir.join(format!("{output}.checkpoint")).exists());
    }
    assert_eq!(killed, 10, "fits were over before they could be killed");
}

#[test]
fn a_damaged_checkpoint_and_one_of_another_shape_are_named() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 1000);
    let settings =
        ["--preset", "small", "--epochs", "200", "--set", "patience=200", "--set", "checkpoint_epochs=1"];
    let mut child = command(dir, &args("model", &settings)).stderr(Stdio::null()).spawn().unwrap();
    let state = dir.join("model.checkpoint/state.safetensors");
    let started = Instant::now();
    while !state.exists() {
        assert!(started.elapsed() < Duration::from_mins(1), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resume = [&settings[..], &["--resume"]].concat();
    let other = [&resume[..], &["--set", "hidden=16"]].concat();
    fail(dir, &args("model", &other), &["belongs to another run", "hidden", "hint"]);
    let bytes = fs::read(&state).unwrap();
    fs::write(&state, &bytes[..bytes.len() / 2]).unwrap();
    fail(dir, &args("model", &resume), &["state.safetensors", "damaged", "hint"]);
}

/// A table of numbers, one column per name, ingested untouched or by the defaults.
fn ingest(dir: &Path, columns: &[(&str, Vec<f64>)], untouched: bool) -> bool {
    let n = columns[0].1.len();
    let names: Vec<&str> = columns.iter().map(|c| c.0).collect();
    let rows = (0..n).map(|i| columns.iter().map(|c| c.1[i].to_string()).collect::<Vec<_>>().join(","));
    let text = names.join(",") + "\n" + &rows.collect::<Vec<_>>().join("\n") + "\n";
    fs::write(dir.join("t.csv"), text).unwrap();
    let mut args = vec!["ingest", "wide-table", "--input", "t.csv", "--output", "bundle", "--force"];
    if untouched {
        args.extend(["--set", "transform=none", "--set", "dequantize=none"]);
    }
    let output = run(dir, &args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || clear(&text), "{text}");
    output.status.success()
}

fn clear(text: &str) -> bool {
    text.contains("error") && !text.contains("panicked")
}

/// Fits and expects a model all of whose numbers are finite, or a clear error and no model.
fn sound(dir: &Path, more: &[&str]) {
    let name = "model";
    let output = run(dir, &args(name, &[&["--force"], more].concat()));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        assert!(output.status.code() == Some(2) && clear(&text), "{more:?}: {text}");
        return;
    }
    // Loading refuses parameters that are not finite.
    let model = ModelArtifact::load(&dir.join(name)).unwrap();
    for (split, m) in &model.metrics.splits {
        assert!(m.mean_log_prob.is_finite(), "{more:?}, {split:?}: {m:?}");
    }
    let draws = model.density().sample(50, Seed(1));
    assert!(draws.iter().all(|v| v.is_finite()), "{more:?}: a sample is not finite");
    fs::remove_dir_all(dir.join(name)).unwrap();
}

fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = Seed(seed).stream("numbers", 0);
    (0..n).map(|_| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0).collect()
}

const QUICK: [&str; 6] = ["--epochs", "3", "--threads", "1", "--set", "hidden=16"];

#[test]
fn degenerate_tables_give_a_sound_model_or_a_clear_error() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let (a, b) = (numbers(200, 1), numbers(200, 2));
    let sum: Vec<f64> = a.iter().zip(&b).map(|(x, y)| 2.0 * x - y).collect();
    let mut outlier = a.clone();
    outlier[7] = 1e30;
    outlier[123] = -1e30;
    let tables: [Vec<(&str, Vec<f64>)>; 6] = [
        vec![("a", a.clone()), ("constant", vec![3.5; 200])],
        vec![("a", a.clone()), ("twin", a.clone()), ("b", b.clone())],
        vec![("a", a.clone()), ("b", b.clone()), ("sum", sum)],
        vec![("a", a.clone()), ("outlier", outlier)],
        vec![("a", a.clone())],
        vec![("a", a[..6].to_vec()), ("b", b[..6].to_vec())],
    ];
    for columns in &tables {
        for untouched in [false, true] {
            if ingest(dir, columns, untouched) {
                sound(dir, &QUICK);
                sound(dir, &["--model", "gmm", "--threads", "1"]);
                sound(dir, &[&QUICK[..], &["--set", "base=mixture", "--ensemble", "2"]].concat());
            }
        }
    }
}

#[test]
fn absurd_settings_give_a_sound_model_or_a_clear_error() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 400);
    for setting in ["learning_rate=1", "learning_rate=1e-12", "batch_size=1000000", "clip_norm=1e9"] {
        sound(dir, &[&QUICK[..], &["--set", setting]].concat());
    }
    fail(dir, &args("m", &["--set", "learning_rate=50"]), &["learning_rate", "hint"]);
    let started = Instant::now();
    sound(dir, &["--time-budget", "1s", "--threads", "1"]);
    // One second of training, then calibration and metrics of 400 records; room for a machine with other
    // work.
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
