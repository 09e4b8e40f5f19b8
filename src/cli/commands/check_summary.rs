//! The ten lines with which `check` ends, and the same as JSON.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::artifact::{Family, ModelArtifact};
use crate::cli::progress::grouped;
use crate::evaluate::SplitMetrics;
use crate::ingest::Audit;
use crate::message::{About, Message, Weight, counted, plural};
use crate::outlier::{DEFAULT_ALPHA, FlagRow, significant};
use crate::pipeline::{FlagSummary, Given, Ingested, Reported};
use crate::report::data::Outcome;
use crate::schema::Split;

/// Unusual records that are named.
const NAMED: usize = 5;
/// Share of the variables of a database without any value from which on that is what to look at first.
const EMPTY: f64 = 0.25;
/// Names of columns and reasons in a line.
const LISTED: usize = 4;

/// What a check came to.
pub(super) struct Checked<'a> {
    pub(super) given: &'a Given,
    pub(super) ingested: &'a Ingested,
    pub(super) flow: &'a ModelArtifact,
    /// What the flow is held against; none of pictures.
    pub(super) mixture: Option<&'a ModelArtifact>,
    /// What the page says of the two.
    pub(super) reported: &'a Reported,
    pub(super) flags: &'a FlagSummary,
    /// The new records, where the flags are theirs.
    pub(super) new: Option<&'a Path>,
    /// The folder of the output.
    pub(super) output: &'a Path,
}

/// What a person is told, for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Summary {
    /// What was read.
    read: String,
    /// What was left out, and why.
    left_out: String,
    /// Which model explains held-out records better.
    models: String,
    /// The most unusual records with their reasons.
    most_unusual: Vec<String>,
    /// What to look at first.
    look_at_first: String,
    /// The page.
    open: String,
    /// Records judged and flagged.
    n_records: usize,
    n_flagged: usize,
    /// Everything the user should know about the data and the flags.
    messages: Vec<Message>,
}

impl Summary {
    pub(super) fn of(checked: &Checked<'_>) -> Self {
        let mut messages: Vec<Message> = checked.ingested.audit.messages.to_vec();
        let fitted = [Some(checked.flow), checked.mixture];
        messages.extend(fitted.iter().flatten().flat_map(|model| model.metrics.messages.iter().cloned()));
        messages.extend(checked.flags.messages.iter().cloned());
        messages.sort_by_key(|message| message.weight);
        let output = checked.output;
        Self {
            read: read(checked),
            left_out: left_out(checked),
            models: models(checked.flow, checked.mixture, checked.reported),
            most_unusual: (0..NAMED)
                .map(|i| unusual(checked.flags.most_unusual.get(i), checked.mixture.is_none()))
                .collect(),
            look_at_first: look_at(&messages, checked),
            open: format!(
                "{}; all flags are in {}, and commands.txt beside it repeats every step",
                output.join("report.html").display(),
                output.join("flags.csv").display()
            ),
            n_records: checked.flags.n_records,
            n_flagged: checked.flags.n_flagged,
            messages,
        }
    }

    /// Ten lines.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |label: &str, text: &str| {
            // Names come from the user's file and may hold anything.
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(out, "{label:<9} {text}");
        };
        line("read", &self.read);
        line("left out", &self.left_out);
        line("models", &self.models);
        for (i, text) in self.most_unusual.iter().enumerate() {
            line(&format!("unusual {}", i + 1), text);
        }
        line("look at", &self.look_at_first);
        line("open", &self.open);
        out
    }
}

fn read(checked: &Checked<'_>) -> String {
    let manifest = &checked.ingested.manifest;
    let splits: Vec<String> = Split::ALL
        .iter()
        .map(|&split| format!("{} {}", grouped(manifest.splits.get(split) as u64), split.name()))
        .collect();
    format!(
        "{}, {}: {} {} of {} ({})",
        checked.given.input.display(),
        checked.given.what,
        grouped(manifest.n_records as u64),
        plural(manifest.n_records, "record", "records"),
        counted(manifest.encoder.n_features(), "feature", "features"),
        splits.join(", ")
    )
}

/// The records, rows, columns and cells that are not used, with the largest reasons.
fn left_out(checked: &Checked<'_>) -> String {
    let audit = &checked.ingested.audit;
    let mut parts = Vec::new();
    if let (Some(first), Some(last)) = (audit.cohort.first(), audit.cohort.last()) {
        let gone = first.before.saturating_sub(last.after);
        if gone > 0 {
            let mut rules: Vec<(usize, &str)> =
                audit.cohort.iter().map(|s| (s.before.saturating_sub(s.after), s.rule.as_str())).collect();
            rules.retain(|(n, _)| *n > 0);
            rules.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
            let named = rules.iter().take(2).map(|(n, rule)| format!("{} by \"{rule}\"", grouped(*n as u64)));
            let (gone, all) = (grouped(gone as u64), grouped(first.before as u64));
            parts.push(format!("{gone} of {all} records ({})", named.collect::<Vec<_>>().join(", ")));
        }
    }
    let (mut dropped, mut read) = (std::collections::BTreeMap::<&str, u64>::new(), 0);
    for table in &audit.tables {
        read += table.rows_read;
        for (reason, n) in &table.dropped {
            *dropped.entry(reason).or_default() += n;
        }
    }
    let rows: u64 = dropped.values().sum();
    if rows > 0 {
        let mut reasons: Vec<(&str, u64)> = dropped.into_iter().collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let named = reasons.iter().take(2).map(|(reason, n)| format!("{} {reason}", grouped(*n)));
        let named = named.collect::<Vec<_>>().join(", ");
        parts.push(format!("{} of {} rows ({named})", grouped(rows), grouped(read)));
    }
    let ignored: Vec<&str> =
        audit.columns.iter().filter(|c| c.role == "ignore").map(|c| c.column.as_str()).collect();
    if !ignored.is_empty() {
        parts.push(format!("{} ({})", counted(ignored.len(), "column", "columns"), some_of(&ignored)));
    }
    let empty = empty_variables(audit);
    if !empty.is_empty() {
        let what = plural(empty.len(), "variable without a value", "variables without a value");
        parts.push(format!("{} {what} ({})", empty.len(), some_of(&empty)));
    }
    let unused = unused_features(checked, &ignored, &empty);
    if !unused.is_empty() {
        let what = plural(unused.len(), "feature with too few values", "features with too few values");
        parts.push(format!("{} {what} ({})", unused.len(), some_of(&unused)));
    }
    let rejected: u64 = audit.columns.iter().flat_map(|c| c.rejected.values()).sum::<u64>()
        + audit.variables.iter().flat_map(|v| v.rejected.values()).sum::<u64>();
    if rejected > 0 {
        let cells = plural(rejected, "value that cannot be used", "values that cannot be used");
        parts.push(format!("{} {cells}", grouped(rejected)));
    }
    if parts.is_empty() {
        return "nothing".into();
    }
    format!("{}; bundle/audit.json accounts for each", parts.join("; "))
}

/// The first names, and how many more there are.
fn some_of(names: &[&str]) -> String {
    let listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// Variables of a database that no record has a value of.
fn empty_variables(audit: &Audit) -> Vec<&str> {
    let empty = audit.variables.iter().filter(|v| v.values_kept == 0);
    empty.map(|v| v.variable.as_str()).collect()
}

/// Features that were found and could not be used, for example because hardly any record has a value; those
/// that follow from what is told already are not told twice.
fn unused_features<'c>(checked: &Checked<'c>, ignored: &[&str], empty: &[&str]) -> Vec<&'c str> {
    let ingested = checked.ingested;
    let used = |name: &str| ingested.manifest.encoder.columns.iter().any(|c| c.meta.name == name);
    let told = |name: &str| {
        let of =
            |v: &&str| name.strip_prefix(*v).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        ignored.contains(&name) || empty.iter().any(of)
    };
    let mut names = Vec::new();
    for message in ingested.audit.messages.iter() {
        if let (Weight::LeftOut, About::Column(name)) = (message.weight, &message.about)
            && !used(name)
            && !told(name)
            && !names.contains(&name.as_str())
        {
            names.push(name.as_str());
        }
    }
    names
}

fn models(flow: &ModelArtifact, mixture: Option<&ModelArtifact>, reported: &Reported) -> String {
    let of = |model: &ModelArtifact| model.metrics.splits.get(&Split::Test).cloned();
    let figure = |name: &str, mean: f64, error: Option<f64>| match error {
        Some(error) => format!("{name} {mean:.2} ± {error:.2}"),
        None => format!("{name} {mean:.2}"),
    };
    let Some(mixture) = mixture else {
        let Some((test, bits)) = of(flow).and_then(|test| test.bits_per_dimension.map(|bits| (test, bits)))
        else {
            return "no picture is left for a test of the flow".into();
        };
        return format!(
            "{} bits per number of a held-out picture (n = {}); no mixture is fitted to pictures",
            figure("flow", bits.mean, bits.standard_error),
            grouped(test.n as u64)
        );
    };
    // Of signals the flow is held against a linear model of the samples before each.
    let windows = matches!(mixture.header.family.kind, Family::Var);
    let (one, other) = ("flow", if windows { "autoregression" } else { "mixture" });
    let (Some(a), Some(b)) = (of(flow), of(mixture)) else {
        return "no record is left for a test, so the models cannot be compared".into();
    };
    // The density of the normalised vector depends on the draws of noise, of which the models have different
    // numbers.
    let mean = |m: &SplitMetrics| (m.mean_log_prob_original_units, m.standard_error_original_units);
    let ((a, a_error), (b, b_error), n) = (mean(&a), mean(&b), a.n);
    // As the page decides it, by differences over the same records.
    let verdict = match (reported.outcome, reported.difference) {
        (Outcome::Flow | Outcome::Mixture, Some((difference, error))) => {
            let better = if difference > 0.0 { one } else { other };
            let places = if error < 0.01 { 3 } else { 2 };
            format!("the {better} explains them better by {:.places$} ± {error:.places$}", difference.abs())
        }
        (_, Some((difference, error))) => {
            let places = if error < 0.01 { 3 } else { 2 };
            format!(
                "the difference, {difference:+.places$} ± {error:.places$}, does not tell which explains them better"
            )
        }
        (_, None) => "too few to tell which explains them better".to_owned(),
    };
    format!(
        "{} against {} nats per held-out record, in original units (n = {}): {verdict}",
        figure(one, a, a_error),
        figure(other, b, b_error),
        grouped(n as u64)
    )
}

fn unusual(row: Option<&FlagRow>, picture: bool) -> String {
    let Some(row) = row else { return "there is no further record".into() };
    let flagged = if row.flagged { "" } else { ", not flagged" };
    let reason = match row.sentence.as_str() {
        "" if picture => "its map in the folder maps shows where",
        "" => "no single feature stands out",
        sentence => sentence,
    };
    // Of many calibration records, a p-value may have more zeros than four places show.
    let p = match row.p_value {
        p if p < 0.001 => significant(p, 2),
        p => format!("{p:.4}"),
    };
    format!("{} (p = {p}{flagged}): {reason}", row.record_id)
}

/// The message that matters most; without one that matters, the flags.
fn look_at(messages: &[Message], checked: &Checked<'_>) -> String {
    let flags = checked.flags;
    let whose = match checked.new {
        Some(new) => format!("records of {}", new.display()),
        None => "records".to_owned(),
    };
    // Nothing flagged is no finding where nothing could be.
    let smallest = 1.0 / (flags.n_calibration as f64 + 1.0);
    let possible = if smallest > DEFAULT_ALPHA {
        format!(
            ", as none can be: {} give no p-value of {DEFAULT_ALPHA} or less",
            counted(flags.n_calibration, "calibration record", "calibration records")
        )
    } else {
        String::new()
    };
    let flagged = format!(
        "{} of {} {whose} are flagged{possible}",
        grouped(flags.n_flagged as u64),
        grouped(flags.n_records as u64)
    );
    // Records of a database of which most is missing are described by little else than age and sex.
    let audit = &checked.ingested.audit;
    let empty = empty_variables(audit);
    if empty.len() as f64 >= EMPTY * audit.variables.len().max(1) as f64 {
        return format!(
            "{} of {} variables have no value in any record ({}): see whether tables of the extract are \
             missing, which stderr and bundle/audit.json name; then the flags: {flagged}",
            empty.len(),
            audit.variables.len(),
            some_of(&empty)
        );
    }
    match messages.first().filter(|message| message.weight <= Weight::Wrong) {
        Some(message) => format!("{}; then the flags: {flagged}", message.text),
        None => format!("the unusual records above; {flagged}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_ten_lines_whatever_the_names_hold() {
        let summary = Summary {
            read: "a\nb".into(),
            left_out: "nothing".into(),
            models: String::new(),
            most_unusual: (0..NAMED).map(|_| unusual(None, false)).collect(),
            look_at_first: String::new(),
            open: String::new(),
            n_records: 0,
            n_flagged: 0,
            messages: Vec::new(),
        };
        assert_eq!(summary.text().lines().count(), 10);
    }

    #[test]
    fn a_record_that_is_not_flagged_is_no_finding() {
        let row = FlagRow { record_id: "p7".into(), p_value: 0.2, ..FlagRow::default() };
        assert_eq!(unusual(Some(&row), false), "p7 (p = 0.2000, not flagged): no single feature stands out");
        assert!(unusual(Some(&row), true).ends_with("its map in the folder maps shows where"));
        // The smallest p-value of 76,000 calibration records is not 0.
        let row = FlagRow { p_value: 1.0 / 76_001.0, flagged: true, ..row };
        assert!(
            unusual(Some(&row), false).starts_with("p7 (p = 0.000013): "),
            "{}",
            unusual(Some(&row), false)
        );
    }
}
