//! Pictures through the whole program: read, fitted, scored, flagged with maps, sampled, reported.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;

use cohort_flow::artifact::ModelArtifact;
use cohort_flow::features::{Bundle, Shape};
use cohort_flow::random::Seed;
use cohort_flow::schema::Split;
use rand::RngExt;
use serde_json::Value;

use crate::support::{fail, shared, succeed};

const SIDE: usize = 8;

/// An IDX file of stripes of one of four directions with a little noise; the last `odd` are dots, of label 9.
pub(crate) fn write_pictures(path: &Path, n: usize, odd: usize) {
    let mut rng = Seed(4).stream("pictures", 0);
    let mut bytes = vec![0, 0, 8, 3];
    [n, SIDE, SIDE].iter().for_each(|length| bytes.extend((*length as u32).to_be_bytes()));
    let mut labels = vec![0, 0, 8, 1];
    labels.extend((n as u32).to_be_bytes());
    for i in 0..n {
        let (kind, phase) = (i % 4, rng.random_range(0..4));
        for at in 0..SIDE * SIDE {
            let (row, column) = (at / SIDE, at % SIDE);
            let along = [row, column, row + column, 3 * SIDE + row - column][kind];
            let mut level = if (along + phase) % 4 < 2 { 200 } else { 60 };
            if i >= n - odd {
                level = if rng.random_range(0..6) == 0 { 250 } else { 60 };
            }
            bytes.push(level + rng.random_range(0..5));
        }
        labels.push(if i >= n - odd { 9 } else { kind as u8 });
    }
    fs::write(path, bytes).unwrap();
    fs::write(path.with_file_name("p-labels-idx1-ubyte"), labels).unwrap();
}

#[test]
fn pictures_go_through_the_whole_program() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(&dir.path().join("p-images-idx3-ubyte"), 600, 12);
    let run = |args: &[&str]| succeed(dir.path(), args);
    run(&["ingest", "images", "--input", "p-images-idx3-ubyte", "--output", "b", "--set", "levels=64"]);
    let bundle = Bundle::open(&dir.path().join("b")).unwrap();
    let shape = Shape::Grid { height: SIDE, width: SIDE, channels: 1, levels: 64 };
    assert_eq!(bundle.manifest.shape, shape);
    assert!(
        fs::read_to_string(dir.path().join("b/pictures.csv")).unwrap().starts_with("picture,reason,copy_of")
    );
    let tensor = fs::read(dir.path().join("b/tensor.safetensors")).unwrap();
    // One byte a number, and little besides.
    assert!(tensor.len() < 600 * SIDE * SIDE + 40_000, "{}", tensor.len());

    let fit = ["--epochs", "3", "--set", "hidden=24", "--set", "reach=3", "--set", "batch_numbers=1024"];
    let with = |output: &'static str, more: &[&'static str]| {
        [&["fit", "b", "--output", output], &fit[..], more].concat()
    };
    let told = run(&with("m", &[]));
    assert!(told.contains("bits per dimension"), "{told}");
    run(&with("one", &["--threads", "1"]));
    let bytes = |model: &str| fs::read(dir.path().join(model).join("model.safetensors")).unwrap();
    assert_eq!(bytes("m"), bytes("one"), "the number of threads changes the model");

    // The likelihood is that of the levels: it does not depend on draws, and bits follow from nats.
    let metrics: Value =
        serde_json::from_slice(&fs::read(dir.path().join("m/metrics.json")).unwrap()).unwrap();
    let test = &metrics["splits"]["test"];
    let bits = test["bits_per_dimension"]["mean"].as_f64().unwrap();
    let nats = test["mean_log_prob_original_units"].as_f64().unwrap();
    assert!((bits + nats / (64.0 * 2.0_f64.ln())).abs() < 1e-9, "{bits} {nats}");
    assert!(bits < 5.0, "six bits a number without a model, {bits} with it");
    let model = ModelArtifact::load(&dir.path().join("m")).unwrap();
    let raw = bundle.raw_of(Split::Test);
    let (one, other) = (model.score_with(raw.view(), 1, Seed(1)), model.score_with(raw.view(), 2, Seed(2)));
    let far = one.log_prob.iter().zip(&other.log_prob).any(|(a, b)| (a - b).abs() > 1e-6);
    assert!(!far, "the score of a picture depends on noise");
    let flow = model.pictures().unwrap();
    let first: Vec<u8> = raw.row(0).iter().map(|level| *level as u8).collect();
    let sum: f64 = flow.log_prob_of_each(&first).iter().sum();
    assert!((sum - one.log_prob[0]).abs() < 1e-6, "{sum} {}", one.log_prob[0]);

    run(&["score", "m", "b", "--output", "scores.csv"]);
    assert!(fs::read_to_string(dir.path().join("scores.csv")).unwrap().contains("bits_per_dimension"));
    run(&[
        "flag",
        "m",
        "b",
        "--output",
        "flags.csv",
        "--maps",
        "maps",
        "--alpha",
        "0.05",
        "--also-explain",
        "2",
    ]);
    let maps: Vec<String> = fs::read_dir(dir.path().join("maps"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        maps.contains(&"maps.npz".to_owned())
            && maps.iter().any(|name| Path::new(name).extension().is_some_and(|e| e == "png")),
        "{maps:?}"
    );
    run(&["evaluate", "flags.csv", "--label", "label_9", "--labels", "b", "--json"]);
    run(&["flag", "m", "b", "--output", "other.csv", "--score", "corrected"]);

    run(&["sample", "m", "--n", "3", "--output", "samples.csv"]);
    let samples = fs::read_to_string(dir.path().join("samples.csv")).unwrap();
    let cells = samples.lines().skip(1).flat_map(|line| line.split(',').skip(1));
    let levels: Vec<f64> = cells.map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(levels.len(), 3 * SIDE * SIDE);
    assert!(levels.iter().all(|x| x.fract() == 0.0 && (0.0..64.0).contains(x)), "{levels:?}");

    run(&["report", "b", "--model", "m", "--output", "report.html"]);
    let report = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(!report.contains("idx3-ubyte["), "the report names records");

    fail(dir.path(), &["fit", "b", "--output", "v", "--model", "var"], &["made from pictures"]);
    fail(
        dir.path(),
        &["ingest", "images", "--input", "p-images-idx3-ubyte", "--output", "c", "--set", "transform=none"],
        &["has no meaning for pictures"],
    );
    fail(
        dir.path(),
        &["ingest", "images", "--input", "p-images-idx3-ubyte", "--output", "c", "--set", "levels=100"],
        &["power of two"],
    );
}

#[test]
fn real_pictures_are_read_with_their_splits() {
    let Some(pneumonia) = shared("data/pneumoniamnist/pneumoniamnist_rebuilt.npz") else { return };
    let dir = tempfile::tempdir().unwrap();
    let input = pneumonia.to_str().unwrap();
    let told = succeed(
        dir.path(),
        &["ingest", "images", "--input", input, "--output", "b", "--set", "size=7", "--set", "normal=0"],
    );
    assert!(told.contains("has another label than the normal one"), "{told}");
    let bundle = Bundle::open(&dir.path().join("b")).unwrap();
    let splits = bundle.manifest.splits;
    // 1,214 normals to train on, 135 to validate and calibrate, the test split as published.
    assert_eq!((splits.train, splits.validation + splits.calibration, splits.test), (1214, 135, 624));
}
