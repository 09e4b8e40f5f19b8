//! The small tables: the patients, their admissions, stays and diagnoses, and the dictionaries.

use super::anomaly::Mistake;
use super::draw::Draw;
use super::items::{self, Item};
use super::patient::{Admission, Patient, Stay, System, length_of_stay};
use super::phenotype::COMORBIDITIES;
use super::writer::{Spelling, Table};
use crate::error::IoError;

/// Writes the row of PATIENTS.
pub(super) fn patient(table: &mut Table, patient: &Patient, draw: &mut Draw) -> Result<(), IoError> {
    let registered = patient.death.filter(|_| !patient.death_in_hospital || draw.chance(0.6));
    table
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

/// Writes the row of ADMISSIONS.
pub(super) fn admission(
    table: &mut Table,
    patient: &Patient,
    admission: &Admission,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let location = if admission.elective {
        "PHYS REFERRAL/NORMAL DELI"
    } else {
        draw.weighted(
            &[
                ("EMERGENCY ROOM ADMIT", 0.62),
                ("TRANSFER FROM HOSP/EXTRAM", 0.22),
                ("CLINIC REFERRAL/PREMATURE", 0.16),
            ],
            |x| x.1,
        )
        .0
    };
    let kind = if admission.elective {
        "ELECTIVE"
    } else if draw.chance(0.04) {
        "URGENT"
    } else {
        "EMERGENCY"
    };
    let emergency = (location == "EMERGENCY ROOM ADMIT").then(|| {
        (
            admission.admitted.plus_hours(-draw.between(1.0, 8.0)).minute(),
            admission.admitted.plus_hours(draw.between(0.1, 2.0)).minute(),
        )
    });
    let charted = admission.stays.iter().any(|s| s.charted);
    table
        .row()
        .int(patient.subject)
        .int(admission.id)
        .time(admission.admitted)
        .time(admission.discharged)
        .time_or_null(admission.died.then_some(admission.discharged))
        .text(kind)
        .text(location)
        .text(if admission.died { "DEAD/EXPIRED" } else { admission.destination })
        .text(patient.insurance)
        .text(patient.language)
        .text(patient.religion)
        .text(patient.marital)
        .text(patient.ethnicity)
        .time_or_null(emergency.map(|e| e.0))
        .time_or_null(emergency.map(|e| e.1))
        .text(admission.diagnosis)
        .int(u64::from(admission.died))
        .int(u64::from(charted))
        .end()
}

/// Writes the rows of DIAGNOSES_ICD for one admission.
pub(super) fn diagnoses(
    table: &mut Table,
    patient: &Patient,
    admission: &Admission,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let principal = draw.pick(admission.phenotype.codes);
    let more = 1 + draw.below(7) as usize;
    let start = draw.below(COMORBIDITIES.len() as u64) as usize;
    let others = (0..more).map(|i| COMORBIDITIES[(start + 3 * i) % COMORBIDITIES.len()]);
    for (number, code) in std::iter::once(principal).chain(others).enumerate() {
        table.row().int(patient.subject).int(admission.id).int(number as u64 + 1).text(code).end()?;
    }
    Ok(())
}

/// Writes the row of ICUSTAYS.
pub(super) fn stay(
    table: &mut Table,
    patient: &Patient,
    admission: &Admission,
    stay: &Stay,
) -> Result<(), IoError> {
    let mut row = table.row();
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

/// Writes the row that records the planted mistake.
pub(super) fn anomaly(table: &mut Table, patient: &Patient, mistake: &Mistake) -> Result<(), IoError> {
    let stay = &patient.admissions[0].stays[0];
    table
        .row()
        .int(stay.id)
        .int(patient.subject)
        .text(mistake.kind)
        .text(&mistake.variables.join(";"))
        .text(mistake.action)
        .end()
}

/// Writes the part of D_ITEMS that this extract uses.
pub(super) fn d_items(table: &mut Table, alarms: bool) -> Result<(), IoError> {
    let alarms = if alarms { items::ALARMS } else { &[] };
    let mut charted: Vec<Item> =
        items::CHART.iter().chain(alarms).flatten().chain(items::SINGLES).copied().collect();
    charted.extend(items::MIRRORS.iter().flat_map(|m| m.carevue.iter().copied().chain([m.metavision])));
    let outputs = items::OUTPUTS.iter().copied();
    let mut all: Vec<(Item, &str)> = charted.into_iter().map(|i| (i, "chartevents")).collect();
    all.extend(outputs.map(|i| (i, "outputevents")));
    all.sort_by_key(|(item, _)| item.id);
    for (item, table_name) in all {
        let (unit, kind) = match (item.system, item.text) {
            (System::CareVue, _) => ("", ""),
            (System::MetaVision, true) => ("", "Text"),
            (System::MetaVision, false) => (if item.unit.is_empty() { "None" } else { item.unit }, "Numeric"),
        };
        let mut row = table.row();
        row.int(item.id).text(item.label);
        row.text(if item.system == System::MetaVision { item.label } else { "" });
        row.text(item.system.name())
            .text(table_name)
            .text(item.category)
            .text(unit)
            .text(kind)
            .null()
            .end()?;
    }
    Ok(())
}

/// Writes the part of D_LABITEMS that this extract uses.
pub(super) fn d_labitems(table: &mut Table) -> Result<(), IoError> {
    let mut all: Vec<(u64, &str, &str, &str, &str)> = items::PANELS
        .iter()
        .flat_map(|p| p.iter())
        .map(|t| (t.id, t.label, "Blood", t.category, t.loinc))
        .collect();
    all.extend([items::SPECIMEN, items::URINE_GLUCOSE, items::URINE_PH]);
    all.sort_by_key(|t| t.0);
    for (id, label, fluid, category, loinc) in all {
        table.row().int(id).text(label).text(fluid).text(category).text(loinc).end()?;
    }
    Ok(())
}
