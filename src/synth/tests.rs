//! Tests of the extract as its reader sees it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::quantity::{CO2_SOLUBILITY, ph};
use super::writer::LAYOUTS;
use super::*;

mod agreement;
mod databases;
mod planted;

/// One extract that all tests read. It has 240 patients and a mistake in every sixth eligible stay, so that
/// each mistake occurs.
struct Shared {
    _folder: tempfile::TempDir,
    path: PathBuf,
    tables: HashMap<&'static str, Rows>,
}

fn shared() -> &'static Shared {
    static SHARED: std::sync::OnceLock<Shared> = std::sync::OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        synthesize(&config(240), &path, &|_| {}).unwrap();
        let names = LAYOUTS.iter().map(|l| l.name).chain(["anomalies"]);
        let tables = names.map(|name| (name, read(&path, name))).collect();
        Shared { _folder: folder, path, tables }
    })
}

fn config(patients: u64) -> SynthConfig {
    SynthConfig { patients, seed: Seed(11), anomaly_fraction: 0.17, ..SynthConfig::default() }
}

type Record = HashMap<String, String>;
type Rows = Vec<Record>;

fn read(dir: &Path, table: &str) -> Rows {
    let mut reader = csv::Reader::from_path(dir.join(format!("{table}.csv"))).unwrap();
    reader.deserialize().map(|r| r.unwrap()).collect()
}

/// A table of the shared extract.
fn rows(table: &str) -> &'static Rows {
    &shared().tables[table]
}

fn number(row: &Record, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

/// The results of each draw, by subject and time, and then by test.
fn by_draw(labs: &Rows) -> HashMap<(String, String), HashMap<u64, f64>> {
    let mut draws: HashMap<_, HashMap<_, _>> = HashMap::new();
    for row in labs {
        if let Some(x) = number(row, "VALUENUM") {
            let key = (row["SUBJECT_ID"].clone(), row["CHARTTIME"].clone());
            draws.entry(key).or_default().insert(row["ITEMID"].parse().unwrap(), x);
        }
    }
    draws
}

fn spoilt() -> BTreeSet<String> {
    rows("anomalies").iter().map(|r| r["SUBJECT_ID"].clone()).collect()
}

fn bytes(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (PathBuf::from(p.file_name().unwrap()), std::fs::read(&p).unwrap()))
        .collect()
}

#[test]
fn same_seed_same_bytes_and_fewer_patients_are_a_prefix() {
    let tmp = tempfile::tempdir().unwrap();
    let write = |name: &str, config: &SynthConfig| {
        synthesize(config, &tmp.path().join(name), &|_| {}).unwrap();
        bytes(&tmp.path().join(name))
    };
    let once = write("a", &config(40));
    assert_eq!(once, write("b", &config(40)));
    assert_ne!(once, write("c", &SynthConfig { seed: Seed(12), ..config(40) }));
    for (name, more) in bytes(&shared().path) {
        assert!(more.starts_with(&once[&name]), "{}", name.display());
    }
}

#[test]
fn compressed_tables_hold_the_same_rows() {
    let tmp = tempfile::tempdir().unwrap();
    synthesize(&config(5), &tmp.path().join("plain"), &|_| {}).unwrap();
    synthesize(&SynthConfig { gzip: true, ..config(5) }, &tmp.path().join("gz"), &|_| {}).unwrap();
    let file = std::fs::File::open(tmp.path().join("gz/CHARTEVENTS.csv.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    assert_eq!(text, std::fs::read_to_string(tmp.path().join("plain/CHARTEVENTS.csv")).unwrap());
}

#[test]
fn summary_counts_what_is_in_the_files() {
    let tmp = tempfile::tempdir().unwrap();
    let calls = std::cell::RefCell::new(Vec::new());
    let summary = synthesize(&config(70), &tmp.path().join("x"), &|n| calls.borrow_mut().push(n)).unwrap();
    assert_eq!(*calls.borrow(), [64, 70]);
    for (name, n) in &summary.rows {
        assert_eq!(read(&tmp.path().join("x"), name).len() as u64, *n, "{name}");
    }
    let counted: HashMap<_, _> = summary.rows.iter().cloned().collect();
    assert_eq!((summary.patients, summary.stays), (counted["PATIENTS"], counted["ICUSTAYS"]));
    assert_eq!((summary.admissions, summary.anomalies), (counted["ADMISSIONS"], counted["anomalies"]));
}

#[test]
fn settings_out_of_range_are_rejected_and_nothing_is_left() {
    let tmp = tempfile::tempdir().unwrap();
    for wrong in [
        SynthConfig { patients: 0, ..config(1) },
        SynthConfig { anomaly_fraction: f64::NAN, ..config(1) },
        SynthConfig { anomaly_fraction: 1.1, ..config(1) },
        SynthConfig { chart_hours: 3.0, ..config(1) },
    ] {
        let error = synthesize(&wrong, &tmp.path().join("x"), &|_| {}).unwrap_err();
        assert!(crate::error::Hint::hint(&error).is_some(), "{error}");
    }
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
}

#[test]
fn henderson_hasselbalch_holds_in_every_clean_gas() {
    let spoilt = spoilt();
    let mut n = 0;
    for ((subject, at), gas) in by_draw(rows("LABEVENTS")) {
        let (Some(written), Some(co2), Some(total)) = (gas.get(&50820), gas.get(&50818), gas.get(&50804))
        else {
            continue;
        };
        if spoilt.contains(&subject) {
            continue;
        }
        n += 1;
        let bicarbonate = total - CO2_SOLUBILITY * co2;
        // The tolerance allows for half a unit of rounding in pCO2 and in total CO2, and for 0.005 in pH.
        let tolerance = 0.006 + (0.52 / bicarbonate + 0.52 / co2) / std::f64::consts::LN_10;
        assert!((written - ph(bicarbonate, *co2)).abs() < tolerance, "{at}: {gas:?}");
    }
    assert!(n > 500, "{n}");
}

#[test]
fn laboratory_identities_hold_in_clean_draws() {
    let spoilt = spoilt();
    let mut n = 0;
    for ((subject, at), x) in by_draw(rows("LABEVENTS")) {
        let (Some(na), Some(k), Some(cl), Some(hco3), Some(gap)) =
            (x.get(&50983), x.get(&50971), x.get(&50902), x.get(&50882), x.get(&50868))
        else {
            continue;
        };
        if spoilt.contains(&subject) {
            continue;
        }
        n += 1;
        assert!((na + k - cl - hco3 - gap).abs() <= 0.5 + 1e-9, "{at}: {x:?}");
        let (hb, hct, mchc) = (x[&51222], x[&51221], x[&51249]);
        assert!((100.0 * hb / hct - mchc).abs() < 0.05 + (5.0 + 0.05 * mchc) / hct, "{at}: {x:?}");
        assert!((10.0 * hct / x[&51279] - x[&51250]).abs() < 0.5 + 0.65 + 0.05 * x[&51250], "{at}: {x:?}");
    }
    assert!(n > 1000, "{n}");
}

#[test]
fn traps_of_the_real_tables_are_there() {
    let chart = rows("CHARTEVENTS");
    let system: HashMap<_, _> = rows("ICUSTAYS").iter().map(|r| (r["ICUSTAY_ID"].clone(), r)).collect();
    let share =
        |f: &dyn Fn(&Record) -> bool| chart.iter().filter(|r| f(r)).count() as f64 / chart.len() as f64;
    let carevue = |r: &Record| system[&r["ICUSTAY_ID"]]["DBSOURCE"] == "carevue";
    assert!(chart.iter().all(|r| r["ERROR"].is_empty() == carevue(r)));
    let flagged = share(&|r| r["ERROR"] == "1");
    assert!((1e-5..2e-3).contains(&flagged), "{flagged}");
    let early = share(&|r| r["CHARTTIME"] < system[&r["ICUSTAY_ID"]]["INTIME"]);
    assert!((1e-4..0.02).contains(&early), "{early}");
    assert!(
        chart
            .windows(2)
            .any(|w| w[0]["ICUSTAY_ID"] == w[1]["ICUSTAY_ID"] && w[0]["CHARTTIME"] > w[1]["CHARTTIME"])
    );
    assert!(chart.iter().any(|r| r["STOPPED"] == "D/C'd" && r["VALUENUM"].is_empty()));
    assert!(chart.iter().any(|r| r["VALUENUM"].parse::<f64>().is_ok_and(|x| x > 1000.0)));
    let labs = rows("LABEVENTS");
    let orphans = labs.iter().filter(|r| r["HADM_ID"].is_empty()).count() as f64 / labs.len() as f64;
    assert!((0.08..0.3).contains(&orphans), "{orphans}");
    assert!(labs.iter().any(|r| r["VALUE"] == "<0.01" && r["VALUENUM"].is_empty()));
    assert!(labs.iter().any(|r| r["VALUE"] == "NotDone"));
    let stays = rows("ICUSTAYS");
    assert!(stays.windows(2).any(|w| w[0]["SUBJECT_ID"] == w[1]["SUBJECT_ID"]));
}

#[test]
fn what_is_missing_says_something() {
    let measured = |id: &str, of: &str| -> (f64, f64) {
        // Compares a test between patients with and without the other test. The sicker patients are tested
        // more.
        let labs = rows("LABEVENTS");
        let tested: BTreeSet<_> =
            labs.iter().filter(|r| r["ITEMID"] == id).map(|r| r["SUBJECT_ID"].clone()).collect();
        let mut sums = [(0.0, 0.0), (0.0, 0.0)];
        for row in labs.iter().filter(|r| r["ITEMID"] == of && !r["HADM_ID"].is_empty()) {
            let group = &mut sums[usize::from(tested.contains(&row["SUBJECT_ID"]))];
            group.0 += number(row, "VALUENUM").unwrap();
            group.1 += 1.0;
        }
        (sums[0].0 / sums[0].1, sums[1].0 / sums[1].1)
    };
    // Lactate is ordered in shock and inflammation. Where it was ordered, white cells are higher and
    // bicarbonate is lower.
    let (without, with) = measured("50813", "51301");
    assert!(with > without + 0.5, "{without} {with}");
    let (without, with) = measured("50813", "50882");
    assert!(with < without - 0.5, "{without} {with}");
}
