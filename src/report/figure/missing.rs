//! Bars of missing values.

use std::fmt::Write as _;

use plotters::prelude::*;

use super::axes::{Axes, Ticks, corners, margin_for};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::Missing;
use crate::report::{ReportError, format};

/// Bars beyond this many make no better picture.
const DRAWN: usize = 50;
/// Rows of the table: thousands would make the page large, and nobody reads them.
const LISTED: usize = 500;

/// Per cent of records without a value, most first.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn missing(features: &[Missing]) -> Result<Figure, ReportError> {
    let drawn = &features[..features.len().min(DRAWN)];
    let n = drawn.len();
    let names = drawn.iter().enumerate().map(|(i, m)| (i as f64 + 0.5, m.label.clone())).collect();
    let highest = drawn.iter().map(|m| m.bar).fold(0.0, f64::max);
    let axes = Axes {
        size: (660, 60 + 18 * n as u32),
        margin: [margin_for(drawn.iter().map(|m| m.label.as_str())), 24, 8, 44],
        // A scale that ends at what there is, but never exaggerates a few per cent.
        x: 0.0..if highest > 50.0 { 100.0 } else { (highest * 1.1).max(10.0) },
        y: n as f64..0.0,
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Names(names),
        x_title: "records without a value (%)",
        y_title: "",
    };
    let title = "Missing values by feature";
    let mut description = "One bar per feature; longer bars mean more records without a value.".to_owned();
    if features.len() > n {
        let listed = features.len().min(LISTED);
        let (all, table) = (features.len(), if listed < features.len() { "lists" } else { "holds all," });
        let _ = write!(
            description,
            " The {n} features that miss most of {all} are drawn; the table {table} {listed}."
        );
    }
    let mut rows = Vec::with_capacity(n);
    let svg = axes.draw(title, &description, |plot, _| {
        rows.extend((0..n).map(|i| corners(plot, (axes.x.start, i as f64), (axes.x.end, i as f64 + 1.0))));
        plot.draw_series(drawn.iter().enumerate().map(|(i, m)| {
            let y = i as f64;
            Rectangle::new([(0.0, y + 0.2), (m.bar.clamp(0.0, 100.0), y + 0.8)], Ink::Data.color().filled())
        }))?;
        Ok(())
    })?;
    let mut table = DataTable::new(&["Feature", "Missing (%)"]);
    table.rows = features
        .iter()
        .take(LISTED)
        .map(|m| vec![m.label.clone(), m.percent.text(|v| format::fixed(v, 1))])
        .collect();
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title: title.into(), description, svg, table })
}
