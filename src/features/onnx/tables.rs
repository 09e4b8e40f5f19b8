//! Coordinates that a column reaches in finitely many ways: levels and indicators. Each state of a column is
//! a row of a table, with the coordinate under every draw.

use ndarray::Array2;

use super::{Part, RawRecords};
use crate::features::{Cell, Encoder, FittedColumn, Levels, Transform};
use crate::onnx::{Graph, Search, Value};

/// Tables of all columns below each other, one row for each state.
#[derive(Default)]
struct Tables {
    values: Vec<f64>,
    log_det: Vec<f64>,
    log_noise: Vec<f64>,
    states: usize,
}

impl Tables {
    /// Adds a state, which has a cell for each draw.
    fn push(&mut self, cells: impl Iterator<Item = Cell>) {
        for cell in cells {
            self.values.push(cell.v);
            self.log_det.push(cell.log_det);
            self.log_noise.push(cell.log_noise);
        }
        self.states += 1;
    }
}

/// The states of a column of numbers with levels: ascending ends of the intervals that numbers are told apart
/// by, and a number in each of them.
pub(super) fn intervals(levels: &Levels) -> (Vec<f64>, Vec<f64>) {
    let mut met: Vec<(f64, f64)> = levels.values.iter().map(|&v| (v, 1e-9 * v.abs().max(1.0))).collect();
    met.extend(levels.apart.iter().map(|a| (a.value, 0.0)));
    met.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ends, mut inside) = (vec![f64::NEG_INFINITY], Vec::new());
    let mut before: Option<f64> = None;
    for (value, tolerance) in met {
        let (low, high) = (value - tolerance, (value + tolerance).next_up());
        inside.push(before.map_or(value - 1.0 - value.abs(), |before| 0.5 * (before + low)));
        inside.push(value);
        ends.extend([low, high]);
        before = Some(high);
    }
    inside.push(before.map_or(0.0, |before| before + 1.0 + before.abs()));
    (ends, inside)
}

impl Encoder {
    /// Coordinates of the columns `levels` and of all indicators.
    pub(super) fn tables_in(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        levels: &[usize],
        uniforms: &Array2<f64>,
    ) -> Part {
        let p = self.n_features();
        let mut tables = Tables::default();
        // Row of the table of each column, `(n, columns)`, in three parts.
        let (texts, numbers): (Vec<usize>, Vec<usize>) =
            levels.iter().partition(|&&column| self.columns[column].is_text());
        let mut rows = Vec::new();
        if !texts.is_empty() {
            rows.push(self.text_rows(graph, records, &texts, uniforms, &mut tables));
        }
        if !numbers.is_empty() {
            rows.push(self.number_rows(graph, records, &numbers, uniforms, &mut tables));
        }
        if !self.indicators.is_empty() {
            let begins: Vec<f64> =
                (0..self.indicators.len()).map(|k| (tables.states + 2 * k) as f64).collect();
            for (k, indicator) in self.indicators.iter().enumerate() {
                for bit in [0.0, 1.0] {
                    tables.push(uniforms.column(p + k).iter().map(|&u| {
                        let (v, log_det) = indicator.levels.forward(indicator.levels.lift(bit, u));
                        Cell { v, log_det, log_noise: 0.0 }
                    }));
                }
            }
            let set = self.indicators_in(graph, records);
            let begins = graph.doubles(&begins, &[begins.len()]);
            rows.push(graph.add(&set, &begins));
        }
        let rows = graph.concat(&rows, 1);
        let rows = graph.to_int(&rows);
        let draws = uniforms.nrows();
        // `(n, columns, draws)`
        let read = |graph: &mut Graph, numbers: &[f64]| {
            let table = graph.doubles(numbers, &[tables.states, draws]);
            graph.take(&table, &rows, 0)
        };
        let values = read(graph, &tables.values);
        let values = graph.transpose(&values, &[0, 2, 1]);
        let sum = |graph: &mut Graph, numbers: &[f64]| {
            let each = read(graph, numbers);
            graph.sum(&each, 1, false)
        };
        let (log_det, log_noise) = (sum(graph, &tables.log_det), sum(graph, &tables.log_noise));
        let indicators = (0..self.indicators.len()).map(|k| p + k);
        Part {
            values,
            order: texts.into_iter().chain(numbers).chain(indicators).collect(),
            log_det,
            log_noise,
        }
    }

    /// Rows of texts: one for each level, one for a level not met, and one for a missing value.
    fn text_rows(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        columns: &[usize],
        uniforms: &Array2<f64>,
        tables: &mut Tables,
    ) -> Value {
        let (mut begins, mut gone) = (Vec::new(), Vec::new());
        for &column in columns {
            begins.push(tables.states as f64);
            let (fitted, u) = (&self.columns[column], uniforms.column(column));
            for code in 0..=fitted.levels.len() {
                tables.push(u.iter().map(|&u| fitted.cell(code as f64, u)));
            }
            gone.push(tables.states as f64);
            tables.push(u.iter().map(|&u| fitted.cell(f64::NAN, u)));
        }
        let code = graph.columns(&records.filled, columns, self.n_features(), 1);
        self.placed(graph, records, columns, code, &begins, &gone)
    }

    /// Rows of numbers with levels: one for each interval, and one for a missing value.
    fn number_rows(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        columns: &[usize],
        uniforms: &Array2<f64>,
        tables: &mut Tables,
    ) -> Value {
        let (mut begins, mut gone, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        for &column in columns {
            begins.push(tables.states as f64);
            let (fitted, u) = (&self.columns[column], uniforms.column(column));
            let (ends, inside) = self.columns[column].intervals();
            for x in inside {
                tables.push(u.iter().map(|&u| fitted.cell(x, u)));
            }
            lists.push(ends);
            gone.push(tables.states as f64);
            tables.push(u.iter().map(|&u| fitted.cell(f64::NAN, u)));
        }
        let x = graph.columns(&records.filled, columns, self.n_features(), 1);
        let search = Search::new(graph, &x, &lists, false);
        let numbered: Vec<Vec<f64>> =
            lists.iter().map(|ends| (0..ends.len()).map(|i| i as f64).collect()).collect();
        let interval = search.read(graph, &numbered);
        self.placed(graph, records, columns, interval, &begins, &gone)
    }

    /// The row of each column: its first one and the number of its state, or that of a missing value.
    fn placed(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        columns: &[usize],
        state: Value,
        begins: &[f64],
        gone: &[f64],
    ) -> Value {
        let (begins, gone) = (graph.doubles(begins, &[columns.len()]), graph.doubles(gone, &[columns.len()]));
        let missing = graph.columns(&records.missing, columns, self.n_features(), 1);
        let row = graph.add(&state, &begins);
        graph.choose(&missing, &gone, &row)
    }
}

impl FittedColumn {
    /// Ends of the intervals that its numbers are told apart by, and a number in each.
    pub fn intervals(&self) -> (Vec<f64>, Vec<f64>) {
        match &self.transform {
            Transform::Levels(levels) => intervals(levels),
            _ => (vec![f64::NEG_INFINITY], vec![0.0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Rare;

    #[test]
    fn every_interval_has_a_number_that_lies_in_it() {
        let levels = Levels::fit(vec![-3.0, 0.0, 1.0, 1e9], &[70, 29, 3, 5], Rare::OthersApart);
        let (ends, inside) = intervals(&levels);
        assert_eq!((ends.len(), inside.len()), (9, 9));
        for (i, x) in inside.iter().enumerate() {
            assert_eq!(ends.partition_point(|end| end <= x) - 1, i, "{x}");
            // Levels are at odd places, and what lies between them has no cell.
            assert_eq!(levels.apart(*x).is_none(), i % 2 == 1, "{x}");
        }
    }
}
