//! Tells which patient a record is of: splits keep patients apart, and a patient often has several records.
//!
//! Three places tell the patient, the surest first: a comment of the header (`subject_id: 10000001`), a
//! folder that is called like a patient (`patient001`, `p000020`), and a record name that begins like one
//! (`p000020-2183-04-28-17-47`). Numbers are compared without leading zeros and prefixes, so that `p000020`
//! and `20` are one patient whatever told it. Of records that none of them tells, those of a folder are taken
//! for one patient where several folders hold a few records each, else those whose names share a beginning
//! with a number (`chb01_03`, `chb01_04`), else each record is a patient; a warning says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::message::{Message, Weight};

/// Words by which comments, folders and columns name a patient, in lower case without blanks and marks.
const WORDS: [&str; 19] = [
    "subjectid",
    "subject",
    "subjid",
    "usubjid",
    "sub",
    "subj",
    "patientid",
    "patient",
    "patientno",
    "patientnumber",
    "patientnbr",
    "pat",
    "pt",
    "pid",
    "mrn",
    "participantid",
    "participant",
    "case",
    "caseid",
];
/// Values of such comments that are nobody's.
const NOBODY: [&str; 14] = [
    "",
    "unknown",
    "na",
    "nan",
    "none",
    "null",
    "anonymous",
    "anonymized",
    "x",
    "male",
    "female",
    "m",
    "f",
    "adult",
];
/// Words for what holds records of many patients: places, times, devices and parts of a study.
const SHARED: [&str; 40] = [
    "ward",
    "unit",
    "icu",
    "room",
    "floor",
    "site",
    "hospital",
    "center",
    "centre",
    "clinic",
    "station",
    "day",
    "night",
    "shift",
    "week",
    "month",
    "year",
    "batch",
    "part",
    "chunk",
    "fold",
    "set",
    "group",
    "cohort",
    "arm",
    "train",
    "training",
    "test",
    "testing",
    "validation",
    "val",
    "calibration",
    "class",
    "label",
    "device",
    "monitor",
    "session",
    "recordings",
    "records",
    "data",
];
/// Records that a folder may hold on average to be taken for one patient's.
const RECORDS_OF_A_PATIENT: usize = 50;
/// Groups below which folders or beginnings of names are rather kinds of records than patients.
const FEWEST_GROUPS: usize = 3;

/// Where a record lies and what its header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    /// Folders between the input and the record, the outermost first.
    pub(super) folders: &'a [String],
    /// Its name, without a folder.
    pub(super) name: &'a str,
    /// The patient that a comment or column states.
    pub(super) stated: Option<&'a str>,
}

/// One patient per record, and what to say where some had to be guessed.
pub(super) fn patients(records: &[Described<'_>]) -> (Vec<String>, Option<Message>) {
    let told: Vec<Option<String>> = records.iter().map(told).collect();
    let unknown: Vec<usize> = (0..records.len()).filter(|&i| told[i].is_none()).collect();
    let (guessed, how) = guess(records, &unknown);
    // The first spelling names the patient; others of the same number are the same patient.
    let mut spelling: BTreeMap<String, String> = BTreeMap::new();
    let mut patients: Vec<String> = told
        .into_iter()
        .map(|told| told.map_or_else(String::new, |t| spelling.entry(plain_id(&t)).or_insert(t).clone()))
        .collect();
    for (&i, name) in unknown.iter().zip(guessed) {
        patients[i] = name;
    }
    let message = (!unknown.is_empty() && records.len() > 1).then(|| {
        let text = format!(
            "{} of {} records {} not tell {} patient (no comment such as `# subject_id: 12`, no folder \
             such as `patient12`, no name such as `p000012-…`): {how}; if that is not so, \
             add such a comment to the headers or put the patient's records into a folder called so",
            unknown.len(),
            records.len(),
            if unknown.len() == 1 { "does" } else { "do" },
            if unknown.len() == 1 { "its" } else { "their" },
        );
        Message::records(Weight::Leak, text).counting(unknown.len())
    });
    (patients, message)
}

fn told(record: &Described<'_>) -> Option<String> {
    let stated = record.stated.map(str::to_owned);
    stated.or_else(|| folder(record.folders)).or_else(|| beginning(record.name))
}

/// The patient whom a comment of a header names: `subject_id 12`, `Patient: 12`, `<age>: 65 <patient>: 12`.
pub(super) fn of_comment(comment: &str) -> Option<String> {
    let pieces: Vec<&str> =
        if comment.contains('<') { comment.split('<').collect() } else { vec![comment.trim()] };
    pieces.into_iter().find_map(|piece| {
        let (key, value, marked) = match piece.split_once([':', '=']) {
            Some((key, value)) => (key, value, true),
            None => {
                let (key, value) = piece.trim().split_once(char::is_whitespace)?;
                (key, value, false)
            }
        };
        if !is_patient_word(key) {
            return None;
        }
        let mut words = value.split_whitespace();
        let (value, more) = (words.next()?.trim_matches([',', ';', '"']), words.next());
        let number = value.bytes().any(|b| b.is_ascii_digit());
        // `Patient was moved`, `Patient: 65 years old`: a sentence names nobody.
        let names = more.is_none() && (marked || number) && !NOBODY.contains(&plain(value).as_str());
        names.then(|| value.to_owned())
    })
}

/// Whether a key or column is called like one for patients.
pub(super) fn is_patient_word(text: &str) -> bool {
    WORDS.contains(&plain(text).as_str())
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The folder that is called like a patient: the innermost that says so in a word, else the innermost of
/// `p000020`; `s12` may be a session or a study as well and counts only as the outermost folder.
fn folder(folders: &[String]) -> Option<String> {
    let innermost = |wanted: &dyn Fn(&str) -> bool| folders.iter().rev().find(|f| called(f, wanted));
    innermost(&|prefix| is_patient_word(prefix))
        .or_else(|| innermost(&|prefix| prefix == "p"))
        .or_else(|| folders.first().filter(|f| called(f, &|prefix| prefix == "s")))
        .cloned()
}

/// Whether a name is a prefix that is `wanted` and a number, and no more.
fn called(name: &str, wanted: &dyn Fn(&str) -> bool) -> bool {
    split_prefix(name).is_some_and(|(prefix, _, rest)| rest.is_empty() && wanted(&prefix))
}

/// `p000020-2183-…`, `s25047-2704-…`, `patient001_2`: the patient at the beginning of a record's name.
fn beginning(name: &str) -> Option<String> {
    let (prefix, digits, rest) = split_prefix(name)?;
    let separated = rest.starts_with(['-', '_', '.', ' ']) && rest.len() > 1;
    // `s0001_re` of PTB is a session; MIMIC's `s25047-2704-…` goes on with a date.
    let dated = rest.strip_prefix('-').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    let patient = match prefix.as_str() {
        "s" => dated,
        "p" => dated || separated || rest.is_empty(),
        _ => is_patient_word(&prefix) && (separated || rest.is_empty()),
    };
    (patient && !digits.is_empty()).then(|| name[..name.len() - rest.len()].to_owned())
}

/// `(letters in lower case, digits, rest)` of a name such as `sub-01_ses-02`.
fn split_prefix(name: &str) -> Option<(String, &str, &str)> {
    let from = name.find(|c: char| c.is_ascii_digit())?;
    let rest = name[from..].trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &name[from..name.len() - rest.len()];
    let prefix = name[..from].trim_end_matches(['-', '_', ' ']).to_lowercase();
    Some((prefix, digits, rest))
}

/// A number without prefix and leading zeros, anything else in lower case: by this, patients are compared.
fn plain_id(told: &str) -> String {
    match split_prefix(told) {
        Some((prefix, digits, ""))
            if prefix.is_empty() || prefix == "p" || prefix == "s" || is_patient_word(&prefix) =>
        {
            digits.trim_start_matches('0').to_owned()
        }
        _ => format!("name {}", told.to_lowercase()),
    }
}

/// Patients of the records at `unknown`, and what they were taken from.
fn guess(records: &[Described<'_>], unknown: &[usize]) -> (Vec<String>, &'static str) {
    let mut depth = unknown.iter().map(|&i| records[i].folders.len()).max().unwrap_or(0);
    while depth > 0 {
        let groups: Vec<String> = unknown
            .iter()
            .map(|&i| {
                let folders = records[i].folders;
                folders[..depth.min(folders.len())].join("/")
            })
            .collect();
        let of_nobody = groups.iter().any(String::is_empty);
        match several(&groups) {
            // Each record has a folder of its own: the folder around it may be the patient's.
            Several::One => depth -= 1,
            Several::Some if !of_nobody && !groups.iter().all(|group| is_no_patient(group)) => {
                return (groups, "the records of a folder are taken for one patient's");
            }
            _ => break,
        }
    }
    let names: Vec<String> = unknown.iter().map(|&i| numbered(records[i].name).to_owned()).collect();
    if several(&names) == Several::Some {
        return (
            names,
            "records whose names begin alike, up to the first number, are taken for one patient's",
        );
    }
    let each = unknown.iter().map(|&i| {
        let folders = records[i].folders;
        if folders.is_empty() {
            records[i].name.to_owned()
        } else {
            format!("{}/{}", folders.join("/"), records[i].name)
        }
    });
    (each.collect(), "each record is taken for a patient of its own")
}

/// Whether a folder is called like a place, a time or a part of a study, which many patients share.
fn is_no_patient(folders: &str) -> bool {
    let innermost = folders.rsplit('/').next().unwrap_or(folders);
    let word = innermost.trim_end_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    SHARED.contains(&plain(&word).as_str())
}

#[derive(PartialEq)]
enum Several {
    /// Every group is one record.
    One,
    /// Enough groups of a few records.
    Some,
    /// Too few groups, or too large ones.
    Many,
}

fn several(groups: &[String]) -> Several {
    let different = groups.iter().collect::<BTreeSet<_>>().len();
    if different == groups.len() {
        Several::One
    } else if different >= FEWEST_GROUPS && groups.len() <= RECORDS_OF_A_PATIENT * different {
        Several::Some
    } else {
        Several::Many
    }
}

/// The beginning of a name up to the end of its first number; the whole where it holds none.
fn numbered(name: &str) -> &str {
    split_prefix(name).map_or(name, |(_, _, rest)| &name[..name.len() - rest.len()])
}

/// Folders between `root` and the file `path`, the outermost first.
pub(super) fn folders_between(root: &Path, path: &Path) -> Vec<String> {
    let inner = path.parent().and_then(|p| p.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    inner.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Patients of records given by path and comment; numbers in order of first appearance.
    fn groups(records: &[(&str, Option<&str>)]) -> (Vec<usize>, Option<String>) {
        let folders: Vec<Vec<String>> =
            records.iter().map(|(path, _)| folders_between(Path::new(""), Path::new(path))).collect();
        let stated: Vec<Option<String>> = records.iter().map(|r| r.1.and_then(of_comment)).collect();
        let described: Vec<Described<'_>> = (0..records.len())
            .map(|i| Described {
                folders: &folders[i],
                name: records[i].0.rsplit('/').next().unwrap(),
                stated: stated[i].as_deref(),
            })
            .collect();
        let (patients, warning) = patients(&described);
        let number = |p: &String| patients.iter().position(|q| q == p).unwrap();
        (patients.iter().map(number).collect(), warning.map(|message| message.text))
    }

    #[test]
    fn comments_name_patients_in_many_ways_and_sentences_name_nobody() {
        for (comment, patient) in [
            ("subject_id 10000001", Some("10000001")),
            ("subject_id: 10000001", Some("10000001")),
            ("Patient: A12", Some("A12")),
            ("Patient ID = 7", Some("7")),
            ("<age>: 65 <sex>: M <patient>: 12", Some("12")),
            ("<subject_id>: 12", Some("12")),
            ("MRN: 000123", Some("000123")),
            ("Patient: unknown", None),
            ("Patient: male", None),
            ("Patient was moved", None),
            ("Patient: 65 years old", None),
            ("age: 81", None),
            ("Age: 71", None),
            ("", None),
        ] {
            assert_eq!(of_comment(comment).as_deref(), patient, "{comment}");
        }
    }

    #[test]
    fn the_patient_is_told_by_comment_folder_or_name() {
        let told = |records: &[(&str, Option<&str>)], expected: &[usize]| {
            let (found, warning) = groups(records);
            assert_eq!((found.as_slice(), &warning), (expected, &None), "{records:?}");
        };
        told(
            &[("s25047-2704-05-04-10-44", None), ("s25047-2704-06-04-10-44", None), ("p000020-2183-1", None)],
            &[0, 0, 2],
        );
        told(
            &[("patient001/s0001_re", None), ("patient001/s0002_re", None), ("patient002/s0003_re", None)],
            &[0, 0, 2],
        );
        told(&[("p10/p1001/81/81", None), ("p10/p1001/82/82", None), ("p10/p1002/83/83", None)], &[0, 0, 2]);
        told(&[("p00/p000020/p000020-2183-04", None), ("p000020-2184-04", None)], &[0, 0]);
        // A session below a patient is not the patient.
        told(&[("p1/s1/a", None), ("p1/s2/b", None), ("p2/s1/c", None)], &[0, 0, 2]);
        told(&[("sub-01/ses-01/a", None), ("sub-01_ses-02", None), ("sub-02_ses-01", None)], &[0, 0, 2]);
        // A comment and a name tell one patient, and a comment counts more than a folder.
        told(
            &[("x/a", Some("subject_id: 20")), ("p000020-2183-04", None), ("p1/b", Some("pid: 020"))],
            &[0, 0, 0],
        );
    }

    #[test]
    fn what_is_not_told_is_guessed_with_a_word() {
        let guessed = |records: &[&str], expected: &[usize], how: &str| {
            let records: Vec<_> = records.iter().map(|r| (*r, None)).collect();
            let (found, warning) = groups(&records);
            assert_eq!(found, expected, "{records:?}");
            assert!(warning.as_ref().unwrap().contains(how), "{warning:?}");
        };
        guessed(&["100", "101", "102"], &[0, 1, 2], "each record");
        guessed(&["1/a", "1/b", "2/a", "3/a"], &[0, 0, 2, 3], "of a folder");
        guessed(&["1/x/x", "1/y/y", "2/z/z", "3/w/w"], &[0, 0, 2, 3], "of a folder");
        guessed(&["chb01_03", "chb01_04", "chb02_01", "chb03_01"], &[0, 0, 2, 3], "begin alike");
        guessed(&["S001R01", "S001R02", "S002R01", "S003R01"], &[0, 0, 2, 3], "begin alike");
        guessed(&["train/a", "train/b", "test/c"], &[0, 1, 2], "each record");
        guessed(&["rec_1", "rec_2", "rec_3"], &[0, 1, 2], "each record");
        let wards = ["ward0/1000", "ward0/1001", "ward1/1002", "ward1/1003", "ward2/1004"];
        guessed(&wards, &[0, 1, 2, 3, 4], "each record");
        guessed(&["Day_1/a", "Day_1/b", "Day_2/a", "Day_3/a"], &[0, 1, 2, 3], "each record");
        // A single record has nobody to be confused with.
        assert_eq!(groups(&[("100", None)]).1, None);
    }
}
