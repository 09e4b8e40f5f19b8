//! The files of the PhysioNet/CinC Challenge 2019: one `.psv` per patient, one row per hour.
//!
//! A patient has one record, of the first stay. The last value of an hour stands for it. `SepsisLabel` is 1
//! in every hour of patients whose illness is sepsis: the simulation has no moment of onset.

use std::path::{Path, PathBuf};

use super::super::admin;
use super::super::bedside::Bedside;
use super::super::clock::Moment;
use super::super::patient::{Admission, Patient};
use super::super::record::{Arrival, Charted, Entry, Finding, LabResult, Output, Planted, Recorder};
use super::super::writer::{self, Table, round_to};
use super::common::{age_at, among};
use crate::error::IoError;

/// Columns of the hourly signals, in the order of the files.
const SIGNALS: [&str; 34] = [
    "HR",
    "O2Sat",
    "Temp",
    "SBP",
    "MAP",
    "DBP",
    "Resp",
    "EtCO2",
    "BaseExcess",
    "HCO3",
    "FiO2",
    "pH",
    "PaCO2",
    "SaO2",
    "AST",
    "BUN",
    "Alkalinephos",
    "Calcium",
    "Chloride",
    "Creatinine",
    "Bilirubin_direct",
    "Glucose",
    "Lactate",
    "Magnesium",
    "Phosphate",
    "Potassium",
    "Bilirubin_total",
    "TroponinI",
    "Hct",
    "Hgb",
    "PTT",
    "WBC",
    "Fibrinogen",
    "Platelets",
];

/// Item of the chart and column.
const CHART: &[(u64, usize)] = &[
    (220_045, 0),
    (220_277, 1),
    (223_761, 2),
    (223_762, 2),
    (220_050, 3),
    (220_179, 3),
    (220_052, 4),
    (220_181, 4),
    (220_051, 5),
    (220_180, 5),
    (220_210, 6),
    (223_835, 10),
];

/// Test and column.
const TESTS: &[(u64, usize)] = &[
    (50_802, 8),
    (50_882, 9),
    (50_820, 11),
    (50_818, 12),
    (50_878, 14),
    (51_006, 15),
    (50_863, 16),
    (50_893, 17),
    (50_902, 18),
    (50_912, 19),
    (50_931, 21),
    (50_813, 22),
    (50_960, 23),
    (50_970, 24),
    (50_971, 25),
    (50_885, 26),
    (51_221, 28),
    (51_222, 29),
    (51_275, 30),
    (51_301, 31),
    (51_214, 32),
    (51_265, 33),
];

/// Smallest number of a patient, which makes six digits of all.
const PATIENTS: u64 = 100_000;

/// The record of one patient.
struct Grid {
    stay: u64,
    arrived: Moment,
    hours: Vec<[Option<f64>; SIGNALS.len()]>,
    age: u64,
    male: bool,
    medical: bool,
    waited: f64,
    septic: bool,
}

/// The folder that is being written.
pub(super) struct Physionet2019 {
    dir: PathBuf,
    anomalies: Table,
    first: Option<u64>,
    grid: Option<Grid>,
    labs: Vec<(Moment, usize, f64)>,
    files: u64,
    rows: u64,
}

impl Physionet2019 {
    pub(super) fn create(dir: &Path) -> Result<Self, IoError> {
        Ok(Self {
            dir: dir.to_owned(),
            anomalies: Table::create(dir, writer::MISTAKES, false)?,
            first: None,
            grid: None,
            labs: Vec::new(),
            files: 0,
            rows: 0,
        })
    }
}

impl Grid {
    fn put(&mut self, at: Moment, column: usize, x: f64) {
        let hour = at.hours_since(self.arrived).floor();
        if hour >= 0.0
            && let Some(row) = self.hours.get_mut(hour as usize)
        {
            row[column] = Some(x);
        }
    }

    fn text(&self) -> String {
        let mut out = SIGNALS.join("|");
        out.push_str("|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel\n");
        for (hour, values) in self.hours.iter().enumerate() {
            for x in values {
                match x {
                    Some(x) => out.push_str(&x.to_string()),
                    None => out.push_str("NaN"),
                }
                out.push('|');
            }
            let (sex, unit, label) = (u8::from(self.male), u8::from(self.medical), u8::from(self.septic));
            let fixed =
                format!("{}|{sex}|{unit}|{}|{}|{}|{label}\n", self.age, 1 - unit, self.waited, hour + 1);
            out.push_str(&fixed);
        }
        out
    }
}

impl Recorder for Physionet2019 {
    fn writes(&self, concept: &str) -> bool {
        among(concept, CHART.iter().map(|c| c.0), TESTS.iter().map(|t| t.0))
    }

    fn patient(&mut self, patient: &Patient, _registered: Option<Moment>) -> Result<(), IoError> {
        self.first = Some(patient.admissions[0].stays[0].id);
        Ok(())
    }

    fn admission(&mut self, _: &Patient, _: &Admission, _: Arrival) -> Result<(), IoError> {
        Ok(())
    }

    fn diagnoses(&mut self, _: &Patient, _: &Admission, _: &[&'static str]) -> Result<(), IoError> {
        Ok(())
    }

    fn stay(
        &mut self,
        patient: &Patient,
        admission: &Admission,
        bedside: &Bedside<'_>,
    ) -> Result<(), IoError> {
        if self.first != Some(bedside.stay.id) {
            return Ok(());
        }
        let hours = bedside.hours.ceil().max(1.0) as usize;
        let mut grid = Grid {
            stay: bedside.stay.id,
            arrived: bedside.stay.arrived,
            hours: vec![[None; SIGNALS.len()]; hours],
            age: age_at(patient, bedside.stay.arrived) as u64,
            male: patient.body.male,
            medical: matches!(bedside.stay.unit, "MICU" | "CCU"),
            waited: round_to(admission.admitted.hours_since(bedside.stay.arrived), 2),
            septic: admission.phenotype.codes.contains(&"0389"),
        };
        // The laboratory reported before the stay began to be written. Draws are not in the order of time.
        self.labs.sort_by_key(|(at, ..)| *at);
        for (at, column, x) in self.labs.drain(..) {
            grid.put(at, column, x);
        }
        self.grid = Some(grid);
        Ok(())
    }

    fn chart(&mut self, charted: &Charted<'_>) -> Result<(), IoError> {
        let Entry::Number { x, places, error: false, .. } = charted.entry else { return Ok(()) };
        let Some((id, column)) = CHART.iter().find(|c| c.0 == charted.item.id) else { return Ok(()) };
        let x = match id {
            223_761 => round_to((round_to(x, places) - 32.0) / 1.8, 2),
            223_835 if x > 1.0 => round_to(x / 100.0, 2),
            _ => round_to(x, places),
        };
        if let Some(grid) = self.grid.as_mut().filter(|g| g.stay == charted.place.stay) {
            grid.put(charted.at, *column, x);
        }
        Ok(())
    }

    fn lab(&mut self, result: &LabResult<'_>) -> Result<(), IoError> {
        let (Some(test), Some(place), Finding::Number { x, .. }) =
            (result.test, result.place, result.finding)
        else {
            return Ok(());
        };
        if self.first == Some(place.stay)
            && let Some((_, column)) = TESTS.iter().find(|t| t.0 == result.id)
        {
            self.labs.push((result.at, *column, round_to(x, test.places)));
        }
        Ok(())
    }

    fn output(&mut self, _output: &Output<'_>) -> Result<(), IoError> {
        Ok(())
    }

    fn end_of_patient(&mut self) -> Result<(), IoError> {
        self.labs.clear();
        let Some(grid) = self.grid.take() else { return Ok(()) };
        let path = self.dir.join(format!("p{:06}.psv", PATIENTS + self.files));
        std::fs::write(&path, grid.text()).map_err(IoError::on("write", &path))?;
        self.files += 1;
        self.rows += grid.hours.len() as u64;
        Ok(())
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError> {
        let number = PATIENTS + self.files;
        admin::anomaly(&mut self.anomalies, &Planted { subject: number, stay: number, ..*mistake })
    }

    fn charted(&self) -> Option<u64> {
        None
    }

    fn finish(self: Box<Self>, _alarms: bool) -> Result<Vec<(String, u64)>, IoError> {
        let mut rows = vec![("files".to_owned(), self.files), ("hours".to_owned(), self.rows)];
        rows.extend(writer::finish_all([self.anomalies])?);
        Ok(rows)
    }
}
