//! Tests that the planted mistakes can be seen in the rows.

use std::collections::{BTreeSet, HashMap};

use super::{Record, number, rows};
use crate::schema::{self, Schema, Source};
use crate::synth::anomaly::MISTAKES;
use crate::synth::quantity::ph;

/// The values of one stay, by item. Rows that are marked as errors are left out; nonsense that nobody marked
/// is kept.
fn first_day(stay: &Record) -> HashMap<u64, Vec<f64>> {
    /// The item, time and value of each measurement, by subject.
    type Measured = HashMap<String, Vec<(u64, String, f64)>>;
    static TABLES: std::sync::OnceLock<Measured> = std::sync::OnceLock::new();
    let tables = TABLES.get_or_init(|| {
        let mut by_subject: HashMap<String, Vec<_>> = HashMap::new();
        for table in ["CHARTEVENTS", "LABEVENTS"] {
            for row in rows(table) {
                if row.get("ERROR").is_some_and(|e| e == "1") {
                    continue;
                }
                if let Some(x) = number(row, "VALUENUM") {
                    let entry = (row["ITEMID"].parse().unwrap(), row["CHARTTIME"].clone(), x);
                    by_subject.entry(row["SUBJECT_ID"].clone()).or_default().push(entry);
                }
            }
        }
        by_subject
    });
    let (from, until) = (&stay["INTIME"], &stay["OUTTIME"]);
    let mut values: HashMap<u64, Vec<f64>> = HashMap::new();
    for (item, at, x) in &tables[&stay["SUBJECT_ID"]] {
        if at >= from && at <= until {
            values.entry(*item).or_default().push(*x);
        }
    }
    values
}

fn sources(schema: &Schema, variable: &str) -> Vec<u64> {
    let variable = schema.variable(variable).unwrap_or_else(|| panic!("{variable} is not in the schema"));
    let mut out = Vec::new();
    for source in &variable.sources {
        if let Source::Events { items, .. } = source {
            out.extend(items.iter().map(|i| match i {
                schema::Item::Id(id) => *id as u64,
                schema::Item::Name(name) => panic!("{name}"),
            }));
        }
    }
    out
}

#[test]
fn planted_mistakes_show_and_stay_plausible() {
    let schema = schema::load_schema("mimic3").unwrap();
    let truth = rows("anomalies");
    let stays: HashMap<_, _> = rows("ICUSTAYS").iter().map(|r| (r["ICUSTAY_ID"].clone(), r)).collect();
    let actions: BTreeSet<_> = truth.iter().map(|r| r["ACTION"].as_str()).collect();
    assert_eq!(actions, MISTAKES.iter().map(|m| m.action).collect(), "every mistake is planted");
    for anomaly in truth {
        let stay = &stays[&anomaly["ICUSTAY_ID"]];
        assert_eq!(stay["SUBJECT_ID"], anomaly["SUBJECT_ID"]);
        assert!(number(stay, "LOS").unwrap() >= 1.0);
        let values = first_day(stay);
        let action = anomaly["ACTION"].as_str();
        for variable in anomaly["VARIABLES"].split(';') {
            if variable == "gcs_total" {
                continue;
            }
            let measured: Vec<f64> = sources(&schema, variable)
                .iter()
                .flat_map(|i| values.get(i).cloned().unwrap_or_default())
                .collect();
            assert!(!measured.is_empty(), "{action}: no {variable}");
            // Some rows are in Fahrenheit, which is not the unit of the variable, so the range of the
            // temperature is not checked.
            if variable == "temperature" {
                continue;
            }
            let (low, high) = schema.variable(variable).unwrap().range.unwrap();
            let inside = measured.iter().filter(|x| (low..=high).contains(x)).count() as f64;
            assert!(inside >= 0.8 * measured.len() as f64, "{action}: {variable} {measured:?}");
        }
        let mean = |item: u64| -> Option<f64> {
            let x: Vec<f64> = values.get(&item)?.iter().copied().filter(|x| x.abs() < 2600.0).collect();
            (!x.is_empty()).then(|| x.iter().sum::<f64>() / x.len() as f64)
        };
        let either = |items: [u64; 2]| items.into_iter().find_map(mean);
        let holds = match action {
            "lactate in mg/dL written as mmol/L" => mean(50813).unwrap() > 8.0,
            "systolic and diastolic pressure exchanged" => {
                either([51, 220050]).or(either([455, 220179])).unwrap()
                    < either([8368, 220051]).or(either([8441, 220180])).unwrap()
            }
            "creatinine times 10" => mean(50912).unwrap() > 4.0,
            "pH 7.10 with PaCO2 20 and bicarbonate 40" => {
                mean(50820).unwrap() + 0.5 < ph(mean(50882).unwrap(), mean(50818).unwrap())
            }
            "weight in pounds written as kg" => either([762, 226512]).unwrap() > 105.0,
            "vital signs constant for the whole stay" => {
                let rate = values.get(&211).or(values.get(&220045)).unwrap();
                let plausible: BTreeSet<u64> =
                    rate.iter().filter(|x| (10.0..300.0).contains(*x)).map(|x| *x as u64).collect();
                plausible.len() == 1
            }
            "sodium and chloride exchanged" => mean(50983).unwrap() < mean(50902).unwrap(),
            "blood gas tensions in kPa written as mmHg" => {
                mean(50821).unwrap() < 40.0 && mean(50818).unwrap() < 13.0
            }
            "arterial oxygen tension 38 with a pulse oximetry of 98 %" => {
                mean(50821).unwrap() < 42.0 && either([646, 220277]).unwrap() > 96.0
            }
            "platelets times 10" => mean(51265).unwrap() > 900.0,
            "temperature 5 degrees too low" => {
                either([678, 223761]).map_or(30.0, |f| (f - 32.0) / 1.8) < 35.0
            }
            "magnesium in mmol/L written as mg/dL" => mean(50960).unwrap() < 1.1,
            "heart rate and respiratory rate exchanged" => {
                either([211, 220045]).unwrap() < either([618, 220210]).unwrap()
            }
            "haemoglobin divided by 10" => mean(51222).unwrap() < 2.0,
            "glucose in mmol/L written as mg/dL" => mean(50931).unwrap() < 45.0,
            "coma score 3 with eyes open and oriented answers" => {
                either([184, 220739]).unwrap() == 4.0 && either([454, 223901]).unwrap() == 1.0
            }
            "urea nitrogen and creatinine exchanged" => mean(51006).unwrap() < mean(50912).unwrap(),
            "calcium in mmol/L written as mg/dL" => mean(50893).unwrap() < 3.0,
            "glucose times 10" => mean(50931).unwrap() > 600.0,
            "haemoglobin and haematocrit exchanged" => mean(51222).unwrap() > mean(51221).unwrap(),
            "bilirubin in umol/L written as mg/dL" => mean(50885).unwrap() > 7.0,
            "all pressures 45 mmHg too high" => {
                either([52, 220052]).or(either([456, 220181])).unwrap() > 95.0
            }
            "leucocytes times 10" => mean(51301).unwrap() > 50.0,
            // The foreign results are consistent among themselves. A test in `bedside` checks that they are
            // not this patient's.
            "all laboratory results are another patient's" => mean(50912).is_some(),
            other => panic!("no check for `{other}`"),
        };
        assert!(holds, "{action} does not show in stay {}", anomaly["ICUSTAY_ID"]);
    }
}
