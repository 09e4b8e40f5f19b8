//! The tables of MIMIC-III 1.4, with upper-case headers.

use std::path::Path;

use super::super::admin;
use super::super::bedside::Bedside;
use super::super::clock::Moment;
use super::super::patient::{Admission, Patient, System, length_of_stay};
use super::super::record::{
    Antibiotic, Arrival, Charted, Culture, Dose, Entry, Finding, Infusion, LabResult, Output, Planted,
    Recorder,
};
use super::super::writer::{self, Spelling, Table};
use crate::error::IoError;

/// The open tables of an extract.
pub(super) struct Mimic3 {
    patients: Table,
    admissions: Table,
    stays: Table,
    chart: Table,
    labs: Table,
    outputs: Table,
    inputs: [Table; 2],
    cultures: Table,
    system: System,
    diagnoses: Table,
    items: Table,
    lab_items: Table,
    anomalies: Table,
}

impl Mimic3 {
    pub(super) fn create(dir: &Path, gzip: bool) -> Result<Self, IoError> {
        let table = |layout| Table::create(dir, layout, gzip);
        Ok(Self {
            patients: table(writer::PATIENTS)?,
            admissions: table(writer::ADMISSIONS)?,
            stays: table(writer::ICUSTAYS)?,
            chart: table(writer::CHARTEVENTS)?,
            labs: table(writer::LABEVENTS)?,
            outputs: table(writer::OUTPUTEVENTS)?,
            inputs: [table(writer::INPUTEVENTS_CV)?, table(writer::INPUTEVENTS_MV)?],
            cultures: table(writer::MICROBIOLOGYEVENTS)?,
            system: System::CareVue,
            diagnoses: table(writer::DIAGNOSES_ICD)?,
            items: table(writer::D_ITEMS)?,
            lab_items: table(writer::D_LABITEMS)?,
            // The list of anomalies is never compressed, because people and tests open it.
            anomalies: Table::create(dir, writer::ANOMALIES, false)?,
        })
    }
}

impl Recorder for Mimic3 {
    fn writes(&self, _concept: &str) -> bool {
        true
    }

    fn patient(&mut self, patient: &Patient, registered: Option<Moment>) -> Result<(), IoError> {
        self.patients
            .row()
            .int(patient.subject)
            .text(if patient.body.male { "M" } else { "F" })
            .time(patient.birth)
            .time_or_null(patient.death)
            .time_or_null(patient.death.filter(|_| patient.death_in_hospital))
            .time_or_null(registered)
            .int(u64::from(patient.death.is_some()))
            .end()
    }

    fn admission(&mut self, patient: &Patient, admission: &Admission, how: Arrival) -> Result<(), IoError> {
        let charted = admission.stays.iter().any(|s| s.charted);
        self.admissions
            .row()
            .int(patient.subject)
            .int(admission.id)
            .time(admission.admitted)
            .time(admission.discharged)
            .time_or_null(admission.died.then_some(admission.discharged))
            .text(how.kind)
            .text(how.location)
            .text(if admission.died { "DEAD/EXPIRED" } else { admission.destination })
            .text(patient.insurance)
            .text(patient.language)
            .text(patient.religion)
            .text(patient.marital)
            .text(patient.ethnicity)
            .time_or_null(how.emergency.map(|e| e.0))
            .time_or_null(how.emergency.map(|e| e.1))
            .text(admission.diagnosis)
            .int(u64::from(admission.died))
            .int(u64::from(charted))
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
            row.int(patient.subject).int(admission.id).int(number as u64 + 1).text(code).end()?;
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
        self.system = stay.system;
        let mut row = self.stays.row();
        row.int(patient.subject)
            .int(admission.id)
            .int(stay.id)
            .text(stay.system.name())
            .text(stay.unit)
            .text(stay.unit);
        row.int(stay.ward).int(stay.ward).time(stay.arrived).time_or_null(stay.left);
        match length_of_stay(stay) {
            Some(days) => row.number(days, 4, Spelling::Short),
            None => row.null(),
        };
        row.end()
    }

    fn chart(&mut self, charted: &Charted<'_>) -> Result<(), IoError> {
        let Charted { place, at, stored, caregiver, item, entry } = charted;
        let mut row = self.chart.row();
        row.int(place.subject).int(place.admission).int(place.stay).int(item.id);
        row.time(*at).time(*stored).int(*caregiver);
        let (error, status) = match entry {
            Entry::Number { x, places, error, status } => {
                let (text, number) = if item.single {
                    (Spelling::SingleText, Spelling::SingleNumber)
                } else {
                    (Spelling::Bare, Spelling::Short)
                };
                row.number(*x, *places, text).number(*x, *places, number).text(item.unit);
                (*error, *status)
            }
            Entry::Text { text, score } => {
                row.text(text);
                match score {
                    Some(x) => row.number(*x, 0, Spelling::Short),
                    None => row.null(),
                };
                row.null();
                (false, "")
            }
            // A row without a value says that a CareVue item was taken off.
            Entry::Removed => return row.nulls(6).text("D/C'd").end(),
        };
        // CareVue has no ERROR, so the field is null there and never 0.
        match item.system {
            System::CareVue => row.nulls(2).text(status).text("NotStopd").end(),
            System::MetaVision => row.int(0).int(u64::from(error)).nulls(2).end(),
        }
    }

    fn lab(&mut self, result: &LabResult<'_>) -> Result<(), IoError> {
        let mut row = self.labs.row();
        row.int(result.subject).int_or_null(result.admission).int(result.id).time(result.at);
        let places = result.test.map_or(1, |t| t.places);
        match result.finding {
            Finding::Number { x, abnormal } => {
                row.number(x, places, Spelling::Fixed).number(x, places, Spelling::Short).text(result.unit);
                if abnormal { row.text("abnormal") } else { row.null() }
            }
            Finding::Typed { x } => {
                row.number(x, 2, Spelling::Short).number(x, 2, Spelling::Short).text(result.unit).null()
            }
            Finding::Text { text, number } => {
                row.text(text);
                match number {
                    Some(x) => row.number(x, 1, Spelling::Short),
                    None => row.null(),
                };
                row.text(result.unit).null()
            }
        };
        row.end()
    }

    fn output(&mut self, output: &Output<'_>) -> Result<(), IoError> {
        let Output { place, at, stored, caregiver, item, ml } = output;
        let mut row = self.outputs.row();
        row.int(place.subject).int(place.admission).int(place.stay).time(*at).int(item.id);
        row.number(*ml, 0, Spelling::Short).text(item.unit).time(*stored).int(*caregiver).nulls(3).end()
    }

    fn infusion(&mut self, infusion: &Infusion) -> Result<(), IoError> {
        let Infusion { place, from, until, caregiver, weight, dose } = *infusion;
        let (items, rate, units, ml) = match dose {
            Dose::Rate { drug, per_kg_minute } => {
                (drug.items(), per_kg_minute, ["mcgkgmin", "mcg/kg/min"], None)
            }
            Dose::Volume { ml } => {
                let rate = 3600.0 * ml / (until.0 - from.0) as f64;
                ([30_018, 225_158], rate, ["mlhr", "mL/hour"], Some(ml))
            }
        };
        let at = self.system as usize;
        let mut row = self.inputs[at].row();
        row.int(place.subject).int(place.admission).int(place.stay).time(from);
        match self.system {
            System::CareVue => {
                row.int(items[at]).number_or_null(ml, 0).text(if ml.is_some() { "ml" } else { "" });
                row.number(rate, 4, Spelling::Short).text(units[at]).time(from).int(caregiver).nulls(10).end()
            }
            System::MetaVision => {
                row.time(until).int(items[at]).number_or_null(ml, 0).text(if ml.is_some() {
                    "ml"
                } else {
                    ""
                });
                row.number(rate, 4, Spelling::Short).text(units[at]).time(until).int(caregiver).nulls(6);
                row.number(weight, 1, Spelling::Short).nulls(2).int(0).int(0).int(0).text("FinishedRunning");
                row.nulls(3).number_or_null(ml, 0).number(rate, 4, Spelling::Short).end()
            }
        }
    }

    fn antibiotic(&mut self, given: &Antibiotic) -> Result<(), IoError> {
        // CareVue charts none.
        if self.system == System::CareVue {
            return Ok(());
        }
        let place = given.place;
        let mut row = self.inputs[System::MetaVision as usize].row();
        row.int(place.subject).int(place.admission).int(place.stay).time(given.at);
        row.time(Moment(given.at.0 + 60))
            .int(given.item)
            .int(1)
            .text("dose")
            .nulls(2)
            .time(given.at)
            .nulls(13);
        row.text("FinishedRunning").nulls(5).end()
    }

    fn culture(&mut self, culture: &Culture) -> Result<(), IoError> {
        let mut row = self.cultures.row();
        row.int(culture.place.subject).int(culture.place.admission).date(culture.at);
        row.time_or_null(culture.timed.then_some(culture.at));
        row.int(culture.number).text(culture.specimen).nulls(9).end()
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError> {
        admin::anomaly(&mut self.anomalies, mistake)
    }

    fn charted(&self) -> Option<u64> {
        Some(self.chart.count().1)
    }

    fn finish(mut self: Box<Self>, alarms: bool) -> Result<Vec<(String, u64)>, IoError> {
        admin::d_items(&mut self.items, alarms)?;
        admin::d_labitems(&mut self.lab_items)?;
        let [carevue, metavision] = self.inputs;
        writer::finish_all([
            self.patients,
            self.admissions,
            self.stays,
            self.chart,
            self.labs,
            self.outputs,
            carevue,
            metavision,
            self.cultures,
            self.diagnoses,
            self.items,
            self.lab_items,
            self.anomalies,
        ])
    }
}
