//! Whether p-values mean what they say, and whether held-out records lie where the model puts its mass.

use std::collections::BTreeMap;

use ndarray::Axis;
use rand::RngExt;

use super::context::{Context, Scored};
use crate::artifact::ModelArtifact;
use crate::features::Shape;
use crate::flow::BaseKind;
use crate::num::proportion::wilson;
use crate::num::quantile::quantile_sorted;
use crate::num::special::{normal_log_pdf, normal_quantile};
use crate::outlier::{Calibrations, Grouping};
use crate::report::Privacy;
use crate::report::data::{AlphaRow, Calibration, PValueHistogram, QqCurve, Regions};
use crate::report::measure::{Z95, ks_chance};
use crate::schema::Split;

/// The levels whose rates are checked.
pub(super) const ALPHAS: [f64; 3] = [0.01, 0.05, 0.1];

pub(super) fn calibration(context: &Context<'_>) -> Option<Calibration> {
    let split = context.test?;
    let p_values: BTreeMap<usize, Vec<f64>> = (0..context.models.len())
        .filter_map(|i| Some((i, p_values(context, &context.models[i], split)?)))
        .collect();
    let leading = context.leading();
    let of_leading = p_values.get(&context.leading)?;
    let n_calibration = leading.model.calibration.len() as f64;
    let mut alphas = Vec::new();
    for (i, p) in &p_values {
        for alpha in ALPHAS {
            // A relative slack, as in flagging: 3/60 must pass at 0.05.
            let k = p.iter().filter(|p| **p <= alpha * (1.0 + 1e-12)).count();
            let (low, high) = wilson(k, p.len());
            let told = context.privacy.shows(k as u64);
            let n_calibration = context.models[*i].model.calibration.len();
            let expected = expected(alpha, n_calibration);
            alphas.push(AlphaRow {
                model: context.models[*i].name.clone(),
                alpha,
                expected,
                exceeded: exceeded(k as f64 / p.len() as f64, alpha, p.len(), n_calibration),
                observed: told.then_some(k as f64 / p.len() as f64),
                low: told.then_some(low),
                high: told.then_some(high),
            });
        }
    }
    Some(Calibration {
        model: leading.name.clone(),
        split: split.name().into(),
        n: context.privacy.count(of_leading.len() as u64),
        n_calibration: context.privacy.count(leading.model.calibration.len() as u64),
        histogram: smoothed(context, leading, split)
            .and_then(|p| p_value_histogram(context.privacy, n_calibration, &p)),
        alphas,
        qq: latent_quantiles(context, leading, split),
        regions: regions(context, leading, split),
    })
}

fn p_values(context: &Context<'_>, scored: &Scored<'_>, split: Split) -> Option<Vec<f64>> {
    let calibration = calibrations(scored.model)?;
    let raw = context.scored(split);
    let scores = scored.model.unusualness(raw.view(), scored.scores.get(&split)?);
    Some(calibration.p_values(raw.view(), &scores))
}

/// The same p-values with ties broken at random, for the question whether they are uniform.
fn smoothed(context: &Context<'_>, scored: &Scored<'_>, split: Split) -> Option<Vec<f64>> {
    let calibration = calibrations(scored.model)?;
    let raw = context.scored(split);
    let scores = scored.model.unusualness(raw.view(), scored.scores.get(&split)?);
    let mut rng = context.seed.stream("report ties", 0);
    Some(calibration.smoothed_p_values(raw.view(), &scores, || rng.random()))
}

/// The largest multiple of 1/(n + 1) up to the level: p-values of `n` calibration records are such multiples.
pub(super) fn expected(alpha: f64, n: usize) -> f64 {
    (alpha * (1.0 + 1e-12) * (n + 1) as f64).floor() / (n + 1) as f64
}

/// Whether a share of `n` p-values is above its level by more than chance in 2.5 % of cases. The calibration
/// set is a draw as well: the share of all records below the level is a Beta with the variance α (1 − α) /
/// (n_calibration + 2). A share below the level is no fault: ties and multiples of 1/(n + 1) make it so.
fn exceeded(share: f64, alpha: f64, n: usize, n_calibration: usize) -> bool {
    let variance = alpha * (1.0 - alpha) * (1.0 / n.max(1) as f64 + 1.0 / (n_calibration + 2) as f64);
    share > alpha + Z95 * variance.sqrt()
}

/// What `flag` would rank records among: by groups where the model is calibrated so.
pub(super) fn calibrations(model: &ModelArtifact) -> Option<Calibrations> {
    let grouping = model.grouping().map(|(column, codes)| Grouping { column, codes: codes.to_vec() });
    Calibrations::new(&model.calibration, grouping.as_ref()).ok()
}

/// A histogram with as many equal bins as hold enough records each. The band is that of the share of `n`
/// uniform p-values plus the calibration set's own uncertainty, which is of the same kind.
pub(super) fn p_value_histogram(privacy: Privacy, n_calibration: f64, p: &[f64]) -> Option<PValueHistogram> {
    let n = p.len();
    [20, 10, 5].into_iter().find_map(|bins| {
        let mut counts = vec![0u64; bins];
        for v in p {
            // p-values are multiples of 1/(n_cal + 1) up to 1: bins are closed above.
            counts[((v * bins as f64).ceil() as usize).clamp(1, bins) - 1] += 1;
        }
        // Fewer expected per bin than 20 make a picture of noise.
        if n < 20 * bins || counts.iter().any(|c| !privacy.shows(*c)) {
            return None;
        }
        let share = 1.0 / bins as f64;
        let error = (share * (1.0 - share) * (1.0 / n as f64 + 1.0 / n_calibration)).sqrt();
        Some(PValueHistogram {
            percent: counts.iter().map(|c| 100.0 * *c as f64 / n as f64).collect(),
            low: 100.0 * (share - Z95 * error).max(0.0),
            high: 100.0 * (share + Z95 * error),
        })
    })
}

/// Samples of the model that measure its regions: with as many, chance is that of the records.
const REGION_SAMPLES: usize = 4000;

/// The share of held-out records within the model's regions of highest density, of any model that can be
/// sampled.
fn regions(context: &Context<'_>, scored: &Scored<'_>, split: Split) -> Option<Regions> {
    if context.n(split) < 50 {
        return None;
    }
    let density = scored.model.density();
    let raw = context.scored(split);
    // Vectors as the model sees them on both sides: filled-in values are part of its samples too.
    let encoded = scored.model.encoder.encode(raw.view(), scored.model.score_seed(), 0);
    let records = density.log_prob(encoded.values.view());
    // Of windows, fewer: drawing one costs what drawing a hundred table rows does.
    let n_samples = match context.bundle.manifest.shape {
        Shape::Table => REGION_SAMPLES,
        Shape::Windows { .. } | Shape::Grid { .. } => 400,
    };
    let samples = scored.model.sample_like(raw.view(), n_samples, context.seed.child("report regions", 0));
    let mut of_samples: Vec<f64> = density.log_prob(samples.view()).to_vec();
    of_samples.retain(|l| l.is_finite());
    of_samples.sort_unstable_by(f64::total_cmp);
    let n_samples = of_samples.len();
    if n_samples < 100 {
        return None;
    }
    // A record lies within the region of probability u where u of the model's samples are denser.
    let mut levels: Vec<f64> = records
        .iter()
        .map(|l| {
            if l.is_nan() {
                return 1.0;
            }
            1.0 - of_samples.partition_point(|s| s < l) as f64 / n_samples as f64
        })
        .collect();
    levels.sort_unstable_by(f64::total_cmp);
    let n = levels.len();
    let points = (1..=50)
        .map(|k| {
            let u = f64::from(k) / 50.0;
            [100.0 * u, 100.0 * levels.partition_point(|l| *l <= u) as f64 / n as f64]
        })
        // A share that tells of few records on either side is left out.
        .filter(|[_, y]| {
            let inside = (y / 100.0 * n as f64).round() as u64;
            context.privacy.shows(inside) && context.privacy.shows(n as u64 - inside)
        })
        .collect();
    Some(Regions { n_samples, points, chance: 100.0 * ks_chance(n, n_samples) })
}

/// Quantiles of the latent coordinates of held-out records, for flows onto the standard normal.
fn latent_quantiles(context: &Context<'_>, scored: &Scored<'_>, split: Split) -> Option<QqCurve> {
    let flow = scored.model.model.flow()?;
    if flow.config().base != BaseKind::Normal || context.n(split) < 50 {
        return None;
    }
    let raw = context.scored(split);
    let encoded = scored.model.encoder.encode(raw.view(), scored.model.score_seed(), 0);
    let x = encoded.values.t().mapv(|v| v as f32);
    let (z, _) = flow.forward(x.view());
    let mut coordinates: Vec<Vec<f64>> = z
        .axis_iter(Axis(0))
        // The context lies behind the latent coordinates.
        .take(flow.n_free())
        .map(|c| c.iter().map(|v| f64::from(*v)).filter(|v| v.is_finite()).collect::<Vec<f64>>())
        .filter(|c| c.len() > 1)
        .collect();
    for c in &mut coordinates {
        c.sort_unstable_by(f64::total_cmp);
    }
    let mut all: Vec<f64> = coordinates.iter().flatten().copied().collect();
    if all.is_empty() {
        return None;
    }
    all.sort_unstable_by(f64::total_cmp);
    // The quantiles go from 1 to 99 %, since single records decide those beyond.
    let n = coordinates.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let chance = (1..=99)
        .map(|k| {
            let p = f64::from(k) / 100.0;
            // Asymptotic error of a sample quantile: √(p (1 − p) / n) over the density there.
            let z = normal_quantile(p);
            let half = Z95 * (p * (1.0 - p) / n).sqrt() / normal_log_pdf(z).exp();
            [z - half, z + half]
        })
        .collect();
    let points = (1..=99)
        .map(|k| {
            let p = f64::from(k) / 100.0;
            let each = coordinates.iter().map(|c| quantile_sorted(c, p));
            let (low, high) = each.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), q| (a.min(q), b.max(q)));
            [normal_quantile(p), quantile_sorted(&all, p), low, high]
        })
        .collect();
    Some(QqCurve { points, chance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_exceeded_beyond_the_chance_of_both_sets_and_never_from_below() {
        assert!(!exceeded(0.0, 0.05, 5000, 5000) && !exceeded(0.06, 0.05, 500, 500));
        assert!(exceeded(0.07, 0.05, 5000, 5000) && !exceeded(0.09, 0.05, 5000, 60));
        assert_eq!(expected(0.05, 15), 0.0);
        assert!((expected(0.05, 59) - 0.05).abs() < 1e-12);
    }
}
