//! Codes are text: 0389 is not 389.

use std::collections::BTreeMap;

use super::event_bundle::{ingested, rows};

#[test]
fn codes_are_compared_as_text_by_levels_and_rules() {
    let Some(dir) = super::folder("17-icd-leading-zero") else { return };
    let all = ingested(dir.path(), "all.toml", "in", "all");
    assert_eq!(all.ids().len(), 60);
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for level in all.levels("principal").into_values() {
        *counts.entry(level).or_default() += 1;
    }
    let count = |level: &str| counts.get(&Some(level.to_string())).copied().unwrap_or(0);
    let found = [count("sepsis"), count("bladder"), count("tb"), count("other"), counts[&None]];
    assert_eq!(found, [12, 6, 6, 6, 30]);

    // The stay of each admission, and the admissions whose cells match as text.
    let stay: BTreeMap<String, String> = rows(&dir.path().join("in/ICUSTAYS.csv"))
        .into_iter()
        .map(|row| (row["hadm_id"].clone(), row["icustay_id"].clone()))
        .collect();
    let codes = rows(&dir.path().join("in/PRINCIPAL_DX.csv"));
    let expected = |matches: &dyn Fn(&BTreeMap<String, String>) -> bool| {
        let mut ids: Vec<&str> =
            codes.iter().filter(|row| matches(row)).map(|row| stay[&row["hadm_id"]].as_str()).collect();
        ids.sort_unstable();
        ids
    };
    for (pipeline, n, ids) in [
        ("sepsis", 12, expected(&|row| row["icd9_code"].starts_with("038"))),
        ("bladder", 6, expected(&|row| row["icd9_code"] == "1882")),
        ("notsepsis", 48, expected(&|row| !row["icd9_code"].starts_with("038"))),
        ("site", 20, expected(&|row| row["site"] == "007")),
    ] {
        let found = ingested(dir.path(), &format!("{pipeline}.toml"), "in", pipeline);
        assert_eq!(ids.len(), n, "{pipeline}");
        assert_eq!(found.ids(), ids, "{pipeline}");
    }
}
