//! Cohort ingestion from end to end.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::schema::{Pipeline, Schema, TableKind};

use super::cache;
use super::columns::Rows;
use super::facts::Facts;
use super::files::{self, SourceFile};
use super::gathered::Gathered;
use super::plan::Plan;
use super::records::Records;
use super::scan::{TypedFile, Wanted};
use super::{
    Audit, CohortStep, IngestError, IngestProgress, InputFile, RecordTable, Subjects, TableAudit, anchor,
    cohort, derive, warnings,
};

/// Reads the tables of a cohort into one row per record.
///
/// Rows are read once, in a stream; memory holds the records and their aggregates, a hash of each row that is used (9 to
/// 18 bytes), by which its copies are known, and for medians their values. The result is a function of the set of rows: their order, their distribution over files, chunks and
/// threads change nothing.
///
/// # Errors
/// Missing tables and columns (all at once), cells of another type with row and column, truncated files, repeated ids,
/// rules that leave no record; see [`IngestError`].
pub fn ingest(
    schema: &Schema,
    pipeline: &Pipeline,
    input: &Path,
    progress: &dyn IngestProgress,
) -> Result<RecordTable, IngestError> {
    ingest_with(schema, pipeline, input, &IngestOptions::default(), progress)
}

/// What to do about malformed rows of CSV tables: too few or too many fields, cells of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadRows {
    /// Stop at the first, naming file and row.
    #[default]
    Fail,
    /// Leave them out and count them in the audit.
    Skip,
}

/// How to read, apart from what schema and pipeline say.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// What to do about malformed rows.
    pub bad_rows: BadRows,
    /// Folder of event stores: rows of the schema's items, typed, that a later ingestion reads in place of the CSV.
    pub cache: Option<PathBuf>,
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
    let plan = Plan::new(schema, pipeline)?;
    let tables = Tables::open(&plan, input, options, progress)?;
    // A window about an event takes a pass of its own, to find the event.
    let event = anchor::pipeline(pipeline);
    let event = event.as_ref().map(|p| Plan::new(schema, p)).transpose()?;
    let event_tables = event.as_ref().map(|plan| Tables::open(plan, input, options, progress)).transpose()?;
    // Hashing reads the stored bytes once more, beside the parser.
    let of_event = event_tables.as_ref();
    std::thread::scope(|scope| {
        let hashes = scope.spawn(|| tables.fingerprints(of_event));
        let event = event.as_ref().zip(of_event);
        let mut table = Reading::new(&plan, &tables, event, progress)?.finish()?;
        table.audit.inputs = hashes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(table)
    })
}

/// The files of each table in use, headers matched.
pub(super) struct Tables {
    files: Vec<(String, Vec<TypedFile>)>,
    /// About files that may be missing.
    warnings: Vec<String>,
}

impl Tables {
    /// Finds the files, and puts stores in the place of those that are to have one.
    pub(super) fn open(
        plan: &Plan<'_>,
        input: &Path,
        options: &IngestOptions,
        progress: &dyn IngestProgress,
    ) -> Result<Self, IngestError> {
        let mut tables = Self::find(plan, input, options.bad_rows == BadRows::Skip)?;
        if let Some(dir) = &options.cache {
            tables.store(plan, dir, progress)?;
        }
        Ok(tables)
    }

    fn find(plan: &Plan<'_>, input: &Path, skip_bad: bool) -> Result<Self, IngestError> {
        let listed = files::list(input)?;
        let events = plan.events.iter().map(|e| (e.table.name.as_str(), &e.wanted));
        let needed: Vec<(&str, &Vec<Wanted>)> =
            plan.facts.iter().map(|(name, wanted)| (name.as_str(), wanted)).chain(events).collect();
        let (mut found, mut absent, mut lacking, mut warnings) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, wanted) in &needed {
            let table = plan.schema.table(name).expect("invariant: the plan names tables of the schema");
            // A single file is the only table there is, whatever its name.
            let of_table: Vec<SourceFile> = match needed.len() {
                1 if input.is_file() => listed.clone(),
                _ => files::of_table(&listed, name, &table.files)?,
            };
            if of_table.is_empty() {
                absent.push(((*name).to_string(), table.files.clone()));
            }
            // One of two halves is easily left behind. A pattern may well match nothing.
            for stem in table.files.iter().filter(|s| !s.contains('*') && !input.is_file()) {
                let here = of_table.iter().any(|f| f.stem == stem.to_lowercase());
                if !here && !table.files.iter().any(|p| p.contains('*')) {
                    warnings.push(format!("table {name}: there is no file {stem}"));
                }
            }
            let mut typed = Vec::new();
            for file in of_table {
                let shown = file.name.clone();
                match TypedFile::open(file, wanted, skip_bad)? {
                    Ok(file) => {
                        warnings.extend(file.warnings.iter().cloned());
                        typed.push(file);
                    }
                    Err(columns) => lacking.push((shown, columns)),
                }
            }
            found.push(((*name).to_string(), typed));
        }
        if !absent.is_empty() {
            return Err(IngestError::MissingTables { tables: absent, folder: input.display().to_string() });
        }
        if !lacking.is_empty() {
            return Err(IngestError::MissingTableColumns(lacking));
        }
        Ok(Self { files: found, warnings })
    }

    pub(super) fn of(&self, name: &str) -> &[TypedFile] {
        self.files.iter().find(|(n, _)| n == name).map_or(&[], |(_, files)| files)
    }

    /// Puts stores in the place of event files.
    fn store(
        &mut self,
        plan: &Plan<'_>,
        dir: &Path,
        progress: &dyn IngestProgress,
    ) -> Result<(), IngestError> {
        // Ids of a long table come from all of its rows.
        for planned in plan.events.iter().filter(|_| !plan.is_long()) {
            let name = &planned.table.name;
            for (_, files) in self.files.iter_mut().filter(|(n, _)| n == name) {
                progress.begin(name, files.len(), files.iter().map(|f| f.file.size()).sum());
                let stores = std::mem::take(files);
                for file in stores {
                    files.push(cache::stored(file, plan.schema, name, planned.places.item, dir)?);
                }
                progress.end(name);
            }
        }
        Ok(())
    }

    /// What there is to say about the files, now that they have been read.
    fn said(&self) -> impl Iterator<Item = String> {
        self.files.iter().flat_map(|(_, files)| files).flat_map(|file| file.file.warnings())
    }

    fn fingerprints(&self, other: Option<&Self>) -> Result<Vec<InputFile>, IngestError> {
        let all = self.files.iter().chain(other.iter().flat_map(|t| &t.files));
        let mut files: Vec<&TypedFile> = all.flat_map(|(_, files)| files).collect();
        files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        files.dedup_by(|a, b| a.file.name == b.file.name);
        let fingerprint = |file: &TypedFile| match &file.cached {
            Some(note) => Ok(note.source().clone()),
            None => file.file.fingerprint(),
        };
        files.into_iter().map(fingerprint).collect()
    }
}

/// An ingestion under way: records, facts and measurements gathered so far.
pub(super) struct Reading<'a> {
    plan: &'a Plan<'a>,
    pub(super) records: Records,
    pub(super) facts: Facts,
    pub(super) gathered: Gathered<'a>,
    early: usize,
    audit: Audit,
    static_audits: Vec<TableAudit>,
    tables: &'a Tables,
    progress: &'a dyn IngestProgress,
}

impl<'a> Reading<'a> {
    /// Reads the records and what is joined to them, and applies the rules that need nothing else.
    pub(super) fn new(
        plan: &'a Plan<'a>,
        tables: &'a Tables,
        event: Option<(&Plan<'_>, &Tables)>,
        progress: &'a dyn IngestProgress,
    ) -> Result<Self, IngestError> {
        let audit = Audit { warnings: tables.warnings.clone(), ..Audit::default() };
        let early = cohort::rules_before_events(plan);
        let mut reading = Self {
            plan,
            records: Records::default(),
            facts: Facts::default(),
            gathered: Gathered::new(plan, &Records::default()),
            early,
            audit,
            static_audits: Vec::new(),
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
        }
        let Self { records, facts, gathered, audit, .. } = &mut reading;
        cohort::apply(plan, 0..early, records, facts, gathered, &mut audit.cohort)?;
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
    pub(super) fn events(&mut self) -> Result<(), IngestError> {
        for planned in &self.plan.events {
            let name = &planned.table.name;
            self.begin(name);
            let files = self.tables.of(name);
            let table = self.gathered.table(planned, files, &mut self.records, self.progress)?;
            self.progress.end(name);
            if table.rows_read == 0 {
                self.audit.warnings.push(format!("table {name} has no rows"));
            }
            self.audit.tables.push(table);
        }
        if self.plan.is_long() {
            first_step(&self.records, &mut self.audit)?;
            self.read_statics()?;
        }
        derive::derive(self.plan, &mut self.gathered, &self.records, &self.facts);
        Ok(())
    }

    /// Reads the rest, applies the remaining rules and closes the accounts.
    fn finish(mut self) -> Result<RecordTable, IngestError> {
        self.events()?;
        let Self {
            plan, mut records, facts, mut gathered, early, mut audit, mut static_audits, tables, ..
        } = self;
        let late = early..plan.operands.len();
        cohort::apply(plan, late, &mut records, &facts, &gathered, &mut audit.cohort)?;
        gathered.close(&records, &mut audit.tables, &mut audit.warnings);
        audit.warnings.extend(tables.said());
        if let Some(table) =
            static_audits.iter_mut().find(|t| Some(&t.table) == plan.schema.record.table.as_ref())
        {
            close_records(table, &records);
        }
        audit.tables.splice(0..0, static_audits);
        audit.warnings.extend(warnings::of_tables(&audit.tables));
        let rows = Rows::new(&records, &gathered);
        if rows.cells.is_empty() {
            return Err(IngestError::NoRecords(
                "taking the windows, none of which begins within a stay".into(),
            ));
        }
        let columns = rows.columns(plan, &records, &facts, &mut gathered);
        audit.variables = std::mem::take(&mut gathered.meters).into_iter().map(|m| m.audit).collect();
        for (variable, planned) in audit.variables.iter_mut().zip(&plan.variables) {
            if planned.lookback > 0 {
                let hours = planned.lookback as f64 / 3600.0;
                let _ = write!(variable.variable, " (lookback {hours} h)");
            }
        }
        let mut zones = facts.zones.clone();
        zones.merge(&gathered.zones)?;
        audit.warnings.extend(zones.warning());
        audit.warnings.extend(warnings::of_variables(plan, &audit.variables));
        let (record_ids, subject_ids) = rows.ids(&records, &gathered.bins);
        let subjects = Subjects::Named(subject_ids.into_iter().map(Some).collect());
        Ok(RecordTable { record_ids: record_ids.into(), subjects, splits: None, columns, audit })
    }
}

fn first_step(records: &Records, audit: &mut Audit) -> Result<(), IngestError> {
    let n = records.len();
    audit.cohort.push(CohortStep { rule: "all records".into(), before: n, after: n, failed_null: 0 });
    if n == 0 { Err(IngestError::NoRecords("reading the records".into())) } else { Ok(()) }
}

fn close_records(audit: &mut TableAudit, records: &Records) {
    audit.rows_kept = records.in_cohort.iter().filter(|c| **c).count() as u64;
    let gone = records.len() as u64 - audit.rows_kept;
    if gone > 0 {
        audit.dropped.insert("not in cohort".into(), gone);
    }
}
