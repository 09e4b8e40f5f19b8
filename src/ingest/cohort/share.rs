//! What one part of the records has come to, before anything is said of the whole. The shares of all parts
//! add up to what one run finds; one run has one share.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::records::Records;
use super::rules;
use crate::ingest::events::reason::OTHER_PART;
use crate::ingest::events::table_rows::TableRows;
use crate::ingest::events::tally::KeyTally;
use crate::ingest::typed::calendar::Zones;
use crate::ingest::{
    CohortStep, IngestError, InputFile, Names, Part, PartError, RecordTable, TableAudit, VariableAudit,
};
use crate::message::Message;
use crate::schema::Predicate;

/// The records of a part, and the account of what was read for them.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct Share {
    pub(in crate::ingest) account: Account,
    /// One row per window of each record of the part, sorted; without an account of its own.
    pub(in crate::ingest) table: RecordTable,
    /// The record of each row.
    pub(in crate::ingest) records: Names,
}

/// Records and whom they are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ingest) struct People {
    /// Records, those outside the cohort too.
    pub(in crate::ingest) records: usize,
    /// Records that name no subject.
    pub(in crate::ingest) unnamed: usize,
    /// Records whose rows name several subjects.
    pub(in crate::ingest) contradicted: usize,
}

impl People {
    pub(in crate::ingest) fn of(records: &Records) -> Self {
        Self {
            records: records.len(),
            unnamed: records.has_subject.iter().filter(|named| !**named).count(),
            contradicted: records.contradicted.len(),
        }
    }
}

/// What was read for the records of a part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::ingest) struct Account {
    /// Files read.
    pub(in crate::ingest) inputs: Vec<InputFile>,
    /// What every part finds alike, because each reads the records and the tables of facts in whole.
    pub(in crate::ingest) whole: Whole,
    /// Steps of the cohort that were taken for the records of the part alone.
    pub(in crate::ingest) cohort: Vec<CohortStep>,
    /// Records of the part in the cohort.
    pub(in crate::ingest) members: usize,
    /// Whom the records are about; of long tables those of the part alone.
    pub(in crate::ingest) people: People,
    /// Whether all ids of records are numbers.
    pub(in crate::ingest) are_numbered: bool,
    pub(in crate::ingest) tables: Vec<TableRows>,
    pub(in crate::ingest) variables: Vec<VariableAudit>,
    /// Levels met of each variable.
    pub(in crate::ingest) levels: Vec<BTreeSet<String>>,
    pub(in crate::ingest) keys: KeyTally,
    /// How times are written.
    pub(in crate::ingest) zones: Zones,
    /// About files: before anything was read of them, of facts, and after all was read.
    pub(in crate::ingest) messages: [Vec<Message>; 3],
}

/// What every part finds alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::ingest) struct Whole {
    /// Steps of the cohort that were taken for all records.
    pub(in crate::ingest) cohort: Vec<CohortStep>,
    /// The tables of records and facts, that of the records still without those kept.
    pub(in crate::ingest) statics: Vec<TableAudit>,
}

impl Account {
    /// Adds the account of other records.
    ///
    /// # Errors
    /// Times that cannot be compared; rows of a table that are not accounted for.
    pub(in crate::ingest) fn add(&mut self, other: Self, is_long: bool) -> Result<(), IngestError> {
        let Self {
            inputs,
            whole: _,
            cohort,
            members,
            people,
            are_numbered,
            tables,
            variables,
            levels,
            keys,
            zones,
            messages,
        } = other;
        extend(&mut self.inputs, inputs);
        for (step, more) in self.cohort.iter_mut().zip(cohort) {
            step.before += more.before;
            step.after += more.after;
            step.failed_null += more.failed_null;
        }
        self.members += members;
        if is_long {
            self.people.records += people.records;
            self.people.unnamed += people.unnamed;
            self.people.contradicted += people.contradicted;
        }
        self.are_numbered &= are_numbered;
        for (table, more) in self.tables.iter_mut().zip(tables) {
            table.has_files |= more.has_files;
            table.in_several_stays += more.in_several_stays;
            extend(&mut table.messages, more.messages);
            table.audit.rows_read += more.audit.rows_read;
            table.audit.rows_kept += more.audit.rows_kept;
            add_counts(&mut table.audit.dropped, more.audit.dropped);
        }
        for (variable, more) in self.variables.iter_mut().zip(variables) {
            add_variable(variable, more);
        }
        for (levels, more) in self.levels.iter_mut().zip(levels) {
            levels.extend(more);
        }
        self.keys.add(&keys);
        self.zones.merge(&zones)?;
        for (messages, more) in self.messages.iter_mut().zip(messages) {
            extend(messages, more);
        }
        Ok(())
    }

    /// Takes out of the tables' accounts the rows that are of other parts: they are in the accounts of those.
    pub(in crate::ingest) fn leave_other_parts(&mut self) {
        for table in &mut self.tables {
            table.audit.rows_read -= table.audit.dropped.remove(OTHER_PART).unwrap_or(0);
        }
    }
}

/// Appends what is not there yet.
fn extend<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    let known = list.len();
    for item in more {
        if !list[..known].contains(&item) {
            list.push(item);
        }
    }
}

fn add_counts(counts: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (what, n) in more {
        *counts.entry(what).or_default() += n;
    }
}

fn add_variable(all: &mut VariableAudit, more: VariableAudit) {
    let VariableAudit {
        variable: _,
        values_kept,
        units,
        converted,
        unknown_unit,
        below_range,
        above_range,
        clipped,
        not_a_number,
        rejected,
        missing_codes,
        unknown_units,
        unlisted_units,
        left_open,
        capped,
        mirrored,
        censored,
        duplicate_keys,
        records_missing,
        records_rejected,
        records_partly_rejected,
        lost,
    } = more;
    all.values_kept += values_kept;
    add_counts(&mut all.units, units);
    all.converted += converted;
    all.unknown_unit += unknown_unit;
    all.below_range += below_range;
    all.above_range += above_range;
    all.clipped += clipped;
    all.not_a_number += not_a_number;
    add_counts(&mut all.rejected, rejected);
    all.missing_codes += missing_codes;
    add_counts(&mut all.unknown_units, unknown_units);
    add_counts(&mut all.unlisted_units, unlisted_units);
    all.left_open += left_open;
    all.capped += capped;
    all.mirrored += mirrored;
    all.censored += censored;
    all.duplicate_keys += duplicate_keys;
    all.records_missing += records_missing;
    all.records_rejected += records_rejected;
    all.records_partly_rejected += records_partly_rejected;
    all.lost |= lost;
}

/// Refuses to divide what cannot be: whatever compares records of different patients after their events are
/// read, and records that are known from event rows alone while something else names their patients.
///
/// # Errors
/// [`PartError::NotDivisible`].
pub(in crate::ingest) fn check_divisible(plan: &Plan<'_>, part: Part) -> Result<(), IngestError> {
    if part.is_whole() {
        return Ok(());
    }
    let early = rules::rules_before_events(plan);
    let compares = |predicate: &Predicate| matches!(predicate, Predicate::OnlyPer { .. });
    if let Some(rule) = plan.pipeline.rules[early..].iter().find(|rule| compares(&rule.predicate)) {
        let text = format!(
            "the rule \"{}\" compares records of all patients by what their events say, or after a rule that \
             does",
            rule.name
        );
        return Err(PartError::NotDivisible(text).into());
    }
    if plan.is_long() && plan.events.iter().any(|table| table.places.subject.is_some()) {
        let text = format!(
            "records of schema {} are known from event rows alone, and another column names their \
             patients",
            plan.schema.name
        );
        return Err(PartError::NotDivisible(text).into());
    }
    if let (true, Some(table)) = (plan.is_long(), plan.facts.keys().next()) {
        let text = format!(
            "records of schema {} are known from event rows alone, and table {table} is joined to all of \
             them",
            plan.schema.name
        );
        return Err(PartError::NotDivisible(text).into());
    }
    Ok(())
}
