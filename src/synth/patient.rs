//! Who the patients are, and when they are where: demography, admissions and stays, drawn from `(seed,
//! index)` alone.

use super::clock::{DAY, Moment, YEAR};
use super::draw::{Draw, logistic};
use super::phenotype::{Axis, PHENOTYPES, Phenotype};
use super::physiology::{Body, Illness};

/// The bedside charting system of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    CareVue = 0,
    MetaVision = 1,
}

impl System {
    /// The spelling of the system in `DBSOURCE`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CareVue => "carevue",
            Self::MetaVision => "metavision",
        }
    }
}

/// One patient, with everything that happens to this patient.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub(super) subject: u64,
    pub(super) body: Body,
    pub(super) birth: Moment,
    pub(super) death: Option<Moment>,
    pub(super) death_in_hospital: bool,
    pub(super) insurance: &'static str,
    pub(super) language: &'static str,
    pub(super) religion: &'static str,
    pub(super) marital: &'static str,
    pub(super) ethnicity: &'static str,
    pub(super) admissions: Vec<Admission>,
}

/// One admission to hospital.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    pub(super) id: u64,
    pub(super) phenotype: &'static Phenotype,
    pub(super) elective: bool,
    pub(super) admitted: Moment,
    pub(super) discharged: Moment,
    pub(super) died: bool,
    pub(super) diagnosis: &'static str,
    /// Where the patient went, if alive.
    pub(super) destination: &'static str,
    pub(super) stays: Vec<Stay>,
}

/// One stay in an intensive care unit.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    pub(super) id: u64,
    pub(super) system: System,
    pub(super) unit: &'static str,
    pub(super) ward: u64,
    pub(super) arrived: Moment,
    /// `None` for the few stays whose end was never recorded.
    pub(super) left: Option<Moment>,
    pub(super) days: f64,
    pub(super) illness: Illness,
    /// Whether the stay ends in death.
    pub(super) fatal: bool,
    /// Whether the stay has any rows in CHARTEVENTS.
    pub(super) charted: bool,
}

impl Patient {
    /// Draws the patient with number `index`.
    pub(super) fn draw(index: u64, draw: &mut Draw) -> Self {
        let phenotype = draw.weighted(PHENOTYPES, |p| p.weight);
        let minor = draw.chance(0.012);
        let age = if minor {
            draw.between(15.0, 18.0)
        } else {
            let age = phenotype.age_mean + phenotype.age_sd * draw.normal();
            // Young ages are folded back instead of clipped, because clipping would pile up patients at one
            // age.
            let age = if age < 18.0 { 36.0 - age } else { age };
            if age > 99.0 { draw.between(85.0, 99.0) } else { age }
        };
        let male = draw.chance(0.56);
        let height = if male { 176.0 } else { 162.0 } + 7.0 * draw.normal();
        let bmi = (27.0f64.ln() + 0.2 * draw.normal()).exp().clamp(15.5, 60.0);
        let diabetes = phenotype.axes[Axis::Ketones as usize] > 0.0 || draw.chance(0.26);
        let body = Body {
            male,
            age,
            height: height.clamp(140.0, 203.0),
            weight: (bmi * (height / 100.0).powi(2)).clamp(38.0, 220.0),
            hypertension: draw.chance(logistic(0.05 * (age - 62.0))),
            diabetes,
            beta_blocker: draw.chance(0.3),
            anuric: phenotype.axes[Axis::Kidney as usize] > 1.5 && draw.chance(0.4),
        };
        let first = Moment::midnight(2100, 1, 1).0 + (draw.unit() * 95.0 * YEAR) as i64;
        let mut patient = Self {
            // The identifiers ascend with the index and leave gaps, as in the release.
            subject: 200 + 3 * index + draw.below(3),
            birth: Moment(0),
            death: None,
            death_in_hospital: false,
            insurance: if age >= 65.0 {
                draw.weighted(&[("Medicare", 0.85), ("Private", 0.15)], |x| x.1).0
            } else {
                draw.weighted(
                    &[
                        ("Private", 0.6),
                        ("Medicare", 0.15),
                        ("Medicaid", 0.17),
                        ("Government", 0.06),
                        ("Self Pay", 0.02),
                    ],
                    |x| x.1,
                )
                .0
            },
            language: draw
                .weighted(&[("ENGL", 0.6), ("", 0.31), ("SPAN", 0.04), ("RUSS", 0.03), ("POLI", 0.02)], |x| {
                    x.1
                })
                .0,
            religion: draw
                .weighted(
                    &[
                        ("CATHOLIC", 0.4),
                        ("NOT SPECIFIED", 0.22),
                        ("UNOBTAINABLE", 0.15),
                        ("PROTESTANT QUAKER", 0.14),
                        ("JEWISH", 0.09),
                    ],
                    |x| x.1,
                )
                .0,
            marital: draw
                .weighted(
                    &[("MARRIED", 0.5), ("SINGLE", 0.25), ("WIDOWED", 0.14), ("DIVORCED", 0.07), ("", 0.04)],
                    |x| x.1,
                )
                .0,
            ethnicity: draw
                .weighted(
                    &[
                        ("WHITE", 0.7),
                        ("UNKNOWN/NOT SPECIFIED", 0.09),
                        ("BLACK/AFRICAN AMERICAN", 0.08),
                        ("HISPANIC OR LATINO", 0.04),
                        ("ASIAN", 0.03),
                        ("OTHER", 0.04),
                        ("UNABLE TO OBTAIN", 0.02),
                    ],
                    |x| x.1,
                )
                .0,
            admissions: Vec::new(),
            body,
        };
        let system = if draw.chance(0.45) { System::CareVue } else { System::MetaVision };
        let constitution = 0.6 * draw.normal();
        let n_admissions = if draw.chance(0.17) { if draw.chance(0.25) { 3 } else { 2 } } else { 1 };
        let mut ids = Ids { admission: 100_000 + 3 * index, stay: 200_000 + 6 * index };
        let mut admitted = Moment(first).minute();
        for number in 0..n_admissions {
            // Most patients come back with the same illness.
            let phenotype = if number > 0 && draw.chance(0.4) {
                draw.weighted(PHENOTYPES, |p| p.weight)
            } else {
                phenotype
            };
            let admission = Admission::draw(phenotype, admitted, constitution, system, &mut ids, draw);
            admitted = admission.discharged.plus_hours(24.0 * draw.between(4.0, 500.0)).minute();
            let (died, end) = (admission.died, admission.discharged);
            patient.admissions.push(admission);
            if died {
                patient.death = Some(end.day());
                patient.death_in_hospital = true;
                break;
            }
        }
        if patient.death.is_none() && draw.chance(logistic(-1.5 + 0.05 * (age - 65.0))) {
            let end = patient.admissions[patient.admissions.len() - 1].discharged;
            patient.death = Some(end.plus_hours(24.0 * draw.between(3.0, 1800.0)).day());
        }
        let first = patient.admissions[0].admitted;
        // For patients over 89, the release shifts the date of birth so that the age at the first admission
        // is 300.
        let written_age = if age >= 89.0 { 300.0 } else { age };
        patient.birth = Moment(first.0 - (written_age * YEAR) as i64).day();
        patient
    }

    /// Has all stays charted in one system.
    pub(super) fn chart_in(&mut self, system: System) {
        for stay in self.admissions.iter_mut().flat_map(|a| &mut a.stays) {
            stay.system = system;
        }
    }

    /// Age at the first stay in years, as it is written. It is around 300 where the date of birth is shifted.
    pub(super) fn written_age(&self) -> f64 {
        (self.admissions[0].stays[0].arrived.0 - self.birth.0) as f64 / YEAR
    }

    /// Returns whether a first-day cohort of adults would keep the first stay: 18 years or older, at least
    /// one day, and charted.
    pub(super) fn eligible(&self) -> bool {
        let stay = &self.admissions[0].stays[0];
        self.written_age() >= 18.0 && stay.days >= 1.0 && stay.left.is_some() && stay.charted
    }
}

/// The next free identifiers of a patient. Each patient owns a block of them.
struct Ids {
    admission: u64,
    stay: u64,
}

impl Admission {
    fn draw(
        phenotype: &'static Phenotype,
        admitted: Moment,
        constitution: f64,
        system: System,
        ids: &mut Ids,
        draw: &mut Draw,
    ) -> Self {
        let elective = draw.chance(phenotype.elective);
        let severity = constitution + 0.8 * draw.normal();
        let illness = Illness::draw(phenotype, severity, draw);
        let risk =
            -3.3 + 0.7 * severity + 0.55 * illness.burden(Axis::Shock) + 0.35 * illness.burden(Axis::Coma);
        let died = draw.chance(logistic(risk));
        let n_stays = if draw.chance(0.07) { 2 } else { 1 };
        let mut stays = Vec::with_capacity(n_stays);
        let mut arrived =
            admitted.plus_hours(if elective { draw.between(4.0, 14.0) } else { draw.between(0.02, 9.0) });
        for number in 0..n_stays {
            let last = number + 1 == n_stays;
            let days = (0.72 + 0.22 * severity + 0.78 * draw.normal()).exp().clamp(0.1, 60.0);
            let end = arrived.plus_hours(24.0 * days);
            stays.push(Stay {
                id: ids.stay,
                system,
                unit: draw.pick(phenotype.units),
                ward: 7 + draw.below(50),
                arrived,
                left: (!draw.chance(0.002)).then_some(end),
                days,
                illness: if number == 0 { illness.clone() } else { Illness::draw(phenotype, severity, draw) },
                fatal: died && last,
                charted: !draw.chance(0.006),
            });
            ids.stay += 1;
            arrived = end.plus_hours(draw.between(12.0, 120.0));
        }
        let end = stays[stays.len() - 1].arrived.plus_hours(24.0 * stays[stays.len() - 1].days);
        let discharged =
            end.plus_hours(if died { draw.between(0.0, 2.0) } else { draw.between(12.0, 200.0) }).minute();
        let id = ids.admission;
        ids.admission += 1;
        Self {
            id,
            phenotype,
            elective,
            admitted,
            discharged,
            died,
            diagnosis: draw.pick(phenotype.diagnoses),
            destination: draw
                .weighted(
                    &[
                        ("HOME", 0.3),
                        ("HOME HEALTH CARE", 0.27),
                        ("SNF", 0.22),
                        ("REHAB/DISTINCT PART HOSP", 0.18),
                        ("LONG TERM CARE HOSPITAL", 0.03),
                    ],
                    |x| x.1,
                )
                .0,
            stays,
        }
    }
}

/// Length of a stay in days, which the release writes with four decimals.
pub(super) fn length_of_stay(stay: &Stay) -> Option<f64> {
    stay.left.map(|left| (left.0 - stay.arrived.0) as f64 / DAY as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn patients(n: u64) -> Vec<Patient> {
        (0..n).map(|i| Patient::draw(i, &mut Draw::new(Seed(1).stream("patient", i)))).collect()
    }

    #[test]
    fn ids_are_unique_and_ascending() {
        let all = patients(3000);
        assert!(all.windows(2).all(|w| w[0].subject < w[1].subject));
        let mut stays: Vec<_> =
            all.iter().flat_map(|p| p.admissions.iter().flat_map(|a| a.stays.iter().map(|s| s.id))).collect();
        let n = stays.len();
        assert!(stays.is_sorted());
        stays.dedup();
        assert_eq!(stays.len(), n);
        let mut admissions: Vec<_> = all.iter().flat_map(|p| p.admissions.iter().map(|a| a.id)).collect();
        let n = admissions.len();
        admissions.dedup();
        assert_eq!(admissions.len(), n);
    }

    #[test]
    fn stays_lie_in_their_admissions_and_nobody_returns_from_death() {
        for patient in patients(3000) {
            let mut previous = Moment(i64::MIN);
            for admission in &patient.admissions {
                assert!(admission.admitted > previous);
                for stay in &admission.stays {
                    assert!(stay.arrived > admission.admitted);
                    assert!(
                        stay.left
                            .is_none_or(|l| l > stay.arrived && l <= admission.discharged.plus_hours(1.0))
                    );
                }
                assert!(!(previous.0 > 0 && patient.admissions[0].died));
                previous = admission.discharged;
            }
        }
    }

    #[test]
    fn minors_and_shifted_births_occur_and_most_first_stays_are_eligible() {
        let all = patients(3000);
        let share = |f: &dyn Fn(&Patient) -> bool| all.iter().filter(|p| f(p)).count() as f64 / 3000.0;
        let minors = share(&|p| p.written_age() < 18.0);
        let shifted = share(&|p| p.written_age() > 250.0);
        assert!((0.004..0.025).contains(&minors), "{minors}");
        assert!((0.01..0.08).contains(&shifted), "{shifted}");
        assert!(all.iter().all(|p| p.written_age() < 90.0 || (299.0..301.0).contains(&p.written_age())));
        let eligible = share(&Patient::eligible);
        assert!((0.6..0.95).contains(&eligible), "{eligible}");
        let deaths = share(&|p| p.death_in_hospital);
        assert!((0.06..0.2).contains(&deaths), "{deaths}");
    }
}
