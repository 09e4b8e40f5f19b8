//! Ensembles of flows as one model, through the program: files, bytes, everything downstream.

use std::fs;
use std::path::Path;

use cohort_flow::artifact::{ArtifactError, ModelArtifact};
use serde_json::Value;

use crate::support::{bundle, fail, succeed};

const FILES: [&str; 3] = ["model.safetensors", "model.json", "history.csv"];

fn fit(dir: &Path, output: &str, threads: &str) {
    let quick = ["--preset", "small", "--epochs", "6", "--ensemble", "2", "--threads", threads];
    let mut args = vec!["fit", "bundle", "--output", output];
    args.extend(quick);
    succeed(dir, &args);
}

#[test]
fn an_ensemble_serves_every_command_and_repeats_to_the_byte() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 500);
    fit(dir, "one", "1");
    fit(dir, "two", "2");
    for file in FILES {
        assert!(
            fs::read(dir.join("one").join(file)).unwrap() == fs::read(dir.join("two").join(file)).unwrap()
        );
    }
    assert!(!dir.join("one.checkpoint").exists());

    let json: Value = serde_json::from_slice(&fs::read(dir.join("one/model.json")).unwrap()).unwrap();
    let members = json["members"].as_array().unwrap();
    assert_eq!(members.len(), 15, "two flows, three mixtures and five orders in two kinds of coordinates");
    let total: f64 = members.iter().map(|m| m["weight"].as_f64().unwrap()).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let mixtures: Vec<&Value> = members[2..].iter().map(|m| &m["family"]["kind"]).collect();
    assert_eq!(mixtures[..4], ["gmm", "tmix", "tmix", "armix"]);
    let metrics: Value = serde_json::from_slice(&fs::read(dir.join("one/metrics.json")).unwrap()).unwrap();
    let shares = metrics["shares"].as_array().unwrap();
    assert_eq!(shares.len(), 4, "{shares:?}");
    let of_flows: f64 = members[..2].iter().map(|m| m["weight"].as_f64().unwrap()).sum();
    assert_eq!(shares[0]["family"], "butterfly");
    assert!((shares[0]["weight"].as_f64().unwrap() - of_flows).abs() < 1e-12);
    assert!(members[0]["seed"] != members[1]["seed"]);
    let history = fs::read_to_string(dir.join("one/history.csv")).unwrap();
    assert!(history.lines().any(|l| l.starts_with("1,0,")) && history.lines().any(|l| l.starts_with("2,0,")));

    succeed(dir, &["score", "one", "bundle", "--output", "scores.csv"]);
    let scores = fs::read_to_string(dir.join("scores.csv")).unwrap();
    assert!(!scores.contains("NaN") && !scores.contains("inf"));
    succeed(dir, &["flag", "one", "bundle", "--output", "flags.csv"]);
    succeed(dir, &["sample", "one", "--n", "40", "--output", "s.csv"]);
    assert_eq!(fs::read_to_string(dir.join("s.csv")).unwrap().lines().count(), 41);
    succeed(dir, &["report", "bundle", "--model", "one", "--output", "r.html"]);
}

/// Jensen: the likelihood of a mixture with equal weights is at least the mean of its members'.
#[test]
fn an_ensemble_is_at_least_the_weighted_mean_of_its_members_and_damage_is_named() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 500);
    fit(dir, "model", "1");
    let loaded = ModelArtifact::load(&dir.join("model")).unwrap();
    assert!(!loaded.model.members().is_empty(), "not an ensemble");
    assert!(loaded.model.first_flow().is_some());
    let x = loaded.density().sample(300, cohort_flow::random::Seed(5));
    let whole = loaded.density().log_prob(x.view());
    let mut mean = ndarray::Array1::<f64>::zeros(300);
    for member in loaded.model.members() {
        mean = mean + member.model.log_prob(x.view()) * member.weight;
    }
    assert!(whole.iter().zip(&mean).all(|(w, m)| *w >= m - 1e-9));

    let path = dir.join("model/model.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["members"][0]["weight"] = 0.999.into();
    fs::write(&path, json.to_string()).unwrap();
    assert!(matches!(ModelArtifact::load(&dir.join("model")), Err(ArtifactError::Damaged { .. })));
    fs::write(&path, text.replacen("\"n_blocks\": 4", "\"n_blocks\": 3", 2)).unwrap();
    assert!(matches!(ModelArtifact::load(&dir.join("model")), Err(ArtifactError::Damaged { .. })));
}

#[test]
fn an_ensemble_of_mixtures_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    bundle(tmp.path(), 300);
    fail(
        tmp.path(),
        &["fit", "bundle", "--output", "m", "--model", "gmm", "--ensemble", "3"],
        &["--ensemble", "gmm"],
    );
}

#[test]
fn a_budget_too_small_for_a_flow_gives_the_mixtures_and_says_so() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 500);
    // A large flow on small batches: an epoch takes far longer than the first steps that every flow is given.
    let args = ["fit", "bundle", "--output", "m", "--preset", "large", "--set", "batch_size=4"];
    let stderr = succeed(dir, &[&args[..], &["--time-budget", "0.2s"]].concat());
    assert!(stderr.contains("the model holds mixtures alone"), "{stderr}");
    let metrics: Value = serde_json::from_slice(&fs::read(dir.join("m/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["model"], "gmm");
    assert!(metrics["epochs"].is_null(), "{metrics}");
    assert!(metrics["splits"]["test"]["mean_log_prob"].as_f64().unwrap().is_finite());
    let loaded = ModelArtifact::load(&dir.join("m")).unwrap();
    assert!(loaded.model.first_flow().is_none() && loaded.model.members().len() > 2);
    succeed(dir, &["score", "m", "bundle", "--output", "scores.csv"]);
}

#[test]
fn an_autoregressive_mixture_serves_every_command_and_repeats_to_the_byte() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 400);
    for (output, threads) in [("one", "1"), ("two", "2")] {
        let args = ["fit", "bundle", "--output", output, "--model", "armix", "--threads", threads];
        succeed(dir, &[&args[..], &["--set", "order=dependence"]].concat());
    }
    for file in FILES {
        assert!(
            fs::read(dir.join("one").join(file)).unwrap() == fs::read(dir.join("two").join(file)).unwrap()
        );
    }
    let loaded = ModelArtifact::load(&dir.join("one")).unwrap();
    assert_eq!(loaded.model.members().len(), 2, "in the coordinates of the encoder and in straight ones");
    succeed(dir, &["score", "one", "bundle", "--output", "scores.csv"]);
    let scores = fs::read_to_string(dir.join("scores.csv")).unwrap();
    assert!(!scores.contains("NaN") && !scores.contains("inf"));
    succeed(dir, &["flag", "one", "bundle", "--output", "flags.csv"]);
    succeed(dir, &["sample", "one", "--n", "30", "--output", "s.csv"]);
    succeed(dir, &["report", "bundle", "--model", "one", "--output", "r.html"]);
    fail(
        dir,
        &["fit", "bundle", "--output", "m", "--model", "armix", "--set", "experts=3"],
        &["there is no setting `experts`", "most_experts: a whole number from 1 to 64"],
    );
    fail(
        dir,
        &["fit", "bundle", "--output", "m", "--model", "armix", "--epochs", "3"],
        &["--epochs does not apply"],
    );
}
