//! The page in a real browser: complete, and without a message on the console.

use std::process::Command;

use cohort_flow::report::{Privacy, render};

use crate::report_fixture::{full, names};

#[test]
fn chromium_shows_every_section_without_complaint() {
    if Command::new("chromium").arg("--version").output().is_err() {
        eprintln!("skipped: no chromium on PATH");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("report.html");
    std::fs::write(&page, render(&full(&names(30), Privacy::new(false))).unwrap()).unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{log}");
    for id in
        ["verdict", "summary", "comparison", "marginals", "correlations", "calibration", "outliers", "limits"]
    {
        assert!(dom.contains(&format!("<section id=\"{id}\"")), "section {id} missing");
    }
    // Added by the script: it ran, which the policy allows for ours alone.
    assert!(dom.contains("Copy as CSV</button>"), "the script did not run");
    // Chromium logs what a page says, and what its policy blocked, with the word CONSOLE.
    let complaints: Vec<&str> = log.lines().filter(|l| l.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}
