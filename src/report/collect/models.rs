//! What the models are worth on held-out records.

use super::context::{Context, Scored};
use crate::artifact::{FamilyShare, Role};
use crate::num::moments::mean_and_standard_error;
use crate::num::quantile::quantile_sorted;
use crate::report::data::{
    Comparison, ComparisonRow, Epoch, LearningCurve, ModelSummary, Quantiles, SplitLikelihood, SplitScore,
};
use crate::report::measure::Z95;
use crate::schema::Split;

/// Mean difference of two models over the same records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Paired {
    pub(super) difference: f64,
    pub(super) error: f64,
    /// Share of records on which the first is better.
    pub(super) wins: f64,
}

impl Paired {
    pub(super) fn new(first: &[f64], second: &[f64]) -> Self {
        let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        let (difference, error) = mean_and_standard_error(&differences);
        let wins = differences.iter().filter(|d| **d > 0.0).count() as f64 / differences.len().max(1) as f64;
        Self { difference, error, wins }
    }

    pub(super) fn interval(self) -> (f64, f64) {
        (self.difference - Z95 * self.error, self.difference + Z95 * self.error)
    }
}

pub(super) fn summaries(context: &Context<'_>) -> Vec<ModelSummary> {
    context.models.iter().map(|m| summary(context, m)).collect()
}

fn summary(context: &Context<'_>, scored: &Scored<'_>) -> ModelSummary {
    let (header, metrics) = (&scored.model.header, &scored.model.metrics);
    let finite = |x: f64| x.is_finite().then_some(x);
    let splits = Split::ALL
        .into_iter()
        .filter_map(|s| Some((s, metrics.splits.get(&s)?)))
        .filter(|(_, m)| context.privacy.allows(m.n as u64))
        .map(|(split, m)| SplitScore {
            split: split.name().into(),
            n: context.privacy.count(m.n as u64),
            mean: finite(m.mean_log_prob),
            standard_error: m.standard_error,
            median: finite(m.median_log_prob),
            original_units: finite(m.mean_log_prob_original_units),
            original_units_error: m.standard_error_original_units,
            importance_weighted: finite(m.mean_log_prob_iw_original_units),
        })
        .collect();
    ModelSummary {
        name: scored.name.clone(),
        kind: match header.shares().as_slice() {
            [] => header.family.kind.to_string(),
            shares => ensemble(header.members.len(), shares),
        },
        family: scored.role(),
        seed: header.seed.0,
        n_parameters: metrics.n_parameters,
        epochs: metrics.epochs.map(|e| e as usize),
        train_seconds: Some(metrics.train_seconds),
        rows_per_second: metrics.rows_per_second,
        peak_memory_bytes: metrics.peak_memory_bytes,
        splits,
    }
}

/// An ensemble in words, with the weight that each family has in it.
fn ensemble(members: usize, shares: &[FamilyShare]) -> String {
    let share = |s: &FamilyShare| format!("{} × {} {:.0} %", s.members, s.family, 100.0 * s.weight);
    format!("ensemble of {members}: {}", shares.iter().map(share).collect::<Vec<_>>().join(", "))
}

pub(super) fn learning(context: &Context<'_>) -> Vec<LearningCurve> {
    let trained = context.models.iter().filter(|m| !m.model.history.is_empty());
    trained
        .map(|m| LearningCurve {
            model: m.name.clone(),
            epochs: m
                .model
                .history
                .iter()
                .filter(|row| row.member == 1)
                .map(|row| Epoch {
                    epoch: row.epoch as usize,
                    train: row.train_log_prob,
                    validation: Some(row.validation_log_prob).filter(|v| v.is_finite()),
                })
                .collect(),
            best_epoch: m.model.header.training.and_then(|t| t.best_epoch).map(|e| e as usize),
            validation_error: m.model.metrics.splits.get(&Split::Validation).and_then(|v| v.standard_error),
        })
        .collect()
}

pub(super) fn comparison(context: &Context<'_>) -> Option<Comparison> {
    let split = context.test?;
    let mut ranked: Vec<(&str, Vec<f64>, f64, f64)> = context
        .models
        .iter()
        .filter_map(|m| {
            let scores = m.log_prob(split)?.clone();
            let (mean, error) = mean_and_standard_error(&scores);
            Some((m.name.as_str(), scores, mean, error))
        })
        .collect();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    let best = ranked.first()?.1.clone();
    let rows = ranked
        .iter()
        .map(|(name, scores, mean, error)| {
            let paired = Paired::new(scores, &best);
            let (low, high) = paired.interval();
            ComparisonRow {
                model: (*name).to_owned(),
                mean: *mean,
                standard_error: *error,
                difference: paired.difference,
                difference_error: paired.error,
                low,
                high,
                wins_percent: 100.0 * paired.wins,
            }
        })
        .collect();
    Some(Comparison { split: split.name().into(), n: context.privacy.count(best.len() as u64), rows })
}

/// Best flow against best mixture on the test split, both chosen on validation: `(flow, mixture, flow −
/// mixture)`.
pub(super) fn duel<'c>(context: &'c Context<'_>) -> Option<(&'c Scored<'c>, &'c Scored<'c>, Paired)> {
    let split = context.test?;
    let best = |role: Role| {
        let mut of = context.models.iter().filter(move |m| m.role() == role);
        let first = of.next()?;
        Some(of.fold(first, |a, b| if b.standing() > a.standing() { b } else { a }))
    };
    let (flow, mixture) = (best(Role::Flow)?, best(Role::Mixture)?);
    let paired = Paired::new(flow.log_prob(split)?, mixture.log_prob(split)?);
    Some((flow, mixture, paired))
}

pub(super) fn by_split(context: &Context<'_>) -> Vec<SplitLikelihood> {
    let mut rows = Vec::new();
    for m in &context.models {
        for (split, scores) in m.scores.keys().filter_map(|split| Some((split, m.log_prob(*split)?))) {
            // Five numbers of few records would be those records.
            if !context.privacy.allows(scores.len() as u64) {
                continue;
            }
            let mut sorted = scores.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let at = |p| quantile_sorted(&sorted, p);
            rows.push(SplitLikelihood {
                model: m.name.clone(),
                split: split.name().into(),
                n: context.privacy.count(sorted.len() as u64),
                quantiles: Quantiles {
                    p5: at(0.05),
                    p25: at(0.25),
                    p50: at(0.5),
                    p75: at(0.75),
                    p95: at(0.95),
                },
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairing_cancels_what_is_hard_for_both() {
        let hard: Vec<f64> = (0..100).map(|i| -f64::from(i % 10) * 50.0).collect();
        let better: Vec<f64> =
            hard.iter().enumerate().map(|(i, l)| l + 0.5 + 0.1 * (i as f64).sin()).collect();
        let paired = Paired::new(&better, &hard);
        assert!((paired.difference - 0.5).abs() < 0.02 && paired.error < 0.01);
        assert_eq!(paired.wins, 1.0);
        assert!(paired.interval().0 > 0.4);
        assert!(Paired::new(&[1.0], &[0.5]).error.is_nan());
    }
}
