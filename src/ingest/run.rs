//! Cohort ingestion from end to end.

use std::path::{Path, PathBuf};

use crate::schema::{Aggregation, Kind, Pipeline, Schema, TableKind};

use super::accumulate::Aggregate;
use super::cache;
use super::cohort;
use super::events::Gathered;
use super::facts::Facts;
use super::files::{self, SourceFile};
use super::measure::Value;
use super::plan::Plan;
use super::records::Records;
use super::scan::{TypedFile, Wanted};
use super::{
    Audit, Cells, CohortStep, Column, IngestError, IngestProgress, InputFile, RecordTable, TableAudit,
};

/// Reads the tables of a cohort into one row per record.
///
/// Rows are read once, in a stream; memory holds the records and their aggregates, except for medians, which keep
/// their values. The result is a function of the set of rows: their order, their distribution over files, chunks and
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
    let mut tables = Tables::find(&plan, input, options.bad_rows == BadRows::Skip)?;
    if let Some(dir) = &options.cache {
        tables.store(&plan, dir, progress)?;
    }
    // Hashing reads the stored bytes once more, beside the parser.
    std::thread::scope(|scope| {
        let hashes = scope.spawn(|| tables.fingerprints());
        let mut table = read(&plan, &tables, progress)?;
        table.audit.inputs = hashes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(table)
    })
}

/// The files of each table in use, headers matched.
struct Tables {
    files: Vec<(String, Vec<TypedFile>)>,
    /// About files that may be missing.
    warnings: Vec<String>,
}

impl Tables {
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
                    Ok(file) => typed.push(file),
                    Err(columns) => lacking.push((shown, columns)),
                }
            }
            found.push(((*name).to_string(), typed));
        }
        if !absent.is_empty() {
            return Err(IngestError::MissingTables { tables: absent, folder: input.display().to_string() });
        }
        if !lacking.is_empty() {
            return Err(IngestError::MissingColumns(lacking));
        }
        Ok(Self { files: found, warnings })
    }

    fn of(&self, name: &str) -> &[TypedFile] {
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

    fn fingerprints(&self) -> Result<Vec<InputFile>, IngestError> {
        let mut files: Vec<&TypedFile> = self.files.iter().flat_map(|(_, files)| files).collect();
        files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        files.dedup_by(|a, b| a.file.name == b.file.name);
        let fingerprint = |file: &TypedFile| match &file.cached {
            Some(note) => Ok(note.source().clone()),
            None => file.file.fingerprint(),
        };
        files.into_iter().map(fingerprint).collect()
    }
}

fn read(plan: &Plan<'_>, tables: &Tables, progress: &dyn IngestProgress) -> Result<RecordTable, IngestError> {
    let mut audit = Audit { warnings: tables.warnings.clone(), ..Audit::default() };
    let (mut records, mut facts) = (Records::default(), Facts::default());
    let early = cohort::rules_before_events(plan);
    let mut static_audits = Vec::new();
    let begin = |name: &str| {
        let files = tables.of(name);
        progress.begin(name, files.len(), files.iter().map(|f| f.file.size()).sum());
    };
    if let Some(table) = &plan.schema.record.table {
        begin(table);
        static_audits.push(facts.read_records(plan, table, tables.of(table), &mut records)?);
        progress.end(table);
        static_audits.extend(read_statics(plan, tables, &records, &mut facts, &begin, progress)?);
        first_step(&records, &mut audit)?;
    }
    let nothing = Gathered::new(plan, &records);
    cohort::apply(plan, 0..early, &mut records, &facts, &nothing, &mut audit.cohort)?;

    let mut gathered = Gathered::new(plan, &records);
    for planned in &plan.events {
        let name = &planned.table.name;
        begin(name);
        let table = gathered.table(planned, tables.of(name), &mut records, progress)?;
        progress.end(name);
        if table.rows_read == 0 {
            audit.warnings.push(format!("table {name} has no rows"));
        }
        audit.tables.push(table);
    }
    if plan.is_long() {
        first_step(&records, &mut audit)?;
        static_audits.extend(read_statics(plan, tables, &records, &mut facts, &begin, progress)?);
    }
    cohort::apply(plan, early..plan.operands.len(), &mut records, &facts, &gathered, &mut audit.cohort)?;
    gathered.close(&records, &mut audit.tables, &mut audit.warnings);
    if let Some(table) =
        static_audits.iter_mut().find(|t| Some(&t.table) == plan.schema.record.table.as_ref())
    {
        close_records(table, &records);
    }
    audit.tables.splice(0..0, static_audits);

    let order: Vec<u32> = records.sorted().into_iter().filter(|&r| records.in_cohort[r as usize]).collect();
    let columns = columns(plan, &order, &records, &facts, &mut gathered);
    audit.variables = gathered.meters.into_iter().map(|m| m.audit).collect();
    for variable in audit.variables.iter().filter(|v| v.values_kept == 0) {
        audit.warnings.push(format!("variable {} has no value in any record", variable.variable));
    }
    Ok(RecordTable {
        record_ids: order.iter().map(|&r| records.id(r).to_string()).collect(),
        subject_ids: order.iter().map(|&r| records.subject(r).to_string()).collect(),
        splits: None,
        columns,
        audit,
    })
}

fn read_statics(
    plan: &Plan<'_>,
    tables: &Tables,
    records: &Records,
    facts: &mut Facts,
    begin: &dyn Fn(&str),
    progress: &dyn IngestProgress,
) -> Result<Vec<TableAudit>, IngestError> {
    let mut audits = Vec::new();
    for name in plan.facts.keys() {
        let table = plan.schema.table(name).expect("invariant: the plan names tables of the schema");
        if let TableKind::Static { key } = &table.kind {
            begin(name);
            audits.push(facts.read_static(plan, name, key, tables.of(name), records)?);
            progress.end(name);
        }
    }
    Ok(audits)
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

/// The features of the final cohort, in pipeline order, and the accounts that need them.
fn columns(
    plan: &Plan<'_>,
    order: &[u32],
    records: &Records,
    facts: &Facts,
    gathered: &mut Gathered<'_>,
) -> Vec<Column> {
    let mut statics: Vec<Vec<Option<Value>>> = Vec::new();
    for (v, planned) in plan.variables.iter().enumerate() {
        let variable = planned.variable;
        let meter = &mut gathered.meters[v];
        statics.push(order.iter().map(|&r| facts.value(variable, meter, records, r)).collect());
        let counted = order.iter().enumerate().map(|(i, &r)| {
            let (_, n) = gathered.aggregate(v, Aggregation::Count, r);
            (u64::from(n), n > 0 || statics[v][i].is_some())
        });
        let (used, with_value) = counted.fold((0, 0), |(n, with), (m, has)| (n + m, with + u64::from(has)));
        let audit = &mut gathered.meters[v].audit;
        audit.values_kept += used;
        audit.records_missing = order.len() as u64 - with_value;
    }
    plan.features
        .iter()
        .map(|(v, feature)| {
            let variable = plan.variables[*v].variable;
            let measured = plan.variables[*v].measured;
            let value = |i: usize| -> Aggregate {
                match (gathered.aggregate(*v, feature.aggregation, order[i]), statics[*v][i]) {
                    ((found, n), _) if n > 0 => found,
                    (_, Some(Value::Number(x))) => Aggregate::Number(x),
                    (_, Some(Value::Level(code))) => Aggregate::Level(code),
                    _ if measured && feature.aggregation == Aggregation::Count => Aggregate::Number(0.0),
                    _ => variable.absent.map_or(Aggregate::Missing, Aggregate::Number),
                }
            };
            let levels = &gathered.meters[*v].levels;
            let count = measured && feature.aggregation == Aggregation::Count;
            let cells = if variable.kind == Kind::Categorical && !count {
                Cells::Text(
                    (0..order.len())
                        .map(|i| match value(i) {
                            Aggregate::Level(code) => Some(levels[code as usize].clone()),
                            Aggregate::Number(_) | Aggregate::Missing => None,
                        })
                        .collect(),
                )
            } else {
                Cells::Number(
                    (0..order.len())
                        .map(|i| match value(i) {
                            Aggregate::Number(x) => x,
                            Aggregate::Level(_) | Aggregate::Missing => f64::NAN,
                        })
                        .collect(),
                )
            };
            describe(variable, feature, measured, cells)
        })
        .collect()
}

fn describe(
    variable: &crate::schema::Variable,
    feature: &crate::schema::Feature,
    measured: bool,
    cells: Cells,
) -> Column {
    let aggregation = feature.aggregation;
    let mut column = Column {
        name: feature.name.clone(),
        label: variable.label.clone(),
        group: variable.group.clone(),
        unit: variable.unit.clone(),
        kind: variable.kind,
        resolution: variable.resolution,
        range: variable.range,
        cells,
    };
    if !measured {
        return column;
    }
    if feature.name != variable.name {
        column.label = format!("{} ({})", variable.label, aggregation.name());
    }
    column.kind = aggregation.kind_of(variable.kind).unwrap_or(variable.kind);
    column.resolution = aggregation.resolution_of(variable.resolution);
    match aggregation {
        Aggregation::Count => {
            column.unit = String::new();
            column.range = None;
        }
        // Plausible single measurements say nothing about their number or spread.
        Aggregation::Sum | Aggregation::Std => column.range = None,
        _ => {}
    }
    column
}
