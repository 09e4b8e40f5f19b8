//! The Python package (`src/python`), by pytest (`tests/python`) with the program under test.
//!
//! It needs an interpreter with pytest, numpy, pandas, Polars, pyarrow and scikit-learn: `target/python`,
//! where
//! `.ci/run` makes it, or the one that `COHORT_FLOW_PYTHON` names. Without it these tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::skipped;

fn interpreter() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let default = || root.join("target/python/bin/python");
    let python = std::env::var_os("COHORT_FLOW_PYTHON").map_or_else(default, PathBuf::from);
    let packages = "import pytest, numpy, pandas, polars, pyarrow, sklearn, joblib";
    if !Command::new(&python).args(["-c", packages]).output().is_ok_and(|o| o.status.success()) {
        skipped("Python packages in target/python, where `.ci/run` installs them");
        return None;
    }
    Some(python)
}

fn pytest(files: &[&str]) {
    let Some(python) = interpreter() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command
        .args(["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--rootdir"])
        .arg(root.join("tests/python"));
    command.args(files.iter().map(|file| root.join("tests/python").join(file)));
    command.env("COHORT_FLOW_BINARY", env!("CARGO_BIN_EXE_cohort-flow"));
    command.env("PYTHONPATH", root.join("src/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_python_package_does_what_it_says() {
    pytest(&["test_estimators.py", "test_types.py", "test_plot.py"]);
}

#[test]
fn the_python_package_says_what_is_wrong() {
    pytest(&["test_errors.py"]);
}

#[test]
fn the_estimators_keep_the_conventions_of_scikit_learn() {
    pytest(&["test_sklearn.py"]);
}

#[test]
fn mlflow_loads_what_export_writes() {
    pytest(&["test_mlflow.py"]);
}

#[test]
fn the_notebooks_of_the_guide_run() {
    let Some(python) = interpreter() else { return };
    let packages = "import nbclient, nbformat, ipykernel";
    if !Command::new(&python).args(["-c", packages]).output().is_ok_and(|o| o.status.success()) {
        skipped("nbclient and ipykernel in target/python, where `.ci/run` installs them");
        return;
    }
    pytest(&["test_notebooks.py"]);
}

#[test]
fn the_python_package_is_typed() {
    let Some(python) = interpreter() else { return };
    if !Command::new(&python).args(["-c", "import mypy"]).output().is_ok_and(|o| o.status.success()) {
        skipped("mypy in target/python, where `.ci/run` installs it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    command.args(["-m", "mypy", "--cache-dir"]).arg(folder.path());
    let output =
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/python")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
