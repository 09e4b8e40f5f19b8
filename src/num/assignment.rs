//! Linear assignment: assigns a column to each row so that the sum of the costs is least.
//!
//! The method is that of shortest augmenting paths with potentials, O(n³).
//!
//! # References
//! Jonker & Volgenant (1987), Computing 38:325–340; Crouse (2016), IEEE Transactions on Aerospace and
//! Electronic Systems 52(4).

use ndarray::ArrayView2;

/// The column of each row in an assignment of least total cost.
///
/// # Shapes
/// `cost: (n, n)` → `(n,)`
///
/// # Errors
/// Returns `None` if a cost is not finite.
///
/// # Panics
/// If `cost` is not square.
///
/// # Examples
/// ```
/// use cohort_flow::num::assignment::least_cost;
/// use ndarray::array;
///
/// assert_eq!(least_cost(array![[4.0, 1.0], [2.0, 3.0]].view()), Some(vec![1, 0]));
/// ```
pub fn least_cost(cost: ArrayView2<'_, f64>) -> Option<Vec<usize>> {
    let n = cost.nrows();
    assert_eq!(n, cost.ncols(), "a row for each column");
    if cost.iter().any(|c| !c.is_finite()) {
        return None;
    }
    // The reduced costs cost[i, j] − row_price[i] − column_price[j] are never negative, and they are 0 on the
    // assignment.
    let (mut row_price, mut column_price) = (vec![0.0; n], vec![0.0; n]);
    let mut row_of: Vec<Option<usize>> = vec![None; n];
    let mut shortest = vec![0.0; n];
    let mut before = vec![0; n];
    let mut done = vec![false; n];
    for start in 0..n {
        shortest.fill(f64::INFINITY);
        done.fill(false);
        let (mut row, mut length) = (start, 0.0);
        let last = loop {
            let mut next = None;
            for j in (0..n).filter(|&j| !done[j]) {
                let through = length + cost[(row, j)] - row_price[row] - column_price[j];
                if through < shortest[j] {
                    (shortest[j], before[j]) = (through, row);
                }
                if next.is_none_or(|k: usize| shortest[j] < shortest[k]) {
                    next = Some(j);
                }
            }
            let column = next.expect("invariant: a free column is left while a row is not assigned");
            length = shortest[column];
            done[column] = true;
            match row_of[column] {
                Some(r) => row = r,
                None => break column,
            }
        };
        row_price[start] += length;
        for j in (0..n).filter(|&j| done[j] && j != last) {
            let rest = length - shortest[j];
            column_price[j] -= rest;
            row_price[row_of[j].expect("invariant: only the last column was free")] += rest;
        }
        // Reverses the assignments along the path: every column on it is assigned to the row it was reached
        // from.
        let mut column = last;
        loop {
            let from = before[column];
            row_of[column] = Some(from);
            if from == start {
                break;
            }
            // The next column is the one that row `from` held until now. It comes before this one on the
            // path.
            column = (0..n)
                .find(|&j| j != column && done[j] && row_of[j] == Some(from))
                .expect("invariant: rows on the path were assigned");
        }
    }
    let mut column_of = vec![0; n];
    for (column, row) in row_of.into_iter().enumerate() {
        column_of[row.expect("invariant: every column was assigned")] = column;
    }
    Some(column_of)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn total(cost: &Array2<f64>, columns: &[usize]) -> f64 {
        columns.iter().enumerate().map(|(i, &j)| cost[(i, j)]).sum()
    }

    fn best(cost: &Array2<f64>, row: usize, free: &mut Vec<usize>) -> f64 {
        if row == cost.nrows() {
            return 0.0;
        }
        let mut least = f64::INFINITY;
        for k in 0..free.len() {
            let column = free.swap_remove(k);
            least = least.min(cost[(row, column)] + best(cost, row + 1, free));
            free.push(column);
            let end = free.len() - 1;
            free.swap(k, end);
        }
        least
    }

    #[test]
    fn costs_no_more_than_any_other_assignment() {
        for n in 0..=7 {
            for trial in 0..20 {
                let value =
                    |i: usize, j: usize| (((i * 7 + j * 13 + trial * 31) * 2_654_435_761) % 1009) as f64;
                // Small whole numbers give ties, and signed numbers give negative costs.
                let cost = Array2::from_shape_fn((n, n), |(i, j)| {
                    if trial % 2 == 0 { value(i, j) % 5.0 } else { value(i, j) - 500.0 }
                });
                let got = least_cost(cost.view()).unwrap();
                let mut sorted = got.clone();
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..n));
                assert_eq!(total(&cost, &got), best(&cost, 0, &mut (0..n).collect()), "{cost}");
            }
        }
    }

    #[test]
    fn a_hidden_permutation_is_found_among_many() {
        let n = 200;
        let hidden = |i: usize| (i * 77 + 5) % n;
        let noise = |i: usize, j: usize| ((i * 31 + j * 17) % 97) as f64 / 200.0;
        let cost =
            Array2::from_shape_fn((n, n), |(i, j)| noise(i, j) - if hidden(i) == j { 1.0 } else { 0.0 });
        assert!(least_cost(cost.view()).unwrap().into_iter().enumerate().all(|(i, j)| j == hidden(i)));
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        assert_eq!(least_cost(ndarray::array![[f64::NAN]].view()), None);
    }
}
