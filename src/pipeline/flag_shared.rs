//! `flag` for records of another database, which lack some of the features of a model.
//!
//! What a bundle lacks is integrated out: exactly by a mixture, by importance sampling elsewhere. The score
//! is minus the log-likelihood of the features that are left. Its p-values need calibration records that were
//! scored in the same way, and a model keeps the scores of whole records only; `reference` therefore names
//! the bundle that the model was fitted on, of which the records count that no part of the fit has seen.
//!
//! A flagged record is explained feature by feature: what the model expects of the feature given all others
//! that the record has, and how much likelihood the record gains by the middle of that.

use std::path::Path;

use ndarray::{Array2, Axis};

use crate::artifact::ModelArtifact;
use crate::evaluate::ScoreKind;
use crate::features::{Bundle, FittedColumn};
use crate::message::{Message, Weight, plural};
use crate::num::quantile::median;
use crate::outlier::{
    Calibration, Expected, FeatureExplanation, FlagRow, MostUnusual, Rule, Warning, Written, q_values,
    significant, warnings,
};
use crate::partial::{FEWEST_EFFECTIVE, Proposal, impute, marginals};
use crate::random::Seed;
use crate::schema::Split;

use super::flag_output::{FlagRequest, FlagSummary, Outputs};
use super::marginal::few_samples;
use super::shared::{SAMPLES, SharedFeatures, integrated_out, read_shared};
use super::{Error, Records};

/// Records that are explained, at most: each takes a likelihood for every feature that it has.
const MOST_EXPLAINED: usize = 100;
/// Completions of a feature from which its expected values are read.
const COMPLETIONS: usize = 40;

/// How records are flagged, whatever becomes of the flags.
pub(super) struct Judging {
    pub(super) rule: Rule,
    /// Features named per explained record.
    pub(super) explain: usize,
    /// The most unusual records are explained even if they are not flagged: this many of them.
    pub(super) also_explain: usize,
    pub(super) seed: Seed,
}

/// Flags by shared features.
pub(super) struct SharedFlags {
    /// One row per record, in their order.
    pub(super) rows: Vec<FlagRow>,
    pub(super) n_flagged: usize,
    pub(super) n_calibration: usize,
    /// Positions of the records that are explained, the most unusual first.
    explained: Vec<usize>,
    /// Advice about the flags.
    pub(super) advice: Vec<Warning>,
    /// What to know about them, advice included.
    pub(super) messages: Vec<Message>,
}

/// Flags the records of a bundle by the features that it shares with the model, and writes the flags.
pub(super) fn by_shared(
    model: &ModelArtifact,
    request: &FlagRequest<'_>,
    dir: &Path,
    reference: &Path,
    shared: &SharedFeatures,
) -> Result<FlagSummary, Error> {
    if !matches!(request.score, ScoreKind::Combined | ScoreKind::LogLikelihood) {
        return Err(Error::Usage {
            message: format!("--score {} judges whole records, and the bundle lacks features", request.score),
            hint: "leave --score out: the likelihood of the features that both have decides".into(),
        });
    }
    request.rule.check()?;
    let mut outputs = Outputs::begin(request)?;
    let FlagRequest { rule, explain, also_explain, seed, .. } = *request;
    let judging = Judging { rule, explain, also_explain, seed };
    let judged = judge(model, &judging, dir, reference, shared)?;
    let SharedFlags { mut rows, n_flagged, n_calibration, explained, advice, messages } = judged;
    let n = rows.len();
    let most_unusual = explained.iter().take(also_explain).map(|row| rows[*row].clone()).collect();
    if let Some(top) = request.top {
        let mut ranked: Vec<usize> = (0..n).collect();
        ranked.sort_by(|a, b| rows[*b].score.total_cmp(&rows[*a].score).then(a.cmp(b)));
        rows = ranked.into_iter().take(top).map(|row| std::mem::take(&mut rows[row])).collect();
    }
    outputs.write(rows, None)?;
    outputs.finish(&advice, n_calibration)?;
    Ok(FlagSummary { n_records: n, n_flagged, n_calibration, most_unusual, messages })
}

/// Flags the records of the bundle `dir` by the features that it shares with the model.
///
/// # Errors
/// A `reference` that the model was not fitted on, or without held-out records; records that cannot be read
/// or judged.
pub(super) fn judge(
    model: &ModelArtifact,
    judging: &Judging,
    dir: &Path,
    reference: &Path,
    shared: &SharedFeatures,
) -> Result<SharedFlags, Error> {
    let proposal = Proposal::of(model)?;
    let (held_out, split) = reference_records(model, reference)?;
    let theirs = read_shared(model, dir, shared)?;
    let judged =
        |raw: &Array2<f64>| marginals(&proposal, raw.view(), &shared.wanted, SAMPLES, model.score_seed());
    let (before, now) = (judged(&held_out)?, judged(&theirs.raw)?);
    let score = |log_prob: &[f64]| log_prob.iter().map(|l| -l).collect::<Vec<f64>>();
    let calibration = Calibration::new(&score(&before.log_prob))?;
    let scores = score(&now.log_prob);
    let p = calibration.p_values(&scores);
    let q = q_values(&p);

    let n = scores.len();
    let mut order = MostUnusual::new(n.min(MOST_EXPLAINED));
    scores.iter().enumerate().for_each(|(i, &score)| order.offer(i, score));
    let flagged: Vec<bool> = p.iter().zip(&q).map(|(p, q)| judging.rule.flags(*p, *q)).collect();
    let n_flagged = flagged.iter().filter(|f| **f).count();
    let order: Vec<usize> = order.rows().collect();
    let explained: Vec<usize> = order
        .iter()
        .enumerate()
        .filter(|(rank, row)| flagged[**row] || *rank < judging.also_explain)
        .map(|(_, row)| *row)
        .collect();
    let mut rows: Vec<FlagRow> = (0..n)
        .map(|i| FlagRow {
            record_id: theirs.ids[i].clone(),
            log_prob: now.log_prob[i],
            score: scores[i],
            p_value: p[i],
            q_value: q[i],
            flagged: flagged[i],
            ..FlagRow::default()
        })
        .collect();
    let explain = Explainer { model, proposal: &proposal, shared, calibration: &calibration, judging };
    for &row in &explained {
        explain.fill(&mut rows[row], &theirs, row)?;
    }

    let mut messages = vec![integrated_out(&shared.lacking, shared.wanted.len())];
    messages.push(Message::records(Weight::Choice, calibrated_on(held_out.nrows(), split, reference)));
    messages.extend(theirs.messages.iter().cloned());
    messages.extend(few_effective(few_samples(&now.effective_samples), n));
    let small = p.iter().filter(|p| **p <= 0.05).count();
    let mut advice = warnings(&calibration, judging.rule, n, small);
    if n_flagged > MOST_EXPLAINED {
        advice.push(Warning::ExplanationsLimited { explained: MOST_EXPLAINED, flagged: n_flagged });
    }
    messages.extend(advice.iter().map(Warning::message));
    Ok(SharedFlags { rows, n_flagged, n_calibration: calibration.n(), explained, advice, messages })
}

/// What to say where `few` of `n` records rest on few effective samples.
fn few_effective(few: usize, n: usize) -> Option<Message> {
    (few > 0).then(|| {
        let text = format!(
            "{few} of {n} records {} fewer than {FEWEST_EFFECTIVE} effective samples of {SAMPLES}, so that \
             their log-likelihood is likely too low and their p-value too small; a model of `fit --model \
             gmm` integrates out exactly",
            plural(few, "has", "have")
        );
        Message::records(Weight::Wrong, text).counting(few)
    })
}

fn calibrated_on(n: usize, splits: &str, reference: &Path) -> String {
    // A page that goes to others need not tell where on the disk the bundle lies.
    let name = reference.file_name().map_or(reference.as_os_str(), |name| name);
    format!(
        "p-values compare the likelihood of the features that both have with that of {n} records of the \
         {splits} of {}, judged by the same features",
        Path::new(name).display()
    )
}

/// The records of the model's bundle that no part of the fit has seen, and their splits in words.
fn reference_records(model: &ModelArtifact, reference: &Path) -> Result<(Array2<f64>, &'static str), Error> {
    let bundle = Bundle::open(reference)?;
    if bundle.fingerprint() != model.header.bundle_sha256 {
        return Err(Error::Usage {
            message: format!("the model was not fitted on {}", reference.display()),
            hint: "--reference names the bundle that `fit` was given".into(),
        });
    }
    // Where a calibration goes by folds, its records had a part in the fit.
    let crossed = model.header.calibration_folds.is_some();
    let (splits, words): (&[Split], _) = if crossed {
        (&[Split::Test], "test split")
    } else {
        (&[Split::Calibration, Split::Test], "calibration and test splits")
    };
    let parts: Vec<Array2<f64>> = splits.iter().map(|split| bundle.raw_of(*split)).collect();
    let views: Vec<_> = parts.iter().map(Array2::view).collect();
    let raw =
        ndarray::concatenate(Axis(0), &views).expect("invariant: splits of one bundle have its features");
    if raw.is_empty() {
        return Err(Error::Usage {
            message: format!("{} has no records that the model was not fitted on", reference.display()),
            hint: "make it with a calibration or a test split".into(),
        });
    }
    Ok((raw, words))
}

/// What it takes to explain a record.
struct Explainer<'a> {
    model: &'a ModelArtifact,
    proposal: &'a Proposal<'a>,
    shared: &'a SharedFeatures,
    calibration: &'a Calibration,
    judging: &'a Judging,
}

impl Explainer<'_> {
    /// Names the features that make a record unusual.
    fn fill(&self, row: &mut FlagRow, records: &Records, at: usize) -> Result<(), Error> {
        let own = records.raw.row(at);
        let judged: Vec<usize> =
            (0..own.len()).filter(|&j| self.shared.wanted[j] && !own[j].is_nan()).collect();
        if judged.is_empty() {
            "no value is recorded of the features that both have".clone_into(&mut row.sentence);
            return Ok(());
        }
        let seed = self.judging.seed;
        // One row for each feature, without it: its completions say what to expect.
        let mut without = own.broadcast((judged.len(), own.len())).expect("invariant: one row").to_owned();
        judged.iter().enumerate().for_each(|(k, &j)| without[(k, j)] = f64::NAN);
        let completed = impute(self.proposal, without.view(), COMPLETIONS, SAMPLES, seed)?;
        let columns = &self.model.encoder.columns;
        let mut explanations = Vec::with_capacity(judged.len());
        let mut mended = without;
        for (k, &j) in judged.iter().enumerate() {
            let drawn: Vec<f64> = (0..COMPLETIONS).map(|s| completed.raw[(k * COMPLETIONS + s, j)]).collect();
            let (suggested, expected, words) = expectation(&columns[j], drawn);
            mended[(k, j)] = suggested;
            let text = |x: f64| written(&columns[j], x);
            let meta = &columns[j].meta;
            explanations.push(FeatureExplanation {
                column: j,
                feature: meta.name.clone(),
                observed: own[j],
                suggested,
                expected,
                written: Written {
                    label: if meta.label.is_empty() { meta.name.clone() } else { meta.label.clone() },
                    unit: if columns[j].levels.is_empty() { meta.unit.clone() } else { String::new() },
                    observed: text(own[j]),
                    suggested: text(suggested),
                    expected: words,
                    corrected: String::new(),
                },
                ..FeatureExplanation::default()
            });
        }
        let mended =
            marginals(self.proposal, mended.view(), &self.shared.wanted, SAMPLES, self.model.score_seed())?;
        for (explanation, log_prob) in explanations.iter_mut().zip(&mended.log_prob) {
            explanation.gain = log_prob - row.log_prob;
            explanation.p_after = self.calibration.p_value(-log_prob);
        }
        explanations.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.column.cmp(&b.column)));
        explanations.truncate(self.judging.explain);
        row.sentence = explanations.first().map(sentence).unwrap_or_default();
        row.explanations = explanations;
        Ok(())
    }
}

/// The middle of the completions, their central 90 %, and that in words; of levels, those that are likely.
fn expectation(column: &FittedColumn, mut drawn: Vec<f64>) -> (f64, Expected, String) {
    drawn.sort_by(f64::total_cmp);
    if column.levels.is_empty() {
        let at = |share: f64| drawn[((drawn.len() - 1) as f64 * share).round() as usize];
        let (low, high) = (at(0.05), at(0.95));
        let words = format!("{} to {}", written(column, low), written(column, high));
        // The middle of an even number of whole values is not one of them.
        let middle = column.support.nearest(median(&drawn));
        return (middle, Expected::Range { low, high }, words);
    }
    let mut counts: Vec<(usize, f64)> = Vec::new();
    for x in drawn {
        match counts.last_mut() {
            Some((n, level)) if level.total_cmp(&x).is_eq() => *n += 1,
            _ => counts.push((1, x)),
        }
    }
    counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let likely: Vec<f64> = counts.iter().filter(|(n, _)| *n >= COMPLETIONS / 10).map(|c| c.1).collect();
    let words: Vec<String> = likely.iter().map(|x| written(column, *x)).collect();
    (counts[0].1, Expected::Levels(likely), words.join(" or "))
}

/// A value as a person would write it.
fn written(column: &FittedColumn, x: f64) -> String {
    match column.levels.get(x.max(0.0) as usize) {
        Some(level) => level.clone(),
        None => significant(x, 4),
    }
}

fn sentence(first: &FeatureExplanation) -> String {
    if first.gain <= 0.0 {
        return "no single value stands out; the record is unusual as a whole".to_owned();
    }
    let Written { label, unit, observed, expected, .. } = &first.written;
    let space = if unit.is_empty() || unit.starts_with('%') { "" } else { " " };
    let verdict = if first.p_after > 0.05 {
        "with the middle of these the record would be ordinary"
    } else {
        "other values are unusual as well"
    };
    format!("{label} {observed}{space}{unit}, where {expected} is expected given the rest; {verdict}")
}
