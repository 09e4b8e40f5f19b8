//! The oddest records with their explanations.

use super::context::Context;
use crate::message::Message;
use crate::outlier::{Estimate, Evaluation, FlagRow, Flags, Pattern};
use crate::report::data::{Interval, OutcomeRow, OutlierRow, Outliers, Planted, PlantedKind};
use crate::report::format;

/// Flags of the first model, with what is known about them.
#[derive(Debug, Clone)]
pub struct Flagged {
    /// One row per record judged.
    pub flags: Flags,
    /// What to know about them.
    pub messages: Vec<Message>,
    /// False discovery rate asked for.
    pub fdr: f64,
    /// Whether the records are others than the test split.
    pub new_records: bool,
    /// Features of the model that the records lack and that are integrated out.
    pub integrated_out: Vec<String>,
    /// Against known anomalies.
    pub evaluation: Option<Evaluation>,
    /// Against what the bundle knows of the records and the model does not.
    pub outcomes: Vec<Outcome>,
}

/// A label of the flagged records and of the others.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// For people.
    pub label: String,
    /// Unit of a label of numbers; none of one that is yes or no.
    pub unit: Option<String>,
    /// Share or mean of the flagged records.
    pub flagged: Estimate,
    /// Of the others.
    pub rest: Estimate,
}

/// Records listed at least, and at most where many are flagged.
const LISTED: (usize, usize) = (20, 200);

pub(super) fn outliers(context: &Context<'_>, flagged: &Flagged, model: &str) -> Outliers {
    let privacy = context.privacy;
    let rows = &flagged.flags.rows;
    let n_flagged = rows.iter().filter(|r| r.flagged).count();
    let labels = context.labels();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // What no model can score comes first.
    let key = |i: usize| if rows[i].score.is_nan() { f64::INFINITY } else { rows[i].score };
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
    order.truncate(n_flagged.clamp(LISTED.0, LISTED.1));
    let listed = order
        .into_iter()
        .enumerate()
        .map(|(rank, i)| {
            let row = &rows[i];
            let first = row.explanations.first();
            OutlierRow {
                record: privacy.record(rank + 1, &row.record_id),
                log_prob: row.log_prob,
                p_value: row.p_value,
                q_value: row.q_value,
                flagged: row.flagged,
                feature: first.map_or_else(String::new, |e| e.written.label.clone()),
                explanation: sentence(context, &labels, row),
                gain: first.map(|e| e.gain),
            }
        })
        .collect();
    Outliers {
        model: model.into(),
        rule: format!("false discovery rate {} %", format::significant(100.0 * flagged.fdr, 3)),
        of: if flagged.new_records { "new records" } else { "test records" }.into(),
        integrated_out: flagged.integrated_out.clone(),
        n_scored: privacy.count(rows.len() as u64),
        n_flagged: privacy.count(n_flagged as u64),
        rows: listed,
        outcomes: flagged.outcomes.iter().map(|outcome| outcome_row(context, outcome)).collect(),
        planted: flagged.evaluation.as_ref().map(|e| Planted {
            kinds: e
                .by_kind
                .iter()
                .map(|k| PlantedKind {
                    kind: k.kind.clone(),
                    n: privacy.count(k.n as u64),
                    recall: privacy.share(k.n_flagged as u64, k.n as u64),
                    named_first: privacy.share(k.n_named_first as u64, k.n_explained as u64),
                    auc: Some(k.auroc).filter(|a| a.is_finite() && privacy.allows(k.n as u64)),
                })
                .collect(),
            false_discovery: Some(e.false_discovery_proportion)
                .filter(|f| f.is_finite() && privacy.allows(e.n_flagged as u64)),
            fdr_level: flagged.fdr,
        }),
    }
}

/// An outcome as it may be printed: nothing of few records, nor what tells by subtraction that few of them
/// have it or have it not.
fn outcome_row(context: &Context<'_>, outcome: &Outcome) -> OutcomeRow {
    let privacy = context.privacy;
    let shown = |e: &Estimate| {
        let (n, k) = (e.n as u64, e.n_with.map(|k| k as u64));
        let tells = k.is_some_and(|k| !privacy.shows(k) || !privacy.shows(n - k));
        let factor = if e.n_with.is_some() { 100.0 } else { 1.0 };
        (privacy.allows(n) && !tells && e.value.is_finite()).then(|| Interval {
            value: factor * e.value,
            low: Some(factor * e.low).filter(|x| x.is_finite()),
            high: Some(factor * e.high).filter(|x| x.is_finite()),
        })
    };
    OutcomeRow {
        label: outcome.label.clone(),
        unit: outcome.unit.clone().unwrap_or_else(|| "%".into()),
        is_share: outcome.unit.is_none(),
        n_flagged: privacy.count(outcome.flagged.n as u64),
        flagged: shown(&outcome.flagged),
        n_rest: privacy.count(outcome.rest.n as u64),
        rest: shown(&outcome.rest),
    }
}

/// Why a record is odd. Its own values are those of one person: without opting in the sentence says in which
/// direction they lie and what would be ordinary, never what they are.
fn sentence(context: &Context<'_>, labels: &[String], row: &FlagRow) -> String {
    if context.privacy.identifiable() || row.sentence.is_empty() {
        return row.sentence.clone();
    }
    let label = |column: usize| labels.get(column).map_or("a feature", String::as_str);
    if let Some(pair) = &row.pair {
        let [first, second] = pair.columns.map(label);
        return format!("{first} and {second} do not go together");
    }
    let Some(first) = row.explanations.first().filter(|e| e.gain > 0.0) else {
        // These sentences name no value.
        return row.sentence.clone();
    };
    let name = label(first.column);
    let unit = if first.written.unit.is_empty() { String::new() } else { format!(" {}", first.written.unit) };
    let categorical =
        context.bundle.manifest.encoder.columns.get(first.column).is_some_and(|c| !c.levels.is_empty());
    let ordinary = format!("{}{unit}", first.written.suggested);
    match &first.pattern {
        Some(Pattern::Swapped(other)) => {
            let columns = &context.bundle.manifest.encoder.columns;
            let partner = columns.iter().position(|c| c.meta.name == *other).map_or(other.as_str(), label);
            format!("{name} and {partner} look exchanged")
        }
        // Together with a factor, an ordinary value would tell the odd one.
        Some(pattern) => format!("{name} {}", looks(pattern)),
        None if categorical => {
            format!("{name} is unlikely beside the other values; ordinary would be {ordinary}")
        }
        None => {
            let side = if first.observed > first.suggested { "high" } else { "low" };
            format!("{name} is too {side} for the other values; ordinary would be {ordinary}")
        }
    }
}

pub(super) fn looks(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Unit(unit) => format!("looks like {unit}"),
        Pattern::Times(factor) => format!("looks {factor} times too large"),
        Pattern::DividedBy(factor) => format!("looks {factor} times too small"),
        Pattern::Sign => "looks like a wrong sign".to_owned(),
        Pattern::Swapped(other) => format!("looks exchanged with {other}"),
    }
}
