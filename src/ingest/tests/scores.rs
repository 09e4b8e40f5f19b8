//! What scores need: facts that are times or codes, variables computed from computed ones, the past, and time
//! as a weight.

use super::windows::{WINDOW, filled, run_with};

#[test]
fn times_the_next_record_and_codes_are_facts() {
    let more = "\n[tables.CODES]\nkey = \"STAY_ID\"\nmany = true\n\
                columns = { STAY_ID = \"integer\", CODE = \"text\" }\n\
                [variables.ends]\nunit = \"h\"\nsources = [{ table = \"STAYS\", column = \"OUTTIME\", hours = true }]\n\
                [variables.next]\nunit = \"h\"\nsources = [{ table = \"STAYS\", column = \"INTIME\", next = true }]\n\
                [variables.septic]\nkind = \"binary\"\n\
                sources = [{ table = \"CODES\", column = \"CODE\", any_of = [\"038*\"] }, \
                { table = \"CODES\", column = \"CODE\", any_of = [\"9959*\"] }]\n";
    let table = run_with(more, "\"ends\", \"next\", \"septic\"", "", WINDOW);
    assert_eq!(table.record_ids, ["10", "11", "13"]);
    assert_eq!(filled(&table, "ends"), [48.0, 6.0, 24.0]);
    assert_eq!(
        filled(&table, "next"),
        [29.0 * 24.0, -1.0, -1.0],
        "from the third of January to the first of February"
    );
    assert_eq!(filled(&table, "septic"), [1.0, -1.0, 0.0], "no codes at all say nothing");
}

#[test]
fn scores_are_computed_from_computed_parts() {
    let more = "\n[variables.fast]\nkind = \"ordinal\"\nexpression = \"steps(hr:max, 0, 71, 1, 100, 2)\"\n\
                [variables.heavy]\nkind = \"ordinal\"\nexpression = \"steps_above(weight:first, 0, 79, 1)\"\n\
                [variables.score]\nkind = \"ordinal\"\nexpression = \"part(fast) + part(heavy)\"\n\
                [variables.old]\nkind = \"ordinal\"\nexpression = \"where(fast, steps(age, 0, 51, 1))\"\n";
    let table = run_with(more, "\"fast\", \"heavy\", \"score\", \"old\"", "", WINDOW);
    assert_eq!(filled(&table, "fast"), [2.0, 0.0, 0.0]);
    assert_eq!(filled(&table, "heavy"), [1.0, -1.0, -1.0]);
    assert_eq!(filled(&table, "score"), [3.0, 0.0, 0.0], "what was not recorded is normal");
    // Only the patient of stay 11, whose pulse is not fast, is older than fifty.
    assert_eq!(filled(&table, "old"), [-1.0, 0.0, -1.0]);
    let kinds: Vec<_> = table.columns.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [crate::schema::Kind::Ordinal; 4], "one number per window keeps its kind");
}

#[test]
fn the_past_and_time_as_a_weight() {
    let more = "\n[variables.calmest]\nunit = \"bpm\"\nexpression = \"lowest(hr, 12)\"\nat = \"hr\"\n\
                [variables.recent]\nunit = \"bpm\"\nexpression = \"hr - lowest(hr, 1)\"\n\
                [variables.low]\nexpression = \"steps(hr, 1, 90, 0)\"\n";
    let features = "\"calmest:max\", \"recent:max\", \"hr:time-mean\", \"hr:integral\", \"low:integral\"";
    let table = run_with(more, features, "", WINDOW);
    // 85 at midnight, which is held for four hours, and 100.3 for the last second of the ten.
    assert_eq!(filled(&table, "calmest_max")[0], 85.0);
    assert_eq!(filled(&table, "recent_max")[0], 0.0, "ten hours ago is no hour ago");
    let mean = (85.0 * 14_400.0 + 100.3) / 14_401.0;
    assert!((filled(&table, "hr_time_mean")[0] - mean).abs() < 1e-9);
    assert!((filled(&table, "hr_integral")[0] - mean * 14_401.0 / 3600.0).abs() < 1e-9);
    assert_eq!(filled(&table, "low_integral")[0], 4.0);
    let units: Vec<&str> = table.columns.iter().map(|c| c.unit.as_str()).collect();
    assert_eq!(units, ["bpm", "bpm", "bpm", "bpm·h", "h"]);
}
