//! One stay as it is recorded: the course, the devices attached, what is ordered, and the mistake if one is
//! planted.

use super::anomaly::{Change, Mistake};
use super::draw::{Draw, logistic};
use super::items::{self, Test};
use super::patient::{Patient, Stay, System};
use super::phenotype::{Axis, PHENOTYPES, Phenotype};
use super::physiology::{Course, Illness, oxygen};
use super::quantity::{Quantity as Q, Values};

/// What is ordered in a stay. Orders depend on the illness, so a missing test carries information.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each named after what is ordered")]
pub(super) struct Orders {
    pub(super) gas: bool,
    pub(super) lactate: bool,
    pub(super) liver: bool,
    pub(super) albumin: bool,
    pub(super) cardiac: bool,
    pub(super) coagulation: bool,
    pub(super) fibrinogen: bool,
    pub(super) differential: bool,
    pub(super) weight: bool,
    pub(super) height: bool,
    pub(super) capillary: bool,
    /// Hours between blood draws.
    pub(super) every: f64,
    /// Hours between blood gases.
    pub(super) gas_every: f64,
}

/// A stay and the devices attached to the patient.
#[derive(Debug, Clone)]
pub(super) struct Bedside<'a> {
    pub(super) stay: &'a Stay,
    pub(super) subject: u64,
    pub(super) admission: u64,
    pub(super) course: Course,
    /// The course that laboratory results come from when they are those of another patient.
    pub(super) donor: Option<Course>,
    pub(super) mistake: Option<&'static Mistake>,
    pub(super) orders: Orders,
    /// Hours after arrival at which the tube is removed; 0 if the patient was never ventilated.
    pub(super) extubated: f64,
    pub(super) arterial_line: bool,
    pub(super) central_line: bool,
    /// Fixed rate of an external pacemaker, if there is one.
    pub(super) paced: Option<f64>,
    /// Number of hours charted, counted from arrival.
    pub(super) hours: f64,
}

impl<'a> Bedside<'a> {
    pub(super) fn draw(
        patient: &Patient,
        admission: u64,
        phenotype: &Phenotype,
        stay: &'a Stay,
        mistake: Option<&'static Mistake>,
        chart_hours: f64,
        draw: &mut Draw,
    ) -> Self {
        let ill = &stay.illness;
        let mut course = Course::draw(&patient.body, ill, stay.fatal, draw);
        if let Some(mistake) = mistake {
            mistake.prepare(&mut course);
        }
        let ventilation = phenotype.ventilation
            + 1.0 * ill.burden(Axis::Coma)
            + 0.7 * ill.burden(Axis::Lung)
            + 0.5 * ill.burden(Axis::Shock)
            - 1.6;
        let ventilated = draw.chance(logistic(ventilation));
        let surgical = phenotype.elective > 0.4;
        let extubated = match (ventilated, surgical) {
            (false, _) => 0.0,
            (true, true) => draw.between(4.0, 18.0),
            (true, false) => draw.between(12.0, 24.0 * stay.days + 12.0),
        };
        let arterial_line = draw.chance(logistic(
            phenotype.arterial_line + 0.9 * ill.on(Axis::Shock) - 0.4 + f64::from(u8::from(ventilated)),
        ));
        let central_line =
            draw.chance(logistic(-1.7 + 0.9 * ill.on(Axis::Shock) + if surgical { 1.4 } else { 0.0 }));
        let paced =
            (phenotype.units[0] == "CSRU" && draw.chance(0.12)).then(|| draw.pick(&[80.0, 80.0, 88.0, 90.0]));
        let mut orders = Orders::draw(ill, ventilated, arterial_line, stay.system, draw);
        if let Some(mistake) = mistake {
            orders.require(mistake);
        }
        let donor = matches!(mistake, Some(Mistake { change: Change::ForeignLabs, .. }))
            .then(|| donor(patient, ill, draw));
        Self {
            stay,
            subject: patient.subject,
            admission,
            course,
            donor,
            mistake,
            orders,
            extubated,
            arterial_line,
            central_line,
            paced,
            hours: (24.0 * stay.days).min(chart_hours),
        }
    }

    /// Returns whether the patient is on the ventilator at `hour`.
    pub(super) fn ventilated(&self, hour: f64) -> bool {
        hour < self.extubated
    }

    /// Returns the drivers at `hour`, with the oxygen given at that time.
    pub(super) fn trend(&self, hour: f64) -> Values {
        let mut v = self.course.at(hour);
        v[Q::Fio2] = oxygen(v[Q::PfRatio], v[Q::OxygenTarget], self.ventilated(hour));
        v
    }

    /// Returns the drivers of what the laboratory measures at `hour`.
    pub(super) fn blood(&self, hour: f64) -> Values {
        match &self.donor {
            Some(donor) => {
                let mut v = donor.at(hour);
                v[Q::Fio2] = oxygen(v[Q::PfRatio], v[Q::OxygenTarget], self.ventilated(hour));
                v
            }
            None => self.trend(hour),
        }
    }

    /// Turns true values into the values that are written in this stay.
    pub(super) fn record(&self, values: &mut Values, draw: &mut Draw) {
        if let Some(mistake) = self.mistake {
            mistake.apply(values, draw);
        }
    }
}

/// Draws the course of a patient who is as unlike this one as possible: the donor's kidneys work where these
/// fail, and the reverse.
fn donor(patient: &Patient, ill: &Illness, draw: &mut Draw) -> Course {
    let phenotype = if ill.on(Axis::Kidney) > 0.8 { &PHENOTYPES[4] } else { &PHENOTYPES[6] };
    let mut body = patient.body.clone();
    body.male = !body.male;
    let illness = Illness::draw(phenotype, 0.5, draw);
    Course::draw(&body, &illness, false, draw)
}

impl Orders {
    fn draw(ill: &Illness, ventilated: bool, arterial_line: bool, system: System, draw: &mut Draw) -> Self {
        let on = |a: Axis| ill.on(a);
        let yes = |b: bool| f64::from(u8::from(b));
        let mut order = |log_odds: f64| draw.chance(logistic(log_odds));
        let gas = order(
            -1.6 + 2.2 * yes(ventilated)
                + 1.2 * yes(arterial_line)
                + 0.8 * on(Axis::Lung)
                + 0.8 * on(Axis::Ketones).max(0.0),
        );
        let liver = order(-1.6 + 1.1 * on(Axis::Liver) + 0.5 * on(Axis::Inflammation));
        let orders = Self {
            gas,
            lactate: order(-1.3 + 1.3 * on(Axis::Shock) + 0.8 * on(Axis::Inflammation) + 0.5 * yes(gas)),
            liver,
            albumin: order(if liver { 1.2 } else { -2.2 }),
            cardiac: order(-1.3 + 1.5 * on(Axis::Heart) + 0.3 * on(Axis::Shock)),
            coagulation: order(1.2 + 0.6 * on(Axis::Clotting) + 0.5 * on(Axis::Bleeding)),
            fibrinogen: order(-3.4 + 1.2 * on(Axis::Clotting) + 0.6 * on(Axis::Bleeding)),
            differential: order(-1.0 + 0.9 * on(Axis::Inflammation)),
            weight: order(1.6),
            height: order(if system == System::MetaVision { 0.3 } else { -0.5 }),
            capillary: order(-1.4),
            every: 0.0,
            gas_every: 0.0,
        };
        // Blood is drawn more often from sicker patients.
        let every = (12.5 - 2.5 * ill.burden(Axis::Shock) - 3.0 * ill.burden(Axis::Ketones)).clamp(4.0, 14.0);
        let gas_every = (7.5 - 1.5 * ill.burden(Axis::Lung) - ill.burden(Axis::Shock)).clamp(2.5, 8.0);
        Self {
            every: every * draw.between(0.8, 1.2),
            gas_every: gas_every * draw.between(0.8, 1.3),
            ..orders
        }
    }

    /// Orders the tests that the mistake needs, because its variables must be measured.
    fn require(&mut self, mistake: &Mistake) {
        let touches =
            |panels: &[&[Test]]| panels.iter().any(|p| p.iter().any(|t| mistake.touches(&[t.quantity])));
        self.gas |= touches(&[items::GAS]);
        self.lactate |= touches(&[items::LACTATE]);
        self.liver |= touches(&[items::LIVER]);
        self.weight |= mistake.touches(&[Q::Weight]);
        self.height |= mistake.touches(&[Q::Weight, Q::Height]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use crate::synth::anomaly::MISTAKES;

    fn bedside(index: u64, mistake: Option<&'static Mistake>, check: impl FnOnce(&Bedside<'_>)) {
        let mut draw = Draw::new(Seed(5).stream("test", index));
        let patient = Patient::draw(index, &mut draw);
        let admission = &patient.admissions[0];
        let stay = &admission.stays[0];
        check(&Bedside::draw(&patient, admission.id, admission.phenotype, stay, mistake, 30.0, &mut draw));
    }

    #[test]
    fn foreign_laboratory_results_contradict_the_patient() {
        let foreign = MISTAKES.iter().find(|m| matches!(m.change, Change::ForeignLabs));
        let mut unlike = 0;
        for index in 0..100 {
            bedside(index, foreign, |b| {
                let ratio = b.blood(6.0)[Q::Creatinine] / b.trend(6.0)[Q::Creatinine];
                unlike += i32::from(!(0.6..1.6).contains(&ratio));
            });
            bedside(index, None, |b| assert_eq!(b.blood(6.0), b.trend(6.0)));
        }
        assert!(unlike > 75, "{unlike}");
    }

    #[test]
    fn what_a_mistake_needs_is_ordered() {
        for mistake in MISTAKES {
            for index in 0..40 {
                bedside(index, Some(mistake), |b| {
                    assert!(
                        b.orders.gas || !mistake.touches(&[Q::Ph, Q::Pao2, Q::Paco2]),
                        "{}",
                        mistake.action
                    );
                    assert!(b.orders.lactate || !mistake.touches(&[Q::Lactate]), "{}", mistake.action);
                    assert!(b.orders.liver || !mistake.touches(&[Q::Bilirubin]), "{}", mistake.action);
                    assert!(b.orders.weight || !mistake.touches(&[Q::Weight]), "{}", mistake.action);
                });
            }
        }
    }
}
