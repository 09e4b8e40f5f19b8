//! A synthetic extract in the shape of MIMIC-III, with planted and labelled anomalies.
//!
//! [`synthesize`] writes the tables of an extract for simulated patients. The tables have upper-case headers,
//! the columns of the full release, and both charting systems with their spellings and defects. The vital
//! signs and laboratory results of the patients follow from a mixture of illnesses. Nothing in the extract is
//! derived from a patient, and nothing about medicine should be concluded from it.
//!
//! Patients are drawn one at a time from `(seed, index)` and written in order. Memory use therefore does not
//! depend on their number, and an extract of few patients is a prefix of an extract of many. A stay is
//! eligible for a mistake if it is the first stay of an adult and lasts a day or more. In a share of the
//! eligible stays one mistake is planted and listed in `anomalies.csv`. The kinds of mistake take turns, so
//! that a small extract holds all of them.

mod admin;
mod anomaly;
mod bedside;
mod chart;
mod clock;
mod draw;
mod error;
mod filler;
mod items;
mod labs;
mod outputs;
mod patient;
mod pen;
mod phenotype;
mod physiology;
mod quantity;
#[cfg(test)]
mod tests;
mod waveform;
mod writer;

use std::path::Path;

pub use error::SynthError;
pub use waveform::{WaveformConfig, WaveformSummary, synthesize_waveforms};

use crate::error::IoError;
use crate::output::Staged;
use crate::random::Seed;
use anomaly::{Mistake, Planner};
use bedside::Bedside;
use draw::Draw;
use filler::Filler;
use patient::Patient;
use writer::Table;

/// What to synthesise.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthConfig {
    /// Number of patients. Some of them have several admissions and stays.
    pub patients: u64,
    /// Seed of all random numbers.
    pub seed: Seed,
    /// Whether to write `.csv.gz` instead of `.csv`.
    pub gzip: bool,
    /// Share of the first adult stays of at least one day in which a mistake is planted.
    pub anomaly_fraction: f64,
    /// Largest number of hours of each stay that are charted.
    pub chart_hours: f64,
    /// CHARTEVENTS is filled to this number of rows with alarm limits, which no built-in schema reads; 0 adds
    /// none.
    pub chart_rows: u64,
    /// Whether to replace an existing output folder.
    pub force: bool,
}

impl Default for SynthConfig {
    fn default() -> Self {
        Self {
            patients: 1800,
            seed: Seed(0),
            gzip: false,
            anomaly_fraction: 0.02,
            chart_hours: 30.0,
            chart_rows: 0,
            force: false,
        }
    }
}

impl SynthConfig {
    fn check(&self) -> Result<(), SynthError> {
        if self.patients == 0 {
            return Err(SynthError::NoPatients);
        }
        if !(0.0..=1.0).contains(&self.anomaly_fraction) {
            return Err(SynthError::AnomalyFraction(self.anomaly_fraction));
        }
        if !(24.0..=720.0).contains(&self.chart_hours) {
            return Err(SynthError::ChartHours(self.chart_hours));
        }
        Ok(())
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthSummary {
    /// Number of patients.
    pub patients: u64,
    /// Number of hospital admissions.
    pub admissions: u64,
    /// Number of stays in intensive care.
    pub stays: u64,
    /// Number of first adult stays of a day or more, in which a mistake could be planted.
    pub eligible_stays: u64,
    /// Number of stays with a planted mistake.
    pub anomalies: u64,
    /// Number of rows of each table, in the order of the extract.
    pub rows: Vec<(String, u64)>,
}

/// Writes a synthetic extract into the folder `dir`. The folder appears complete or not at all.
///
/// `progress` is called with the number of patients written so far.
///
/// # Errors
/// Settings out of range, an existing output without [`force`](SynthConfig::force), and a full or read-only
/// disk.
///
/// # Examples
/// ```
/// use cohort_flow::random::Seed;
/// use cohort_flow::synth::{SynthConfig, synthesize};
///
/// let dir = tempfile::tempdir()?;
/// let config = SynthConfig { patients: 3, seed: Seed(1), ..SynthConfig::default() };
/// let summary = synthesize(&config, &dir.path().join("extract"), &|_| {})?;
/// assert_eq!(summary.patients, 3);
/// assert!(dir.path().join("extract/CHARTEVENTS.csv").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn synthesize(
    config: &SynthConfig,
    dir: &Path,
    progress: &dyn Fn(u64),
) -> Result<SynthSummary, SynthError> {
    config.check()?;
    let staged = Staged::dir(dir, config.force)?;
    let mut extract = Extract::create(staged.path(), config)?;
    let mut planner =
        Planner::new(config.anomaly_fraction, &mut Draw::new(config.seed.stream("synth/plan", 0)));
    let mut summary = SynthSummary {
        patients: 0,
        admissions: 0,
        stays: 0,
        eligible_stays: 0,
        anomalies: 0,
        rows: Vec::new(),
    };
    for index in 0..config.patients {
        let patient = Patient::draw(index, &mut Draw::new(config.seed.stream("synth/patient", index)));
        let eligible = patient.eligible();
        let mistake = if eligible { planner.offer() } else { None };
        extract.patient(
            &patient,
            mistake,
            config,
            &mut Draw::new(config.seed.stream("synth/record", index)),
        )?;
        summary.patients += 1;
        summary.admissions += patient.admissions.len() as u64;
        summary.stays += patient.admissions.iter().map(|a| a.stays.len() as u64).sum::<u64>();
        summary.eligible_stays += u64::from(eligible);
        summary.anomalies += u64::from(mistake.is_some());
        if summary.patients.is_multiple_of(64) || summary.patients == config.patients {
            progress(summary.patients);
        }
    }
    let Extract { filler, chart, .. } = &mut extract;
    filler.fill(chart, config.chart_rows, &mut Draw::new(config.seed.stream("synth/filler", 0)))?;
    summary.rows = extract.finish()?;
    staged.commit()?;
    Ok(summary)
}

/// The open tables of an extract.
struct Extract {
    patients: Table,
    admissions: Table,
    stays: Table,
    chart: Table,
    labs: Table,
    outputs: Table,
    diagnoses: Table,
    items: Table,
    lab_items: Table,
    anomalies: Table,
    filler: Filler,
}

impl Extract {
    fn create(dir: &Path, config: &SynthConfig) -> Result<Self, IoError> {
        let table = |layout| Table::create(dir, layout, config.gzip);
        let mut extract = Self {
            patients: table(writer::PATIENTS)?,
            admissions: table(writer::ADMISSIONS)?,
            stays: table(writer::ICUSTAYS)?,
            chart: table(writer::CHARTEVENTS)?,
            labs: table(writer::LABEVENTS)?,
            outputs: table(writer::OUTPUTEVENTS)?,
            diagnoses: table(writer::DIAGNOSES_ICD)?,
            items: table(writer::D_ITEMS)?,
            lab_items: table(writer::D_LABITEMS)?,
            // The list of anomalies is never compressed, because people and tests open it.
            anomalies: Table::create(dir, writer::ANOMALIES, false)?,
            filler: Filler::default(),
        };
        admin::d_items(&mut extract.items, config.chart_rows > 0)?;
        admin::d_labitems(&mut extract.lab_items)?;
        Ok(extract)
    }

    fn patient(
        &mut self,
        patient: &Patient,
        mistake: Option<&'static Mistake>,
        config: &SynthConfig,
        draw: &mut Draw,
    ) -> Result<(), IoError> {
        admin::patient(&mut self.patients, patient, draw)?;
        labs::outpatient(&mut self.labs, patient, draw)?;
        if let Some(mistake) = mistake {
            admin::anomaly(&mut self.anomalies, patient, mistake)?;
        }
        let mut planted = mistake;
        for admission in &patient.admissions {
            admin::admission(&mut self.admissions, patient, admission, draw)?;
            admin::diagnoses(&mut self.diagnoses, patient, admission, draw)?;
            let bedsides: Vec<Bedside<'_>> = admission
                .stays
                .iter()
                .map(|stay| {
                    // The call of `take` makes sure that only the first stay of the first admission is
                    // spoilt.
                    let hours = config.chart_hours;
                    Bedside::draw(
                        patient,
                        admission.id,
                        admission.phenotype,
                        stay,
                        planted.take(),
                        hours,
                        draw,
                    )
                })
                .collect();
            let copied = labs::write(&mut self.labs, patient, admission, &bedsides, draw)?;
            for (bedside, copied) in bedsides.iter().zip(&copied) {
                self.filler.meet(patient.subject, admission.id, bedside.stay);
                admin::stay(&mut self.stays, patient, admission, bedside.stay)?;
                chart::write(&mut self.chart, bedside, copied, draw)?;
                outputs::write(&mut self.outputs, bedside, draw)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<(String, u64)>, IoError> {
        let mut rows = Vec::new();
        for table in [
            self.patients,
            self.admissions,
            self.stays,
            self.chart,
            self.labs,
            self.outputs,
            self.diagnoses,
            self.items,
            self.lab_items,
            self.anomalies,
        ] {
            let (name, n) = table.count();
            rows.push((name.to_owned(), n));
            table.finish()?;
        }
        Ok(rows)
    }
}
