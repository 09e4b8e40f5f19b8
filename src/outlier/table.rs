//! Flags for a table of records: one row each, in their order.

use std::io::Write;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::density::Density;
use crate::evaluate::{DRAWS, LOG_PROB_FLOOR, Score, score_records};
use crate::features::Encoder;
use crate::random::Seed;

use super::OutlierError;
use super::calibrate::q_values;
use super::encoder::EncoderCells;
use super::explain::{Explainer, Explanation};
use super::explanation::{FeatureExplanation, PairExplanation};
use super::feature::{Feature, significant};
use super::groups::{Calibrations, Grouping, group_name};
use super::sentence::sentence;
use super::threshold::{Rule, Warning, warnings};
use super::versions::Gain;

/// How to flag and explain.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagOptions {
    /// What decides.
    pub rule: Rule,
    /// What is calibrated; the one the calibration scores were made with.
    pub score: Score,
    /// Groups to calibrate by.
    pub groups: Option<Grouping>,
    /// Noise draws per score; as many as the calibration scores were made with.
    pub draws: usize,
    /// Features named per explained row.
    pub explain_top: usize,
    /// Rows explained although they are not flagged: this many of the most unusual.
    pub also_explain: usize,
    /// At most this many rows are explained, the most unusual first.
    pub max_explained: usize,
    /// Of the noise.
    pub seed: Seed,
}

impl Default for FlagOptions {
    fn default() -> Self {
        Self {
            rule: Rule::Fdr(0.05),
            score: Score::LogLikelihood,
            groups: None,
            draws: DRAWS,
            explain_top: 3,
            also_explain: 0,
            // At the design goal of 50 ms each, under a minute.
            max_explained: 1000,
            seed: Seed(0),
        }
    }
}

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

/// The verdict on one record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagRow {
    /// Whose row it is.
    pub record_id: String,
    /// Log-likelihood bound in original units, in nats.
    pub log_prob: f64,
    /// Larger is more unusual.
    pub score: f64,
    /// Split-conformal.
    pub p_value: f64,
    /// Benjamini–Hochberg over all rows of the table.
    pub q_value: f64,
    /// The decision.
    pub flagged: bool,
    /// The group it was calibrated in, where calibration went by groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<RowGroup>,
    /// By decreasing gain; empty when the row was not explained.
    pub explanations: Vec<FeatureExplanation>,
    /// Two features that are unusual together.
    pub pair: Option<PairExplanation>,
    /// The explanation in words; empty when the row was not explained.
    pub sentence: String,
}

/// A record's group and how well it is calibrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroup {
    /// Level of the column; "(missing)" and "(unseen)" where there is none.
    pub name: String,
    /// Calibration records of the group.
    pub n_calibration: usize,
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
    options.rule.check()?;
    let calibrations = Calibrations::new(calibration_scores, options.groups.as_ref())?;
    let calibration = calibrations.whole();
    let n = raw.nrows();
    if record_ids.len() != n {
        return Err(OutlierError::Length { what: "record ids", got: record_ids.len(), expected: n });
    }
    let features = Feature::all(encoder);
    if raw.ncols() != features.len() {
        return Err(OutlierError::Columns { got: raw.ncols(), expected: features.len() });
    }
    let seed = options.seed.child("flag", 0);
    let records = score_records(density, encoder, raw, options.draws, seed);
    let scores = options.score.of_all(encoder, raw, &records);
    let (log_prob, tensor) = (records.log_prob, records.log_prob_tensor);
    let codes: Vec<Option<i64>> = raw.rows().into_iter().map(|row| calibrations.code(row)).collect();
    let p = calibrations.p_values(raw, &scores);
    let q = q_values(&p);
    let mut rows: Vec<FlagRow> = (0..n)
        .map(|i| FlagRow {
            record_id: record_ids[i].clone(),
            log_prob: log_prob[i],
            score: scores[i],
            p_value: p[i],
            q_value: q[i],
            flagged: options.rule.flags(p[i], q[i]),
            group: options.groups.as_ref().zip(codes[i]).map(|(g, code)| RowGroup {
                name: group_name(encoder, g.column, code),
                n_calibration: calibrations.n(Some(code)),
            }),
            ..FlagRow::default()
        })
        .collect();
    let mut warnings = warnings(calibration, options.rule, &p);
    warnings.extend(calibrations.warnings(options.rule, encoder, &codes));
    // One floored draw among the averaged ones is enough to leave the range of real log-likelihoods.
    let not_finite = log_prob.iter().filter(|l| **l < LOG_PROB_FLOOR / 1e3).count();
    if not_finite > 0 {
        warnings.push(Warning::NotFinite { rows: not_finite });
    }

    let chosen = to_explain(&rows, options);
    let flagged = rows.iter().filter(|r| r.flagged).count();
    let explained = chosen.iter().filter(|&&i| rows[i].flagged).count();
    if explained < flagged && options.explain_top > 0 {
        warnings.push(Warning::ExplanationsLimited { explained, flagged });
    }
    let cells = EncoderCells(encoder);
    let explainer = Explainer::new(density, &cells, &features);
    let explanations: Vec<Explanation> = chosen
        .par_iter()
        .map(|&i| {
            let row = raw.row(i).to_vec();
            let after = |edit: &[(usize, f64)], gain: Gain| {
                let mut row = row.clone();
                for &(j, v) in edit {
                    row[j] = v;
                }
                let (original, vector) = (log_prob[i] + gain.original, tensor[i] + gain.vector);
                calibrations.p_value(codes[i], options.score.of(encoder, (&row).into(), original, vector))
            };
            explainer.explain(&row, &after, options.explain_top, seed.child("explain", i as u64))
        })
        .collect();
    for (i, Explanation { features, pair }) in chosen.into_iter().zip(explanations) {
        let observed = raw.row(i).iter().filter(|x| !x.is_nan()).count();
        rows[i].sentence = sentence(&features, pair.as_ref(), observed);
        (rows[i].explanations, rows[i].pair) = (features, pair);
    }
    Ok(Flags { rows, warnings, n_calibration: calibration.n(), explain_top: options.explain_top })
}

/// Rows to explain: the flagged and the most unusual, up to the limit, most unusual first.
fn to_explain(rows: &[FlagRow], options: &FlagOptions) -> Vec<usize> {
    if options.explain_top == 0 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // NaN first, as the calibration has it.
    let key = |i: usize| if rows[i].score.is_nan() { f64::INFINITY } else { rows[i].score };
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    let wanted = |(rank, i): (usize, &usize)| rows[*i].flagged || rank < options.also_explain;
    order.iter().enumerate().filter(|&e| wanted(e)).map(|(_, &i)| i).take(options.max_explained).collect()
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
    /// The table by columns, for writers of typed files: record id, figures, decision, the sentence, then for each
    /// k ≤ `explain_top` the feature, its observed and suggested value, what is expected, the gain and the pattern.
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
