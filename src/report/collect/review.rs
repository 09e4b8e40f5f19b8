//! Flags to go through one by one.
//!
//! Without opting in, a flag is known by its row in the table of flags and not by its record, its sentence
//! says what would be ordinary and not what was recorded, and a group is named only where eleven flags or
//! more that are listed belong to it.

use std::collections::{BTreeMap, HashMap};

use super::context::Context;
use super::flags::looks;
use super::groups::GroupColumn;
use crate::outlier::{ListedFlag, Pattern};
use crate::report::data::{Review, ReviewRow};

/// A table of flags to review.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// Name of the table without its folder.
    pub file: String,
    /// Beginning of its SHA-256.
    pub fingerprint: String,
    /// Its rows.
    pub n_rows: usize,
    /// The flagged ones, the most unusual first.
    pub flags: Vec<ListedFlag>,
}

/// Flags that are listed at most: nobody goes through more, and a page of as many stays light.
const LISTED: usize = 500;
/// What groups are called that are too small to be named, and records of which none is known.
const OTHERS: &str = "(others)";

pub(super) fn review(context: &Context<'_>, reviewed: &Reviewed, by: Option<&GroupColumn>) -> Review {
    let privacy = context.privacy;
    let labels = context.labels();
    let flags = &reviewed.flags[..reviewed.flags.len().min(LISTED)];
    let (group, groups) = groups(context, flags, by);
    let columns = &context.bundle.manifest.encoder.columns;
    let label = |name: &str| {
        let at = columns.iter().position(|column| column.meta.name == name);
        at.map_or_else(|| name.to_owned(), |at| labels[at].clone())
    };
    let rows = flags
        .iter()
        .zip(groups)
        .map(|(flag, group)| ReviewRow {
            row: flag.row,
            record_id: privacy.identifiable().then(|| flag.record_id.clone()),
            p_value: flag.p_value,
            group,
            feature: label(&flag.feature),
            pattern: Pattern::kind_of(&flag.pattern),
            explanation: sentence(context, flag, &label),
        })
        .collect();
    Review {
        file: reviewed.file.clone(),
        fingerprint: reviewed.fingerprint.clone(),
        n_rows: privacy.count(reviewed.n_rows as u64),
        n_flagged: privacy.part(reviewed.flags.len() as u64, reviewed.n_rows as u64),
        truncated: flags.len() < reviewed.flags.len(),
        group,
        rows,
    }
}

/// What the groups are groups of, and the group of each flag: that of the column named by the reader, or the
/// one that the flag was calibrated in.
fn groups(
    context: &Context<'_>,
    flags: &[ListedFlag],
    by: Option<&GroupColumn>,
) -> (Option<String>, Vec<String>) {
    let given: Vec<Option<String>> = match by {
        Some(column) => {
            let ids = &context.bundle.record_ids;
            let of: HashMap<&str, &String> = ids
                .iter()
                .zip(&column.of_record)
                .filter_map(|(id, group)| Some((id.as_str(), group.as_ref()?)))
                .collect();
            flags.iter().map(|flag| of.get(flag.record_id.as_str()).map(|g| (*g).clone())).collect()
        }
        None => flags.iter().map(|flag| flag.group.clone()).collect(),
    };
    if given.iter().all(Option::is_none) {
        return (None, vec![String::new(); flags.len()]);
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    given.iter().flatten().for_each(|group| *counts.entry(group).or_default() += 1);
    let privacy = context.privacy;
    let mut named: Vec<(&str, u64)> = counts.into_iter().filter(|(_, n)| privacy.shows(*n)).collect();
    named.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    // What is left over must not be few either: it may be one group.
    let others = |named: &[(&str, u64)]| flags.len() as u64 - named.iter().map(|(_, n)| n).sum::<u64>();
    while !privacy.shows(others(&named)) && named.pop().is_some() {}
    let shown = |group: Option<String>| {
        group.filter(|group| named.iter().any(|(name, _)| name == group)).unwrap_or_else(|| OTHERS.to_owned())
    };
    let name = by.map_or_else(|| "Group".to_owned(), |column| column.name.clone());
    (Some(name), given.iter().cloned().map(shown).collect())
}

/// Why a record is flagged, without its own values unless these may be shown.
fn sentence(context: &Context<'_>, flag: &ListedFlag, label: &dyn Fn(&str) -> String) -> String {
    if context.privacy.identifiable() {
        return flag.explanation.clone();
    }
    if flag.feature.is_empty() {
        return if flag.explanation.is_empty() { "not explained" } else { "no single feature stands out" }
            .into();
    }
    let name = label(&flag.feature);
    let columns = &context.bundle.manifest.encoder.columns;
    let column = columns.iter().find(|column| column.meta.name == flag.feature);
    match Pattern::of_short_name(&flag.pattern) {
        Some(Pattern::Swapped(other)) => format!("{name} and {} look exchanged", label(&other)),
        Some(pattern) => format!("{name} {}", looks(&pattern)),
        None => {
            let unit = column.map(|c| c.meta.unit.as_str()).filter(|unit| !unit.is_empty());
            let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
            let number = |text: &str| text.replace('−', "-").parse::<f64>().ok();
            let side = match number(&flag.observed).zip(number(&flag.suggested)) {
                Some((observed, suggested)) if observed > suggested => "too high for",
                Some((observed, suggested)) if observed < suggested => "too low for",
                _ => "unlikely beside",
            };
            format!("{name} is {side} the other values; ordinary would be {}{unit}", flag.suggested)
        }
    }
}
