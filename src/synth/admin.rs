//! What is drawn for the small tables, of patients, admissions and diagnoses, and the dictionaries.

use super::clock::Moment;
use super::draw::Draw;
use super::items::{self, Item};
use super::patient::{Admission, Patient, System};
use super::phenotype::COMORBIDITIES;
use super::record::{Arrival, Planted};
use super::treatments;
use super::writer::Table;
use crate::error::IoError;

/// Draws when the death of a patient was registered with the authorities, if it was.
pub(super) fn registered(patient: &Patient, draw: &mut Draw) -> Option<Moment> {
    patient.death.filter(|_| !patient.death_in_hospital || draw.chance(0.6))
}

/// Draws how a patient came to hospital.
pub(super) fn arrival(admission: &Admission, draw: &mut Draw) -> Arrival {
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
    Arrival { kind, location, emergency }
}

/// Draws the codes of an admission, the principal diagnosis first.
pub(super) fn diagnoses(admission: &Admission, draw: &mut Draw) -> Vec<&'static str> {
    let principal = draw.pick(admission.phenotype.codes);
    let more = 1 + draw.below(7) as usize;
    let start = draw.below(COMORBIDITIES.len() as u64) as usize;
    let others = (0..more).map(|i| COMORBIDITIES[(start + 3 * i) % COMORBIDITIES.len()]);
    std::iter::once(principal).chain(others).collect()
}

/// Writes the row that records the planted mistake.
pub(super) fn anomaly(table: &mut Table, planted: &Planted<'_>) -> Result<(), IoError> {
    table
        .row()
        .int(planted.stay)
        .int(planted.subject)
        .text(planted.kind)
        .text(planted.variables)
        .text(planted.action)
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
    for (id, label, category, unit) in treatments::INFUSED {
        let metavision = id > 200_000;
        let mut row = table.row();
        row.int(id).text(label).text(if metavision { label } else { "" });
        row.text(if metavision { "metavision" } else { "carevue" });
        row.text(if metavision { "inputevents_mv" } else { "inputevents_cv" });
        row.text(category).text(unit).text(if metavision { "Solution" } else { "" }).null().end()?;
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
