//! Learning curves.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, DOT, LINE, THIN, Ticks, beside, range_of, strips, words};
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::LearningCurve;
use crate::report::measure::Z95;
use crate::report::{ReportError, format};

/// Points beyond this many fall on the same pixels; the best epoch is always among those drawn.
const DRAWN: usize = 300;

/// Training and validation log-likelihood by epoch, and the epoch whose weights were kept.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn learning_curve(curve: &LearningCurve) -> Result<Figure, ReportError> {
    let stride = curve.epochs.len().div_ceil(DRAWN).max(1);
    let last = curve.epochs.len().saturating_sub(1);
    let kept: Vec<_> = curve
        .epochs
        .iter()
        .enumerate()
        .filter(|(i, e)| i % stride == 0 || *i == last || Some(e.epoch) == curve.best_epoch)
        .map(|(_, e)| *e)
        .collect();
    // The first epochs climb from far below; a scale that held them would flatten everything after.
    let mut settled: Vec<f64> =
        kept.iter().flat_map(|e| [e.train, e.validation]).flatten().filter(|v| v.is_finite()).collect();
    settled.sort_by(f64::total_cmp);
    let floor = settled.get(settled.len() / 10).copied().unwrap_or(0.0);
    let top = settled.last().copied().unwrap_or(1.0);
    let y = range_of([floor - 0.3 * (top - floor), top], 0.06);
    let low = y.start;
    let x = range_of(kept.iter().map(|e| e.epoch as f64), 0.02);
    let axes = Axes {
        size: (440, 280),
        margin: [66, 16, 22, 44],
        x,
        y,
        x_ticks: Ticks::Numbers(5),
        y_ticks: Ticks::Numbers(5),
        x_title: "epoch",
        y_title: "log-likelihood (nats per record)",
    };
    let title = format!("Learning curve of {}", curve.model);
    let description = "Mean log-likelihood of training and validation records after each epoch; higher is \
                       better. The upright bar is the 95 % interval of the validation mean at the epoch \
                       kept.";
    let mut rows = Vec::with_capacity(kept.len());
    let svg = axes.draw(&title, description, |plot, root| {
        let ends = (plot.y_range().start, plot.y_range().end);
        rows.extend(strips(plot, kept.iter().map(|e| e.epoch as f64), ends));
        if let Some(best) = curve.best_epoch {
            let (from, to) = (plot.y_range().start, plot.y_range().end);
            let line = vec![(best as f64, from), (best as f64, to)];
            plot.draw_series([PathElement::new(line, Ink::Reference.color().stroke_width(THIN))])?;
            let at = plot.backend_coord(&(best as f64, to));
            let side = if at.0 > 440 { HPos::Right } else { HPos::Left };
            let label = format!("kept: epoch {best}");
            words(root, &label, (at.0, at.1 - 6), &beside(side, VPos::Bottom))?;
        }
        let train = kept.iter().filter_map(|e| Some((e.epoch as f64, e.train?)));
        let validation = kept.iter().filter_map(|e| Some((e.epoch as f64, e.validation?)));
        for (ink, points) in
            [(Ink::Data, train.collect::<Vec<_>>()), (Ink::Model, validation.collect::<Vec<_>>())]
        {
            let inside: Vec<_> = points.into_iter().filter(|p| p.1.is_finite() && p.1 >= low).collect();
            if let [only] = inside.as_slice() {
                plot.draw_series([Circle::new(*only, DOT, ink.color().filled())])?;
            } else {
                plot.draw_series(LineSeries::new(inside, ink.color().stroke_width(LINE)))?;
            }
        }
        let at_best = kept.iter().find(|e| Some(e.epoch) == curve.best_epoch);
        let bar = at_best.and_then(|e| Some((e.epoch as f64, e.validation?, Z95 * curve.validation_error?)));
        if let Some((x, y, half)) = bar.filter(|b| (b.1 + b.2).is_finite()) {
            let ends = vec![(x, (y - half).max(low)), (x, (y + half).min(plot.y_range().end))];
            plot.draw_series([PathElement::new(ends, Ink::Model.color().stroke_width(2 * LINE))])?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Epoch", "Training (nats)", "Validation (nats)"]);
    table.rows = kept
        .iter()
        .map(|e| {
            let value = |v: Option<f64>| v.map_or(format::NONE.into(), |v| format::fixed(v, 4));
            vec![e.epoch.to_string(), value(e.train), value(e.validation)]
        })
        .collect();
    let svg = with_rows(&svg, &rows);
    Ok(Figure { title, description: description.into(), svg, table })
}
