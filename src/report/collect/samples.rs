//! Samples of the models against held-out records, with other real records as the yardstick.

use ndarray::{Array2, Axis, Slice};
use rayon::prelude::*;

use super::context::{Context, NOT_MET, Scored};
use super::histogram::histogram;
use crate::report::data::{CorrelationPair, Correlations, Marginal, Marginals, ModelFit};
use crate::report::measure::{ks_chance_tied, ks_distance, spearman, spearman_error};
use crate::report::{MINIMUM_CELL, format};
use crate::schema::Split;

/// Features drawn, the worst-fitted first.
const DRAWN: usize = 30;
/// Features in a correlation map.
const MAPPED: usize = 40;
/// Pairs listed.
const PAIRS: usize = 30;
/// Features that are correlated, the first of the table: pairs grow with their square.
const CORRELATED: usize = 1000;
/// Records and samples looked at: standard errors of shares are then below half a per cent.
const RECORDS: usize = 20_000;
/// Rows times pairs of features of one correlation matrix: about a second.
const CORRELATION_WORK: usize = 100_000_000;

/// The yardstick's name in tables.
const REAL: &str = "training records";

/// The features that are correlated, without what has no order: categories of more than two levels.
fn ordered(context: &Context<'_>, raw: &Array2<f64>) -> Array2<f64> {
    let mut raw = raw.slice_axis(Axis(1), Slice::from(..raw.ncols().min(CORRELATED))).to_owned();
    for (column, mut values) in context.bundle.manifest.encoder.columns.iter().zip(raw.columns_mut()) {
        if column.levels.len() > 2 {
            values.fill(f64::NAN);
        }
    }
    raw
}

/// Distances and correlations of one set of records to the reference.
struct Compared {
    ks: Vec<f64>,
    correlations: Array2<Option<f64>>,
}

pub(super) fn collect(context: &Context<'_>) -> (Option<Marginals>, Option<Correlations>) {
    let Some(split) = context.test else { return (None, None) };
    let real = head(context.bundle.raw_of(split), RECORDS);
    let train = head(context.bundle.raw_of(Split::Train), RECORDS);
    // There are as many samples as yardstick records, so that the distances of both are of the same kind.
    let n_samples = train.nrows().max(100);
    let p = real.ncols();
    let correlated = p.min(CORRELATED);
    let rows = (CORRELATION_WORK / (correlated * correlated).max(1)).max(500);
    let reference = Reference {
        sorted: (0..p).map(|j| Context::sorted(&real, j)).collect(),
        correlations: spearman(ordered(context, &head(real.clone(), rows)).view(), MINIMUM_CELL as usize),
    };
    let compare = |raw: &Array2<f64>| Compared {
        ks: (0..p)
            .into_par_iter()
            .map(|j| ks_distance(&Context::sorted(raw, j), &reference.sorted[j]))
            .collect(),
        correlations: spearman(ordered(context, &head(raw.clone(), rows)).view(), MINIMUM_CELL as usize),
    };
    let yardstick = (context.privacy.allows(train.nrows() as u64)).then(|| compare(&train));
    let mut fits = Vec::new();
    if let Some(y) = &yardstick {
        fits.push(fit(REAL, y, &train, &reference));
    }
    let mut leading = None;
    for (i, model) in context.models.iter().enumerate() {
        let raw = draw(context, model, &real, n_samples);
        let compared = compare(&raw);
        fits.push(fit(&model.name, &compared, &raw, &reference));
        if i == context.leading {
            leading = Some((raw, compared));
        }
    }
    let Some((samples, compared)) = leading else { return (None, None) };
    let marginals =
        marginals(context, split, &real, &samples, &compared, yardstick.as_ref(), &reference, fits);
    let correlations = correlations(context, split, &real, &compared, yardstick.as_ref(), &reference);
    (Some(marginals), correlations)
}

struct Reference {
    sorted: Vec<Vec<f64>>,
    correlations: Array2<Option<f64>>,
}

fn head(raw: Array2<f64>, n: usize) -> Array2<f64> {
    if raw.nrows() <= n { raw } else { raw.slice_axis(Axis(0), Slice::from(..n)).to_owned() }
}

/// Samples in original units, given what the records have where a model is conditional; what a model cannot
/// draw (overflow) counts as missing.
fn draw(context: &Context<'_>, scored: &Scored<'_>, records: &Array2<f64>, n: usize) -> Array2<f64> {
    let mut raw = scored.model.sample_records(records.view(), n, context.seed.child("report samples", 0));
    raw.mapv_inplace(|x| if x.is_finite() { x } else { f64::NAN });
    raw
}

fn fit(name: &str, compared: &Compared, raw: &Array2<f64>, reference: &Reference) -> ModelFit {
    let ks = &compared.ks;
    let beyond = |&j: &usize| ks[j] > ks_chance_tied(&Context::sorted(raw, j), &reference.sorted[j]);
    ModelFit {
        model: name.into(),
        mean_ks: ks.iter().sum::<f64>() / ks.len().max(1) as f64,
        max_ks: ks.iter().copied().fold(0.0, f64::max),
        n_beyond_chance: (0..ks.len()).into_par_iter().filter(beyond).count(),
        mean_correlation_error: mean_error(&compared.correlations, &reference.correlations),
    }
}

/// Mean absolute difference over the pairs both know.
fn mean_error(a: &Array2<Option<f64>>, b: &Array2<Option<f64>>) -> Option<f64> {
    let p = a.nrows();
    let pairs = (0..p).flat_map(|i| (0..i).map(move |j| (i, j)));
    let (sum, n) = pairs
        .filter_map(|at| Some((a[at]? - b[at]?).abs()))
        .fold((0.0, 0usize), |(sum, n), d| (sum + d, n + 1));
    (n > 0).then(|| sum / n as f64)
}

#[expect(clippy::too_many_arguments, reason = "private, called once, and each is another thing")]
fn marginals(
    context: &Context<'_>,
    split: Split,
    real: &Array2<f64>,
    samples: &Array2<f64>,
    compared: &Compared,
    yardstick: Option<&Compared>,
    reference: &Reference,
    models: Vec<ModelFit>,
) -> Marginals {
    let encoder = &context.bundle.manifest.encoder;
    let labels = context.labels();
    let p = labels.len();
    let mut order: Vec<usize> = (0..p).collect();
    order.sort_by(|&a, &b| compared.ks[b].total_cmp(&compared.ks[a]).then(a.cmp(&b)));
    let n = real.nrows() as u64;
    let features: Vec<Marginal> = order
        .iter()
        .enumerate()
        .map(|(rank, &j)| {
            let drawn = Context::sorted(samples, j);
            let data = &reference.sorted[j];
            let column = &encoder.columns[j];
            let name = |code: f64| encoder.level_name(j, code).unwrap_or(NOT_MET).to_owned();
            let name: Option<&dyn Fn(f64) -> String> =
                if column.levels.is_empty() { None } else { Some(&name) };
            Marginal {
                label: labels[j].clone(),
                unit: column.meta.unit.clone(),
                ks: compared.ks[j],
                ks_real: yardstick.map(|y| y.ks[j]),
                ks_chance: ks_chance_tied(&drawn, data),
                missing_data: context.privacy.percent(n - data.len() as u64, n),
                missing_samples: 100.0 * (1.0 - drawn.len() as f64 / samples.nrows().max(1) as f64),
                histogram: if rank < DRAWN { histogram(context.privacy, data, &drawn, name) } else { None },
            }
        })
        .collect();
    Marginals {
        model: context.leading().name.clone(),
        split: split.name().into(),
        n_samples: samples.nrows(),
        n_drawn: features.iter().filter(|f| f.histogram.is_some()).count(),
        features,
        models,
    }
}

fn correlations(
    context: &Context<'_>,
    split: Split,
    real: &Array2<f64>,
    compared: &Compared,
    yardstick: Option<&Compared>,
    reference: &Reference,
) -> Option<Correlations> {
    let (data, samples) = (&reference.correlations, &compared.correlations);
    let labels = context.labels();
    let p = data.nrows();
    let mean_error_samples = mean_error(samples, data)?;
    let difference = |i: usize, j: usize| Some(samples[[i, j]]? - data[[i, j]]?);
    let mut pairs: Vec<(f64, usize, usize)> = (0..p)
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .filter_map(|(i, j)| Some((difference(i, j)?.abs(), j, i)))
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let encoder = &context.bundle.manifest.encoder;
    let correlated: Vec<usize> = (0..p).filter(|&i| encoder.columns[i].levels.len() <= 2).collect();
    let shown: Vec<usize> = if correlated.len() <= MAPPED {
        correlated.clone()
    } else {
        // The features of the worst pairs, back in their own order.
        let mut chosen: Vec<usize> = Vec::new();
        for (_, i, j) in &pairs {
            for k in [*i, *j] {
                if chosen.len() < MAPPED && !chosen.contains(&k) {
                    chosen.push(k);
                }
            }
        }
        chosen.sort_unstable();
        chosen
    };
    let part = |value: &dyn Fn(usize, usize) -> Option<f64>| -> Vec<Vec<Option<f64>>> {
        shown.iter().map(|&i| shown.iter().map(|&j| value(i, j)).collect()).collect()
    };
    let both =
        |i: usize, j: usize| real.rows().into_iter().filter(|r| !r[i].is_nan() && !r[j].is_nan()).count();
    let worst = pairs
        .iter()
        .take(PAIRS)
        .filter_map(|&(_, i, j)| {
            Some(CorrelationPair {
                first: labels[i].clone(),
                second: labels[j].clone(),
                data: data[[i, j]]?,
                samples: samples[[i, j]]?,
                real: yardstick.and_then(|y| y.correlations[[i, j]]),
                error: spearman_error(data[[i, j]]?, both(i, j)),
            })
        })
        .collect();
    Some(Correlations {
        model: context.leading().name.clone(),
        split: split.name().into(),
        n_correlated: correlated.len(),
        truncated: shown.len() < correlated.len(),
        labels: shown.iter().map(|&i| format::shorten(&labels[i], 60)).collect(),
        data: part(&|i, j| data[[i, j]]),
        samples: part(&|i, j| samples[[i, j]]),
        difference: part(&difference),
        worst,
        mean_error: mean_error_samples,
        mean_error_real: yardstick.and_then(|y| mean_error(&y.correlations, data)),
    })
}
