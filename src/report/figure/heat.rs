//! Correlation maps.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{WORDS, drawing, fit, style, words};
use super::theme::{Ink, with_cells};
use super::{DataTable, Figure};
use crate::report::{ReportError, format};

/// Rank correlations as a square map: hue for the sign, strength for the size. `limit` is the size drawn at
/// full strength.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn correlation(
    title: &str,
    labels: &[String],
    values: &[Vec<Option<f64>>],
    limit: f64,
) -> Result<Figure, ReportError> {
    let description = format!(
        "One cell per pair of features; stronger colour means further from 0, full colour {} or more.",
        format::significant(limit, 2)
    );
    map(title, &description, (labels, labels), values, limit, &[])
}

/// A linear layer: output by input, hue for the sign, the cells of its nearest permutation framed.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub(super) fn matrix(
    title: &str,
    inputs: &[String],
    values: &[Vec<Option<f64>>],
    permutation: &[usize],
) -> Result<Figure, ReportError> {
    let largest = values.iter().flatten().flatten().fold(0.0_f64, |a, v| a.max(v.abs()));
    let limit = if largest > 0.0 && largest.is_finite() { largest.min(1.0) } else { 1.0 };
    let description = format!(
        "Rows are outputs, columns inputs; full colour is a weight of {} or more. Frames mark the nearest \
         permutation.",
        format::significant(limit, 2)
    );
    // An output is named by the input it is nearest to.
    let outputs: Vec<String> = permutation.iter().map(|&j| format!("→ {}", inputs[j])).collect();
    map(title, &description, (&outputs, inputs), values, limit, permutation)
}

fn map(
    title: &str,
    description: &str,
    (labels, columns): (&[String], &[String]),
    values: &[Vec<Option<f64>>],
    limit: f64,
    framed: &[usize],
) -> Result<Figure, ReportError> {
    let p = labels.len() as i32;
    let cell = (360 / p.max(1)).clamp(8, 36);
    let text = f64::from(cell - 1).clamp(7.0, WORDS - 1.0);
    let (left, below) = (140, 128);
    let map = p * cell;
    let (width, height) = ((left + map + 12).max(280), map + below + 44);
    let svg = drawing((width as u32, height as u32), 1, title, description, |root| {
        for (i, row) in values.iter().enumerate() {
            let y = 4 + i as i32 * cell;
            for (j, value) in row.iter().enumerate() {
                let x = left + j as i32 * cell;
                let corners = [(x, y), (x + cell, y + cell)];
                let Some(v) = value else {
                    root.draw(&PathElement::new(
                        vec![corners[0], corners[1]],
                        Ink::Grid.color().stroke_width(1),
                    ))?;
                    continue;
                };
                // Hundredths are finer than the eye and keep the file small.
                let strength = ((v.abs() / limit).min(1.0) * 100.0).round() / 100.0;
                if strength > 0.0 {
                    let ink = if *v > 0.0 { Ink::Positive } else { Ink::Negative };
                    root.draw(&Rectangle::new(corners, ink.color().mix(strength).filled()))?;
                }
            }
        }
        for (i, j) in framed.iter().enumerate() {
            let (x, y) = (left + *j as i32 * cell, 4 + i as i32 * cell);
            root.draw(&Rectangle::new([(x, y), (x + cell, y + cell)], Ink::Text.color().stroke_width(1)))?;
        }
        let frame = [(left, 4), (left + map, 4 + map)];
        root.draw(&Rectangle::new(frame, Ink::Grid.color().stroke_width(1)))?;
        for (i, label) in labels.iter().enumerate() {
            let middle = i as i32 * cell + cell / 2;
            let side = style(Ink::Muted, text, HPos::Right, VPos::Center);
            words(root, &fit(label, left - 6, text), (left - 5, 4 + middle), &side)?;
            // Rotated text hangs from its end: the anchor stays the text's own.
            let under =
                style(Ink::Muted, text, HPos::Right, VPos::Center).transform(FontTransform::Rotate270);
            words(root, &fit(&columns[i], below - 8, text), (left + middle, map + 9), &under)?;
        }
        scale(root, limit, left, map + below + 14)
    })?;
    let svg = with_cells(&svg, left, 4, cell);
    let mut table = DataTable { columns: vec!["Feature".into()], rows: Vec::new() };
    table.columns.extend(columns.iter().cloned());
    for (label, row) in labels.iter().zip(values) {
        let mut cells = vec![label.clone()];
        cells.extend(row.iter().map(|v| v.map_or(format::NONE.into(), |v| format::fixed(v, 2))));
        table.rows.push(cells);
    }
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}

/// What the colours mean.
fn scale(root: &super::axes::Area<'_>, limit: f64, left: i32, top: i32) -> super::axes::Drawn {
    for k in -5..=5i32 {
        let x = left + (k + 5) * 12;
        if k != 0 {
            let ink = if k > 0 { Ink::Positive } else { Ink::Negative };
            let strength = f64::from(k.abs()) / 5.0;
            root.draw(&Rectangle::new([(x, top), (x + 12, top + 10)], ink.color().mix(strength).filled()))?;
        }
    }
    root.draw(&Rectangle::new([(left, top), (left + 132, top + 10)], Ink::Grid.color().stroke_width(1)))?;
    for (x, value) in [(left + 6, -limit), (left + 66, 0.0), (left + 126, limit)] {
        let text = format::significant(value, 2);
        words(root, &text, (x, top + 13), &style(Ink::Muted, WORDS - 2.0, HPos::Center, VPos::Top))?;
    }
    Ok(())
}
