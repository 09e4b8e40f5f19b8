//! Parquet files, read a stretch of rows at a time by eager Polars, so that memory does not grow with the file.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use polars_core::prelude::*;
use polars_io::prelude::*;

use super::{StoredColumn, StoredType};
use crate::error::IoError;
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// Rows that are decoded at once. Larger row groups are read in several stretches, smaller ones whole.
const STRETCH: usize = 1 << 17;

/// An open Parquet file: its footer has been read, its rows have not.
pub(in crate::ingest) struct ParquetTable {
    file: SourceFile,
    metadata: FileMetadataRef,
    schema: Arc<ArrowSchema>,
}

impl ParquetTable {
    /// Reads the footer.
    ///
    /// # Errors
    /// A file that cannot be opened, or is no Parquet file.
    pub(in crate::ingest) fn open(file: &SourceFile) -> Result<Self, IngestError> {
        let mut reader = ParquetReader::new(Self::bytes(file)?);
        let schema = reader.schema().map_err(|e| engine(file, e))?;
        let metadata = Arc::clone(reader.get_metadata().map_err(|e| engine(file, e))?);
        Ok(Self { file: file.clone(), metadata, schema })
    }

    /// Columns with the Arrow types they are stored in, in the order of the file.
    pub(in crate::ingest) fn schema(&self) -> &ArrowSchema {
        &self.schema
    }

    /// Columns in the types that [`super::Source::read`] hands them on in.
    pub(super) fn columns(&self) -> Vec<StoredColumn> {
        let named = self.schema.iter_values();
        named.map(|field| StoredColumn { name: field.name.to_string(), stored: stored_type(field) }).collect()
    }

    /// Calls `each` with the columns at the places `columns`, in that order and a stretch of rows at a time. The next
    /// stretch is decoded meanwhile.
    ///
    /// # Errors
    /// Damage to the file; what `each` finds wrong.
    pub(in crate::ingest) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(DataFrame) -> Result<(), IngestError>,
    {
        let (send, receive) = sync_channel::<PolarsResult<DataFrame>>(1);
        let stretches = self.stretches();
        let file = Self::bytes(&self.file)?;
        std::thread::scope(|scope| {
            // The queue has to close when the first error returns: the other side would wait on a full one for ever.
            let receive = receive;
            scope.spawn(move || {
                for stretch in stretches {
                    let read = file
                        .try_clone()
                        .map_err(PolarsError::from)
                        .and_then(|file| self.stretch(file, columns, stretch));
                    let failed = read.is_err();
                    // A closed queue means that the other side has found something wrong.
                    if send.send(read).is_err() || failed {
                        return;
                    }
                }
            });
            for frame in &receive {
                each(frame.map_err(|e| engine(&self.file, e))?)?;
            }
            Ok(())
        })
    }

    fn stretch(
        &self,
        file: File,
        columns: &[usize],
        (from, rows): (usize, usize),
    ) -> PolarsResult<DataFrame> {
        // Polars returns projected columns in the order of the file, and each of them once.
        let mut places = columns.to_vec();
        places.sort_unstable();
        places.dedup();
        let mut reader = ParquetReader::new(file)
            .with_projection(Some(places.clone()))
            .with_slice(Some((from, rows)))
            .read_parallel(ParallelStrategy::Columns);
        reader.set_metadata(Arc::clone(&self.metadata));
        let frame = reader.set_rechunk(true).finish()?;
        let at = |place: &usize| places.binary_search(place).expect("invariant: every place was projected");
        let asked = columns.iter().enumerate().map(|(i, place)| {
            // Columns of one name cannot stand in one frame, and a column may be asked for twice.
            frame.columns()[at(place)].clone().with_name(wanted_name(i))
        });
        DataFrame::new(frame.height(), asked.collect())
    }

    /// First row and number of rows of what is decoded at once.
    fn stretches(&self) -> Vec<(usize, usize)> {
        let mut stretches = Vec::new();
        let mut first = 0;
        for group in &self.metadata.row_groups {
            let rows = group.num_rows();
            let parts = (0..rows).step_by(STRETCH).map(|from| (first + from, STRETCH.min(rows - from)));
            stretches.extend(parts);
            first += rows;
        }
        stretches
    }

    fn bytes(file: &SourceFile) -> Result<File, IngestError> {
        Ok(File::open(&file.path).map_err(IoError::on("open", &file.path))?)
    }
}

/// Name of the i-th column that was asked for.
pub(in crate::ingest) fn wanted_name(i: usize) -> PlSmallStr {
    format!("wanted{i}").into()
}

/// A reader's error in our words. Polars' own texts may quote cells, so they are kept as the cause only.
pub(in crate::ingest) fn engine(file: &SourceFile, error: PolarsError) -> IngestError {
    if let PolarsError::IO { error, .. } = &error {
        return file.io_error(std::io::Error::from(error.kind()));
    }
    IngestError::Engine { file: file.name.clone(), reason: Box::new(error) }
}

/// The columns of a stretch in the few types that [`super::Batch`] promises.
pub(super) fn in_few_types(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let cast = |column: &Column| match column.dtype() {
        DataType::String | DataType::Boolean | DataType::Int64 | DataType::Float64 => Ok(column.clone()),
        t if t.is_temporal() => Ok(column.clone()),
        DataType::Categorical(..) | DataType::Enum(..) => column.cast(&DataType::String),
        // Unsigned numbers may lie beyond 63 bits.
        DataType::UInt64 => column.cast(&DataType::Float64),
        t if t.is_integer() => column.cast(&DataType::Int64),
        DataType::Null => column.cast(&DataType::String),
        _ => column.cast(&DataType::Float64),
    };
    DataFrame::new(frame.height(), frame.columns().iter().map(cast).collect::<PolarsResult<_>>()?)
}

fn stored_type(field: &ArrowField) -> StoredType {
    use ArrowDataType as A;
    match field.dtype() {
        A::Null | A::Utf8 | A::LargeUtf8 | A::Utf8View => StoredType::Text,
        A::Dictionary(_, values, _) if matches!(**values, A::Utf8 | A::LargeUtf8 | A::Utf8View) => {
            StoredType::Text
        }
        A::Boolean => StoredType::Boolean,
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32 => StoredType::Integer,
        A::UInt64 | A::Float16 | A::Float32 | A::Float64 | A::Decimal(..) => StoredType::Number,
        A::Date32 | A::Date64 | A::Time32(_) | A::Time64(_) | A::Timestamp(..) | A::Duration(_) => {
            StoredType::Temporal(format!("{:?}", field.dtype()))
        }
        other => StoredType::Unreadable(format!("{other:?}")),
    }
}
