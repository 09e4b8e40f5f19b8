//! `schema infer --folder`: a schema drafted from a folder of tables that nobody described.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cohort_flow::schema::{load_schema, parse_schema};

use crate::support::{run, shared, succeed};

fn drafted(dir: &Path, folder: &str) -> String {
    let output = run(dir, &["schema", "infer", "--folder", folder]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A hospital of its own kind: stays, a long table of results with units, and a table of signals.
fn hospital(dir: &Path) {
    fs::create_dir_all(dir.join("hospital")).unwrap();
    let write = |name: &str, text: &str| fs::write(dir.join("hospital").join(name), text).unwrap();
    let (mut stays, mut results) = (String::from("stay_no,patient_no,sex,age,weight,ward\n"), String::new());
    results += "stay_no,minutes_since_admission,test,result,unit,entered_by\n";
    let mut signals = String::from("stay_no,minutes_since_admission,pulse,temp,battery\n");
    for i in 0..300_u32 {
        let u = |k: u32| f64::from((i * 2_654_435 + k * 40_503) % 9973) / 9973.0;
        let sex = if i % 2 == 0 { "F" } else { "M" };
        writeln!(
            stays,
            "{},{},{sex},{},{:.0},W{}",
            5000 + i,
            70 + i / 2,
            30 + i % 50,
            60.0 + 30.0 * u(1),
            i % 4
        )
        .unwrap();
        for hour in 0..6_u32 {
            let at = hour * 60 + i % 7;
            writeln!(results, "{},{at},Lactate,{:.1},mmol/L,x", 5000 + i, 1.0 + 2.0 * u(hour)).unwrap();
            writeln!(results, "{},{at},Hgb,{:.1},g/dL,x", 5000 + i, 9.0 + 5.0 * u(hour + 9)).unwrap();
            writeln!(results, "{},{at},Mood,{:.1},,x", 5000 + i, u(3)).unwrap();
            let fahrenheit = 96.0 + 5.0 * u(hour + 20);
            writeln!(signals, "{},{at},{:.0},{fahrenheit:.1},80", 5000 + i, 60.0 + 50.0 * u(hour + 30))
                .unwrap();
        }
    }
    write("stays.csv", &stays);
    write("results.csv", &results);
    write("monitor.csv", &signals);
}

#[test]
fn a_drafted_schema_reads_its_own_hospital() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    hospital(dir);
    let text = drafted(dir, "hospital");
    fs::write(dir.join("hospital.toml"), &text).unwrap();
    succeed(dir, &["schema", "check", "hospital.toml"]);
    let schema = parse_schema("hospital.toml", &text).unwrap();
    let record = &schema.record;
    assert_eq!((record.table.as_deref(), record.id.as_str()), (Some("stays"), "stay_no"));
    assert_eq!(record.subject, "patient_no");
    for concept in ["age", "gender", "weight", "lactate", "hemoglobin", "heart_rate", "temperature"] {
        assert!(schema.variable(concept).is_some_and(|v| !v.sources.is_empty()), "{concept}\n{text}");
    }
    // In °F, which the ranges tell.
    assert!(text.contains("scale = 0.5555555555555556, offset = -17.77777777777778"), "{text}");
    assert!(!text.contains("battery") && !text.contains("Mood"), "{text}");
    let usual = ["ingest", "icu-first-24h", "--schema", "hospital.toml", "--input", "hospital"];
    succeed(dir, &[&usual[..], &["--output", "bundle"]].concat());
    let output = run(dir, &["export", "bundle", "--output", "t.csv"]);
    assert!(output.status.success());
    let table = fs::read_to_string(dir.join("t.csv")).unwrap();
    let header: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let at = header.iter().position(|name| *name == "temperature").unwrap();
    for line in table.lines().skip(1) {
        let celsius: f64 = line.split(',').nth(at).unwrap().parse().unwrap();
        assert!((35.0..39.0).contains(&celsius), "{celsius}");
    }
}

#[test]
fn half_of_the_concepts_of_eicu_are_found_without_its_schema() {
    let Some(demo) = shared("data/eicu-demo") else { return };
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("ward")).unwrap();
    for folder in [demo.clone(), demo.join("pyhealth-178-stays")] {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            let to = work.path().join("ward").join(entry.file_name());
            std::os::unix::fs::symlink(fs::canonicalize(entry.path()).unwrap(), to).unwrap();
        }
    }
    let text = drafted(work.path(), "ward");
    let draft = parse_schema("ward.toml", &text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    let known = load_schema("eicu").unwrap();
    let has = |name: &str| draft.variable(name).is_some_and(|v| !v.sources.is_empty());
    let of_eicu: Vec<&str> =
        known.variables.iter().filter(|v| !v.sources.is_empty()).map(|v| v.name.as_str()).collect();
    let found = of_eicu.iter().filter(|name| has(name)).count();
    assert!(2 * found >= of_eicu.len(), "{found} of {}\n{text}", of_eicu.len());
    assert_eq!((draft.record.id.as_str(), draft.record.subject.as_str()), ("patientunitstayid", "uniquepid"));
}
