//! The tables of the OMOP Common Data Model 5.3, with lower-case names.
//!
//! Every stay in intensive care is a visit of its own (concept 32037). Measurements have the numbers of
//! OMOP's standard concepts, and a unit as a concept; those of a blood draw outside the visits name no visit.
//! What the schema of the model knows no concept for, such as the coma scale, is not written.

mod layouts;

use std::path::Path;

use super::super::admin;
use super::super::bedside::Bedside;
use super::super::clock::{Moment, YEAR};
use super::super::patient::{Admission, Patient};
use super::super::record::{Arrival, Charted, Entry, Finding, LabResult, Output, Planted, Recorder};
use super::super::writer::{self, Spelling, Table};
use super::common::among;
use crate::error::IoError;
use layouts::{CONDITIONS, DEATHS, MEASUREMENT, PERSON, VISITS};

/// Concepts of OMOP: an intensive care visit, a record of an electronic system, and the sign `=`.
const INTENSIVE_CARE: u64 = 32_037;
const RECORDED: u64 = 32_817;
const EQUALS: u64 = 4_172_703;

/// Item of the chart, concept, concept of the unit, its spelling in the source, and the factor to that unit.
const CHART: &[(u64, u64, u64, &str, f64)] = &[
    (220_045, 3_027_018, 8541, "/min", 1.0),
    (220_210, 3_024_171, 8541, "/min", 1.0),
    (220_277, 40_762_499, 8554, "%", 1.0),
    (220_050, 3_004_249, 8876, "mm[Hg]", 1.0),
    (220_051, 3_012_888, 8876, "mm[Hg]", 1.0),
    (220_179, 3_004_249, 8876, "mm[Hg]", 1.0),
    (220_180, 3_012_888, 8876, "mm[Hg]", 1.0),
    (223_761, 3_020_891, 9289, "[degF]", 1.0),
    (223_762, 3_020_891, 586_323, "Cel", 1.0),
    (226_512, 3_025_315, 9529, "kg", 1.0),
    (226_707, 3_036_277, 8582, "cm", 2.54),
];

/// Test, concept, concept of the unit, and its spelling in the source.
const TESTS: &[(u64, u64, u64, &str)] = &[
    (50_882, 3_015_632, 9557, "mEq/L"),
    (50_902, 3_014_576, 9557, "mEq/L"),
    (50_912, 3_016_723, 8840, "mg/dL"),
    (50_931, 3_004_501, 8840, "mg/dL"),
    (50_971, 3_023_103, 9557, "mEq/L"),
    (50_983, 3_019_550, 9557, "mEq/L"),
    (51_006, 3_013_682, 8840, "mg/dL"),
    (50_893, 3_006_906, 8840, "mg/dL"),
    (50_960, 3_001_420, 8840, "mg/dL"),
    (50_861, 3_006_923, 8923, "IU/L"),
    (50_863, 3_035_995, 8923, "IU/L"),
    (50_878, 3_013_721, 8923, "IU/L"),
    (50_885, 3_024_128, 8840, "mg/dL"),
    (50_862, 3_024_561, 8713, "g/dL"),
    (51_221, 3_023_314, 8554, "%"),
    (51_222, 3_000_963, 8713, "g/dL"),
    (51_248, 3_012_030, 8564, "pg"),
    (51_249, 3_009_744, 8554, "%"),
    (51_250, 3_023_599, 8583, "fL"),
    (51_265, 3_024_929, 8848, "10*3/uL"),
    (51_277, 3_019_897, 8554, "%"),
    (51_279, 3_020_416, 8815, "10*6/uL"),
    (51_301, 3_000_905, 8848, "10*3/uL"),
    (51_237, 3_022_217, 0, ""),
];

/// The open tables of an extract.
pub(super) struct Omop {
    person: Table,
    visits: Table,
    measurement: Table,
    conditions: Table,
    deaths: Table,
    anomalies: Table,
}

/// What a row of `measurement` says.
struct Measured<'a> {
    person: u64,
    visit: Option<u64>,
    at: Moment,
    concept: u64,
    unit: (u64, &'a str),
    source: u64,
    x: f64,
    places: u8,
}

impl Omop {
    pub(super) fn create(dir: &Path, gzip: bool) -> Result<Self, IoError> {
        let table = |layout| Table::create(dir, layout, gzip);
        Ok(Self {
            person: table(PERSON)?,
            visits: table(VISITS)?,
            measurement: table(MEASUREMENT)?,
            conditions: table(CONDITIONS)?,
            deaths: table(DEATHS)?,
            anomalies: Table::create(dir, writer::MISTAKES, false)?,
        })
    }

    fn measure(&mut self, m: &Measured<'_>) -> Result<(), IoError> {
        let mut row = self.measurement.row();
        row.int(m.person).int(m.concept).date(m.at).time(m.at).clock(m.at).int(RECORDED).int(EQUALS);
        row.number(m.x, m.places, Spelling::Short).null().int(m.unit.0).nulls(3).int_or_null(m.visit).null();
        row.int(m.source).int(0).text(m.unit.1).number(m.x, m.places, Spelling::Short).end()
    }
}

impl Recorder for Omop {
    fn writes(&self, concept: &str) -> bool {
        among(concept, CHART.iter().map(|c| c.0), TESTS.iter().map(|t| t.0))
    }

    fn patient(&mut self, patient: &Patient, _registered: Option<Moment>) -> Result<(), IoError> {
        let first = patient.admissions[0].admitted;
        let born = Moment(first.0 - (patient.body.age * YEAR) as i64).day();
        let (year, month, day) = born.civil();
        let male = patient.body.male;
        let mut row = self.person.row();
        row.int(patient.subject).int(if male { 8507 } else { 8532 });
        row.signed(year).signed(month).signed(day).time(born).int(0).int(0).nulls(3).int(patient.subject);
        row.text(if male { "M" } else { "F" }).int(0).text(patient.ethnicity).int(0).null().int(0).end()?;
        let Some(died) = patient.death else { return Ok(()) };
        self.deaths.row().int(patient.subject).date(died).time(died).int(RECORDED).int(0).null().int(0).end()
    }

    fn admission(&mut self, _: &Patient, _: &Admission, _: Arrival) -> Result<(), IoError> {
        Ok(())
    }

    fn diagnoses(
        &mut self,
        patient: &Patient,
        admission: &Admission,
        codes: &[&'static str],
    ) -> Result<(), IoError> {
        let (from, until) = (admission.admitted, admission.discharged);
        for code in codes {
            let mut row = self.conditions.row();
            row.int(patient.subject)
                .int(0)
                .date(from)
                .time(from)
                .date(until)
                .time(until)
                .int(RECORDED)
                .nulls(2);
            row.int(admission.stays[0].id).null().text(code).int(0).null().null().end()?;
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
        let before = admission.stays.iter().take_while(|s| s.id != stay.id).last().map(|s| s.id);
        let mut row = self.visits.row();
        row.int(stay.id).int(patient.subject).int(INTENSIVE_CARE).date(stay.arrived).time(stay.arrived);
        match stay.left {
            Some(left) => row.date(left).time(left),
            None => row.nulls(2),
        };
        row.int(RECORDED)
            .nulls(2)
            .text(stay.unit)
            .int(0)
            .int(0)
            .null()
            .int(0)
            .null()
            .int_or_null(before)
            .end()
    }

    fn chart(&mut self, charted: &Charted<'_>) -> Result<(), IoError> {
        let Entry::Number { x, places, error: false, .. } = charted.entry else { return Ok(()) };
        let Some((_, concept, unit, source, factor)) = CHART.iter().find(|c| c.0 == charted.item.id) else {
            return Ok(());
        };
        let converted = (factor - 1.0).abs() > 0.0;
        self.measure(&Measured {
            person: charted.place.subject,
            visit: Some(charted.place.stay),
            at: charted.at,
            concept: *concept,
            unit: (*unit, source),
            source: charted.item.id,
            x: factor * x,
            places: if converted { 2 } else { places },
        })
    }

    fn lab(&mut self, result: &LabResult<'_>) -> Result<(), IoError> {
        let (Some(test), Finding::Number { x, .. }) = (result.test, result.finding) else { return Ok(()) };
        let Some((_, concept, unit, source)) = TESTS.iter().find(|t| t.0 == result.id) else { return Ok(()) };
        let visit = result.place.filter(|p| result.admission.is_some() && result.at >= p.arrived);
        self.measure(&Measured {
            person: result.subject,
            visit: visit.map(|p| p.stay),
            at: result.at,
            concept: *concept,
            unit: (*unit, source),
            source: result.id,
            x,
            places: test.places,
        })
    }

    fn output(&mut self, _output: &Output<'_>) -> Result<(), IoError> {
        Ok(())
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError> {
        admin::anomaly(&mut self.anomalies, mistake)
    }

    fn charted(&self) -> Option<u64> {
        None
    }

    fn finish(self: Box<Self>, _alarms: bool) -> Result<Vec<(String, u64)>, IoError> {
        writer::finish_all([
            self.person,
            self.visits,
            self.measurement,
            self.conditions,
            self.deaths,
            self.anomalies,
        ])
    }
}
