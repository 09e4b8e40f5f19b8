//! `fit --condition-on`: from a bundle to scores, flags, samples and a report of some columns given others.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cohort_flow::artifact::ModelArtifact;
use cohort_flow::baseline::Mixture;
use cohort_flow::density::Density;
use cohort_flow::features::Bundle;
use cohort_flow::partial::{Proposal, marginals};
use cohort_flow::random::Seed;
use cohort_flow::schema::Split;
use ndarray::Axis;

use crate::support::{command, fail, succeed, table};

/// A bundle of the six columns of [`table`].
fn ingested(dir: &std::path::Path) -> Bundle {
    fs::write(dir.join("t.csv"), table(900, 3)).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "t.csv", "--output", "b"]);
    Bundle::open(&dir.join("b")).unwrap()
}

const SMALL: [&str; 6] = ["--preset", "small", "--epochs", "8", "--set", "hidden=16"];

fn fit<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["fit", "b", "--output", output];
    args.extend(more);
    args
}

/// p(x | c) = p(x, c) / p(c), with nothing of the context counted in original units either; and the
/// likelihood of all features that are not given, integrated over none, is the score.
#[test]
fn a_conditional_mixture_is_the_joint_over_its_context() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    fs::write(dir.join("t.csv"), table(600, 3)).unwrap();
    let mut args = vec!["ingest", "wide-table", "--input", "t.csv", "--output", "b"];
    for set in ["transform=standardize", "dequantize=none", "role.sex=ignore", "role.lactate=ignore"] {
        args.extend(["--set", set]);
    }
    succeed(dir, &args);
    let bundle = Bundle::open(&dir.join("b")).unwrap();
    succeed(dir, &fit("given", &["--model", "gmm", "--condition-on", "map"]));
    let model = ModelArtifact::load(&dir.join("given")).unwrap();
    assert_eq!(model.header.condition_on, ["map"]);
    let gmm = model.model.mixture().expect("a mixture");
    let [at] = *model.density().context() else { panic!("one coordinate") };
    let joint =
        Mixture::new(gmm.weights().to_owned(), gmm.means().to_owned(), gmm.covariances().to_owned()).unwrap();
    let context = Mixture::new(
        gmm.weights().to_owned(),
        gmm.means().select(Axis(1), &[at]),
        gmm.covariances().select(Axis(1), &[at]).select(Axis(2), &[at]),
    )
    .unwrap();
    let v = bundle.manifest.encoder.encode(bundle.raw.view(), model.score_seed(), 0);
    let of_map = &bundle.manifest.encoder.columns[at];
    let got = model.score(bundle.raw.view()).log_prob;
    let (joint, context) =
        (joint.log_prob(v.values.view()), context.log_prob(v.values.select(Axis(1), &[at]).view()));
    for i in 0..bundle.raw.nrows() {
        let log_det = v.log_det[i] - of_map.encode(bundle.raw[[i, at]], 0.5).1;
        let want = joint[i] - context[i] + log_det;
        assert!((got[i] - want).abs() < 1e-8, "{} {want}", got[i]);
    }
    let wanted: Vec<bool> = (0..bundle.raw.ncols()).map(|j| j != at).collect();
    let parts = marginals(&Proposal::of(&model).unwrap(), bundle.raw.view(), &wanted, 2, Seed(1)).unwrap();
    assert!(parts.log_prob.iter().zip(&got).all(|(a, b)| (a - b).abs() < 1e-8));
}

#[test]
fn a_conditional_flow_is_fitted_scored_flagged_completed_and_reported() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let bundle = ingested(dir);
    let given = ["--condition-on", "sex,map"];
    succeed(dir, &fit("flow", &[&SMALL[..], &given, &["--ensemble", "2"]].concat()));
    succeed(dir, &fit("gmm", &[&["--model", "gmm"][..], &given].concat()));
    succeed(dir, &fit("joint", &[&SMALL[..], &["--ensemble", "1"]].concat()));
    // Systolic pressure follows mean pressure: given it, less is left to be uncertain about.
    let flow = ModelArtifact::load(&dir.join("flow")).unwrap();
    let [conditional, joint] = [&flow, &ModelArtifact::load(&dir.join("joint")).unwrap()]
        .map(|m| m.metrics.splits[&Split::Test].mean_log_prob);
    assert!(conditional > joint + 0.5, "{conditional} {joint}");

    succeed(dir, &["score", "flow", "--input", "t.csv", "--output", "s.csv"]);
    succeed(dir, &["score", "gmm", "b", "--columns", "heart_rate", "--output", "part.csv"]);
    fail(dir, &["score", "gmm", "b", "--columns", "map", "--output", "p.csv"], &["`map` is given"]);

    // A wrong context makes a record unusual, and yet is never what is blamed.
    let text = fs::read_to_string(dir.join("t.csv")).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let changed: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if i == 5 {
                cells[at("map")] = "30".into();
                cells[at("sbp")] = "190".into();
            }
            cells.join(",")
        })
        .collect();
    fs::write(dir.join("new.csv"), changed.join("\n") + "\n").unwrap();
    succeed(
        dir,
        &["flag", "flow", "--input", "new.csv", "--output", "f.csv", "--alpha", "0.05", "--json", "f.json"],
    );
    let flags: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("f.json")).unwrap()).unwrap();
    let mut blamed = 0;
    for row in flags["rows"].as_array().unwrap() {
        for feature in row["explanations"].as_array().unwrap() {
            blamed += 1;
            assert!(!["map", "sex"].contains(&feature["feature"].as_str().unwrap()), "{row}");
        }
    }
    assert!(blamed > 0);
    assert!(flags["rows"][4]["flagged"].as_bool().unwrap(), "{}", flags["rows"][4]);

    // Samples want a context.
    fail(dir, &["sample", "flow", "--n", "3", "--output", "x.csv"], &["given map, sex", "--given"]);
    let mut rows = header.join(",") + "\n";
    for (i, (map, sex)) in [("60", "F"), ("110", "M")].iter().enumerate() {
        let cell = |h: &&str| match *h {
            "map" => (*map).to_owned(),
            "sex" => (*sex).to_owned(),
            "id" | "record_id" => i.to_string(),
            _ => String::new(),
        };
        rows += &(header.iter().map(cell).collect::<Vec<_>>().join(",") + "\n");
    }
    fs::write(dir.join("given.csv"), &rows).unwrap();
    for model in ["flow", "gmm"] {
        let args = ["sample", model, "--n", "40", "--given", "given.csv", "--output", "x.csv", "--force"];
        succeed(dir, &args);
        let text = fs::read_to_string(dir.join("x.csv")).unwrap();
        let mut lines = text.lines().map(|l| l.split(',').collect::<Vec<_>>());
        let names = lines.next().unwrap();
        let column = |name: &str| names.iter().position(|h| *h == name).unwrap();
        let (sbp, map) = (column("sbp"), column("map"));
        let drawn: Vec<(f64, f64)> =
            lines.map(|l| (l[map].parse().unwrap(), l[sbp].parse().unwrap())).collect();
        let mean = |wanted: f64| {
            let values: Vec<f64> = drawn.iter().filter(|d| d.0 == wanted).map(|d| d.1).collect();
            assert_eq!(values.len(), 40);
            values.iter().sum::<f64>() / 40.0
        };
        assert!(mean(110.0) > mean(60.0) + 20.0, "{model}: {} {}", mean(110.0), mean(60.0));
    }
    fs::write(dir.join("hole.csv"), rows.replace("60", "")).unwrap();
    fail(
        dir,
        &["sample", "flow", "--n", "2", "--given", "hole.csv", "--output", "y.csv"],
        &["`map`: row 1 is empty"],
    );

    // A report compares what is of the same features.
    succeed(dir, &["report", "b", "--model", "flow", "--model", "gmm", "--output", "r.html"]);
    let page = fs::read_to_string(dir.join("r.html")).unwrap();
    assert!(page.contains("given map, sex"));
    fail(
        dir,
        &["report", "b", "--model", "flow", "--model", "joint", "--output", "r2.html"],
        &["conditioned on different features"],
    );
    succeed(dir, &["inspect", "flow"]);
    assert_eq!(flow.encoder.n_features(), bundle.manifest.encoder.n_features());
}

/// In folds and with any number of threads: the same context, the same bytes.
#[test]
fn a_conditional_fit_crosses_and_repeats() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    ingested(dir);
    let options = [&SMALL[..], &["--condition-on", "sex", "--ensemble", "1"]].concat();
    succeed(dir, &fit("whole", &options));
    succeed(dir, &fit("crossed", &[&options[..], &["--calibration", "cross", "--folds", "2"]].concat()));
    let crossed = ModelArtifact::load(&dir.join("crossed")).unwrap();
    assert_eq!(
        (crossed.header.condition_on.as_slice(), crossed.header.calibration_folds),
        (&["sex".to_owned()][..], Some(2))
    );
    assert!(crossed.calibration.iter().all(|s| s.is_finite()));
    // With one thread and again with two: the same bytes.
    let mut again = fit("again", &options);
    again.extend(["--threads", "1"]);
    succeed(dir, &again);
    for file in ["model.json", "model.safetensors", "history.csv"] {
        assert_eq!(
            fs::read(dir.join("whole").join(file)).unwrap(),
            fs::read(dir.join("again").join(file)).unwrap()
        );
    }
}

/// Killed after its first checkpoint: resumed with the same context it ends in the same bytes, with another
/// it is refused.
#[test]
fn a_killed_conditional_fit_is_resumed_with_its_own_context_only() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    ingested(dir);
    let settings = ["--preset", "small", "--epochs", "60", "--ensemble", "1", "--threads", "1"];
    let settings = [&settings[..], &["--set", "patience=200", "--set", "checkpoint_epochs=1"]].concat();
    let given = |column| [&settings[..], &["--condition-on", column]].concat();
    succeed(dir, &fit("whole", &given("sex")));
    let mut child = command(dir, &fit("cut", &given("sex"))).stderr(Stdio::null()).spawn().unwrap();
    let (state, started) = (dir.join("cut.checkpoint/state.safetensors"), Instant::now());
    while !state.exists() {
        assert!(started.elapsed() < Duration::from_mins(1), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "the fit was over before it could be killed");
    let resumed = |column| [&given(column)[..], &["--resume"]].concat();
    fail(dir, &fit("cut", &resumed("map")), &["belongs to another run"]);
    succeed(dir, &fit("cut", &resumed("sex")));
    for file in ["model.json", "model.safetensors", "history.csv"] {
        let read = |model: &str| fs::read(dir.join(model).join(file)).unwrap();
        assert!(read("whole") == read("cut"), "{file} differs");
    }
}

#[test]
fn what_cannot_be_conditioned_on_is_said() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let bundle = ingested(dir);
    let all: Vec<&str> = bundle.manifest.encoder.columns.iter().map(|c| c.meta.name.as_str()).collect();
    for (names, message) in [
        ("age,weight,sex", "no feature `age`, `weight`"),
        ("sex,sex", "`sex` is named twice"),
        (all.join(",").as_str(), "no column is left"),
    ] {
        fail(dir, &fit("m", &["--condition-on", names]), &[message]);
    }
    let data = ["--condition-on", "sex", "--set", "permutation=data"];
    fail(dir, &fit("m", &data), &["does not combine with `context`"]);
    assert!(!dir.join("m").exists());
}
