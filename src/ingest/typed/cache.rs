//! The event store: rows of every item that a schema knows, typed, in Parquet. A second ingestion with
//! another window, cohort or transform reads it in place of the CSV.
//!
//! One store per table file, named after what it depends on (the schema's items and columns for that table,
//! the treatment of malformed rows, the store's version) beside a note of the source it was made from: size,
//! time of change and SHA-256. A source that changed, a store that is damaged or half there: it is made anew,
//! never used.

use std::fs::{self, File};
use std::path::Path;
use std::time::UNIX_EPOCH;

use polars_core::prelude as pl;
use polars_io::prelude as io;
use sha2::{Digest, Sha256};

use crate::error::IoError;
use crate::num::hex::hex;
use crate::output::{Staged, write_atomic};
use crate::schema::{DType, Item, Schema, Source, TableKind};

use super::batch::BatchColumn;
use super::delimited;
use super::file::{ItemSet, Opening, TypedFile};
use super::passed::{Note, Passed};
use crate::ingest::files::{Format, SourceFile};
use crate::ingest::parquet_out::parquet;
use crate::ingest::{IngestError, InputFile};
use crate::plain_file::{self, Watch};

/// Raised whenever stores of another version must not be read.
const VERSION: u32 = 4;

/// The store of an event file in the folder `dir`, made if need be; the file itself where a store would not
/// serve.
///
/// `item` is the place of the item among the wanted columns of `file`.
///
/// # Errors
/// What reading the source finds wrong; a folder that cannot be written.
pub(in crate::ingest) fn stored(
    file: TypedFile,
    schema: &Schema,
    table: &str,
    item: Option<usize>,
    dir: &Path,
) -> Result<TypedFile, IngestError> {
    // Parquet is compact already, and times since a record's start have no Parquet type. What a store leaves
    // behind is told by numbers and exact names alone.
    let elapsed = file.wanted.iter().any(|w| w.dtype.is_since_start());
    let plain =
        file.file.format == Format::Csv && !elapsed && !file.has_name() && has_plain_items(schema, table);
    let Some(item) = item.filter(|_| plain) else { return Ok(file) };
    fs::create_dir_all(dir).map_err(IoError::on("create", dir))?;
    let items = items_of(schema, table);
    let name = format!("{}-{}", file.file.stem, key(&file, &items));
    let (store, note) = (dir.join(format!("{name}.parquet")), dir.join(format!("{name}.json")));
    let (known, found) = match valid(&file.file, &store, &note)? {
        Some(known) => known,
        None => make(&file, item, &set(&items), &store, &note)?,
    };
    let wanted = file.wanted.clone();
    let source = SourceFile { path: store, format: Format::Parquet, found, ..file.file.clone() };
    let opening = Opening { skip_bad: file.skip_bad, id_in_name: None };
    let mut typed = TypedFile::open(source, &wanted, opening)?
        .unwrap_or_else(|_| unreachable!("a valid store has the columns it is named after"));
    typed.cached = Some(known);
    Ok(typed)
}

/// Whether the items of a table are the whole cells of one column.
fn has_plain_items(schema: &Schema, table: &str) -> bool {
    let pattern = |item: &Item| matches!(item, Item::Name(name) if name.contains('*'));
    let of_one_column = schema.table(table).is_some_and(|table| match &table.kind {
        TableKind::Events(events) => {
            // Which items a relation adds is known from the extract alone.
            events.item_form.is_none() && events.item_within.is_none() && events.related.is_empty()
        }
        TableKind::Records | TableKind::Static { .. } | TableKind::Lists { .. } => false,
    });
    of_one_column && !items_of(schema, table).iter().any(pattern)
}

/// All items of the schema in a table, sorted.
fn items_of(schema: &Schema, name: &str) -> Vec<Item> {
    let sources = schema.variables.iter().flat_map(|v| &v.sources);
    let mut items: Vec<Item> = sources
        .filter_map(|source| match source {
            Source::Events { table, items, .. } if table == name => Some(items.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    items.sort();
    items.dedup();
    items
}

fn set(items: &[Item]) -> ItemSet {
    let numbers: Option<_> =
        items.iter().map(|i| if let Item::Id(id) = i { Some(*id) } else { None }).collect();
    numbers.map_or_else(
        || {
            let name = |i: &Item| match i {
                Item::Id(id) => id.to_string(),
                Item::Name(name) => name.clone(),
            };
            ItemSet::Names(items.iter().map(name).collect())
        },
        ItemSet::Numbers,
    )
}

/// Hash of all that a store depends on but the source.
fn key(file: &TypedFile, items: &[Item]) -> String {
    let wanted: Vec<_> = file.wanted.iter().map(|w| (&w.name, w.dtype.name())).collect();
    let text = serde_json::json!([VERSION, file.file.name, wanted, items, file.skip_bad]).to_string();
    hex(&Sha256::digest(text.as_bytes())[..8])
}

fn changed(path: &Path) -> Result<u128, IngestError> {
    let meta = fs::metadata(path).map_err(IoError::on("read", path))?;
    let time = meta.modified().map_err(IoError::on("read", path))?;
    let time = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    Ok(time.max(replaced(&meta)))
}

/// Nanoseconds since 1970 at which a file became what it is: copies and archives keep the time of change of
/// the original, which an earlier file of the same name may have as well.
#[cfg(unix)]
fn replaced(meta: &fs::Metadata) -> u128 {
    use std::os::unix::fs::MetadataExt;
    let (seconds, nanoseconds) = (meta.ctime(), meta.ctime_nsec());
    u128::try_from(seconds).unwrap_or(0) * 1_000_000_000 + u128::try_from(nanoseconds).unwrap_or(0)
}

#[cfg(not(unix))]
fn replaced(_: &fs::Metadata) -> u128 {
    0
}

/// The note of a store that is whole and made from this very source, and the store as it was when it was checked.
fn valid(source: &SourceFile, store: &Path, note: &Path) -> Result<Option<(Note, Watch)>, IngestError> {
    let read = || serde_json::from_slice::<Note>(&plain_file::read(note).ok()?).ok();
    let Some(mut known) = read() else { return Ok(None) };
    if known.source.bytes != source.size() || !store.is_file() {
        return Ok(None);
    }
    let time = changed(&source.path)?;
    if known.changed != time {
        // Copied or touched: only its bytes can tell.
        if source.fingerprint()? != known.source {
            return Ok(None);
        }
        known.changed = time;
    }
    let (found, watch) = fingerprint(store)?;
    Ok((found == known.store).then_some((known, watch)))
}

fn fingerprint(store: &Path) -> Result<(InputFile, Watch), IngestError> {
    let watch = Watch::begin(store);
    Ok((InputFile::of_watched(&watch)?, watch))
}

fn make(
    file: &TypedFile,
    item: usize,
    items: &ItemSet,
    store: &Path,
    note: &Path,
) -> Result<(Note, Watch), IngestError> {
    let time = changed(&file.file.path)?;
    let staged = Staged::file(store, true)?;
    let (passed, source) = std::thread::scope(|scope| {
        let hash = scope.spawn(|| file.file.fingerprint());
        let passed = write(file, item, items, staged.path())?;
        Ok::<_, IngestError>((passed, hash.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?))
    })?;
    staged.commit()?;
    let (hash, watch) = fingerprint(store)?;
    let known = Note {
        source,
        changed: time,
        rows: passed.rows,
        skipped: passed.skipped,
        zones: passed.zones,
        said: file.file.messages(),
        store: hash,
    };
    let text = serde_json::to_vec_pretty(&known).expect("invariant: a note is plain data");
    write_atomic(note, &text)?;
    Ok((known, watch))
}

/// Rows of one Parquet row group.
const GROUP: usize = 1 << 18;

fn write(file: &TypedFile, item: usize, items: &ItemSet, path: &Path) -> Result<Passed, IngestError> {
    let failed =
        |e: pl::PolarsError| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
    let fields: pl::Schema =
        file.wanted.iter().map(|w| pl::Field::new(w.name.as_str().into(), stored_type(w.dtype))).collect();
    let out = File::create(path).map_err(IoError::on("create", path))?;
    let mut writer = parquet(out, &fields)
        .with_compression(io::ParquetCompression::Lz4Raw)
        .batched(&fields)
        .map_err(failed)?;
    let mut group: Option<pl::DataFrame> = None;
    let mut flush = |group: &mut Option<pl::DataFrame>, at_least: usize| match group.take() {
        Some(mut frame) if frame.height() >= at_least => {
            frame.rechunk_mut();
            writer.write_batch(&frame)
        }
        kept => {
            *group = kept;
            Ok(())
        }
    };
    let passed = delimited::scan(file, Some((item, items)), |columns, _| {
        let rows = columns.first().map_or(0, BatchColumn::len);
        let columns = columns.iter().zip(&file.wanted).map(|(c, w)| c.to_polars(&w.name)).collect();
        let batch = pl::DataFrame::new(rows, columns).map_err(failed)?;
        match &mut group {
            None => group = Some(batch),
            Some(group) => drop(group.vstack_mut(&batch).map_err(failed)?),
        }
        flush(&mut group, GROUP).map_err(failed)
    })?;
    flush(&mut group, 0).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(passed)
}

fn stored_type(dtype: DType) -> pl::DataType {
    match dtype {
        DType::Integer => pl::DataType::Int64,
        DType::Float => pl::DataType::Float64,
        DType::Text | DType::Quantity => pl::DataType::String,
        DType::Datetime | DType::Elapsed | DType::Minutes | DType::Hour => {
            pl::DataType::Datetime(pl::TimeUnit::Microseconds, None)
        }
    }
}
