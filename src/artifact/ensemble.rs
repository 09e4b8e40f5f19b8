//! Several densities as one: the mixture of the members, with weights chosen on validation records.
//!
//! ```text
//! log p(v) = log Σ_m w_m p_m(v)
//! ```
//!
//! Flows of different seeds err in different places, and their mean density is at least as good as the mean
//! of their log-densities (Jensen's inequality). Weights are those of expectation maximisation with fixed
//! components, drawn towards equality by a prior worth [`PRIOR_RECORDS`] records, so that few validation
//! records cannot decide everything.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::Rng;

use super::model::{Member, Model};
use super::tensors::Tensor;
use crate::density::Density;
use crate::features::GraphCoordinates;
use crate::num::stable::log_sum_exp;
use crate::onnx::{Graph, Inexpressible, Value};
use crate::random::Seed;

/// Records the equal weights are worth.
const PRIOR_RECORDS: f64 = 20.0;
/// Iterations of expectation maximisation: weights of a handful of members settle within a few dozen.
const ITERATIONS: usize = 100;

/// A mixture of fitted densities of the same dimension.
#[derive(Debug, Clone)]
pub struct Ensemble {
    members: Vec<Member>,
}

impl Ensemble {
    /// Puts members together; nothing where there are none, their dimensions or contexts differ, one is an
    /// ensemble itself, or the weights are not positive numbers that sum to one.
    pub fn new(members: Vec<Member>) -> Option<Self> {
        let d = members.first()?.model.n_features();
        let sum: f64 = members.iter().map(|m| m.weight).sum();
        // 1e-9: weights are divided by their sum and written with all their digits.
        let sound = (sum - 1.0).abs() < 1e-9
            && members.iter().all(|m| {
                m.weight > 0.0
                    && m.model.members().is_empty()
                    && m.model.n_features() == d
                    && m.model.context() == members[0].model.context()
            });
        sound.then_some(Self { members })
    }
}

impl Model for Ensemble {
    fn tensors(&self) -> Vec<Tensor> {
        let members = self.members.iter().enumerate();
        members.flat_map(|(i, m)| m.model.tensors().into_iter().map(move |t| t.of_member(i))).collect()
    }

    fn members(&self) -> &[Member] {
        &self.members
    }

    fn in_double(&self) -> Option<Arc<dyn Model>> {
        let exact = |m: &Member| Member {
            weight: m.weight,
            model: m.model.in_double().unwrap_or_else(|| Arc::clone(&m.model)),
        };
        Some(Arc::new(Self { members: self.members.iter().map(exact).collect() }))
    }

    fn log_prob_in(&self, graph: &mut Graph, at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        let mut terms = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let log_prob = member.model.log_prob_in(graph, at)?;
            let term = graph.plus(&log_prob, member.weight.ln());
            terms.push(graph.unsqueeze(&term, 1));
        }
        let terms = graph.concat(&terms, 1);
        Ok(graph.log_sum_exp(&terms, 1, false))
    }
}

impl Density for Ensemble {
    fn n_features(&self) -> usize {
        self.members[0].model.n_features()
    }

    fn n_parameters(&self) -> usize {
        self.members.iter().map(|m| m.model.n_parameters()).sum::<usize>() + self.members.len() - 1
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        let parts: Vec<Array1<f64>> = self.members.iter().map(|m| m.model.log_prob(v)).collect();
        let mut terms = vec![0.0; parts.len()];
        (0..v.nrows())
            .map(|i| {
                for ((t, part), m) in terms.iter_mut().zip(&parts).zip(&self.members) {
                    *t = m.weight.ln() + part[i];
                }
                log_sum_exp(&terms)
            })
            .collect()
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        self.sample_given(Array2::zeros((n, 0)).view(), seed)
    }

    fn context(&self) -> &[usize] {
        self.members[0].model.context()
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        let n = context.nrows();
        let mut rng = seed.stream("ensemble-sample", 0);
        let chosen: Vec<usize> =
            (0..n).map(|_| self.choose((rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)).collect();
        let mut rows = Array2::zeros((n, self.n_features()));
        for (m, member) in self.members.iter().enumerate() {
            let places: Vec<usize> = (0..n).filter(|&i| chosen[i] == m).collect();
            let given = context.select(Axis(0), &places);
            let seed = seed.child("ensemble-member", m as u64);
            let drawn = member.model.sample_given(given.view(), seed);
            for (place, row) in places.into_iter().zip(drawn.rows()) {
                rows.row_mut(place).assign(&row);
            }
        }
        rows
    }
}

impl Ensemble {
    fn choose(&self, mut u: f64) -> usize {
        for (m, member) in self.members.iter().enumerate() {
            if u < member.weight {
                return m;
            }
            u -= member.weight;
        }
        self.members.len() - 1
    }
}

/// Weights that make the mixture of members likely on held-out records; equal where there are none.
///
/// # Shapes
/// `log_prob: (n, members)`, log-densities of n held-out vectors; `records` ≤ n is how many records they are
/// draws of.
pub(super) fn weights(log_prob: ArrayView2<'_, f64>, records: usize) -> Vec<f64> {
    let (n, k) = log_prob.dim();
    let mut weights = vec![1.0 / k as f64; k];
    if n == 0 || k == 1 {
        return weights;
    }
    let per_row = records as f64 / n as f64;
    let prior = PRIOR_RECORDS / k as f64;
    for _ in 0..ITERATIONS {
        let mut share = vec![prior; k];
        for row in log_prob.rows() {
            let terms: Vec<f64> = row.iter().zip(&weights).map(|(l, w)| l + w.ln()).collect();
            let total = log_sum_exp(&terms);
            if total.is_finite() {
                share.iter_mut().zip(&terms).for_each(|(s, t)| *s += per_row * (t - total).exp());
            }
        }
        let sum: f64 = share.iter().sum();
        weights = share.iter().map(|s| s / sum).collect();
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::baseline::Mixture;
    use ndarray::{Array3, array};

    fn normal(mean: f64) -> Arc<dyn Model> {
        let unit = Array3::from_elem((1, 1, 1), 1.0);
        Arc::new(Mixture::new(array![1.0], array![[mean]], unit).unwrap())
    }

    fn two() -> Ensemble {
        let member = |weight, mean| Member { weight, model: normal(mean) };
        Ensemble::new(vec![member(0.25, -3.0), member(0.75, 3.0)]).unwrap()
    }

    #[test]
    fn the_density_integrates_to_one_and_is_the_weighted_sum() {
        let grid = Array2::from_shape_fn((4000, 1), |(i, _)| -10.0 + 0.005 * (i as f64 + 0.5));
        let mass: f64 = two().log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * 0.005;
        assert!((mass - 1.0).abs() < 1e-6, "{mass}");
        let at = two().log_prob(array![[3.0]].view())[0].exp();
        let one = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        // 1e-12: two exponentials and a logarithm.
        assert!((at - 0.25 * one(6.0) - 0.75 * one(0.0)).abs() < 1e-12);
    }

    #[test]
    fn samples_come_from_members_by_weight_and_repeat() {
        let x = two().sample(8000, Seed(3));
        assert_eq!(x, two().sample(8000, Seed(3)));
        let right = x.iter().filter(|v| **v > 0.0).count() as f64 / 8000.0;
        // 5 standard errors of a share of 0.75 among 8,000.
        assert!((right - 0.75).abs() < 0.025, "{right}");
    }

    #[test]
    fn weights_follow_the_better_member_but_not_on_a_handful_of_records() {
        let log_prob = |n: usize| Array2::from_shape_fn((n, 2), |(_, m)| if m == 0 { 0.0 } else { -2.0 });
        let many = weights(log_prob(5000).view(), 5000);
        assert!(many[0] > 0.99 && many[1] > 0.0, "{many:?}");
        let few = weights(log_prob(4).view(), 4);
        assert!(few[0] > 0.5 && few[0] < 0.7, "{few:?}");
        assert_eq!(weights(log_prob(0).view(), 0), [0.5, 0.5]);
    }

    #[test]
    fn unsound_members_are_refused() {
        assert!(Ensemble::new(Vec::new()).is_none());
        assert!(Ensemble::new(vec![Member { weight: 0.9, model: normal(0.0) }]).is_none());
        let nested = Member { weight: 1.0, model: Arc::new(two()) };
        assert!(Ensemble::new(vec![nested]).is_none());
    }
}
