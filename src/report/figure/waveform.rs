//! Windows of waveforms.

use plotters::prelude::*;

use super::axes::{Axes, DOT, LINE, THIN, Ticks, corners, range_of, strips};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::{OddWindow, OverTime, Spectrum, Trace};
use crate::report::measure::Z95;
use crate::report::{ReportError, format};

/// Rows of the table behind a trace: the whole is in the JSON.
const ROWS: usize = 64;

/// Real windows of a channel in the colour of data, samples in that of the model, one below the other.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn traces(
    title: &str,
    description: &str,
    traces: &[&Trace],
    frequency: Option<f64>,
) -> Result<Figure, ReportError> {
    let n = traces.first().map_or(0, |t| t.values.len());
    let step = frequency.map_or(1.0, |f| 1.0 / f);
    let y = range_of(traces.iter().flat_map(|t| t.values.iter().copied()), 0.04);
    let unit = traces.first().map_or("", |t| t.unit.as_str());
    let y_title = format!("{} ({unit})", traces.first().map_or("", |t| t.channel.as_str()));
    let axes = Axes {
        size: (440, 190),
        margin: [58, 12, 8, 42],
        x: 0.0..(n.max(2) - 1) as f64 * step,
        y,
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Numbers(4),
        x_title: if frequency.is_some() { "time in the window (s)" } else { "sample of the window" },
        y_title: &y_title,
    };
    let stride = n.div_ceil(ROWS).max(1);
    let shown: Vec<usize> = (0..n).step_by(stride).collect();
    let mut places = Vec::new();
    let svg = axes.draw(title, description, |plot, _| {
        places = strips(plot, shown.iter().map(|&i| i as f64 * step), (axes.y.start, axes.y.end));
        for trace in traces {
            let ink = if trace.source == "sample" { Ink::Model } else { Ink::Data };
            let line = trace.values.iter().enumerate().map(|(i, v)| (i as f64 * step, *v));
            plot.draw_series(LineSeries::new(line, ink.color().stroke_width(THIN)))?;
        }
        Ok(())
    })?;
    let first = if frequency.is_some() { "Time (s)" } else { "Sample" };
    let mut table = DataTable::new(&[first]);
    table.columns.extend(traces.iter().map(|t| format!("{} {} ({})", t.source, t.number, t.unit)));
    table.rows = shown
        .iter()
        .map(|&i| {
            let mut row = vec![format::significant(i as f64 * step, 4)];
            row.extend(traces.iter().map(|t| format::significant(t.values[i], 4)));
            row
        })
        .collect();
    let svg = with_rows(&svg, &places);
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}

/// Channels of an unlikely window, each with its place and likelihood.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn odd_window(odd: &OddWindow, frequency: Option<f64>) -> Result<Vec<Figure>, ReportError> {
    odd.traces
        .iter()
        .map(|t| {
            let title = format!("{}, {}", odd.window, t.channel);
            let description = format!(
                "{} nats per dimension, less likely are {} % of the windows; {}.",
                format::fixed(odd.per_dimension, 3),
                format::fixed(odd.percentile, 1),
                odd.place
            );
            traces(&title, &description, &[t], frequency)
        })
        .collect()
}

/// Power spectral density on a logarithmic scale: median and quartiles of held-out windows, median of
/// samples.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn spectrum(s: &Spectrum) -> Result<Figure, ReportError> {
    let log = |v: f64| v.max(1e-12).log10();
    let low_high = s.band.iter().flatten();
    let y = range_of(s.data.iter().chain(&s.samples).chain(low_high).map(|v| log(*v)), 0.04);
    let y_title = format!("log₁₀ power ({})", s.unit);
    let x_title = format!("frequency ({})", s.frequency_unit);
    let axes = Axes {
        size: (440, 280),
        margin: [58, 16, 10, 44],
        x: range_of(s.frequency.iter().copied().chain([0.0]), 0.0),
        y,
        x_ticks: Ticks::Numbers(6),
        y_ticks: Ticks::Numbers(5),
        x_title: &x_title,
        y_title: &y_title,
    };
    let title = format!("Power spectrum of {}", s.channel);
    let description = "Median over windows: solid held-out windows, dashed samples; the band holds the \
                       middle half of the held-out windows.";
    let mut places = Vec::new();
    let svg = axes.draw(&title, description, |plot, _| {
        places = strips(plot, s.frequency.iter().copied(), (axes.y.start, axes.y.end));
        if !s.band.is_empty() {
            let mut band: Vec<(f64, f64)> =
                s.frequency.iter().zip(&s.band).map(|(f, b)| (*f, log(b[0]))).collect();
            band.extend(s.frequency.iter().zip(&s.band).rev().map(|(f, b)| (*f, log(b[1]))));
            plot.draw_series([Polygon::new(band, Ink::Data.color().mix(0.22))])?;
        }
        for (ink, values) in [(Ink::Data, &s.data), (Ink::Model, &s.samples)] {
            let line = s.frequency.iter().zip(values).map(|(f, v)| (*f, log(*v)));
            plot.draw_series(LineSeries::new(line, ink.color().stroke_width(LINE)))?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&[]);
    table.columns = vec![
        format!("Frequency ({})", s.frequency_unit),
        format!("Held-out ({})", s.unit),
        "25 %".into(),
        "75 %".into(),
        "Samples".into(),
    ];
    table.rows = (0..s.frequency.len())
        .map(|i| {
            let band = s.band.get(i).copied().unwrap_or([f64::NAN; 2]);
            [s.frequency[i], s.data[i], band[0], band[1], s.samples[i]]
                .map(|v| format::significant(v, 3))
                .to_vec()
        })
        .collect();
    let svg = with_rows(&svg, &places);
    Ok(Figure { title, description: description.into(), svg, table })
}

/// Likelihood along a recording.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn over_time(o: &OverTime) -> Result<Figure, ReportError> {
    let half = |e: Option<f64>| Z95 * e.unwrap_or(0.0);
    let ends = o.points.iter().flat_map(|p| [p.mean - half(p.error), p.mean + half(p.error)]);
    let x_title = format!("time ({})", o.time_unit);
    let axes = Axes {
        size: (660, 220),
        margin: [66, 16, 10, 44],
        x: range_of(o.points.iter().map(|p| p.time), 0.02),
        y: range_of(ends, 0.06),
        x_ticks: Ticks::Numbers(8),
        y_ticks: Ticks::Numbers(4),
        x_title: &x_title,
        y_title: "nats per dimension",
    };
    let title = format!("Likelihood along {}", o.recording);
    let description = "Windows the model was not fitted on, validation first; bars are 95 % intervals of the \
                       mean of the windows behind a dot. Lower is less like the training windows.";
    let mut places = Vec::new();
    let svg = axes.draw(&title, description, |plot, _| {
        for p in &o.points {
            if half(p.error) > 0.0 {
                let bar = vec![(p.time, p.mean - half(p.error)), (p.time, p.mean + half(p.error))];
                plot.draw_series([PathElement::new(bar, Ink::Data.color().stroke_width(LINE))])?;
            }
            let size = if p.error.is_some() { DOT } else { DOT / 2 };
            plot.draw_series([Circle::new((p.time, p.mean), size, Ink::Data.color().filled())])?;
            let half_width = (axes.x.end - axes.x.start) / (4 * o.points.len().max(1)) as f64;
            places.push(corners(
                plot,
                (p.time - half_width, axes.y.start),
                (p.time + half_width, axes.y.end),
            ));
        }
        Ok(())
    })?;
    let time = format!("Time ({})", o.time_unit);
    let mut table = DataTable::new(&[&time, "Nats per dimension", "± SE", "Split"]);
    table.rows = o
        .points
        .iter()
        .map(|p| {
            vec![
                format::fixed(p.time, 3),
                format::fixed(p.mean, 4),
                p.error.map_or(format::NONE.into(), |e| format::fixed(e, 4)),
                p.split.clone(),
            ]
        })
        .collect();
    let svg = with_rows(&svg, &places);
    Ok(Figure { title, description: description.into(), svg, table })
}
