//! `compare`: what tells the records of two bundles apart, and models of the one asked about the other.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{fail, run, succeed};

/// A table of patients with a temperature, a pulse that goes with it and, in one of the two, a lactate.
fn table(n: u32, fahrenheit: bool, lactate: bool) -> String {
    let mut text = String::from("patient_id,temperature,pulse");
    text += if lactate { ",lactate\n" } else { "\n" };
    for i in 0..n {
        let u = |k: u32| f64::from((i * 2_654_435 + k * 40_503) % 9973) / 9973.0;
        let celsius = 36.0 + 1.5 * (u(1) + u(2));
        let shown = if fahrenheit { celsius * 1.8 + 32.0 } else { celsius };
        let pulse = 60.0 + 12.0 * (celsius - 36.0) + 20.0 * u(3);
        write!(text, "{i},{shown:.1},{pulse:.0}").unwrap();
        if lactate {
            write!(text, ",{:.1}", 0.5 + 3.0 * u(4)).unwrap();
        }
        text += "\n";
    }
    text
}

fn bundle(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(format!("{name}.csv")), text).unwrap();
    let input = format!("{name}.csv");
    succeed(
        dir,
        &["ingest", "wide-table", "--input", &input, "--output", name, "--set", "role.patient_id=group"],
    );
}

fn compared(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, &[&["compare"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn another_unit_is_named_and_what_is_lacking_is_integrated_out() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    bundle(dir, "a", &table(600, false, true));
    bundle(dir, "b", &table(500, true, false));
    succeed(dir, &["fit", "a", "--model", "gmm", "--output", "model"]);

    let said = compared(dir, &["a", "b", "--model", "model"]);
    for part in [
        "A: a, 600 records",
        "nearly every record tells where it is from",
        "B looks like °F under °C",
        "only in A: ",
        "integrated out, since B lacks them: lactate",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    let first = said.lines().skip_while(|line| !line.starts_with("what tells")).nth(1).unwrap();
    assert!(first.contains("temperature"), "{said}");

    let json: serde_json::Value = serde_json::from_str(&compared(dir, &["a", "b", "--json"])).unwrap();
    assert!(json["classifier"]["auroc"].as_f64().unwrap() > 0.99, "{json}");
    assert_eq!(json["features"][0]["name"], "temperature");

    // The cohort beside itself.
    let said = compared(dir, &["a", "a", "--model", "model"]);
    assert!(
        said.contains("the same to the byte") && said.contains("nothing tells the cohorts apart"),
        "{said}"
    );

    // The order of the bundles matters to a model.
    fail(dir, &["compare", "b", "a", "--model", "model"], &["was not fitted on b", "compare A B --model"]);
}

#[test]
fn records_are_scored_by_the_features_that_their_bundle_has() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    bundle(dir, "a", &table(600, false, true));
    bundle(dir, "b", &table(400, false, false));
    succeed(dir, &["fit", "a", "--model", "gmm", "--output", "model"]);
    let said = succeed(dir, &["score", "model", "b", "--output", "scores.csv"]);
    assert!(
        said.contains("the bundle lacks 1 of the 3 features of the model") && said.contains("lactate"),
        "{said}"
    );
    // The same likelihood as of these features of records that have all.
    succeed(
        dir,
        &[
            "score",
            "model",
            "a",
            "--columns",
            "temperature,pulse",
            "--importance-samples",
            "256",
            "--output",
            "all.csv",
        ],
    );
    let mean = |file: &str| {
        let text = fs::read_to_string(dir.join(file)).unwrap();
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let at = header.iter().position(|name| *name == "log_prob").unwrap();
        let all: Vec<f64> =
            text.lines().skip(1).map(|l| l.split(',').nth(at).unwrap().parse().unwrap()).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let (b, a) = (mean("scores.csv"), mean("all.csv"));
    // Both are of one distribution: 400 records tell the mean to about 0.05.
    assert!((a - b).abs() < 0.3, "{a} {b}");
    fail(
        dir,
        &["flag", "model", "b", "--output", "flags.csv"],
        &["lacks the feature `lactate`", "integrate"],
    );

    // More samples, other figures; and where nothing is integrated out, that is said.
    let more = ["score", "model", "b", "--importance-samples", "500", "--output", "more.csv"];
    succeed(dir, &more);
    let (few, many) = (fs::read(dir.join("scores.csv")).unwrap(), fs::read(dir.join("more.csv")).unwrap());
    assert_ne!(few, many);
    let whole = ["score", "model", "a", "--importance-samples", "500", "--output", "whole.csv"];
    assert!(succeed(dir, &whole).contains("--importance-samples is not used"));
}

#[test]
fn a_report_judges_another_bundle_by_the_features_that_it_has() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    bundle(dir, "a", &table(300, false, true));
    bundle(dir, "b", &table(150, false, false));
    bundle(dir, "hot", &table(150, true, false));
    succeed(dir, &["fit", "a", "--model", "gmm", "--output", "model"]);
    succeed(dir, &["fit", "b", "--model", "gmm", "--output", "own"]);
    let report = |args: &[&str]| -> serde_json::Value {
        let output = ["--format", "json", "--output", "report.json", "--force"];
        succeed(dir, &[&["report"], args, &output[..]].concat());
        serde_json::from_str(&fs::read_to_string(dir.join("report.json")).unwrap()).unwrap()
    };

    // Records of another bundle, by the model of this one.
    let alike = report(&["a", "--model", "model", "--input", "b", "--identifiable"]);
    let outliers = &alike["outliers"];
    assert_eq!(outliers["integrated_out"], serde_json::json!(["lactate"]), "{outliers}");
    assert_eq!(outliers["of"], "new records");
    let told = alike["verdict"]["cautions"].to_string();
    assert!(told.contains("lacks 1 of the 3 features") && told.contains("test splits of a,"), "{told}");
    let flagged = |report: &serde_json::Value| report["outliers"]["n_flagged"].as_u64().unwrap();
    let hot = report(&["a", "--model", "model", "--input", "hot", "--identifiable"]);
    assert!(flagged(&alike) < 15 && flagged(&hot) == 150, "{} {}", flagged(&alike), flagged(&hot));
    // The same flags as `flag --reference` gives.
    succeed(dir, &["flag", "model", "b", "--reference", "a", "--fdr", "0.1", "--output", "flags.csv"]);
    let flags = fs::read_to_string(dir.join("flags.csv")).unwrap();
    let lowest = outliers["rows"][0]["log_prob"].as_f64().unwrap();
    let of_flags = flags.lines().skip(1).map(|l| l.split(',').nth(1).unwrap().parse::<f64>().unwrap());
    assert!((of_flags.fold(f64::INFINITY, f64::min) - lowest).abs() < 1e-9);

    // A cohort beside an older one that has more features, by the model of the older one.
    let drift = report(&["b", "--model", "own", "--compare", "a", "--model", "model"]);
    let joint = &drift["drift"]["joint"][0];
    assert_eq!(joint["integrated_out"], serde_json::json!(["lactate"]), "{joint}");
    assert_eq!(joint["n_shared"], 2);
    let (difference, error) = (joint["difference"].as_f64().unwrap(), joint["error"].as_f64().unwrap());
    assert!(difference.abs() < 4.0 * error, "{joint}");
    succeed(
        dir,
        &["report", "b", "--model", "own", "--compare", "a", "--model", "model", "--output", "r.html"],
    );
    let page = fs::read_to_string(dir.join("r.html")).unwrap();
    assert!(page.contains("This cohort lacks 1 of the features of that model"));
    fail(
        dir,
        &["report", "b", "--model", "model", "--compare", "a", "--output", "x.html"],
        &["fitted on the older bundle", "--input NEW_BUNDLE"],
    );
}
