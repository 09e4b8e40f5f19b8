//! `flag` and `evaluate` from the outside: what goes in comes out, in order; bad tables are refused or
//! flagged with a reason.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{fail, run, succeed};

/// A table of 300 rows of two dependent numbers and a level, as text; row i of `planted` gets a decimal slip.
fn table(n: usize, planted: &[usize]) -> String {
    let mut out = String::from("id,weight,height,ward\n");
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for i in 0..n {
        let height = 150.0 + 40.0 * (uniform() + uniform() + uniform()) / 3.0;
        let weight = height - 100.0 + 20.0 * (uniform() - 0.5);
        let weight = if planted.contains(&i) { weight * 10.0 } else { weight };
        let ward = if uniform() < 0.4 { "=A" } else { "B" };
        writeln!(out, "r{i},{weight:.1},{height:.0},{ward}").expect("a string grows");
    }
    out
}

fn model(dir: &Path) {
    fs::write(dir.join("train.csv"), table(300, &[])).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "train.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
}

fn ids(csv: &str) -> Vec<String> {
    csv.lines().skip(1).map(|l| l.split(',').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn rows_out_are_rows_in_and_known_slips_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    model(dir);
    let planted = [3, 17, 60];
    fs::write(dir.join("new.csv"), table(80, &planted)).unwrap();
    succeed(
        dir,
        &[
            "flag",
            "model",
            "--input",
            "new.csv",
            "--output",
            "flags.csv",
            "--json",
            "flags.jsonl",
            "--alpha",
            "0.05",
        ],
    );
    let flags = fs::read_to_string(dir.join("flags.csv")).unwrap();
    assert_eq!(ids(&flags), (0..80).map(|i| format!("r{i}")).collect::<Vec<_>>());
    let lines = fs::read_to_string(dir.join("flags.jsonl")).unwrap();
    let rows: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.len(), 80);
    for i in planted {
        assert_eq!(rows[i]["flagged"], true, "{}", rows[i]);
        assert_eq!(rows[i]["explanations"][0]["feature"], "weight", "{}", rows[i]);
        assert_eq!(rows[i]["explanations"][0]["pattern"]["times"], 10.0, "{}", rows[i]);
    }
    // The most unusual three are the slips.
    succeed(dir, &["flag", "model", "--input", "new.csv", "--output", "top.parquet", "--top", "3"]);
    succeed(dir, &["flag", "model", "--input", "new.csv", "--output", "top.csv", "--top", "3"]);
    let mut top = ids(&fs::read_to_string(dir.join("top.csv")).unwrap());
    top.sort();
    assert_eq!(top, ["r17", "r3", "r60"]);

    fs::write(dir.join("labels.csv"), "record_id,kind\nr3,decimal\nr17,decimal\nr60,decimal\n").unwrap();
    let output = run(dir, &["evaluate", "flags.csv", "--labels", "labels.csv", "--json"]);
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((figures["n"].as_u64(), figures["auroc"].as_f64()), (Some(80), Some(1.0)), "{figures}");
    assert_eq!(figures["by_kind"][0]["recall"], 1.0, "{figures}");
    // Where ordinary records are named, nothing is known of the others; the q-values stay those of all rows.
    fs::write(dir.join("some.csv"), "record_id;label\nr3;1.0\nr17;1.0\nr4;0.0\n").unwrap();
    let output = run(dir, &["evaluate", "flags.csv", "--labels", "some.csv", "--json"]);
    let some: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((some["n"].as_u64(), some["n_anomalies"].as_u64()), (Some(3), Some(2)), "{some}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("77 of 80 records in flags.csv have no label in some.csv"), "{said}");
    let output = run(dir, &["evaluate", "top.csv", "--labels", "labels.csv", "--json"]);
    let of_top: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (part, whole) in
        of_top["at_fdr"].as_array().unwrap().iter().zip(figures["at_fdr"].as_array().unwrap())
    {
        assert!(part["n_flagged"].as_u64() <= whole["n_flagged"].as_u64(), "{of_top} {figures}");
    }
    fs::write(dir.join("other.csv"), "record_id,kind\nx,decimal\n").unwrap();
    fail(dir, &["evaluate", "flags.csv", "--labels", "other.csv"], &["its record id is not in flags.csv"]);
    fail(dir, &["flag", "model", "--input", "new.csv", "--output", "x.csv", "--json", "x.txt"], &[".jsonl"]);
}

#[test]
fn bad_tables_are_refused_or_flagged_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    model(dir);
    let flag = ["flag", "model", "--input", "new.csv", "--output", "out.csv", "--force"];
    // Of many rows; one alone is scored as one whose weight is not known.
    let rows = |weight: &str| {
        let rows: Vec<String> = (1..=30).map(|i| format!("{i},{weight},170,B\n")).collect();
        format!("id,weight,height,ward\n{}", rows.concat())
    };
    let (heavy, infinite) = (rows("heavy"), rows("inf"));
    fs::write(dir.join("new.csv"), "id,weight,height,ward\n1,heavy,170,B\n").unwrap();
    let said = String::from_utf8(run(dir, &flag).stderr).unwrap();
    assert!(said.contains("column `weight`: 1 of 1 cell holds something"), "{said}");
    let cases = [
        ("id,weight,height\n1,70,170\n", vec!["ward"]),
        ("id,weight,height,ward\n", vec!["new.csv"]),
        (heavy.as_str(), vec!["weight", "row 1"]),
        (infinite.as_str(), vec!["weight", "row 1"]),
    ];
    for (text, parts) in cases {
        fs::write(dir.join("new.csv"), text).unwrap();
        fail(dir, &flag, &parts);
    }
    // One row, an unseen level, nothing recorded, another column: rows out are rows in.
    let text = "id,weight,height,ward,note\na,75,170,C,x\nb,,,,\nc,1e300,170,B,x\n";
    fs::write(dir.join("new.csv"), text).unwrap();
    let said = succeed(dir, &flag);
    assert!(said.contains("`ward`: 1 cell holds a level") && said.contains("`note`"), "{said}");
    let out = fs::read_to_string(dir.join("out.csv")).unwrap();
    assert_eq!(ids(&out), ["a", "b", "c"]);
    // A table in other units: the column is named, with the factor.
    let scaled = table(60, &(0..60).collect::<Vec<_>>());
    fs::write(dir.join("new.csv"), scaled).unwrap();
    let said = succeed(dir, &flag);
    assert!(said.contains("column `weight`") && said.contains("10 times"), "{said}");
}

#[test]
fn groups_are_calibrated_by_themselves_and_trimmed_fits_leave_out_planted_errors() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let planted: Vec<usize> = (0..300).step_by(25).collect();
    fs::write(dir.join("train.csv"), table(300, &planted)).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "train.csv", "--output", "bundle"]);
    let fit = |output: &str, more: &[&str]| {
        succeed(dir, &[&["fit", "bundle", "--model", "gmm", "--output", output][..], more].concat());
        let metrics = fs::read_to_string(dir.join(output).join("metrics.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&metrics).unwrap()
    };
    let plain = fit("plain", &[]);
    assert!(plain.get("trimmed").is_none());
    let trimmed = fit("model", &["--trim", "0.05", "--calibrate-by", "ward"]);
    let train = plain["splits"]["train"]["n"].as_u64().unwrap();
    let left = trimmed["splits"]["train"]["n"].as_u64().unwrap();
    assert_eq!(trimmed["trimmed"].as_u64().unwrap(), train - left);
    // Calibration is of all its records.
    assert_eq!(trimmed["splits"]["calibration"]["n"], plain["splits"]["calibration"]["n"]);
    let of = |m: &serde_json::Value| m["splits"]["train"]["mean_log_prob"].as_f64().unwrap();
    assert!(of(&trimmed) > of(&plain) + 0.1, "{} {}", of(&trimmed), of(&plain));

    let mut new = table(80, &[3, 17, 60]);
    new.push_str("missing,70,170,\nunseen,70,170,Z\n");
    fs::write(dir.join("new.csv"), new).unwrap();
    let said = run(
        dir,
        &[
            "flag",
            "model",
            "--input",
            "new.csv",
            "--output",
            "flags.csv",
            "--alpha",
            "0.1",
            "--json",
            "f.json",
        ],
    );
    assert!(said.status.success());
    let warnings = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(warnings.contains("groups without calibration records"), "{warnings}");
    let flags = fs::read_to_string(dir.join("flags.csv")).unwrap();
    assert!(flags.lines().next().unwrap().contains("flagged,group,n_calibration,explanation"), "{flags}");
    let cells: Vec<Vec<&str>> = flags.lines().skip(1).map(|l| l.split(',').collect()).collect();
    assert_eq!(cells.len(), 82);
    let of_group = |name: &str| {
        let row = cells.iter().find(|c| c[6].contains(name)).unwrap();
        row[7].parse::<f64>().unwrap()
    };
    let n = plain["splits"]["calibration"]["n"].as_f64().unwrap();
    assert_eq!(of_group("=A") + of_group("B"), n);
    assert_eq!((cells[81][3], cells[81][6], cells[81][7]), ("1.0", "(unseen)", "0.0"));

    let fit = ["fit", "bundle", "--model", "gmm", "--output", "x"];
    fail(
        dir,
        &[&fit[..], &["--calibrate-by", "height"]].concat(),
        &["`height` holds numbers", "text columns are ward"],
    );
    fail(dir, &[&fit[..], &["--trim", "0.9"]].concat(), &["at most 0.5"]);
}

#[test]
fn a_cross_conformal_model_is_calibrated_on_every_record_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("train.csv"), table(300, &[])).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "train.csv", "--output", "bundle"]);
    let fit = ["fit", "bundle", "--calibration", "cross", "--model"];
    let small = ["--set", "hidden=16", "--set", "n_blocks=2", "--epochs", "3", "--ensemble", "1"];
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(dir.join(name).join("model.json")).unwrap()).unwrap()
    };
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("bundle/manifest.json")).unwrap()).unwrap();
    let of = |split: &str| manifest["splits"][split].as_u64().unwrap();

    let options = ["gmm", "--output", "gmm", "--calibrate-by", "ward", "--trim", "0.02", "--folds", "3"];
    succeed(dir, &[&fit[..], &options[..]].concat());
    let model = json("gmm");
    let n = model["calibration"].as_array().unwrap().len();
    assert_eq!(n as u64, of("train") + of("calibration"));
    assert_eq!(model["calibration_groups"].as_array().unwrap().len(), n);
    assert_eq!(model["other_calibrations"]["marginal"].as_array().unwrap().len(), n);
    assert_eq!(model["calibration_folds"], 3);

    // The same bytes with any number of threads, and no checkpoint is left.
    succeed(dir, &[&fit[..], &["butterfly", "--output", "a", "--threads", "1"], &small[..]].concat());
    succeed(dir, &[&fit[..], &["butterfly", "--output", "b", "--threads", "2"], &small[..]].concat());
    let bytes = |name: &str| fs::read(dir.join(name).join("model.json")).unwrap();
    assert_eq!(bytes("a"), bytes("b"));
    assert_eq!(json("a")["calibration"].as_array().unwrap().len(), n);
    assert!(!dir.join("a.checkpoint").exists());

    // Slips are found by the scores that can see them, and every score flags about as many ordinary rows as
    // it should.
    fs::write(dir.join("new.csv"), table(400, &[3, 17])).unwrap();
    for score in ["combined", "log-likelihood", "marginal", "dependence", "distance"] {
        let options = ["--input", "new.csv", "--output", "flags.csv", "--score", score, "--alpha", "0.05"];
        succeed(dir, &[&["flag", "gmm", "--force"], &options[..]].concat());
        let flags = fs::read_to_string(dir.join("flags.csv")).unwrap();
        let flagged: Vec<String> = flags
            .lines()
            .filter(|l| l.split(',').any(|cell| cell == "true"))
            .map(|l| l.split(',').next().unwrap_or_default().to_owned())
            .collect();
        if score != "dependence" {
            assert!(["r3", "r17"].iter().all(|id| flagged.iter().any(|f| f == id)), "{score}: {flagged:?}");
        }
        // Rows 1 to 300 are the fitted ones again.
        assert!((1..40).contains(&flagged.len()), "{score}: {}", flagged.len());
    }
    let options = ["--input", "new.csv", "--output", "no.csv", "--score", "height"];
    fail(dir, &[&["flag", "gmm"], &options[..]].concat(), &["dependence"]);
}
