//! Decides from the data, before any training, which coordinates condition which.
//!
//! A coupling models how its transformed coordinates depend on its conditioning coordinates. It cannot see
//! dependence within either half. The two halves are therefore chosen so that they cut as much dependence as
//! possible. Pairs that an earlier block has already cut count for less:
//!
//! ```text
//! maximise Σ_{i conditioning, j transformed} w_ij        w_ij = dependence_ij · 2^{−(times cut before)}
//! ```
//!
//! The search exchanges coordinates between the halves until no exchange helps.

use ndarray::{Array2, ArrayView2, Axis};

use crate::flow::config::FlowConfig;

/// Factor by which the weight of a pair falls each time it is cut.
const FADING: f64 = 0.5;
/// Largest number of rounds of exchanges per block. It is far more than are ever needed.
const MAX_ROUNDS: usize = 20;

/// Strength of dependence of each pair of coordinates.
///
/// It is −½ ln(1 − r²), the mutual information of a Gaussian pair with correlation r, for the largest r²
/// among (x_i, x_j), (x_i², x_j), (x_i, x_j²) and (x_i², x_j²). The squares find coordinates that are
/// dependent without being correlated.
///
/// # Shapes
/// `x: (d, n)` → `(d, d)`, symmetric, with 0 on the diagonal
pub fn dependence(x: ArrayView2<'_, f64>) -> Array2<f64> {
    let (d, n) = x.dim();
    let standardised = |rows: Array2<f64>| {
        let mut rows = rows;
        for mut row in rows.axis_iter_mut(Axis(0)) {
            let mean = row.sum() / n.max(1) as f64;
            row -= mean;
            let norm = row.dot(&row).sqrt();
            // A constant row depends on nothing.
            row *= if norm > 0.0 && norm.is_finite() { 1.0 / norm } else { 0.0 };
        }
        rows
    };
    let first = standardised(x.to_owned());
    let second = standardised(first.mapv(|v| v * v));
    let (linear, mixed, squares) = (first.dot(&first.t()), second.dot(&first.t()), second.dot(&second.t()));
    Array2::from_shape_fn((d, d), |(i, j)| {
        if i == j {
            return 0.0;
        }
        let all = [linear[(i, j)], mixed[(i, j)], mixed[(j, i)], squares[(i, j)]];
        let r2 = all.iter().map(|r| r * r).filter(|r| r.is_finite()).fold(0.0, f64::max);
        // The limit on r² is for exact duplicates, which would otherwise have infinite weight.
        -0.5 * (1.0 - r2.min(0.999)).ln()
    })
}

/// A permutation for the linear layer of every block, from first to last: output i of block b is its input
/// `arrange(..)[b][i]`.
///
/// Blocks come in pairs whose couplings transform complementary halves. The second block of each pair gets
/// the identity, so that both blocks see the same halves.
///
/// # Shapes
/// `dependence: (d, d)`, where d is the configuration's number of features
///
/// # Panics
/// If `dependence` has another shape.
pub fn arrange(config: &FlowConfig, dependence: ArrayView2<'_, f64>) -> Vec<Vec<usize>> {
    let d = config.n_features;
    assert_eq!(dependence.dim(), (d, d), "a dependence for each pair of coordinates");
    let mut weights = dependence.to_owned();
    let identity: Vec<usize> = (0..d).collect();
    // The coordinate of the data at each place.
    let mut places = identity.clone();
    let mut layers = Vec::new();
    for block in 0..config.n_blocks {
        if !block.is_multiple_of(2) {
            layers.push(identity.clone());
            continue;
        }
        let transforms = config.transforms(block);
        let mut order = identity.clone();
        // The pull of a place is what it gains by changing sides: its weights to its own side less its
        // weights to the other.
        let weight = |order: &[usize], i: usize, k: usize| weights[(places[order[i]], places[order[k]])];
        let signed = |i: usize, k: usize, w: f64| if transforms[i] == transforms[k] { w } else { -w };
        let mut pull: Vec<f64> = (0..d)
            .map(|i| (0..d).filter(|&k| k != i).map(|k| signed(i, k, weight(&order, i, k))).sum())
            .collect();
        for _ in 0..MAX_ROUNDS {
            let mut improved = false;
            for i in (0..d).filter(|&i| transforms[i]) {
                let best = (0..d)
                    .filter(|&j| !transforms[j])
                    // After the exchange the pair itself is still cut, but both pulls have counted its weight
                    // as lost.
                    .map(|j| (pull[i] + pull[j] + 2.0 * weight(&order, i, j), j))
                    .reduce(|a, b| if b.0 > a.0 { b } else { a });
                let Some((_, j)) = best.filter(|(gain, _)| *gain > 1e-9) else { continue };
                for k in (0..d).filter(|&k| k != i && k != j) {
                    // i and j are on different sides, so what one side gains, the other side loses.
                    let change = weight(&order, j, k) - weight(&order, i, k);
                    pull[k] += signed(i, k, 2.0 * change);
                }
                order.swap(i, j);
                for place in [i, j] {
                    pull[place] = (0..d)
                        .filter(|&k| k != place)
                        .map(|k| signed(place, k, weight(&order, place, k)))
                        .sum();
                }
                improved = true;
            }
            if !improved {
                break;
            }
        }
        places = order.iter().map(|&from| places[from]).collect();
        for i in 0..d {
            for j in 0..d {
                if transforms[i] != transforms[j] {
                    weights[(places[i], places[j])] *= FADING;
                }
            }
        }
        layers.push(order);
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::draw::{is_permutation, standard_normal};
    use crate::random::Seed;

    #[test]
    fn dependence_finds_correlation_and_parabolas_but_not_independence() {
        let mut rng = Seed(8).stream("test", 0);
        let mut x = Array2::from_shape_fn((5, 2000), |_| standard_normal(&mut rng));
        for n in 0..2000 {
            x[(1, n)] = 0.9 * x[(0, n)] + 0.4 * x[(1, n)];
            x[(3, n)] = 0.5 * x[(2, n)] * x[(2, n)] + 0.3 * x[(3, n)];
            x[(4, n)] = 1.0;
        }
        let found = dependence(x.view());
        assert!(found[(0, 1)] > 0.5 && found[(2, 3)] > 0.5 && found[(3, 2)] == found[(2, 3)]);
        for (i, j) in [(0, 2), (0, 3), (1, 2), (1, 3), (0, 4)] {
            assert!(found[(i, j)] < 0.02, "{i} {j}: {}", found[(i, j)]);
        }
    }

    #[test]
    fn dependent_pairs_are_put_on_different_sides() {
        let d = 8;
        let config = FlowConfig { n_blocks: 4, ..FlowConfig::new(d) };
        // The dependent pairs are (0, 1), (2, 3), …: the default halves would leave every one of them uncut
        // at first.
        let weights =
            Array2::from_shape_fn((d, d), |(i, j)| if i != j && i / 2 == j / 2 { 1.0 } else { 0.0 });
        let layers = arrange(&config, weights.view());
        assert_eq!(layers.len(), 4);
        assert!(layers.iter().all(|order| is_permutation(order, d)));
        let transforms = config.transforms(0);
        for pair in 0..d / 2 {
            let side = |coordinate: usize| {
                transforms[layers[0].iter().position(|&from| from == coordinate).unwrap()]
            };
            assert_ne!(side(2 * pair), side(2 * pair + 1));
        }
        assert!(layers[1].iter().enumerate().all(|(i, &from)| i == from));
    }

    #[test]
    fn in_time_every_pair_is_cut() {
        let d = 6;
        let config = FlowConfig { n_blocks: 12, ..FlowConfig::new(d) };
        let even = Array2::from_shape_fn((d, d), |(i, j)| if i == j { 0.0 } else { 1.0 });
        let mut places: Vec<usize> = (0..d).collect();
        let mut cut = Array2::from_elem((d, d), false);
        for (block, order) in arrange(&config, even.view()).into_iter().enumerate() {
            places = order.iter().map(|&from| places[from]).collect();
            let transforms = config.transforms(block);
            for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))) {
                cut[(places[i], places[j])] |= transforms[i] != transforms[j];
            }
        }
        assert!((0..d).all(|i| (0..d).all(|j| i == j || cut[(i, j)])));
    }
}
