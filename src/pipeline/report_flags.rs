//! The flags of a report: of held-out records of its bundle, of a table, or of another bundle.

use std::collections::HashSet;
use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::evaluate::ScoreKind;
use crate::features::{Bundle, LabelTable};
use crate::message::{Message, Weight};
use crate::outlier::{self, Estimate, Flags, Rule};
use crate::random::Seed;
use crate::report::{self, Flagged};
use crate::schema::{Kind, Split};

use super::flag::flag_records;
use super::flag_shared::{self, Judging};
use super::labels::read_labels;
use super::shared::SharedFeatures;
use super::{Error, Records, RecordsSource};

/// Features named per flagged record.
const EXPLAIN: usize = 3;
/// The least likely records are explained even when none is flagged: this many, or fewer where each takes
/// long.
const ALSO_EXPLAIN: usize = 20;
/// Features² times records explained for that reason: the time of one explanation grows with the square of
/// the features, and is some seconds at 200.
const EXPLAINED_WORK: usize = 120_000;

/// What is flagged.
pub(super) struct Wanted<'a> {
    /// Folder of the bundle that the model was fitted on.
    pub(super) bundle: &'a Path,
    /// Records in place of its test split.
    pub(super) records: Option<RecordsSource<'a>>,
    /// Known anomalies among them.
    pub(super) labels: Option<&'a Path>,
    /// False discovery rate.
    pub(super) fdr: f64,
    /// Seed of the explanations.
    pub(super) seed: Seed,
}

/// The flags of the records that are asked about; none where a model has nothing to rank them among.
///
/// # Errors
/// Those of reading, flagging and matching with labels.
pub(super) fn flags(
    wanted: &Wanted<'_>,
    bundle: &Bundle,
    model: &ModelArtifact,
) -> Result<Option<Flagged>, Error> {
    let labels = wanted.labels.map(read_labels).transpose()?;
    let Some(Judged { flags, mut messages, integrated_out }) = judge(wanted, bundle, model)? else {
        return Ok(None);
    };
    let evaluation = match (&labels, wanted.labels) {
        (Some(labels), Some(path)) => {
            let ids = flags.rows.iter().map(|row| row.record_id.as_str());
            let matched = labels.of(ids, "the records of the report", path)?;
            messages.extend(matched.messages);
            let rows = matched.rows.iter().map(|row| flags.rows[*row].clone());
            let known = Flags { rows: rows.collect(), ..Flags::default() };
            Some(outlier::evaluate(&known, &matched.labels)?)
        }
        _ => None,
    };
    let outcomes = match wanted.records {
        // A record of another bundle may have the id of one of this bundle.
        Some(RecordsSource::Bundle(dir)) => outcomes(dir, &Bundle::open(dir)?, &flags, &mut messages)?,
        _ => outcomes(wanted.bundle, bundle, &flags, &mut messages)?,
    };
    Ok(Some(Flagged {
        flags,
        messages,
        fdr: wanted.fdr,
        new_records: wanted.records.is_some(),
        integrated_out,
        evaluation,
        outcomes,
    }))
}

/// Flags, with what to know about them.
struct Judged {
    flags: Flags,
    messages: Vec<Message>,
    integrated_out: Vec<String>,
}

fn judge(wanted: &Wanted<'_>, bundle: &Bundle, model: &ModelArtifact) -> Result<Option<Judged>, Error> {
    // One sample of a curve explains nothing.
    let explain = if bundle.manifest.shape.has_separate_features() { EXPLAIN } else { 0 };
    let of_all = EXPLAINED_WORK / bundle.raw.ncols().pow(2).max(1);
    let judging = Judging {
        rule: Rule::Fdr(wanted.fdr),
        explain,
        also_explain: of_all.clamp(3, ALSO_EXPLAIN),
        seed: wanted.seed,
    };
    if let Some(RecordsSource::Bundle(dir)) = wanted.records
        && let Some(shared) = SharedFeatures::of(model, dir)?
    {
        let judged = flag_shared::judge(model, &judging, dir, wanted.bundle, &shared)?;
        let flags = Flags { rows: judged.rows, warnings: judged.advice, ..Flags::default() };
        return Ok(Some(Judged { flags, messages: judged.messages, integrated_out: shared.lacking }));
    }
    if model.calibration.is_empty() {
        return Ok(None);
    }
    let records = match wanted.records {
        Some(source) => Records::read(model, source)?,
        None => test_records(bundle),
    };
    if records.ids.is_empty() {
        return Ok(None);
    }
    let Judging { rule, explain, also_explain, seed } = judging;
    let judged = flag_records(model, &records, rule, ScoreKind::Combined, explain, also_explain, seed)?;
    Ok(Some(Judged { flags: judged.flags, messages: judged.messages, integrated_out: Vec::new() }))
}

/// The labels of the bundle among the flagged records and the others. Of texts there is neither share nor
/// mean.
fn outcomes(
    path: &Path,
    bundle: &Bundle,
    flags: &Flags,
    messages: &mut Vec<Message>,
) -> Result<Vec<report::Outcome>, Error> {
    let labels = LabelTable::of(path, &bundle.manifest)?;
    let rows: Vec<(usize, bool)> =
        flags.rows.iter().filter_map(|row| Some((labels.row(&row.record_id)?, row.flagged))).collect();
    if rows.is_empty() || labels.metas.is_empty() {
        return Ok(Vec::new());
    }
    let subjects: HashSet<_> = rows.iter().map(|(row, _)| labels.subject(*row)).collect();
    if subjects.len() < rows.len() {
        let text = format!(
            "{} records are of {} patients: the intervals of outcomes take records as independent and are \
             too narrow",
            rows.len(),
            subjects.len()
        );
        messages.push(Message::records(Weight::Wrong, text).counting(rows.len()));
    }
    let mut all = Vec::new();
    for (at, meta) in labels.metas.iter().enumerate().filter(|(_, meta)| meta.kind != Kind::Categorical) {
        let values = |wanted: bool| -> Vec<f64> {
            let of = rows.iter().filter(|(_, flagged)| *flagged == wanted);
            of.filter_map(|(row, _)| labels.number(at, *row)).filter(|x| !x.is_nan()).collect()
        };
        let is_share = values(true).into_iter().chain(values(false)).all(|x| x == 0.0 || x == 1.0);
        let estimate = |wanted: bool| {
            let values = values(wanted);
            if is_share { Estimate::share(values.iter().map(|x| *x == 1.0)) } else { Estimate::mean(&values) }
        };
        let (label, unit) = (meta.label.clone(), (!is_share).then(|| meta.unit.clone()));
        all.push(report::Outcome { label, unit, flagged: estimate(true), rest: estimate(false) });
    }
    Ok(all)
}

fn test_records(bundle: &Bundle) -> Records {
    let rows = bundle.rows(Split::Test);
    Records {
        ids: rows.iter().map(|&i| bundle.record_ids[i].clone()).collect(),
        raw: bundle.raw_of(Split::Test),
        splits: None,
        messages: Vec::new(),
    }
}
