//! One table, written by pandas, pyarrow, DuckDB and Polars (`tests/golden/one_table`), is one table:
//! whatever the file, the bundle holds the same tensor, byte for byte, and a model gives every record the
//! same score.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::succeed;

const FILES: &[&str] = &[
    "pandas.csv",
    "pandas.parquet",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pyarrow.feather",
    "duckdb.csv",
    "duckdb.parquet",
    "polars.csv",
    "polars.parquet",
    "polars.arrow",
];

fn place(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/one_table").join(file)
}

#[test]
fn tables_of_four_writers_become_the_same_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let tensor = |file: &str| {
        let input = place(file);
        let args =
            ["ingest", "wide-table", "--input", input.to_str().unwrap(), "--output", "bundle", "--force"];
        succeed(dir, &args);
        fs::read(dir.join("bundle/tensor.safetensors")).unwrap()
    };
    let first = tensor(FILES[0]);
    for file in &FILES[1..] {
        assert!(tensor(file) == first, "the tensor of {file} is not that of {}", FILES[0]);
    }
}

#[test]
fn tables_of_four_writers_get_the_same_scores() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let fit = |file: &str| {
        let input = place(file);
        let args =
            ["ingest", "wide-table", "--input", input.to_str().unwrap(), "--output", "bundle", "--force"];
        succeed(dir, &args);
        succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm", "--force"]);
    };
    let scores = |file: &str| {
        let input = place(file);
        let args = ["flag", "model", "--input", input.to_str().unwrap(), "--output", "flags.csv", "--force"];
        succeed(dir, &args);
        fs::read_to_string(dir.join("flags.csv")).unwrap()
    };
    for trained_on in ["pandas.csv", "duckdb.csv", "pyarrow.parquet", "polars.arrow"] {
        fit(trained_on);
        let first = scores(FILES[0]);
        assert!(first.lines().count() == 401, "every record has a line");
        for file in &FILES[1..] {
            assert!(scores(file) == first, "{trained_on}: the flags of {file} are not those of {}", FILES[0]);
        }
    }
}
