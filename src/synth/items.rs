//! The dictionary: every item that is written, with its identifier, label and unit in both charting systems
//! and in the laboratory. These are facts of the public tables D_ITEMS and D_LABITEMS.

use super::patient::System;
use super::quantity::Quantity as Q;

/// An item of CHARTEVENTS or OUTPUTEVENTS in one charting system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) system: System,
    pub(super) label: &'static str,
    pub(super) category: &'static str,
    /// `VALUEUOM` as it is written in the rows; an empty text is null.
    pub(super) unit: &'static str,
    pub(super) places: u8,
    /// Whether CareVue stored the values as 32-bit floats, which shows in their digits.
    pub(super) single: bool,
    /// Whether the item holds text instead of a number.
    pub(super) text: bool,
}

const fn cv(id: u64, label: &'static str, unit: &'static str, places: u8) -> Item {
    Item { id, system: System::CareVue, label, category: "", unit, places, single: false, text: false }
}

const fn cv32(id: u64, label: &'static str, unit: &'static str, places: u8) -> Item {
    Item { single: true, ..cv(id, label, unit, places) }
}

const fn mv(id: u64, label: &'static str, category: &'static str, unit: &'static str, places: u8) -> Item {
    Item { id, system: System::MetaVision, label, category, unit, places, single: false, text: false }
}

const fn text(item: Item) -> Item {
    Item { text: true, ..item }
}

/// The same measurement in CareVue and in MetaVision, indexed by [`System`].
pub(super) type Pair = [Item; 2];

macro_rules! dictionary {
    ($list:ident: $($name:ident = $items:expr;)+) => {
        $(pub(super) const $name: Pair = $items;)+
        /// Every pair of the table.
        pub(super) const $list: &[Pair] = &[$($name),+];
    };
}

const VITAL: &str = "Routine Vital Signs";
const LUNG: &str = "Respiratory";
const NEURO: &str = "Neurological";
const GENERAL: &str = "General";
const LABS: &str = "Labs";

const ALARM: &str = "Alarms";

dictionary! { ALARMS:
    HEART_RATE_ALARM_LOW = [cv(5815, "HR Alarm [Low]", "BPM", 0),
        mv(220047, "Heart Rate Alarm - Low", ALARM, "bpm", 0)];
    HEART_RATE_ALARM_HIGH = [cv(8549, "HR Alarm [High]", "BPM", 0),
        mv(220046, "Heart rate Alarm - High", ALARM, "bpm", 0)];
    RESP_RATE_ALARM_LOW = [cv(5819, "Resp Alarm [Low]", "BPM", 0),
        mv(224162, "Resp Alarm - Low", ALARM, "insp/min", 0)];
    RESP_RATE_ALARM_HIGH = [cv(8553, "Resp Alarm [High]", "BPM", 0),
        mv(224161, "Resp Alarm - High", ALARM, "insp/min", 0)];
    SPO2_ALARM_LOW = [cv(5820, "SpO2 Alarm [Low]", "%", 0),
        mv(223770, "O2 Saturation Pulseoxymetry Alarm - Low", ALARM, "%", 0)];
    SPO2_ALARM_HIGH = [cv(8554, "SpO2 Alarm [High]", "%", 0),
        mv(223769, "O2 Saturation Pulseoxymetry Alarm - High", ALARM, "%", 0)];
}

dictionary! { CHART:
    HEART_RATE = [cv(211, "Heart Rate", "BPM", 0), mv(220045, "Heart Rate", VITAL, "bpm", 0)];
    ARTERIAL_SYSTOLIC = [cv(51, "Arterial BP [Systolic]", "mmHg", 0),
        mv(220050, "Arterial Blood Pressure systolic", VITAL, "mmHg", 0)];
    ARTERIAL_DIASTOLIC = [cv(8368, "Arterial BP [Diastolic]", "mmHg", 0),
        mv(220051, "Arterial Blood Pressure diastolic", VITAL, "mmHg", 0)];
    ARTERIAL_MEAN = [cv(52, "Arterial BP Mean", "mmHg", 0),
        mv(220052, "Arterial Blood Pressure mean", VITAL, "mmHg", 0)];
    CUFF_SYSTOLIC = [cv(455, "NBP [Systolic]", "mmHg", 0),
        mv(220179, "Non Invasive Blood Pressure systolic", VITAL, "mmHg", 0)];
    CUFF_DIASTOLIC = [cv(8441, "NBP [Diastolic]", "mmHg", 0),
        mv(220180, "Non Invasive Blood Pressure diastolic", VITAL, "mmHg", 0)];
    CUFF_MEAN = [cv32(456, "NBP Mean", "mmHg", 4),
        mv(220181, "Non Invasive Blood Pressure mean", VITAL, "mmHg", 0)];
    RESP_RATE = [cv(618, "Respiratory Rate", "BPM", 0), mv(220210, "Respiratory Rate", LUNG, "insp/min", 0)];
    SPO2 = [cv(646, "SpO2", "%", 0), mv(220277, "O2 saturation pulseoxymetry", LUNG, "%", 0)];
    TEMPERATURE_F = [cv32(678, "Temperature F", "Deg. F", 1),
        mv(223761, "Temperature Fahrenheit", VITAL, "?F", 1)];
    TEMPERATURE_C = [cv32(676, "Temperature C", "Deg. C", 1),
        mv(223762, "Temperature Celsius", VITAL, "?C", 1)];
    CVP = [cv(113, "CVP", "mmHg", 0), mv(220074, "Central Venous Pressure", "Hemodynamics", "mmHg", 0)];
    GCS_EYE = [text(cv(184, "Eye Opening", "", 0)), text(mv(220739, "GCS - Eye Opening", NEURO, "", 0))];
    GCS_VERBAL = [text(cv(723, "Verbal Response", "", 0)),
        text(mv(223900, "GCS - Verbal Response", NEURO, "", 0))];
    GCS_MOTOR = [text(cv(454, "Motor Response", "", 0)),
        text(mv(223901, "GCS - Motor Response", NEURO, "", 0))];
    CAPILLARY_RIGHT = [text(cv(115, "Capillary Refill [Right]", "", 0)),
        text(mv(223951, "Capillary Refill R", "Cardiovascular (Pulses)", "", 0))];
    FIO2 = [cv32(190, "FiO2 Set", "torr", 2), mv(223835, "Inspired O2 Fraction", LUNG, "", 0)];
    PEEP = [cv(506, "PEEP Set", "cmH2O", 0), mv(220339, "PEEP set", LUNG, "cmH2O", 0)];
    PIP = [cv(535, "Peak Insp. Pressure", "cmH2O", 0), mv(224695, "Peak Insp. Pressure", LUNG, "cmH2O", 0)];
    TIDAL_VOLUME = [cv(682, "Tidal Volume (Obser)", "ml/B", 0),
        mv(224685, "Tidal Volume (observed)", LUNG, "mL", 0)];
    MINUTE_VOLUME = [cv32(450, "Minute Volume(Obser)", "L/min", 1),
        mv(224687, "Minute Volume", LUNG, "L/min", 1)];
    RATE_SET = [cv(619, "Respiratory Rate Set", "BPM", 0),
        mv(224688, "Respiratory Rate (Set)", LUNG, "insp/min", 0)];
    FINGERSTICK = [cv(807, "Fingerstick Glucose", "", 0), mv(225664, "Glucose finger stick", LABS, "", 0)];
    WEIGHT = [cv32(762, "Admit Wt", "kg", 1), mv(226512, "Admission Weight (Kg)", GENERAL, "kg", 1)];
    DAILY_WEIGHT = [cv32(763, "Daily Weight", "kg", 1), mv(224639, "Daily Weight", GENERAL, "kg", 1)];
    HEIGHT = [cv(920, "Admit Ht", "inches", 0), mv(226707, "Height", GENERAL, "Inch", 0)];
    // These rows belong to no variable, and filters must skip them.
    RHYTHM = [text(cv(212, "Heart Rhythm", "", 0)), text(mv(220048, "Heart Rhythm", VITAL, "", 0))];
    SEDATION = [text(cv(1337, "Riker-SAS Scale", "", 0)),
        text(mv(223753, "Riker-SAS Scale", "Pain/Sedation", "", 0))];
}

/// Items of one system only: computed copies, second spellings, and scores that the other system lacks.
pub(super) const TEMPERATURE_C_CALCULATED: Item = cv32(677, "Temperature C (calc)", "Deg. C", 4);
pub(super) const TEMPERATURE_F_CALCULATED: Item = cv32(679, "Temperature F (calc)", "Deg. F", 2);
pub(super) const FIO2_PERCENT: Item = cv(3420, "FIO2", "%", 0);
pub(super) const GCS_TOTAL: Item = cv(198, "GCS Total", "points", 0);
pub(super) const CAPILLARY_PLAIN: Item = text(cv(3348, "Capillary Refill", "", 0));
pub(super) const WEIGHT_POUNDS: Item = mv(226531, "Admission Weight (lbs.)", GENERAL, "", 1);
pub(super) const HEIGHT_CM: Item = mv(226730, "Height (cm)", GENERAL, "cm", 0);
pub(super) const RASS: Item = text(mv(228096, "Richmond-RAS Scale", "Pain/Sedation", "", 0));
pub(super) const SINGLES: &[Item] = &[
    TEMPERATURE_C_CALCULATED,
    TEMPERATURE_F_CALCULATED,
    FIO2_PERCENT,
    GCS_TOTAL,
    CAPILLARY_PLAIN,
    WEIGHT_POUNDS,
    HEIGHT_CM,
    RASS,
];

/// Items of OUTPUTEVENTS.
pub(super) const FOLEY: Pair =
    [cv(40055, "Urine Out Foley", "ml", 0), mv(226559, "Foley", "Output", "mL", 0)];
pub(super) const VOID: Pair = [cv(40069, "Urine Out Void", "ml", 0), mv(226560, "Void", "Output", "mL", 0)];
pub(super) const IRRIGANT_IN: Item = mv(227488, "GU Irrigant Volume In", "Output", "mL", 0);
pub(super) const IRRIGANT_OUT: Item = mv(227489, "GU Irrigant/Urine Volume Out", "Output", "mL", 0);
pub(super) const OUTPUTS: &[Item] = &[FOLEY[0], FOLEY[1], VOID[0], VOID[1], IRRIGANT_IN, IRRIGANT_OUT];

/// A laboratory result that is copied into the chart: under one or two CareVue items, and under one
/// MetaVision item.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) of: u64,
    pub(super) carevue: &'static [Item],
    pub(super) metavision: Item,
}

#[rustfmt::skip]
pub(super) const MIRRORS: &[Mirror] = &[
    Mirror { of: 50971, carevue: &[cv(829, "Potassium (3.5-5.3)", "", 1), cv(1535, "Potassium", "", 1)],
        metavision: mv(227442, "Potassium (serum)", LABS, "mEq/L", 1) },
    Mirror { of: 50983, carevue: &[cv(837, "Sodium (135-148)", "", 0), cv(1536, "Sodium", "", 0)],
        metavision: mv(220645, "Sodium (serum)", LABS, "mEq/L", 0) },
    Mirror { of: 50902, carevue: &[cv(788, "Chloride (100-112)", "", 0), cv(1523, "Chloride", "", 0)],
        metavision: mv(220602, "Chloride (serum)", LABS, "mEq/L", 0) },
    Mirror { of: 50882, carevue: &[cv(787, "Carbon Dioxide", "", 0)],
        metavision: mv(227443, "HCO3 (serum)", LABS, "mEq/L", 0) },
    Mirror { of: 50912, carevue: &[cv(791, "Creatinine (0-1.3)", "", 1), cv(1525, "Creatinine", "", 1)],
        metavision: mv(220615, "Creatinine", LABS, "mg/dL", 1) },
    Mirror { of: 51006, carevue: &[cv(781, "BUN (6-20)", "", 0), cv(1162, "BUN", "", 0)],
        metavision: mv(225624, "BUN", LABS, "mg/dL", 0) },
    Mirror { of: 50931, carevue: &[cv(811, "Glucose (70-105)", "", 0), cv(1529, "Glucose", "", 0)],
        metavision: mv(220621, "Glucose (serum)", LABS, "mg/dL", 0) },
    Mirror { of: 51221, carevue: &[cv32(813, "Hematocrit", "%", 1)],
        metavision: mv(220545, "Hematocrit (serum)", LABS, "%", 1) },
    Mirror { of: 51222, carevue: &[cv32(814, "Hemoglobin", "gm/dl", 1)],
        metavision: mv(220228, "Hemoglobin", LABS, "g/dl", 1) },
    Mirror { of: 50813, carevue: &[cv(818, "Lactic Acid(0.5-2.0)", "", 1), cv(1531, "Lactic Acid", "", 1)],
        metavision: mv(225668, "Lactic Acid", LABS, "mmol/L", 1) },
];

/// A laboratory test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    pub(super) id: u64,
    pub(super) quantity: Q,
    pub(super) label: &'static str,
    pub(super) category: &'static str,
    pub(super) loinc: &'static str,
    /// The units as written: the usual spelling, and the spelling of older rows.
    pub(super) units: [&'static str; 2],
    pub(super) places: u8,
    /// Limits outside which `FLAG` is `abnormal`.
    pub(super) normal: (f64, f64),
}

macro_rules! tests {
    ($($panel:ident, $category:literal: $(
        $id:literal $q:ident $label:literal $loinc:literal $unit:literal $old:literal $places:literal
        $low:literal $high:literal;
    )+)+) => {
        $(pub(super) const $panel: &[Test] = &[$(Test {
            id: $id, quantity: Q::$q, label: $label, category: $category, loinc: $loinc,
            units: [$unit, $old], places: $places, normal: ($low, $high),
        }),+];)+
        /// All panels.
        pub(super) const PANELS: &[&[Test]] = &[$($panel),+];
    };
}

tests! {
    CHEMISTRY, "Chemistry":
        50868 AnionGap "Anion Gap" "1863-0" "mEq/L" "mEq/L" 0 8.0 20.0;
        50882 Bicarbonate "Bicarbonate" "1963-8" "mEq/L" "mEq/L" 0 22.0 32.0;
        50902 Chloride "Chloride" "2075-0" "mEq/L" "mEq/L" 0 96.0 108.0;
        50912 Creatinine "Creatinine" "2160-0" "mg/dL" "mg/dL" 1 0.4 1.2;
        50931 Glucose "Glucose" "2345-7" "mg/dL" "mg/dL" 0 70.0 105.0;
        50971 Potassium "Potassium" "2823-3" "mEq/L" "mEq/L" 1 3.3 5.1;
        50983 Sodium "Sodium" "2951-2" "mEq/L" "mEq/L" 0 133.0 145.0;
        51006 Bun "Urea Nitrogen" "3094-0" "mg/dL" "mg/dL" 0 6.0 20.0;
    MINERALS, "Chemistry":
        50893 Calcium "Calcium, Total" "2000-8" "mg/dL" "mg/dL" 1 8.4 10.3;
        50960 Magnesium "Magnesium" "2601-3" "mg/dL" "mg/dL" 1 1.6 2.6;
        50970 Phosphate "Phosphate" "2777-1" "mg/dL" "mg/dL" 1 2.7 4.5;
    COUNT, "Hematology":
        51221 Hematocrit "Hematocrit" "4544-3" "%" "%" 1 36.0 48.0;
        51222 Hemoglobin "Hemoglobin" "718-7" "g/dL" "g/dL" 1 12.0 16.0;
        51248 Mch "MCH" "785-6" "pg" "pg" 1 27.0 32.0;
        51249 Mchc "MCHC" "786-4" "%" "%" 1 31.0 35.0;
        51250 Mcv "MCV" "787-2" "fL" "fL" 0 82.0 98.0;
        51265 Platelets "Platelet Count" "777-3" "K/uL" "K/uL" 0 150.0 440.0;
        51277 Rdw "RDW" "788-0" "%" "%" 1 10.5 15.5;
        51279 Rbc "Red Blood Cells" "789-8" "m/uL" "m/uL" 2 4.2 5.4;
        51301 Wbc "White Blood Cells" "804-5" "K/uL" "K/uL" 1 4.0 11.0;
    DIFFERENTIAL, "Hematology":
        51200 Eosinophils "Eosinophils" "711-2" "%" "%" 1 0.0 4.0;
        51244 Lymphocytes "Lymphocytes" "731-0" "%" "%" 1 18.0 42.0;
        51254 Monocytes "Monocytes" "742-7" "%" "%" 1 2.0 11.0;
        51256 Neutrophils "Neutrophils" "761-7" "%" "%" 1 50.0 70.0;
    COAGULATION, "Hematology":
        51237 Inr "INR(PT)" "5895-7" "" "" 1 0.9 1.1;
        51274 Pt "PT" "5902-2" "sec" "SECONDS" 1 9.4 12.5;
        51275 Ptt "PTT" "3173-2" "sec" "sec" 1 25.0 36.5;
    FIBRIN, "Hematology":
        51214 Fibrinogen "Fibrinogen, Functional" "3255-7" "mg/dL" "mg/dL" 0 150.0 400.0;
    GAS, "Blood Gas":
        50802 BaseExcess "Base Excess" "11555-0" "mEq/L" "mEq/L" 0 -99.0 99.0;
        50804 TotalCo2 "Calculated Total CO2" "34728-6" "mEq/L" "MEQ/L" 0 21.0 30.0;
        50818 Paco2 "pCO2" "11557-6" "mm Hg" "MM HG" 0 35.0 45.0;
        50820 Ph "pH" "11558-4" "units" "UNITS" 2 7.35 7.45;
        50821 Pao2 "pO2" "11556-8" "mm Hg" "MM HG" 0 85.0 105.0;
    LACTATE, "Blood Gas":
        50813 Lactate "Lactate" "32693-4" "mmol/L" "mmol/L" 1 0.5 2.0;
    GAS_EXTRA, "Blood Gas":
        50808 IonizedCalcium "Free Calcium" "1994-3" "mmol/L" "mmol/L" 2 1.12 1.32;
        50809 Glucose "Glucose" "2339-0" "mg/dL" "mg/dL" 0 70.0 105.0;
        50816 Fio2 "Oxygen" "19994-3" "%" "" 0 0.0 100.0;
        50822 Potassium "Potassium, Whole Blood" "6298-4" "mEq/L" "mEq/L" 1 3.5 5.3;
    LIVER, "Chemistry":
        50861 Alt "Alanine Aminotransferase (ALT)" "1742-6" "IU/L" "IU/L" 0 0.0 40.0;
        50863 Alp "Alkaline Phosphatase" "6768-6" "IU/L" "IU/L" 0 39.0 117.0;
        50878 Ast "Asparate Aminotransferase (AST)" "1920-8" "IU/L" "IU/L" 0 0.0 40.0;
        50885 Bilirubin "Bilirubin, Total" "1975-2" "mg/dL" "mg/dL" 1 0.0 1.5;
        50954 Ldh "Lactate Dehydrogenase (LD)" "2532-0" "IU/L" "IU/L" 0 94.0 250.0;
    ALBUMIN, "Chemistry":
        50862 Albumin "Albumin" "1751-7" "g/dL" "g/dL" 1 3.4 4.8;
    CARDIAC, "Chemistry":
        50910 Ck "Creatine Kinase (CK)" "2157-6" "IU/L" "IU/L" 0 38.0 174.0;
        50911 CkMb "Creatine Kinase, MB Isoenzyme" "6773-6" "ng/mL" "ng/mL" 0 0.0 10.0;
        51003 TroponinT "Troponin T" "6598-7" "ng/mL" "ng/ml" 2 0.0 0.01;
}

/// Tests that belong to no variable: urine under its own items, and the specimen of a blood gas, which is
/// text.
pub(super) const SPECIMEN: (u64, &str, &str, &str, &str) = (50800, "SPECIMEN TYPE", "BLOOD", "BLOOD GAS", "");
pub(super) const URINE_GLUCOSE: (u64, &str, &str, &str, &str) =
    (51478, "Glucose", "Urine", "Hematology", "5792-7");
pub(super) const URINE_PH: (u64, &str, &str, &str, &str) = (51491, "pH", "Urine", "Hematology", "5803-2");
