//! Pictures: samples beside data, bits per dimension, the calibration of the scores, the most and the least
//! likely ones.
//!
//! Without opting in no picture of a patient is drawn, nor named: what is shown are samples of the model, and
//! means over many pictures.

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::calibration::{ALPHAS, expected};
use super::context::{Context, Scored};
use super::models::Paired;
use crate::evaluate::ScoreKind;
use crate::features::Shape;
use crate::num::moments::{Moments, mean_and_standard_error};
use crate::num::proportion::wilson;
use crate::outlier::{Calibrations, Grouping};
use crate::report::data::{
    BitsPerDimension, HeldOutPictures, Pictures, ScoreRate, ScoreRates, ShownPicture, Texture,
};
use crate::schema::Split;

/// Samples that are measured.
const SAMPLES: usize = 64;
/// Pictures of a sheet, at least and at most, and numbers of all of them together: a sheet of noise is then
/// some 100 kilobytes, and a page of four sheets stays below two megabytes.
const DRAWN: (usize, usize) = (4, 16);
const DRAWN_NUMBERS: usize = 60_000;

pub(super) fn pictures(context: &Context<'_>) -> Option<Pictures> {
    let (size, levels) = match context.bundle.manifest.shape {
        Shape::Table | Shape::Windows { .. } => return None,
        Shape::Grid { height, width, channels, levels } => ([height, width, channels], levels),
    };
    let [height, width, channels] = size;
    let d = height * width * channels;
    let leading = context.leading();
    let held_out = context.test.map(|split| (split, context.scored(split)));
    let like = match &held_out {
        Some((_, raw)) => raw.view(),
        None => context.bundle.raw.view(),
    };
    let seed = context.seed.child("report pictures", 0);
    let sampled = leading.model.encoder.decode(leading.model.sample_like(like, SAMPLES, seed).view());
    let drawn = Drawn { n: (DRAWN_NUMBERS / d).clamp(DRAWN.0, DRAWN.1), leading };
    let of_samples = bits(&leading.model.score(sampled.view()).log_prob, d);
    let samples = (0..drawn.n.min(sampled.nrows())).map(|i| {
        let name = format!("sample {}", i + 1);
        ShownPicture { name, bits: of_samples[i], levels: levels_of(sampled.row(i)), surplus: None }
    });
    Some(Pictures {
        model: leading.name.clone(),
        height,
        width,
        channels,
        levels,
        n_dimensions: d,
        samples: samples.collect(),
        held_out: held_out.and_then(|(split, raw)| {
            let own = bits(&leading.scores.get(&split)?.log_prob, d);
            let shown = if context.privacy.identifiable() {
                drawn.records(context, split, &raw, &own)
            } else {
                [Vec::new(), Vec::new(), Vec::new()]
            };
            let [records, most_likely, least_likely] = shown;
            Some(HeldOutPictures {
                split: split.name().into(),
                n: context.privacy.count(raw.nrows() as u64),
                models: bits_per_dimension(context, split, d),
                texture: texture(context, size, levels, &raw, &sampled),
                scores: score_rates(context, leading, split, &raw),
                records,
                most_likely,
                least_likely,
            })
        }),
    })
}

/// Nats of log-likelihood as bits of each of `d` numbers.
fn bits(log_prob: &[f64], d: usize) -> Vec<f64> {
    log_prob.iter().map(|l| -l / (d as f64 * std::f64::consts::LN_2)).collect()
}

fn levels_of(row: ArrayView1<'_, f64>) -> Vec<u8> {
    row.iter().map(|level| *level as u8).collect()
}

/// What is drawn of the records.
struct Drawn<'a> {
    /// Pictures of a sheet.
    n: usize,
    leading: &'a Scored<'a>,
}

impl Drawn<'_> {
    /// Pictures over the whole range of likelihoods, the most likely and the least likely ones.
    fn records(
        &self,
        context: &Context<'_>,
        split: Split,
        raw: &Array2<f64>,
        bits: &[f64],
    ) -> [Vec<ShownPicture>; 3] {
        let rows = context.bundle.rows(split);
        let mut order: Vec<usize> = (0..raw.nrows()).collect();
        order.sort_by(|&a, &b| bits[b].total_cmp(&bits[a]).then(a.cmp(&b)));
        let flow = self.leading.model.pictures();
        let shown = |i: usize, mapped: bool| {
            let levels = levels_of(raw.row(i));
            let map = flow.filter(|_| mapped).map(|flow| flow.surplus(&levels));
            ShownPicture {
                name: context.bundle.record_ids[rows[i]].clone(),
                bits: bits[i],
                surplus: map.map(|map| map.into_iter().map(|x| x as f32).collect()),
                levels,
            }
        };
        let n = self.n.min(order.len());
        let spread = (0..n).map(|k| shown(order[(2 * k + 1) * order.len() / (2 * n)], false)).collect();
        // A picture with its map takes twice the room.
        let few = (self.n / 2).min(order.len());
        let most = order.iter().rev().take(few).map(|&i| shown(i, true)).collect();
        [spread, most, order.iter().take(few).map(|&i| shown(i, true)).collect()]
    }
}

/// Bits of all models, each compared with the best picture by picture.
fn bits_per_dimension(context: &Context<'_>, split: Split, d: usize) -> Vec<BitsPerDimension> {
    let scored: Vec<(&Scored<'_>, Vec<f64>, f64)> = context
        .models
        .iter()
        .filter_map(|m| {
            let scores = m.scores.get(&split)?;
            let weighted = mean_and_standard_error(&bits(&scores.log_prob_iw, d)).0;
            Some((m, bits(&scores.log_prob, d), weighted))
        })
        .collect();
    let mean = |values: &[f64]| mean_and_standard_error(values).0;
    let Some(best) = scored.iter().map(|s| &s.1).reduce(|a, b| if mean(b) < mean(a) { b } else { a }) else {
        return Vec::new();
    };
    let finite = |x: f64| x.is_finite().then_some(x);
    let row = |(m, own, weighted): &(&Scored<'_>, Vec<f64>, f64)| {
        let (mean, error) = mean_and_standard_error(own);
        let paired = Paired::new(own, best);
        BitsPerDimension {
            model: m.name.clone(),
            exact: m.model.pictures().is_some(),
            mean,
            error: finite(error),
            importance_weighted: finite(*weighted),
            difference: paired.difference,
            difference_error: finite(paired.error),
        }
    };
    scored.iter().map(row).collect()
}

/// What pictures look like in numbers: how bright they are, how much of them is at either end of the scale,
/// and how much neighbours differ.
fn texture(
    context: &Context<'_>,
    size: [usize; 3],
    levels: u32,
    raw: &Array2<f64>,
    sampled: &Array2<f64>,
) -> Vec<Texture> {
    let last = f64::from(levels) - 1.0;
    let of = |pictures: ArrayView2<'_, f64>| {
        let [_, width, channels] = size;
        let stride = width * channels;
        let mut values = Moments::default();
        let (mut first_level, mut last_level) = (Moments::default(), Moments::default());
        let (mut across, mut down) = (Moments::default(), Moments::default());
        for picture in pictures.rows() {
            for (at, &level) in picture.iter().enumerate() {
                values.push(level / last);
                first_level.push(f64::from(u8::from(level == 0.0)));
                last_level.push(f64::from(u8::from(level == last)));
                if at % stride >= channels {
                    across.push((level - picture[at - channels]).abs() / last);
                }
                if at >= stride {
                    down.push((level - picture[at - stride]).abs() / last);
                }
            }
        }
        let percent = |m: &Moments| 100.0 * m.mean();
        [
            percent(&values),
            100.0 * values.variance().sqrt(),
            percent(&first_level),
            percent(&last_level),
            percent(&across),
            percent(&down),
        ]
    };
    let names = [
        "Mean level, % of the scale",
        "Standard deviation of levels, % of the scale",
        "Numbers at the first level, %",
        "Numbers at the last level, %",
        "Mean difference from the pixel to the left, % of the scale",
        "Mean difference from the pixel above, % of the scale",
    ];
    let held_out = context.privacy.allows(raw.nrows() as u64).then(|| of(raw.view()));
    let samples = of(sampled.view());
    let finite = |x: f64| x.is_finite().then_some(x);
    let rows = names.into_iter().enumerate().filter(|(i, _)| samples[*i].is_finite());
    rows.map(|(i, name)| Texture {
        name: name.into(),
        held_out: held_out.and_then(|values| finite(values[i])),
        samples: samples[i],
    })
    .collect()
}

/// How often the pictures of a split have a p-value up to a level, by each score that the model holds.
fn score_rates(
    context: &Context<'_>,
    scored: &Scored<'_>,
    split: Split,
    raw: &Array2<f64>,
) -> Vec<ScoreRates> {
    let model = scored.model;
    let Some(scores) = scored.scores.get(&split) else { return Vec::new() };
    let default = model.header.score.first();
    let of = |kind: ScoreKind| {
        let (score, calibration) = model.calibrated(kind)?;
        let grouping = model.grouping().map(|(column, codes)| Grouping { column, codes: codes.to_vec() });
        let calibrations = Calibrations::new(calibration, grouping.as_ref()).ok()?;
        let values = score.of_all(&model.encoder, raw.view(), scores);
        let p_values = calibrations.p_values(raw.view(), &values);
        let rates = ALPHAS.map(|alpha| {
            // A relative slack, as in flagging: 3/60 must pass at 0.05.
            let k = p_values.iter().filter(|p| **p <= alpha * (1.0 + 1e-12)).count();
            let (low, high) = wilson(k, p_values.len());
            let told = context.privacy.shows(k as u64);
            ScoreRate {
                alpha,
                expected: expected(alpha, calibration.len()),
                observed: told.then_some(k as f64 / p_values.len() as f64),
                low: told.then_some(low),
                high: told.then_some(high),
            }
        });
        Some(ScoreRates { score: kind.name().into(), is_default: kind == default, rates: rates.to_vec() })
    };
    [ScoreKind::LogLikelihood, ScoreKind::Corrected, ScoreKind::Typicality]
        .into_iter()
        .filter_map(of)
        .collect()
}
