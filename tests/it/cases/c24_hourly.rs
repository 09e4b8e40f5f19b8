//! Hourly sums and last values see nothing from after their hour, and look back as far as they say.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::event_bundle::{ingested_with, mean, rows_of, same};
use crate::support;

const HOUR: i64 = 3600;

/// Seconds of a time since some day, by a calendar of its own.
fn seconds(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days: i64 = (1800..year).map(|y| if leap(y) { 366 } else { 365 }).sum::<i64>()
        + lengths[..(month - 1) as usize].iter().sum::<i64>()
        + day
        - 1;
    days * 86_400 + number(11..13) * HOUR + number(14..16) * 60 + number(17..19)
}

struct Stay {
    subject: String,
    start: i64,
    end: Option<i64>,
}

/// The stay of an event that names none.
fn assigned<'s>(stays: &'s BTreeMap<i64, Stay>, subject: &str, time: i64) -> Option<&'s i64> {
    let own = || stays.iter().filter(|(_, s)| s.subject == subject);
    let end = |s: &Stay| s.end.unwrap_or(i64::MAX);
    let during = own().filter(|(_, s)| s.start <= time && time <= end(s));
    if let Some((id, _)) = during.max_by_key(|(id, s)| (s.start, -**id)) {
        return Some(id);
    }
    // Up to 24 hours before the stay, as far as the longest lookback.
    let near = own().filter(|(_, s)| time < s.start && s.start - time <= 24 * HOUR);
    near.min_by_key(|(id, s)| (s.start - time, **id)).map(|(id, _)| id)
}

/// Seconds after the start of a stay, and a value.
type Series = Vec<(i64, f64)>;

/// The accepted values of some items of a table, by stay.
fn series(
    table: &[BTreeMap<String, String>],
    stays: &BTreeMap<i64, Stay>,
    value: &str,
    (error, units): (&str, &[&str]),
    accept: &dyn Fn(&str, f64) -> Option<f64>,
) -> HashMap<i64, Series> {
    let mut all: HashMap<i64, Series> = HashMap::new();
    let mut seen = HashSet::new();
    for row in table {
        let Ok(number) = row[value].parse::<f64>() else { continue };
        let Some(x) = accept(&row["itemid"], number) else { continue };
        let unit = row["valueuom"].to_lowercase().replace(' ', "");
        if row.get(error).is_some_and(|e| e == "1") || !(unit.is_empty() || units.contains(&unit.as_str())) {
            continue;
        }
        let time = seconds(&row["charttime"]);
        let named = row.get("icustay_id").filter(|id| !id.is_empty()).and_then(|id| id.parse::<i64>().ok());
        let Some(id) = named.or_else(|| assigned(stays, &row["subject_id"], time).copied()) else { continue };
        let Some(stay) = stays.get(&id) else { continue };
        if stay.end.is_some_and(|end| time > end) {
            continue;
        }
        // The same row exported twice is one measurement.
        if seen.insert((id, row["itemid"].clone(), time, row[value].clone(), unit)) {
            all.entry(id).or_default().push((time - stay.start, x));
        }
    }
    all
}

/// Least squares per hour.
fn slope(values: &Series) -> Option<f64> {
    let (t, x): (Vec<f64>, Vec<f64>) = values.iter().map(|(t, x)| (*t as f64 / HOUR as f64, *x)).unzip();
    let (mean_t, mean_x) = (mean(&t), mean(&x));
    let spread: f64 = t.iter().map(|t| (t - mean_t).powi(2)).sum();
    let product: f64 = t.iter().zip(&x).map(|(t, x)| (t - mean_t) * (x - mean_x)).sum();
    (values.len() >= 3 && spread > 0.0).then(|| product / spread)
}

#[test]
fn no_value_from_after_its_hour_counts_and_lookbacks_end_where_they_say() {
    let Some(input) = support::shared("data/mimic3-demo") else { return };
    let dir = tempfile::tempdir().unwrap();
    let input_text = input.to_str().unwrap();
    let found =
        ingested_with(dir.path(), "mimic3-hourly", input_text, "bundle", &["--set", "min_observed=0"]);
    let table = |name: &str, items: &[&str]| rows_of(&input.join(format!("{name}.csv.gz")), items);
    let stays: BTreeMap<i64, Stay> = table("ICUSTAYS", &[])
        .iter()
        .map(|row| {
            let end = Some(&row["outtime"]).filter(|t| !t.is_empty()).map(|t| seconds(t));
            let stay = Stay { subject: row["subject_id"].clone(), start: seconds(&row["intime"]), end };
            (row["icustay_id"].parse().unwrap(), stay)
        })
        .collect();
    let between = |low: f64, high: f64| move |x: f64| (low..=high).contains(&x).then_some(x);
    let rates = series(
        &table("CHARTEVENTS", &["211", "220045"]),
        &stays,
        "valuenum",
        ("error", &["bpm"]),
        &|item, x| {
            if ["211", "220045"].contains(&item) { between(10.0, 300.0)(x) } else { None }
        },
    );
    let output: &[&str] = &[
        "40055", "40056", "40057", "40069", "40085", "40094", "40096", "40405", "40428", "40473", "40651",
        "40715", "43175", "226557", "226558", "226559", "226560", "226561", "226563", "226564", "226565",
        "226567", "226584", "227489",
    ];
    let urine = series(&table("OUTPUTEVENTS", &[]), &stays, "value", ("iserror", &["ml"]), &|item, x| {
        // Irrigant is subtracted.
        let sign = if item == "227488" { -1.0 } else { 1.0 };
        let known = item == "227488" || output.contains(&item);
        if known { between(-5000.0, 5000.0)(x).map(|x| sign * x) } else { None }
    });
    let lactates = series(
        &table("LABEVENTS", &["50813"]),
        &stays,
        "valuenum",
        ("-", &["meq/l", "mmol/l"]),
        &|item, x| {
            if item == "50813" { between(0.1, 40.0)(x) } else { None }
        },
    );
    let columns =
        ["heart_rate", "urine_output", "lactate_last", "lactate_time_since_last", "heart_rate_slope"];
    let columns = columns.map(|name| found.numbers(name));
    let mut checked = [0; 5];
    let none = Series::new();
    for record in &found.bundle.record_ids {
        let (id, hour) = record.split_once('@').unwrap();
        let (id, from) = (id.parse::<i64>().unwrap(), hour.parse::<i64>().unwrap() * HOUR);
        let stay = &stays[&id];
        let to = from + HOUR;
        let within = |all: &HashMap<i64, Series>, from: i64| -> Series {
            all.get(&id).unwrap_or(&none).iter().filter(|(t, _)| from <= *t && *t < to).copied().collect()
        };
        let values = |series: Series| series.into_iter().map(|(_, x)| x).collect::<Vec<_>>();
        let (rate, volume) = (values(within(&rates, from)), values(within(&urine, from)));
        let lactate = within(&lactates, from - 24 * HOUR);
        let latest = lactate.iter().map(|(t, _)| *t).max();
        let tied: Vec<f64> = lactate.iter().filter(|(t, _)| Some(*t) == latest).map(|(_, x)| *x).collect();
        let end = stay.end.map_or(to, |end| to.min(end - stay.start));
        let expected = [
            (!rate.is_empty()).then(|| mean(&rate)),
            (!volume.is_empty()).then(|| volume.iter().sum()),
            (!tied.is_empty()).then(|| mean(&tied)),
            latest.map(|latest| (end - latest) as f64 / HOUR as f64),
            slope(&within(&rates, from - 3 * HOUR)),
        ];
        for (at, expected) in expected.into_iter().enumerate() {
            let value = columns[at][record];
            assert!(same(value, expected, 1e-8), "column {at} of {record}: {value:?}, not {expected:?}");
            checked[at] += usize::from(expected.is_some());
        }
    }
    assert!(checked.iter().all(|n| *n > 200), "{checked:?}");
}
