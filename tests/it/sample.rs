//! The committed sample report is what the program makes of the committed synthetic records and models.

use std::path::{Path, PathBuf};

use crate::support::succeed;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn make(output: &Path, threads: &str) -> String {
    let sample = root().join("tests").join("sample");
    let at = |name: &str| sample.join(name).display().to_string();
    let (cohort, flow, gmm, incoming, labels) =
        (at("cohort"), at("flow"), at("gmm"), at("incoming.parquet"), at("anomalies.csv"));
    let output = output.display().to_string();
    // As tests/sample/report.sh does.
    let args = [
        "report",
        &cohort,
        "--model",
        &flow,
        "--model",
        &gmm,
        "--input",
        &incoming,
        "--labels",
        &labels,
        "--fdr",
        "0.1",
        "--force",
        "--output",
        &output,
        "--threads",
        threads,
    ];
    succeed(&root(), &args);
    std::fs::read_to_string(output).unwrap()
}

/// Text and numbers of a page in turn.
fn tokens(page: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut number) = (0, false);
    for (i, c) in page.char_indices() {
        let is = c.is_ascii_digit() || (number && c == '.');
        if is != number {
            out.push(&page[start..i]);
            (start, number) = (i, is);
        }
    }
    out.push(&page[start..]);
    out
}

/// The same words, and numbers that differ by rounding alone.
fn assert_rounds_to(made: &str, committed: &str) {
    let (made, committed) = (tokens(made), tokens(committed));
    assert_eq!(made.len(), committed.len(), "the pages differ in more than numbers");
    for (i, (a, b)) in made.iter().zip(&committed).enumerate() {
        if a == b {
            continue;
        }
        let near = match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(x), Ok(y)) => {
                let decimals = a.split_once('.').map_or(0, |(_, d)| d.len()) as i32;
                (x - y).abs() <= 1.5 * 10f64.powi(-decimals) + 1e-3 * x.abs()
            }
            _ => false,
        };
        let context = committed[i.saturating_sub(6)..(i + 6).min(committed.len())].concat();
        assert!(
            near,
            "made `{a}`, committed `{b}` near `{context}`: run tests/sample/report.sh and look at the page"
        );
    }
}

#[test]
fn the_sample_report_is_rebuilt_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (make(&dir.path().join("1.html"), "1"), make(&dir.path().join("2.html"), "2"));
    assert!(one == two, "the number of threads shows in the page");
    let committed = std::fs::read_to_string(root().join("reports").join("sample.html")).unwrap();
    assert!(committed.len() <= 2_000_000);
    crate::report::assert_whole(&committed);
    if one != committed {
        // A flow is evaluated in single precision by kernels chosen for the processor, whose last bits
        // differ.
        eprintln!("the sample was made on another kind of processor: compared after rounding");
        assert_rounds_to(&one, &committed);
    }
}

#[test]
fn the_sample_report_reads_well_in_a_browser() {
    let Some(counted) = crate::browser::look_at(&root().join("reports").join("sample.html"), "sample") else {
        return;
    };
    assert_eq!(counted["modes"], 8);
}
