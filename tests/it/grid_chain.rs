//! Textures whose entropy is known, the demo of pictures, completion of gaps, and the page of pictures.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{fail, succeed};

const QUICK: [&str; 8] =
    ["--set", "hidden=24", "--set", "reach=3", "--set", "layers=1", "--set", "batch_numbers=256"];

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A small bundle of textures, and a model that was fitted on it for some seconds.
fn fitted(dir: &Path, texture: &str, patients: &str, epochs: &str) {
    let run = |args: &[&str]| succeed(dir, args);
    let synth = ["--grid", texture, "--side", "8", "--anomalies", "0", "--output", "pictures"];
    let told = run(&[&["synth", "--patients", patients], &synth[..]].concat());
    assert!(told.contains("bits per dimension"), "{told}");
    run(&["ingest", "images", "--input", "pictures", "--output", "b", "--set", "levels=64"]);
    run(&[&["fit", "b", "--output", "m", "--epochs", epochs], &QUICK[..]].concat());
}

#[test]
fn no_model_is_better_than_the_entropy_and_a_fitted_one_is_near_it() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    fitted(dir, "field", "500", "6");
    let entropy = json(&dir.join("pictures/entropy.json"));
    let entropy = entropy["entropy_bits_per_dimension"].as_f64().unwrap();
    let bits = &json(&dir.join("m/metrics.json"))["splits"]["test"]["bits_per_dimension"];
    let (mean, error) = (bits["mean"].as_f64().unwrap(), bits["standard_error"].as_f64().unwrap());
    assert!(mean > entropy - 4.0 * error, "{mean} ± {error} below {entropy}");
    // A network of 24 and 350 pictures; without a model a number has six bits.
    assert!(mean < entropy + 0.3, "{mean}, {entropy}");
}

#[test]
fn the_page_of_pictures_shows_samples_and_no_picture_of_a_patient() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    fitted(dir, "periodic", "300", "2");
    succeed(dir, &["fit", "b", "--output", "gmm", "--model", "gmm"]);
    let report = ["report", "b", "--model", "m", "--model", "gmm", "--output"];
    for page in ["a.html", "again.html"] {
        succeed(dir, &[&report[..], &[page]].concat());
    }
    let page = fs::read_to_string(dir.join("a.html")).unwrap();
    assert_eq!(page, fs::read_to_string(dir.join("again.html")).unwrap());
    for there in ["Pictures: real and sampled", "Samples of the model", "Calibration of the scores"] {
        assert!(page.contains(there), "no `{there}`");
    }
    for absent in ["Least likely pictures", "Held-out pictures</bdi>", "idx3-ubyte[", "Windows: real"] {
        assert!(!page.contains(absent), "`{absent}`");
    }
    assert_eq!(page.matches("data:image/png").count(), 1);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());

    succeed(dir, &[&report[..], &["r.json", "--format", "json"]].concat());
    let numbers = json(&dir.join("r.json"));
    let held_out = &numbers["pictures"]["held_out"];
    for (row, model) in held_out["models"].as_array().unwrap().iter().zip(["m", "gmm"]) {
        let metrics = json(&dir.join(model).join("metrics.json"));
        let bits = metrics["splits"]["test"]["bits_per_dimension"]["mean"].as_f64().unwrap();
        let shown = row["mean"].as_f64().unwrap();
        assert!((shown - bits).abs() < 1e-6 * bits.abs().max(1.0), "{model}: {shown} {bits}");
    }
    let kinds: Vec<&str> =
        held_out["scores"].as_array().unwrap().iter().map(|s| s["score"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["log-likelihood", "corrected", "typicality"]);

    succeed(dir, &[&report[..], &["open.html", "--identifiable"]].concat());
    let open = fs::read_to_string(dir.join("open.html")).unwrap();
    assert!(open.contains("Least likely pictures") && open.contains("idx3-ubyte["));
    assert_eq!(open.matches("data:image/png").count(), 4);
    crate::browser::look_at(&dir.join("a.html"), "pictures");
    crate::browser::look_at(&dir.join("open.html"), "pictures-identifiable");
}

#[test]
fn gaps_are_completed_and_the_rest_stays() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    fitted(dir, "galaxy", "200", "2");
    // Three pictures of the bundle as a table.
    succeed(dir, &["export", "b", "--split", "test", "--output", "test.csv"]);
    let table = fs::read_to_string(dir.join("test.csv")).unwrap();
    let mut given: Vec<Vec<String>> = table.lines().take(4).map(fields).collect();
    // Labels are no features.
    let labels = given[0].iter().position(|name| name.starts_with("label")).unwrap_or(given[0].len());
    given.iter_mut().for_each(|row| row.truncate(labels));
    write(&dir.join("few.csv"), &given);
    let sample = ["sample", "m", "--given", "few.csv", "--n", "5", "--importance-samples", "40", "--output"];
    let mask = ["--mask", "2,3,4,2"];
    succeed(dir, &[&sample[..], &["done.csv"], &mask].concat());
    succeed(dir, &[&sample[..], &["again.csv", "--threads", "1"], &mask].concat());
    let done = fs::read_to_string(dir.join("done.csv")).unwrap();
    assert_eq!(done, fs::read_to_string(dir.join("again.csv")).unwrap());
    let completed: Vec<Vec<String>> = done.lines().map(fields).collect();
    assert_eq!(completed.len(), 1 + 15);
    let (mut changed, mut checked) = (0, 0);
    for (i, row) in completed.iter().skip(1).enumerate() {
        for (j, name) in completed[0].iter().enumerate().filter(|(_, name)| name.starts_with("p[")) {
            let place = given[0].iter().position(|other| other == name).unwrap();
            let at: Vec<usize> =
                name[2..name.len() - 1].split(',').map(|part| part.parse().unwrap()).collect();
            let inside = (2..6).contains(&at[0]) && (3..5).contains(&at[1]);
            let level: f64 = row[j].parse().unwrap();
            assert!(level.fract() == 0.0 && (0.0..64.0).contains(&level), "{level}");
            let same = level == given[1 + i / 5][place].parse::<f64>().unwrap();
            assert!(inside || same, "{name} of row {i}");
            changed += usize::from(!same);
            checked += 1;
        }
    }
    assert_eq!(checked, 15 * 64);
    assert!(changed > 15 * 4, "{changed} of {} numbers drawn anew", 15 * 8);
    fail(
        dir,
        &[&sample[..], &["x.csv", "--mask", "6,0,4,2"]].concat(),
        &["reaches beyond pictures of 8 × 8"],
    );
    fail(dir, &[&sample[..], &["x.csv", "--mask", "1,2"]].concat(), &["top, left, height and width"]);
    let first = given[0].iter().position(|name| name.starts_with("p[")).unwrap();
    given[1][first] = "18.5".into();
    write(&dir.join("wrong.csv"), &given);
    let args = ["sample", "m", "--given", "wrong.csv", "--n", "1", "--output", "x.csv"];
    fail(dir, &args, &["holds no level of the model", "row 1", "from 0 to 63"]);
    // Nor is such a picture judged as another one.
    for (level, said) in
        [("18.5", "no level"), ("64", "no level"), ("", "is empty, and a picture is judged whole")]
    {
        given[1][first] = level.into();
        write(&dir.join("wrong.csv"), &given);
        for command in ["score", "flag"] {
            fail(dir, &[command, "m", "--input", "wrong.csv", "--output", "x.csv"], &[said, "row 1"]);
        }
    }
}

/// The fields of a line of a CSV file, whose quotes hold commas.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

fn write(path: &Path, rows: &[Vec<String>]) {
    let quoted = |field: &String| if field.contains(',') { format!("\"{field}\"") } else { field.clone() };
    let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
    fs::write(path, rows.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
}
