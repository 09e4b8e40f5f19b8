//! Whether p-values are uniform and latent coordinates normal.

use plotters::prelude::*;

use super::axes::{Axes, LINE, THIN, Ticks, corners, range_of, strips};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::{PValueHistogram, QqCurve, Regions};
use crate::report::{ReportError, format};

/// p-values of held-out records by bin, with the band that uniform ones keep to.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn p_values(h: &PValueHistogram) -> Result<Figure, ReportError> {
    let n = h.percent.len();
    let width = 1.0 / n.max(1) as f64;
    let top = h.percent.iter().copied().fold(h.high, f64::max) * 1.15;
    let axes = Axes {
        size: (440, 280),
        margin: [58, 16, 10, 44],
        x: 0.0..1.0,
        y: 0.0..top.max(1e-9),
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Numbers(5),
        x_title: "p-value (no unit)",
        y_title: "held-out records (%)",
    };
    let title = "Distribution of p-values";
    let description =
        "Bars should stay within the band, which holds 95 % of the bars of perfectly calibrated p-values.";
    let mut rows = Vec::with_capacity(n);
    let svg = axes.draw(title, description, |plot, _| {
        for i in 0..n {
            let (a, b) = ((i as f64 * width, 0.0), ((i + 1) as f64 * width, axes.y.end));
            rows.push(corners(plot, a, b));
        }
        plot.draw_series(h.percent.iter().enumerate().map(|(i, y)| {
            let x = i as f64 * width;
            Rectangle::new(
                [(x + 0.05 * width, 0.0), (x + 0.95 * width, *y)],
                Ink::Data.color().mix(0.5).filled(),
            )
        }))?;
        let band = [(0.0, h.low), (1.0, h.high)];
        plot.draw_series([Rectangle::new(band, Ink::Reference.color().mix(0.18).filled())])?;
        for y in [h.low, h.high] {
            let line = Ink::Reference.color().stroke_width(THIN);
            plot.draw_series([PathElement::new(vec![(0.0, y), (1.0, y)], line)])?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["p from", "p to", "Records (%)", "Band from (%)", "Band to (%)"]);
    for (i, y) in h.percent.iter().enumerate() {
        let edges = [i as f64 * width, (i + 1) as f64 * width].map(|v| format::fixed(v, 2));
        let mut row = edges.to_vec();
        row.extend([*y, h.low, h.high].map(|v| format::fixed(v, 1)));
        table.rows.push(row);
    }
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}

/// Per cent of held-out records within the model's densest regions, against the probability of the regions.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn regions(regions: &Regions) -> Result<Figure, ReportError> {
    let axes = Axes {
        size: (440, 280),
        margin: [58, 16, 10, 44],
        x: 0.0..100.0,
        y: 0.0..100.0,
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Numbers(5),
        x_title: "probability of the region under the model (%)",
        y_title: "held-out records inside (%)",
    };
    let title = "Records within the model's densest regions";
    let description = "The line should stay within the band around the diagonal, which chance alone leaves \
                       in 5 % of cases. Below it, records lie further out than the model believes; above it, \
                       further in.";
    let mut rows = Vec::with_capacity(regions.points.len());
    let svg = axes.draw(title, description, |plot, _| {
        // The band is cut off at the frame, so its corners lie where its edges meet it.
        let c = regions.chance.min(100.0);
        let band =
            vec![(0.0, 0.0), (0.0, c), (100.0 - c, 100.0), (100.0, 100.0), (100.0, 100.0 - c), (c, 0.0)];
        plot.draw_series([Polygon::new(band, Ink::Reference.color().mix(0.18))])?;
        let diagonal = vec![(0.0, 0.0), (100.0, 100.0)];
        plot.draw_series([PathElement::new(diagonal, Ink::Reference.color().stroke_width(THIN))])?;
        let line = regions.points.iter().map(|p| (p[0], p[1]));
        plot.draw_series(LineSeries::new(line, Ink::Data.color().stroke_width(LINE)))?;
        rows.extend(strips(plot, regions.points.iter().map(|p| p[0]), (0.0, 100.0)));
        Ok(())
    })?;
    let mut table = DataTable::new(&["Region (%)", "Records inside (%)", "Band from (%)", "Band to (%)"]);
    table.rows = regions
        .points
        .iter()
        .map(|p| {
            let band = [p[0] - regions.chance, p[0] + regions.chance].map(|v| v.clamp(0.0, 100.0));
            vec![
                format::fixed(p[0], 0),
                format::fixed(p[1], 1),
                format::fixed(band[0], 1),
                format::fixed(band[1], 1),
            ]
        })
        .collect();
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}

/// Quantiles of the latent coordinates against those of the standard normal.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn quantiles(curve: &QqCurve) -> Result<Figure, ReportError> {
    let both = range_of(curve.points.iter().flat_map(|p| [p[0], p[1], p[2], p[3]]), 0.05);
    // One coordinate far out must not flatten the rest.
    let both = both.start.max(-6.0)..both.end.min(6.0).max(both.start.max(-6.0) + 1.0);
    let axes = Axes {
        size: (440, 280),
        margin: [58, 16, 10, 44],
        x: range_of(curve.points.iter().map(|p| p[0]), 0.03),
        y: both,
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Numbers(5),
        x_title: "standard normal quantile",
        y_title: "latent quantile",
    };
    let title = "Latent coordinates against the normal";
    let description = "A line on the diagonal means the flow turned the data into independent normal noise. \
                       The wide band spans the single coordinates, the narrow one what chance leaves of a \
                       perfect one.";
    let mut rows = Vec::with_capacity(curve.points.len());
    let svg = axes.draw(title, description, |plot, _| {
        let clip = |v: f64| v.clamp(axes.y.start, axes.y.end);
        let mut band: Vec<(f64, f64)> = curve.points.iter().map(|p| (p[0], clip(p[2]))).collect();
        band.extend(curve.points.iter().rev().map(|p| (p[0], clip(p[3]))));
        plot.draw_series([Polygon::new(band, Ink::Data.color().mix(0.22))])?;
        let with_chance = || curve.points.iter().zip(&curve.chance);
        let mut chance: Vec<(f64, f64)> = with_chance().map(|(p, c)| (p[0], clip(c[0]))).collect();
        chance.extend(with_chance().rev().map(|(p, c)| (p[0], clip(c[1]))));
        plot.draw_series([Polygon::new(chance, Ink::Reference.color().mix(0.25))])?;
        let diagonal = [axes.x.start.max(axes.y.start), axes.x.end.min(axes.y.end)].map(|v| (v, v));
        plot.draw_series([PathElement::new(diagonal.to_vec(), Ink::Reference.color().stroke_width(THIN))])?;
        let line = curve.points.iter().map(|p| (p[0], p[1]));
        plot.draw_series(LineSeries::new(line, Ink::Data.color().stroke_width(LINE)))?;
        rows.extend(strips(plot, curve.points.iter().map(|p| p[0]), (axes.y.start, axes.y.end)));
        Ok(())
    })?;
    let headings =
        ["Normal", "All coordinates", "Lowest coordinate", "Highest coordinate", "Chance from", "Chance to"];
    let mut table = DataTable::new(&headings);
    table.rows = curve
        .points
        .iter()
        .zip(&curve.chance)
        .map(|(p, c)| p.iter().chain(c).map(|v| format::fixed(*v, 3)).collect())
        .collect();
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}
