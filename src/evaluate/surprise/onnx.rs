//! The surprise of single values as a graph of ONNX, of all columns at once.
//!
//! Between two stored quantiles the tail is linear in the number, and beyond the outermost ones its logarithm
//! is, so that two values of the function in an interval say all about it there:
//!
//! ```text
//! surprise(x) = −ln(a + b (x − r)) + c + d (x − r)        r: the end of the interval
//! ```

use super::surprise;
use crate::evaluate::parts::MOST;
use crate::features::{Encoder, Noise, QUANTILE_LEVELS, RawRecords, Transform};
use crate::onnx::{Graph, Search, Value};

/// r, a, b, c and d of the head of the module, of each interval.
type Intervals = [Vec<f64>; 5];

/// The ends of the intervals of a column, and the function on each.
fn intervals(quantiles: &[f64], resolution: f64) -> (Vec<f64>, Intervals) {
    let mut distinct = quantiles.to_vec();
    distinct.dedup();
    let outermost = QUANTILE_LEVELS.len() - 2;
    let is_outer = |low: f64, high: f64| high <= quantiles[1] || low >= quantiles[outermost];
    let of = |x: f64| surprise(quantiles, x, resolution);
    let (mut ends, mut out) = (vec![f64::NEG_INFINITY], Intervals::default());
    let mut push = |row: [f64; 5]| out.iter_mut().zip(row).for_each(|(list, x)| list.push(x));
    let width = distinct[distinct.len() - 1] - distinct[0];
    let unit = if width > 0.0 { width } else { distinct[0].abs().max(1.0) };
    let line = |x1: f64, x2: f64, y1: f64, y2: f64, r: f64| {
        let steepness = (y2 - y1) / (x2 - x1);
        (y1 - steepness * (x1 - r), steepness)
    };
    let beyond = |r: f64, direction: f64| {
        let (x1, x2) = (r + direction * unit, r + 2.0 * direction * unit);
        let (c, d) = line(x1, x2, of(x1), of(x2), r);
        [r, 1.0, 0.0, c, d]
    };
    push(beyond(distinct[0], -1.0));
    for (i, &q) in distinct.iter().enumerate() {
        ends.extend([q, q.next_up()]);
        push([q, 1.0, 0.0, of(q), 0.0]);
        let Some(&next) = distinct.get(i + 1) else {
            push(beyond(q, 1.0));
            continue;
        };
        let (x1, x2) = (q + 0.25 * (next - q), q + 0.75 * (next - q));
        push(if x1 >= x2 {
            // No number lies between them.
            [q, 1.0, 0.0, of(q), 0.0]
        } else if is_outer(q, next) {
            let (c, d) = line(x1, x2, of(x1), of(x2), q);
            [q, 1.0, 0.0, c, d]
        } else {
            let (a, b) = line(x1, x2, (-of(x1)).exp(), (-of(x2)).exp(), q);
            [q, a, b, 0.0, 0.0]
        });
    }
    (ends, out)
}

impl Encoder {
    /// [`crate::features::FittedColumn::surprise`] of every number, 0 where it is missing, `(n, columns)`
    /// with the columns in any order; nothing where no column has any.
    pub(in crate::evaluate) fn surprises_in(&self, graph: &mut Graph, records: &RawRecords) -> Option<Value> {
        let p = self.n_features();
        let by_levels = |column: usize| {
            let column = &self.columns[column];
            matches!(column.transform, Transform::Levels(_)) && !column.levels.is_empty()
        };
        let (levels, numbers): (Vec<usize>, Vec<usize>) = (0..p).partition(|&column| by_levels(column));
        let numbers: Vec<usize> =
            numbers.into_iter().filter(|&column| !self.columns[column].quantiles.is_empty()).collect();
        let mut parts = Vec::new();
        if !numbers.is_empty() {
            let x = graph.columns(&records.filled, &numbers, p, 1);
            let (mut ends, mut lists) = (Vec::new(), [const { Vec::new() }; 5]);
            for &column in &numbers {
                let column = &self.columns[column];
                let resolution = if let Noise::Uniform { delta } = column.noise { delta } else { 1.0 };
                let (own, rows) = intervals(&column.quantiles, resolution);
                ends.push(own);
                lists.iter_mut().zip(rows).for_each(|(list, row): (&mut Vec<Vec<f64>>, _)| list.push(row));
            }
            let search = Search::new(graph, &x, &ends, false);
            let [r, a, b, c, d] = lists.map(|list| search.read(graph, &list));
            let from = graph.subtract(&x, &r);
            let share = graph.multiply(&b, &from);
            let share = graph.add(&a, &share);
            let one = graph.number(1.0);
            let share = graph.smaller(&share, &one);
            let log = graph.ln(&share);
            let linear = graph.multiply(&d, &from);
            let linear = graph.add(&c, &linear);
            parts.push(graph.subtract(&linear, &log));
        }
        if !levels.is_empty() {
            parts.push(
                self.by_level(graph, records, &levels, &|column, code| self.columns[column].surprise(code)),
            );
        }
        if parts.is_empty() {
            return None;
        }
        let all = graph.concat(&parts, 1);
        let most = graph.number(MOST);
        let all = graph.smaller(&all, &most);
        let order: Vec<usize> = numbers.into_iter().chain(levels).collect();
        let missing = graph.columns(&records.missing, &order, p, 1);
        let zero = graph.number(0.0);
        Some(graph.choose(&missing, &zero, &all))
    }

    /// What a table says of the level of each record, in columns of texts.
    ///
    /// # Shapes
    /// → `(n, columns)`
    pub(in crate::evaluate) fn by_level(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        columns: &[usize],
        of: &dyn Fn(usize, f64) -> f64,
    ) -> Value {
        let (mut table, mut begins) = (Vec::new(), Vec::new());
        for &column in columns {
            begins.push(table.len() as f64);
            table.extend((0..=self.columns[column].levels.len()).map(|code| of(column, code as f64)));
        }
        let code = graph.columns(&records.filled, columns, self.n_features(), 1);
        let begins = graph.doubles(&begins, &[columns.len()]);
        let at = graph.add(&code, &begins);
        let at = graph.to_int(&at);
        let table = graph.doubles(&table, &[table.len()]);
        graph.take(&table, &at, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_say_what_the_function_says() {
        let spread = [-3.8, -2.3, -1.9, -1.6, -1.2, -0.6, 0.0, 0.6, 1.2, 1.6, 1.9, 2.3, 3.8];
        let tied = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 7.0, 7.0];
        for quantiles in [spread, tied, [5.0; 13]] {
            let (ends, [r, a, b, c, d]) = intervals(&quantiles, 0.5);
            for i in -400..400 {
                let x = 0.025 * f64::from(i);
                let at = ends.partition_point(|end| *end <= x) - 1;
                let own = -(a[at] + b[at] * (x - r[at])).min(1.0).ln() + c[at] + d[at] * (x - r[at]);
                let exact = surprise(&quantiles, x, 0.5);
                assert!((own - exact).abs() < 1e-10 * exact.max(1.0), "{quantiles:?} {x}: {own} {exact}");
            }
        }
    }
}
