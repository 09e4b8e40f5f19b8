//! What is said of a text column with thousands of levels, of free text and of dates.

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::succeed;

#[test]
fn many_levels_free_text_and_dates_are_named_on_the_terminal() {
    let Some(tmp) = folder("38-high-cardinality") else { return };
    let dir = tmp.path();
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
    let said = succeed(dir, &args);
    let bundle = Bundle::open(&dir.join("bundle")).unwrap();
    let columns = &bundle.manifest.encoder.columns;
    let code = columns.iter().find(|c| c.meta.name == "code").expect("a declared column is kept");
    assert!(said.contains(&format!("`code` has {} levels", code.levels.len())), "{said}");
    let n = bundle.audit.columns.len();
    assert!(n > 3 && columns.iter().all(|c| c.meta.name != "note" && c.meta.name != "when"));
    for part in ["`note` is left out", "`when` is left out: it holds dates"] {
        assert!(said.contains(part), "{said}");
    }
}
