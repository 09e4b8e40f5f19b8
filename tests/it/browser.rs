//! Reports in a real browser: light, dark, printed and on a 390-pixel screen, with and without JavaScript.
//!
//! `tests/browser/check.mjs` says what is looked at. It needs Chromium, Node and, installed by `.ci/run`, the
//! packages of `tests/browser/package.json` in `target/browser` (or in the folder
//! `COHORT_FLOW_BROWSER_MODULES` names); without them these tests say so and pass. `COHORT_FLOW_SCREENSHOTS`
//! names a folder to keep the pictures in.

use std::path::{Path, PathBuf};
use std::process::Command;

use cohort_flow::report::{Privacy, ReportData, render};

use crate::report_fixture::{full, names, review};
use crate::support::skipped;

fn modules() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("browser");
    std::env::var_os("COHORT_FLOW_BROWSER_MODULES").map_or_else(default, PathBuf::from)
}

/// Chromium and what drives it, or a line that says what is missing.
fn browser() -> Option<(&'static str, PathBuf)> {
    let runs =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    let Some(chromium) = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].into_iter().find(|p| runs(p))
    else {
        skipped("Chromium in /usr/bin");
        return None;
    };
    if !runs("node") {
        skipped("node on PATH");
        return None;
    }
    let modules = modules();
    if !modules.join("node_modules").join("axe-core").exists() {
        skipped("axe-core in target/browser, where `.ci/run` installs it");
        return None;
    }
    Some((chromium, modules))
}

/// What the browser counted, once nothing was to complain about.
pub(crate) fn look_at(page: &Path, name: &str) -> Option<serde_json::Value> {
    look_by("check.mjs", page, name)
}

/// The same by one of the scripts in `tests/browser`.
fn look_by(script: &str, page: &Path, name: &str) -> Option<serde_json::Value> {
    let (chromium, modules) = browser()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("browser").join(script);
    let mut command = Command::new("node");
    command.arg(script).arg(page).arg(modules).arg(chromium);
    if let Some(dir) = std::env::var_os("COHORT_FLOW_SCREENSHOTS") {
        command.arg(Path::new(&dir).join(name));
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{name}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_str(said.lines().last().unwrap()).unwrap())
}

fn check(data: &ReportData, name: &str) -> Option<serde_json::Value> {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("report.html");
    std::fs::write(&page, render(data).unwrap()).unwrap();
    look_at(&page, name)
}

#[test]
fn every_figure_is_seen_in_every_way_of_reading() {
    let Some(counted) = check(&full(&names(9), Privacy::new(false)), "full") else { return };
    assert_eq!(counted["modes"], 8);
    assert!(counted["figures"].as_u64().unwrap() > 20, "{counted}");
    assert!(counted["tables"].as_u64().unwrap() > 30, "{counted}");
    // That axe-core looked at all, rather than found nothing to look at.
    assert!(counted["axe_rules_passed"].as_u64().unwrap() > 25, "{counted}");
}

#[test]
fn hostile_names_break_no_page() {
    let labels = [
        "<script>alert(1)</script>".to_owned(),
        "\"quoted\" & 'single' </svg></title>".into(),
        "معدل ضربات القلب".into(),
        "very long ".repeat(60),
        "Unbreakable".repeat(20),
        "=HYPERLINK(\"x\")".into(),
    ];
    check(&full(&labels, Privacy::new(true)), "hostile");
}

#[test]
fn flags_are_reviewed_by_keyboard_and_the_marks_downloaded() {
    for identifiable in [false, true] {
        let labels = names(9);
        let mut data = full(&labels, Privacy::new(identifiable));
        data.review = Some(review(&labels, identifiable));
        let dir = tempfile::tempdir().unwrap();
        let page = dir.path().join("report.html");
        std::fs::write(&page, render(&data).unwrap()).unwrap();
        if !identifiable && look_at(&page, "review").is_none() {
            return;
        }
        let Some(done) = look_by("review.mjs", &page, "review-keys") else { return };
        assert_eq!(done["rows"], 40);
        let head = if identifiable { "row,record_id,mark,flags" } else { "row,mark,flags" };
        let csv = done["csv"].as_str().unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        let id = |i: usize| if identifiable { format!("\"stay-\"\"{i}\"\"\",") } else { String::new() };
        assert_eq!(
            lines,
            [
                head.to_owned(),
                format!("3,{}error,0123456789ab", id(0)),
                format!("20,{}true but unusual,0123456789ab", id(1)),
                format!("37,{}not sure,0123456789ab", id(2)),
                format!("71,{}error,0123456789ab", id(4)),
            ]
        );
    }
}
