//! Why patients are in intensive care: a mixture of ten phenotypes on eleven latent axes of illness.
//!
//! On every axis, 0 is an ordinary intensive-care patient and +1 is one standard deviation sicker. The axes
//! of a stay are `mean + loading · severity + noise`, and [`super::physiology`] turns them into quantities.

/// A latent axis of illness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Shock,
    Lung,
    Hypoventilation,
    Kidney,
    Liver,
    Inflammation,
    Bleeding,
    Coma,
    Ketones,
    Heart,
    Clotting,
}

/// Number of axes.
pub(super) const AXES: usize = 11;

/// How strongly each axis follows the overall severity.
pub(super) const LOADING: [f64; AXES] = [0.7, 0.6, 0.1, 0.45, 0.35, 0.35, 0.25, 0.5, 0.2, 0.2, 0.35];

/// One reason to be in intensive care.
#[derive(Debug)]
pub(super) struct Phenotype {
    /// Relative frequency of the phenotype.
    pub(super) weight: f64,
    /// Care units that treat it.
    pub(super) units: &'static [&'static str],
    pub(super) age_mean: f64,
    pub(super) age_sd: f64,
    /// Probability that an admission is elective.
    pub(super) elective: f64,
    /// Log-odds of mechanical ventilation at arrival.
    pub(super) ventilation: f64,
    /// Log-odds of an arterial line.
    pub(super) arterial_line: f64,
    /// Mean of each axis, in the order of [`Axis`].
    pub(super) axes: [f64; AXES],
    /// Admission diagnoses as free text.
    pub(super) diagnoses: &'static [&'static str],
    /// ICD-9 codes of the principal diagnosis.
    pub(super) codes: &'static [&'static str],
}

/// The phenotypes of the mixture.
#[rustfmt::skip]
pub(super) const PHENOTYPES: &[Phenotype] = &[
    Phenotype { // sepsis
        weight: 0.20, units: &["MICU", "MICU", "MICU", "SICU"], age_mean: 67.0, age_sd: 15.0, elective: 0.01,
        ventilation: -0.2, arterial_line: 0.1,
        //     shock lung hypov kidn liver infl bleed coma keto heart clot
        axes: [0.9, 0.5, -0.1, 0.5, 0.3, 1.3, 0.3, 0.4, -1.6, 0.2, 0.4],
        diagnoses: &["SEPSIS", "PNEUMONIA", "UROSEPSIS", "FEVER", "HYPOTENSION", "CELLULITIS"],
        codes: &["0389", "99591", "99592", "486", "78552"],
    },
    Phenotype { // cardiac surgery
        weight: 0.17, units: &["CSRU"], age_mean: 67.0, age_sd: 11.0, elective: 0.6,
        ventilation: 2.2, arterial_line: 4.0,
        axes: [0.4, 0.1, 0.0, -0.4, -0.4, 0.0, 0.8, -0.3, -1.8, 0.9, 0.5],
        diagnoses: &["CORONARY ARTERY DISEASE\\CORONARY ARTERY BYPASS GRAFT/SDA",
            "AORTIC STENOSIS\\AORTIC VALVE REPLACEMENT /SDA", "MITRAL REGURGITATION"],
        codes: &["41401", "4241", "4240", "39890"],
    },
    Phenotype { // acute coronary syndrome, heart failure
        weight: 0.15, units: &["CCU", "CCU", "MICU"], age_mean: 70.0, age_sd: 13.0, elective: 0.03,
        ventilation: -1.2, arterial_line: -0.8,
        axes: [0.4, 0.4, 0.0, 0.2, -0.2, -0.2, -0.4, -0.4, -1.8, 1.7, 0.0],
        diagnoses: &["STEMI;", "CONGESTIVE HEART FAILURE", "CHEST PAIN/ CATH", "MYOCARDIAL INFARCTION",
            "VF ARREST"],
        codes: &["41071", "4280", "41011", "4271"],
    },
    Phenotype { // trauma
        weight: 0.09, units: &["TSICU", "SICU"], age_mean: 46.0, age_sd: 20.0, elective: 0.0,
        ventilation: 0.4, arterial_line: 0.8,
        axes: [0.4, 0.0, 0.1, -0.7, -0.3, 0.2, 0.9, 0.9, -1.8, -0.5, 0.2],
        diagnoses: &["BLUNT TRAUMA", "S/P MOTOR VEHICLE ACCIDENT", "S/P FALL", "RIB FRACTURES"],
        codes: &["8600", "80701", "8208", "86404"],
    },
    Phenotype { // stroke, intracranial bleeding
        weight: 0.10, units: &["SICU", "MICU", "TSICU"], age_mean: 65.0, age_sd: 16.0, elective: 0.1,
        ventilation: -0.4, arterial_line: 0.6,
        axes: [-0.7, -0.4, 0.0, -0.7, -0.6, -0.2, -0.5, 1.7, -1.8, -0.5, -0.4],
        diagnoses: &["INTRACRANIAL HEMORRHAGE", "STROKE/TIA", "SUBARACHNOID HEMORRHAGE", "SUBDURAL HEMATOMA"],
        codes: &["431", "43411", "430", "4321"],
    },
    Phenotype { // diabetic ketoacidosis
        weight: 0.03, units: &["MICU"], age_mean: 42.0, age_sd: 15.0, elective: 0.0,
        ventilation: -2.4, arterial_line: -0.6,
        axes: [0.1, -0.8, -1.0, 0.3, -0.5, 0.2, -0.7, 0.3, 2.0, -0.7, -0.5],
        diagnoses: &["DIABETIC KETOACIDOSIS", "HYPERGLYCEMIA"],
        codes: &["25013", "25011", "25012"],
    },
    Phenotype { // renal failure
        weight: 0.07, units: &["MICU", "MICU", "CCU"], age_mean: 66.0, age_sd: 14.0, elective: 0.03,
        ventilation: -1.0, arterial_line: -0.6,
        axes: [0.1, 0.1, 0.0, 2.3, -0.2, 0.1, 0.5, 0.0, -1.3, 0.2, 0.1],
        diagnoses: &["ACUTE RENAL FAILURE", "RENAL FAILIURE-SYNCOPE-HYPERKALEMIA", "END STAGE RENAL DISEASE"],
        codes: &["5849", "5856", "40391"],
    },
    Phenotype { // chronic obstructive disease, respiratory failure
        weight: 0.08, units: &["MICU"], age_mean: 69.0, age_sd: 12.0, elective: 0.0,
        ventilation: 0.3, arterial_line: -0.2,
        axes: [-0.4, 1.2, 1.7, -0.4, -0.5, 0.3, -0.4, 0.1, -1.8, 0.0, -0.4],
        diagnoses: &["ASTHMA;CHRONIC OBST PULM DISEASE", "RESPIRATORY DISTRESS", "SHORTNESS OF BREATH"],
        codes: &["49121", "51881", "49122"],
    },
    Phenotype { // gastrointestinal bleeding, liver failure
        weight: 0.08, units: &["MICU", "SICU"], age_mean: 60.0, age_sd: 14.0, elective: 0.01,
        ventilation: -0.8, arterial_line: -0.4,
        axes: [0.4, 0.0, -0.2, 0.3, 1.9, 0.1, 1.6, 0.5, -1.6, -0.4, 1.5],
        diagnoses: &["UPPER GI BLEED", "VARICEAL BLEED", "LIVER FAILURE", "ALCOHOLIC HEPATITIS",
            "LOWER GI BLEED"],
        codes: &["5789", "4560", "5712", "5722"],
    },
    Phenotype { // after general surgery
        weight: 0.13, units: &["SICU", "TSICU"], age_mean: 62.0, age_sd: 15.0, elective: 0.5,
        ventilation: -0.2, arterial_line: 0.9,
        axes: [-0.2, -0.1, 0.1, -0.4, -0.3, 0.2, 0.2, -0.4, -1.7, -0.5, 0.0],
        diagnoses: &["ESOPHAGEAL CA/SDA", "CHOLECYSTITIS", "ABDOMINAL PAIN", "AORTIC ANEURYSM/SDA",
            "LEFT HIP FRACTURE"],
        codes: &["1508", "5750", "4414", "5602"],
    },
];

/// Diagnoses that occur alongside: hypertension, atrial fibrillation, diabetes, renal insufficiency and
/// others.
pub(super) const COMORBIDITIES: &[&str] = &[
    "4019", "42731", "25000", "2724", "5859", "2859", "2449", "V5861", "53081", "496", "41400", "2761",
    "5990", "28521",
];
