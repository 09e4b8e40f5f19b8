//! Held-out likelihood of the models: means with intervals, paired differences, and the spread by split.

use std::ops::Range;

use plotters::prelude::*;

use super::axes::{Axes, DOT, LINE, THIN, Ticks, corners, margin_for, outline, range_of};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::{Comparison, ComparisonRow, SplitLikelihood};
use crate::report::measure::Z95;
use crate::report::{ReportError, format};

pub(super) fn axes(names: Vec<String>, height: u32, x: Range<f64>, x_title: &str) -> Axes<'_> {
    let n = names.len();
    Axes {
        size: (660, 56 + height * n as u32),
        margin: [margin_for(names.iter().map(String::as_str)), 24, 8, 44],
        x,
        y: n as f64..0.0,
        x_ticks: Ticks::Numbers(6),
        y_ticks: Ticks::Names(names.into_iter().enumerate().map(|(i, n)| (i as f64 + 0.5, n)).collect()),
        x_title,
        y_title: "",
    }
}

/// Mean log-likelihood of each model with its 95 % interval.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn held_out(comparison: &Comparison) -> Result<Figure, ReportError> {
    let interval =
        |r: &ComparisonRow| (r.mean - Z95 * r.standard_error, r.mean, r.mean + Z95 * r.standard_error);
    let title = format!("Mean log-likelihood of {} records", comparison.split);
    let description = "One dot per model with its 95 % interval; further right is better.";
    dots(comparison, &title, description, "log-likelihood (nats per record)", interval, None)
}

/// Paired difference of each model to the best, with its 95 % interval.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn differences(comparison: &Comparison) -> Result<Figure, ReportError> {
    let interval = |r: &ComparisonRow| (r.low, r.difference, r.high);
    let description = "Same records under both models, so that what is hard for all cancels; an interval \
                       that reaches the line at 0 cannot be told from the best.";
    dots(
        comparison,
        "Paired difference to the best model",
        description,
        "difference (nats per record)",
        interval,
        Some(0.0),
    )
}

fn dots(
    comparison: &Comparison,
    title: &str,
    description: &str,
    x_title: &str,
    interval: impl Fn(&ComparisonRow) -> (f64, f64, f64),
    reference: Option<f64>,
) -> Result<Figure, ReportError> {
    let rows = &comparison.rows;
    let names = rows.iter().map(|r| r.model.clone()).collect();
    let spread = rows.iter().flat_map(|r| {
        let (low, _, high) = interval(r);
        [low, high]
    });
    let axes = axes(names, 30, range_of(spread.chain(reference), 0.06), x_title);
    let n = rows.len() as f64;
    let mut places = Vec::with_capacity(rows.len());
    let svg = axes.draw(title, description, |plot, _| {
        places.extend(
            (0..rows.len()).map(|i| corners(plot, (axes.x.start, i as f64), (axes.x.end, i as f64 + 1.0))),
        );
        if let Some(at) = reference {
            let line = vec![(at, 0.0), (at, n)];
            plot.draw_series([PathElement::new(line, Ink::Reference.color().stroke_width(LINE))])?;
        }
        for (i, row) in rows.iter().enumerate() {
            let (y, (low, middle, high)) = (i as f64 + 0.5, interval(row));
            let line = Ink::Data.color().stroke_width(LINE);
            plot.draw_series([
                PathElement::new(vec![(low, y), (high, y)], line),
                PathElement::new(vec![(low, y - 0.15), (low, y + 0.15)], line),
                PathElement::new(vec![(high, y - 0.15), (high, y + 0.15)], line),
            ])?;
            plot.draw_series([Circle::new((middle, y), DOT, Ink::Data.color().filled())])?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Model", "Value (nats)", "95 % from", "95 % to"]);
    table.rows = rows
        .iter()
        .map(|r| {
            let (low, middle, high) = interval(r);
            let mut row = vec![r.model.clone()];
            row.extend([middle, low, high].map(|v| format::fixed(v, 4)));
            row
        })
        .collect();
    let svg = with_rows(&svg, &places);
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}

/// Boxes of the record log-likelihood: middle half, median, and 5–95 %.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn by_split(rows: &[SplitLikelihood]) -> Result<Figure, ReportError> {
    let names = rows.iter().map(|r| format!("{} · {}", r.model, r.split)).collect();
    let ends = rows.iter().flat_map(|r| [r.quantiles.p5, r.quantiles.p95]);
    let axes = axes(names, 24, range_of(ends, 0.04), "log-likelihood (nats per record)");
    let title = "Record log-likelihood by model and split";
    let description =
        "Each box holds the middle half of the records, its bar the median, its whiskers 5 to 95 %.";
    let mut places = Vec::with_capacity(rows.len());
    let svg = axes.draw(title, description, |plot, _| {
        places.extend(
            (0..rows.len()).map(|i| corners(plot, (axes.x.start, i as f64), (axes.x.end, i as f64 + 1.0))),
        );
        for (i, row) in rows.iter().enumerate() {
            let (y, q) = (i as f64 + 0.5, row.quantiles);
            let line = Ink::Data.color().stroke_width(THIN);
            plot.draw_series([
                PathElement::new(vec![(q.p5, y), (q.p25, y)], line),
                PathElement::new(vec![(q.p75, y), (q.p95, y)], line),
                PathElement::new(vec![(q.p5, y - 0.15), (q.p5, y + 0.15)], line),
                PathElement::new(vec![(q.p95, y - 0.15), (q.p95, y + 0.15)], line),
            ])?;
            let edges = [(q.p25, y - 0.3), (q.p75, y + 0.3)];
            plot.draw_series([Rectangle::new(edges, Ink::Data.color().mix(0.3).filled())])?;
            plot.draw_series([outline(edges, line)])?;
            let median = vec![(q.p50, y - 0.3), (q.p50, y + 0.3)];
            plot.draw_series([PathElement::new(median, Ink::Text.color().stroke_width(LINE))])?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Model", "Split", "n", "5 %", "25 %", "Median", "75 %", "95 %"]);
    table.rows = rows
        .iter()
        .map(|r| {
            let mut row = vec![r.model.clone(), r.split.clone(), r.n.text(format::count)];
            let q = r.quantiles;
            row.extend([q.p5, q.p25, q.p50, q.p75, q.p95].map(|v| format::fixed(v, 2)));
            row
        })
        .collect();
    let svg = with_rows(&svg, &places);
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}
