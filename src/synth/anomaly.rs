//! The planted mistakes: what each one is, which variables it touches, and how it changes a patient's values.
//!
//! A mistake is applied to every measurement of its variables in the whole stay, so that every aggregate
//! shows it. The true values are first confined to a range in which the result stays plausible. A range check
//! therefore cannot find the mistake; only the combination with the other values can. Two kinds are hard on
//! purpose. Frozen vital signs show only in the spread of the values, and laboratory results of another
//! patient are consistent among themselves. For the latter, `variables` names those that every stay has;
//! gases, enzymes and clotting times are foreign as well where they are measured.

use super::draw::Draw;
use super::physiology::Course;
use super::quantity::{Quantity as Q, Values};

/// One way of spoiling a stay.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Family: `unit`, `decimal`, `swap`, `impossible`, `copy` or `shift`.
    pub(super) kind: &'static str,
    /// What was done, in words for people.
    pub(super) action: &'static str,
    /// Schema variables whose values are wrong.
    pub(super) variables: &'static [&'static str],
    /// Ranges to which the true values are confined first.
    confine: &'static [(Q, f64, f64)],
    pub(super) change: Change,
}

/// How the values are changed.
#[derive(Debug)]
pub(super) enum Change {
    /// Each quantity is multiplied by a factor.
    Scale(&'static [(Q, f64)]),
    /// The quantities of each pair are exchanged.
    Swap(&'static [(Q, Q)]),
    /// Each quantity is replaced by a normal value with this mean and standard deviation.
    Replace(&'static [(Q, f64, f64)]),
    /// A constant is added to each quantity.
    Shift(&'static [(Q, f64)]),
    /// All vital signs repeat their first values.
    FreezeVitals,
    /// All laboratory results are those of another patient.
    ForeignLabs,
}

/// All mistakes. They are planted in turn, so that a small extract holds every kind.
#[rustfmt::skip]
pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        kind: "unit", action: "lactate in mg/dL written as mmol/L", variables: &["lactate"],
        confine: &[(Q::Lactate, 1.2, 2.6)], change: Change::Scale(&[(Q::Lactate, 9.008)]),
    },
    Mistake {
        kind: "swap", action: "systolic and diastolic pressure exchanged", variables: &["sbp", "dbp"],
        confine: &[], change: Change::Swap(&[(Q::Sbp, Q::Dbp)]),
    },
    Mistake {
        kind: "decimal", action: "creatinine times 10", variables: &["creatinine"],
        confine: &[(Q::Creatinine, 0.5, 1.6)], change: Change::Scale(&[(Q::Creatinine, 10.0)]),
    },
    Mistake {
        kind: "impossible", action: "pH 7.10 with PaCO2 20 and bicarbonate 40",
        variables: &["ph", "paco2", "bicarbonate", "total_co2"], confine: &[],
        change: Change::Replace(&[(Q::Ph, 7.10, 0.02), (Q::Paco2, 20.0, 1.5),
            (Q::Bicarbonate, 40.0, 1.2), (Q::TotalCo2, 40.6, 1.2)]),
    },
    Mistake {
        kind: "unit", action: "weight in pounds written as kg", variables: &["weight"],
        confine: &[(Q::Weight, 50.0, 140.0)], change: Change::Scale(&[(Q::Weight, 2.204_622_6)]),
    },
    Mistake {
        kind: "copy", action: "vital signs constant for the whole stay",
        variables: &["heart_rate", "sbp", "dbp", "map", "resp_rate", "spo2", "temperature"], confine: &[],
        change: Change::FreezeVitals,
    },
    Mistake {
        kind: "swap", action: "sodium and chloride exchanged", variables: &["sodium", "chloride"],
        confine: &[], change: Change::Swap(&[(Q::Sodium, Q::Chloride)]),
    },
    Mistake {
        kind: "unit", action: "blood gas tensions in kPa written as mmHg", variables: &["pao2", "paco2"],
        confine: &[(Q::OxygenTarget, 100.0, 140.0), (Q::Paco2, 46.0, 80.0)],
        change: Change::Scale(&[(Q::Pao2, 1.0 / 7.500_617), (Q::Paco2, 1.0 / 7.500_617)]),
    },
    Mistake {
        kind: "impossible", action: "arterial oxygen tension 38 with a pulse oximetry of 98 %",
        variables: &["pao2", "spo2"],
        confine: &[], change: Change::Replace(&[(Q::Pao2, 38.0, 1.5), (Q::Spo2, 98.3, 0.5)]),
    },
    Mistake {
        kind: "decimal", action: "platelets times 10", variables: &["platelets"],
        confine: &[(Q::Platelets, 110.0, 220.0)], change: Change::Scale(&[(Q::Platelets, 10.0)]),
    },
    Mistake {
        kind: "shift", action: "temperature 5 degrees too low", variables: &["temperature"],
        confine: &[(Q::Temperature, 36.2, 39.0)], change: Change::Shift(&[(Q::Temperature, -5.0)]),
    },
    Mistake {
        kind: "unit", action: "magnesium in mmol/L written as mg/dL", variables: &["magnesium"],
        confine: &[(Q::Magnesium, 1.6, 2.4)], change: Change::Scale(&[(Q::Magnesium, 1.0 / 2.4305)]),
    },
    Mistake {
        kind: "swap", action: "heart rate and respiratory rate exchanged",
        variables: &["heart_rate", "resp_rate"],
        confine: &[(Q::HeartRate, 55.0, 100.0), (Q::RespRate, 16.0, 30.0)],
        change: Change::Swap(&[(Q::HeartRate, Q::RespRate)]),
    },
    Mistake {
        kind: "copy", action: "all laboratory results are another patient's", variables: &[
            "sodium", "potassium", "chloride", "bicarbonate", "anion_gap", "bun", "creatinine", "glucose",
            "calcium", "magnesium", "phosphate", "wbc", "hemoglobin", "hematocrit", "platelets", "rbc", "mcv",
            "mch", "mchc", "rdw",
        ],
        confine: &[], change: Change::ForeignLabs,
    },
    Mistake {
        kind: "decimal", action: "haemoglobin divided by 10", variables: &["hemoglobin"],
        confine: &[(Q::Hemoglobin, 11.5, 17.0)], change: Change::Scale(&[(Q::Hemoglobin, 0.1)]),
    },
    Mistake {
        kind: "unit", action: "glucose in mmol/L written as mg/dL", variables: &["glucose"],
        confine: &[(Q::Glucose, 320.0, 700.0)], change: Change::Scale(&[(Q::Glucose, 1.0 / 18.0156)]),
    },
    Mistake {
        kind: "impossible", action: "coma score 3 with eyes open and oriented answers",
        variables: &["gcs_eye", "gcs_verbal", "gcs_motor", "gcs_total"], confine: &[],
        change: Change::Replace(&[(Q::GcsEye, 4.0, 0.0), (Q::GcsVerbal, 5.0, 0.0),
            (Q::GcsMotor, 1.0, 0.0), (Q::GcsTotal, 3.0, 0.0)]),
    },
    Mistake {
        kind: "swap", action: "urea nitrogen and creatinine exchanged", variables: &["bun", "creatinine"],
        confine: &[(Q::Bun, 14.0, 24.0), (Q::Creatinine, 1.3, 2.2)],
        change: Change::Swap(&[(Q::Bun, Q::Creatinine)]),
    },
    Mistake {
        kind: "unit", action: "calcium in mmol/L written as mg/dL", variables: &["calcium"],
        confine: &[(Q::Calcium, 8.9, 10.2)], change: Change::Scale(&[(Q::Calcium, 1.0 / 4.0078)]),
    },
    Mistake {
        kind: "decimal", action: "glucose times 10", variables: &["glucose"],
        confine: &[(Q::Glucose, 80.0, 150.0)], change: Change::Scale(&[(Q::Glucose, 10.0)]),
    },
    Mistake {
        kind: "swap", action: "haemoglobin and haematocrit exchanged",
        variables: &["hemoglobin", "hematocrit"],
        confine: &[(Q::Hemoglobin, 6.4, 7.3)], change: Change::Swap(&[(Q::Hemoglobin, Q::Hematocrit)]),
    },
    Mistake {
        kind: "unit", action: "bilirubin in umol/L written as mg/dL", variables: &["bilirubin_total"],
        confine: &[(Q::Bilirubin, 0.5, 2.5)], change: Change::Scale(&[(Q::Bilirubin, 17.1)]),
    },
    Mistake {
        kind: "shift", action: "all pressures 45 mmHg too high", variables: &["sbp", "dbp", "map"],
        confine: &[(Q::MeanPressure, 60.0, 85.0)],
        change: Change::Shift(&[(Q::Sbp, 45.0), (Q::Dbp, 45.0), (Q::Map, 45.0)]),
    },
    Mistake {
        kind: "decimal", action: "leucocytes times 10", variables: &["wbc"],
        confine: &[(Q::Wbc, 6.0, 14.0)], change: Change::Scale(&[(Q::Wbc, 10.0)]),
    },
];

impl Mistake {
    /// Moves the true course into the ranges in which the result of the mistake is still plausible.
    pub(super) fn prepare(&self, course: &mut Course) {
        for (q, low, high) in self.confine {
            course.confine(*q, *low, *high);
        }
    }

    /// Returns whether the mistake can be seen where only some concepts are written: one that is exchanged
    /// needs the other one, and two that contradict each other must both be there.
    pub(super) fn shows(&self, writes: impl Fn(&str) -> bool) -> bool {
        let written = self.variables.iter().filter(|v| writes(v)).count();
        match self.change {
            Change::Swap(_) => written == self.variables.len(),
            Change::Replace(_) => written > 1,
            Change::Scale(_) | Change::Shift(_) | Change::FreezeVitals | Change::ForeignLabs => written > 0,
        }
    }

    /// Returns whether the mistake changes any of these quantities. They must then be measured.
    pub(super) fn touches(&self, quantities: &[Q]) -> bool {
        quantities.iter().any(|q| self.variables.contains(&q.name()))
    }

    /// Turns the true values into the written values.
    pub(super) fn apply(&self, values: &mut Values, draw: &mut Draw) {
        match &self.change {
            Change::Scale(factors) => factors.iter().for_each(|(q, factor)| values[*q] *= factor),
            Change::Swap(pairs) => {
                for (a, b) in *pairs {
                    (values[*a], values[*b]) = (values[*b], values[*a]);
                }
            }
            Change::Replace(by) => by.iter().for_each(|(q, x, sd)| values[*q] = x + sd * draw.normal()),
            Change::Shift(by) => by.iter().for_each(|(q, x)| values[*q] += x),
            // Both act on whole series, so `chart` and `labs` apply them.
            Change::FreezeVitals | Change::ForeignLabs => {}
        }
    }
}

/// Spreads mistakes evenly over the eligible stays at the requested rate, whatever the number of stays.
#[derive(Debug)]
pub(super) struct Planner {
    fraction: f64,
    mistakes: Vec<&'static Mistake>,
    debt: f64,
    next: usize,
}

impl Planner {
    /// Plans these mistakes in the share `fraction` of the stays that are offered. The phase is random.
    pub(super) fn new(fraction: f64, mistakes: Vec<&'static Mistake>, draw: &mut Draw) -> Self {
        Self { fraction, mistakes, debt: draw.unit(), next: 0 }
    }

    /// Returns the mistake to plant in the next eligible stay, if it gets one.
    pub(super) fn offer(&mut self) -> Option<&'static Mistake> {
        self.debt += self.fraction;
        if self.debt < 1.0 {
            return None;
        }
        self.debt -= 1.0;
        let mistake = self.mistakes.get(self.next % self.mistakes.len().max(1)).copied();
        self.next += 1;
        mistake
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn planner_keeps_its_rate_and_uses_every_mistake() {
        let mut planner =
            Planner::new(0.02, MISTAKES.iter().collect(), &mut Draw::new(Seed(1).stream("plan", 0)));
        let planted: Vec<_> = (0..2000).filter_map(|_| planner.offer()).map(|m| m.action).collect();
        assert!((39..=41).contains(&planted.len()), "{}", planted.len());
        assert!(MISTAKES.iter().all(|m| planted.contains(&m.action)));
        let mut idle =
            Planner::new(0.0, MISTAKES.iter().collect(), &mut Draw::new(Seed(1).stream("plan", 0)));
        assert!((0..100).all(|_| idle.offer().is_none()));
    }

    #[test]
    fn a_mistake_changes_exactly_the_quantities_it_names() {
        let mut draw = Draw::new(Seed(1).stream("test", 0));
        for mistake in MISTAKES {
            let mut values = Values::default();
            for (i, q) in crate::synth::quantity::ALL.iter().enumerate() {
                values[*q] = 1.0 + i as f64;
            }
            let before = values.clone();
            mistake.apply(&mut values, &mut draw);
            if matches!(mistake.change, Change::FreezeVitals | Change::ForeignLabs) {
                assert_eq!(values, before);
                continue;
            }
            for q in crate::synth::quantity::ALL {
                assert_eq!(
                    values[*q] != before[*q],
                    mistake.variables.contains(&q.name()),
                    "{}: {}",
                    mistake.action,
                    q.name()
                );
            }
        }
    }
}
