//! Events in the Medical Event Data Standard 0.4, with the codes of the conversion of MIMIC-IV.
//!
//! A code holds kind, item and unit: `LAB//220045//bpm`. The events of a subject are sorted by time, static
//! ones first. Numbers are single precision. A file holds twenty million events at most.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::admin;
use super::super::bedside::Bedside;
use super::super::clock::{Moment, YEAR};
use super::super::patient::{Admission, Patient};
use super::super::record::{Arrival, Charted, Entry, Finding, LabResult, Output, Planted, Recorder};
use super::super::writer::{self, Table};
use super::mimic4::{STAYED, SUBJECTS, care_unit, unit_of};
use crate::error::IoError;
use crate::ingest::{EventBlock, EventFile, write_codes};

/// Events in one block of rows, and in one file.
const BLOCK: usize = 250_000;
const SHARD: u64 = 20_000_000;

/// One event of the subject that is being written. Its code is a number of the list of codes.
struct Event {
    /// Seconds since 1970; `None` for a static fact.
    at: Option<i64>,
    code: u32,
    number: Option<f32>,
}

/// The open files of an extract.
pub(super) struct Meds {
    dir: PathBuf,
    anomalies: Table,
    codes: BTreeMap<String, u32>,
    texts: Vec<String>,
    labels: BTreeMap<String, &'static str>,
    subject: u64,
    events: Vec<Event>,
    block: EventBlock,
    file: Option<EventFile>,
    shards: u64,
    in_shard: u64,
    rows: u64,
}

impl Meds {
    pub(super) fn create(dir: &Path) -> Result<Self, IoError> {
        Ok(Self {
            dir: dir.to_owned(),
            anomalies: Table::create(dir, writer::MISTAKES, false)?,
            codes: BTreeMap::new(),
            texts: Vec::new(),
            labels: BTreeMap::new(),
            subject: 0,
            events: Vec::new(),
            block: EventBlock::default(),
            file: None,
            shards: 0,
            in_shard: 0,
            rows: 0,
        })
    }

    fn event(&mut self, at: Option<Moment>, code: String, number: Option<f64>) {
        let next = self.texts.len() as u32;
        let code = *self.codes.entry(code).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            next
        });
        self.events.push(Event { at: at.map(|at| at.0), code, number: number.map(|x| x as f32) });
    }

    /// Writes the block that is full, and begins another file when this one is.
    fn flush(&mut self) -> Result<(), IoError> {
        let block = std::mem::take(&mut self.block);
        let rows = block.len() as u64;
        if rows == 0 && self.shards > 0 {
            return Ok(());
        }
        if self.file.is_none() {
            let folder = self.dir.join("data/train");
            std::fs::create_dir_all(&folder).map_err(IoError::on("create", &folder))?;
            self.file = Some(EventFile::create(&folder.join(format!("{}.parquet", self.shards)))?);
            self.shards += 1;
            self.in_shard = 0;
        }
        if let Some(file) = &mut self.file {
            file.write(block, &self.texts)?;
        }
        self.in_shard += rows;
        self.rows += rows;
        if self.in_shard >= SHARD { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), IoError> {
        self.file.take().map_or(Ok(()), EventFile::finish)
    }

    /// Writes what the codes mean, and what the folder is.
    fn metadata(&self) -> Result<(), IoError> {
        let folder = self.dir.join("metadata");
        std::fs::create_dir_all(&folder).map_err(IoError::on("create", &folder))?;
        let codes: Vec<&str> = self.codes.keys().map(String::as_str).collect();
        let described: Vec<Option<&str>> = codes.iter().map(|c| self.labels.get(*c).copied()).collect();
        write_codes(&folder.join("codes.parquet"), &codes, &described)?;
        let path = folder.join("dataset.json");
        let about = "{\n  \"dataset_name\": \"synthetic\",\n  \"meds_version\": \"0.4.0\"\n}\n";
        std::fs::write(&path, about).map_err(IoError::on("write", &path))
    }

    /// The code of an item, whose label goes to the list of codes.
    fn code(&mut self, kind: &str, item: u64, unit: &str, label: &'static str) -> String {
        let unit = if unit.is_empty() { "UNK" } else { unit_of(unit) };
        let code = format!("{kind}//{item}//{unit}");
        if !self.labels.contains_key(&code) {
            self.labels.insert(code.clone(), label);
        }
        code
    }
}

impl Recorder for Meds {
    fn writes(&self, concept: &str) -> bool {
        concept != "gcs_total"
    }

    fn patient(&mut self, patient: &Patient, _registered: Option<Moment>) -> Result<(), IoError> {
        self.subject = SUBJECTS + patient.subject;
        let first = patient.admissions[0].admitted;
        let born = Moment(first.0 - (patient.body.age * YEAR) as i64).civil().0;
        self.event(None, format!("GENDER//{}", if patient.body.male { "M" } else { "F" }), None);
        self.event(Some(Moment::midnight(born, 1, 1)), "MEDS_BIRTH".to_owned(), None);
        if let Some(died) = patient.death {
            self.event(Some(died), "MEDS_DEATH".to_owned(), None);
        }
        Ok(())
    }

    fn admission(&mut self, _: &Patient, admission: &Admission, how: Arrival) -> Result<(), IoError> {
        let came = format!("HOSPITAL_ADMISSION//{}//{}", how.kind, how.location);
        self.event(Some(admission.admitted), came, None);
        let to = if admission.died { "DIED" } else { admission.destination };
        self.event(Some(admission.discharged), format!("HOSPITAL_DISCHARGE//{to}"), None);
        Ok(())
    }

    fn diagnoses(
        &mut self,
        _patient: &Patient,
        admission: &Admission,
        codes: &[&'static str],
    ) -> Result<(), IoError> {
        for code in codes {
            self.event(Some(admission.discharged), format!("DIAGNOSIS//ICD//9//{code}"), None);
        }
        Ok(())
    }

    fn stay(&mut self, _: &Patient, _: &Admission, bedside: &Bedside<'_>) -> Result<(), IoError> {
        let unit = care_unit(bedside.stay.unit);
        self.event(Some(bedside.stay.arrived), format!("ICU_ADMISSION//{unit}"), None);
        if let Some(left) = bedside.stay.left {
            self.event(Some(left), format!("ICU_DISCHARGE//{unit}"), None);
        }
        Ok(())
    }

    fn chart(&mut self, charted: &Charted<'_>) -> Result<(), IoError> {
        let number = match charted.entry {
            Entry::Number { x, places, error: false, .. } => Some(writer::round_to(x, places)),
            Entry::Text { score, .. } => score,
            _ => return Ok(()),
        };
        let code = self.code("LAB", charted.item.id, charted.item.unit, charted.item.label);
        self.event(Some(charted.at), code, number);
        Ok(())
    }

    fn lab(&mut self, result: &LabResult<'_>) -> Result<(), IoError> {
        let Some(test) = result.test else { return Ok(()) };
        let number = match result.finding {
            Finding::Number { x, .. } => Some(writer::round_to(x, test.places)),
            Finding::Typed { x } => Some(writer::round_to(x, 2)),
            Finding::Text { .. } => None,
        };
        let code = self.code("LAB", result.id, result.unit, test.label);
        self.event(Some(result.at), code, number);
        Ok(())
    }

    fn output(&mut self, output: &Output<'_>) -> Result<(), IoError> {
        let code = self.code("SUBJECT_FLUID_OUTPUT", output.item.id, output.item.unit, output.item.label);
        self.event(Some(output.at), code, Some(output.ml));
        Ok(())
    }

    fn end_of_patient(&mut self) -> Result<(), IoError> {
        // Stable, so that events of one time stay in the order in which they were recorded.
        self.events.sort_by_key(|event| event.at);
        let subject = self.subject as i64;
        for event in self.events.drain(..) {
            self.block.subject.push(subject);
            self.block.time.push(event.at);
            self.block.code.push(event.code);
            self.block.number.push(event.number);
        }
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn planted(&mut self, mistake: &Planted<'_>) -> Result<(), IoError> {
        let (subject, stay) = (SUBJECTS + mistake.subject, STAYED + mistake.stay);
        admin::anomaly(&mut self.anomalies, &Planted { subject, stay, ..*mistake })
    }

    fn charted(&self) -> Option<u64> {
        None
    }

    fn finish(mut self: Box<Self>, _alarms: bool) -> Result<Vec<(String, u64)>, IoError> {
        self.flush()?;
        self.close()?;
        self.metadata()?;
        let mut rows = vec![("events".to_owned(), self.rows), ("codes".to_owned(), self.texts.len() as u64)];
        rows.extend(writer::finish_all([self.anomalies])?);
        Ok(rows)
    }
}
