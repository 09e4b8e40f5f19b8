//! Multi-scale flows of pictures through the whole program: fitted with every linear layer, scored, flagged,
//! sampled, and refused where they do not apply.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cohort_flow::artifact::{Family, ModelArtifact, Options};
use cohort_flow::features::Bundle;
use cohort_flow::pipeline::{FitRequest, fit};
use cohort_flow::random::Seed;
use cohort_flow::schema::Split;
use cohort_flow::train::{Progress, Silent};
use serde_json::Value;

use crate::pictures::write_pictures;
use crate::support::{fail, succeed};

/// Rows and columns of the pictures once they are read.
const SIDE: usize = 4;
const SMALL: [&str; 6] = ["--set", "hidden=6", "--set", "n_blocks=4", "--epochs", "4"];

fn test_bits(dir: &Path, model: &str) -> (f64, f64) {
    let metrics: Value =
        serde_json::from_slice(&fs::read(dir.join(model).join("metrics.json")).unwrap()).unwrap();
    let bits = &metrics["splits"]["test"]["bits_per_dimension"];
    assert!(bits["standard_error"].as_f64().unwrap() > 0.0);
    (bits["mean"].as_f64().unwrap(), bits["importance_weighted"].as_f64().unwrap())
}

/// The mean log-likelihood of the training pictures in the first and in the last epoch. (The validation
/// pictures are no measure here: copies are kept in one split, so they show patterns of their own.)
fn first_and_last(dir: &Path, model: &str) -> (f64, f64) {
    let history = fs::read_to_string(dir.join(model).join("history.csv")).unwrap();
    let at = history.lines().next().unwrap().split(',').position(|name| name == "train_log_prob").unwrap();
    let values: Vec<f64> =
        history.lines().skip(2).map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect();
    (values[0], values[values.len() - 1])
}

#[test]
fn flows_with_convolutions_go_through_the_whole_program() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(&dir.path().join("p-images-idx3-ubyte"), 400, 12);
    let run = |args: &[&str]| succeed(dir.path(), args);
    // Small pictures, because a score of few of them has hundreds of draws behind it.
    let input = ["ingest", "images", "--input", "p-images-idx3-ubyte", "--output", "b"];
    run(&[&input[..], &["--set", "levels=64", "--set", "size=4"]].concat());
    for model in ["butterfly", "glow-lu", "realnvp"] {
        run(&[&["fit", "b", "--output", model, "--model", model][..], &SMALL].concat());
        let (bits, tighter) = test_bits(dir.path(), model);
        let (first, last) = first_and_last(dir.path(), model);
        assert!(bits.is_finite() && last > first + 1.0, "{model}: {first} nats at first, {last} at last");
        assert!(tighter <= bits + 1e-9, "{model}: {tighter} is no tighter bound than {bits}");
    }
    let one = ["fit", "b", "--output", "one", "--model", "butterfly", "--threads", "1"];
    run(&[&one[..], &SMALL].concat());
    let bytes = |model: &str| fs::read(dir.path().join(model).join("model.safetensors")).unwrap();
    assert_eq!(bytes("butterfly"), bytes("one"), "the number of threads changes the model");

    let bundle = Bundle::open(&dir.path().join("b")).unwrap();
    let model = ModelArtifact::load(&dir.path().join("butterfly")).unwrap();
    let flow = model.model.flow().unwrap();
    let picture = flow.config().picture.unwrap();
    assert_eq!((picture.size.height, picture.size.width, picture.scales), (SIDE, SIDE, 2));
    // As many couplings in all three, and no two models alike.
    let couplings = |model: &str| {
        let model = ModelArtifact::load(&dir.path().join(model)).unwrap();
        let views = model.model.flow().unwrap().parameter_views();
        views.iter().filter(|view| view.name.rsplit('.').next() == Some("w0")).count()
    };
    assert!(["butterfly", "glow-lu", "realnvp"].iter().all(|model| couplings(model) == 4 + 1));
    assert!(bytes("butterfly") != bytes("glow-lu") && bytes("glow-lu") != bytes("realnvp"));

    run(&["score", "butterfly", "b", "--output", "scores.csv"]);
    let scores = fs::read_to_string(dir.path().join("scores.csv")).unwrap();
    assert!(scores.lines().next().unwrap().contains("bits_per_dimension"));
    assert_eq!(scores.lines().count(), 1 + bundle.record_ids.len());
    run(&["flag", "butterfly", "b", "--output", "flags.csv", "--alpha", "0.05"]);
    run(&["evaluate", "flags.csv", "--label", "label_9", "--labels", "b", "--json"]);
    run(&["inspect", "glow-lu", "--json"]);
    run(&["sample", "butterfly", "--n", "3", "--output", "samples.csv"]);
    let samples = fs::read_to_string(dir.path().join("samples.csv")).unwrap();
    let cells = samples.lines().skip(1).flat_map(|line| line.split(',').skip(1));
    let levels: Vec<f64> = cells.map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(levels.len(), 3 * SIDE * SIDE);
    assert!(levels.iter().all(|x| x.fract() == 0.0 && (0.0..64.0).contains(x)), "{levels:?}");

    run(&["flag", "butterfly", "b", "--output", "more.csv", "--also-explain", "2", "--maps", "maps"]);
    let names: Vec<_> =
        fs::read_dir(dir.path().join("maps")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.len() >= 3 && names.iter().any(|name| name == "maps.npz"), "{names:?}");
    assert!(!bundle.raw_of(Split::Test).is_empty());
}

/// Interrupts a run after a number of batches.
struct StopAfter(AtomicUsize);

impl Progress for StopAfter {
    fn interrupted(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err()
    }
}

#[test]
fn an_interrupted_flow_with_convolutions_goes_on_to_the_bytes_of_an_undisturbed_one() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(&dir.path().join("p-images-idx3-ubyte"), 200, 4);
    let input = ["ingest", "images", "--input", "p-images-idx3-ubyte", "--output", "b", "--set", "size=4"];
    succeed(dir.path(), &input);
    let bundle = dir.path().join("b");
    let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fit_to = |name: &str, resume: bool, progress: &dyn Progress| {
        let output = dir.path().join(name);
        let options = Options {
            epochs: Some(4),
            settings: vec![setting("hidden", "6"), setting("n_blocks", "4"), setting("batch_size", "16")],
            ..Options::default()
        };
        let request = FitRequest {
            bundle: &bundle,
            output: &output,
            force: false,
            model: Family::Butterfly,
            options,
            seed: Seed(3),
            time_budget: None,
            resume,
            trim: None,
            calibrate_by: None,
            condition_on: &[],
            folds: None,
        };
        let fitted = fit(&request, progress).map_err(Box::new);
        fitted.map(|_| fs::read(output.join("model.safetensors")).unwrap())
    };
    let whole = fit_to("whole", false, &Silent).unwrap();
    for (resume, batches) in [(false, 3), (true, 12)] {
        let stopped = fit_to("resumed", resume, &StopAfter(AtomicUsize::new(batches)));
        assert!(stopped.unwrap_err().to_string().contains("interrupted"));
    }
    assert_eq!(fit_to("resumed", true, &Silent).unwrap(), whole);
}

#[test]
fn what_flows_with_convolutions_cannot_do_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(&dir.path().join("p-images-idx3-ubyte"), 120, 4);
    let ingest = |output: &str, size: &str| {
        let size = format!("size={size}");
        let input = "p-images-idx3-ubyte";
        succeed(dir.path(), &["ingest", "images", "--input", input, "--output", output, "--set", &size]);
    };
    ingest("odd", "5");
    ingest("even", "4");
    let fit = |bundle: &str, more: &[&str], parts: &[&str]| {
        fail(
            dir.path(),
            &[&["fit", bundle, "--output", "m", "--model", "butterfly"][..], more].concat(),
            parts,
        )
    };
    fit("odd", &[], &["5 × 5 pixels of one channel cannot be divided", "--set convolutions=false"]);
    fit("even", &["--ensemble", "3"], &["--ensemble does not apply", "--set convolutions=false"]);
    fit("even", &["--set", "scales=4"], &["`scales` must lie between 1 and 2"]);
    fit("even", &["--set", "base=mixture"], &["`base` other than `normal`"]);
    fit("even", &["--set", "patch=2"], &["flows of waveform windows"]);
    fail(
        dir.path(),
        &["fit", "even", "--output", "m", "--model", "realnvp", "--set", "across_space=false"],
        &["butterflies of flows of pictures"],
    );
    // Taken as vectors, pictures of any size have a flow.
    let vectors = ["--set", "convolutions=false", "--ensemble", "1", "--epochs", "1", "--set", "hidden=8"];
    let args = ["fit", "odd", "--output", "v", "--model", "butterfly", "--set", "n_blocks=1"];
    succeed(dir.path(), &[&args[..], &vectors].concat());
    let model = ModelArtifact::load(&dir.path().join("v")).unwrap();
    assert_eq!(model.model.flow().unwrap().config().picture, None);
}
