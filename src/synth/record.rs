//! What the simulation hands to the writer of a database: facts of one patient, without the spelling of any
//! database.
//!
//! Items and tests carry the numbers of MIMIC-III, by which every writer looks up its own names.

use super::bedside::Bedside;
use super::clock::Moment;
use super::items::{Item, Test};
use super::patient::{Admission, Patient};
use crate::error::IoError;

/// Where a row belongs: the patient, the admission and the stay, and when the stay began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) subject: u64,
    pub(super) admission: u64,
    pub(super) stay: u64,
    pub(super) arrived: Moment,
}

impl Place {
    pub(super) fn of(bedside: &Bedside<'_>) -> Self {
        Self {
            subject: bedside.subject,
            admission: bedside.admission,
            stay: bedside.stay.id,
            arrived: bedside.stay.arrived,
        }
    }
}

/// How a patient came to hospital.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) kind: &'static str,
    pub(super) location: &'static str,
    /// Times of registration in the emergency department and of leaving it.
    pub(super) emergency: Option<(Moment, Moment)>,
}

/// What one row of the chart says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'a> {
    /// A number, rounded to `places` decimals. `error` is set if somebody marked it as wrong.
    Number { x: f64, places: u8, error: bool, status: &'static str },
    /// A text, with the score that it stands for.
    Text { text: &'a str, score: Option<f64> },
    /// The device was taken off.
    Removed,
}

/// One row of the chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charted<'a> {
    pub(super) place: Place,
    pub(super) at: Moment,
    pub(super) stored: Moment,
    pub(super) caregiver: u64,
    pub(super) item: &'a Item,
    pub(super) entry: Entry<'a>,
}

/// What the laboratory found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Finding<'a> {
    /// A number of the test's quantity and decimals.
    Number { x: f64, abnormal: bool },
    /// A number that somebody typed, here the oxygen as a fraction.
    Typed { x: f64 },
    /// A text, such as `<0.01`, or a result that belongs to no quantity.
    Text { text: &'a str, number: Option<f64> },
}

/// One result of the laboratory.
#[derive(Debug, Clone, Copy)]
pub(super) struct LabResult<'a> {
    pub(super) subject: u64,
    /// `None` for a result that is registered without an admission.
    pub(super) admission: Option<u64>,
    /// The stay in whose course the blood was drawn; `None` for draws long before the first admission.
    pub(super) place: Option<Place>,
    pub(super) at: Moment,
    pub(super) id: u64,
    /// `None` for a result that belongs to no quantity.
    pub(super) test: Option<&'a Test>,
    pub(super) unit: &'a str,
    pub(super) finding: Finding<'a>,
}

/// One amount of urine or irrigant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output<'a> {
    pub(super) place: Place,
    pub(super) at: Moment,
    pub(super) stored: Moment,
    pub(super) caregiver: u64,
    pub(super) item: &'a Item,
    pub(super) ml: f64,
}

/// A drug that raises the blood pressure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vasopressor {
    Norepinephrine,
    Phenylephrine,
}

impl Vasopressor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Norepinephrine => "Norepinephrine",
            Self::Phenylephrine => "Phenylephrine",
        }
    }

    /// Its items in CareVue and in MetaVision.
    pub(super) fn items(self) -> [u64; 2] {
        match self {
            Self::Norepinephrine => [30_120, 221_906],
            Self::Phenylephrine => [30_128, 221_749],
        }
    }
}

/// How much is infused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dose {
    /// Micrograms per kilogram and minute.
    Rate { drug: Vasopressor, per_kg_minute: f64 },
    /// Millilitres of a crystalloid in all.
    Volume { ml: f64 },
}

/// One entry of an infusion, at one rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Infusion {
    pub(super) place: Place,
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) caregiver: u64,
    /// Weight of the patient in kilograms.
    pub(super) weight: f64,
    pub(super) dose: Dose,
}

/// One dose of an antibiotic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Antibiotic {
    pub(super) place: Place,
    pub(super) at: Moment,
    pub(super) drug: &'static str,
    /// Its item in MetaVision.
    pub(super) item: u64,
}

/// One specimen that was sent to microbiology.
#[derive(Debug, Clone, Copy)]
pub(super) struct Culture {
    pub(super) place: Place,
    pub(super) at: Moment,
    /// Whether the time of day was written.
    pub(super) timed: bool,
    pub(super) specimen: &'static str,
    pub(super) number: u64,
}

/// What a planted mistake was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planted<'a> {
    pub(super) subject: u64,
    pub(super) stay: u64,
    pub(super) kind: &'static str,
    pub(super) variables: &'a str,
    pub(super) action: &'static str,
}

/// The writer of one database.
pub(super) trait Recorder {
    /// Minutes between two sets of vital signs.
    fn vitals_every(&self) -> u32 {
        60
    }

    /// Whether a concept is written, under its name in the dictionary.
    fn writes(&self, concept: &str) -> bool;

    fn patient(&mut self, patient: &Patient, registered: Option<Moment>) -> Result<(), IoError>;
    fn admission(&mut self, patient: &Patient, admission: &Admission, how: Arrival) -> Result<(), IoError>;
    /// Writes the ICD-9 codes of an admission, without points, the principal one first.
    fn diagnoses(
        &mut self,
        patient: &Patient,
        admission: &Admission,
        codes: &[&'static str],
    ) -> Result<(), IoError>;
    fn stay(
        &mut self,
        patient: &Patient,
        admission: &Admission,
        bedside: &Bedside<'_>,
    ) -> Result<(), IoError>;
    fn chart(&mut self, row: &Charted<'_>) -> Result<(), IoError>;
    fn lab(&mut self, row: &LabResult<'_>) -> Result<(), IoError>;
    fn output(&mut self, row: &Output<'_>) -> Result<(), IoError>;

    /// Writes an infusion; a database without a table for it has none.
    fn infusion(&mut self, _row: &Infusion) -> Result<(), IoError> {
        Ok(())
    }

    fn antibiotic(&mut self, _row: &Antibiotic) -> Result<(), IoError> {
        Ok(())
    }

    fn culture(&mut self, _row: &Culture) -> Result<(), IoError> {
        Ok(())
    }

    /// Is called after the last row of a stay.
    fn end_of_stay(&mut self) -> Result<(), IoError> {
        Ok(())
    }

    /// Is called after the last row of a patient.
    fn end_of_patient(&mut self) -> Result<(), IoError> {
        Ok(())
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError>;

    /// Number of rows of the table that `chart_rows` fills; `None` if there is no such table.
    fn charted(&self) -> Option<u64>;

    /// Writes the dictionaries, closes all files, and returns their names with their numbers of rows.
    fn finish(self: Box<Self>, alarms: bool) -> Result<Vec<(String, u64)>, IoError>;
}
