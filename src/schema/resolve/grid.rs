//! The `[grid]` section of a pipeline.

use crate::schema::Grid;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Get, key};

/// Resolves the section; what is wrong with a key that is given is told there.
pub(super) fn grid(problems: &Problems<'_>, raw: &raw::Grid) -> Grid {
    let mut grid = Grid::default();
    let number = |n: Option<u64>| n.map(|n| n.to_string());
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let given: [(&str, Option<Span>, Option<String>); 8] = [
        ("size", key(&raw.size), raw.size.owned()),
        ("levels", key(&raw.levels), number(raw.levels.copied())),
        ("crop", key(&raw.crop), flag(raw.crop.copied())),
        ("grey", key(&raw.grey), flag(raw.grey.copied())),
        ("tile", key(&raw.tile), raw.tile.owned()),
        ("row", key(&raw.row), raw.row.owned()),
        ("range", key(&raw.range), raw.range.owned()),
        ("normal", key(&raw.normal), raw.normal.owned()),
    ];
    for (name, at, value) in given {
        // A file and `--set` know the same keys and refuse the same values.
        let (Some(at), Some(value)) = (at, value) else { continue };
        if let Some(Err(message)) = grid.set(name, value.trim()) {
            problems.add(at, format!("`{name}` {message}"));
        }
    }
    if let (Some((_, message)), Some(at)) = (grid.check(), key(&raw.row)) {
        problems.add(at, message);
    }
    grid
}
