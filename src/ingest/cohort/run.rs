//! Cohort ingestion from end to end.

use std::path::Path;

use super::{anchor, lost, messages, rules};
use crate::ingest::events::derive;
use crate::schema::{Pipeline, Schema, TableKind};

use super::close::close;
use super::columns::Rows;
use super::facts::Facts;
use super::plan::Plan;
use super::records::Records;
use super::share::{Account, People, Share, Whole, check_divisible};
use crate::ingest::events::gathered::Gathered;
use crate::ingest::events::table_rows::TableRows;
use crate::ingest::typed::tables::Tables;
use crate::ingest::{
    Audit, CohortStep, IngestError, IngestOptions, IngestProgress, Part, RecordTable, Subjects, TableAudit,
};

/// Reads the tables of a cohort into one row per record.
///
/// Rows are read once, in a stream; memory holds the records and their aggregates, a hash of each row that is
/// used (9 to 18 bytes), by which its copies are known, and for medians their values. The result is a
/// function of the set of rows: their order, their distribution over files, chunks and threads change
/// nothing.
///
/// # Errors
/// Missing tables and columns (all at once), cells of another type with row and column, truncated files,
/// repeated ids, rules that leave no record; see [`IngestError`].
pub fn ingest(
    schema: &Schema,
    pipeline: &Pipeline,
    input: &Path,
    progress: &dyn IngestProgress,
) -> Result<RecordTable, IngestError> {
    ingest_with(schema, pipeline, input, &IngestOptions::default(), progress)
}

/// [`ingest`] with options.
///
/// # Errors
/// As for [`ingest`].
pub fn ingest_with(
    schema: &Schema,
    pipeline: &Pipeline,
    input: &Path,
    options: &IngestOptions,
    progress: &dyn IngestProgress,
) -> Result<RecordTable, IngestError> {
    let options = IngestOptions { part: Part::WHOLE, ..options.clone() };
    let share = share(schema, pipeline, input, &options, progress)?;
    close(&Plan::new(schema, pipeline)?, vec![share], &[])
}

/// Reads the tables for the part of the records that the options name.
///
/// # Errors
/// As for [`ingest`]; a pipeline that cannot be divided.
pub(in crate::ingest) fn share(
    schema: &Schema,
    pipeline: &Pipeline,
    input: &Path,
    options: &IngestOptions,
    progress: &dyn IngestProgress,
) -> Result<Share, IngestError> {
    let mut plan = Plan::new(schema, pipeline)?;
    check_divisible(&plan, options.part)?;
    let tables = Tables::open(&mut plan, input, options, progress)?;
    // A window about an event takes a pass of its own, to find the event.
    let event = anchor::pipeline(pipeline);
    let mut event = event.as_ref().map(|p| Plan::new(schema, p)).transpose()?;
    let event_tables = event.as_mut().map(|plan| Tables::open(plan, input, options, progress)).transpose()?;
    // Hashing reads the stored bytes once more, beside the parser.
    let of_event = event_tables.as_ref();
    std::thread::scope(|scope| {
        let hashes = scope.spawn(|| tables.fingerprints(of_event));
        let event = event.as_ref().zip(of_event);
        let mut share = Reading::new(&plan, &tables, options.part, event, progress)?.finish()?;
        share.account.inputs = hashes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(share)
    })
}

/// An ingestion under way: records, facts and measurements gathered so far.
pub(in crate::ingest) struct Reading<'a> {
    plan: &'a Plan<'a>,
    pub(in crate::ingest) records: Records,
    pub(in crate::ingest) facts: Facts,
    pub(in crate::ingest) gathered: Gathered<'a>,
    early: usize,
    audit: Audit,
    /// How many steps of the cohort were taken for all records, those of other parts too.
    whole_steps: usize,
    static_audits: Vec<TableAudit>,
    event_tables: Vec<TableRows>,
    tables: &'a Tables,
    progress: &'a dyn IngestProgress,
}

impl<'a> Reading<'a> {
    /// Reads the records and what is joined to them, and applies the rules that need nothing else.
    pub(in crate::ingest) fn new(
        plan: &'a Plan<'a>,
        tables: &'a Tables,
        part: Part,
        event: Option<(&Plan<'_>, &Tables)>,
        progress: &'a dyn IngestProgress,
    ) -> Result<Self, IngestError> {
        let mut audit = Audit { messages: tables.messages.clone().into(), ..Audit::default() };
        audit.messages.splice(0..0, messages::of_left_out(plan));
        let early = rules::rules_before_events(plan);
        let mut reading = Self {
            plan,
            records: Records::of(part),
            facts: Facts::default(),
            gathered: Gathered::new(plan, &Records::default()),
            early,
            audit,
            whole_steps: 0,
            static_audits: Vec::new(),
            event_tables: Vec::new(),
            tables,
            progress,
        };
        if let Some(table) = &plan.schema.record.table {
            reading.begin(table);
            let read = reading.facts.read_records(plan, table, tables.of(table), &mut reading.records)?;
            reading.has_read(table, &read);
            reading.static_audits.push(read);
            reading.read_statics()?;
            first_step(&reading.records, &mut reading.audit)?;
            anchor::leave_out_timeless(plan, &mut reading.records, &mut reading.audit)?;
        }
        let Self { records, facts, gathered, audit, whole_steps, .. } = &mut reading;
        rules::apply(plan, 0..early, records, facts, gathered, &mut audit.cohort)?;
        *whole_steps = audit.cohort.len();
        records.keep_mine();
        anchor::set(plan, event, records, facts, progress, &mut audit.cohort)?;
        reading.gathered = Gathered::new(plan, &reading.records);
        Ok(reading)
    }

    fn begin(&self, name: &str) {
        let files = self.tables.of(name);
        self.progress.begin(name, files.len(), files.iter().map(|f| f.file.size()).sum());
    }

    /// Tells that a small table has been read, with its rows.
    fn has_read(&self, name: &str, read: &TableAudit) {
        let bytes = self.tables.of(name).iter().map(|f| f.file.size()).sum();
        self.progress.rows(name, read.rows_read, bytes);
        self.progress.end(name);
    }

    fn read_statics(&mut self) -> Result<(), IngestError> {
        let (plan, records) = (self.plan, &self.records);
        for name in plan.facts.keys() {
            let table = plan.schema.table(name).expect("invariant: the plan names tables of the schema");
            let files = self.tables.of(name);
            let audit = match &table.kind {
                TableKind::Static { key } => {
                    self.begin(name);
                    self.facts.read_static(plan, name, key, files, records)?
                }
                TableKind::Lists { key } => {
                    self.begin(name);
                    self.facts.read_list(plan, name, key, files, records)?
                }
                TableKind::Records | TableKind::Events(_) => continue,
            };
            self.has_read(name, &audit);
            self.static_audits.push(audit);
        }
        Ok(())
    }

    /// Reads the event tables and computes what is derived from them.
    pub(in crate::ingest) fn events(&mut self) -> Result<(), IngestError> {
        for planned in &self.plan.events {
            let name = &planned.table.name;
            self.begin(name);
            let files = self.tables.of(name);
            let table = self.gathered.table(planned, files, &mut self.records, self.progress)?;
            self.progress.end(name);
            self.event_tables.push(table);
        }
        if self.plan.is_long() {
            first_step(&self.records, &mut self.audit)?;
            self.read_statics()?;
        }
        self.gathered.lost = lost::lost(self.plan, &|table| !self.tables.are_without(table));
        derive::derive(self.plan, &mut self.gathered, &self.records, &self.facts);
        Ok(())
    }

    /// Reads the rest, applies the remaining rules and closes the accounts.
    fn finish(mut self) -> Result<Share, IngestError> {
        self.events()?;
        let Self {
            plan,
            mut records,
            facts,
            mut gathered,
            early,
            mut audit,
            whole_steps,
            event_tables,
            tables,
            ..
        } = self;
        let mut event_tables = event_tables;
        let late = early..plan.operands.len();
        rules::apply(plan, late, &mut records, &facts, &gathered, &mut audit.cohort)?;
        gathered.close(&records, &mut event_tables);
        let rows = Rows::new(&records, &gathered);
        let (columns, labels) = rows.columns(plan, &records, &facts, &mut gathered);
        let mut zones = facts.zones.clone();
        zones.merge(&gathered.zones)?;
        let cohort = audit.cohort.split_off(whole_steps);
        let account = Account {
            inputs: Vec::new(),
            whole: Whole { cohort: audit.cohort, statics: self.static_audits },
            cohort,
            members: records.n_members(),
            people: People::of(&records),
            are_numbered: records.are_numbered(),
            tables: event_tables,
            levels: gathered.meters.iter().map(|meter| meter.levels.iter().cloned().collect()).collect(),
            keys: gathered.keys.tally(),
            zones,
            messages: [audit.messages.0, facts.messages.clone(), tables.said().collect()],
            variables: gathered.meters.into_iter().map(|meter| meter.audit).collect(),
        };
        let (record_ids, subject_ids) = rows.ids(&records, &gathered.bins);
        let table = RecordTable {
            record_ids: record_ids.into(),
            subjects: Subjects::Named(subject_ids.into_iter().map(Some).collect()),
            splits: None,
            columns,
            labels,
            audit: Audit::default(),
        };
        let of_rows = rows.cells.iter().map(|cell| records.id(cell.record)).collect();
        Ok(Share { account, table, records: of_rows })
    }
}

fn first_step(records: &Records, audit: &mut Audit) -> Result<(), IngestError> {
    let n = records.len();
    audit.cohort.push(CohortStep { rule: "all records".into(), before: n, after: n, failed_null: 0 });
    // Another part may have some.
    if n == 0 && records.part().is_whole() {
        return Err(IngestError::NoRecords("reading the records".into()));
    }
    Ok(())
}
