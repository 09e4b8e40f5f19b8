//! Flags for a table of records: one row each, in their order.

use std::io::Write;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::density::Density;
use crate::features::Encoder;

use super::OutlierError;
use super::explanation::FeatureExplanation;
use super::feature::significant;
use super::flag_row::{FlagOptions, FlagRow};
use super::judge::Judge;
use super::threshold::Warning;

/// The verdict on a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Flags {
    /// One per record, in the order given.
    pub rows: Vec<FlagRow>,
    /// What to know before acting on them.
    pub warnings: Vec<Warning>,
    /// Calibration records behind the p-values.
    pub n_calibration: usize,
    /// Features named per row at most: the number of column groups in [`Flags::write_csv`].
    pub explain_top: usize,
}

/// Scores, calibrates, flags and explains records.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`]; `record_ids`: n
///
/// # Errors
/// [`OutlierError`]: no calibration scores, a level outside (0, 1), or shapes that do not fit.
pub fn flag(
    density: &dyn Density,
    encoder: &Encoder,
    calibration_scores: &[f64],
    raw: ArrayView2<'_, f64>,
    record_ids: &[String],
    options: &FlagOptions,
) -> Result<Flags, OutlierError> {
    let judge = Judge::new(density, encoder, calibration_scores, options)?;
    if record_ids.len() != raw.nrows() {
        let (got, expected) = (record_ids.len(), raw.nrows());
        return Err(OutlierError::Length { what: "record ids", got, expected });
    }
    let scored = judge.score(raw)?;
    let mut tally = judge.begin();
    judge.tally(&mut tally, raw, &scored.records.log_prob, &scored.scores);
    let decisions = judge.decide(&tally);
    Ok(Flags {
        rows: judge.rows(&decisions, 0, record_ids, raw, &scored.records.log_prob, &scored.scores)?,
        warnings: decisions.warnings,
        n_calibration: judge.n_calibration(),
        explain_top: options.explain_top,
    })
}

/// A column of the output table.
#[derive(Debug, Clone, PartialEq)]
pub enum FlagColumn {
    /// Text; empty is null.
    Text(Vec<String>),
    /// Numbers; NaN is null.
    Number(Vec<f64>),
    /// Decisions.
    Boolean(Vec<bool>),
}

impl Flags {
    /// The table by columns, for writers of typed files: record id, figures, decision, the sentence, the
    /// measure it is most unusual by, then for each k ≤ `explain_top` the feature, its observed and suggested
    /// value, what is expected, the gain and the pattern.
    pub fn columns(&self) -> Vec<(String, FlagColumn)> {
        let text = |of: &dyn Fn(&FlagRow) -> String| FlagColumn::Text(self.rows.iter().map(of).collect());
        let number = |of: &dyn Fn(&FlagRow) -> f64| FlagColumn::Number(self.rows.iter().map(of).collect());
        let mut out = vec![
            ("record_id".to_owned(), text(&|r| r.record_id.clone())),
            ("log_prob".to_owned(), number(&|r| r.log_prob)),
            ("score".to_owned(), number(&|r| r.score)),
            ("p_value".to_owned(), number(&|r| r.p_value)),
            ("q_value".to_owned(), number(&|r| r.q_value)),
            ("flagged".to_owned(), FlagColumn::Boolean(self.rows.iter().map(|r| r.flagged).collect())),
        ];
        if self.rows.iter().any(|r| r.group.is_some()) {
            let name = text(&|r| r.group.as_ref().map_or_else(String::new, |g| g.name.clone()));
            let n = number(&|r| r.group.as_ref().map_or(f64::NAN, |g| g.n_calibration as f64));
            out.extend([("group".to_owned(), name), ("n_calibration".to_owned(), n)]);
        }
        out.push(("explanation".to_owned(), text(&|r| r.sentence.clone())));
        let words =
            |r: &FlagRow| r.reasons.first().map_or_else(String::new, |r| r.measure.words().to_owned());
        if self.explain_top > 0 {
            out.push(("unusual_by".to_owned(), text(&words)));
        }
        for k in 0..self.explain_top {
            type Of = fn(&FeatureExplanation) -> String;
            let texts: [(&str, Of); 4] = [
                ("feature", |e| e.feature.clone()),
                ("observed", |e| e.written.observed.clone()),
                ("suggested", |e| e.written.suggested.clone()),
                ("expected", |e| e.written.expected.clone()),
            ];
            for (name, of) in texts {
                let column = text(&|r| r.explanations.get(k).map(of).unwrap_or_default());
                out.push((format!("{name}_{}", k + 1), column));
            }
            let gain = number(&|r| r.explanations.get(k).map_or(f64::NAN, |e| e.gain));
            out.push((format!("gain_{}", k + 1), gain));
            let pattern =
                |e: &FeatureExplanation| e.pattern.as_ref().map(ToString::to_string).unwrap_or_default();
            let column = text(&|r| r.explanations.get(k).map(pattern).unwrap_or_default());
            out.push((format!("pattern_{}", k + 1), column));
        }
        out
    }

    /// The table as CSV with a header, numbers at six significant digits.
    ///
    /// # Errors
    /// Whatever the writer says.
    pub fn write_csv<W: Write>(&self, writer: W) -> Result<(), csv::Error> {
        let columns = self.columns();
        let mut out = csv::Writer::from_writer(writer);
        out.write_record(columns.iter().map(|c| &c.0))?;
        for i in 0..self.rows.len() {
            out.write_record(columns.iter().map(|(_, column)| match column {
                FlagColumn::Text(v) => v[i].clone(),
                FlagColumn::Number(v) if v[i].is_nan() => String::new(),
                FlagColumn::Number(v) => significant(v[i], 6),
                FlagColumn::Boolean(v) => v[i].to_string(),
            }))?;
        }
        out.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
