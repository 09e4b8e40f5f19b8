//! The functions for R (`src/r`), by `Rscript` with the program under test.

use std::path::Path;
use std::process::Command;

use crate::support::skipped;

#[test]
fn data_frames_of_r_are_fitted_scored_and_flagged() {
    if !Command::new("Rscript").arg("--version").output().is_ok_and(|o| o.status.success()) {
        skipped("Rscript, which `.ci/run` installs from Debian's r-base-core");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("Rscript")
        .arg("--vanilla")
        .arg(root.join("tests/r/test.R"))
        .arg(root.join("src/r/cohort_flow.R"))
        .env("COHORT_FLOW_BINARY", env!("CARGO_BIN_EXE_cohort-flow"))
        .output()
        .unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("all of R is well"), "{told}\n{errors}");
}
