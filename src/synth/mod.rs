//! A synthetic extract in the shape of a database, with planted and labelled anomalies.
//!
//! [`synthesize`] writes the tables of an extract for simulated patients: the files and columns of the full
//! release of its [`Database`], with the spellings and defects of its charting systems. The vital signs and
//! laboratory results of the patients follow from a mixture of illnesses. Nothing in the extract is derived
//! from a patient, and nothing about medicine should be concluded from it.
//!
//! One simulation serves all databases. It hands facts to a [`record::Recorder`], which knows how its
//! database writes them; patient number 7 of a seed is the same person everywhere, but that only MIMIC-III
//! has CareVue. What is drawn of the chart differs where a database records it at other times.
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
mod database;
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
mod record;
#[cfg(test)]
mod tests;
mod texture;
mod treatments;
mod waveform;
mod writer;

use std::path::Path;

pub use database::Database;
pub use error::SynthError;
pub use texture::{TEXTURE_LEVELS, Texture, TextureConfig, TextureSummary, synthesize_textures};
pub use waveform::{WaveformConfig, WaveformSummary, synthesize_waveforms};

use crate::error::IoError;
use crate::output::Staged;
use crate::random::Seed;
use anomaly::{MISTAKES, Mistake, Planner};
use bedside::Bedside;
use draw::Draw;
use filler::Filler;
use patient::{Patient, System};
use record::{Planted, Recorder};

/// What to synthesise.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthConfig {
    /// The database in whose shape the extract is written.
    pub database: Database,
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
    /// CHARTEVENTS of MIMIC, or vitalPeriodic of eICU, is filled to this number of rows with alarm limits or
    /// ST segments, which no built-in schema reads; 0 adds none.
    pub chart_rows: u64,
    /// Whether to replace an existing output folder.
    pub force: bool,
}

impl Default for SynthConfig {
    fn default() -> Self {
        Self {
            database: Database::Mimic3,
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
        if self.chart_rows > 0 && !self.database.has_filler() {
            return Err(SynthError::NoChart(self.database));
        }
        if self.gzip && !self.database.has_gzip() {
            return Err(SynthError::NoGzip(self.database));
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
    let mistakes = extract.mistakes();
    let mut planner =
        Planner::new(config.anomaly_fraction, mistakes, &mut Draw::new(config.seed.stream("synth/plan", 0)));
    let mut summary = SynthSummary {
        patients: 0,
        admissions: 0,
        stays: 0,
        eligible_stays: 0,
        anomalies: 0,
        rows: Vec::new(),
    };
    for index in 0..config.patients {
        let mut patient = Patient::draw(index, &mut Draw::new(config.seed.stream("synth/patient", index)));
        if !config.database.has_carevue() {
            patient.chart_in(System::MetaVision);
        }
        let eligible = patient.eligible();
        let mistake = if eligible { planner.offer() } else { None };
        extract.patient(
            &patient,
            mistake,
            config,
            &mut Draw::new(config.seed.stream("synth/record", index)),
            &mut Draw::new(config.seed.stream("synth/treatments", index)),
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
    let Extract { filler, recorder } = &mut extract;
    let mut draw = Draw::new(config.seed.stream("synth/filler", 0));
    filler.fill(recorder.as_mut(), config.chart_rows, &mut draw)?;
    summary.rows = extract.recorder.finish(config.chart_rows > 0)?;
    staged.commit()?;
    Ok(summary)
}

/// An extract that is being written.
struct Extract {
    recorder: Box<dyn Recorder>,
    filler: Filler,
}

impl Extract {
    fn create(dir: &Path, config: &SynthConfig) -> Result<Self, IoError> {
        Ok(Self { recorder: config.database.create(dir, config.gzip)?, filler: Filler::default() })
    }

    /// The mistakes that show in the tables of this database.
    fn mistakes(&self) -> Vec<&'static Mistake> {
        MISTAKES.iter().filter(|m| m.shows(|concept| self.recorder.writes(concept))).collect()
    }

    fn patient(
        &mut self,
        patient: &Patient,
        mistake: Option<&'static Mistake>,
        config: &SynthConfig,
        draw: &mut Draw,
        treatments: &mut Draw,
    ) -> Result<(), IoError> {
        let recorder = self.recorder.as_mut();
        let registered = admin::registered(patient, draw);
        recorder.patient(patient, registered)?;
        labs::outpatient(recorder, patient, draw)?;
        if let Some(mistake) = mistake {
            let written: Vec<&str> =
                mistake.variables.iter().copied().filter(|v| recorder.writes(v)).collect();
            recorder.planted(&Planted {
                subject: patient.subject,
                stay: patient.admissions[0].stays[0].id,
                kind: mistake.kind,
                variables: &written.join(";"),
                action: mistake.action,
            })?;
        }
        let mut planted = mistake;
        for admission in &patient.admissions {
            let how = admin::arrival(admission, draw);
            recorder.admission(patient, admission, how)?;
            let codes = admin::diagnoses(admission, draw);
            recorder.diagnoses(patient, admission, &codes)?;
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
            let copied = labs::write(recorder, patient, admission, &bedsides, draw)?;
            for (bedside, copied) in bedsides.iter().zip(&copied) {
                if config.chart_rows > 0 {
                    self.filler.meet(bedside);
                }
                recorder.stay(patient, admission, bedside)?;
                chart::write(recorder, bedside, copied, draw)?;
                outputs::write(recorder, bedside, draw)?;
                treatments::write(recorder, bedside, patient.body.weight, treatments)?;
                recorder.end_of_stay()?;
            }
        }
        recorder.end_of_patient()
    }
}
