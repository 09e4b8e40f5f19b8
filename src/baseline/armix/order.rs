//! In which order coordinates are conditioned on each other, and on which of those before it each one is.
//!
//! The order is that of a spanning tree of strongest correlations (Prim 1957): it begins with the coordinate
//! that is correlated most with all others, and goes on with the one that is correlated most with any that
//! has come. Where more coordinates have come than a regression should have, those are chosen that bring its
//! residual variance down most, one after the other (forward selection), from the correlations alone.

use ndarray::{Array2, ArrayView2, Axis};
use rand::seq::SliceRandom;

use super::settings::ArmixOrder;
use crate::random::Seed;

/// Coordinates further out count as if they lay here, in standard deviations, so that a few far records do
/// not decide about correlations.
const FAR: f64 = 4.0;

/// Correlations of standardised coordinates, `(d, d)`.
///
/// # Shapes
/// `z: (n, d)`
pub(super) fn correlations(z: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut near = z.mapv(|z| z.clamp(-FAR, FAR));
    if let Some(mean) = near.mean_axis(Axis(0)) {
        near -= &mean;
    }
    let mut products = near.t().dot(&near);
    let scale = products.diag().mapv(|v| if v > 0.0 { v.sqrt().recip() } else { 0.0 });
    for ((i, j), product) in products.indexed_iter_mut() {
        *product *= scale[i] * scale[j];
    }
    products
}

/// The order of the coordinates that are not in `context`, which comes before all of them.
///
/// # Shapes
/// `correlations: (d, d)`
pub(super) fn ordered(
    kind: ArmixOrder,
    correlations: ArrayView2<'_, f64>,
    context: &[usize],
    seed: Seed,
) -> Vec<usize> {
    let mut order: Vec<usize> = match kind {
        ArmixOrder::Dependence | ArmixOrder::DependenceReversed => by_dependence(correlations, context),
        ArmixOrder::Columns | ArmixOrder::ColumnsReversed | ArmixOrder::Random => {
            (0..correlations.nrows()).filter(|j| !context.contains(j)).collect()
        }
    };
    match kind {
        ArmixOrder::Dependence | ArmixOrder::Columns => {}
        ArmixOrder::DependenceReversed | ArmixOrder::ColumnsReversed => order.reverse(),
        ArmixOrder::Random => order.shuffle(&mut seed.stream("armix-order", 0)),
    }
    order
}

fn by_dependence(correlations: ArrayView2<'_, f64>, context: &[usize]) -> Vec<usize> {
    let d = correlations.nrows();
    let mut waiting: Vec<usize> = (0..d).filter(|j| !context.contains(j)).collect();
    // How strongly each coordinate is tied to those that have come; at first, to all.
    let tie = |j: usize, i: usize| correlations[[j, i]].abs();
    let mut ties: Vec<f64> = (0..d)
        .map(|j| match context {
            [] => (0..d).filter(|&i| i != j).map(|i| tie(j, i)).sum(),
            _ => context.iter().map(|&i| tie(j, i)).fold(0.0, f64::max),
        })
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        // Among equals the first, whatever the machine.
        let at = (0..waiting.len()).fold(
            0,
            |best, at| {
                if ties[waiting[at]] > ties[waiting[best]] { at } else { best }
            },
        );
        let next = waiting.remove(at);
        for &j in &waiting {
            let with_it = tie(j, next);
            ties[j] = if order.is_empty() && context.is_empty() { with_it } else { ties[j].max(with_it) };
        }
        order.push(next);
    }
    order
}

/// At most `most` of the `candidates`, ascending: those that tell most of `target`.
///
/// # Shapes
/// `correlations: (d, d)`
pub(super) fn most_telling(
    correlations: ArrayView2<'_, f64>,
    candidates: &[usize],
    target: usize,
    most: usize,
) -> Vec<usize> {
    let mut chosen: Vec<usize> = if candidates.len() <= most {
        candidates.to_vec()
    } else {
        forward_selection(correlations, candidates, target, most)
    };
    chosen.sort_unstable();
    chosen
}

/// What is left of a candidate when those that were chosen are known.
struct Candidate {
    coordinate: usize,
    variance: f64,
    covariance_with_target: f64,
    /// Its row of the Cholesky factor of the correlations in the order of choice.
    factor: Vec<f64>,
}

fn forward_selection(
    correlations: ArrayView2<'_, f64>,
    candidates: &[usize],
    target: usize,
    most: usize,
) -> Vec<usize> {
    /// Variance below which a candidate is a function of those that were chosen.
    const NOTHING_LEFT: f64 = 1e-6;
    let mut left: Vec<Candidate> = candidates
        .iter()
        .map(|&j| Candidate {
            coordinate: j,
            variance: correlations[[j, j]],
            covariance_with_target: correlations[[j, target]],
            factor: Vec::with_capacity(most),
        })
        .collect();
    let gain = |c: &Candidate| {
        if c.variance > NOTHING_LEFT { c.covariance_with_target.powi(2) / c.variance } else { -1.0 }
    };
    let mut chosen = Vec::with_capacity(most);
    let mut of_target: Vec<f64> = Vec::with_capacity(most);
    while chosen.len() < most && !left.is_empty() {
        let at =
            (0..left.len()).fold(0, |best, at| if gain(&left[at]) > gain(&left[best]) { at } else { best });
        let next = left.swap_remove(at);
        if next.variance <= NOTHING_LEFT {
            break;
        }
        let deviation = next.variance.sqrt();
        of_target.push(next.covariance_with_target / deviation);
        for c in &mut left {
            let known: f64 = c.factor.iter().zip(&next.factor).map(|(a, b)| a * b).sum();
            let entry = (correlations[[c.coordinate, next.coordinate]] - known) / deviation;
            c.factor.push(entry);
            c.variance -= entry * entry;
            c.covariance_with_target -= entry * of_target[of_target.len() - 1];
        }
        // `swap_remove` changed the order, and equals must be met in the order of coordinates.
        left.sort_unstable_by_key(|c| c.coordinate);
        chosen.push(next.coordinate);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_order_follows_the_strongest_ties() {
        // 2 is the hub; 0 hangs on 2, 3 on 0, and 1 on nothing.
        let r =
            array![[1.0, 0.0, 0.8, 0.6], [0.0, 1.0, 0.1, 0.0], [0.8, 0.1, 1.0, 0.55], [0.6, 0.0, 0.55, 1.0]];
        assert_eq!(by_dependence(r.view(), &[]), [2, 0, 3, 1]);
        assert_eq!(by_dependence(r.view(), &[3]), [0, 2, 1]);
    }

    #[test]
    fn a_copy_is_not_chosen_beside_its_original() {
        // 0 and 1 are the same; 2 tells little of the target 3, but something new.
        let r =
            array![[1.0, 1.0, 0.0, 0.8], [1.0, 1.0, 0.0, 0.8], [0.0, 0.0, 1.0, 0.3], [0.8, 0.8, 0.3, 1.0]];
        assert_eq!(most_telling(r.view(), &[0, 1, 2], 3, 2), [0, 2]);
        assert_eq!(most_telling(r.view(), &[0, 1, 2], 3, 5), [0, 1, 2]);
    }

    #[test]
    fn a_constant_coordinate_is_correlated_with_nothing() {
        let z = array![[0.0, 1.0], [0.0, -1.0], [0.0, 3.0]];
        let r = correlations(z.view());
        assert_eq!(r[[0, 1]], 0.0);
        assert!((r[[1, 1]] - 1.0).abs() < 1e-12);
    }
}
