//! `report` from the command line: one set of numbers in page, JSON and `metrics.json`; drift; inputs that
//! are odd.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::report::assert_whole;
use crate::support::{bundle, fail, succeed, table};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mixture(dir: &Path, bundle: &str, model: &str) {
    succeed(dir, &["fit", bundle, "--output", model, "--model", "gmm"]);
}

fn page(dir: &Path, args: &[&str]) -> String {
    let mut all = vec!["report"];
    all.extend(args);
    all.extend(["--output", "r.html", "--force"]);
    succeed(dir, &all);
    let html = fs::read_to_string(dir.join("r.html")).unwrap();
    assert_whole(&html);
    html
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let mut all = vec!["report"];
    all.extend(args);
    all.extend(["--format", "json", "--output", "r.json", "--force"]);
    succeed(dir, &all);
    serde_json::from_slice(&fs::read(dir.join("r.json")).unwrap()).unwrap()
}

/// Ingests rows under `header`, all from one table.
fn ingest(dir: &Path, csv: &str, bundle: &str) {
    fs::write(dir.join("t.csv"), csv).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "t.csv", "--output", bundle, "--force"]);
}

#[test]
fn page_json_and_metrics_hold_the_same_numbers() {
    let dir = folder();
    bundle(dir.path(), 900);
    mixture(dir.path(), "bundle", "gmm");
    succeed(
        dir.path(),
        &["fit", "bundle", "--output", "flow", "--preset", "small", "--epochs", "3", "--set", "n_blocks=2"],
    );
    let models = ["bundle", "--model", "flow", "--model", "gmm"];
    let (html, json) = (page(dir.path(), &models), json(dir.path(), &models));
    for (model, name) in json["models"].as_array().unwrap().iter().zip(["flow", "gmm"]) {
        assert_eq!(model["name"], name);
        let metrics: Value =
            serde_json::from_slice(&fs::read(dir.path().join(name).join("metrics.json")).unwrap()).unwrap();
        for (here, there) in
            [("n_parameters", "n_parameters"), ("train_seconds", "train_seconds"), ("epochs", "epochs")]
        {
            assert_eq!(model[here], metrics[there], "{name} {here}");
        }
        assert_eq!(model["splits"].as_array().unwrap().len(), 4);
        for split in model["splits"].as_array().unwrap() {
            let own = &metrics["splits"][split["split"].as_str().unwrap()];
            for (here, there) in [
                ("n", "n"),
                ("mean", "mean_log_prob"),
                ("standard_error", "standard_error"),
                ("median", "median_log_prob"),
                ("original_units", "mean_log_prob_original_units"),
                ("original_units_error", "standard_error_original_units"),
                ("importance_weighted", "mean_log_prob_iw_original_units"),
            ] {
                assert_eq!(split[here], own[there], "{name} {here}");
                if here != "n" {
                    let printed = format!("<td>{:.4}</td>", own[there].as_f64().unwrap());
                    assert!(html.contains(&printed), "{name} {here}: {printed} is not in the page");
                }
            }
        }
    }
    let learned = json["learned"].as_array().unwrap();
    assert_eq!(learned.len(), 1, "a mixture has no layers");
    let layers = learned[0]["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    for layer in layers {
        // The permutation is one, and the printed determinant is that of the printed logarithm.
        let mut order: Vec<u64> =
            layer["permutation"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, j)| i as u64 == *j));
        let (det, log) = (layer["determinant"].as_f64().unwrap(), layer["log_determinant"].as_f64().unwrap());
        assert!((det.abs().ln() - log).abs() < 1e-9);
    }
    assert_eq!(json["outliers"]["rows"][0]["record"], "record 1", "no identifier unless asked for");
}

#[test]
fn models_are_compared_by_what_was_ingested() {
    let dir = folder();
    // Few different records, which share their noise: the density of the vector depends on it.
    let mut rows = String::new();
    for i in 0..300 {
        let _ = writeln!(rows, "{},{}", 1 + i % 2, 1 + (i / 2) % 3);
    }
    ingest(dir.path(), &format!("a,b\n{rows}"), "bundle");
    mixture(dir.path(), "bundle", "one");
    // Another seed draws other noise.
    succeed(dir.path(), &["fit", "bundle", "--output", "other", "--model", "gmm", "--seed", "5"]);
    let both = ["bundle", "--model", "one", "--model", "other"];
    let json = json(dir.path(), &both);
    let metrics = |model: &str| -> Value {
        let text = fs::read(dir.path().join(model).join("metrics.json")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["splits"]["test"].clone()
    };
    let gap = |key| metrics("one")[key].as_f64().unwrap() - metrics("other")[key].as_f64().unwrap();
    let (vector, values) = (gap("mean_log_prob"), gap("mean_log_prob_original_units"));
    assert!((vector - values).abs() > 1e-3, "the draws decide about the vector: {vector} {values}");
    let rows = json["comparison"]["rows"].as_array().unwrap();
    let shown = rows[0]["mean"].as_f64().unwrap() - rows[1]["mean"].as_f64().unwrap();
    assert!((shown - values.abs()).abs() < 1e-9, "{shown} {values}");
    assert!((rows[1]["difference"].as_f64().unwrap() + values.abs()).abs() < 1e-9);
    assert!(page(dir.path(), &both).contains("nats per record in original units"));
}

#[test]
fn drift_is_found_where_it_is_and_not_where_it_is_not() {
    let dir = folder();
    let rows = |seed: u64, from: usize, shift: f64| {
        let text = table(from + 700, seed);
        let mut out = String::new();
        for (i, line) in text.lines().enumerate() {
            if i == 0 || i > from {
                let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
                if i > 0 && shift != 0.0 {
                    cells[1] = format!("{:.0}", cells[1].parse::<f64>().unwrap() + shift);
                }
                writeln!(out, "{}", cells.join(",")).unwrap();
            }
        }
        out
    };
    ingest(dir.path(), &rows(1, 0, 0.0), "old");
    ingest(dir.path(), &rows(1, 700, 0.0), "alike");
    ingest(dir.path(), &rows(1, 700, 25.0), "shifted");
    for b in ["old", "alike", "shifted"] {
        mixture(dir.path(), b, &format!("{b}-gmm"));
    }
    let compare = |new: &str| {
        let model = format!("{new}-gmm");
        let args = [new, "--model", &model, "--model", "old-gmm", "--compare", "old"];
        assert!(page(dir.path(), &args).contains("<section id=\"drift\""));
        json(dir.path(), &args)["drift"].clone()
    };
    let (alike, shifted) = (compare("alike"), compare("shifted"));
    let joint = |drift: &Value, key: &str| drift["joint"][0][key].as_f64().unwrap();
    assert!(joint(&alike, "low") < 0.0 && joint(&alike, "high") > 0.0, "{}", alike["joint"]);
    assert!(joint(&shifted, "high") < -0.5, "{}", shifted["joint"]);
    assert!(joint(&shifted, "odd_low") > 5.0 && joint(&alike, "odd_low") < 7.0);
    let first = &shifted["features"][0];
    assert_eq!(first["label"], "heart_rate");
    assert_eq!(first["beyond_chance"], true);
    let (smd, error) = (first["smd"].as_f64().unwrap(), first["smd_error"].as_f64().unwrap());
    assert!(
        smd > 10.0 * error && (1.0..3.0).contains(&smd),
        "25 beats in deviations of about 13: {smd} ± {error}"
    );
    // The two halves of this draw happen to differ by three standard errors in how ill their patients are,
    // which a t-test sees as well (p = 0.0008). The level of the test is checked over many draws beside it,
    // in `report::ranks`.
    let adjusted = |f: &Value| f["p_adjusted"].as_f64().unwrap_or(1.0);
    assert!(alike["features"].as_array().unwrap().iter().all(|f| adjusted(f) > 0.03), "{alike}");

    // Its own bundle has not moved at all.
    let same = json(dir.path(), &["old", "--model", "old-gmm", "--compare", "old"])["drift"].clone();
    assert_eq!(same["same"], true);
    assert!(same["features"].as_array().unwrap().iter().all(|f| f["psi"].as_f64() == Some(0.0)));
    fail(
        dir.path(),
        &["report", "alike", "--model", "old-gmm", "--compare", "old", "--output", "x.html"],
        &["fitted on the older bundle", "fit a model on the new bundle"],
    );
    fail(dir.path(), &["report", "alike", "--model", "old-gmm", "--output", "x.html"], &["another bundle"]);
    fail(
        dir.path(),
        &["report", "old", "--model", "old-gmm", "--compare", "nowhere", "--output", "x.html"],
        &["nowhere"],
    );
}

/// The kinds of change one by one: levels that are new or gone, values that are missing more often, and
/// nothing else.
#[test]
fn levels_and_missing_values_are_told_apart() {
    let dir = folder();
    let rows = |seed: u64, new: bool| {
        let mut rng = cohort_flow::random::Seed(seed).stream("drift", 0);
        let mut out = String::from("ward,sparse,steady,constant,flag\n");
        for _ in 0..900 {
            let mut u = || rand::RngExt::random::<f64>(&mut rng);
            let ward = match u() {
                u if u < 0.04 => {
                    if new {
                        "burns"
                    } else {
                        "eye"
                    }
                }
                u if u < 0.5 => "medical",
                _ => "surgical",
            };
            let value = format!("{:.2}", u());
            let sparse = if u() < if new { 0.3 } else { 0.05 } { "" } else { value.as_str() };
            writeln!(out, "{ward},{sparse},{:.0},7,{}", 60.0 + 30.0 * u(), u8::from(u() < 0.2)).unwrap();
        }
        out
    };
    ingest(dir.path(), &rows(1, false), "old");
    ingest(dir.path(), &rows(2, true), "new");
    mixture(dir.path(), "new", "gmm");
    let drift = json(dir.path(), &["new", "--model", "gmm", "--compare", "old"])["drift"].clone();
    let of = |label: &str| {
        drift["features"].as_array().unwrap().iter().find(|f| f["label"] == label).unwrap().clone()
    };
    let beyond = |label: &str| {
        let f = of(label);
        [f["values_beyond_chance"].as_bool().unwrap(), f["missing_beyond_chance"].as_bool().unwrap()]
    };
    assert_eq!((beyond("ward"), beyond("sparse")), ([true, false], [false, true]), "{drift}");
    assert_eq!((beyond("steady"), beyond("flag")), ([false, false], [false, false]), "{drift}");
    let note = of("ward")["note"].as_str().unwrap().to_owned();
    assert!(note.contains("new levels: burns (") && note.contains("levels gone: eye ("), "{note}");
    assert_eq!(drift["n_beyond_chance"].as_u64(), Some(2));
}

#[test]
fn a_model_without_its_history_is_named() {
    let dir = folder();
    bundle(dir.path(), 400);
    mixture(dir.path(), "bundle", "gmm");
    fs::remove_file(dir.path().join("gmm").join("history.csv")).unwrap();
    let args = ["report", "bundle", "--model", "gmm", "--output", "r.html"];
    fail(dir.path(), &args, &["history.csv"]);
    // A header alone is a model that was not trained by epochs.
    fs::write(dir.path().join("gmm").join("history.csv"), "").unwrap();
    assert!(page(dir.path(), &["bundle", "--model", "gmm"]).contains("No model here was trained by epochs"));
}

#[test]
fn one_feature_and_hostile_names_make_whole_pages() {
    let dir = folder();
    let mut one = String::from("id,x\n");
    for i in 0..400 {
        writeln!(one, "p{i},{:.2}", f64::from(i % 97) / 9.0).unwrap();
    }
    ingest(dir.path(), &one, "one");
    mixture(dir.path(), "one", "one-gmm");
    let html = page(dir.path(), &["one", "--model", "one-gmm"]);
    assert!(html.contains("Correlations need at least two features"));

    let long = "long ".repeat(300);
    let mut csv = format!(
        "id,<script>alert(1)</script>,\"a \"\"quoted\"\" 'name'\",معدل ضربات القلب,{},constant\n",
        long.trim()
    );
    for i in 0..600 {
        let x = f64::from((i * 37) % 101) / 10.0;
        writeln!(csv, "p{i},{x:.1},{:.1},{:.1},{:.1},7", 10.0 - x, (x * 3.0).sin(), x + f64::from(i % 7))
            .unwrap();
    }
    ingest(dir.path(), &csv, "hostile");
    mixture(dir.path(), "hostile", "hostile-gmm");
    let html = page(dir.path(), &["hostile", "--model", "hostile-gmm"]);
    assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert"));
    assert!(html.contains("معدل ضربات القلب") && html.contains(long.trim()));
}

#[test]
fn nobody_and_everybody_flagged_are_both_told() {
    let dir = folder();
    bundle(dir.path(), 900);
    mixture(dir.path(), "bundle", "gmm");
    let mut odd = String::from("id,heart_rate,sbp,map,gcs,sex,lactate\n");
    for i in 0..60 {
        writeln!(odd, "q{i},{},{},9000,15,F,", 2000 + i, 30_000 + i).unwrap();
    }
    fs::write(dir.path().join("odd.csv"), odd).unwrap();
    let all = ["bundle", "--model", "gmm", "--input", "odd.csv", "--fdr", "0.2"];
    let (html, found) = (page(dir.path(), &all), json(dir.path(), &all));
    assert_eq!(found["outliers"]["n_flagged"], 60);
    assert_eq!(found["outliers"]["rows"].as_array().unwrap().len(), 60);
    assert!(html.contains("60 of 60 new records are flagged"));
    // The values are those of single people: only their direction is told.
    let odd = |html: &str| {
        html.split("<section id=\"outliers\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
    };
    let told = |section: &str| ["9000", "3000", " 200"].iter().any(|v| section.contains(v));
    let section = odd(&html);
    assert!(!told(&section) && !section.contains("q17"), "a single record's value: {section}");
    let mut open = all.to_vec();
    open.push("--identifiable");
    let html = page(dir.path(), &open);
    assert!(odd(&html).contains(">q17<") && html.contains("IDENTIFIABLE"));
    assert!(told(&odd(&html)), "values are shown when asked for");

    let none = json(dir.path(), &["bundle", "--model", "gmm", "--fdr", "0.001"]);
    assert_eq!(none["outliers"]["n_flagged"], 0);
}

#[test]
fn five_hundred_features_draw_the_worst_and_list_the_rest() {
    let dir = folder();
    let mut csv = String::from("id");
    for j in 0..500 {
        write!(csv, ",f{j}").unwrap();
    }
    for i in 0..300_u32 {
        write!(csv, "\np{i}").unwrap();
        for j in 0..500_u32 {
            let x = f64::from((i * 7919 + j * 104_729 + (i * j) % 977) % 1009) / 1009.0;
            write!(csv, ",{x:.3}").unwrap();
        }
    }
    csv.push('\n');
    ingest(dir.path(), &csv, "wide");
    succeed(
        dir.path(),
        &[
            "fit",
            "wide",
            "--output",
            "flow",
            "--model",
            "realnvp",
            "--preset",
            "small",
            "--epochs",
            "1",
            "--set",
            "n_blocks=1",
            "--set",
            "hidden=8",
        ],
    );
    let html = page(dir.path(), &["wide", "--model", "flow"]);
    assert!(html.len() <= 6_000_000, "{} bytes", html.len());
    assert!(html.contains("The 30 worst-fitted features are drawn"));
    assert!((0..500).all(|j| html.contains(&format!("<bdi>f{j}</bdi>"))), "every feature is in a table");
}
