//! The tables of MIMIC-IV 3, in `hosp/` and `icu/`.
//!
//! The items are those of MetaVision, and the tests those of MIMIC-III, which the release kept. Rows that
//! somebody marked as wrong are not in it. There is no date of birth: a patient has an age in one year of the
//! shifted calendar, and everybody over 89 is 91.

mod layouts;

use std::path::Path;

use super::super::admin;
use super::super::bedside::Bedside;
use super::super::clock::Moment;
use super::super::items::{self, Item};
use super::super::patient::{Admission, Patient, System, length_of_stay};
use super::super::record::{
    Antibiotic, Arrival, Charted, Culture, Dose, Entry, Finding, Infusion, LabResult, Output, Planted,
    Recorder,
};
use super::super::writer::{self, Spelling, Table};
use super::common::age_at;
use crate::error::IoError;
use layouts::{
    ADMISSIONS, CHART, CULTURES, DIAGNOSES, INPUTS, ITEMS, LAB_ITEMS, LABS, OUTPUTS, PATIENTS, PRESCRIPTIONS,
    STAYS,
};

/// What the numbers of patients, admissions and stays begin at.
pub(super) const SUBJECTS: u64 = 10_000_000;
pub(super) const ADMITTED: u64 = 20_000_000;
pub(super) const STAYED: u64 = 30_000_000;

/// Items that are infused, with their labels and categories.
pub(super) const INFUSED: [(u64, &str, &str); 3] = [
    (221_749, "Phenylephrine", "Medications"),
    (221_906, "Norepinephrine", "Medications"),
    (225_158, "NaCl 0.9%", "Fluids/Intake"),
];

/// The spelling of a unit: MIMIC-IV has degrees where MIMIC-III has a question mark, and other spaces.
pub(super) fn unit_of(written: &str) -> &str {
    match written {
        "?F" => "°F",
        "?C" => "°C",
        "mm Hg" | "MM HG" => "mm Hg",
        "UNITS" => "units",
        "MEQ/L" => "mEq/L",
        "SECONDS" => "sec",
        "ng/ml" => "ng/mL",
        other => other,
    }
}

/// The long name of a care unit.
pub(super) fn care_unit(short: &str) -> &str {
    match short {
        "MICU" => "Medical Intensive Care Unit (MICU)",
        "SICU" => "Surgical Intensive Care Unit (SICU)",
        "TSICU" => "Trauma SICU (TSICU)",
        "CCU" => "Coronary Care Unit (CCU)",
        "CSRU" => "Cardiac Vascular Intensive Care Unit (CVICU)",
        other => other,
    }
}

/// The open tables of an extract.
pub(super) struct Mimic4 {
    patients: Table,
    admissions: Table,
    diagnoses: Table,
    labs: Table,
    lab_items: Table,
    stays: Table,
    chart: Table,
    outputs: Table,
    inputs: Table,
    prescriptions: Table,
    cultures: Table,
    items: Table,
    anomalies: Table,
}

impl Mimic4 {
    pub(super) fn create(dir: &Path, gzip: bool) -> Result<Self, IoError> {
        let table = |layout| Table::create(dir, layout, gzip);
        Ok(Self {
            patients: table(PATIENTS)?,
            admissions: table(ADMISSIONS)?,
            diagnoses: table(DIAGNOSES)?,
            labs: table(LABS)?,
            lab_items: table(LAB_ITEMS)?,
            stays: table(STAYS)?,
            chart: table(CHART)?,
            outputs: table(OUTPUTS)?,
            inputs: table(INPUTS)?,
            prescriptions: table(PRESCRIPTIONS)?,
            cultures: table(CULTURES)?,
            items: table(ITEMS)?,
            anomalies: Table::create(dir, writer::MISTAKES, false)?,
        })
    }

    fn dictionaries(&mut self, alarms: bool) -> Result<(), IoError> {
        let alarms = if alarms { items::ALARMS } else { &[] };
        let pairs = items::CHART.iter().chain(alarms).map(|pair| pair[System::MetaVision as usize]);
        let single = items::SINGLES.iter().copied().filter(|i| i.system == System::MetaVision);
        let copies = items::MIRRORS.iter().map(|m| m.metavision);
        let mut all: Vec<(Item, &str)> =
            pairs.chain(single).chain(copies).map(|i| (i, "chartevents")).collect();
        let outputs = items::OUTPUTS.iter().filter(|i| i.system == System::MetaVision);
        all.extend(outputs.map(|i| (*i, "outputevents")));
        all.sort_by_key(|(item, _)| item.id);
        for (item, table) in all {
            let mut row = self.items.row();
            row.int(item.id).text(item.label).text(item.label).text(table).text(item.category);
            row.text(unit_of(item.unit)).text(if item.text { "Text" } else { "Numeric" }).nulls(2).end()?;
        }
        for (id, label, category) in INFUSED {
            let mut row = self.items.row();
            row.int(id).text(label).text(label).text("inputevents").text(category).text("").text("Solution");
            row.nulls(2).end()?;
        }
        let mut tests: Vec<(u64, &str, &str, &str)> = items::PANELS
            .iter()
            .flat_map(|p| p.iter())
            .map(|t| (t.id, t.label, "Blood", t.category))
            .collect();
        let others = [items::SPECIMEN, items::URINE_GLUCOSE, items::URINE_PH];
        tests.extend(others.map(|t| (t.0, t.1, t.2, t.3)));
        tests.sort_by_key(|t| t.0);
        for (id, label, fluid, category) in tests {
            self.lab_items.row().int(id).text(label).text(fluid).text(category).end()?;
        }
        Ok(())
    }
}

impl Recorder for Mimic4 {
    fn writes(&self, concept: &str) -> bool {
        // MetaVision has no total of the coma scale.
        concept != "gcs_total"
    }

    fn patient(&mut self, patient: &Patient, _registered: Option<Moment>) -> Result<(), IoError> {
        let first = patient.admissions[0].admitted;
        let age = age_at(patient, first);
        let mut row = self.patients.row();
        row.int(SUBJECTS + patient.subject).text(if patient.body.male { "M" } else { "F" });
        row.int(if age >= 90.0 { 91 } else { age as u64 }).int(first.civil().0.unsigned_abs());
        row.text("2014 - 2016");
        match patient.death {
            Some(day) => row.date(day),
            None => row.null(),
        };
        row.end()
    }

    fn admission(&mut self, patient: &Patient, admission: &Admission, how: Arrival) -> Result<(), IoError> {
        let location = match how.location {
            "EMERGENCY ROOM ADMIT" => "EMERGENCY ROOM",
            "TRANSFER FROM HOSP/EXTRAM" => "TRANSFER FROM HOSPITAL",
            _ => "PHYSICIAN REFERRAL",
        };
        let kind = match how.kind {
            "ELECTIVE" => "SURGICAL SAME DAY ADMISSION",
            "EMERGENCY" => "EW EMER.",
            other => other,
        };
        let insurance = if patient.insurance == "Government" { "Other" } else { patient.insurance };
        let race = match patient.ethnicity {
            "UNKNOWN/NOT SPECIFIED" => "UNKNOWN",
            "HISPANIC OR LATINO" => "HISPANIC/LATINO - PUERTO RICAN",
            other => other,
        };
        let language = if patient.language == "ENGL" { "English" } else { "Other" };
        self.admissions
            .row()
            .int(SUBJECTS + patient.subject)
            .int(ADMITTED + admission.id)
            .time(admission.admitted)
            .time(admission.discharged)
            .time_or_null(admission.died.then_some(admission.discharged))
            .text(kind)
            .null()
            .text(location)
            .text(if admission.died { "DIED" } else { admission.destination })
            .text(insurance)
            .text(language)
            .text(patient.marital)
            .text(race)
            .time_or_null(how.emergency.map(|e| e.0))
            .time_or_null(how.emergency.map(|e| e.1))
            .int(u64::from(admission.died))
            .end()
    }

    fn diagnoses(
        &mut self,
        patient: &Patient,
        admission: &Admission,
        codes: &[&'static str],
    ) -> Result<(), IoError> {
        for (number, code) in codes.iter().enumerate() {
            let mut row = self.diagnoses.row();
            row.int(SUBJECTS + patient.subject).int(ADMITTED + admission.id);
            row.int(number as u64 + 1).text(code).int(9).end()?;
        }
        Ok(())
    }

    fn stay(
        &mut self,
        patient: &Patient,
        admission: &Admission,
        bedside: &Bedside<'_>,
    ) -> Result<(), IoError> {
        let stay = bedside.stay;
        let unit = care_unit(stay.unit);
        let mut row = self.stays.row();
        row.int(SUBJECTS + patient.subject).int(ADMITTED + admission.id).int(STAYED + stay.id);
        row.text(unit).text(unit).time(stay.arrived).time_or_null(stay.left);
        row.number_or_null(length_of_stay(stay), 6).end()
    }

    fn chart(&mut self, charted: &Charted<'_>) -> Result<(), IoError> {
        let Charted { place, at, stored, caregiver, item, entry } = charted;
        if matches!(entry, Entry::Removed | Entry::Number { error: true, .. }) {
            return Ok(());
        }
        let mut row = self.chart.row();
        row.int(SUBJECTS + place.subject).int(ADMITTED + place.admission).int(STAYED + place.stay);
        row.int(*caregiver).time(*at).time(*stored).int(item.id);
        match entry {
            Entry::Number { x, places, .. } => row
                .number(*x, *places, Spelling::Short)
                .number(*x, *places, Spelling::Short)
                .text(unit_of(item.unit)),
            Entry::Text { text, score } => row.text(text).number_or_null(*score, 0).null(),
            Entry::Removed => row.nulls(3),
        };
        row.int(0).end()
    }

    fn lab(&mut self, result: &LabResult<'_>) -> Result<(), IoError> {
        let mut row = self.labs.row();
        row.int(SUBJECTS + result.subject).int_or_null(result.admission.map(|id| ADMITTED + id));
        // All results of one draw are of one specimen.
        row.int(result.subject * 100_000 + (result.at.0 / 60 % 100_000) as u64).int(result.id).null();
        row.time(result.at).time(Moment(result.at.0 + 2700));
        let places = result.test.map_or(1, |t| t.places);
        let mut flag = "";
        match result.finding {
            Finding::Number { x, abnormal } => {
                row.number(x, places, Spelling::Short).number(x, places, Spelling::Short);
                flag = if abnormal { "abnormal" } else { "" };
            }
            Finding::Typed { x } => {
                row.number(x, 2, Spelling::Short).number(x, 2, Spelling::Short);
            }
            Finding::Text { text, number } => {
                row.text(text).number_or_null(number, 1);
            }
        }
        row.text(unit_of(result.unit));
        match result.test.map(|t| t.normal) {
            Some((low, high)) => {
                row.number(low, 2, Spelling::Short).number(high, 2, Spelling::Short);
            }
            None => {
                row.nulls(2);
            }
        }
        row.text(flag).text("ROUTINE").null().end()
    }

    fn output(&mut self, output: &Output<'_>) -> Result<(), IoError> {
        let Output { place, at, stored, caregiver, item, ml } = output;
        let mut row = self.outputs.row();
        row.int(SUBJECTS + place.subject).int(ADMITTED + place.admission).int(STAYED + place.stay);
        row.int(*caregiver).time(*at).time(*stored).int(item.id);
        row.number(*ml, 0, Spelling::Short).text("ml").end()
    }

    fn infusion(&mut self, infusion: &Infusion) -> Result<(), IoError> {
        let Infusion { place, from, until, caregiver, weight, dose } = *infusion;
        let minutes = (until.0 - from.0) as f64 / 60.0;
        let (item, amount, unit, rate, per) = match dose {
            Dose::Rate { drug, per_kg_minute: rate } => {
                (drug.items()[1], rate * weight * minutes / 1000.0, "mg", rate, "mcg/kg/min")
            }
            Dose::Volume { ml } => (225_158, ml, "ml", 60.0 * ml / minutes, "mL/hour"),
        };
        let mut row = self.inputs.row();
        row.int(SUBJECTS + place.subject).int(ADMITTED + place.admission).int(STAYED + place.stay);
        row.int(caregiver).time(from).time(until).time(until).int(item);
        row.number(amount, 4, Spelling::Short).text(unit).number(rate, 4, Spelling::Short).text(per);
        row.nulls(6).number(weight, 1, Spelling::Short).nulls(2).int(0).int(0);
        row.text("FinishedRunning").number(amount, 4, Spelling::Short).number(rate, 4, Spelling::Short).end()
    }

    fn antibiotic(&mut self, given: &Antibiotic) -> Result<(), IoError> {
        let mut row = self.prescriptions.row();
        row.int(SUBJECTS + given.place.subject).int(ADMITTED + given.place.admission).nulls(4);
        row.time(given.at).null().text("MAIN").text(given.drug).nulls(10).text("IV").end()
    }

    fn culture(&mut self, culture: &Culture) -> Result<(), IoError> {
        let mut row = self.cultures.row();
        row.int(SUBJECTS + culture.place.subject).int(ADMITTED + culture.place.admission).nulls(2);
        row.date(culture.at).time_or_null(culture.timed.then_some(culture.at));
        row.int(culture.number).text(culture.specimen).int(1).nulls(15).end()
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError> {
        let (subject, stay) = (SUBJECTS + mistake.subject, STAYED + mistake.stay);
        admin::anomaly(&mut self.anomalies, &Planted { subject, stay, ..*mistake })
    }

    fn charted(&self) -> Option<u64> {
        Some(self.chart.count().1)
    }

    fn finish(mut self: Box<Self>, alarms: bool) -> Result<Vec<(String, u64)>, IoError> {
        self.dictionaries(alarms)?;
        writer::finish_all([
            self.patients,
            self.admissions,
            self.stays,
            self.chart,
            self.labs,
            self.outputs,
            self.inputs,
            self.prescriptions,
            self.cultures,
            self.diagnoses,
            self.items,
            self.lab_items,
            self.anomalies,
        ])
    }
}
