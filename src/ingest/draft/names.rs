//! What a text that people wrote seems to mean, among the concepts of the dictionary.

use crate::schema::Concept;

/// Other words for concepts, as laboratories, monitors and charts write them. The name and the label of each
/// concept are known besides.
const SYNONYMS: [(&str, &[&str]); 84] = [
    ("age", &["age", "anchor age", "age years"]),
    ("gender", &["gender", "sex"]),
    ("ethnicity", &["ethnicity", "race"]),
    ("height", &["height", "admission height", "body height"]),
    ("weight", &["weight", "admission weight", "body weight", "weight kg"]),
    ("heart_rate", &["heart rate", "hr", "pulse", "pulse rate"]),
    (
        "sbp",
        &[
            "sbp",
            "systolic",
            "systolic bp",
            "non invasive systolic",
            "nibp systolic",
            "abp systolic",
            "systemic systolic",
            "arterial blood pressure systolic",
            "non invasive blood pressure systolic",
            "sysabp",
        ],
    ),
    (
        "dbp",
        &[
            "dbp",
            "diastolic",
            "diastolic bp",
            "non invasive diastolic",
            "nibp diastolic",
            "abp diastolic",
            "systemic diastolic",
            "arterial blood pressure diastolic",
            "non invasive blood pressure diastolic",
            "diasabp",
        ],
    ),
    (
        "map",
        &[
            "map",
            "mean arterial pressure",
            "non invasive mean",
            "nibp mean",
            "abp mean",
            "systemic mean",
            "arterial blood pressure mean",
            "non invasive blood pressure mean",
            "mean bp",
        ],
    ),
    ("resp_rate", &["resp rate", "respiratory rate", "respiration", "rr", "resp", "total rr", "rr patient"]),
    ("spo2", &["spo2", "o2 saturation pulseoxymetry", "oxygen saturation", "sao2", "o2sat", "o2 sat"]),
    (
        "temperature",
        &["temperature", "temp", "temperature celsius", "temperature fahrenheit", "body temperature"],
    ),
    ("gcs_eye", &["gcs eye", "gcs eye opening", "eyes", "gcs eyes"]),
    ("gcs_verbal", &["gcs verbal", "gcs verbal response", "verbal"]),
    ("gcs_motor", &["gcs motor", "gcs motor response", "motor"]),
    ("gcs_total_charted", &["gcs", "gcs total", "glasgow coma scale total"]),
    ("cvp", &["cvp", "central venous pressure"]),
    ("pap_systolic", &["pa systolic", "pap systolic"]),
    ("pap_diastolic", &["pa diastolic", "pap diastolic"]),
    ("pap_mean", &["pa mean", "pap mean"]),
    ("pcwp", &["pcwp", "paop", "wedge pressure", "pulmonary artery occlusion pressure"]),
    ("cardiac_output", &["cardiac output"]),
    ("fio2", &["fio2", "inspired o2 fraction", "o2 percentage", "fraction of inspired oxygen"]),
    ("resp_rate_set", &["vent rate", "respiratory rate set", "set rate", "ventilator rate"]),
    ("peep", &["peep", "peep cpap", "peep set"]),
    ("peak_pressure", &["peak insp pressure", "peak inspiratory pressure", "pip", "peak pressure"]),
    ("plateau_pressure", &["plateau pressure", "plateau"]),
    ("tidal_volume_set", &["tidal volume set", "set tidal volume", "set vt"]),
    (
        "tidal_volume_observed",
        &[
            "tidal volume observed",
            "exhaled tv patient",
            "exhaled tv machine",
            "tidal volume observed vt",
            "exhaled tidal volume",
        ],
    ),
    ("minute_volume", &["minute volume", "minute ventilation", "exhaled mv"]),
    ("etco2", &["etco2", "end tidal co2"]),
    ("ph", &["ph", "ph arterial", "arterial ph"]),
    ("pao2", &["pao2", "po2", "arterial po2", "po2 arterial"]),
    ("paco2", &["paco2", "pco2", "arterial pco2", "pco2 arterial"]),
    ("base_excess", &["base excess", "baseexcess", "be"]),
    ("total_co2", &["total co2", "calculated total co2", "tco2"]),
    ("sao2", &["arterial o2 saturation", "o2 sat arterial"]),
    ("lactate", &["lactate", "lactic acid"]),
    ("methemoglobin", &["methemoglobin", "methaemoglobin"]),
    ("carboxyhemoglobin", &["carboxyhemoglobin", "carboxyhaemoglobin"]),
    ("calcium_ionized", &["ionized calcium", "calcium ionized", "free calcium", "ionised calcium"]),
    ("glucose", &["glucose", "serum glucose", "blood glucose"]),
    (
        "glucose_fingerstick",
        &["bedside glucose", "fingerstick glucose", "glucose fingerstick", "poc glucose"],
    ),
    ("sodium", &["sodium", "na", "serum sodium"]),
    ("potassium", &["potassium", "k", "serum potassium"]),
    ("chloride", &["chloride", "cl"]),
    ("bicarbonate", &["bicarbonate", "hco3"]),
    ("anion_gap", &["anion gap", "aniongap"]),
    ("bun", &["bun", "urea nitrogen", "blood urea nitrogen"]),
    ("creatinine", &["creatinine", "serum creatinine", "creat"]),
    ("calcium", &["calcium", "calcium total", "total calcium"]),
    ("magnesium", &["magnesium", "mg"]),
    ("phosphate", &["phosphate", "phosphorus", "phos"]),
    ("albumin", &["albumin"]),
    ("total_protein", &["total protein", "protein total"]),
    ("alt", &["alt", "sgpt", "alt sgpt", "alanine aminotransferase"]),
    ("ast", &["ast", "sgot", "ast sgot", "aspartate aminotransferase", "asparate aminotransferase"]),
    ("alp", &["alp", "alkaline phosphatase", "alkaline phos", "alk phos"]),
    ("bilirubin_total", &["bilirubin", "total bilirubin", "bilirubin total"]),
    ("bilirubin_direct", &["direct bilirubin", "bilirubin direct"]),
    ("ldh", &["ldh", "lactate dehydrogenase"]),
    ("ck", &["ck", "cpk", "creatine kinase"]),
    ("ck_mb", &["ck mb", "cpk mb", "ckmb", "creatine kinase mb"]),
    ("troponin_t", &["troponin t"]),
    ("troponin_i", &["troponin i"]),
    ("amylase", &["amylase"]),
    ("lipase", &["lipase"]),
    ("ammonia", &["ammonia"]),
    ("osmolality", &["osmolality", "serum osmolality"]),
    ("uric_acid", &["uric acid"]),
    ("crp", &["crp", "c reactive protein"]),
    ("nt_probnp", &["nt probnp", "ntprobnp"]),
    ("wbc", &["wbc", "white blood cells", "leukocytes", "white blood cell count"]),
    ("hemoglobin", &["hemoglobin", "haemoglobin", "hgb", "hb"]),
    ("hematocrit", &["hematocrit", "haematocrit", "hct"]),
    ("platelets", &["platelets", "platelet count", "plt"]),
    ("rbc", &["rbc", "red blood cells", "erythrocytes"]),
    ("neutrophils", &["neutrophils", "polys", "neutrophils percent"]),
    ("lymphocytes", &["lymphocytes", "lymphs"]),
    ("monocytes", &["monocytes", "monos"]),
    ("eosinophils", &["eosinophils", "eos"]),
    ("basophils", &["basophils", "basos"]),
    ("inr", &["inr", "pt inr", "inr pt"]),
    ("ptt", &["ptt", "aptt"]),
];

/// Concepts found in the words of their names, besides: a chart says what else the words are of.
const MORE: [(&str, &[&str]); 6] = [
    ("pt", &["pt", "prothrombin time"]),
    ("urine_output", &["urine", "urine output", "foley", "urinary catheter", "voided", "urine out foley"]),
    ("cholesterol_total", &["total cholesterol", "cholesterol"]),
    ("cholesterol_hdl", &["hdl"]),
    ("cholesterol_ldl", &["ldl"]),
    ("norepinephrine_rate", &["norepinephrine mcg kg min"]),
];

/// Words that say how or in what a thing is measured, and not what it is.
const BESIDE: [&str; 18] = [
    "x", "1000", "serum", "blood", "plasma", "level", "value", "result", "measured", "mmhg", "percent",
    "count", "bpm", "c", "kg", "cm", "mgdl", "rate",
];

/// A text in words: lower case, without signs.
pub(super) fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The concept that a text names, if it names one.
pub(super) fn concept<'d>(text: &str, dictionary: &'d [Concept]) -> Option<&'d Concept> {
    let words = words(text);
    if words.is_empty() || words.len() > 8 {
        return None;
    }
    let (joined, spaced) = (words.concat(), words.join(" "));
    let without: Vec<&str> = words.iter().map(String::as_str).filter(|w| !BESIDE.contains(w)).collect();
    let without = without.join(" ");
    let exact = |known: &str| known == spaced || known.replace(' ', "") == joined;
    let near = |known: &str| !without.is_empty() && known == without;
    let of = |fits: &dyn Fn(&str) -> bool| {
        dictionary.iter().find(|concept| {
            let variable = &concept.variable;
            let own = [self::words(&variable.name).join(" "), self::words(&variable.label).join(" ")];
            variable.derived.is_none()
                && (own.iter().any(|name| fits(name)) || synonyms(&variable.name).any(fits))
        })
    };
    of(&exact).or_else(|| of(&near))
}

fn synonyms(concept: &str) -> impl Iterator<Item = &'static str> {
    let both = SYNONYMS.iter().chain(&MORE).filter(move |(name, _)| *name == concept);
    both.flat_map(|(_, words)| words.iter().copied())
}

/// Whether a column says something about a person that does not change during a stay.
pub(super) fn is_fact(name: &str) -> bool {
    let joined = words(name).concat();
    let facts = ["age", "gender", "ethnicity", "height", "weight"];
    facts.iter().any(|fact| synonyms(fact).any(|known| known.replace(' ', "") == joined))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::dictionary;

    #[test]
    fn texts_are_concepts_by_their_words_alone() {
        let found = |text: &str| concept(text, dictionary()).map_or("", |c| c.variable.name.as_str());
        for (text, name) in [
            ("heartrate", "heart_rate"),
            ("Heart Rate", "heart_rate"),
            ("WBC x 1000", "wbc"),
            ("ALT (SGPT)", "alt"),
            ("troponin - I", "troponin_i"),
            ("noninvasivesystolic", "sbp"),
            ("PT - INR", "inr"),
            ("creatinine", "creatinine"),
            ("urinary creatinine", ""),
            ("free text", ""),
            ("", ""),
        ] {
            assert_eq!(found(text), name, "{text}");
        }
    }

    #[test]
    fn every_synonym_is_of_a_concept_and_of_one_alone() {
        let mut all: Vec<&str> = Vec::new();
        for (name, words) in SYNONYMS.iter().chain(&MORE) {
            assert!(dictionary().iter().any(|c| c.variable.name == *name), "{name}");
            all.extend(*words);
        }
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n, "a synonym stands for two concepts");
    }
}
