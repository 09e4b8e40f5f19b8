//! The chart of one stay: what is charted, when, and in which words.

use super::anomaly::Change;
use super::bedside::Bedside;
use super::clock::Moment;
use super::draw::{Draw, Drift};
use super::items;
use super::labs::Copied;
use super::patient::System;
use super::pen::Pen;
use super::physiology::{glasgow, pulse_oximetry};
use super::quantity::{Quantity as Q, Values};
use super::record::Recorder;
use super::writer::round_to;
use crate::error::IoError;

const VITAL_SIGNS: [Q; 7] = [Q::HeartRate, Q::Sbp, Q::Dbp, Q::Map, Q::RespRate, Q::Spo2, Q::Temperature];

const EYE: [[&str; 4]; 2] = [
    ["1 No Response", "2 To pain", "3 To speech", "4 Spontaneously"],
    ["None", "To Pain", "To Speech", "Spontaneously"],
];
const VERBAL: [[&str; 5]; 2] = [
    ["1 No Response", "2 Incomp sounds", "3 Inapprop words", "4 Confused", "5 Oriented"],
    ["No Response", "Incomprehensible sounds", "Inappropriate Words", "Confused", "Oriented"],
];
const TUBE: [&str; 2] = ["1.0 ET/Trach", "No Response-ETT"];
const MOTOR: [[&str; 6]; 2] = [
    [
        "1 No Response",
        "2 Abnorm extensn",
        "3 Abnorm flexion",
        "4 Flex-withdraws",
        "5 Localizes Pain",
        "6 Obeys Commands",
    ],
    [
        "No response",
        "Abnormal extension",
        "Abnormal Flexion",
        "Flex-withdraws",
        "Localizes Pain",
        "Obeys Commands",
    ],
];
const CAPILLARY: [[&str; 2]; 2] =
    [["Normal <3 secs", "Abnormal >3 secs"], ["Normal <3 Seconds", "Abnormal >3 Seconds"]];
const RHYTHM: [[&str; 2]; 2] =
    [["Normal Sinus", "Sinus Tachy"], ["SR (Sinus Rhythm)", "ST (Sinus Tachycardia)"]];
const SEDATION: [&str; 2] = ["Calm/Cooperative", "Sedated"];
const RASS: [(&str, f64); 4] = [
    ("0  Alert and calm", 0.0),
    ("-1 Awakens to voice (eye opening/contact) > 10 sec", -1.0),
    ("-2 Light sedation, briefly awakens to voice (eye opening/contact) < 10 sec", -2.0),
    ("-4 Deep sedation, no response to voice, but movement or eye opening to physical stimulation", -4.0),
];

/// Writes the chart of a stay: hourly vital signs, then what is charted less often, then the copies of
/// laboratory results. Each block is in its own order of time, so the rows of the file as a whole are not
/// sorted.
pub(super) fn write(
    recorder: &mut dyn Recorder,
    bedside: &Bedside<'_>,
    copied: &[Copied],
    draw: &mut Draw,
) -> Result<(), IoError> {
    let stay = bedside.stay;
    if !stay.charted {
        return Ok(());
    }
    let mut pen = Pen::new(recorder, bedside);
    let first = vital_signs(&mut pen, bedside, draw)?;
    body(&mut pen, bedside, draw)?;
    assessments(&mut pen, bedside, first.as_ref(), draw)?;
    for copy in copied {
        pen.turn(copy.at, draw);
        match stay.system {
            System::CareVue => {
                for item in copy.mirror.carevue {
                    pen.number_as(item, copy.value, 1, false, "Final")?;
                }
            }
            System::MetaVision => pen.number_as(&copy.mirror.metavision, copy.value, 1, false, "")?,
        }
    }
    Ok(())
}

/// Writes the vital signs, and returns the first values as they were written. Nurses chart them every hour;
/// where a monitor writes them more often, all other tables of vital signs keep to the hour.
fn vital_signs(pen: &mut Pen<'_>, bedside: &Bedside<'_>, draw: &mut Draw) -> Result<Option<Values>, IoError> {
    let arrived = bedside.stay.arrived;
    let frozen = bedside.mistake.is_some_and(|m| matches!(m.change, Change::FreezeVitals));
    let mut rate = Drift::new(6.0, draw);
    let mut mean = Drift::new(7.0, draw);
    let mut pulse = Drift::new(6.5, draw);
    let mut breath = Drift::new(3.2, draw);
    let mut oximeter = Drift::new(1.1, draw);
    let mut venous = Drift::new(2.2, draw);
    let mut first: Option<Values> = None;
    // Some charting precedes the recorded arrival, and some follows the departure.
    let mut hour = if draw.chance(0.2) { -draw.between(0.3, 1.5) } else { draw.between(0.05, 0.7) };
    let late = if draw.chance(0.03) { 1.2 } else { 0.0 };
    // The second arterial pressure and the cuff pressure differ by a constant of the patient.
    let cuff = 3.0 * draw.normal();
    let mut round = 0u32;
    let every = pen.vitals_every();
    let (hourly, per_hour) = (every == 60, 60 / every);
    while hour < bedside.hours + late {
        let at = arrived.plus_hours(hour).minute();
        pen.turn(at, draw);
        let mut v = bedside.trend(hour);
        let swing = mean.at(hour, draw);
        // The curve is low near four in the morning and high in the afternoon.
        let circadian = (std::f64::consts::TAU * (at.hour_of_day() - 16.0) / 24.0).cos();
        v[Q::MeanPressure] = (v[Q::MeanPressure] + swing + 2.5 * circadian).max(38.0);
        v[Q::PulsePressure] = (v[Q::PulsePressure] + pulse.at(hour, draw) + 0.2 * swing).max(14.0);
        v[Q::HeartRate] = (v[Q::HeartRate] + rate.at(hour, draw) - 0.25 * swing + 2.5 * circadian).max(38.0);
        if let (Some(paced), true) = (bedside.paced, hour < 20.0) {
            v[Q::HeartRate] = paced;
        }
        let own = v[Q::RespRate] + breath.at(hour, draw);
        v[Q::RespRate] =
            if bedside.ventilated(hour) { 0.6 * v[Q::RespRateSet] + 0.4 * own } else { own }.max(6.0);
        v[Q::Cvp] += venous.at(hour, draw);
        v[Q::Temperature] += 0.2 * circadian;
        v.derive();
        v[Q::Spo2] = pulse_oximetry(v[Q::Pao2], oximeter.at(hour, draw));
        if let (true, Some(first)) = (frozen, &first) {
            for q in VITAL_SIGNS {
                v[q] = first[q];
            }
        }
        bedside.record(&mut v, draw);
        if first.is_none() {
            first = Some(v.clone());
        }

        pen.device(&items::HEART_RATE, v[Q::HeartRate], draw)?;
        if bedside.arterial_line && !draw.chance(0.02) {
            pen.device(&items::ARTERIAL_SYSTOLIC, v[Q::Sbp], draw)?;
            pen.device(&items::ARTERIAL_DIASTOLIC, v[Q::Dbp], draw)?;
            pen.device(&items::ARTERIAL_MEAN, v[Q::Map], draw)?;
        }
        if round.is_multiple_of(per_hour * if bedside.arterial_line { 6 } else { 1 }) {
            let offset = if frozen || !bedside.arterial_line { 0.0 } else { cuff };
            let (systolic, diastolic) = ((v[Q::Sbp] + offset).round(), (v[Q::Dbp] + offset).round());
            // CareVue computes the mean of the cuff pressure from the two others, in thirds.
            let pressures_true = !bedside.mistake.is_some_and(|m| m.touches(&[Q::Sbp, Q::Map]));
            let mean = if pressures_true { (systolic + 2.0 * diastolic) / 3.0 } else { v[Q::Map] + offset };
            pen.device(&items::CUFF_SYSTOLIC, systolic, draw)?;
            pen.device(&items::CUFF_DIASTOLIC, diastolic, draw)?;
            pen.device(&items::CUFF_MEAN, mean, draw)?;
        }
        if !draw.chance(0.01) {
            pen.device(&items::RESP_RATE, v[Q::RespRate], draw)?;
        }
        if !draw.chance(0.01) {
            pen.device(&items::SPO2, v[Q::Spo2], draw)?;
        }
        if bedside.central_line && round.is_multiple_of(2) {
            pen.device(&items::CVP, v[Q::Cvp], draw)?;
        }
        if round.is_multiple_of(4 * per_hour) {
            let fast = usize::from(v[Q::HeartRate] > 100.0);
            let item = items::RHYTHM[pen.system as usize];
            pen.text(&item, RHYTHM[pen.system as usize][fast], None)?;
        }
        // About one time in a hundred, the same key is written twice with different values.
        if hourly && !frozen && draw.chance(0.012) {
            pen.number(&items::HEART_RATE, v[Q::HeartRate] + draw.between(-6.0, 6.0))?;
            pen.number(&items::RESP_RATE, (v[Q::RespRate] + draw.between(-3.0, 3.0)).max(5.0))?;
        }
        round += 1;
        // From the second row on, charting happens on the hour. Sometimes a row follows 15 minutes later.
        let step = 60 * i64::from(every);
        let next = Moment((at.0.div_euclid(step) + 1) * step).hours_since(arrived);
        hour = if hourly && draw.chance(0.06) { hour + 0.25 } else { next };
    }
    if pen.system == System::CareVue && bedside.arterial_line && draw.chance(0.3) {
        pen.discontinued(&items::ARTERIAL_MEAN[0])?;
    }
    Ok(first)
}

/// Weight and height.
fn body(pen: &mut Pen<'_>, bedside: &Bedside<'_>, draw: &mut Draw) -> Result<(), IoError> {
    let arrived = bedside.stay.arrived;
    let truth = bedside.trend(0.0);
    let mut written = truth.clone();
    bedside.record(&mut written, draw);
    pen.turn(arrived.plus_hours(draw.between(0.2, 5.0)).minute(), draw);
    if bedside.orders.weight {
        pen.number(&items::WEIGHT, written[Q::Weight])?;
        if pen.system == System::MetaVision && draw.chance(0.7) {
            pen.item(&items::WEIGHT_POUNDS, truth[Q::Weight] * 2.204_622_6)?;
        }
    } else if pen.system == System::CareVue && draw.chance(0.5) {
        pen.discontinued(&items::WEIGHT[0])?;
    }
    if bedside.orders.height {
        let inches = (written[Q::Height] / 2.54).round();
        pen.number(&items::HEIGHT, inches)?;
        if pen.system == System::MetaVision {
            pen.item(&items::HEIGHT_CM, inches * 2.54)?;
        }
    }
    let mut hour = Moment(arrived.day().0 + 86_400 + 5 * 3600).hours_since(arrived);
    let mut gained = 0.0;
    while hour < bedside.hours {
        gained += 0.012 + 0.012 * draw.normal();
        if draw.chance(0.4) {
            pen.turn(arrived.plus_hours(hour).minute(), draw);
            pen.number(&items::DAILY_WEIGHT, written[Q::Weight] * (1.0 + gained))?;
        }
        hour += 24.0;
    }
    Ok(())
}

/// Writes what is charted every four hours: temperature, coma scale, ventilator settings, and what else
/// nurses note.
fn assessments(
    pen: &mut Pen<'_>,
    bedside: &Bedside<'_>,
    first: Option<&Values>,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let arrived = bedside.stay.arrived;
    let frozen = bedside.mistake.is_some_and(|m| matches!(m.change, Change::FreezeVitals));
    let system = pen.system as usize;
    // One CareVue bed in seven has a Celsius probe, and one in ten writes FiO2 in percent. In MetaVision few
    // beds have such a probe.
    let celsius = draw.chance(if pen.system == System::CareVue { 0.14 } else { 0.04 });
    let percent = pen.system == System::CareVue && draw.chance(0.1);
    let rass = pen.system == System::MetaVision && draw.chance(0.1);
    // Without a ventilator, few beds chart the oxygen at all.
    let masked = draw.chance(0.3);
    let brittle = bedside.course.at(0.0)[Q::Glucose] > 200.0;
    let (mut fever, mut wakefulness) = (Drift::new(0.42, draw), Drift::new(0.45, draw));
    let mut hour = draw.between(0.2, 1.5).min(0.9 * bedside.hours);
    let mut round = 0u32;
    while hour < bedside.hours {
        let at = arrived.plus_hours(hour).minute();
        pen.turn(at, draw);
        let ventilated = bedside.ventilated(hour);
        let mut v = bedside.trend(hour);
        let circadian = (std::f64::consts::TAU * (at.hour_of_day() - 17.0) / 24.0).cos();
        v[Q::Temperature] += fever.at(hour, draw) + 0.2 * circadian;
        if let (true, Some(first)) = (frozen, first) {
            v[Q::Temperature] = first[Q::Temperature];
        }
        let sedation = if ventilated { 1.3 } else { 0.0 };
        let coma = v[Q::Coma] - 0.6 + sedation + wakefulness.at(hour, draw);
        (v[Q::GcsEye], v[Q::GcsVerbal], v[Q::GcsMotor]) = glasgow(coma, ventilated);
        v[Q::GcsTotal] = v[Q::GcsEye] + v[Q::GcsVerbal] + v[Q::GcsMotor];
        let sugar = v[Q::Glucose] * (0.1 * draw.normal()).exp();
        bedside.record(&mut v, draw);

        temperature(pen, v[Q::Temperature], celsius)?;

        let score = |q: Q, best: usize| (v[q].round() as usize).clamp(1, best) - 1;
        pen.text(&items::GCS_EYE[system], EYE[system][score(Q::GcsEye, 4)], Some(v[Q::GcsEye]))?;
        let said = score(Q::GcsVerbal, 5);
        let verbal = if ventilated && said == 0 { TUBE[system] } else { VERBAL[system][said] };
        pen.text(&items::GCS_VERBAL[system], verbal, Some(v[Q::GcsVerbal]))?;
        pen.text(&items::GCS_MOTOR[system], MOTOR[system][score(Q::GcsMotor, 6)], Some(v[Q::GcsMotor]))?;
        if pen.system == System::CareVue {
            pen.item(&items::GCS_TOTAL, v[Q::GcsTotal])?;
        }
        if rass {
            let depth = if coma < 0.4 {
                0
            } else if coma < 1.0 {
                1
            } else if coma < 1.7 {
                2
            } else {
                3
            };
            pen.text(&items::RASS, RASS[depth].0, Some(RASS[depth].1))?;
        } else if round.is_multiple_of(2) {
            let score = (pen.system == System::MetaVision).then_some(if coma > 1.2 { 3.0 } else { 4.0 });
            pen.text(&items::SEDATION[system], SEDATION[usize::from(coma > 1.2)], score)?;
        }
        if bedside.orders.capillary && round.is_multiple_of(2) {
            let cold = usize::from(v[Q::Lactate] > 4.0 && draw.chance(0.6));
            let item = if pen.system == System::CareVue && bedside.stay.id.is_multiple_of(3) {
                items::CAPILLARY_PLAIN
            } else {
                items::CAPILLARY_RIGHT[system]
            };
            pen.text(&item, CAPILLARY[system][cold], None)?;
        }
        if ventilated {
            ventilator(pen, &v, percent, draw)?;
        } else if masked && v[Q::Fio2] > 0.3 {
            oxygen(pen, v[Q::Fio2], percent, draw)?;
        }
        if (brittle && draw.chance(0.9)) || round.is_multiple_of(2) && draw.chance(0.7) {
            let status = if pen.system == System::CareVue { "Manual" } else { "" };
            pen.number_as(&items::FINGERSTICK[system], sugar, 0, false, status)?;
        }
        round += 1;
        hour += draw.between(3.4, 4.6);
    }
    Ok(())
}

/// CareVue writes one of the two scales and computes the other at the same time. MetaVision writes one.
fn temperature(pen: &mut Pen<'_>, celsius: f64, probe_in_celsius: bool) -> Result<(), IoError> {
    let fahrenheit = celsius * 1.8 + 32.0;
    match (pen.system, probe_in_celsius) {
        (_, true) => {
            let read = round_to(celsius, 1);
            pen.number(&items::TEMPERATURE_C, read)?;
            if pen.system == System::CareVue {
                pen.item(&items::TEMPERATURE_F_CALCULATED, read * 1.8 + 32.0)?;
            }
            Ok(())
        }
        (system, false) => {
            let read = round_to(fahrenheit, 1);
            pen.number(&items::TEMPERATURE_F, read)?;
            if system == System::CareVue {
                pen.item(&items::TEMPERATURE_C_CALCULATED, (read - 32.0) / 1.8)?;
            }
            Ok(())
        }
    }
}

/// CareVue writes a fraction labelled torr, or percent under another item. MetaVision writes percent, and
/// rarely a fraction.
fn oxygen(pen: &mut Pen<'_>, fraction: f64, percent: bool, draw: &mut Draw) -> Result<(), IoError> {
    match pen.system {
        System::CareVue if percent => pen.item(&items::FIO2_PERCENT, 100.0 * fraction),
        System::CareVue => pen.item(&items::FIO2[0], fraction),
        System::MetaVision if draw.chance(0.02) => pen.number_as(&items::FIO2[1], fraction, 2, false, ""),
        System::MetaVision => pen.item(&items::FIO2[1], 100.0 * fraction),
    }
}

fn ventilator(pen: &mut Pen<'_>, v: &Values, percent: bool, draw: &mut Draw) -> Result<(), IoError> {
    oxygen(pen, v[Q::Fio2], percent, draw)?;
    // PEEP is set in uneven steps, and most beds stay at 5.
    let step = [6.5, 9.0, 11.0, 13.5].iter().filter(|limit| v[Q::Peep] > **limit).count();
    pen.number(&items::PEEP, [5.0, 8.0, 10.0, 12.0, 15.0][step])?;
    let set = (v[Q::RespRateSet] / 2.0).round() * 2.0;
    pen.number(&items::RATE_SET, set)?;
    let volume = v[Q::TidalVolume] * (0.05 * draw.normal()).exp();
    pen.number(&items::TIDAL_VOLUME, volume)?;
    let rate = 0.6 * v[Q::RespRateSet] + 0.4 * v[Q::RespRate];
    pen.number(&items::MINUTE_VOLUME, volume * rate / 1000.0 * (0.05 * draw.normal()).exp())?;
    pen.number(&items::PIP, v[Q::Pip] + 1.5 * draw.normal())
}
