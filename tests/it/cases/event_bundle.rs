//! Bundles of event tables as the tests look at them: by feature and record, with levels as text.

use std::collections::BTreeMap;
use std::path::Path;

use cohort_flow::features::Bundle;
use cohort_flow::ingest::{TableAudit, VariableAudit};

use crate::support;

/// An ingestion that succeeded: its bundle, and what it said on the terminal.
pub(super) struct Ingested {
    pub(super) bundle: Bundle,
    pub(super) said: String,
}

/// Ingests `input` by `pipeline` into `output`, with `dir` as the current folder.
pub(super) fn ingested(dir: &Path, pipeline: &str, input: &str, output: &str) -> Ingested {
    ingested_with(dir, pipeline, input, output, &[])
}

/// The same with more arguments.
pub(super) fn ingested_with(
    dir: &Path,
    pipeline: &str,
    input: &str,
    output: &str,
    more: &[&str],
) -> Ingested {
    let arguments = [&["ingest", pipeline, "--input", input, "--output", output], more].concat();
    let said = support::succeed(dir, &arguments);
    Ingested { bundle: Bundle::open(&dir.join(output)).unwrap(), said }
}

impl Ingested {
    /// Values of a feature by record id; none is missing.
    pub(super) fn numbers(&self, feature: &str) -> BTreeMap<String, Option<f64>> {
        let columns = &self.bundle.manifest.encoder.columns;
        let at = columns.iter().position(|c| c.meta.name == feature);
        let at = at.unwrap_or_else(|| panic!("no feature {feature}:\n{}", self.said));
        let value = |row: usize| Some(self.bundle.raw[(row, at)]).filter(|x| !x.is_nan());
        self.bundle.record_ids.iter().cloned().enumerate().map(|(row, id)| (id, value(row))).collect()
    }

    /// Levels of a feature by record id.
    pub(super) fn levels(&self, feature: &str) -> BTreeMap<String, Option<String>> {
        let column = self.bundle.manifest.encoder.columns.iter().find(|c| c.meta.name == feature).unwrap();
        let level = |x: Option<f64>| x.filter(|x| *x >= 0.0).map(|x| column.levels[x as usize].clone());
        self.numbers(feature).into_iter().map(|(id, x)| (id, level(x))).collect()
    }

    pub(super) fn number(&self, feature: &str, record: &str) -> Option<f64> {
        self.numbers(feature)[record]
    }

    pub(super) fn mean(&self, feature: &str) -> f64 {
        let known: Vec<f64> = self.numbers(feature).into_values().flatten().collect();
        known.iter().sum::<f64>() / known.len() as f64
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.bundle.record_ids.iter().map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn variable(&self, name: &str) -> &VariableAudit {
        self.bundle.audit.variables.iter().find(|v| v.variable == name).unwrap()
    }

    pub(super) fn table(&self, name: &str) -> &TableAudit {
        self.bundle.audit.tables.iter().find(|t| t.table == name).unwrap()
    }
}

/// The mean, as the test computes it.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Equal in what is missing, and to `tolerance` in relation to the size of the value.
pub(super) fn same(found: Option<f64>, expected: Option<f64>, tolerance: f64) -> bool {
    match (found, expected) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * b.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

/// A reader of a CSV file, gzip or not.
pub(super) fn reader(path: &Path) -> csv::Reader<Box<dyn std::io::Read>> {
    let bytes = std::fs::read(path).unwrap();
    csv::Reader::from_reader(if bytes.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(std::io::Cursor::new(bytes)))
    } else {
        Box::new(std::io::Cursor::new(bytes))
    })
}

/// Rows of a CSV file as maps from lower-case column names.
pub(super) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    rows_of(path, &[])
}

/// The same of some items alone; of all, if none is named.
pub(super) fn rows_of(path: &Path, items: &[&str]) -> Vec<BTreeMap<String, String>> {
    let mut reader = reader(path);
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_lowercase).collect();
    let item = names.iter().position(|name| name == "itemid").filter(|_| !items.is_empty());
    let mut all = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap() {
        if item.is_none_or(|at| items.contains(&&record[at])) {
            all.push(names.iter().cloned().zip(record.iter().map(ToString::to_string)).collect());
        }
    }
    all
}
