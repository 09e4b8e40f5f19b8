//! The tables of eICU-CRD 2.0, with times in minutes from the admission to the unit.
//!
//! A monitor writes `vitalPeriodic` every five minutes, one row for all signals. Pressures of the cuff are in
//! `vitalAperiodic`, what nurses note in `nurseCharting`, and the ventilator in `respiratoryCharting`.
//! Temperatures are in Fahrenheit or Celsius, by the bed. About one laboratory result in a hundred was
//! corrected, and both revisions are there. Some rates of infusions are in ml/hr.

mod layouts;
mod monitor;
mod names;

use std::path::Path;

use super::super::admin;
use super::super::bedside::Bedside;
use super::super::clock::Moment;
use super::super::patient::{Admission, Patient};
use super::super::record::{
    Arrival, Charted, Dose, Entry, Finding, Infusion, LabResult, Output, Place, Planted, Recorder,
};
use super::super::writer::{self, Spelling, Table};
use super::common::{age_at, among};
use crate::error::IoError;
use layouts::{APERIODIC, DIAGNOSIS, FLUIDS, INFUSIONS, LAB, NURSE, PATIENT, PERIODIC, RESPIRATORY};
use monitor::{Open, PRESSURES, SIGNALS, ST, put, write_aperiodic, write_periodic};
use names::{CHART, LABS, Where};

/// One stay whose row of `patient` waits for the weight and the height.
struct Waiting {
    place: Place,
    male: bool,
    age: f64,
    ethnicity: &'static str,
    diagnosis: &'static str,
    admitted: Moment,
    discharged: Moment,
    died: bool,
    destination: &'static str,
    unit: &'static str,
    ward: u64,
    visit: u64,
    left: Moment,
    fatal: bool,
    weight: Option<f64>,
    height: Option<f64>,
}

/// The open tables of an extract.
pub(super) struct Eicu {
    patient: Table,
    periodic: Table,
    aperiodic: Table,
    lab: Table,
    nurse: Table,
    respiratory: Table,
    fluids: Table,
    infusions: Table,
    diagnosis: Table,
    anomalies: Table,
    waiting: Option<Waiting>,
    signals: Option<Open<SIGNALS>>,
    cuff: Option<Open<PRESSURES>>,
}

/// Minutes from the admission to the unit.
fn minutes(place: Place, at: Moment) -> i64 {
    (at.0 - place.arrived.0).div_euclid(60)
}

impl Eicu {
    pub(super) fn create(dir: &Path, gzip: bool) -> Result<Self, IoError> {
        let table = |layout| Table::create(dir, layout, gzip);
        Ok(Self {
            patient: table(PATIENT)?,
            periodic: table(PERIODIC)?,
            aperiodic: table(APERIODIC)?,
            lab: table(LAB)?,
            nurse: table(NURSE)?,
            respiratory: table(RESPIRATORY)?,
            fluids: table(FLUIDS)?,
            infusions: table(INFUSIONS)?,
            diagnosis: table(DIAGNOSIS)?,
            anomalies: Table::create(dir, writer::MISTAKES, false)?,
            waiting: None,
            signals: None,
            cuff: None,
        })
    }

    fn place(&mut self, charted: &Charted<'_>, to: Where, x: f64, places: u8) -> Result<(), IoError> {
        let (place, minute) = (charted.place, minutes(charted.place, charted.at));
        let entered = minutes(place, charted.stored);
        match to {
            Where::Periodic(column) => {
                if let Some(row) = put(&mut self.signals, place.stay, minute, column, x) {
                    write_periodic(&mut self.periodic, &row)?;
                }
                Ok(())
            }
            Where::Aperiodic(column) => {
                if let Some(row) = put(&mut self.cuff, place.stay, minute, column, x) {
                    write_aperiodic(&mut self.aperiodic, &row)?;
                }
                Ok(())
            }
            Where::Nurse(label, cell) => {
                let category = if label == "Temperature" { "Vital Signs" } else { "Scores" };
                let mut row = self.nurse.row();
                row.int(place.stay).signed(minute).signed(entered).text(category).text(label).text(cell);
                row.number(x, places, Spelling::Short).end()
            }
            Where::Respiratory(label) => {
                let mut row = self.respiratory.row();
                row.int(place.stay).signed(minute).signed(entered).text("respFlowSettings").text(label);
                row.number(x, places, Spelling::Short).end()
            }
            Where::Fingerstick => {
                self.result(place, charted.at, 4, "bedside glucose", "mg/dL", Some((x, 0)), "")
            }
            Where::Weight => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.weight.get_or_insert(x);
                }
                Ok(())
            }
            Where::HeightInches => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.height.get_or_insert(2.54 * x);
                }
                Ok(())
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    fn result(
        &mut self,
        place: Place,
        at: Moment,
        group: u64,
        name: &str,
        unit: &str,
        number: Option<(f64, u8)>,
        text: &str,
    ) -> Result<(), IoError> {
        let minute = minutes(place, at);
        // The first report of one result in a hundred was wrong, and a later one corrects it.
        let corrected =
            number.is_some() && (place.stay + at.0.unsigned_abs() / 60 + group).is_multiple_of(97);
        for revision in usize::from(!corrected)..2 {
            let mut row = self.lab.row();
            row.int(place.stay).signed(minute).int(group).text(name);
            match number {
                Some((x, places)) => {
                    let x = if revision == 0 { 1.3 * x } else { x };
                    row.number(x, places, Spelling::Short).number(x, places, Spelling::Short);
                }
                None => {
                    row.null().text(text);
                }
            }
            row.text(unit).text(unit).signed(minute + [20, 45][revision]).end()?;
        }
        Ok(())
    }

    fn write_patient(&mut self, waiting: &Waiting) -> Result<(), IoError> {
        let Waiting { place, admitted, discharged, left, .. } = *waiting;
        let status = |dead: bool| if dead { "Expired" } else { "Alive" };
        let age = if waiting.age >= 90.0 { "> 89".to_owned() } else { format!("{}", waiting.age as u64) };
        let mut row = self.patient.row();
        row.int(place.stay).int(place.admission).text(if waiting.male { "Male" } else { "Female" });
        row.text(&age).text(waiting.ethnicity).int(59 + 7 * (place.subject % 40)).int(waiting.ward);
        row.text(waiting.diagnosis).number_or_null(waiting.height, 1);
        row.clock(admitted).signed(minutes(place, admitted)).text("Emergency Department").int(2015);
        row.clock(discharged).signed(minutes(place, discharged));
        row.text(if waiting.died { "Death" } else { waiting.destination }).text(status(waiting.died));
        row.text(waiting.unit).clock(place.arrived).text("Emergency Department").int(waiting.visit);
        row.text("admit").number_or_null(waiting.weight, 2).null();
        row.clock(left).signed(minutes(place, left)).text(if waiting.fatal { "Death" } else { "Floor" });
        row.text(status(waiting.fatal)).text(&format!("002-{}", place.subject)).end()
    }
}

impl Recorder for Eicu {
    fn vitals_every(&self) -> u32 {
        5
    }

    fn writes(&self, concept: &str) -> bool {
        among(concept, CHART.iter().map(|c| c.0), LABS.iter().map(|l| l.0))
    }

    fn patient(&mut self, _patient: &Patient, _registered: Option<Moment>) -> Result<(), IoError> {
        Ok(())
    }

    fn admission(&mut self, _: &Patient, _: &Admission, _: Arrival) -> Result<(), IoError> {
        Ok(())
    }

    fn diagnoses(
        &mut self,
        _patient: &Patient,
        admission: &Admission,
        codes: &[&'static str],
    ) -> Result<(), IoError> {
        for (number, code) in codes.iter().enumerate() {
            let dotted = match code.split_at_checked(3) {
                Some((head, tail)) if !tail.is_empty() => format!("{head}.{tail}"),
                _ => (*code).to_owned(),
            };
            let mut row = self.diagnosis.row();
            row.int(admission.stays[0].id).text("True").int(30).text(admission.diagnosis).text(&dotted);
            row.text(if number == 0 { "Primary" } else { "Other" }).end()?;
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
        let visit = admission.stays.iter().take_while(|s| s.id != stay.id).count() as u64 + 1;
        self.waiting = Some(Waiting {
            place: Place::of(bedside),
            male: patient.body.male,
            age: age_at(patient, stay.arrived),
            ethnicity: match patient.ethnicity {
                "WHITE" => "Caucasian",
                "BLACK/AFRICAN AMERICAN" => "African American",
                "HISPANIC OR LATINO" => "Hispanic",
                "ASIAN" => "Asian",
                _ => "Other/Unknown",
            },
            diagnosis: admission.diagnosis,
            admitted: admission.admitted,
            discharged: admission.discharged,
            died: admission.died,
            destination: if admission.destination == "HOME" { "Home" } else { "Other External" },
            unit: match stay.unit {
                "CCU" => "CCU-CTICU",
                "CSRU" => "CSICU",
                "TSICU" => "SICU",
                other => other,
            },
            ward: stay.ward,
            visit,
            left: stay.left.unwrap_or_else(|| stay.arrived.plus_hours(24.0 * stay.days)),
            fatal: stay.fatal,
            weight: None,
            height: None,
        });
        Ok(())
    }

    fn chart(&mut self, charted: &Charted<'_>) -> Result<(), IoError> {
        let (x, places) = match charted.entry {
            Entry::Number { x, places, error: false, .. } => (x, places),
            Entry::Text { score: Some(x), .. } => (x, 0),
            _ => return Ok(()),
        };
        if charted.item.category == "Alarms" {
            // The rows that fill the table hold an ST segment and nothing else.
            let mut values = [None; SIGNALS];
            values[ST] = Some(0.1 * (x % 20.0) - 1.0);
            let (stay, minute) = (charted.place.stay, minutes(charted.place, charted.at));
            return write_periodic(&mut self.periodic, &Open { stay, minute, values });
        }
        match CHART.iter().find(|(id, _)| *id == charted.item.id) {
            Some((_, to)) => self.place(charted, *to, x, places),
            None => Ok(()),
        }
    }

    fn lab(&mut self, result: &LabResult<'_>) -> Result<(), IoError> {
        let (Some(place), Some(test)) = (result.place, result.test) else { return Ok(()) };
        let Some((_, name, unit, group)) = LABS.iter().find(|(id, ..)| *id == result.id) else {
            return Ok(());
        };
        let (number, text) = match result.finding {
            Finding::Number { x, .. } => (Some((x, test.places)), ""),
            Finding::Typed { x } => (Some((x, 2)), ""),
            Finding::Text { text, .. } => (None, text),
        };
        self.result(place, result.at, *group, name, unit, number, text)
    }

    fn output(&mut self, output: &Output<'_>) -> Result<(), IoError> {
        if output.item.label.contains("Irrigant") {
            return Ok(());
        }
        let (place, minute) = (output.place, minutes(output.place, output.at));
        let mut row = self.fluids.row();
        row.int(place.stay).signed(minute).int(0).number(output.ml, 0, Spelling::Short).int(0);
        row.number(-output.ml, 0, Spelling::Short).signed(minutes(place, output.stored));
        row.text("flowsheet|Flowsheet Cell Labels|I&O|Output (ml)|Urine").text("Urine");
        row.number(output.ml, 0, Spelling::Short).number(output.ml, 0, Spelling::Short).end()
    }

    fn infusion(&mut self, infusion: &Infusion) -> Result<(), IoError> {
        let (place, minute) = (infusion.place, minutes(infusion.place, infusion.from));
        let (name, rate) = match infusion.dose {
            // Some beds write the rate of the pump.
            Dose::Rate { drug, per_kg_minute } if place.stay.is_multiple_of(9) => {
                (format!("{} (ml/hr)", drug.name()), per_kg_minute * infusion.weight * 60.0 / 64.0)
            }
            Dose::Rate { drug, per_kg_minute } => (format!("{} (mcg/kg/min)", drug.name()), per_kg_minute),
            Dose::Volume { ml } => {
                let hours = (infusion.until.0 - infusion.from.0) as f64 / 3600.0;
                ("Volume (mL) NaCl 0.9% (ml/hr)".to_owned(), ml / hours)
            }
        };
        let mut row = self.infusions.row();
        row.int(place.stay).signed(minute).text(&name).number(rate, 4, Spelling::Short).nulls(3);
        row.number(infusion.weight, 1, Spelling::Short).end()
    }

    fn end_of_stay(&mut self) -> Result<(), IoError> {
        if let Some(row) = self.signals.take() {
            write_periodic(&mut self.periodic, &row)?;
        }
        if let Some(row) = self.cuff.take() {
            write_aperiodic(&mut self.aperiodic, &row)?;
        }
        match self.waiting.take() {
            Some(waiting) => self.write_patient(&waiting),
            None => Ok(()),
        }
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError> {
        admin::anomaly(&mut self.anomalies, mistake)
    }

    fn charted(&self) -> Option<u64> {
        Some(self.periodic.count().1)
    }

    fn finish(self: Box<Self>, _alarms: bool) -> Result<Vec<(String, u64)>, IoError> {
        writer::finish_all([
            self.patient,
            self.periodic,
            self.aperiodic,
            self.lab,
            self.nurse,
            self.respiratory,
            self.fluids,
            self.infusions,
            self.diagnosis,
            self.anomalies,
        ])
    }
}
