//! Windows of waveforms: traces, spectra, likelihood along recordings, the least likely windows.
//!
//! Without opting in, amplitudes are in standard deviations, recordings and windows are numbered, and places
//! are thirds of a recording: the shape of a window is shown, not whose it is, when it was, or how high a
//! pressure stood.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::context::{Context, Scored};
use super::models::Paired;
use super::spectrum::{BANDS, bands, periodogram};
use crate::features::Shape;
use crate::num::moments::{Moments, mean_and_standard_error};
use crate::num::quantile::quantile_sorted;
use crate::report::MINIMUM_CELL;
use crate::report::data::{
    OddWindow, OverTime, PerDimension, Spectrum, TimePoint, Trace, WaveChannel, Waveforms,
};
use crate::schema::Split;
use crate::waveform::Normalisation;

/// Windows drawn of each source.
const TRACES: usize = 3;
/// Least likely windows drawn.
const ODD: usize = 6;
/// Recordings whose likelihood is drawn.
const RECORDINGS: usize = 6;
/// Windows behind a spectrum: the transform is direct, a second for 2,048 samples.
const SPECTRA: usize = 64;

pub(super) fn waveforms(context: &Context<'_>, scales: Option<&Normalisation>) -> Option<Waveforms> {
    let (names, window, past) = match &context.bundle.manifest.shape {
        Shape::Table | Shape::Grid { .. } => return None,
        Shape::Windows { channels, samples, past } => (channels, *samples, *past),
    };
    let split = context.test?;
    let c = names.len();
    let whole = context.bundle.raw_of(split);
    if whole.ncols() != (past + window) * c {
        return None;
    }
    let ids: Vec<&str> =
        context.bundle.rows(split).iter().map(|&i| context.bundle.record_ids[i].as_str()).collect();
    let leading = context.leading();
    let v = leading.model.sample_like(whole.view(), SPECTRA, context.seed.child("report windows", 0));
    let given = past * c;
    let (raw, mut sampled) = (own(&whole, given), own(&leading.model.encoder.decode(v.view()), given));
    sampled.mapv_inplace(|x| if x.is_finite() { x } else { 0.0 });
    let frequency = scales.map(|s| s.frequency).filter(|f| *f > 0.0);
    let drawn = Drawn { context, scales, names, window, given, ids: &ids };
    let per: Vec<f64> =
        leading.scores.get(&split)?.log_prob_tensor.iter().map(|l| l / (window * c) as f64).collect();
    let mut order: Vec<usize> = (0..per.len()).collect();
    order.sort_by(|&a, &b| per[a].total_cmp(&per[b]).then(a.cmp(&b)));
    Some(Waveforms {
        model: leading.name.clone(),
        split: split.name().into(),
        n: context.privacy.count(raw.nrows() as u64),
        window,
        frequency,
        n_dimensions: window * c,
        channels: drawn.channels(&raw, &sampled),
        models: per_dimension(context, split, &ids, (window * c) as f64),
        traces: drawn.traces(&raw, &sampled, &order),
        spectra: (0..c).map(|k| drawn.spectrum(k, raw.view(), sampled.view(), frequency)).collect(),
        over_time: over_time(context, frequency, (window * c) as f64),
        odd: drawn.odd(&raw, &order, &per, frequency),
        levels: super::learned::levels(context, frequency),
    })
}

/// Windows without the samples before them that they are given.
fn own(windows: &Array2<f64>, given: usize) -> Array2<f64> {
    windows.slice_axis(Axis(1), (given..).into()).to_owned()
}

/// Record and first sample of a window's id.
fn place(id: &str) -> (&str, f64) {
    id.rsplit_once('@').map_or((id, 0.0), |(record, start)| (record, start.parse().unwrap_or(0.0)))
}

struct Drawn<'a> {
    context: &'a Context<'a>,
    scales: Option<&'a Normalisation>,
    names: &'a [String],
    window: usize,
    /// Coordinates before those of the window.
    given: usize,
    ids: &'a [&'a str],
}

impl Drawn<'_> {
    /// Centre, scale and unit of a channel for a record, where the reader may see them; of the only record
    /// for samples.
    fn physical(&self, record: Option<&str>, channel: usize) -> Option<(f64, f64, String)> {
        let scales = self.scales.filter(|_| self.context.privacy.identifiable())?;
        let mut of = scales.records.iter().filter(|r| r.channel == self.names[channel]);
        let first = of.clone().next()?;
        let found = match record {
            Some(name) => of.find(|r| r.record == name)?,
            // Samples belong to no record: they have a unit only where all records share one scale.
            None => of.all(|r| r.centre == first.centre && r.scale == first.scale).then_some(first)?,
        };
        Some((found.centre, found.scale, scales.channels.get(channel)?.units.clone()))
    }

    fn trace(
        &self,
        row: ndarray::ArrayView1<'_, f64>,
        channel: usize,
        id: Option<&str>,
        number: usize,
    ) -> Trace {
        let scale = self.physical(id.map(|i| place(i).0), channel);
        let (centre, factor, unit) = scale.unwrap_or((0.0, 1.0, "SD".into()));
        // Thousandths of a standard deviation are finer than a pixel.
        let rounded = |x: &f64| (x * 1e3).round() / 1e3 * factor + centre;
        Trace {
            channel: self.names[channel].clone(),
            unit,
            source: if id.is_some() { "held-out" } else { "sample" }.into(),
            number,
            values: row.iter().skip(channel).step_by(self.names.len()).map(rounded).collect(),
        }
    }

    /// Windows of ordinary likelihood (the quartiles), beside as many samples.
    fn traces(&self, raw: &Array2<f64>, sampled: &Array2<f64>, order: &[usize]) -> Vec<Trace> {
        let mut out = Vec::new();
        for channel in 0..self.names.len() {
            for k in 0..TRACES.min(order.len()) {
                let i = order[(order.len() * (k + 1) / (TRACES + 1)).min(order.len() - 1)];
                out.push(self.trace(raw.row(i), channel, Some(self.ids[i]), k + 1));
            }
            for k in 0..TRACES.min(sampled.nrows()) {
                out.push(self.trace(sampled.row(k), channel, None, k + 1));
            }
        }
        out
    }

    fn channels(&self, raw: &Array2<f64>, sampled: &Array2<f64>) -> Vec<WaveChannel> {
        let train = own(&self.context.bundle.raw_of(Split::Train), self.given);
        (0..self.names.len())
            .map(|k| {
                let of = |a: &Array2<f64>| -> (Option<f64>, Option<f64>) {
                    let told = self.context.privacy.allows(a.nrows() as u64);
                    let columns = (k..a.ncols()).step_by(self.names.len());
                    let values = columns.flat_map(|j| a.column(j).to_vec()).filter(|x| x.is_finite());
                    let m: Moments = values.collect();
                    let number = |x: f64| (told && x.is_finite()).then_some(x);
                    (number(m.mean()), number(m.variance().sqrt()))
                };
                let (mean_train, sd_train) = of(&train);
                let (mean_held_out, sd_held_out) = of(raw);
                let (mean_samples, sd_samples) = of(sampled);
                WaveChannel {
                    name: self.names[k].clone(),
                    unit: "SD".into(),
                    mean_train,
                    sd_train,
                    mean_held_out,
                    sd_held_out,
                    mean_samples,
                    sd_samples,
                }
            })
            .collect()
    }

    fn spectrum(
        &self,
        channel: usize,
        raw: ArrayView2<'_, f64>,
        sampled: ArrayView2<'_, f64>,
        frequency: Option<f64>,
    ) -> Spectrum {
        let rate = frequency.unwrap_or(1.0);
        let of = |a: ArrayView2<'_, f64>| -> Vec<Vec<f64>> {
            let stride = a.nrows().div_ceil(SPECTRA).max(1);
            let rows: Vec<usize> = (0..a.nrows()).step_by(stride).collect();
            rows.par_iter()
                .map(|&i| {
                    let x: Vec<f64> =
                        a.row(i).iter().skip(channel).step_by(self.names.len()).copied().collect();
                    bands(&periodogram(&x, rate))
                })
                .collect()
        };
        let (real, samples) = (of(raw), of(sampled));
        let n_bands = real.first().map_or(0, Vec::len);
        let at = |all: &[Vec<f64>], band: usize, p: f64| {
            let mut values: Vec<f64> = all.iter().map(|s| s[band]).collect();
            values.sort_unstable_by(f64::total_cmp);
            quantile_sorted(&values, p)
        };
        let enough = self.context.privacy.identifiable() || real.len() >= 4 * MINIMUM_CELL as usize;
        let bins = self.window / 2;
        let width = bins.div_ceil(BANDS).max(1);
        Spectrum {
            channel: self.names[channel].clone(),
            unit: if frequency.is_some() { "SD²/Hz" } else { "SD² × samples" }.into(),
            frequency_unit: if frequency.is_some() { "Hz" } else { "cycles per sample" }.into(),
            frequency: (0..n_bands)
                .map(|b| {
                    let last = ((b + 1) * width).min(bins);
                    (b * width + 1 + last) as f64 / 2.0 * rate / self.window as f64
                })
                .collect(),
            data: (0..n_bands).map(|b| at(&real, b, 0.5)).collect(),
            band: if enough {
                (0..n_bands).map(|b| [at(&real, b, 0.25), at(&real, b, 0.75)]).collect()
            } else {
                Vec::new()
            },
            samples: (0..n_bands).map(|b| at(&samples, b, 0.5)).collect(),
        }
    }

    fn odd(&self, raw: &Array2<f64>, order: &[usize], per: &[f64], frequency: Option<f64>) -> Vec<OddWindow> {
        let privacy = self.context.privacy;
        let ends = ends(self.context);
        order
            .iter()
            .take(ODD)
            .enumerate()
            .map(|(rank, &i)| {
                let (record, start) = place(self.ids[i]);
                let share = start / ends.get(record).copied().unwrap_or(1.0).max(1.0);
                let third = ["first", "middle", "last"][((share * 3.0) as usize).min(2)];
                let at = match frequency {
                    Some(f) if privacy.identifiable() => format!("{:.1} s after the start", start / f),
                    None if privacy.identifiable() => format!("sample {start:.0}"),
                    _ => format!("{third} third of its recording"),
                };
                OddWindow {
                    window: if privacy.identifiable() {
                        self.ids[i].into()
                    } else {
                        format!("window {}", rank + 1)
                    },
                    place: at,
                    per_dimension: per[i],
                    percentile: 100.0 * rank as f64 / order.len().max(1) as f64,
                    traces: (0..self.names.len())
                        .map(|k| self.trace(raw.row(i), k, Some(self.ids[i]), rank + 1))
                        .collect(),
                }
            })
            .collect()
    }
}

/// First sample of the last window of each recording.
fn ends<'a>(context: &'a Context<'_>) -> BTreeMap<&'a str, f64> {
    let mut out: BTreeMap<&str, f64> = BTreeMap::new();
    for id in &context.bundle.record_ids {
        let (record, start) = place(id);
        let end = out.entry(record).or_default();
        *end = end.max(start);
    }
    out
}

fn per_dimension(context: &Context<'_>, split: Split, ids: &[&str], d: f64) -> Vec<PerDimension> {
    let of =
        |m: &Scored<'_>| -> Option<Vec<f64>> { Some(m.log_prob(split)?.iter().map(|l| l / d).collect()) };
    let scored: Vec<(&str, Vec<f64>)> =
        context.models.iter().filter_map(|m| Some((m.name.as_str(), of(m)?))).collect();
    let mean = |v: &[f64]| mean_and_standard_error(v).0;
    let Some(best) = scored.iter().map(|s| &s.1).reduce(|a, b| if mean(b) > mean(a) { b } else { a }) else {
        return Vec::new();
    };
    let finite = |x: f64| x.is_finite().then_some(x);
    scored
        .iter()
        .map(|(name, scores)| {
            let (mean, error) = mean_and_standard_error(scores);
            let paired = Paired::new(scores, best);
            let differences: Vec<f64> = scores.iter().zip(best).map(|(a, b)| a - b).collect();
            PerDimension {
                model: (*name).to_owned(),
                mean,
                error: finite(error),
                error_recordings: clustered(scores, ids),
                difference: paired.difference,
                difference_error: finite(paired.error),
                difference_error_recordings: clustered(&differences, ids),
                per_window: mean * d,
            }
        })
        .collect()
}

/// Standard error of a mean whose values are independent between recordings only: √(G/(G−1) Σ_g (Σ_{i∈g}
/// r_i)²)/n.
fn clustered(values: &[f64], ids: &[&str]) -> Option<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for (v, id) in values.iter().zip(ids) {
        *sums.entry(place(id).0).or_default() += v - mean;
    }
    let g = sums.len() as f64;
    let square: f64 = sums.values().map(|s| s * s).sum();
    (g > 1.0).then(|| (g / (g - 1.0) * square).sqrt() / values.len() as f64)
}

fn over_time(context: &Context<'_>, frequency: Option<f64>, d: f64) -> Vec<OverTime> {
    // Time, nats per dimension and split of the windows of each recording.
    let mut all: BTreeMap<&str, Vec<(f64, f64, Split)>> = BTreeMap::new();
    for (split, scores) in context.leading().scores.iter().filter(|(s, _)| **s != Split::Train) {
        for (i, l) in context.bundle.rows(*split).into_iter().zip(&scores.log_prob_tensor) {
            let (record, start) = place(&context.bundle.record_ids[i]);
            all.entry(record).or_default().push((start, l / d, *split));
        }
    }
    let ends = ends(context);
    let open = context.privacy.identifiable();
    let mut out = Vec::new();
    for (number, (record, mut points)) in all.into_iter().enumerate() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let end = ends.get(record).copied().unwrap_or(1.0).max(1.0);
        let time = |start: f64| match frequency {
            Some(f) if open => start / f / 3600.0,
            _ => 100.0 * start / end,
        };
        // One window at a time tells when something happened to somebody: runs of eleven at least do not.
        let run = if open { 1 } else { MINIMUM_CELL as usize };
        let n_runs = points.len() / run;
        let points = (0..n_runs)
            .map(|k| {
                let last = if k + 1 == n_runs { points.len() } else { (k + 1) * run };
                let part = &points[k * run..last];
                let (mean, error) = mean_and_standard_error(&part.iter().map(|p| p.1).collect::<Vec<_>>());
                let same = part.iter().all(|p| p.2 == part[0].2);
                TimePoint {
                    time: time(part.iter().map(|p| p.0).sum::<f64>() / part.len() as f64),
                    mean,
                    error: error.is_finite().then_some(error),
                    split: if same { part[0].2.name() } else { "held-out" }.into(),
                }
            })
            .collect::<Vec<_>>();
        if points.is_empty() {
            continue;
        }
        let hours = open && frequency.is_some();
        out.push(OverTime {
            recording: if open { record.to_owned() } else { format!("recording {}", number + 1) },
            time_unit: if hours { "hours" } else { "% of the recording" }.into(),
            points,
        });
    }
    out.truncate(RECORDINGS);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_over_recordings_count_recordings() {
        let ids = ["a@0", "a@1", "b@0", "b@1"];
        // Two recordings at 0 and 2: the error is that of two values.
        let e = clustered(&[0.0, 0.0, 2.0, 2.0], &ids).unwrap();
        assert!((e - 1.0).abs() < 1e-12, "{e}");
        assert_eq!(clustered(&[1.0, 2.0], &["a@0", "a@9"]), None);
    }
}
