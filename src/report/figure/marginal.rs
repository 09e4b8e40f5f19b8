//! One feature: data against samples.

use plotters::prelude::*;

use super::axes::{Axes, LINE, THIN, Ticks, corners, outline, range_of};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::{Histogram, Marginal};
use crate::report::{ReportError, format};

/// Histogram of the data (filled) under that of the samples (outline); `None` without a histogram.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn marginal(feature: &Marginal) -> Result<Option<Figure>, ReportError> {
    let Some(histogram) = &feature.histogram else { return Ok(None) };
    let figure = if histogram.levels.is_empty() {
        continuous(feature, histogram, "Records", "Samples")
    } else {
        levels(feature, histogram)
    };
    figure.map(Some)
}

fn named(feature: &Marginal) -> String {
    if feature.unit.is_empty() {
        feature.label.clone()
    } else {
        format!("{} ({})", feature.label, feature.unit)
    }
}

/// `data_name` and `samples_name` head the columns of the table.
pub(super) fn continuous(
    feature: &Marginal,
    h: &Histogram,
    data_name: &str,
    samples_name: &str,
) -> Result<Figure, ReportError> {
    let widths: Vec<f64> = h.edges.windows(2).map(|e| e[1] - e[0]).collect();
    // Bins differ in width, so heights are shares per width: relative to the narrowest they read as per cent.
    let typical = widths.iter().copied().fold(f64::INFINITY, f64::min);
    let height = |shares: &[f64]| -> Vec<f64> {
        shares.iter().zip(&widths).map(|(s, w)| if *w > 0.0 { s * typical / w } else { 0.0 }).collect()
    };
    let (data, samples, errors) = (height(&h.data), height(&h.samples), height(&h.error));
    let top = data
        .iter()
        .zip(&errors)
        .map(|(y, half)| y + half)
        .chain(samples.iter().copied())
        .fold(0.0, f64::max)
        .max(1e-9);
    let x_title = if feature.unit.is_empty() { "value" } else { &feature.unit };
    let axes = Axes {
        size: (320, 210),
        margin: [52, 12, 8, 42],
        x: range_of(h.edges.iter().copied(), 0.0),
        y: 0.0..top * 1.05,
        x_ticks: Ticks::Numbers(4),
        y_ticks: Ticks::Numbers(4),
        x_title,
        y_title: "% per bin width",
    };
    let title = named(feature);
    let description = "Filled: records, with the 95 % interval of each share; outline: samples of the model.";
    let mut rows = Vec::with_capacity(data.len());
    let svg =
        axes.draw(&title, description, |plot, _| {
            rows.extend(h.edges.windows(2).map(|e| corners(plot, (e[0], 0.0), (e[1], axes.y.end))));
            plot.draw_series(h.edges.windows(2).zip(&data).map(|(e, y)| {
                Rectangle::new([(e[0], 0.0), (e[1], *y)], Ink::Data.color().mix(0.4).filled())
            }))?;
            for ((e, y), half) in h.edges.windows(2).zip(&data).zip(&errors) {
                let middle = f64::midpoint(e[0], e[1]);
                let bar = vec![(middle, (y - half).max(0.0)), (middle, (y + half).min(axes.y.end))];
                plot.draw_series([PathElement::new(bar, Ink::Data.color().stroke_width(THIN))])?;
            }
            let mut outline = Vec::with_capacity(2 * samples.len() + 2);
            for (e, y) in h.edges.windows(2).zip(&samples) {
                outline.extend([(e[0], *y), (e[1], *y)]);
            }
            plot.draw_series([PathElement::new(outline, Ink::Model.color().stroke_width(LINE))])?;
            Ok(())
        })?;
    let mut table = DataTable::new(&[
        "From",
        "To",
        &format!("{data_name} (%)"),
        "± 95 %",
        &format!("{samples_name} (%)"),
    ]);
    for (i, e) in h.edges.windows(2).enumerate() {
        let mut row: Vec<String> = e.iter().map(|v| format::significant(*v, 4)).collect();
        row.extend([h.data[i], h.error[i], h.samples[i]].map(|v| format::fixed(v, 1)));
        table.rows.push(row);
    }
    // The outer bins are open.
    if let Some(first) = table.rows.first_mut() {
        first[0] = "below".into();
    }
    if let Some(last) = table.rows.last_mut() {
        last[1] = "above".into();
    }
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title, description: description.into(), svg, table })
}

fn levels(feature: &Marginal, h: &Histogram) -> Result<Figure, ReportError> {
    let n = h.levels.len();
    let shares = h.data.iter().zip(&h.error).map(|(y, half)| y + half).chain(h.samples.iter().copied());
    let top = shares.fold(0.0, f64::max).max(1.0);
    let names = h.levels.iter().enumerate().map(|(i, l)| (i as f64 + 0.5, l.clone())).collect();
    let axes = Axes {
        size: (320, (62 + 30 * n as u32).max(120)),
        margin: [110, 14, 8, 42],
        x: 0.0..top * 1.05,
        y: n as f64..0.0,
        x_ticks: Ticks::Numbers(4),
        y_ticks: Ticks::Names(names),
        x_title: "share (%)",
        y_title: "",
    };
    let title = named(feature);
    let description =
        "Two bars per level: records (upper, filled) and samples of the model (lower, outlined).";
    let mut rows = Vec::with_capacity(n);
    let svg = axes.draw(&title, description, |plot, _| {
        for i in 0..n {
            let y = i as f64;
            rows.push(corners(plot, (0.0, y), (axes.x.end, y + 1.0)));
            let data = [(0.0, y + 0.15), (h.data[i], y + 0.48)];
            plot.draw_series([Rectangle::new(data, Ink::Data.color().mix(0.4).filled())])?;
            let interval = [h.data[i] - h.error[i], h.data[i] + h.error[i]].map(|x| x.clamp(0.0, axes.x.end));
            let bar = interval.map(|x| (x, y + 0.315)).to_vec();
            plot.draw_series([PathElement::new(bar, Ink::Data.color().stroke_width(THIN))])?;
            let samples = [(0.0, y + 0.52), (h.samples[i], y + 0.85)];
            plot.draw_series([outline(samples, Ink::Model.color().stroke_width(LINE))])?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Level", "Records (%)", "Samples (%)"]);
    for i in 0..n {
        table.rows.push(vec![
            h.levels[i].clone(),
            format::fixed(h.data[i], 1),
            format::fixed(h.error[i], 1),
            format::fixed(h.samples[i], 1),
        ]);
    }
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title, description: description.into(), svg, table })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Privacy;

    #[test]
    fn area_under_both_histograms_is_the_same_whatever_the_bins() {
        let histogram = Histogram {
            edges: vec![0.0, 1.0, 4.0],
            levels: vec![],
            data: vec![50.0, 50.0],
            error: vec![5.0, 5.0],
            samples: vec![25.0, 75.0],
        };
        let feature = Marginal {
            label: "x".into(),
            unit: "mg".into(),
            ks: 0.25,
            ks_real: None,
            ks_chance: 0.1,
            missing_data: Privacy::new(false).percent(0, 100),
            missing_samples: 0.0,
            histogram: Some(histogram),
        };
        let figure = marginal(&feature).unwrap().unwrap();
        let bars: Vec<(f64, f64)> = figure
            .svg
            .split("<rect")
            .skip(1)
            .map(|r| {
                let read = |k: &str| {
                    r.split(&format!("{k}=\"")).nth(1).unwrap().split('"').next().unwrap().parse::<f64>()
                };
                (read(" width").unwrap(), read(" height").unwrap())
            })
            .collect();
        assert_eq!(bars.len(), 2);
        let (a, b) = (bars[0].0 * bars[0].1, bars[1].0 * bars[1].1);
        assert!((a / b - 1.0).abs() < 0.05, "equal shares, equal areas: {a} and {b}");
    }
}
