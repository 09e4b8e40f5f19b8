//! The likelihood of groups of records under the leading model, on records that it was not fitted on.

use std::collections::{BTreeMap, HashMap};

use super::context::Context;
use super::flags::Flagged;
use crate::num::moments::mean_and_standard_error;
use crate::report::Privacy;
use crate::report::data::{GroupRow, Groups};
use crate::schema::Split;

/// The group of each record.
#[derive(Debug, Clone)]
pub struct GroupColumn {
    /// What the groups are of.
    pub name: String,
    /// The group of each record of the bundle; none where it has none.
    pub of_record: Vec<Option<String>>,
}

/// What records without a group are called.
const NONE: &str = "no group";

/// One record: its log-likelihood, and whether it is flagged where that was asked.
#[derive(Clone, Copy)]
struct Member {
    log_prob: f64,
    is_test: bool,
    flagged: Option<bool>,
}

/// The records of a group, with its name.
type Group = (String, Vec<Member>);

pub(super) fn groups(
    context: &Context<'_>,
    column: &GroupColumn,
    flagged: Option<&Flagged>,
) -> Option<Groups> {
    let leading = context.leading();
    let own_flags = flagged.filter(|flagged| !flagged.new_records);
    let flags: HashMap<&str, bool> = own_flags
        .iter()
        .flat_map(|flagged| &flagged.flags.rows)
        .map(|row| (row.record_id.as_str(), row.flagged))
        .collect();
    let mut by_name: BTreeMap<&str, Vec<Member>> = BTreeMap::new();
    let mut splits = Vec::new();
    for split in [Split::Test, Split::Calibration] {
        // A cross-conformal model was fitted on its calibration records too.
        if split == Split::Calibration && leading.model.header.calibration_folds.is_some() {
            continue;
        }
        let Some(scores) = leading.scores.get(&split) else { continue };
        splits.push(split.name());
        for (row, log_prob) in context.bundle.rows(split).into_iter().zip(&scores.log_prob_tensor) {
            let name = column.of_record[row].as_deref().unwrap_or(NONE);
            let is_test = split == Split::Test;
            let id = context.bundle.record_ids[row].as_str();
            let flagged = if is_test { flags.get(id).copied() } else { None };
            by_name.entry(name).or_default().push(Member { log_prob: *log_prob, is_test, flagged });
        }
    }
    let groups: Vec<(&str, Vec<Member>)> = by_name.into_iter().collect();
    let (groups, pooled) = pool(context.privacy, groups)?;
    let all: Vec<f64> = groups.iter().flat_map(|(_, of)| of).map(|m| m.log_prob).collect();
    let mut rows: Vec<GroupRow> =
        groups.iter().map(|(name, members)| row(context.privacy, name, members, &all)).collect();
    rows.sort_by(|a, b| a.mean.total_cmp(&b.mean).then(a.name.cmp(&b.name)));
    Some(Groups {
        column: column.name.clone(),
        model: leading.name.clone(),
        splits: splits.join(" and "),
        rows,
        pooled,
    })
}

/// Puts groups of few records together, and with them the smallest of the others where they are still few.
/// None where all records together are few.
fn pool(privacy: Privacy, groups: Vec<(&str, Vec<Member>)>) -> Option<(Vec<Group>, usize)> {
    let (mut shown, small): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, members)| privacy.allows(members.len() as u64));
    shown.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let mut pooled = small.len();
    let mut pool: Vec<Member> = small.into_iter().flat_map(|(_, members)| members).collect();
    while pooled > 0 && !privacy.allows(pool.len() as u64) {
        let (_, members) = shown.pop()?;
        pool.extend(members);
        pooled += 1;
    }
    let mut out: Vec<Group> = shown.into_iter().map(|(name, members)| (name.to_owned(), members)).collect();
    if pooled > 0 {
        out.push((format!("{pooled} groups of few records"), pool));
    }
    (!out.is_empty()).then_some((out, pooled))
}

fn row(privacy: Privacy, name: &str, members: &[Member], all: &[f64]) -> GroupRow {
    let own: Vec<f64> = members.iter().map(|m| m.log_prob).collect();
    let (mean, error) = mean_and_standard_error(&own);
    // The others are all but the own: their mean and spread follow from those of all.
    let others = without(all, &own);
    let (difference, difference_error) = match others.len() {
        0 => (None, None),
        _ => {
            let (mean_of_others, error_of_others) = mean_and_standard_error(&others);
            (Some(mean - mean_of_others), Some(error.hypot(error_of_others)))
        }
    };
    let finite = |x: f64| x.is_finite().then_some(x);
    let n_test = members.iter().filter(|m| m.is_test).count() as u64;
    let known = members.iter().any(|m| m.flagged.is_some());
    let n_flagged = members.iter().filter(|m| m.flagged == Some(true)).count() as u64;
    GroupRow {
        name: name.to_owned(),
        n: privacy.count(members.len() as u64),
        mean,
        error: finite(error),
        difference,
        difference_error: difference_error.and_then(finite),
        n_flagged: known.then(|| privacy.part(n_flagged, n_test)),
        n_test: privacy.part(n_test, members.len() as u64),
    }
}

/// The numbers of `all` without those of `own`, each once.
fn without(all: &[f64], own: &[f64]) -> Vec<f64> {
    let sorted = |of: &[f64]| {
        let mut of = of.to_vec();
        of.sort_unstable_by(f64::total_cmp);
        of
    };
    let (all, own) = (sorted(all), sorted(own));
    let mut own = own.into_iter().peekable();
    all.into_iter().filter(|x| own.next_if(|o| o.to_bits() == x.to_bits()).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(n: usize, log_prob: f64) -> Vec<Member> {
        vec![Member { log_prob, is_test: true, flagged: Some(false) }; n]
    }

    #[test]
    fn groups_of_few_records_are_shown_together_or_not_at_all() {
        let names = |privacy, groups| {
            pool(privacy, groups).map(|(groups, _)| {
                groups.into_iter().map(|(name, members)| (name, members.len())).collect::<Vec<_>>()
            })
        };
        let all = || vec![("a", members(40, 0.0)), ("b", members(3, 0.0)), ("c", members(20, 0.0))];
        let found = names(Privacy::new(false), all()).unwrap();
        // Three records are few, and the smallest group beside them goes with them.
        assert_eq!(found, [("a".to_owned(), 40), ("2 groups of few records".to_owned(), 23)]);
        let many = vec![("a", members(40, 0.0)), ("b", members(6, 0.0)), ("c", members(7, 0.0))];
        let found = names(Privacy::new(false), many).unwrap();
        assert_eq!(found, [("a".to_owned(), 40), ("2 groups of few records".to_owned(), 13)]);
        assert!(names(Privacy::new(false), vec![("b", members(10, 0.0))]).is_none());
        assert_eq!(names(Privacy::new(true), all()).unwrap().len(), 3);
    }

    #[test]
    fn a_group_is_held_against_all_others() {
        let privacy = Privacy::new(true);
        let mut own = members(2, 1.0);
        own[1].log_prob = 3.0;
        let row = row(privacy, "a", &own, &[1.0, 3.0, 5.0, 9.0]);
        assert_eq!((row.mean, row.difference), (2.0, Some(-5.0)));
        // Standard errors 1 and 2.
        assert!((row.difference_error.unwrap() - 5_f64.sqrt()).abs() < 1e-12, "{row:?}");
    }
}
