//! Known anomalies from a CSV: planted by `synth`, or found by hand.

use std::collections::HashMap;
use std::path::Path;

use crate::outlier::Label;

use super::Error;

/// Reads a labels file: a column `record_id` (or `ICUSTAY_ID`), a column `kind` (or `label` with 0 and 1),
/// and optionally `variables` with the corrupted ones, separated by spaces or semicolons. Header case is
/// ignored.
///
/// # Errors
/// [`Error::Labels`] with the line at fault.
pub fn read_labels(path: &Path) -> Result<HashMap<String, Label>, Error> {
    let wrong = |message: String| Error::Labels { path: path.to_path_buf(), message };
    let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(e.to_string()))?;
    let headers = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
    let find =
        |names: &[&str]| headers.iter().position(|h| names.iter().any(|n| h.trim().eq_ignore_ascii_case(n)));
    let label = find(&["label", "anomaly", "outlier"]);
    let kind = find(&["kind"]);
    let (Some(id), Some(decisive)) = (find(&["record_id", "icustay_id"]), kind.or(label)) else {
        return Err(wrong(format!(
            "needs the columns record_id and kind (or label), has {}",
            headers.iter().collect::<Vec<_>>().join(", ")
        )));
    };
    let variables = find(&["variables", "features"]);
    let mut labels = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(|e| wrong(e.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let id = row.get(id).unwrap_or_default().trim();
        if id.is_empty() {
            return Err(wrong(format!("line {line}: no record id")));
        }
        let cell = row.get(decisive).unwrap_or_default().trim();
        let kind = match cell {
            "" if kind.is_some() => return Err(wrong(format!("line {line}: no kind"))),
            _ if kind.is_some() => Some(cell),
            "1" | "true" | "TRUE" | "True" | "yes" => Some("anomaly"),
            "0" | "false" | "FALSE" | "False" | "no" => None,
            _ => return Err(wrong(format!("line {line}: a label is 0 or 1"))),
        };
        let features = variables
            .and_then(|v| row.get(v))
            .unwrap_or_default()
            .split([' ', ';', ','])
            .filter(|f| !f.is_empty())
            .map(str::to_owned)
            .collect();
        let label = Label { kind: kind.map(str::to_owned), features };
        if labels.insert(id.to_owned(), label).is_some() {
            return Err(wrong(format!("line {line}: a record id that was there before")));
        }
    }
    Ok(labels)
}

/// The labels of `ids`, in their order; records without one are ordinary.
pub(super) fn labels_of<'i>(
    ids: impl Iterator<Item = &'i str>,
    labels: &HashMap<String, Label>,
) -> Vec<Label> {
    ids.map(|id| labels.get(id).cloned().unwrap_or_default()).collect()
}
