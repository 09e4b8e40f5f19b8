//! The laboratory: blood draws before, during and after the stays of an admission, and blood gases at
//! times of their own. The rows include the distractors of the real table: urine under its own items, rows
//! without an admission, and censored and cancelled results.

use super::bedside::Bedside;
use super::clock::Moment;
use super::draw::Draw;
use super::items::{self, MIRRORS, Mirror, Test};
use super::patient::{Admission, Patient};
use super::physiology::{Course, Illness};
use super::quantity::{Quantity as Q, Values};
use super::record::{Finding, LabResult, Place, Recorder};
use super::writer::round_to;
use crate::error::IoError;

/// A laboratory result that the bedside system copies into the chart.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    pub(super) mirror: &'static Mirror,
    pub(super) at: Moment,
    pub(super) value: f64,
}

/// How a result scatters between draws beyond the patient's trend. The scatter stands for biology and
/// analyser together.
enum Scatter {
    Add(f64),
    Scale(f64),
}

#[rustfmt::skip]
const SCATTER: &[(Q, Scatter)] = &[
    (Q::Sodium, Scatter::Add(1.0)), (Q::Potassium, Scatter::Add(0.18)), (Q::Bicarbonate, Scatter::Add(0.8)),
    (Q::Gap, Scatter::Add(0.8)), (Q::Bun, Scatter::Scale(0.05)), (Q::Creatinine, Scatter::Scale(0.05)),
    (Q::Glucose, Scatter::Scale(0.12)), (Q::Calcium, Scatter::Add(0.18)), (Q::Magnesium, Scatter::Add(0.1)),
    (Q::Phosphate, Scatter::Scale(0.09)), (Q::Hemoglobin, Scatter::Add(0.35)), (Q::Mchc, Scatter::Add(0.3)),
    (Q::Mcv, Scatter::Add(0.5)), (Q::Rdw, Scatter::Add(0.1)), (Q::Wbc, Scatter::Scale(0.1)),
    (Q::Platelets, Scatter::Scale(0.06)), (Q::Inr, Scatter::Scale(0.03)), (Q::Ptt, Scatter::Scale(0.07)),
    (Q::Fibrinogen, Scatter::Scale(0.06)), (Q::Lactate, Scatter::Scale(0.1)),
    (Q::Paco2, Scatter::Scale(0.05)), (Q::PfRatio, Scatter::Scale(0.14)),
    (Q::IonizedCalcium, Scatter::Add(0.03)), (Q::Alt, Scatter::Scale(0.06)), (Q::Ast, Scatter::Scale(0.07)),
    (Q::Alp, Scatter::Scale(0.04)), (Q::Ldh, Scatter::Scale(0.06)), (Q::Bilirubin, Scatter::Scale(0.05)),
    (Q::Albumin, Scatter::Add(0.12)), (Q::Ck, Scatter::Scale(0.15)), (Q::CkMb, Scatter::Scale(0.15)),
    (Q::TroponinT, Scatter::Scale(0.2)), (Q::Neutrophils, Scatter::Add(0.8)),
];

/// Computes one sample: the drivers with scatter, the derived quantities, and the anion gap, which the
/// laboratory computes from its own rounded results.
fn sample(mut v: Values, draw: &mut Draw) -> Values {
    for (q, scatter) in SCATTER {
        match scatter {
            Scatter::Add(sd) => v[*q] += sd * draw.normal(),
            Scatter::Scale(sd) => v[*q] *= (sd * draw.normal()).exp(),
        }
    }
    // The parts of a differential count add up to at most 100, whatever the scatter.
    v[Q::Neutrophils] = v[Q::Neutrophils].clamp(0.0, 99.0);
    v.derive();
    let ions = v[Q::Sodium].round() + round_to(v[Q::Potassium], 1)
        - v[Q::Chloride].round()
        - v[Q::Bicarbonate].round();
    v[Q::AnionGap] = ions;
    v
}

struct Bench<'t> {
    recorder: &'t mut dyn Recorder,
    subject: u64,
    admission: Option<u64>,
    place: Option<Place>,
    at: Moment,
    old_units: bool,
}

impl Bench<'_> {
    fn panel(&mut self, tests: &[Test], v: &Values, draw: &mut Draw) -> Result<(), IoError> {
        for test in tests {
            let x = if test.quantity == Q::Fio2 { 100.0 * v[Q::Fio2] } else { v[test.quantity] };
            let abnormal = x < test.normal.0 || x > test.normal.1;
            let finding = match test.quantity {
                Q::TroponinT if x < 0.01 => Finding::Text { text: "<0.01", number: None },
                Q::CkMb if v[Q::Ck] < 90.0 && draw.chance(0.6) => {
                    Finding::Text { text: "NotDone", number: None }
                }
                // The blood-gas machine takes the oxygen from a request sheet, and some people write a
                // fraction.
                Q::Fio2 if draw.chance(0.02) => Finding::Typed { x: v[Q::Fio2] },
                _ => Finding::Number { x, abnormal },
            };
            self.write(test.id, Some(test), test.units[usize::from(self.old_units)], finding)?;
        }
        Ok(())
    }

    fn other(
        &mut self,
        test: (u64, &str, &str, &str, &str),
        text: &str,
        number: Option<f64>,
    ) -> Result<(), IoError> {
        self.write(test.0, None, "", Finding::Text { text, number })
    }

    fn write(
        &mut self,
        id: u64,
        test: Option<&Test>,
        unit: &str,
        finding: Finding<'_>,
    ) -> Result<(), IoError> {
        let (subject, admission, place, at) = (self.subject, self.admission, self.place, self.at);
        self.recorder.lab(&LabResult { subject, admission, place, at, id, test, unit, finding })
    }
}

/// Writes all draws of one admission, and returns for each stay what its chart copies.
pub(super) fn write(
    recorder: &mut dyn Recorder,
    patient: &Patient,
    admission: &Admission,
    bedsides: &[Bedside<'_>],
    draw: &mut Draw,
) -> Result<Vec<Vec<Copied>>, IoError> {
    let mut copied = vec![Vec::new(); bedsides.len()];
    for (number, bedside) in bedsides.iter().enumerate() {
        let arrived = bedside.stay.arrived;
        let mut draws: Vec<f64> = Vec::new();
        if number == 0 && !admission.elective {
            draws.push(admission.admitted.hours_since(arrived) - draw.between(-0.5, 3.0));
        }
        let mut hour = draw.between(0.2, 3.0).min(0.9 * bedside.hours);
        while hour < bedside.hours {
            draws.push(hour);
            hour += bedside.orders.every * draw.between(0.7, 1.3);
        }
        // After the stay, the ward draws blood daily for a while.
        let end = bedsides
            .get(number + 1)
            .map_or(admission.discharged, |next| next.stay.arrived)
            .hours_since(arrived);
        let mut hour = 24.0 * bedside.stay.days + draw.between(4.0, 20.0);
        for _ in 0..2 {
            if hour < end {
                draws.push(hour);
            }
            hour += 24.0;
        }
        for (nth, hour) in draws.iter().enumerate() {
            let at = arrived.plus_hours(*hour).minute();
            let before = at < admission.admitted;
            let mut bench = Bench {
                recorder,
                subject: patient.subject,
                place: Some(Place::of(bedside)),
                admission: (!(draw.chance(0.04) || before && draw.chance(0.7))).then_some(admission.id),
                at,
                old_units: draw.chance(0.02),
            };
            let values = blood(&mut bench, bedside, *hour, nth, draw)?;
            if (0.0..bedside.hours).contains(hour) {
                for mirror in MIRRORS {
                    let test = items::PANELS.iter().flat_map(|p| p.iter()).find(|t| t.id == mirror.of);
                    let test = test.expect("invariant: every mirror names a test of a panel");
                    // Lactate is copied from the blood gases instead.
                    if test.quantity != Q::Lactate {
                        let value = round_to(values[test.quantity], test.places);
                        copied[number].push(Copied { mirror, at, value });
                    }
                }
            }
        }
        if bedside.orders.gas {
            gases(recorder, patient, admission, bedside, &mut copied[number], draw)?;
        }
    }
    Ok(copied)
}

/// Writes one venous draw with the panels that are ordered for it.
fn blood(
    bench: &mut Bench<'_>,
    bedside: &Bedside<'_>,
    hour: f64,
    nth: usize,
    draw: &mut Draw,
) -> Result<Values, IoError> {
    let orders = &bedside.orders;
    let mut v = sample(bedside.blood(hour), draw);
    bedside.record(&mut v, draw);
    bench.panel(items::CHEMISTRY, &v, draw)?;
    if draw.chance(0.93) {
        bench.panel(items::MINERALS, &v, draw)?;
    }
    bench.panel(items::COUNT, &v, draw)?;
    let daily = nth < 2 || nth.is_multiple_of(3);
    if orders.coagulation && (daily || draw.chance(0.4)) {
        bench.panel(items::COAGULATION, &v, draw)?;
    }
    if orders.fibrinogen && daily {
        bench.panel(items::FIBRIN, &v, draw)?;
    }
    if orders.differential && nth < 2 {
        bench.panel(items::DIFFERENTIAL, &v, draw)?;
    }
    if orders.liver && daily {
        bench.panel(items::LIVER, &v, draw)?;
    }
    if orders.albumin && nth < 2 {
        bench.panel(items::ALBUMIN, &v, draw)?;
    }
    if orders.cardiac && nth < 4 {
        bench.panel(items::CARDIAC, &v, draw)?;
    }
    if orders.lactate && !orders.gas && nth < 4 {
        bench.panel(items::LACTATE, &v, draw)?;
    }
    if nth == 0 && draw.chance(0.3) {
        let acid = 5.0 + 0.5 * draw.below(6) as f64;
        bench.other(
            items::URINE_GLUCOSE,
            if v[Q::Glucose] > 250.0 { "1000" } else { "NEG" },
            (v[Q::Glucose] > 250.0).then_some(1000.0),
        )?;
        bench.other(items::URINE_PH, &format!("{acid:.1}"), Some(acid))?;
    }
    Ok(v)
}

/// Writes the blood gases, which have times of their own. A few are venous, and the specimen row at the same
/// time says so.
fn gases(
    recorder: &mut dyn Recorder,
    patient: &Patient,
    admission: &Admission,
    bedside: &Bedside<'_>,
    copied: &mut Vec<Copied>,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let mut hour = draw.between(0.1, 2.5).min(0.9 * bedside.hours);
    while hour < bedside.hours {
        let at = bedside.stay.arrived.plus_hours(hour).minute();
        let mut drivers = bedside.blood(hour);
        let venous = draw.chance(0.015);
        if venous {
            drivers[Q::Paco2] += 5.0;
        }
        let mut v = sample(drivers, draw);
        if venous {
            v[Q::Pao2] = draw.between(30.0, 48.0);
        }
        bedside.record(&mut v, draw);
        let old_units = draw.chance(0.01);
        let mut bench = Bench {
            recorder,
            subject: patient.subject,
            admission: Some(admission.id),
            place: Some(Place::of(bedside)),
            at,
            old_units,
        };
        bench.other(items::SPECIMEN, if venous { "VEN" } else { "ART" }, None)?;
        bench.panel(items::GAS, &v, draw)?;
        if bedside.orders.lactate && draw.chance(0.8) {
            bench.panel(items::LACTATE, &v, draw)?;
            let mirror = MIRRORS.iter().find(|m| m.of == items::LACTATE[0].id);
            let mirror = mirror.expect("invariant: lactate has a mirror");
            copied.push(Copied { mirror, at, value: round_to(v[Q::Lactate], 1) });
        }
        if draw.chance(0.25) {
            bench.panel(items::GAS_EXTRA, &v, draw)?;
        }
        hour += bedside.orders.gas_every * draw.between(0.6, 1.5);
    }
    Ok(())
}

/// Writes draws from long before the first admission. They have no admission id.
pub(super) fn outpatient(
    recorder: &mut dyn Recorder,
    patient: &Patient,
    draw: &mut Draw,
) -> Result<(), IoError> {
    if !draw.chance(0.45) {
        return Ok(());
    }
    let first = &patient.admissions[0];
    let well = Illness::draw(first.phenotype, -1.5, draw);
    let course = Course::draw(&patient.body, &well, false, draw);
    let mut days = draw.between(150.0, 400.0);
    while days > 10.0 {
        let at = first.admitted.plus_hours(-24.0 * days).minute();
        let v = sample(course.at(1e4), draw);
        let subject = patient.subject;
        let mut bench = Bench { recorder, subject, admission: None, place: None, at, old_units: false };
        bench.panel(items::CHEMISTRY, &v, draw)?;
        bench.panel(items::COUNT, &v, draw)?;
        days -= draw.between(30.0, 200.0);
    }
    Ok(())
}
