//! The open MIMIC-III demo through the shipped schema and pipeline: facts counted by other means, and values
//! recomputed from the CSV files by code that shares nothing with the program but the file format.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use cohort_flow::ingest::{Cells, NoProgress, RecordTable, ingest};
use cohort_flow::schema::{Pipeline, Schema, load_pipeline};

use crate::support::shared;

/// The demo's folder, or a line that says it is absent.
fn demo() -> Option<PathBuf> {
    shared("data/mimic3-demo")
}

fn shipped(name: &str) -> (Schema, Pipeline) {
    let (pipeline, schema) = load_pipeline(name).unwrap();
    (schema.unwrap(), pipeline)
}

/// Rows of a demo table as maps from header to cell.
fn rows(dir: &Path, table: &str) -> impl Iterator<Item = HashMap<String, String>> {
    let file = File::open(dir.join(format!("{table}.csv.gz"))).unwrap();
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let header: Vec<String> = reader.headers().unwrap().iter().map(ToString::to_string).collect();
    reader.into_records().map(move |record| {
        header.iter().cloned().zip(record.unwrap().iter().map(ToString::to_string)).collect()
    })
}

/// Minutes since year 0 of months of 31 days: good for order and, within a month, for differences.
/// Differences across months are taken day by day.
fn clock(text: &str) -> (i64, i64, i64, i64) {
    let n = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    (n(0..4), n(5..7), n(8..10), n(11..13) * 3600 + n(14..16) * 60 + n(17..19))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds from `a` to `b` for times at most a few years apart, by stepping through the calendar.
fn seconds_between(a: &str, b: &str) -> i64 {
    let (from, to) = (clock(a), clock(b));
    if (to.0, to.1, to.2, to.3) < (from.0, from.1, from.2, from.3) {
        return -seconds_between(b, a);
    }
    let (mut year, mut month, mut day, mut days) = (from.0, from.1, from.2, 0);
    while (year, month, day) != (to.0, to.1, to.2) {
        days += 1;
        day += 1;
        if day > days_in_month(year, month) {
            (day, month) = (1, month + 1);
        }
        if month > 12 {
            (month, year) = (1, year + 1);
        }
    }
    days * 86_400 + to.3 - from.3
}

struct Stay {
    subject: String,
    intime: String,
    outtime: String,
}

fn stays(dir: &Path) -> BTreeMap<String, Stay> {
    rows(dir, "ICUSTAYS")
        .map(|r| {
            let stay = Stay {
                subject: r["subject_id"].clone(),
                intime: r["intime"].clone(),
                outtime: r["outtime"].clone(),
            };
            (r["icustay_id"].clone(), stay)
        })
        .collect()
}

fn number(table: &RecordTable, stay: &str, feature: &str) -> f64 {
    let row = table.record_ids.iter().position(|id| id == stay).unwrap();
    let column = table.columns.iter().find(|c| c.name == feature).unwrap_or_else(|| panic!("no {feature}"));
    match &column.cells {
        Cells::Number(x) => x.get(row),
        Cells::Text(_) => panic!("{feature} is text"),
    }
}

/// Accepted chart values of the items within the first day of the stay, in file order with their times.
fn chart(
    dir: &Path,
    stays: &BTreeMap<String, Stay>,
    items: &[&str],
    range: (f64, f64),
) -> HashMap<String, Vec<(i64, f64)>> {
    let mut found: HashMap<String, Vec<(i64, f64)>> = HashMap::new();
    for r in rows(dir, "CHARTEVENTS") {
        if !items.contains(&r["itemid"].as_str()) || r["error"] == "1" || r["valuenum"].is_empty() {
            continue;
        }
        let Some(stay) = stays.get(&r["icustay_id"]) else { continue };
        let seconds = seconds_between(&stay.intime, &r["charttime"]);
        let x: f64 = r["valuenum"].parse().unwrap();
        let inside = (0..86_400).contains(&seconds) && seconds_between(&r["charttime"], &stay.outtime) >= 0;
        if inside && range.0 <= x && x <= range.1 {
            found.entry(r["icustay_id"].clone()).or_default().push((seconds, x));
        }
    }
    found
}

fn close(a: f64, b: f64) -> bool {
    // A sum of a few hundred terms in another order: some 1e-14 relative.
    (a - b).abs() <= 1e-12 * (1.0 + b.abs())
}

#[test]
fn cohort_flow_of_the_demo() {
    let Some(dir) = demo() else { return };
    let (schema, pipeline) = shipped("mimic3-first-24h");
    let table = ingest(&schema, &pipeline, &dir, &NoProgress).unwrap();
    let steps: Vec<_> = table.audit.cohort.iter().map(|s| (s.before, s.after)).collect();
    assert_eq!(steps, [(136, 136), (136, 135), (135, 99), (99, 81)]);
    assert_eq!(table.n_records(), 81);
    let chart = table.audit.tables.iter().find(|t| t.table == "CHARTEVENTS").unwrap();
    assert_eq!(chart.rows_read, 758_355);
    let labs = table.audit.tables.iter().find(|t| t.table == "LABEVENTS").unwrap();
    assert_eq!(labs.rows_read, 76_074);
    for t in &table.audit.tables {
        let dropped: u64 = t.dropped.values().sum();
        assert_eq!(t.rows_kept + dropped, t.rows_read, "{} is not accounted for: {t:?}", t.table);
    }
    assert_eq!(table.audit.inputs.len(), 6);
    let names: Vec<_> = table.audit.inputs.iter().map(|f| f.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
}

#[test]
fn values_recomputed_from_the_csv_files_agree() {
    let Some(dir) = demo() else { return };
    let (schema, pipeline) = shipped("mimic3-first-24h");
    let table = ingest(&schema, &pipeline, &dir, &NoProgress).unwrap();
    let stays = stays(&dir);
    let range = |name: &str| schema.variable(name).unwrap().range.unwrap();
    let mut compared = 0;

    // Heart rate, mean and maximum.
    let values = chart(&dir, &stays, &["211", "220045"], range("heart_rate"));
    for id in table.record_ids.iter() {
        let Some(values) = values.get(id) else {
            assert!(number(&table, id, "heart_rate").is_nan(), "{id}");
            continue;
        };
        let mean = values.iter().map(|(_, x)| x).sum::<f64>() / values.len() as f64;
        let max = values.iter().map(|(_, x)| *x).fold(f64::MIN, f64::max);
        assert!(close(number(&table, id, "heart_rate"), mean), "{id}");
        assert_eq!(number(&table, id, "heart_rate_max"), max, "{id}");
        compared += 2;
    }

    // GCS eye: the text decides ("None" is 1), the number in front of CareVue's text agrees.
    let score = |text: &str| match text.trim() {
        "None" | "No Response" | "1 No Response" => Some(1.0),
        "To Pain" | "2 To pain" => Some(2.0),
        "To Speech" | "3 To speech" => Some(3.0),
        "Spontaneously" | "4 Spontaneously" => Some(4.0),
        _ => None,
    };
    let mut eyes: HashMap<String, f64> = HashMap::new();
    for r in rows(&dir, "CHARTEVENTS") {
        if !["184", "220739"].contains(&r["itemid"].as_str()) || r["error"] == "1" {
            continue;
        }
        let Some(stay) = stays.get(&r["icustay_id"]) else { continue };
        let seconds = seconds_between(&stay.intime, &r["charttime"]);
        let inside = (0..86_400).contains(&seconds) && seconds_between(&r["charttime"], &stay.outtime) >= 0;
        if let (true, Some(x)) = (inside, score(&r["value"])) {
            let least = eyes.entry(r["icustay_id"].clone()).or_insert(x);
            *least = least.min(x);
        }
    }
    for id in table.record_ids.iter() {
        let found = number(&table, id, "gcs_eye_min");
        assert!(eyes.get(id).map_or(found.is_nan(), |x| *x == found), "{id}: {found} {:?}", eyes.get(id));
        compared += 1;
    }

    // Sodium of the laboratory, which names no stay: by patient and time.
    let (low, high) = range("sodium");
    let mut sodium: HashMap<String, Vec<f64>> = HashMap::new();
    for r in rows(&dir, "LABEVENTS") {
        if !["50983", "50824"].contains(&r["itemid"].as_str()) || r["valuenum"].is_empty() {
            continue;
        }
        let x: f64 = r["valuenum"].parse().unwrap();
        for (id, stay) in stays.iter().filter(|(_, s)| s.subject == r["subject_id"]) {
            let seconds = seconds_between(&stay.intime, &r["charttime"]);
            let inside =
                (0..86_400).contains(&seconds) && seconds_between(&r["charttime"], &stay.outtime) >= 0;
            if inside && low <= x && x <= high {
                sodium.entry(id.clone()).or_default().push(x);
            }
        }
    }
    for id in table.record_ids.iter() {
        if let Some(values) = sodium.get(id) {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            assert!(close(number(&table, id, "sodium"), mean), "{id}");
            compared += 1;
        }
    }

    // Ages: whole years by the calendar within one day of a year's fraction.
    let births: HashMap<String, String> =
        rows(&dir, "PATIENTS").map(|r| (r["subject_id"].clone(), r["dob"].clone())).collect();
    for id in table.record_ids.iter() {
        let (born, came) = (clock(&births[&stays[id].subject]), clock(&stays[id].intime));
        let years = (came.0 - born.0) - i64::from((came.1, came.2) < (born.1, born.2));
        let found = number(&table, id, "age");
        if years > 89 {
            assert_eq!(found, 91.4, "{id}");
        } else {
            assert!((found - years as f64) > -0.01 && (found - years as f64) < 1.01, "{id}: {found} {years}");
        }
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn null_error_flags_keep_their_rows() {
    let Some(dir) = demo() else { return };
    let (mut schema, mut pipeline) = shipped("mimic3-first-24h");
    // Every item of the table, so that all rows pass the drop rule.
    let items: BTreeSet<i64> = rows(&dir, "CHARTEVENTS").map(|r| r["itemid"].parse().unwrap()).collect();
    let heart_rate = schema.variables.iter_mut().find(|v| v.name == "heart_rate").unwrap();
    for source in &mut heart_rate.sources {
        if let cohort_flow::schema::Source::Events { items: list, .. } = source {
            *list = items.iter().map(|i| cohort_flow::schema::Item::Id(*i)).collect();
            break;
        }
    }
    heart_rate.sources.truncate(1);
    pipeline.features.retain(|f| f.name == "heart_rate");
    pipeline.rules.clear();
    let table = ingest(&schema, &pipeline, &dir, &NoProgress).unwrap();
    assert_eq!(table.n_records(), 136);
    let chart = table.audit.tables.iter().find(|t| t.table == "CHARTEVENTS").unwrap();
    assert_eq!(chart.dropped.get("charted in error"), Some(&648));
    assert_eq!(chart.dropped.get("other item"), None);
    assert_eq!(chart.rows_read, 758_355);
}

#[test]
fn physionet_counts_every_stay() {
    let Some(dir) = shared("data/physionet2012") else { return };
    let (schema, mut pipeline) = shipped("physionet2012-48h");
    pipeline.rules.clear();
    let table = ingest(&schema, &pipeline, &dir, &NoProgress).unwrap();
    assert_eq!(table.n_records(), 8_000);
    let measurements = &table.audit.tables[0];
    let dropped: u64 = measurements.dropped.values().sum();
    assert_eq!(measurements.rows_kept + dropped, measurements.rows_read);
    assert_eq!(table.record_ids, {
        let mut sorted: Vec<&str> = table.record_ids.iter().collect();
        sorted.sort_by_key(|id| id.parse::<u64>().unwrap());
        sorted
    });
}
