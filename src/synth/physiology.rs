//! From axes of illness to quantities, and how the quantities change during a stay.
//!
//! A [`Course`] holds the state at arrival and the state that the patient settles to. Between the two,
//! everything decays exponentially. Both states share one set of individual deviations, so that a patient
//! stays recognisable. The relations between quantities (Henderson–Hasselbalch, the anion gap, red-cell
//! indices, pressures, oxygen) are computed at each moment from the drivers of that moment, and never
//! interpolated. The coefficients are our own. They were tuned by eye until the medians and quartiles of the
//! first day looked like those of the open MIMIC-III demo, and they are not estimates of anything.

use super::draw::{Draw, positive};
use super::phenotype::{AXES, Axis, LOADING, Phenotype};
use super::quantity::{ALL, Quantity as Q, Values, saturation};

/// The body and the medical history that a patient brings along.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a medical history")]
pub(super) struct Body {
    pub(super) male: bool,
    /// True age in years, even where the written date of birth is shifted.
    pub(super) age: f64,
    pub(super) height: f64,
    pub(super) weight: f64,
    pub(super) hypertension: bool,
    pub(super) diabetes: bool,
    pub(super) beta_blocker: bool,
    /// Whether the patient is on maintenance dialysis and makes hardly any urine.
    pub(super) anuric: bool,
}

/// Position of one stay on the axes of illness.
#[derive(Debug, Clone)]
pub(super) struct Illness([f64; AXES]);

impl Illness {
    pub(super) fn draw(phenotype: &Phenotype, severity: f64, draw: &mut Draw) -> Self {
        let mut axes = phenotype.axes;
        for (axis, loading) in axes.iter_mut().zip(LOADING) {
            *axis += loading * severity + 0.55 * draw.normal();
        }
        Self(axes)
    }

    /// Returns the position on one axis.
    pub(super) fn on(&self, axis: Axis) -> f64 {
        self.0[axis as usize]
    }

    /// Returns the burden on one axis, which is the smooth positive part of the position.
    pub(super) fn burden(&self, axis: Axis) -> f64 {
        positive(self.on(axis))
    }

    /// Returns the illness after treatment has worked or failed: acute axes move by `change`, and chronic
    /// axes by half of it.
    fn later(&self, change: f64) -> Self {
        let mut axes = self.0;
        for (i, axis) in axes.iter_mut().enumerate() {
            let slow = i == Axis::Kidney as usize
                || i == Axis::Liver as usize
                || i == Axis::Hypoventilation as usize;
            *axis += if slow { 0.5 * change } else { change };
        }
        axes[Axis::Ketones as usize] += 2.5 * change.min(0.0);
        Self(axes)
    }
}

/// The state of a patient over the time of one stay.
#[derive(Debug, Clone)]
pub(super) struct Course {
    start: Values,
    settled: Values,
    memory_hours: f64,
}

impl Course {
    /// Draws the course of a stay. `worsening` is set for patients who will die in it.
    pub(super) fn draw(body: &Body, illness: &Illness, worsening: bool, draw: &mut Draw) -> Self {
        let mut own = Values::default();
        for q in ALL {
            own[*q] = draw.normal();
        }
        let change = if worsening { draw.between(0.0, 0.9) } else { draw.between(-1.1, -0.3) };
        Self {
            start: state(body, illness, &own),
            settled: state(body, &illness.later(change), &own),
            memory_hours: draw.between(14.0, 48.0),
        }
    }

    /// Returns the drivers at `hour` after arrival, without measurement noise and not yet
    /// [derived](Values::derive).
    pub(super) fn at(&self, hour: f64) -> Values {
        // Before arrival the patient was somewhat sicker. Values from long before are not extrapolated.
        let left = (-hour / self.memory_hours).exp().min(1.15);
        self.settled.towards(&self.start, left)
    }

    /// Confines a quantity to [low, high] for the whole course.
    pub(super) fn confine(&mut self, q: Q, low: f64, high: f64) {
        for state in [&mut self.start, &mut self.settled] {
            state[q] = state[q].clamp(low, high);
        }
    }
}

/// A lower bound that is approached smoothly, so that no two patients have exactly this value.
fn above(x: f64, floor: f64, softness: f64) -> f64 {
    floor + softness * (1.0 + ((x - floor) / softness).min(40.0).exp()).ln().max(1e-9)
}

fn state(body: &Body, ill: &Illness, own: &Values) -> Values {
    let [shock, lung, kidney, liver, inflammation, bleeding, ketones, heart, clotting] = [
        Axis::Shock,
        Axis::Lung,
        Axis::Kidney,
        Axis::Liver,
        Axis::Inflammation,
        Axis::Bleeding,
        Axis::Ketones,
        Axis::Heart,
        Axis::Clotting,
    ]
    .map(|a| ill.burden(a));
    let yes = |b: bool| f64::from(u8::from(b));
    let (male, old) = (yes(body.male), body.age - 60.0);
    let e = |q: Q| own[q];
    let mut v = Values::default();

    // Perfusion.
    v[Q::Lactate] = (0.05 + 0.62 * shock + 0.22 * liver + 0.26 * e(Q::Lactate)).exp().min(24.0);
    v[Q::MeanPressure] = above(
        79.0 - 6.0 * shock + 4.0 * yes(body.hypertension) - 2.0 * inflammation
            + 4.0 * (ill.on(Axis::Coma) - 1.0).max(0.0)
            + 7.5 * e(Q::MeanPressure),
        48.0,
        3.0,
    );
    v[Q::PulsePressure] = above(56.0 + 0.35 * old - 4.0 * shock + 11.0 * e(Q::PulsePressure), 20.0, 4.0);
    v[Q::HeartRate] = above(
        82.0 + 7.0 * shock + 3.5 * inflammation + 2.5 * bleeding + 3.0 * ketones
            - 8.0 * yes(body.beta_blocker)
            - 0.12 * old
            + 12.0 * e(Q::HeartRate),
        45.0,
        4.0,
    );
    v[Q::Cvp] = 8.5 + 1.6 * heart + 0.8 * kidney + 3.8 * e(Q::Cvp);

    // Acid and base.
    let lactic = v[Q::Lactate] - 1.3;
    let retention = 7.5 * ill.on(Axis::Hypoventilation).max(-0.8);
    v[Q::Bicarbonate] = above(
        26.4 - 0.85 * lactic - 4.6 * ketones - 1.1 * kidney + 0.3 * retention + 2.4 * e(Q::Bicarbonate),
        4.5,
        1.0,
    );
    let acidosis = (24.0 - v[Q::Bicarbonate]).max(0.0);
    v[Q::Paco2] = above(40.0 + retention - 0.95 * acidosis + 4.0 * e(Q::Paco2), 14.0, 2.0);
    v[Q::Albumin] =
        above(3.5 - 0.3 * inflammation - 0.3 * liver - 0.12 * bleeding + 0.4 * e(Q::Albumin), 1.2, 0.15);
    v[Q::Gap] =
        12.2 + 0.8 * lactic + 4.2 * ketones + 1.3 * kidney + 2.2 * (v[Q::Albumin] - 3.1) + 1.6 * e(Q::Gap);

    // Gas exchange.
    v[Q::PfRatio] = (5.85 - 0.4 * lung - 0.07 * shock + 0.26 * e(Q::PfRatio)).exp().clamp(62.0, 560.0);
    v[Q::OxygenTarget] = 95.0 * (0.26 * e(Q::OxygenTarget)).exp().max(0.72);
    v[Q::RespRate] =
        above(16.5 + 2.2 * lung + 1.1 * inflammation + 0.3 * acidosis + 3.0 * e(Q::RespRate), 8.0, 1.0);
    v[Q::Temperature] =
        36.8 + 0.42 * inflammation - 0.22 * shock - 0.15 * bleeding + 0.48 * e(Q::Temperature);
    v[Q::Coma] = ill.on(Axis::Coma);
    v[Q::Peep] = 5.0 + 3.4 * (lung - 0.5).max(0.0);
    let ideal_weight = 45.5 + 4.5 * male + 0.91 * (body.height - 152.4);
    v[Q::TidalVolume] = (8.0 + 0.8 * e(Q::TidalVolume)) * ideal_weight;
    v[Q::RespRateSet] = 13.5 + 1.8 * lung + 0.2 * acidosis + 1.5 * e(Q::RespRateSet);
    v[Q::Pip] = 17.0 + 0.9 * v[Q::Peep] + 2.6 * lung + 3.5 * e(Q::Pip);

    // Kidney and electrolytes.
    v[Q::Creatinine] =
        (-0.4 + 0.2 * male + 0.004 * old + 0.62 * kidney + 0.06 * shock + 0.3 * e(Q::Creatinine)).exp();
    v[Q::Bun] = (2.85 + 0.62 * v[Q::Creatinine].ln() + 0.01 * old + 0.14 * bleeding + 0.38 * e(Q::Bun)).exp();
    v[Q::UrineRate] = body.weight
        * (0.35 - 0.55 * kidney - 0.25 * shock + 0.25 * ketones + 0.3 * e(Q::UrineRate)).exp()
        * if body.anuric { 0.04 } else { 1.0 };
    v[Q::Glucose] =
        (4.66 + 0.07 * inflammation + 0.08 * shock + 0.28 * yes(body.diabetes) + 0.2 * e(Q::Glucose)).exp()
            + 170.0 * ketones * yes(body.diabetes || ketones > 1.0);
    v[Q::Sodium] = 139.6 - 1.4 * liver - 1.2 * ketones + 4.0 * e(Q::Sodium);
    v[Q::Potassium] =
        above(3.85 + 0.28 * kidney + 0.035 * acidosis + 0.12 * ketones + 0.44 * e(Q::Potassium), 2.4, 0.2);
    v[Q::Calcium] = 8.5 + 0.55 * (v[Q::Albumin] - 3.1) - 0.06 * kidney + 0.5 * e(Q::Calcium);
    v[Q::IonizedCalcium] = 1.12 + 0.045 * (e(Q::Calcium) - 0.3 * bleeding) + 0.05 * e(Q::IonizedCalcium);
    v[Q::Magnesium] = above(1.95 + 0.1 * kidney + 0.3 * e(Q::Magnesium), 1.0, 0.1);
    v[Q::Phosphate] = (1.1 + 0.2 * kidney + 0.06 * shock + 0.3 * e(Q::Phosphate)).exp();

    // Blood.
    v[Q::Hemoglobin] = above(
        10.8 + 0.8 * male - 1.1 * bleeding - 0.35 * kidney - 0.3 * inflammation + 1.35 * e(Q::Hemoglobin),
        5.2,
        0.5,
    );
    v[Q::Mchc] = 33.5 + 0.95 * e(Q::Mchc);
    v[Q::Mcv] = 89.0 + 1.4 * liver + 5.0 * e(Q::Mcv);
    v[Q::Rdw] = 12.8 + (0.7 + 0.25 * kidney + 0.3 * liver + 0.15 * inflammation + 0.45 * e(Q::Rdw)).exp();
    v[Q::Platelets] = (5.42 - 0.18 * clotting - 0.25 * liver + 0.05 * inflammation - 0.05 * shock
        + 0.48 * e(Q::Platelets))
    .exp();
    v[Q::Wbc] = (2.05 + 0.24 * inflammation + 0.06 * shock + 0.42 * e(Q::Wbc)).exp();
    v[Q::Neutrophils] = 100.0 * super::draw::logistic(1.2 + 0.25 * inflammation + 0.7 * e(Q::Neutrophils));
    let rest = 100.0 - v[Q::Neutrophils];
    v[Q::Lymphocytes] = rest * super::draw::logistic(0.55 + 0.4 * e(Q::Lymphocytes));
    v[Q::Monocytes] = (rest - v[Q::Lymphocytes]) * super::draw::logistic(1.1 + 0.4 * e(Q::Monocytes));
    v[Q::Eosinophils] = (rest - v[Q::Lymphocytes] - v[Q::Monocytes]) * 0.8;
    v[Q::Inr] = 1.0 + (-1.5 + 0.5 * clotting + 0.45 * liver + 0.5 * e(Q::Inr)).exp();
    v[Q::Ptt] = (3.38 + 0.18 * clotting + 0.1 * liver + 0.27 * e(Q::Ptt)).exp().min(150.0);
    v[Q::Fibrinogen] =
        (5.65 + 0.18 * inflammation - 0.3 * clotting - 0.1 * liver + 0.28 * e(Q::Fibrinogen)).exp();

    // The enzymes. Both transaminases share one deviation of the liver cells.
    v[Q::Bilirubin] = (-1.0 + 1.0 * liver + 0.75 * e(Q::Bilirubin)).exp();
    let hepatocyte = 0.8 * liver + 0.3 * shock + 0.8 * e(Q::Alt);
    v[Q::Alt] = (2.6 + hepatocyte).exp();
    v[Q::Ast] = (2.85 + hepatocyte + 0.28 * e(Q::Ast)).exp();
    v[Q::Alp] = (4.3 + 0.25 * liver + 0.35 * e(Q::Alp)).exp();
    v[Q::Ldh] = (5.3 + 0.22 * liver + 0.2 * shock + 0.38 * e(Q::Ldh)).exp();
    v[Q::TroponinT] = (-4.6 + 1.5 * heart + 0.5 * kidney + 0.9 * e(Q::TroponinT)).exp();
    v[Q::Ck] = (3.75 + 0.6 * heart + 0.3 * shock + 1.0 * e(Q::Ck)).exp();
    v[Q::CkMb] = (0.9 + 0.85 * heart + 0.25 * e(Q::Ck) + 0.4 * e(Q::CkMb)).exp();

    v[Q::Weight] = body.weight;
    v[Q::Height] = body.height;
    v
}

/// The share of oxygen that a patient is given. It is enough for the PaO2 aimed at, in the steps that
/// clinicians use.
pub(super) fn oxygen(pf_ratio: f64, target: f64, ventilated: bool) -> f64 {
    let needed = target / pf_ratio;
    if ventilated {
        ((needed * 10.0).ceil() / 10.0).clamp(0.4, 1.0)
    } else {
        ((needed * 20.0).ceil() / 20.0).clamp(0.21, 0.7)
    }
}

/// Pulse oximetry (%) at the oxygen tension `pao2`, with `noise` added and kept between 60 and 100.
pub(super) fn pulse_oximetry(pao2: f64, noise: f64) -> f64 {
    (saturation(pao2) + noise).clamp(60.0, 100.0)
}

/// Eye, verbal and motor score of a patient at `coma` (0 is awake, 3 is deep coma), with or without a tube.
pub(super) fn glasgow(coma: f64, intubated: bool) -> (f64, f64, f64) {
    let steps = |cuts: &[f64], best: f64| best - cuts.iter().filter(|c| coma > **c).count() as f64;
    let eye = steps(&[0.5, 1.1, 1.8], 4.0);
    let verbal = if intubated { 1.0 } else { steps(&[0.4, 1.1, 1.5, 2.1], 5.0) };
    let motor = steps(&[0.8, 1.3, 1.9, 2.4, 2.8], 6.0);
    (eye, verbal, motor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use crate::synth::phenotype::PHENOTYPES;

    fn body() -> Body {
        Body {
            male: true,
            age: 60.0,
            height: 175.0,
            weight: 80.0,
            hypertension: false,
            diabetes: false,
            beta_blocker: false,
            anuric: false,
        }
    }

    #[test]
    fn shock_raises_lactate_and_lowers_pressure() {
        let mut draw = Draw::new(Seed(1).stream("test", 0));
        let own = Values::default();
        let mut ill = Illness::draw(&PHENOTYPES[0], 0.0, &mut draw);
        ill.0[Axis::Shock as usize] = 0.0;
        let calm = state(&body(), &ill, &own);
        ill.0[Axis::Shock as usize] = 2.5;
        let shocked = state(&body(), &ill, &own);
        assert!(shocked[Q::Lactate] > 2.0 * calm[Q::Lactate]);
        assert!(shocked[Q::MeanPressure] < calm[Q::MeanPressure] - 8.0);
        assert!(shocked[Q::Bicarbonate] < calm[Q::Bicarbonate] && shocked[Q::Gap] > calm[Q::Gap]);
    }

    #[test]
    fn a_course_goes_from_arrival_to_its_settled_state() {
        let mut draw = Draw::new(Seed(2).stream("test", 0));
        let ill = Illness::draw(&PHENOTYPES[5], 1.0, &mut draw);
        let course = Course::draw(&body(), &ill, false, &mut draw);
        assert_eq!(course.at(0.0), course.settled.towards(&course.start, 1.0));
        assert!((course.at(1000.0)[Q::Glucose] - course.settled[Q::Glucose]).abs() < 1e-6);
        assert!(course.at(24.0)[Q::Bicarbonate] > course.at(0.0)[Q::Bicarbonate]);
    }

    #[test]
    fn all_phenotypes_stay_physiological() {
        let mut draw = Draw::new(Seed(3).stream("test", 0));
        for phenotype in PHENOTYPES {
            for _ in 0..2000 {
                let severity = draw.normal();
                let ill = Illness::draw(phenotype, severity, &mut draw);
                let course = Course::draw(&body(), &ill, draw.chance(0.1), &mut draw);
                for hour in [-12.0, 0.0, 24.0, 200.0] {
                    let mut v = course.at(hour);
                    v[Q::Fio2] = oxygen(v[Q::PfRatio], v[Q::OxygenTarget], true);
                    v.derive();
                    for (q, low, high) in [
                        (Q::Ph, 6.7, 7.8),
                        (Q::Paco2, 12.0, 120.0),
                        (Q::Chloride, 60.0, 140.0),
                        (Q::Sodium, 112.0, 165.0),
                        (Q::Hematocrit, 12.0, 60.0),
                        (Q::Dbp, 8.0, 140.0),
                        (Q::Sbp, 50.0, 250.0),
                        (Q::Pao2, 40.0, 600.0),
                        (Q::Potassium, 2.0, 8.5),
                    ] {
                        assert!((low..high).contains(&v[q]), "{} = {}", q.name(), v[q]);
                    }
                    assert!(ALL.iter().all(|q| v[*q].is_finite()));
                }
            }
        }
    }

    #[test]
    fn glasgow_scores_stay_on_their_scales() {
        assert_eq!(glasgow(-1.0, false), (4.0, 5.0, 6.0));
        assert_eq!(glasgow(5.0, false), (1.0, 1.0, 1.0));
        assert_eq!(glasgow(-1.0, true), (4.0, 1.0, 6.0));
    }
}
