//! All parts of a bundle → the table that one run over all patients gives.

use std::path::{Path, PathBuf};

use super::manifest::{Content, PartManifest, TableAccount, Whose};
use super::rows::{PartRows, Places};
use super::{PartBundle, PartError};
use crate::ingest::cohort::close::close;
use crate::ingest::cohort::plan::Plan;
use crate::ingest::cohort::share::{Account, Share};
use crate::ingest::events::reason::OTHER_PART;
use crate::ingest::gather::{RowAt, gather};
use crate::ingest::{Audit, IngestError, RecordTable, Subjects};
use crate::schema::{Pipeline, Schema};

/// What parts were put together to.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The records, as one run gives them.
    pub table: RecordTable,
    /// The pipeline of all parts.
    pub pipeline: Pipeline,
    /// Their schema; wide tables have none.
    pub schema: Option<Schema>,
}

/// Puts all parts of a bundle together. `left_behind` counts rows of items not in use by their event table,
/// that were left behind before the tables were divided.
///
/// # Errors
/// A part that is missing, there twice or cannot be read; parts of different pipelines, schemas, seeds,
/// inputs or versions; a cohort without a record.
pub fn merge(dirs: &[PathBuf], left_behind: &[(String, u64)]) -> Result<Merged, IngestError> {
    let mut parts = Vec::new();
    for dir in dirs {
        parts.push((dir.as_path(), PartBundle::read(dir)?));
    }
    parts.sort_by_key(|(_, bundle)| bundle.manifest.part.number);
    check_together(&parts)?;
    let bundles: Vec<PartBundle> = parts.into_iter().map(|(_, bundle)| bundle).collect();
    let PartManifest { pipeline, schema, .. } = bundles[0].manifest.clone();
    let table = match &schema {
        Some(schema) => of_cohort(schema, &pipeline, bundles, left_behind)?,
        None => of_table(bundles)?,
    };
    Ok(Merged { table, pipeline, schema })
}

/// Whether these are all parts of one bundle, each once; they are sorted.
fn check_together(parts: &[(&Path, PartBundle)]) -> Result<(), PartError> {
    let Some((first, PartBundle { manifest, .. })) = parts.first() else {
        return Err(PartError::Missing { missing: vec![1], of: 1 });
    };
    for (dir, PartBundle { manifest: other, .. }) in &parts[1..] {
        let inputs = |content: &Content| match content {
            Content::Cohort(account) if manifest.part.divided => (Vec::new(), Some(account.whole.clone())),
            Content::Cohort(account) => (account.inputs.clone(), Some(account.whole.clone())),
            Content::Table(table) => (table.audit.inputs.clone(), None),
        };
        let differ = [
            (manifest.part.of != other.part.of, "numbers of parts"),
            (manifest.part.divided != other.part.divided, "kinds: some were divided before, others were not"),
            (manifest.pipeline.seed != other.pipeline.seed, "seeds"),
            (manifest.pipeline != other.pipeline, "pipelines or settings"),
            (manifest.schema != other.schema, "schemas"),
            (inputs(&manifest.content) != inputs(&other.content), "inputs"),
        ];
        if let Some((_, what)) = differ.into_iter().find(|(differ, _)| *differ) {
            return Err(PartError::Differ { one: first.to_path_buf(), other: dir.to_path_buf(), what });
        }
    }
    let number = |(_, bundle): &(&Path, PartBundle)| bundle.manifest.part.number;
    if let Some(pair) = parts.windows(2).find(|pair| number(&pair[0]) == number(&pair[1])) {
        let part = pair[0].1.manifest.part.to_string();
        let (one, other) = (pair[0].0.to_path_buf(), pair[1].0.to_path_buf());
        return Err(PartError::Twice { part, one, other });
    }
    let of = manifest.part.of;
    let missing: Vec<u32> = (1..=of).filter(|n| !parts.iter().any(|part| number(part) == *n)).collect();
    if missing.is_empty() { Ok(()) } else { Err(PartError::Missing { missing, of }) }
}

fn of_cohort(
    schema: &Schema,
    pipeline: &Pipeline,
    bundles: Vec<PartBundle>,
    left_behind: &[(String, u64)],
) -> Result<RecordTable, IngestError> {
    let divided = bundles[0].manifest.part.divided;
    let mut shares = Vec::new();
    for PartBundle { manifest, rows } in bundles {
        let PartRows { record_ids, places, subjects, columns, labels, .. } = rows;
        let (Content::Cohort(account), Places::Records(records)) = (manifest.content, places) else {
            continue;
        };
        let subjects = subjects.map_or(Subjects::Records, Subjects::Named);
        let audit = Audit::default();
        let table = RecordTable { record_ids, subjects, splits: None, columns, labels, audit };
        shares.push(Share { account: *account, table, records });
    }
    if !divided {
        check_rows(&shares.iter().map(|share| &share.account).collect::<Vec<_>>())?;
    }
    close(&Plan::new(schema, pipeline)?, shares, left_behind)
}

/// Whether the parts account for every row that each of them has read, and for none twice.
fn check_rows(accounts: &[&Account]) -> Result<(), PartError> {
    for (i, table) in accounts[0].tables.iter().enumerate() {
        let own = |account: &&Account| {
            let audit = &account.tables[i].audit;
            audit.rows_read - audit.dropped.get(OTHER_PART).copied().unwrap_or(0)
        };
        let (rows, accounted) = (table.audit.rows_read, accounts.iter().map(own).sum());
        if rows != accounted {
            return Err(PartError::Rows { table: format!("table {}", table.audit.table), rows, accounted });
        }
    }
    Ok(())
}

fn of_table(bundles: Vec<PartBundle>) -> Result<RecordTable, IngestError> {
    let mut account: Option<TableAccount> = None;
    let (mut tables, mut order, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for PartBundle { manifest, rows } in bundles {
        let (Content::Table(own), Places::Rows(numbers, copies)) = (manifest.content, rows.places) else {
            continue;
        };
        account.get_or_insert(*own);
        let part = tables.len();
        order.extend(numbers.iter().enumerate().map(|(row, number)| (*number, (part, row))));
        pairs.extend(numbers.iter().zip(&copies).filter_map(|(row, first)| Some((*row, (*first)?))));
        tables.push(RecordTable {
            record_ids: rows.record_ids,
            subjects: rows.subjects.map_or(Subjects::Records, Subjects::Named),
            splits: rows.splits,
            columns: rows.columns,
            labels: rows.labels,
            audit: Audit::default(),
        });
    }
    let Some(TableAccount { n_rows, subjects, audit, .. }) = account else {
        return Err(PartError::Missing { missing: vec![1], of: 1 }.into());
    };
    order.sort_unstable();
    if order.len() != n_rows || order.iter().enumerate().any(|(i, (number, _))| i != *number as usize) {
        let table = "the table".to_owned();
        return Err(PartError::Rows { table, rows: n_rows as u64, accounted: order.len() as u64 }.into());
    }
    let rows: Vec<RowAt> = order.into_iter().map(|(_, at)| at).collect();
    let mut all = gather(&tables, &rows);
    if subjects == Whose::Copies {
        pairs.sort_unstable();
        all.subjects = Subjects::Copies(pairs);
    }
    all.audit = audit;
    Ok(all)
}
