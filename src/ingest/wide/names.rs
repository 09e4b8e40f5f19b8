//! What the name of a column says about identifiers: whose they are, and in how many spellings.

use crate::ingest::source::Cell;
use crate::schema::Split;

/// Name of the column that is taken for splits without being declared.
pub(super) const SPLIT_COLUMN: &str = "split";

/// Whom or what an identifier is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// A row of the table: `id`, `row_id`, `record_id`, `Unnamed: 0`.
    Record,
    /// A person, whose rows must stay together.
    Patient,
    /// A stay, visit or admission of a person.
    Stay,
    /// Something that many patients share: a hospital, a ward, a code list.
    Place,
}

/// Words for a person; a column called by one of them alone, or with a word of [`ENDINGS`], holds persons.
#[rustfmt::skip] // one word per line would make pages of them
const PERSONS: [&str; 39] = [
    "patient", "patienten", "pat", "pt", "subject", "subj", "usubj", "sub", "person", "participant",
    "proband", "probanden", "respondent", "member", "beneficiary", "bene", "client", "individual",
    "indiv", "donor", "enrollee", "enrolee", "enrol", "mother", "child", "infant", "neonate", "baby",
    "animal", "mouse", "user", "volunteer", "case", "paciente", "versicherten", "kvnr", "uniquep",
    "medicalrecord", "medrec",
];
/// Of these, the words that say enough without an ending.
#[rustfmt::skip] // one word per line would make pages of them
const PERSONS_ALONE: [&str; 14] = [
    "patient", "subject", "subj", "person", "participant", "proband", "respondent", "individual", "donor",
    "enrollee", "enrolee", "volunteer", "paciente", "case",
];
/// Words for a stay.
#[rustfmt::skip] // one word per line would make pages of them
const STAYS: [&str; 19] = [
    "hadm", "stay", "icustay", "encounter", "enc", "visit", "admission", "adm", "episode", "spell",
    "hospitalization", "hospitalisation", "hospitalstay", "unitstay", "patientunitstay",
    "patienthealthsystemstay", "fall", "aufenthalt", "visitoccurrence",
];
/// Words that make a number of what stands before (or after) them.
#[rustfmt::skip] // one word per line would make pages of them
const ENDINGS: [&str; 27] = [
    "id", "ids", "no", "nr", "num", "number", "nbr", "code", "key", "identifier", "ident", "nummer", "uid",
    "guid", "uuid", "sk", "pk", "idx", "index", "ein", "numero", "hash", "nmbr", "pseudonym", "token",
    "ref", "name",
];
/// Whole names that hold persons, in the form of [`normal`].
#[rustfmt::skip] // one word per line would make pages of them
const PERSON_NAMES: [&str; 51] = [
    "mrn", "pid", "eid", "iid", "rid", "sid", "ssid", "seqn", "seqnum", "usubjid", "subjid", "rusubjid",
    "patid", "ptid", "randid", "studyid", "screeningno", "screeningid", "empi", "empiid", "nhsno",
    "nhsnumber", "nhc", "ipp", "hospitalnumber", "hospno", "unitnumber", "medicalrecordnumber", "chartno",
    "chartnumber", "pseudonym", "pseudoid", "pseudo", "ssn", "uniquepid", "numpatient", "numpat", "dossier",
    "householdid", "famid", "familyid", "twinid", "studyno", "studynr", "studynumber", "trialno",
    "trialnumber", "nric", "cpr", "cprnr", "dni",
];
/// Whole names that hold stays.
#[rustfmt::skip] // one word per line would make pages of them
const STAY_NAMES: [&str; 7] = [
    "csn", "fin", "visitno", "fallnr", "fallnummer", "accountnumber", "har",
];
/// Words for what many patients share.
#[rustfmt::skip] // one word per line would make pages of them
const PLACES: [&str; 34] = [
    "hospital", "center", "centre", "site", "ward", "unit", "provider", "doctor", "physician", "practice",
    "clinic", "item", "device", "drug", "product", "batch", "plate", "lab", "type", "source", "disposition",
    "payer", "country", "region", "state", "county", "department", "dept", "service", "race", "sex",
    "gender", "facility", "study",
];
/// Names that row numbers get when a data frame is written out.
#[rustfmt::skip] // one word per line would make pages of them
const ROW_NAMES: [&str; 12] = [
    "column1", "unnamed0", "unnamed", "index", "level0", "rownames", "rowname", "row", "rownum", "x", "v1",
    "1",
];

/// Small letters and digits of a name.
pub(super) fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a column without a better name could hold the row numbers of a data frame.
pub(super) fn names_row_numbers(name: &str) -> bool {
    ROW_NAMES.contains(&normal(name).as_str())
}

/// Whether splits may be found under this name.
pub(super) fn names_splits(name: &str) -> bool {
    ["split", "splits", "datasplit", "datasetsplit", "splitname"].contains(&normal(name).as_str())
}

/// Whether a column of this name may say how the rows are divided, as a fold of a cross-validation does.
pub(super) fn names_a_division(name: &str) -> bool {
    #[rustfmt::skip]
    const DIVISIONS: [&str; 14] = [
        "fold", "folds", "kfold", "cvfold", "foldid", "foldno", "set", "subset", "partition", "istrain", "istest", "intrain",
        "trainset", "testset",
    ];
    DIVISIONS.contains(&normal(name).as_str())
}

/// What a name says about identifiers; none for a name that does not sound like one.
pub(super) fn named(name: &str) -> Option<Named> {
    let whole = normal(name);
    let starts = |words: &[&str]| words.iter().any(|w| whole.starts_with(w));
    if [
        "id",
        "ids",
        "uid",
        "uuid",
        "guid",
        "key",
        "nr",
        "no",
        "identifier",
        "rowid",
        "rowno",
        "rownr",
        "rownumber",
        "obs",
        "sampleid",
    ]
    .contains(&whole.as_str())
        || (whole.starts_with("record") && (whole == "record" || ends_like_an_id(name, &whole[6..])))
        || whole == "unnamed0"
    {
        return Some(Named::Record);
    }
    if PERSON_NAMES.contains(&whole.as_str())
        || PERSONS_ALONE.contains(&whole.as_str())
        || is_with_ending(&whole, &PERSONS)
    {
        return Some(Named::Patient);
    }
    if STAY_NAMES.contains(&whole.as_str()) || is_with_ending(&whole, &STAYS) {
        return Some(Named::Stay);
    }
    if !has_id_at_its_end(name) {
        return None;
    }
    // `case_study_patient_id` and `admission_type_id`: the word next to the ending says what is numbered.
    let stem = whole.trim_end_matches("identifier").trim_end_matches("id");
    let last = |words: &[&str]| words.iter().any(|w| w.len() > 2 && stem.ends_with(w));
    Some(if last(&PLACES) {
        Named::Place
    } else if last(&PERSONS) {
        Named::Patient
    } else if last(&STAYS) {
        Named::Stay
    } else if starts(&PLACES) {
        Named::Place
    } else {
        Named::Record
    })
}

fn is_with_ending(whole: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let behind = whole.strip_prefix(word).is_some_and(|rest| ENDINGS.contains(&rest));
        // `id_patient`, `num_patient`, `nr_patient`
        let before = whole
            .strip_suffix(word)
            .is_some_and(|rest| ["id", "no", "nr", "numero", "code", "kod", "cod", "codigo"].contains(&rest));
        behind || (before && word.len() > 2)
    })
}

fn ends_like_an_id(name: &str, rest: &str) -> bool {
    ENDINGS.contains(&rest) || has_id_at_its_end(name)
}

/// Whether a name ends in the word "id": `stay_id`, `stayId`, `stay.id`, `id`; not `COVID`, `paid` and
/// `acid`.
fn has_id_at_its_end(name: &str) -> bool {
    let camel = name
        .strip_suffix("ID")
        .or_else(|| name.strip_suffix("Id"))
        .and_then(|head| head.chars().next_back())
        .is_some_and(char::is_lowercase);
    let words: Vec<String> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    camel || words.last().is_some_and(|word| word == "id" || word == "identifier" || word == "uuid")
}

/// The split a file stem or a cell names.
pub(super) fn names_a_split(text: &str) -> Option<Split> {
    match text.trim().to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "validation" | "valid" | "val" | "dev" => Some(Split::Validation),
        "calibration" | "calib" | "cal" => Some(Split::Calibration),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// The split a cell names.
pub(super) fn split_of(cell: Cell<'_>) -> Option<Split> {
    match cell {
        Cell::Text(text) => names_a_split(text),
        _ => None,
    }
}

/// Whether a name ends as the names of identifiers do, without a mark before the ending: `apacheapsvarid`,
/// `orderno`. Many words end like that, so that the values have to say the same.
pub(super) fn may_end_like_an_id(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    ["id", "key", "number", "num", "nr"].iter().any(|end| lower.ends_with(end) && lower.len() > end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_have_many_names() {
        for name in [
            "subject_id",
            "SUBJID",
            "USUBJID",
            "Patient ID",
            "patient-id",
            "PatientNr",
            "pat_id",
            "MRN",
            "pid",
            "person",
            "case",
            "case_id",
            "participant",
            "SEQN",
            "respondent",
            "patient_nbr",
            "Patientennummer",
            "PATIENT_NUM",
            "eid",
            "Patient",
            "person_id",
            "uniquepid",
            "Patient.Identifier",
            "subject no.",
            "id_patient",
            "ParticipantID",
            "ptid",
        ] {
            assert_eq!(named(name), Some(Named::Patient), "{name}");
        }
    }

    #[test]
    fn stays_records_and_places_are_told_from_patients() {
        for (name, what) in [
            ("stay_id", Named::Stay),
            ("HADM_ID", Named::Stay),
            ("encounter_id", Named::Stay),
            ("visit_id", Named::Stay),
            ("patientunitstayid", Named::Stay),
            ("ICUSTAY_ID", Named::Stay),
            ("id", Named::Record),
            ("row_id", Named::Record),
            ("RecordID", Named::Record),
            ("record", Named::Record),
            ("Unnamed: 0", Named::Record),
            ("admission_type_id", Named::Place),
            ("discharge_disposition_id", Named::Place),
            ("hospital_id", Named::Place),
        ] {
            assert_eq!(named(name), Some(what), "{name}");
        }
        for name in [
            "COVID",
            "paid",
            "acid",
            "width",
            "PAID",
            "identity",
            "visit",
            "age",
            "x",
            "num_resp",
            "num_case",
            "patient_age",
            "pt_ratio",
            "records_seen",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
