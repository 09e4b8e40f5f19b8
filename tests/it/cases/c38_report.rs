//! The report on a column with thousands of levels.

use std::fs;
use std::time::{Duration, Instant};

use super::folder;
use crate::support::succeed;

#[test]
fn thousands_of_levels_make_a_small_page_with_escaped_names() {
    let Some(dir) = folder("38-high-cardinality") else { return };
    let dir = dir.path();
    let args = [
        "ingest",
        "wide-table",
        "--input",
        "table.csv",
        "--output",
        "bundle",
        "--set",
        "role.code=categorical",
    ];
    succeed(dir, &args);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    let begin = Instant::now();
    succeed(dir, &["report", "bundle", "--model", "model", "--output", "report.html"]);
    assert!(begin.elapsed() < Duration::from_mins(1), "{:?}", begin.elapsed());
    let page = fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(page.len() < 5_000_000, "{}", page.len());
    // Tags of the column are text, and the rest of its levels is counted.
    let own = ["<script>", "</script>"].map(|tag| page.matches(tag).count());
    assert!(own == [1, 1], "{own:?}");
    assert!(!page.contains("<img") && !page.contains("<b>"), "a tag of the table is a tag of the page");
    assert!(page.contains(" other levels"));
}
