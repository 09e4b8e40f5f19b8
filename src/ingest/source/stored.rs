//! Files whose columns have types: Parquet and Arrow IPC, read a stretch of rows at a time while the next is
//! decoded.

use std::sync::mpsc::sync_channel;

use polars_core::prelude::*;

use super::arrow::ArrowTable;
use super::column::{StoredColumn, StoredType, engine, wanted_name};
use super::guard::{catching, spawn_named};
use super::header;
use super::notes::Note;
use super::opened::{head, refuse_foreign};
use super::parquet::ParquetTable;
use super::types::{Conversion, Plan, is_text, plan};
use crate::error::IoError;
use crate::ingest::IngestError;
use crate::ingest::files::{Format, SourceFile};
use crate::message::{Message, Weight};

/// An open file: its types are known, its rows have not been read.
pub(in crate::ingest) struct StoredTable {
    file: SourceFile,
    kind: Kind,
}

enum Kind {
    Parquet(ParquetTable),
    Arrow(ArrowTable),
}

/// A column of a file with types, as [`super::Source`] hands it on.
pub(super) struct TypedColumn {
    pub(super) column: StoredColumn,
    /// Place in the file.
    pub(super) place: usize,
    /// None for a column that is never read.
    pub(super) conversion: Option<Conversion>,
}

impl StoredTable {
    /// Reads footer or schema.
    ///
    /// # Errors
    /// A file that cannot be opened, or is not what its name says.
    pub(in crate::ingest) fn open(file: &SourceFile) -> Result<Self, IngestError> {
        refuse_foreign(file, &head(file)?)?;
        let kind = match file.format {
            Format::Arrow => Kind::Arrow(ArrowTable::open(file)?),
            Format::Csv | Format::Parquet => Kind::Parquet(ParquetTable::open(file)?),
        };
        Ok(Self { file: file.clone(), kind })
    }

    /// Columns with the types in which [`Self::read`] hands them on, in the order of the file.
    pub(in crate::ingest) fn schema(&self) -> &ArrowSchema {
        match &self.kind {
            Kind::Parquet(table) => &table.stored,
            Kind::Arrow(table) => &table.schema,
        }
    }

    /// The same with the types that the writer had in mind: categories, durations, half floats.
    pub(in crate::ingest) fn meant(&self) -> &ArrowSchema {
        match &self.kind {
            Kind::Parquet(table) => &table.meant,
            Kind::Arrow(table) => &table.schema,
        }
    }

    /// What becomes of each column. Columns of bytes are read to see whether they are text, and the index
    /// that pandas stores beside a table is left out.
    ///
    /// # Errors
    /// Damage to the file; two columns of one name.
    pub(super) fn columns(&self) -> Result<Vec<TypedColumn>, IngestError> {
        let names = self.schema().iter_names().map(|name| name.trim().to_owned()).collect();
        let names = header::named(&self.file, names, 0)?;
        let mut columns = Vec::new();
        let mut index = Vec::new();
        for (place, name) in names.into_iter().enumerate() {
            if is_index_of_pandas(&name) {
                index.push(format!("`{name}`"));
                continue;
            }
            let types = self.schema().get_at_index(place).zip(self.meant().get_at_index(place));
            let planned = match types {
                Some(((_, stored), (_, meant))) => plan(&stored.dtype, &meant.dtype),
                None => Plan::Unreadable("column without a type".into()),
            };
            let (stored, conversion) = match planned {
                Plan::Convert(stored, conversion) => (stored, Some(conversion)),
                Plan::Bytes if self.holds_text(place)? => (StoredType::Text, Some(Conversion::BytesToText)),
                Plan::Bytes => (StoredType::Unreadable("bytes that are not text".into()), None),
                Plan::Unreadable(what) => (StoredType::Unreadable(what), None),
            };
            columns.push(TypedColumn { column: StoredColumn { name, stored }, place, conversion });
        }
        if !index.is_empty() {
            self.file.notes.say(
                Note::Index,
                Message::file(
                    Weight::LeftOut,
                    &self.file.name,
                    format!(
                        "{}: {}, the index that pandas stored beside the table, is left out (name the index \
                         in pandas to keep it)",
                        self.file.name,
                        index.join(", ")
                    ),
                )
                .counting(index.len()),
            );
        }
        Ok(columns)
    }

    fn holds_text(&self, place: usize) -> Result<bool, IngestError> {
        let mut text = true;
        self.read(&[place], |frame| {
            text = text && is_text(&frame.columns()[0]).map_err(|e| engine(&self.file, e))?;
            Ok(())
        })?;
        Ok(text)
    }

    /// Calls `each` with the columns at the places `columns`, in that order and a stretch of rows at a time.
    /// The next stretch is decoded meanwhile. Categories of Arrow files come as such.
    ///
    /// # Errors
    /// Damage to the file; what `each` finds wrong.
    pub(in crate::ingest) fn read<F>(&self, columns: &[usize], each: F) -> Result<(), IngestError>
    where
        F: FnMut(DataFrame) -> Result<(), IngestError>,
    {
        self.read_prepared(columns, Ok, each)
    }

    /// The same with the cells converted to the types of [`Self::columns`]; `typed` are the columns wanted.
    ///
    /// # Errors
    /// As [`Self::read`]; the first cell that its type cannot hold, by its column's name.
    pub(super) fn read_converted<F>(&self, typed: &[&TypedColumn], each: F) -> Result<(), IngestError>
    where
        F: FnMut(DataFrame) -> Result<(), IngestError>,
    {
        let places: Vec<usize> = typed.iter().map(|typed| typed.place).collect();
        self.read_prepared(&places, |frame| converted(&self.file, &frame, typed), each)
    }

    fn read_prepared<P, F>(&self, columns: &[usize], prepare: P, mut each: F) -> Result<(), IngestError>
    where
        P: Fn(DataFrame) -> Result<DataFrame, IngestError> + Send,
        F: FnMut(DataFrame) -> Result<(), IngestError>,
    {
        // The readers return projected columns in the order of the file, and each of them once. One column is
        // read where none is asked for, because rows without columns are not counted.
        let mut places = columns.to_vec();
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            places.extend(self.cheapest());
        }
        let (send, receive) = sync_channel::<Result<DataFrame, IngestError>>(1);
        let bytes = self.file.open_bytes()?;
        let places = &places;
        std::thread::scope(|scope| {
            let decoding = move || {
                let read = catching(|| {
                    self.decode(bytes, places, |frame| {
                        let asked = asked(&frame, places, columns).map_err(|e| engine(&self.file, e));
                        let prepared = asked.and_then(&prepare);
                        let failed = prepared.is_err();
                        send.send(prepared).is_ok() && !failed
                    })
                });
                if let Err(error) = read {
                    // A closed queue means that the other side has found something wrong.
                    let _ = send.send(Err(engine(&self.file, error)));
                }
            };
            spawn_named(scope, decoding).map_err(IoError::on("read", &self.file.path))?;
            for frame in receive {
                each(frame?)?;
            }
            Ok(())
        })
    }

    fn decode(
        &self,
        bytes: std::fs::File,
        places: &[usize],
        mut each: impl FnMut(DataFrame) -> bool,
    ) -> PolarsResult<()> {
        match &self.kind {
            Kind::Arrow(table) => table.read(&self.file, bytes, places, each),
            Kind::Parquet(table) => {
                table.check(bytes.try_clone()?, places)?;
                for stretch in table.stretches() {
                    if !each(table.stretch(bytes.try_clone()?, places, stretch)?) {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Rows, where the footer tells.
    pub(super) fn n_rows(&self) -> Option<usize> {
        match &self.kind {
            Kind::Parquet(table) => Some(table.n_rows()),
            Kind::Arrow(_) => None,
        }
    }

    /// A column that can be read, of the narrowest type.
    fn cheapest(&self) -> Option<usize> {
        let rank = |dtype: &ArrowDataType| match dtype {
            ArrowDataType::Boolean => 0,
            dtype if dtype.is_numeric() => 1,
            ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View => 2,
            _ => 3,
        };
        let ranked =
            self.schema().iter_values().enumerate().map(|(place, field)| (rank(&field.dtype), place));
        ranked.min().map(|(_, place)| place)
    }
}

/// The columns at `columns` of a frame with those at `places`.
fn asked(frame: &DataFrame, places: &[usize], columns: &[usize]) -> PolarsResult<DataFrame> {
    let named = columns.iter().enumerate().map(|(i, place)| {
        let at = places.binary_search(place).expect("invariant: every place was projected");
        // Columns of one name cannot stand in one frame, and a column may be asked for twice.
        frame.columns()[at].clone().with_name(wanted_name(i))
    });
    DataFrame::new(frame.height(), named.collect())
}

fn converted(file: &SourceFile, frame: &DataFrame, typed: &[&TypedColumn]) -> Result<DataFrame, IngestError> {
    let mut columns = Vec::with_capacity(typed.len());
    for (column, typed) in frame.columns().iter().zip(typed) {
        // Columns that cannot be read are not asked for; one that is has no value to give.
        let conversion = typed.conversion.as_ref().unwrap_or(&Conversion::Nothing);
        columns.push(conversion.of(column).map_err(|reason| IngestError::UnreadableCell {
            file: file.name.clone(),
            column: typed.column.name.clone(),
            reason: Box::new(reason),
        })?);
    }
    DataFrame::new(frame.height(), columns).map_err(|e| engine(file, e))
}

/// Pandas calls an index without a name so when it stores it as a column.
fn is_index_of_pandas(name: &str) -> bool {
    name.strip_prefix("__index_level_")
        .and_then(|rest| rest.strip_suffix("__"))
        .is_some_and(|level| !level.is_empty() && level.bytes().all(|b| b.is_ascii_digit()))
}
