//! Where numbers lie among sorted ones, and what a table says there: how maps that are known piece by piece
//! are written into a graph.
//!
//! A binary search, each step one comparison of all numbers at once, takes as many steps as the lists have
//! digits, and no memory beyond that of the numbers. Comparing with all of a list would multiply it by the
//! length of the list.

use super::graph::{Graph, Value};

/// Places of numbers among sorted lists, one list for each column.
#[derive(Debug, Clone)]
pub struct Search {
    /// Place in the tables, the rows of which lie behind each other.
    at: Value,
    /// Length of a row: a power of two.
    width: usize,
    columns: usize,
}

impl Search {
    /// Finds the last element of each list that is at most the number (below it, if `strictly`), or the first
    /// element where there is none such.
    ///
    /// # Shapes
    /// `x: (…, columns)`, one ascending list for each column, none of them empty
    pub fn new(graph: &mut Graph, x: &Value, lists: &[Vec<f64>], strictly: bool) -> Self {
        let longest = lists.iter().map(Vec::len).max().unwrap_or(1);
        let (width, columns) = (longest.next_power_of_two(), lists.len());
        let table = padded(graph, lists, width, f64::INFINITY);
        let begins: Vec<i64> = (0..columns).map(|column| (column * width) as i64).collect();
        let mut at = graph.ints(&begins, &[columns]);
        let mut step = width / 2;
        while step > 0 {
            let ahead = graph.ints(&[step as i64], &[]);
            let candidate = graph.add(&at, &ahead);
            let element = graph.take(&table, &candidate, 0);
            let holds = if strictly { graph.above(x, &element) } else { graph.at_least(x, &element) };
            at = graph.choose(&holds, &candidate, &at);
            step /= 2;
        }
        if width == 1 {
            // No step has given the places the shape of the numbers.
            let beyond = graph.number(f64::INFINITY);
            let nowhere = graph.above(x, &beyond);
            let zeros = graph.to_int(&nowhere);
            at = graph.add(&at, &zeros);
        }
        Self { at, width, columns }
    }

    /// What a table says at the places: one list for each column, as long as the one that was searched.
    ///
    /// # Shapes
    /// → `(…, columns)`
    pub fn read(&self, graph: &mut Graph, lists: &[Vec<f64>]) -> Value {
        debug_assert_eq!(lists.len(), self.columns, "one list for each column");
        let table = padded(graph, lists, self.width, 0.0);
        graph.take(&table, &self.at, 0)
    }
}

/// Lists behind each other, each filled up to the same length.
fn padded(graph: &mut Graph, lists: &[Vec<f64>], width: usize, with: f64) -> Value {
    let mut all = vec![with; lists.len() * width];
    for (row, list) in all.chunks_exact_mut(width).zip(lists) {
        row[..list.len()].copy_from_slice(list);
    }
    graph.doubles(&all, &[all.len()])
}
