//! Columns of a CSV file as numbers, for tests.

use std::collections::BTreeMap;
use std::path::Path;

/// A table by columns, cells as they are written.
pub(crate) struct Csv(BTreeMap<String, Vec<String>>);

impl Csv {
    pub(crate) fn read(path: &Path) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let mut columns: BTreeMap<String, Vec<String>> =
            names.iter().map(|n| (n.clone(), Vec::new())).collect();
        for record in reader.records() {
            for (name, cell) in names.iter().zip(record.unwrap().iter()) {
                columns.get_mut(name).unwrap().push(cell.to_owned());
            }
        }
        Self(columns)
    }

    pub(crate) fn text(&self, name: &str) -> &[String] {
        self.0.get(name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// NaN where the cell is empty.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        let number = |cell: &String| if cell.is_empty() { f64::NAN } else { cell.parse().unwrap() };
        self.text(name).iter().map(number).collect()
    }

    /// The numbers that are there, ascending.
    pub(crate) fn sorted(&self, name: &str) -> Vec<f64> {
        let mut known: Vec<f64> = self.numbers(name).into_iter().filter(|x| !x.is_nan()).collect();
        known.sort_by(f64::total_cmp);
        known
    }
}

pub(crate) fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}
