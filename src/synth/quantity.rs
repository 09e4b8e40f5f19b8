//! The quantities of a simulated patient, named like the variables of the MIMIC-III schema.

use std::ops::{Index, IndexMut};

macro_rules! quantities {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// A physiological quantity, in the unit of its variable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum Quantity { $(#[doc = $name] $variant),+ }

        /// All quantities, in the order of their index.
        pub(super) const ALL: &[Quantity] = &[$(Quantity::$variant),+];

        impl Quantity {
            /// The name of the schema variable, or a name of our own for a hidden driver.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

quantities! {
    // The hidden drivers are never written. They tie the written quantities together.
    MeanPressure "mean_pressure", PulsePressure "pulse_pressure", PfRatio "pf_ratio", Gap "gap", Coma "coma",
    UrineRate "urine_rate", OxygenTarget "oxygen_target",
    // Bedside.
    HeartRate "heart_rate", Sbp "sbp", Dbp "dbp", Map "map", RespRate "resp_rate", Spo2 "spo2",
    Temperature "temperature", Cvp "cvp", Fio2 "fio2", Peep "peep", Pip "peak_pressure",
    TidalVolume "tidal_volume_observed", MinuteVolume "minute_volume", RespRateSet "resp_rate_set",
    GcsEye "gcs_eye", GcsVerbal "gcs_verbal", GcsMotor "gcs_motor", GcsTotal "gcs_total",
    Weight "weight", Height "height", Fingerstick "glucose_fingerstick",
    // Chemistry.
    Sodium "sodium", Potassium "potassium", Chloride "chloride", Bicarbonate "bicarbonate",
    AnionGap "anion_gap", Bun "bun", Creatinine "creatinine", Glucose "glucose", Calcium "calcium",
    Magnesium "magnesium", Phosphate "phosphate", Albumin "albumin", Alt "alt", Ast "ast", Alp "alp",
    Bilirubin "bilirubin_total", Ldh "ldh", Ck "ck", CkMb "ck_mb", TroponinT "troponin_t",
    // Blood count and coagulation.
    Wbc "wbc", Hemoglobin "hemoglobin", Hematocrit "hematocrit", Platelets "platelets", Rbc "rbc", Mcv "mcv",
    Mch "mch", Mchc "mchc", Rdw "rdw", Neutrophils "neutrophils", Lymphocytes "lymphocytes",
    Monocytes "monocytes", Eosinophils "eosinophils", Pt "pt", Ptt "ptt", Inr "inr", Fibrinogen "fibrinogen",
    // Blood gas.
    Ph "ph", Pao2 "pao2", Paco2 "paco2", BaseExcess "base_excess", TotalCo2 "total_co2", Lactate "lactate",
    IonizedCalcium "calcium_ionized",
}

/// Number of quantities.
pub(super) const COUNT: usize = ALL.len();

/// One value per quantity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values([f64; COUNT]);

impl Default for Values {
    fn default() -> Self {
        Self([0.0; COUNT])
    }
}

impl Values {
    /// Returns the point at the fraction `weight` of the way from `self` (0) to `other` (1).
    pub(super) fn towards(&self, other: &Self, weight: f64) -> Self {
        let mut out = self.clone();
        for (a, b) in out.0.iter_mut().zip(&other.0) {
            *a += weight * (b - *a);
        }
        out
    }

    /// Computes the quantities that are functions of others: the pressures, the pH by Henderson–Hasselbalch,
    /// the base excess, the chloride from the anion gap, the red-cell indices, and the arterial oxygen.
    pub(super) fn derive(&mut self) {
        use Quantity as Q;
        self[Q::Dbp] = self[Q::MeanPressure] - self[Q::PulsePressure] / 3.0;
        self[Q::Sbp] = self[Q::Dbp] + self[Q::PulsePressure];
        self[Q::Map] = self[Q::MeanPressure];

        self[Q::Pao2] = self[Q::PfRatio] * self[Q::Fio2];
        self[Q::Ph] = ph(self[Q::Bicarbonate], self[Q::Paco2]);
        self[Q::TotalCo2] = self[Q::Bicarbonate] + CO2_SOLUBILITY * self[Q::Paco2];
        // Van Slyke's equation at a fixed haemoglobin. It follows the column of the demo within 1 mEq/L for
        // half of the gases.
        self[Q::BaseExcess] = 0.93 * (self[Q::Bicarbonate] - 24.4 + 14.8 * (self[Q::Ph] - 7.4));

        // The laboratory's anion gap counts potassium: in the demo, Na + K − Cl − HCO3 equals it within ±0.5.
        self[Q::Chloride] = self[Q::Sodium] + self[Q::Potassium] - self[Q::Bicarbonate] - self[Q::Gap];
        self[Q::AnionGap] = self[Q::Gap];

        self[Q::Hematocrit] = 100.0 * self[Q::Hemoglobin] / self[Q::Mchc];
        self[Q::Rbc] = 10.0 * self[Q::Hematocrit] / self[Q::Mcv];
        self[Q::Mch] = 10.0 * self[Q::Hemoglobin] / self[Q::Rbc];
        self[Q::Pt] = 12.8 * self[Q::Inr].powf(0.72);
        self[Q::MinuteVolume] = self[Q::TidalVolume] * self[Q::RespRate] / 1000.0;
    }
}

impl Index<Quantity> for Values {
    type Output = f64;
    fn index(&self, q: Quantity) -> &f64 {
        &self.0[q as usize]
    }
}

impl IndexMut<Quantity> for Values {
    fn index_mut(&mut self, q: Quantity) -> &mut f64 {
        &mut self.0[q as usize]
    }
}

/// Solubility of carbon dioxide in plasma at 37 °C, mmol/L per mmHg.
pub(super) const CO2_SOLUBILITY: f64 = 0.0307;

/// Henderson–Hasselbalch: pH = 6.1 + log10(HCO3 / (0.0307 · PaCO2)).
pub(super) fn ph(bicarbonate: f64, paco2: f64) -> f64 {
    6.1 + (bicarbonate / (CO2_SOLUBILITY * paco2)).log10()
}

/// Saturation of haemoglobin (%) at an oxygen tension (mmHg).
///
/// # References
/// Severinghaus (1979), Simple, accurate equations for human blood O2 dissociation computations.
pub(super) fn saturation(pao2: f64) -> f64 {
    100.0 / (23_400.0 / (pao2.powi(3) + 150.0 * pao2) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_values() {
        assert!((ph(24.0, 40.0) - 7.39).abs() < 0.005);
        assert!((saturation(27.0) - 50.0).abs() < 1.0);
        assert!((saturation(60.0) - 90.0).abs() < 1.5);
        assert!((saturation(100.0) - 97.5).abs() < 0.5);
    }

    #[test]
    fn names_are_unique_and_indices_dense() {
        let mut names: Vec<_> = ALL.iter().map(|q| q.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COUNT);
        assert!(ALL.iter().enumerate().all(|(i, q)| *q as usize == i));
    }
}
