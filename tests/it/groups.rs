//! `report --by`: the likelihood of groups of records, by a feature or by a column of a table beside the bundle.

use std::fmt::Write as _;
use std::fs;

use crate::support::{fail, succeed};

#[test]
fn groups_are_judged_and_small_ones_are_not_shown_alone() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    // Three hospitals: two large ones, of which the second measures another thing, and twenty of a few records.
    let (mut table, mut stays) = (String::from("record_id,x,y,ward\n"), String::from("record_id,hospital\n"));
    for i in 0..900_u32 {
        let u = |k: u32| f64::from((i * 2_654_435 + k * 40_503) % 9973) / 9973.0;
        let hospital = if i % 3 == 0 {
            "far".to_owned()
        } else if i % 30 == 1 {
            format!("h{i}")
        } else {
            "near".into()
        };
        let x = u(1) + u(2) + u(3);
        let y = if hospital == "far" { 9.0 * u(4) - 3.0 } else { x + 0.2 * u(4) };
        writeln!(table, "r{i},{x:.3},{y:.3},{}", if i % 2 == 0 { "east" } else { "west" }).unwrap();
        writeln!(stays, "r{i},{hospital}").unwrap();
    }
    fs::write(dir.join("t.csv"), table).unwrap();
    fs::write(dir.join("stays.csv"), stays).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "t.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--model", "gmm", "--output", "model"]);

    let usual = ["report", "bundle", "--model", "model", "--format", "json", "--force", "--output", "r.json"];
    succeed(dir, &[&usual[..], &["--by", "hospital", "--by-table", "stays.csv"]].concat());
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("r.json")).unwrap()).unwrap();
    let rows = report["groups"]["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(rows.len(), 3, "{names:?}");
    assert_eq!(names[0], "far", "the least likely group comes first");
    assert!(names.iter().any(|name| name.ends_with("groups of few records")), "{names:?}");
    assert!(
        !fs::read_to_string(dir.join("r.json")).unwrap().contains("\"h1\""),
        "no small group by its name"
    );
    let (difference, error) =
        (rows[0]["difference"].as_f64().unwrap(), rows[0]["difference_error"].as_f64().unwrap());
    assert!(difference < -3.0 * error, "{rows:?}");

    let page = ["report", "bundle", "--model", "model", "--force", "--output", "r.html", "--by", "ward"];
    succeed(dir, &page);
    let html = fs::read_to_string(dir.join("r.html")).unwrap();
    assert!(html.contains("Likelihood by group") && html.contains("<bdi>east</bdi>"));

    fail(dir, &[&usual[..], &["--by", "hospital"]].concat(), &["no feature `hospital`", "--by-table"]);
    fail(dir, &[&usual[..], &["--by", "x"]].concat(), &["different values, which are no groups"]);
    fs::write(dir.join("other.csv"), "record_id,hospital\nq1,a\nq2,b\n").unwrap();
    let other = ["--by", "hospital", "--by-table", "other.csv"];
    fail(dir, &[&usual[..], &other].concat(), &["no record of the bundle is in"]);
}
