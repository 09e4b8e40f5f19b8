//! Flags that are listed in the page and marked, the figures that the marks give, and figures alone.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{command, fail, succeed, table};

/// A table with decimal slips, its bundle, a mixture, and flags of the table.
fn flagged(dir: &Path) {
    let mut text = table(300, 1);
    for i in 0..6 {
        writeln!(text, "slip{i},80,1250,87.0,15,F,1.1").unwrap();
    }
    fs::write(dir.join("table.csv"), &text).unwrap();
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "b", "--set", "role.id=id"]);
    succeed(dir, &["fit", "b", "--model", "gmm", "--output", "m"]);
    let flag = ["flag", "m", "--input", "table.csv", "--alpha", "0.1", "--output", "flags.csv"];
    succeed(dir, &flag);
}

/// Rows of the table of flags that are flagged, from 1, and the ids beside them.
fn rows(dir: &Path) -> Vec<(usize, String)> {
    let mut reader = csv::Reader::from_path(dir.join("flags.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    let (id, flag) = (at("record_id"), at("flagged"));
    let records = reader.records().map(Result::unwrap).enumerate();
    records.filter(|(_, r)| &r[flag] == "true").map(|(i, r)| (i + 1, r[id].to_owned())).collect()
}

#[test]
fn flags_are_listed_marked_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    flagged(dir);
    let rows = rows(dir);
    assert!(rows.len() > 5, "{rows:?}");

    succeed(dir, &["report", "b", "--model", "m", "--review", "flags.csv", "--output", "r.html"]);
    let page = fs::read_to_string(dir.join("r.html")).unwrap();
    let list = page.split("id=\"review-list\"").nth(1).unwrap().split("</table>").next().unwrap();
    assert_eq!(list.matches("<tr data-row=").count(), rows.len());
    for (row, id) in &rows {
        assert!(list.contains(&format!("<tr data-row=\"{row}\">")), "row {row}");
        assert!(!list.contains(id.as_str()), "{id} is told");
    }
    assert!(!list.contains("1250"), "an odd value is told");
    succeed(
        dir,
        &["report", "b", "--model", "m", "--review", "flags.csv", "--identifiable", "--output", "open.html"],
    );
    let open = fs::read_to_string(dir.join("open.html")).unwrap();
    assert!(rows.iter().all(|(_, id)| open.contains(&format!("<bdi>{id}</bdi>"))));

    // The marks as the page writes them.
    let fingerprint = page.split("data-fingerprint=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut marks = "row,mark,flags\n".to_owned();
    for (i, (row, _)) in rows.iter().enumerate().skip(1) {
        let mark = ["error", "true but unusual", "not sure"][i % 3];
        writeln!(marks, "{row},{mark},{fingerprint}").unwrap();
    }
    fs::write(dir.join("marks.csv"), &marks).unwrap();
    let output = command(dir, &["evaluate", "flags.csv", "--marks", "marks.csv", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has no mark and is left out"));
    let got: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(got["all"]["n_flags"], rows.len());
    assert_eq!(got["all"]["n_errors"], marks.matches("error").count());
    let text = command(dir, &["evaluate", "flags.csv", "--marks", "marks.csv"]).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("first 5") && text.contains("pattern") && text.contains("95 % interval"), "{text}");

    // Marks are of the table of flags whose rows they name, and of no other.
    succeed(dir, &["flag", "m", "--input", "table.csv", "--alpha", "0.05", "--output", "other.csv"]);
    fail(dir, &["evaluate", "other.csv", "--marks", "marks.csv"], &["other.csv has the fingerprint"]);
    fail(dir, &["evaluate", "flags.csv"], &["--labels"]);
    fail(
        dir,
        &["report", "b", "--model", "m", "--review", "table.csv", "--output", "x.html"],
        &["no column"],
    );
}

#[test]
fn one_figure_is_drawn_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    flagged(dir);
    let svg = |args: &[&str]| {
        succeed(dir, &[&["figure"], args, &["--force", "--output", "f.svg"]].concat());
        fs::read_to_string(dir.join("f.svg")).unwrap()
    };
    let missing = svg(&["missing", "b", "--identifiable"]);
    assert!(missing.starts_with("<svg xmlns=") && missing.contains("Missing values by feature"), "{missing}");
    let p = svg(&["p-values", "flags.csv", "--model", "m", "--identifiable"]);
    assert!(p.contains("Distribution of p-values"), "{p}");
    assert_eq!(p, svg(&["p-values", "flags.csv", "--model", "m", "--identifiable"]));

    let marginals = ["figure", "marginals", "b", "--model", "m", "--output", "f.html"];
    succeed(dir, &marginals);
    let page = fs::read_to_string(dir.join("f.html")).unwrap();
    assert!(page.matches("<svg role=\"img\"").count() > 3 && page.contains("Content-Security-Policy"));
    fail(dir, &["figure", "marginals", "b", "--model", "m", "--output", "g.svg"], &["holds one", ".html"]);
    fail(dir, &["figure", "marginals", "b", "--output", "g.html"], &["no", "--model"]);
    fail(dir, &["figure", "missing", "b", "--output", "g.png"], &[".html or .svg"]);
}
