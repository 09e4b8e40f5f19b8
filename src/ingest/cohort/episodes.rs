//! Stays that follow each other closely, joined into one record each.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fact::Fact;
use super::fact_rows::Rows;
use crate::message::{Message, Weight, plural};
use crate::schema::{Episodes, Record};

/// A stay that was joined to an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Later {
    /// Its id.
    pub(super) id: Fact,
    /// Position of the episode among the rows that are left.
    pub(super) episode: usize,
    /// Seconds from the start of the episode to its own start.
    pub(super) after: i64,
}

/// What became of the stays.
#[derive(Debug)]
pub(super) struct Joined {
    /// A row for each record: that of its first stay, with the end of the last one to end.
    pub(super) rows: Vec<Vec<Fact>>,
    /// The stays that have no row of their own any more.
    pub(super) later: Vec<Later>,
    /// What to know about it.
    pub(super) message: Message,
}

/// Places of the columns that decide.
struct Places {
    id: usize,
    subject: usize,
    within: usize,
    start: Option<usize>,
    end: usize,
    moment: Option<usize>,
    last: Vec<usize>,
    total: Vec<usize>,
}

/// A stay on the clock that it shares with the others of its group.
#[derive(Debug, Clone, Copy)]
struct Stay {
    row: usize,
    start: i64,
    end: Option<i64>,
}

/// Joins the stays of one group, such as a stay in hospital, of which the next begins within the gap after
/// the end of all before it. Stays without a group or a start stay as they are, and nothing is joined to one
/// without an end: its gap is not known.
pub(super) fn join(rows: &Rows, kept: &[usize], of: &Episodes, record: &Record, table: &str) -> Joined {
    let columns: Vec<&str> = rows.wanted().collect();
    // Only the columns that somebody needs have been read.
    let read = |names: &[String]| -> Vec<usize> {
        let place = |name: &String| columns.iter().position(|c| c.eq_ignore_ascii_case(name));
        names.iter().filter_map(place).collect()
    };
    let places = Places {
        id: rows.place(&record.id),
        subject: rows.place(&record.subject),
        within: rows.place(&of.within),
        start: record.start.as_deref().map(|start| rows.place(start)),
        end: rows.place(record.end.as_deref().expect("invariant: checked with the schema")),
        moment: of.moment.as_deref().map(|moment| rows.place(moment)),
        last: read(&of.last),
        total: read(&of.total),
    };
    let mut groups: BTreeMap<(String, String), Vec<Stay>> = BTreeMap::new();
    let mut unknown = 0;
    for &row in kept {
        let facts = &rows.facts[row];
        let named = facts[places.subject].text().zip(facts[places.within].text());
        match named.zip(on_shared_clock(facts, row, &places)) {
            Some((group, stay)) => groups.entry(group).or_default().push(stay),
            None => unknown += 1,
        }
    }
    let gap = (of.gap_hours * 3600.0) as i64;
    // The first stay of the episode of each row, and the seconds from its start.
    let mut first_of: Vec<(usize, i64)> = (0..rows.facts.len()).map(|row| (row, 0)).collect();
    let mut whole: BTreeMap<usize, Vec<Fact>> = BTreeMap::new();
    let mut without_end = 0;
    for stays in groups.values_mut() {
        let rank = |row: usize| rows.facts[row][places.id].text().map(|t| (t.parse::<i64>().ok(), t));
        stays.sort_by_cached_key(|stay| (stay.start, rank(stay.row)));
        without_end += stays.iter().rev().skip(1).filter(|stay| stay.end.is_none()).count();
        for episode in episodes(stays, gap).filter(|episode| episode.len() > 1) {
            let first = episode[0];
            for stay in episode {
                first_of[stay.row] = (first.row, stay.start - first.start);
            }
            whole.insert(first.row, merged(rows, episode, &places));
        }
    }
    let mut position = vec![0; rows.facts.len()];
    let mut left = Vec::new();
    for &row in kept.iter().filter(|row| first_of[**row].0 == **row) {
        position[row] = left.len();
        left.push(whole.remove(&row).unwrap_or_else(|| rows.facts[row].clone()));
    }
    let later: Vec<Later> = kept
        .iter()
        .filter(|row| first_of[**row].0 != **row)
        .map(|&row| {
            let (first, after) = first_of[row];
            Later { id: rows.facts[row][places.id].clone(), episode: position[first], after }
        })
        .collect();
    let message = told(table, of, (kept.len(), left.len()), unknown, without_end);
    Joined { rows: left, later, message }
}

/// Times of a stay: as dates, or counted from a moment that all stays of the group share.
fn on_shared_clock(facts: &[Fact], row: usize, places: &Places) -> Option<Stay> {
    let end = facts[places.end].seconds();
    let start = match (places.start, places.moment) {
        (Some(start), _) => return Some(Stay { row, start: facts[start].seconds()?, end }),
        (None, Some(moment)) => -facts[moment].seconds()?,
        (None, None) => return None,
    };
    Some(Stay { row, start, end: end.map(|end| start + end) })
}

/// Runs of stays in order of their start, each of which begins within the gap after the end of all before it.
fn episodes(stays: &[Stay], gap: i64) -> impl Iterator<Item = &[Stay]> {
    let mut ends: Option<i64> = None;
    let mut open = false;
    // Whether a stay continues the run depends on all before it, so that the runs are marked first.
    let continues: Vec<bool> = stays
        .iter()
        .map(|stay| {
            let goes_on = open && ends.is_some_and(|end| stay.start - end <= gap);
            ends = if goes_on { ends.max(stay.end) } else { stay.end };
            // After a stay without an end nobody knows the gap.
            open = stay.end.is_some();
            goes_on
        })
        .collect();
    let mut from = 0;
    std::iter::from_fn(move || {
        let run = stays.get(from..).filter(|rest| !rest.is_empty())?;
        let length = 1 + continues[from + 1..].iter().take_while(|goes_on| **goes_on).count();
        from += length;
        Some(&run[..length])
    })
}

/// The row of an episode.
fn merged(rows: &Rows, episode: &[Stay], places: &Places) -> Vec<Fact> {
    let (first, last) = (episode[0], episode[episode.len() - 1]);
    let mut facts = rows.facts[first.row].clone();
    // Of all stays but the last the end is known, or they would not have been joined to what follows.
    let end = episode.iter().map(|stay| stay.end).min_by_key(|end| (end.is_some(), Reverse(*end)));
    let origin = if places.start.is_some() { 0 } else { first.start };
    facts[places.end] = end.flatten().map_or(Fact::Null, |end| Fact::Integer(end - origin));
    for &place in &places.last {
        facts[place] = rows.facts[last.row][place].clone();
    }
    for &place in &places.total {
        let numbers: Option<Vec<f64>> =
            episode.iter().map(|stay| rows.facts[stay.row][place].number()).collect();
        facts[place] = numbers.map_or(Fact::Null, |numbers| Fact::Number(numbers.iter().sum()));
    }
    facts
}

fn told(
    table: &str,
    of: &Episodes,
    (stays, records): (usize, usize),
    unknown: usize,
    open: usize,
) -> Message {
    let mut text = format!(
        "table {table}: {stays} {} made {records} {}: one that begins within {} h after the end of those \
         before it of the same `{}` continues them",
        plural(stays, "stay", "stays"),
        plural(records, "episode", "episodes"),
        of.gap_hours,
        of.within
    );
    if unknown > 0 {
        let _ = write!(text, "; {unknown} without `{}` or a start were not joined to others", of.within);
    }
    if open > 0 {
        let _ = write!(text, "; nothing was joined to {open} without an end");
    }
    Message::table(Weight::Choice, table, text).counting(stays - records)
}

#[cfg(test)]
mod tests;
