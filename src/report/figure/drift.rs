//! How an older cohort differs.

use plotters::prelude::*;

use super::axes::{DOT, LINE, THIN, corners, range_of};
use super::likelihood::axes;
use super::marginal::continuous;
use super::theme::{Ink, with_rows};
use super::{DataTable, Figure};
use crate::report::data::{Drift, FeatureDrift, JointDrift, Marginal};
use crate::report::measure::Z95;
use crate::report::{ReportError, format};

/// Features drawn, the most changed first.
const DRAWN: usize = 30;

/// Standardised mean differences of the most changed features with their 95 % intervals; `None` without
/// numbers.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn drifts(drift: &Drift) -> Result<Option<Figure>, ReportError> {
    let drawn: Vec<(&FeatureDrift, f64, f64)> =
        drift.features.iter().filter_map(|f| Some((f, f.smd?, Z95 * f.smd_error?))).take(DRAWN).collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    let ends = drawn.iter().flat_map(|(_, d, half)| [d - half, d + half]);
    let names = drawn.iter().map(|d| d.0.label.clone()).collect();
    let axes = axes(names, 20, range_of(ends.chain([-0.15, 0.15]), 0.04), "mean new − mean old (pooled SD)");
    let title = "Shift of the means";
    let description = "One dot per feature with its 95 % interval, most changed distribution first. Within \
                       the band, a tenth of a standard deviation, differences rarely matter.";
    let n = drawn.len() as f64;
    let mut rows = Vec::with_capacity(drawn.len());
    let svg = axes.draw(title, description, |plot, _| {
        let band = [(-0.1, 0.0), (0.1, n)];
        plot.draw_series([Rectangle::new(band, Ink::Reference.color().mix(0.18).filled())])?;
        let zero = vec![(0.0, 0.0), (0.0, n)];
        plot.draw_series([PathElement::new(zero, Ink::Reference.color().stroke_width(THIN))])?;
        for (i, (_, d, half)) in drawn.iter().enumerate() {
            let y = i as f64 + 0.5;
            rows.push(corners(plot, (axes.x.start, i as f64), (axes.x.end, i as f64 + 1.0)));
            let line = Ink::Data.color().stroke_width(LINE);
            plot.draw_series([PathElement::new(vec![(d - half, y), (d + half, y)], line)])?;
            plot.draw_series([Circle::new((*d, y), DOT - 2, Ink::Data.color().filled())])?;
        }
        Ok(())
    })?;
    let mut table = DataTable::new(&["Feature", "Difference (SD)", "95 % from", "95 % to"]);
    table.rows = drawn
        .iter()
        .map(|(f, d, half)| {
            let mut row = vec![f.label.clone()];
            row.extend([*d, d - half, d + half].map(|v| format::signed(v, 3)));
            row
        })
        .collect();
    let svg = with_rows(&svg, &rows);
    Ok(Some(Figure { title: title.into(), description: description.into(), svg, table }))
}

/// Log-likelihoods of both cohorts under one model of the older; `None` with too few records.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn drifted_likelihood(joint: &JointDrift) -> Result<Option<Figure>, ReportError> {
    let Some(histogram) = &joint.histogram else { return Ok(None) };
    let marginal = Marginal {
        label: format!("Log-likelihood under {}", joint.model),
        unit: "nats per record".into(),
        ks: joint.ks,
        ks_real: None,
        ks_chance: joint.ks_chance,
        missing_data: joint.n_old,
        missing_samples: 0.0,
        histogram: None,
    };
    let mut figure = continuous(&marginal, histogram, "old", "new")?;
    figure.description =
        "Filled: older records the model was not fitted on, with the 95 % interval of each share; outline: \
         records of this cohort."
            .into();
    Ok(Some(figure))
}
