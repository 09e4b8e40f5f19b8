//! Runs after the integration tests and says how many of them were skipped, and for want of what.

#![expect(clippy::print_stdout, reason = "the summary is what this target is for")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn main() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped.tsv");
    let notes = std::fs::read_to_string(&path).unwrap_or_default();
    let mut tests_by_want: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (test, want) in notes.lines().filter_map(|line| line.split_once('\t')) {
        tests_by_want.entry(want).or_default().insert(test);
    }
    let tests: BTreeSet<&str> = tests_by_want.values().flatten().copied().collect();
    println!("\n{} tests were skipped, wholly or in part", tests.len());
    for (want, tests) in &tests_by_want {
        println!("  {:>3} for want of {want}", tests.len());
    }
    println!();
    // The next run counts anew.
    let _ = std::fs::remove_file(path);
}
