//! What is given in a stay: vasopressors, fluids, cultures and antibiotics.
//!
//! Who is given what follows the axes of illness, so that scores made of doses have something to find. All of
//! it is drawn from a stream of its own: what else a database holds is the same with it and without.

use super::bedside::Bedside;
use super::clock::Moment;
use super::draw::{Draw, logistic};
use super::phenotype::Axis;
use super::record::{Antibiotic, Culture, Dose, Infusion, Place, Recorder, Vasopressor};
use crate::error::IoError;

/// Antibiotics by their name in orders, with their item in MetaVision.
const ANTIBIOTICS: [(&str, u64, f64); 6] = [
    ("Vancomycin", 225_798, 0.35),
    ("Piperacillin-Tazobactam", 225_893, 0.2),
    ("CefePIME", 225_851, 0.15),
    ("CeftriaXONE", 225_855, 0.15),
    ("Levofloxacin", 225_879, 0.1),
    ("MetRONIDAZOLE (FLagyl)", 225_884, 0.05),
];
/// What is infused in MIMIC-III: item, label, category and unit.
pub(super) const INFUSED: [(u64, &str, &str, &str); 12] = [
    (30_018, ".9% Normal Saline", "", ""),
    (30_120, "Levophed-k", "", ""),
    (30_128, "Neosynephrine-k", "", ""),
    (221_749, "Phenylephrine", "Medications", "mg"),
    (221_906, "Norepinephrine", "Medications", "mg"),
    (225_158, "NaCl 0.9%", "Fluids/Intake", "mL"),
    (225_798, "Vancomycin", "Antibiotics", "dose"),
    (225_851, "Cefepime", "Antibiotics", "dose"),
    (225_855, "Ceftriaxone", "Antibiotics", "dose"),
    (225_879, "Levofloxacin", "Antibiotics", "dose"),
    (225_884, "Metronidazole", "Antibiotics", "dose"),
    (225_893, "Piperacillin/Tazobactam (Zosyn)", "Antibiotics", "dose"),
];
/// Specimens with their number.
const SPECIMENS: [(&str, u64, f64); 4] = [
    ("BLOOD CULTURE", 70_012, 0.5),
    ("URINE", 70_079, 0.3),
    ("SPUTUM", 70_062, 0.15),
    ("MRSA SCREEN", 70_091, 0.05),
];

/// Writes what is given in a stay of a patient who weighs `weight` kilograms.
pub(super) fn write(
    recorder: &mut dyn Recorder,
    bedside: &Bedside<'_>,
    weight: f64,
    draw: &mut Draw,
) -> Result<(), IoError> {
    if !bedside.stay.charted {
        return Ok(());
    }
    vasopressor(recorder, bedside, weight, draw)?;
    fluids(recorder, bedside, weight, draw)?;
    infection(recorder, bedside, draw)
}

/// A vasopressor at a rate that is changed every one to four hours, and weaned.
fn vasopressor(
    recorder: &mut dyn Recorder,
    bedside: &Bedside<'_>,
    weight: f64,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let shock = bedside.stay.illness.burden(Axis::Shock);
    if !draw.chance(logistic(2.0 * (shock - 1.2))) {
        return Ok(());
    }
    let drug = if draw.chance(0.8) { Vasopressor::Norepinephrine } else { Vasopressor::Phenylephrine };
    let mut rate = (0.08 * shock * (0.5 * draw.normal()).exp()).clamp(0.01, 1.0);
    let mut hour = draw.between(0.0, 6.0);
    let until = (hour + draw.between(3.0, 12.0 + 24.0 * shock)).min(bedside.hours);
    while hour < until && rate >= 0.01 {
        let next = (hour + draw.between(1.0, 4.0)).min(until);
        infuse(recorder, bedside, weight, (hour, next), Dose::Rate { drug, per_kg_minute: rate }, draw)?;
        rate *= (0.3 * draw.normal() - 0.12).exp();
        hour = next;
    }
    Ok(())
}

/// Crystalloids, a litre or half of one at a time.
fn fluids(
    recorder: &mut dyn Recorder,
    bedside: &Bedside<'_>,
    weight: f64,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let mut hour = draw.between(0.0, 4.0);
    let again = logistic(bedside.stay.illness.on(Axis::Shock) - 0.5);
    while hour < bedside.hours.min(48.0) {
        let ml = draw.pick(&[500.0, 500.0, 1000.0]);
        let lasts = draw.between(0.5, 4.0);
        infuse(recorder, bedside, weight, (hour, hour + lasts), Dose::Volume { ml }, draw)?;
        if !draw.chance(again) {
            break;
        }
        hour += lasts + draw.between(0.0, 8.0);
    }
    Ok(())
}

fn infuse(
    recorder: &mut dyn Recorder,
    bedside: &Bedside<'_>,
    weight: f64,
    (from, until): (f64, f64),
    dose: Dose,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let arrived = bedside.stay.arrived;
    let from = arrived.plus_hours(from).minute();
    // An entry lasts a minute at least.
    let until = Moment(arrived.plus_hours(until).minute().0.max(from.0 + 60));
    let caregiver = 14_000 + draw.below(7_600);
    recorder.infusion(&Infusion { place: Place::of(bedside), from, until, caregiver, weight, dose })
}

/// Cultures, and antibiotics that mostly go with them.
fn infection(recorder: &mut dyn Recorder, bedside: &Bedside<'_>, draw: &mut Draw) -> Result<(), IoError> {
    let inflammation = bedside.stay.illness.on(Axis::Inflammation);
    let is_suspected = draw.chance(logistic(1.5 * (inflammation - 0.6)));
    let has_culture = if is_suspected { draw.chance(0.95) } else { draw.chance(0.15) };
    let has_antibiotic = if is_suspected { draw.chance(0.95) } else { draw.chance(0.2) };
    let place = Place::of(bedside);
    let arrived = bedside.stay.arrived;
    let begin = draw.between(-3.0, 20.0);
    if has_culture {
        for _ in 0..=draw.below(3) {
            let specimen = draw.weighted(&SPECIMENS, |s| s.2);
            let at = arrived.plus_hours(begin + draw.between(0.0, 2.0)).minute();
            // Of a few specimens nobody wrote the time.
            let timed = draw.chance(0.93);
            recorder.culture(&Culture { place, at, timed, specimen: specimen.0, number: specimen.1 })?;
        }
    }
    if has_antibiotic {
        let drug = draw.weighted(&ANTIBIOTICS, |a| a.2);
        let every = draw.pick(&[8.0, 12.0, 24.0]);
        let first = begin + draw.between(0.0, 6.0);
        let mut hour = first;
        while hour < bedside.hours.min(first + 96.0) {
            let at = arrived.plus_hours(hour).minute();
            recorder.antibiotic(&Antibiotic { place, at, drug: drug.0, item: drug.1 })?;
            hour += every;
        }
    }
    Ok(())
}
