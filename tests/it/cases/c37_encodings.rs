//! Encodings of single tables.

use std::fs;
use std::path::Path;

use cohort_flow::ingest::{Cells, read_columns};
use cohort_flow::schema::Kind;

use crate::cases::folder;
use crate::support::{fail, succeed};

/// The two columns of a bundle.
fn columns(dir: &Path, bundle: &str, names: [&str; 2]) -> [Vec<f64>; 2] {
    let expected = names.map(|name| (name, Kind::Continuous));
    let read = read_columns(&dir.join(bundle).join("features.parquet"), &expected).unwrap();
    [0, 1].map(|i| match &read.columns[i].cells {
        Cells::Number(cells) => cells.to_vec(),
        Cells::Text(_) => panic!("{} is read as numbers", names[i]),
    })
}

/// The numbers of a plain table, by splitting its lines.
fn numbers(text: &str) -> [Vec<f64>; 2] {
    let rows = text.lines().skip(1).map(|line| line.split_once(',').unwrap());
    let (x, y) = rows.map(|(x, y)| (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())).unzip();
    [x, y]
}

#[test]
fn tables_in_any_encoding_are_read_whole_and_right_or_refused() {
    let Some(tmp) = folder("37-encodings-and-gzip") else { return };
    let dir = tmp.path();
    let plain = fs::read_to_string(dir.join("w_cr.csv")).unwrap().replace('\r', "\n");
    let expected = numbers(&plain);
    assert_eq!(expected[0].len(), 300);
    for (name, names) in [
        ("w_cr.csv", ["x", "y"]),
        ("w_bomq.csv", ["x, the first", "y"]),
        ("w_utf16.csv", ["x", "y"]),
        ("w_padded.csv.gz", ["x", "y"]),
        ("w_trailing_comma.csv", ["x", "y"]),
    ] {
        succeed(dir, &["ingest", "wide-table", "--input", name, "--output", "bundle", "--force"]);
        assert_eq!(columns(dir, "bundle", names), expected, "{name}");
    }
    let hash = ["ingest", "wide-table", "--input", "w_hash.csv", "--output", "hash"];
    fail(dir, &hash, &["w_hash.csv", "line 2", "title"]);
    // `Total,300` is a row like others to a reader; the roles of columns have to notice that `x` holds a
    // text.
    let footer =
        crate::support::run(dir, &["ingest", "wide-table", "--input", "w_footer.csv", "--output", "footer"]);
    let said = String::from_utf8_lossy(&footer.stderr);
    assert!(said.contains("`x`") || said.contains("w_footer.csv"), "{said}");
}

#[test]
fn the_tables_of_the_set_are_one_table() {
    let Some(tmp) = folder("37-encodings-and-gzip") else { return };
    let dir = tmp.path();
    let tensor = |name: &str| {
        succeed(dir, &["ingest", "wide-table", "--input", name, "--output", "bundle", "--force"]);
        fs::read(dir.join("bundle/tensor.safetensors")).unwrap()
    };
    assert!(tensor("w_cr.csv") == tensor("w_utf16.csv") && tensor("w_cr.csv") == tensor("w_padded.csv.gz"));
}
