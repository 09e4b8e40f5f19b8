//! Frame, grid, ticks and axis titles, the same on every plot.
//!
//! Ticks are our own: plotters' search for key points does not end when a range is below the resolution of
//! its numbers, which a constant feature with large values brings about.

use std::ops::Range;

use plotters::coord::types::RangedCoordf64;
use plotters::coord::{Shift, cartesian::Cartesian2d};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::theme::{Ink, finish};
use crate::report::ReportError;
use crate::report::format::{significant, squeeze};

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Plot<'a, 'b> = ChartContext<'b, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub(crate) type Drawn = Result<(), ReportError>;

/// Average advance of a character relative to the font size, for fitting labels; system fonts differ by 10 %.
const ADVANCE: f64 = 0.56;
/// Size of words in plots, in CSS pixels.
pub(crate) const WORDS: f64 = 12.0;

/// Plotters rounds to whole pixels: plots are drawn at this multiple of their size, so that curves are
/// smooth.
const SCALE: u32 = 2;
/// A thin line in a plot, one CSS pixel.
pub(crate) const THIN: u32 = SCALE;
/// A line of data in a plot.
pub(crate) const LINE: u32 = 2 * SCALE;
/// Radius of a dot in a plot.
pub(crate) const DOT: i32 = 5 * SCALE as i32;

/// A drawing of `size` CSS pixels with its accessible name, in whole pixels of `scale` to one.
pub(crate) fn drawing(
    size: (u32, u32),
    scale: u32,
    title: &str,
    description: &str,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<String, ReportError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (size.0 * scale, size.1 * scale)).into_drawing_area();
        draw(&root)?;
        root.present()?;
    }
    Ok(finish(&svg, size, scale, title, description))
}

/// Words in a drawing.
pub(crate) fn style(ink: Ink, size: f64, h: HPos, v: VPos) -> TextStyle<'static> {
    // Plotters writes size / 1.24 into the file.
    ("sans-serif", size * 1.24).into_font().color(&ink.color()).pos(Pos::new(h, v))
}

/// Secondary words inside a plot.
pub(crate) fn beside(h: HPos, v: VPos) -> TextStyle<'static> {
    style(Ink::Muted, (WORDS - 1.0) * f64::from(SCALE), h, v)
}

/// The edge of a rectangle; plotters' own has no width.
pub(crate) fn outline([(x0, y0), (x1, y1)]: [(f64, f64); 2], line: ShapeStyle) -> PathElement<(f64, f64)> {
    PathElement::new(vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], line)
}

/// Puts words at a pixel.
pub(crate) fn words(root: &Area<'_>, text: &str, at: (i32, i32), style: &TextStyle<'_>) -> Drawn {
    Ok(root.draw(&Text::new(text, at, style.clone()))?)
}

/// As many characters of `text` as fit into `pixels`.
pub(crate) fn fit(text: &str, pixels: i32, size: f64) -> String {
    squeeze(text, ((f64::from(pixels) / (size * ADVANCE)).floor() as usize).max(3))
}

/// How an axis is marked.
pub(crate) enum Ticks {
    /// Round numbers, about this many.
    Numbers(usize),
    /// Named positions.
    Names(Vec<(f64, String)>),
}

impl Ticks {
    fn marks(&self, range: &Range<f64>) -> Vec<(f64, String)> {
        match self {
            Self::Numbers(about) => round_ticks(range.start, range.end, *about),
            Self::Names(names) => names.clone(),
        }
    }
}

/// A plot's outside.
pub(crate) struct Axes<'a> {
    pub(crate) size: (u32, u32),
    /// Room for tick labels: left, right, top, bottom.
    pub(crate) margin: [i32; 4],
    pub(crate) x: Range<f64>,
    pub(crate) y: Range<f64>,
    pub(crate) x_ticks: Ticks,
    pub(crate) y_ticks: Ticks,
    pub(crate) x_title: &'a str,
    pub(crate) y_title: &'a str,
}

impl Axes<'_> {
    /// Draws grid, ticks and titles, then lets `inside` draw the data over them.
    pub(crate) fn draw(
        &self,
        title: &str,
        description: &str,
        inside: impl FnOnce(&mut Plot<'_, '_>, &Area<'_>) -> Drawn,
    ) -> Result<String, ReportError> {
        let scale = SCALE as i32;
        let [left, right, top, bottom] = self.margin.map(|m| m * scale);
        let (width, height) = (self.size.0 as i32 * scale, self.size.1 as i32 * scale);
        let (size, small) = (WORDS * f64::from(SCALE), (WORDS - 1.0) * f64::from(SCALE));
        drawing(self.size, SCALE, title, description, |root| {
            let mut plot = ChartBuilder::on(root)
                .margin_left(left)
                .margin_right(right)
                .margin_top(top)
                .margin_bottom(bottom)
                .build_cartesian_2d(self.x.clone(), self.y.clone())?;
            let grid = Ink::Grid.color().stroke_width(THIN);
            for (at, name) in self.x_ticks.marks(&self.x) {
                let x = plot.backend_coord(&(at, self.y.start)).0;
                root.draw(&PathElement::new(vec![(x, top), (x, height - bottom)], grid))?;
                words(root, &name, (x, height - bottom + 5 * scale), &beside(HPos::Center, VPos::Top))?;
            }
            for (at, name) in self.y_ticks.marks(&self.y) {
                let y = plot.backend_coord(&(self.x.start, at)).1;
                if !matches!(self.y_ticks, Ticks::Names(_)) {
                    root.draw(&PathElement::new(vec![(left, y), (width - right, y)], grid))?;
                }
                let title = if self.y_title.is_empty() { 0 } else { 18 * scale };
                let name = fit(&name, left - 12 * scale - title, small);
                words(root, &name, (left - 7 * scale, y), &beside(HPos::Right, VPos::Center))?;
            }
            if !self.x_title.is_empty() {
                let at = ((left + width - right) / 2, height - 4 * scale);
                let text = fit(self.x_title, width - 8 * scale, size);
                words(root, &text, at, &style(Ink::Text, size, HPos::Center, VPos::Bottom))?;
            }
            if !self.y_title.is_empty() {
                let turned =
                    style(Ink::Text, size, HPos::Center, VPos::Top).transform(FontTransform::Rotate270);
                let text = fit(self.y_title, height, size);
                words(root, &text, (3 * scale, (top + height - bottom) / 2), &turned)?;
            }
            inside(&mut plot, root)?;
            let frame = Ink::Muted.color().stroke_width(THIN);
            root.draw(&PathElement::new(
                vec![(left, height - bottom), (width - right, height - bottom)],
                frame,
            ))?;
            Ok(())
        })
    }
}

/// The pixels between two points of a plot.
pub(crate) fn corners(plot: &Plot<'_, '_>, a: (f64, f64), b: (f64, f64)) -> [i32; 4] {
    let (a, b) = (plot.backend_coord(&a), plot.backend_coord(&b));
    [a.0, a.1, b.0, b.1]
}

/// Upright strips of a plot around each of ascending positions, from `y.0` to `y.1`, that touch half-way.
pub(crate) fn strips(plot: &Plot<'_, '_>, x: impl Iterator<Item = f64>, y: (f64, f64)) -> Vec<[i32; 4]> {
    let x: Vec<f64> = x.collect();
    let half = |i: usize, j: usize| f64::midpoint(x[i], x[j]);
    (0..x.len())
        .map(|i| {
            let left = if i > 0 { half(i - 1, i) } else { x[i] };
            let right = if i + 1 < x.len() { half(i, i + 1) } else { x[i] };
            corners(plot, (left, y.0), (right, y.1))
        })
        .collect()
}

/// Left margin that holds the longest of `names`, between what looks bare and what leaves no room for the
/// plot.
pub(crate) fn margin_for<'a>(names: impl IntoIterator<Item = &'a str>) -> i32 {
    let longest = names.into_iter().map(|n| n.chars().count()).max().unwrap_or(0);
    ((longest as f64 * (WORDS - 1.0) * ADVANCE) as i32 + 20).clamp(60, 210)
}

/// A range that holds all finite `values` with some air, and is never empty.
pub(crate) fn range_of(values: impl IntoIterator<Item = f64>, air: f64) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for v in values.into_iter().filter(|v| v.is_finite()) {
        low = low.min(v);
        high = high.max(v);
    }
    if low > high {
        return 0.0..1.0;
    }
    let span = high - low;
    // Below a millionth of its size a range cannot be told from a point, nor be labelled.
    if span <= 1e-6 * low.abs().max(high.abs()) || span == 0.0 {
        let half = if low == 0.0 { 0.5 } else { 0.05 * low.abs().max(high.abs()) };
        return low - half..high + half;
    }
    low - air * span..high + air * span
}

/// Multiples of 1, 2 or 5 · 10^k within the range, about `about` of them, with their labels.
fn round_ticks(low: f64, high: f64, about: usize) -> Vec<(f64, String)> {
    let (low, high) = (low.min(high), low.max(high));
    let rough = (high - low) / about.max(1) as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let magnitude = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * magnitude).find(|s| *s >= rough * 0.999).unwrap_or(rough);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    // Enough digits to tell neighbours apart.
    let digits = ((low.abs().max(high.abs()) / step).log10().floor().max(0.0) as usize + 2).min(15);
    (first..=last.min(first.saturating_add(50)))
        .map(|i| {
            let v = i as f64 * step;
            (v, significant(v, digits))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        round_ticks(low, high, 5).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_round_and_distinct() {
        assert_eq!(labels(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels(-32.0, 61.0), ["-20", "0", "20", "40", "60"]);
        assert_eq!(labels(100_000.0, 100_004.0), ["100000", "100001", "100002", "100003", "100004"]);
    }

    #[test]
    fn degenerate_ranges_end() {
        assert_eq!(range_of([f64::NAN], 0.1), 0.0..1.0);
        assert_eq!(range_of([0.0, 0.0], 0.1), -0.5..0.5);
        let r = range_of([1e17, 1e17 + 16.0], 0.0);
        assert!(r.end > r.start && labels(r.start, r.end).len() > 1);
        assert!(round_ticks(0.0, f64::INFINITY, 5).is_empty());
    }
}
