//! Table 1 and missing values.

use ndarray::{Array2, Axis};

use super::context::{Context, NOT_MET};
use crate::features::Transform;
use crate::num::moments::{mean, variance};
use crate::num::quantile::quantile_sorted;
use crate::report::data::{FeatureSummary, LevelShare, Missing, SplitStats};
use crate::report::measure::{standardised_difference, standardised_error};
use crate::report::{Privacy, format};
use crate::schema::{Kind, Split};

/// Features with at most this many values are also listed by value.
const LEVELS: usize = 6;
/// Categories listed; the rest is summed.
const CATEGORIES: usize = 12;

pub(super) fn summaries(context: &Context<'_>) -> Vec<FeatureSummary> {
    let bundle = context.bundle;
    let parts: Vec<(&str, Array2<f64>)> = std::iter::once(("all", bundle.raw.clone()))
        .chain(Split::ALL.into_iter().filter(|s| context.n(*s) > 0).map(|s| (s.name(), bundle.raw_of(s))))
        .collect();
    let of = |split: Split| parts.iter().find(|p| p.0 == split.name()).map(|p| &p.1);
    let labels = context.labels();
    bundle
        .manifest
        .encoder
        .columns
        .iter()
        .enumerate()
        .map(|(j, column)| {
            let categorical = !column.levels.is_empty();
            let difference =
                of(Split::Train).zip(of(Split::Test)).filter(|_| !categorical).and_then(|(train, test)| {
                    let (a, b) = (Context::sorted(train, j), Context::sorted(test, j));
                    let enough =
                        context.privacy.allows(a.len() as u64) && context.privacy.allows(b.len() as u64);
                    let d = standardised_difference(&a, &b).filter(|_| enough)?;
                    Some((d, standardised_error(d, a.len(), b.len())))
                });
            FeatureSummary {
                name: column.meta.name.clone(),
                label: labels[j].clone(),
                group: column.meta.group.clone(),
                unit: column.meta.unit.clone(),
                kind: kind(column.meta.kind).into(),
                splits: by_split(context.privacy, &parts, j, categorical),
                levels: levels(context, j),
                smd: difference.map(|d| d.0),
                smd_error: difference.and_then(|d| d.1),
            }
        })
        .collect()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Continuous => "continuous",
        Kind::Count => "count",
        Kind::Ordinal => "ordinal",
        Kind::Binary => "binary",
        Kind::Categorical => "categorical",
    }
}

/// All records, then each split. A split with few missing (or few observed) values would be told by the other
/// splits and the total, so the largest of the others is hidden with it.
fn by_split(privacy: Privacy, parts: &[(&str, Array2<f64>)], j: usize, categorical: bool) -> Vec<SplitStats> {
    let mut out: Vec<SplitStats> =
        parts.iter().map(|(name, raw)| stats(privacy, name, raw, j, categorical)).collect();
    let secret = |i: usize| {
        let (total, observed) = (parts[i].1.nrows() as u64, Context::sorted(&parts[i].1, j).len() as u64);
        !privacy.shows(observed) || !privacy.shows(total - observed)
    };
    let (hidden, open): (Vec<usize>, Vec<usize>) = (1..parts.len()).partition(|&i| secret(i));
    let largest = open.into_iter().max_by_key(|&i| parts[i].1.nrows()).filter(|_| !hidden.is_empty());
    if let Some(i) = largest {
        (out[i].observed, out[i].missing_percent) = (privacy.hidden(), privacy.hidden());
    }
    out
}

fn stats(privacy: Privacy, split: &str, raw: &Array2<f64>, j: usize, categorical: bool) -> SplitStats {
    let values = Context::sorted(raw, j);
    let (n, total) = (values.len() as u64, raw.nrows() as u64);
    // Means of level codes say nothing, and quantiles of few records are records.
    let told = privacy.allows(n) && !categorical;
    let number = |v: f64| (told && v.is_finite()).then_some(v);
    // A quantile of few records is the value of one of them: ten are left beyond each.
    let quantile = |p: f64| {
        let beyond = (p.min(1.0 - p) * n as f64).floor() as u64;
        if privacy.identifiable() || privacy.allows(beyond) {
            number(quantile_sorted(&values, p))
        } else {
            None
        }
    };
    let range = if told { privacy.range(&values) } else { None };
    SplitStats {
        split: split.into(),
        observed: privacy.part(n, total),
        missing_percent: privacy.percent(total - n, total),
        mean: number(mean(&values)),
        sd: number(variance(&values).sqrt()),
        median: quantile(0.5),
        q1: quantile(0.25),
        q3: quantile(0.75),
        low: range.map(|r| r.0),
        high: range.map(|r| r.1),
    }
}

/// The values of features that have few, with their shares; of categories the most frequent, the number of
/// the others, and apart from both what no training record had.
fn levels(context: &Context<'_>, j: usize) -> Vec<LevelShare> {
    let encoder = &context.bundle.manifest.encoder;
    let column = &encoder.columns[j];
    let values = Context::sorted(&context.bundle.raw, j);
    let (mut counts, mut not_met): (Vec<(String, u64)>, u64) = (Vec::new(), 0);
    for group in values.chunk_by(|a, b| a == b) {
        let n = group.len() as u64;
        if column.levels.is_empty() {
            counts.push((format::significant(group[0], 6), n));
            if counts.len() > LEVELS {
                return Vec::new();
            }
        } else {
            match encoder.level_name(j, group[0]) {
                Some(name) => counts.push((name.to_owned(), n)),
                None => not_met += n,
            }
        }
    }
    if column.levels.is_empty() && !matches!(column.transform, Transform::Levels(_)) {
        return Vec::new();
    }
    if counts.len() > CATEGORIES {
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let rest = counts.split_off(CATEGORIES - 1);
        counts.push((format!("{} other levels", rest.len()), rest.iter().map(|r| r.1).sum()));
    }
    if not_met > 0 {
        counts.push((NOT_MET.to_owned(), not_met));
    }
    let (all, known) = (context.bundle.raw.nrows() as u64, values.len() as u64);
    let privacy = context.privacy;
    let parts = privacy.parts(counts, all - known).into_iter();
    parts
        .map(|p| LevelShare {
            level: p.name,
            n: p.n,
            // A count and its share of the known would tell how few are missing.
            percent: if privacy.shows(all - known) { p.n.percent_of(known) } else { privacy.hidden() },
            percent_of_all: p.n.percent_of(all),
        })
        .collect()
}

/// Features that miss any value, most first.
pub(super) fn missing(context: &Context<'_>) -> Vec<Missing> {
    let raw = &context.bundle.raw;
    let total = raw.nrows() as u64;
    let mut all: Vec<(u64, Missing)> = context
        .labels()
        .into_iter()
        .zip(raw.axis_iter(Axis(1)))
        .map(|(label, column)| {
            let n = column.iter().filter(|v| v.is_nan()).count() as u64;
            let percent = context.privacy.percent(n, total);
            // What may not be told is drawn at the bound that is printed.
            let bar = percent.bound().unwrap_or(0.0);
            (n, Missing { label, percent, bar })
        })
        .filter(|(n, _)| *n > 0)
        .collect();
    all.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    all.into_iter().map(|m| m.1).collect()
}
