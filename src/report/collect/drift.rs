//! This cohort against an older one: feature by feature, and all at once by the likelihood under its models.

use ndarray::Array2;

use super::Context;
use super::histogram::{histogram, protect_samples};
use super::models::calibrations;
use crate::artifact::ModelArtifact;
use crate::features::{Bundle, Encoder};
use crate::num::moments::{mean, mean_and_standard_error};
use crate::report::data::{Drift, FeatureDrift, JointDrift};
use crate::report::format::{fixed, signed};
use crate::report::measure::{
    Z95, ks_chance, ks_distance, stability_chance, stability_index, standardised_difference,
    standardised_error, wilson,
};
use crate::report::{Cell, Privacy};
use crate::schema::Split;

/// Cells of the stability index of a number.
const TENTHS: usize = 10;

/// An older cohort, with the models that were fitted on it.
#[derive(Debug)]
pub struct Older {
    /// What it is called.
    pub name: String,
    /// Its records.
    pub bundle: Bundle,
    /// Models fitted on it, with the records of the new cohort in each model's own terms.
    pub models: Vec<(String, ModelArtifact, Array2<f64>)>,
}

pub(super) fn drift(context: &Context<'_>, older: &Older) -> Drift {
    let (new, old) = (&context.bundle.manifest.encoder, &older.bundle.manifest.encoder);
    let position = |encoder: &Encoder, name: &str| encoder.columns.iter().position(|c| c.meta.name == name);
    let label = |encoder: &Encoder, j: usize| {
        let meta = &encoder.columns[j].meta;
        if meta.label.is_empty() { meta.name.clone() } else { meta.label.clone() }
    };
    let labels = context.labels();
    let mut features: Vec<FeatureDrift> = (0..new.n_features())
        .filter_map(|j| {
            let k = position(old, &new.columns[j].meta.name)?;
            Some(feature(context, older, labels[j].clone(), j, k))
        })
        .collect();
    // By the index relative to chance, which is on one scale for all kinds; what cannot be compared comes last.
    let key = |f: &FeatureDrift| match (f.psi, f.psi_chance) {
        (Some(psi), Some(chance)) => psi / chance,
        _ => -1.0,
    };
    features.sort_by(|a, b| key(b).total_cmp(&key(a)));
    let missing_from = |of: &Encoder, other: &Encoder| {
        (0..of.n_features())
            .filter(|&j| position(other, &of.columns[j].meta.name).is_none())
            .map(|j| label(of, j))
            .collect()
    };
    Drift {
        old: older.name.clone(),
        n_old: context.privacy.count(older.bundle.raw.nrows() as u64),
        n_new: context.privacy.count(context.bundle.raw.nrows() as u64),
        same: older.bundle.fingerprint() == context.bundle.fingerprint(),
        n_beyond_chance: features.iter().filter(|f| f.beyond_chance).count(),
        n_compared: features.iter().filter(|f| f.psi.is_some()).count(),
        only_old: missing_from(old, new),
        only_new: missing_from(new, old),
        joint: older
            .models
            .iter()
            .filter_map(|(name, model, raw)| joint(context, older, name, model, raw))
            .collect(),
        features,
    }
}

fn feature(context: &Context<'_>, older: &Older, label: String, j: usize, k: usize) -> FeatureDrift {
    let privacy = context.privacy;
    let (new, old) = (&context.bundle.manifest.encoder.columns[j], &older.bundle.manifest.encoder.columns[k]);
    let (a, b) = (Context::sorted(&older.bundle.raw, k), Context::sorted(&context.bundle.raw, j));
    let (n, m) = (older.bundle.raw.nrows(), context.bundle.raw.nrows());
    let categorical = !new.levels.is_empty() || !old.levels.is_empty();
    let told = privacy.allows(a.len() as u64) && privacy.allows(b.len() as u64);
    let number = |v: Option<f64>| v.filter(|v| told && v.is_finite());
    let counts = if categorical { by_level(context, older, j, k, &a, &b) } else { by_tenth(&a, &b) };
    let smd = number(if categorical { None } else { standardised_difference(&b, &a) });
    let psi = number(stability_index(&counts.0, &counts.1));
    let chance = psi.map(|_| stability_chance(counts.0.len(), a.len(), b.len()));
    let (missing_old, missing_new) = (n - a.len(), m - b.len());
    let shares = (missing_old as f64 / n.max(1) as f64, missing_new as f64 / m.max(1) as f64);
    let open = privacy.percent(missing_old as u64, n as u64).exact().is_some()
        && privacy.percent(missing_new as u64, m as u64).exact().is_some();
    let error = (shares.0 * (1.0 - shares.0) / n.max(1) as f64
        + shares.1 * (1.0 - shares.1) / m.max(1) as f64)
        .sqrt();
    let difference = shares.1 - shares.0;
    let values_moved = psi.zip(chance).is_some_and(|(p, c)| p > c);
    let note = if new.meta.unit == old.meta.unit {
        String::new()
    } else {
        format!("unit was {}", if old.meta.unit.is_empty() { "none" } else { &old.meta.unit })
    };
    FeatureDrift {
        label,
        unit: new.meta.unit.clone(),
        note,
        n_old: observed(privacy, a.len(), n),
        n_new: observed(privacy, b.len(), m),
        mean_old: number((!categorical).then(|| mean(&a))),
        mean_new: number((!categorical).then(|| mean(&b))),
        smd,
        smd_error: smd.and_then(|d| standardised_error(d, a.len(), b.len())),
        ks: number((!categorical).then(|| ks_distance(&a, &b))),
        psi,
        psi_chance: chance,
        missing_old: privacy.percent(missing_old as u64, n as u64),
        missing_new: privacy.percent(missing_new as u64, m as u64),
        missing_difference: open.then_some(100.0 * difference),
        missing_error: open.then_some(100.0 * error),
        beyond_chance: values_moved || (open && difference.abs() > Z95 * error),
    }
}

fn observed(privacy: Privacy, n: usize, of: usize) -> Cell {
    privacy.part(n as u64, of as u64)
}

/// Counts by tenths of the older values; values that many records share make fewer cells.
fn by_tenth(old: &[f64], new: &[f64]) -> (Vec<u64>, Vec<u64>) {
    if old.is_empty() || new.is_empty() {
        return (vec![0; 2], vec![0; 2]);
    }
    let mut edges: Vec<f64> = (1..TENTHS).map(|i| old[i * old.len() / TENTHS]).collect();
    edges.dedup();
    let counts = |of: &[f64]| {
        let mut counts = Vec::with_capacity(edges.len() + 1);
        let mut before = 0;
        for edge in &edges {
            let at = of.partition_point(|v| v < edge);
            counts.push((at - before) as u64);
            before = at;
        }
        counts.push((of.len() - before) as u64);
        counts
    };
    (counts(old), counts(new))
}

/// Counts by level name; a name only one cohort has is a level of both.
fn by_level(
    context: &Context<'_>,
    older: &Older,
    j: usize,
    k: usize,
    old: &[f64],
    new: &[f64],
) -> (Vec<u64>, Vec<u64>) {
    let name = |encoder: &Encoder, column: usize, code: f64| {
        encoder.level_name(column, code).map_or_else(|| format!("{code}"), str::to_owned)
    };
    let mut counts = std::collections::BTreeMap::<String, (u64, u64)>::new();
    for v in old {
        counts.entry(name(&older.bundle.manifest.encoder, k, *v)).or_default().0 += 1;
    }
    for v in new {
        counts.entry(name(&context.bundle.manifest.encoder, j, *v)).or_default().1 += 1;
    }
    counts.into_values().unzip()
}

/// The likelihood of all new records against that of older ones the model was not fitted on.
fn joint(
    context: &Context<'_>,
    older: &Older,
    name: &str,
    model: &ModelArtifact,
    raw: &Array2<f64>,
) -> Option<JointDrift> {
    let privacy = context.privacy;
    let split = [Split::Test, Split::Calibration, Split::Validation]
        .into_iter()
        // A cross-conformal model was fitted on its calibration records too.
        .filter(|s| *s != Split::Calibration || model.header.calibration_folds.is_none())
        .find(|s| privacy.allows(older.bundle.manifest.splits.get(*s) as u64))?;
    if !privacy.allows(raw.nrows() as u64) {
        return None;
    }
    let held_out = older.bundle.raw_of(split);
    let (before, now) = (model.score(held_out.view()), model.score(raw.view()));
    let (mean_old, error_old) = mean_and_standard_error(&before.log_prob_tensor);
    let (mean_new, error_new) = mean_and_standard_error(&now.log_prob_tensor);
    let (difference, error) = (mean_new - mean_old, error_old.hypot(error_new));
    let (low, high) = (difference - Z95 * error, difference + Z95 * error);
    let sorted = |of: &[f64]| {
        let mut v = of.to_vec();
        v.sort_unstable_by(f64::total_cmp);
        v
    };
    let (a, b) = (sorted(&before.log_prob_tensor), sorted(&now.log_prob_tensor));
    let odd = calibrations(model).map(|calibration| {
        let p = calibration.p_values(raw.view(), &model.unusualness(raw.view(), &now));
        // A relative slack, as in flagging: 3/60 must pass at 0.05.
        p.iter().filter(|p| **p <= 0.05 * (1.0 + 1e-12)).count()
    });
    let odd = odd.filter(|k| privacy.shows(*k as u64));
    let interval = odd.map(|k| wilson(k, raw.nrows()));
    let verdict = if low > 0.0 {
        format!("records of this cohort are more ordinary to {name} than those of the older one")
    } else if high < 0.0 {
        format!("records of this cohort are stranger to {name} than those of the older one")
    } else {
        format!("the mean likelihood under {name} cannot tell the cohorts apart")
    };
    Some(JointDrift {
        model: name.to_owned(),
        n_old: privacy.count(a.len() as u64),
        n_new: privacy.count(b.len() as u64),
        mean_old,
        mean_new,
        difference,
        error,
        low,
        high,
        ks: ks_distance(&a, &b),
        ks_chance: ks_chance(a.len(), b.len()),
        odd_percent: odd.map(|k| 100.0 * k as f64 / raw.nrows() as f64),
        odd_low: interval.map(|i| 100.0 * i.0),
        odd_high: interval.map(|i| 100.0 * i.1),
        verdict: format!("{verdict}: {} ± {} nats per record", signed(difference, 3), fixed(error, 3)),
        histogram: histogram(privacy, &a, &b, None)
            .filter(|h| h.levels.is_empty())
            .and_then(|h| protect_samples(privacy, h, b.len())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_follow_the_older_values_and_lose_nobody() {
        let old: Vec<f64> = (0..100).map(f64::from).collect();
        let new: Vec<f64> = (0..50).map(|i| f64::from(i) + 75.0).collect();
        let (a, b) = by_tenth(&old, &new);
        assert_eq!(a, [10; 10]);
        assert_eq!(b.iter().sum::<u64>(), 50);
        assert_eq!((b[0], b[9]), (0, 35));
        // Most records share one value.
        let (a, _) = by_tenth(&[0.0; 100], &[0.0; 5]);
        assert_eq!(a.iter().sum::<u64>(), 100);
        assert_eq!(by_tenth(&[], &[1.0]).1, [0, 0]);
    }
}
