//! `export`: what other programs read is what the bundle holds.

use std::fs;

use cohort_flow::features::Bundle;

use crate::support;

#[test]
fn a_bundle_is_exported_as_table_and_as_arrays() {
    let work = tempfile::tempdir().unwrap();
    support::bundle(work.path(), 300);
    support::succeed(work.path(), &["export", "bundle", "--output", "all.csv"]);
    let mut reader = csv::Reader::from_path(work.path().join("all.csv")).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..3], ["record_id", "split", "heart_rate"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 300);
    let source = support::table(300, 1);
    for (row, line) in rows.iter().zip(source.lines().skip(1)) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((&row[0], row[2].parse::<f64>().unwrap()), (cells[0], cells[1].parse::<f64>().unwrap()));
    }
    support::succeed(work.path(), &["export", "bundle", "--split", "train", "--output", "train.npz"]);
    let train = rows.iter().filter(|row| &row[1] == "train").count();
    let bytes = fs::read(work.path().join("train.npz")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let bundle = Bundle::open(&work.path().join("bundle")).unwrap();
    let d = bundle.manifest.encoder.n_coordinates();
    assert!(
        text.contains(&format!("'descr': '<f4', 'fortran_order': False, 'shape': ({train}, {d})")),
        "{train} {d}"
    );
    assert!(bytes.starts_with(b"PK\x03\x04") && text.contains("record_id.npy"));
    let python = std::env::var("COHORT_FLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let script =
        "import numpy, sys; a = numpy.load(sys.argv[1]); print(*a, a['values'].shape, a['record_id'][0])";
    let read = std::process::Command::new(python)
        .args(["-c", script, "train.npz"])
        .current_dir(work.path())
        .output();
    match read {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.contains(&format!("({train}, {d})")), "{said}");
        }
        _ => support::skipped("a Python with numpy in COHORT_FLOW_PYTHON (pip install numpy)"),
    }
    support::fail(
        work.path(),
        &["export", "bundle", "--output", "all.xlsx"],
        &[".csv, .parquet, .arrow or .npz"],
    );
}
