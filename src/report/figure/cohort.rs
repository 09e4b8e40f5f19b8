//! Flow diagram: who passed each rule, who did not, and how the rest was split.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Area, Drawn, WORDS, drawing, fit, style, words};
use super::theme::Ink;
use super::{DataTable, Figure};
use crate::report::data::{Cohort, NamedCount};
use crate::report::{ReportError, format};

const WIDTH: i32 = 660;
const BOX: (i32, i32) = (300, 54);
const SIDE: (i32, i32) = (270, 44);
const GAP: i32 = 44;

/// Draws the cohort's steps from top to bottom, exclusions to the right, splits below.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn flow(cohort: &Cohort, splits: &[NamedCount]) -> Result<Figure, ReportError> {
    let n = cohort.steps.len() as i32;
    let splits_height = if splits.is_empty() { 0 } else { GAP + 10 + SIDE.1 };
    let height = 12 + n * BOX.1 + (n - 1).max(0) * GAP + splits_height;
    let title = "Cohort flow";
    let description = "Boxes from top to bottom: records that passed each rule; boxes to the right: records \
                       excluded by it.";
    let svg = drawing((WIDTH as u32, height.max(20) as u32), 1, title, description, |root| {
        for (i, step) in cohort.steps.iter().enumerate() {
            let top = 6 + i as i32 * (BOX.1 + GAP);
            if i > 0 {
                arrow(root, (BOX.0 / 2, top - GAP), (BOX.0 / 2, top))?;
                let middle = top - GAP / 2;
                arrow(root, (BOX.0 / 2, middle), (WIDTH - SIDE.0 - 6, middle))?;
                let at = (WIDTH - SIDE.0 - 6, middle - SIDE.1 / 2);
                let lines = [format!("excluded: {}", step.excluded.text(format::count)), without_value(step)];
                boxed(root, at, SIDE, &lines, false)?;
            }
            let lines = [step.rule.clone(), format!("n = {}", step.kept.text(format::count))];
            boxed(root, (6, top), BOX, &lines, true)?;
        }
        if !splits.is_empty() && n > 0 {
            branch(root, splits, 6 + n * BOX.1 + (n - 1) * GAP)?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Rule", "Kept", "Excluded", "Of those, value missing"]);
    for (i, step) in cohort.steps.iter().enumerate() {
        let of_excluded =
            |c: crate::report::Cell| if i == 0 { format::NONE.into() } else { c.text(format::count) };
        table.rows.push(vec![
            step.rule.clone(),
            step.kept.text(format::count),
            of_excluded(step.excluded),
            of_excluded(step.excluded_null),
        ]);
    }
    for split in splits {
        let row = [
            format!("split: {}", split.name),
            split.n.text(format::count),
            format::NONE.into(),
            format::NONE.into(),
        ];
        table.rows.push(row.to_vec());
    }
    Ok(Figure { title: title.into(), description: description.into(), svg, table })
}

fn without_value(step: &crate::report::data::Step) -> String {
    if step.excluded_null.exact() == Some(0.0) {
        String::new()
    } else {
        format!("{} for a missing value", step.excluded_null.text(format::count))
    }
}

fn boxed(root: &Area<'_>, (x, y): (i32, i32), (w, h): (i32, i32), lines: &[String], main: bool) -> Drawn {
    let corners = [(x, y), (x + w, y + h)];
    root.draw(&Rectangle::new(corners, Ink::Surface.color().filled()))?;
    let edge = if main { Ink::Data } else { Ink::Muted };
    root.draw(&Rectangle::new(corners, edge.color().stroke_width(1)))?;
    let lines: Vec<&String> = lines.iter().filter(|l| !l.is_empty()).collect();
    let first = y + h / 2 - (lines.len() as i32 - 1) * 9;
    for (i, line) in lines.into_iter().enumerate() {
        let text = fit(line, w - 12, WORDS);
        let ink = if main && i > 0 { Ink::Muted } else { Ink::Text };
        words(
            root,
            &text,
            (x + w / 2, first + i as i32 * 18),
            &style(ink, WORDS, HPos::Center, VPos::Center),
        )?;
    }
    Ok(())
}

fn arrow(root: &Area<'_>, from: (i32, i32), to: (i32, i32)) -> Drawn {
    root.draw(&PathElement::new(vec![from, to], Ink::Muted.color().stroke_width(1)))?;
    let head = if from.0 == to.0 {
        [(to.0 - 4, to.1 - 7), (to.0 + 4, to.1 - 7), to]
    } else {
        [(to.0 - 7, to.1 - 4), (to.0 - 7, to.1 + 4), to]
    };
    root.draw(&Polygon::new(head.to_vec(), Ink::Muted.color()))?;
    Ok(())
}

fn branch(root: &Area<'_>, splits: &[NamedCount], top: i32) -> Drawn {
    let n = splits.len() as i32;
    let width = (WIDTH - 12 - (n - 1) * 12) / n;
    let (rail, below) = (top + GAP / 2, top + GAP);
    let center = |i: i32| 6 + i * (width + 12) + width / 2;
    let line = Ink::Muted.color().stroke_width(1);
    root.draw(&PathElement::new(vec![(BOX.0 / 2, top), (BOX.0 / 2, rail)], line))?;
    let ends = (center(0).min(BOX.0 / 2), center(n - 1).max(BOX.0 / 2));
    root.draw(&PathElement::new(vec![(ends.0, rail), (ends.1, rail)], line))?;
    for (i, split) in splits.iter().enumerate() {
        let i = i as i32;
        arrow(root, (center(i), rail), (center(i), below))?;
        let lines = [split.name.clone(), format!("n = {}", split.n.text(format::count))];
        boxed(root, (center(i) - width / 2, below), (width, SIDE.1), &lines, false)?;
    }
    Ok(())
}
