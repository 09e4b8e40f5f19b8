//! Known anomalies from a table: planted by `synth`, or found by hand.

use std::collections::HashMap;
use std::path::Path;

use crate::ingest::TextTable;
use crate::message::{Message, Weight};
use crate::outlier::Label;

use super::{Error, error};

/// What a labels file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// Labels by record id; without a kind, a record is said to be ordinary.
    known: HashMap<String, Label>,
    /// Whether any record is said to be ordinary. Then a record without a label is one of which nothing is
    /// known; otherwise the file lists anomalies, and all others are ordinary.
    lists_ordinary: bool,
    /// Name of the file.
    file: String,
}

/// Words for a record that is no anomaly where a kind of anomaly is asked for.
const ORDINARY: [&str; 6] = ["normal", "ordinary", "none", "inlier", "no anomaly", "-"];

/// Reads a labels file: a column `record_id` (or `ICUSTAY_ID`, or `id`), a column `kind` or `label` (1 and 0,
/// yes and no, true and false), and optionally `variables` with the corrupted ones, separated by spaces or
/// semicolons. With both, `label` says whether and `kind` says what. A row with an empty label says nothing.
/// The letter case of the header is ignored, and the file may be of any kind that tables may be.
///
/// # Errors
/// [`Error::Labels`] with the line at fault; a file that is no table.
pub fn read_labels(path: &Path) -> Result<Labels, Error> {
    let wrong = |message: String| error::labels(path, message);
    let table = TextTable::open(path)?;
    let header = table.header();
    let find =
        |names: &[&str]| header.iter().position(|h| names.iter().any(|n| h.trim().eq_ignore_ascii_case(n)));
    let (label, kind) = (find(&["label", "anomaly", "outlier"]), find(&["kind"]));
    let id = find(&["record_id"]).or_else(|| find(&["icustay_id"])).or_else(|| find(&["id"]));
    let (Some(id), Some(decisive)) = (id, label.or(kind)) else {
        let has: Vec<_> = header.iter().map(|name| format!("`{name}`")).collect();
        return Err(wrong(format!(
            "needs the columns record_id and kind (or label), has {}",
            has.join(", ")
        )));
    };
    let variables = find(&["variables", "features"]);
    // Every row has a cell of each, whether the file has the column or not.
    let columns = [Some(id), label, kind, variables].map(|place| place.unwrap_or(decisive));
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut labels = Labels { file, ..Labels::default() };
    table.each(&columns, |place, cells| {
        let (id, features) = (&cells[0], if variables.is_some() { cells[3].as_str() } else { "" });
        if id.is_empty() {
            return Err(wrong(format!("{place}: no record id")));
        }
        let said = meant(label.map(|_| cells[1].as_str()), kind.map(|_| cells[2].as_str()));
        let kind = match said.map_err(|message| wrong(format!("{place}: {message}")))? {
            Said::Nothing => return Ok(()),
            Said::Ordinary => None,
            Said::Anomaly(kind) => Some(kind),
        };
        labels.lists_ordinary |= kind.is_none();
        let features = features.split([' ', ';', ',']).filter(|f| !f.is_empty()).map(str::to_owned).collect();
        if labels.known.insert(id.clone(), Label { kind, features }).is_some() {
            return Err(wrong(format!("{place}: a record id that was there before")));
        }
        Ok(())
    })?;
    Ok(labels)
}

/// What a row of a labels file says of its record.
enum Said {
    Nothing,
    Ordinary,
    Anomaly(String),
}

/// What the cells of a label and of a kind say, where the file has them.
fn meant(label: Option<&str>, kind: Option<&str>) -> Result<Said, &'static str> {
    let named = kind.filter(|kind| !kind.is_empty());
    let is_ordinary = |kind: &str| {
        truth(kind) == Some(false) || ORDINARY.iter().any(|word| kind.eq_ignore_ascii_case(word))
    };
    match (label, named) {
        (None, None) => Err("no kind"),
        (None, Some(kind)) if is_ordinary(kind) => Ok(Said::Ordinary),
        (None, Some(kind)) => Ok(Said::Anomaly(kind.to_owned())),
        (Some(""), None) => Ok(Said::Nothing),
        (Some(""), Some(_)) => Err("a kind without a label"),
        (Some(label), named) => match (truth(label), named) {
            (Some(true), named) => Ok(Said::Anomaly(named.unwrap_or("anomaly").to_owned())),
            (Some(false), Some(kind)) if !is_ordinary(kind) => {
                Err("the label says that it is no anomaly, and there is a kind of anomaly")
            }
            (Some(false), _) => Ok(Said::Ordinary),
            (None, _) => Err(
                "a label is 1 for an anomaly and 0 for an ordinary record, or yes and no, or true and false",
            ),
        },
    }
}

/// The truth value of a cell, however it is written.
pub(super) fn truth(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text.parse::<f64>() {
        Ok(1.0) => Some(true),
        Ok(0.0) => Some(false),
        Err(_) if is(&["true", "t", "yes", "y"]) => Some(true),
        Err(_) if is(&["false", "f", "no", "n"]) => Some(false),
        _ => None,
    }
}

/// Records for which something is known, with what to say of the others.
pub(super) struct Matched {
    /// Places of the records that count, ascending.
    pub(super) rows: Vec<usize>,
    /// Their labels.
    pub(super) labels: Vec<Label>,
    pub(super) messages: Vec<Message>,
}

impl Labels {
    /// The labels of records, in their order.
    ///
    /// # Errors
    /// Labels of which none is about any of the records.
    pub(super) fn of<'i>(
        &self,
        ids: impl Iterator<Item = &'i str>,
        table: &str,
        path: &Path,
    ) -> Result<Matched, Error> {
        let Self { known, file, lists_ordinary } = self;
        let (mut rows, mut labels, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        let (mut n, mut met, mut met_anomalies) = (0, 0, 0);
        for (row, id) in ids.enumerate() {
            n += 1;
            // A column of ids with an empty cell makes pandas write 12 as 12.0.
            let is_number = id.bytes().all(|b| b.is_ascii_digit());
            let label = known.get(id).or_else(|| known.get(&format!("{id}.0")).filter(|_| is_number));
            met += usize::from(label.is_some());
            met_anomalies += usize::from(label.is_some_and(|label| label.kind.is_some()));
            if label.is_some() || !lists_ordinary {
                rows.push(row);
                labels.push(label.cloned().unwrap_or_default());
            }
        }
        if met == 0 && !known.is_empty() {
            let n = known.len();
            let of =
                if n == 1 { "its record id is not".into() } else { format!("none of its {n} record ids is") };
            return Err(error::labels(path, format!("{of} in {table}")));
        }
        let mut say = |weight: Weight, count: usize, text: String| {
            messages.push(Message::records(weight, text).counting(count));
        };
        let missing = known.len() - met;
        if missing > 0 {
            let anomalies = known.values().filter(|label| label.kind.is_some()).count() - met_anomalies;
            let text = format!(
                "{missing} of {} labelled records, {anomalies} of them anomalies, {} not in {table} and left \
                 out: all shares are of the records in {table}, so that recall says nothing about these",
                known.len(),
                if missing == 1 { "is" } else { "are" },
            );
            say(Weight::LeftOut, missing, text);
        }
        let unlabelled = n - met;
        let records = |k: usize| format!("{k} of {n} {}", if n == 1 { "record" } else { "records" });
        if unlabelled > 0 && *lists_ordinary {
            let text = format!(
                "{} in {table} {} no label in {file} and {} left out, since the file says of others that \
                 they are ordinary",
                records(unlabelled),
                if unlabelled == 1 { "has" } else { "have" },
                if unlabelled == 1 { "is" } else { "are" },
            );
            say(Weight::LeftOut, unlabelled, text);
        } else if unlabelled > 0 {
            let text = format!(
                "{file} lists {}; {} in {table} without a label {} as ordinary (give ordinary records the \
                 label 0 if nothing is known of the others)",
                if known.is_empty() { "nothing at all" } else { "anomalies alone" },
                records(unlabelled),
                if unlabelled == 1 { "counts" } else { "count" },
            );
            say(if known.is_empty() { Weight::Wrong } else { Weight::Choice }, unlabelled, text);
        }
        Ok(Matched { rows, labels, messages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Labels, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_labels(&path)
    }

    fn kinds(labels: &Labels) -> Vec<(&str, Option<&str>)> {
        let mut all: Vec<_> = labels.known.iter().map(|(id, l)| (id.as_str(), l.kind.as_deref())).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn labels_are_read_however_they_are_written() {
        let expected = [("a", Some("anomaly")), ("b", None)];
        for (name, text) in [
            ("l.csv", "record_id,label\na,1\nb,0\n"),
            ("l.csv", "Record_ID,Label\na,1.0\nb,0.0\nc,\n"),
            ("l.tsv", "record_id\tlabel\na\tYES\nb\tno\n"),
            ("l.csv", "record_id;anomaly\r\na;T\r\nb;False\r\n"),
            ("l.csv", "\u{feff}id,outlier\n a ,true\nb,n\n"),
            ("l.csv", "record_id,kind\na,anomaly\nb,normal\n"),
            ("l.csv", "record_id,label,kind\na,1,\nb,0,\n"),
        ] {
            let labels = read(name, text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(kinds(&labels), expected, "{text}");
            assert!(labels.lists_ordinary, "{text}");
        }
        let labels = read("l.csv", "record_id,kind,variables\na,unit,weight;height\nb,swap,\n").unwrap();
        assert_eq!(kinds(&labels), [("a", Some("unit")), ("b", Some("swap"))]);
        assert!(!labels.lists_ordinary);
        assert_eq!(labels.known["a"].features, ["weight", "height"]);
    }

    #[test]
    fn what_says_nothing_clear_is_refused_with_its_line() {
        for (text, said) in [
            ("record_id,label\na,1\nb,2\n", "line 3: a label is 1 for an anomaly"),
            ("record_id,label\na,1\na,0\n", "line 3: a record id that was there before"),
            ("record_id,label\n,1\n", "line 2: no record id"),
            ("record_id,kind\na,\n", "line 2: no kind"),
            ("record_id,label,kind\na,0,unit\n", "line 2: the label says that it is no anomaly"),
            ("name,label\na,0\n", "needs the columns record_id and kind (or label), has `name`, `label`"),
        ] {
            let error = read("l.csv", text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn records_without_a_label_are_ordinary_where_anomalies_alone_are_listed() {
        let ids = ["a", "b", "c", "d"];
        let of = |text: &str| read("l.csv", text).unwrap().of(ids.into_iter(), "f.csv", Path::new("l.csv"));
        let both = of("record_id,label\na,1\nc,0\nz,1\n").unwrap();
        assert_eq!(both.rows, [0, 2]);
        let said: Vec<_> = both.messages.iter().map(|m| (m.count, m.text.as_str())).collect();
        assert!(
            said[0].1.starts_with("1 of 3 labelled records, 1 of them anomalies, is not in f.csv"),
            "{said:?}"
        );
        assert!(said[1].1.starts_with("2 of 4 records in f.csv have no label in l.csv"), "{said:?}");
        let alone = of("record_id,kind\na,unit\n").unwrap();
        assert_eq!(
            (alone.rows, alone.labels.iter().filter(|l| l.kind.is_none()).count()),
            (vec![0, 1, 2, 3], 3)
        );
        assert!(alone.messages[0].text.contains("3 of 4 records in f.csv without a label count as ordinary"));
        assert!(of("record_id,label\n").unwrap().messages[0].text.contains("lists nothing at all"));
        assert!(of("record_id,label\nz,1\n").is_err());
        let floats = read("l.csv", "record_id,label\n12.0,1\n13.0,0\n").unwrap();
        assert_eq!(floats.of(["12", "14"].into_iter(), "f.csv", Path::new("l.csv")).unwrap().rows, [0]);
    }
}
