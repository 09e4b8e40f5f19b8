//! What training took.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, Ticks, beside, corners, margin_for, words};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::ModelSummary;
use crate::report::{ReportError, format};

/// Training time by model; `None` when no model recorded it.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn training_time(models: &[ModelSummary]) -> Result<Option<Figure>, ReportError> {
    let timed: Vec<(&str, f64)> = models
        .iter()
        .filter_map(|m| Some((m.name.as_str(), m.train_seconds.filter(|s| s.is_finite())?)))
        .collect();
    let n = timed.len();
    if n == 0 {
        return Ok(None);
    }
    let longest = timed.iter().map(|t| t.1).fold(0.0, f64::max).max(1e-3);
    let axes = Axes {
        size: (660, 56 + 26 * n as u32),
        margin: [margin_for(timed.iter().map(|t| t.0)), 70, 8, 44],
        x: 0.0..longest * 1.02,
        y: n as f64..0.0,
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Names(
            timed.iter().enumerate().map(|(i, t)| (i as f64 + 0.5, t.0.to_owned())).collect(),
        ),
        x_title: "time to fit (s)",
        y_title: "",
    };
    let title = "Time to fit";
    let description = "One bar per model; shorter is cheaper.";
    let mut rows = Vec::with_capacity(n);
    let svg = axes.draw(title, description, |plot, root| {
        rows.extend((0..n).map(|i| corners(plot, (axes.x.start, i as f64), (axes.x.end, i as f64 + 1.0))));
        for (i, (_, seconds)) in timed.iter().enumerate() {
            let y = i as f64;
            let bar = [(0.0, y + 0.2), (*seconds, y + 0.8)];
            plot.draw_series([Rectangle::new(bar, Ink::Data.color().filled())])?;
            let (x, y) = plot.backend_coord(&(*seconds, y + 0.5));
            words(root, &format::seconds(*seconds), (x + 12, y), &beside(HPos::Left, VPos::Center))?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Model", "Seconds"]);
    table.rows = timed.iter().map(|(name, s)| vec![(*name).to_owned(), format::fixed(*s, 3)]).collect();
    let svg = with_rows(&svg, &rows);
    Ok(Some(Figure { title: title.into(), description: description.into(), svg, table }))
}
