//! Several fitted densities as one, with weights chosen on the validation records.

use std::sync::Arc;

use ndarray::{Array2, Axis};

use super::gmm::VALIDATION_DRAWS;
use crate::artifact::ensemble::{Ensemble, weights};
use crate::artifact::estimator::Fitted;
use crate::artifact::model::Member;
use crate::evaluate::stacked_draws;
use crate::features::Bundle;
use crate::random::Seed;
use crate::schema::Split;

/// Weight below which a member is left out.
const LEAST: f64 = 0.005;

/// One density of several, at least one, which took `seconds` together. It is named after its first member,
/// and what is told about its training is what is told about that member.
pub(super) fn join(bundle: &Bundle, seed: Seed, mut fitted: Vec<Fitted>, seconds: f64) -> Fitted {
    if fitted.len() == 1 {
        return Fitted { seconds, ..fitted.remove(0) };
    }
    let raw = bundle.raw_of(Split::Validation);
    let noise = seed.child("ensemble-weights", 0);
    let rows = stacked_draws(&bundle.manifest.encoder, raw.view(), VALIDATION_DRAWS, noise);
    let mut log_prob = Array2::zeros((rows.nrows(), fitted.len()));
    for (part, mut column) in fitted.iter().zip(log_prob.columns_mut()) {
        column.assign(&part.model.log_prob(rows.view()));
    }
    let mut found = weights(log_prob.view(), raw.nrows());
    // What hardly counts would be evaluated for every record all the same. The first member, which gives the
    // density its name, stays.
    let kept: Vec<usize> = (0..fitted.len()).filter(|&i| i == 0 || found[i] >= LEAST).collect();
    if kept.len() < fitted.len() {
        log_prob = log_prob.select(Axis(1), &kept);
        found = weights(log_prob.view(), raw.nrows());
        let mut at = 0..;
        fitted.retain(|_| at.next().is_some_and(|i| kept.contains(&i)));
        if fitted.len() == 1 {
            return Fitted { seconds, ..fitted.remove(0) };
        }
    }
    let weights = found;
    let members: Vec<Member> = fitted
        .iter()
        .zip(&weights)
        .map(|(part, &weight)| Member { weight, model: Arc::clone(&part.model) })
        .collect();
    let model = Ensemble::new(members).expect("invariant: members are of one dimension, weights sum to one");
    let first = &fitted[0].account;
    let nothing = serde_json::Map::new();
    let mut joined = Fitted::new(first.family, Arc::new(model), &nothing, seed, seconds);
    joined.account.training = first.training;
    joined.training_rows = fitted.iter().map(|part| part.training_rows).sum();
    joined.training_seconds = fitted.iter().map(|part| part.training_seconds).sum();
    for (part, weight) in fitted.into_iter().zip(weights) {
        joined.history.extend(part.history);
        joined.members.push((weight, part.account));
    }
    joined
}
