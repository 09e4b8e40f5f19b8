//! Records with their subjects and times, and the assignment of events to them.

use std::collections::BTreeSet;

use polars_core::prelude::PlHashMap;

use super::moment::{Misplaced, Moment, Reach};
use crate::ingest::Part;
use crate::ingest::typed::batch::Key;

/// Ids and the order they were first met in.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Ids {
    numbers: PlHashMap<i64, u32>,
    texts: PlHashMap<String, u32>,
    names: Vec<String>,
}

impl Ids {
    /// Place of an id; a number and its text are the same id, and `007` is not the text of 7.
    pub(in crate::ingest) fn get(&self, key: Key<'_>) -> Option<u32> {
        match key {
            Key::Number(n) => match self.numbers.get(&n) {
                Some(i) => Some(*i),
                None if self.texts.is_empty() => None,
                None => self.texts.get(&n.to_string()).copied(),
            },
            Key::Text(t) => match self.texts.get(t) {
                Some(i) => Some(*i),
                None if self.numbers.is_empty() => None,
                None => {
                    let number = t.parse().ok().filter(|n: &i64| n.to_string() == t);
                    number.and_then(|n| self.numbers.get(&n).copied())
                }
            },
        }
    }

    /// Place of an id, a new one if it has none yet.
    pub(in crate::ingest) fn insert(&mut self, key: Key<'_>) -> u32 {
        if let Some(i) = self.get(key) {
            return i;
        }
        let i = self.names.len() as u32;
        match key {
            Key::Number(n) => {
                self.numbers.insert(n, i);
                self.names.push(n.to_string());
            }
            Key::Text(t) => {
                self.texts.insert(t.to_string(), i);
                self.names.push(t.to_string());
            }
        }
        i
    }

    /// Place of one that has a name for people and cannot be looked up: a record without a patient is not of
    /// the patient whose number is that of the record.
    fn add_unknown(&mut self, name: String) -> u32 {
        self.names.push(name);
        self.names.len() as u32 - 1
    }

    pub(in crate::ingest) fn name(&self, i: u32) -> &str {
        &self.names[i as usize]
    }

    pub(in crate::ingest) fn len(&self) -> usize {
        self.names.len()
    }
}

/// All records of the source, those outside the cohort too: an event of an excluded stay is not the next
/// stay's.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Records {
    pub(in crate::ingest) ids: Ids,
    pub(in crate::ingest) subjects: Ids,
    pub(in crate::ingest) subject_of: Vec<u32>,
    /// Whether the subject is named, or the record stands for one.
    pub(in crate::ingest) has_subject: Vec<bool>,
    /// Reach since 1970.
    pub(in crate::ingest) start: Vec<Option<i64>>,
    pub(in crate::ingest) end: Vec<Option<i64>>,
    pub(in crate::ingest) in_cohort: Vec<bool>,
    /// What tells the order of a subject's records where their starts do not; empty for long tables.
    pub(in crate::ingest) order: Vec<Option<f64>>,
    /// Stays that continue a record, with that record and the seconds from its start to theirs.
    later: Ids,
    later_of: Vec<(u32, i64)>,
    /// What windows count from instead of the start.
    pub(in crate::ingest) anchor: Option<Vec<Option<i64>>>,
    of_subject: Vec<Vec<u32>>,
    /// Records of a long table whose rows name several subjects.
    pub(in crate::ingest) contradicted: BTreeSet<u32>,
    /// Which of the records are ingested.
    part: Part,
    /// Whether each record is of that part.
    mine: Vec<bool>,
}

impl Records {
    /// No records yet, of which those of a part will be ingested.
    pub(in crate::ingest) fn of(part: Part) -> Self {
        Self { part, ..Self::default() }
    }

    /// Whether a record is of the part that is ingested.
    pub(in crate::ingest) fn is_mine(&self, record: u32) -> bool {
        self.mine[record as usize]
    }

    /// Which part is ingested.
    pub(in crate::ingest) fn part(&self) -> Part {
        self.part
    }

    /// Whether the record of an id is of the part, where records stand for patients and may not have been met
    /// yet.
    pub(in crate::ingest) fn holds(&self, id: Key<'_>) -> bool {
        self.part.is_whole()
            || match (self.ids.get(id), id) {
                (Some(record), _) => self.is_mine(record),
                (None, Key::Number(n)) => self.part.holds(&n.to_string()),
                (None, Key::Text(text)) => self.part.holds(text),
            }
    }

    /// Takes the records of other parts out of the cohort.
    pub(in crate::ingest) fn keep_mine(&mut self) {
        self.in_cohort.iter_mut().zip(&self.mine).for_each(|(member, mine)| *member &= mine);
    }

    /// Records of the cohort.
    pub(in crate::ingest) fn n_members(&self) -> usize {
        self.in_cohort.iter().filter(|member| **member).count()
    }

    /// Whether all ids are numbers, by which the result is then sorted.
    pub(in crate::ingest) fn are_numbered(&self) -> bool {
        self.ids.names.iter().all(|name| name.parse::<i64>().is_ok())
    }

    pub(in crate::ingest) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds a record; its id must be new. Without a subject it is one by itself.
    pub(in crate::ingest) fn push(
        &mut self,
        id: Key<'_>,
        subject: Option<Key<'_>>,
        start: Option<i64>,
        end: Option<i64>,
    ) {
        let record = self.ids.insert(id);
        self.has_subject.push(subject.is_some());
        let subject = match subject {
            Some(subject) => self.subjects.insert(subject),
            None => self.subjects.add_unknown(self.ids.name(record).to_owned()),
        };
        self.subject_of.push(subject);
        self.start.push(start);
        self.end.push(end);
        self.in_cohort.push(true);
        self.mine.push(self.part.holds(self.subjects.name(subject)));
        self.of_subject.resize(self.subjects.len(), Vec::new());
        self.of_subject[subject as usize].push(record);
    }

    /// A stay that continues a record, beginning some seconds after it; its id must be new.
    pub(in crate::ingest) fn continue_with(&mut self, stay: Key<'_>, record: u32, after: i64) {
        self.later.insert(stay);
        self.later_of.push((record, after));
    }

    /// The record that an id names, and the seconds from its start to that of the stay that the id is of.
    pub(in crate::ingest) fn locate(&self, id: Key<'_>) -> Option<(u32, i64)> {
        let later = || self.later.get(id).map(|stay| self.later_of[stay as usize]);
        self.ids.get(id).map(|record| (record, 0)).or_else(later)
    }

    /// Ids of the stays that continue records, with these.
    pub(in crate::ingest) fn later_stays(&self) -> impl Iterator<Item = (Key<'_>, u32)> {
        let names = self.later.names.iter().map(|name| Key::Text(name));
        names.zip(self.later_of.iter().map(|(record, _)| *record))
    }

    /// Place of a record met in a long table, made on first sight. The subject is the smallest named, so that
    /// the order of rows does not matter.
    pub(in crate::ingest) fn meet(&mut self, id: Key<'_>, subject: Option<Key<'_>>) -> u32 {
        let Some(record) = self.ids.get(id) else {
            self.push(id, subject, None, None);
            return self.len() as u32 - 1;
        };
        if let Some(subject) = subject {
            let (new, old) = (self.subjects.insert(subject), self.subject_of[record as usize]);
            if !std::mem::replace(&mut self.has_subject[record as usize], true) {
                self.subject_of[record as usize] = new;
            } else if new != old {
                self.contradicted.insert(record);
                if self.subjects.name(new) < self.subjects.name(old) {
                    self.subject_of[record as usize] = new;
                }
            }
        }
        record
    }

    /// The start of the subject's next record, which may be one that the cohort leaves out.
    pub(in crate::ingest) fn next_start(&self, record: u32) -> Option<i64> {
        let start = self.start[record as usize]?;
        let of_subject = &self.of_subject[self.subject_of[record as usize] as usize];
        let starts = of_subject.iter().filter_map(|&other| self.start[other as usize]);
        starts.filter(|other| *other > start).min()
    }

    /// Whether a row that names this subject may be of the record, as it may where either has none.
    pub(in crate::ingest) fn belongs(&self, record: u32, subject: Option<Key<'_>>) -> bool {
        let own = Some(self.subject_of[record as usize]).filter(|_| self.has_subject[record as usize]);
        own.is_none() || subject.is_none_or(|subject| self.subjects.get(subject) == own)
    }

    /// The moment windows count from.
    pub(in crate::ingest) fn origin(&self, record: u32) -> Option<i64> {
        match &self.anchor {
            Some(anchor) => anchor.get(record as usize).copied().flatten(),
            None => self.start[record as usize],
        }
    }

    /// Seconds from the moment windows count from to the record's end.
    pub(in crate::ingest) fn length(&self, record: u32) -> Option<i64> {
        self.origin(record).zip(self.end[record as usize]).map(|(origin, end)| end - origin)
    }

    pub(in crate::ingest) fn subject(&self, record: u32) -> &str {
        self.subjects.name(self.subject_of[record as usize])
    }

    pub(in crate::ingest) fn id(&self, record: u32) -> &str {
        self.ids.name(record)
    }

    /// The record of an event that names none: the subject's stay at that time (of overlapping ones the
    /// later), else the nearest stay whose window reaches it.
    pub(in crate::ingest) fn assign(
        &self,
        subject: Key<'_>,
        moment: Moment,
        window: Reach,
    ) -> Result<u32, Misplaced> {
        let stays = match self.subjects.get(subject) {
            Some(s) => &self.of_subject[s as usize],
            None => return Err(Misplaced::NoSuchRecord),
        };
        let time = match (moment, stays.as_slice()) {
            (Moment::At(time), _) => time,
            (Moment::After(_), [only]) => return Ok(*only),
            (Moment::After(_), _) => return Err(Misplaced::NoSuchRecord),
        };
        let at = |r: u32| (self.start[r as usize], self.end[r as usize].unwrap_or(i64::MAX));
        let during =
            stays.iter().filter(|&&r| matches!(at(r), (Some(start), end) if start <= time && time <= end));
        // Smaller ids win ties; ids are compared as the result sorts them.
        if let Some(record) =
            during.max_by_key(|&&r| (self.start[r as usize], std::cmp::Reverse(self.rank(r))))
        {
            return Ok(*record);
        }
        let distance = |r: u32| match at(r) {
            (Some(start), _) if time < start => Some(start - time),
            (Some(_), end) => Some(time - end),
            (None, _) => None,
        };
        let reached = stays.iter().filter(|&&r| {
            self.origin(r).is_some_and(|origin| {
                let relative = time - origin;
                window.start <= relative && relative < window.end && !(window.until_end && time > at(r).1)
            })
        });
        reached.min_by_key(|&&r| (distance(r), self.rank(r))).copied().ok_or(Misplaced::OutsideStays)
    }

    /// Whether an event that names no record lies in several stays of its subject.
    pub(in crate::ingest) fn is_ambiguous(&self, subject: Key<'_>, moment: Moment) -> bool {
        let (Some(subject), Moment::At(time)) = (self.subjects.get(subject), moment) else { return false };
        let holds = |r: u32| {
            let end = self.end[r as usize].unwrap_or(i64::MAX);
            self.start[r as usize].is_some_and(|start| start <= time && time <= end)
        };
        self.of_subject[subject as usize].iter().filter(|&&r| holds(r)).nth(1).is_some()
    }

    /// The record of a subject that has one only.
    pub(in crate::ingest) fn only_of(&self, subject: Key<'_>) -> Option<u32> {
        match self.of_subject[self.subjects.get(subject)? as usize].as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Reach after the record's start, when they are within the window.
    pub(in crate::ingest) fn place(
        &self,
        record: u32,
        moment: Moment,
        window: Reach,
    ) -> Result<i64, Misplaced> {
        let r = record as usize;
        if !self.in_cohort[r] {
            return Err(Misplaced::NotInCohort);
        }
        let relative = match moment {
            Moment::After(seconds) => seconds,
            Moment::At(time) => time - self.origin(record).ok_or(Misplaced::NoStart)?,
        };
        if relative < window.start {
            return Err(Misplaced::Before);
        }
        if relative >= window.end {
            return Err(Misplaced::After);
        }
        if window.until_end && self.length(record).is_some_and(|length| relative > length) {
            return Err(Misplaced::AfterEnd);
        }
        Ok(relative)
    }

    /// As [`Self::place`] for what lasts to another moment: it is within the windows if any of it is. Returns
    /// its end too.
    pub(in crate::ingest) fn place_lasting(
        &self,
        record: u32,
        moment: Moment,
        until: Moment,
        window: Reach,
    ) -> Result<(i64, i64), Misplaced> {
        let origin = self.origin(record);
        let relative = |moment| match moment {
            Moment::After(seconds) => Ok(seconds),
            Moment::At(time) => Ok(time - origin.ok_or(Misplaced::NoStart)?),
        };
        if !self.in_cohort[record as usize] {
            return Err(Misplaced::NotInCohort);
        }
        let (from, to) = (relative(moment)?, relative(until)?);
        if from < window.start && to > window.start {
            return Ok((from, to));
        }
        self.place(record, moment, window).map(|from| (from, to.max(from + 1)))
    }

    fn rank(&self, record: u32) -> (Option<i64>, &str) {
        let name = self.id(record);
        (name.parse().ok(), name)
    }

    /// Records in the order of the result: numerically when all ids are numbers.
    pub(in crate::ingest) fn sorted(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        let numbered = self.are_numbered();
        order.sort_by_cached_key(|&r| rank(self.id(r), numbered));
        order
    }
}

/// The place of an id in the order of the result, where all ids are numbers or are not.
pub(in crate::ingest) fn rank(id: &str, numbered: bool) -> (Option<i64>, &str) {
    (id.parse().ok().filter(|_| numbered), id)
}

#[cfg(test)]
mod tests;
