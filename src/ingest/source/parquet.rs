//! Parquet files, read a stretch of rows at a time by eager Polars, so that memory does not grow with the
//! file.
//!
//! Polars is shown the types of Parquet itself and not the Arrow schema that most writers add: categories
//! then arrive as the texts they are, whatever dictionaries the row groups have, and no type is met that this
//! build of Polars lacks. The added schema only tells what the writer called a type.

use std::fs::File;
use std::sync::Arc;

use polars_arrow::datatypes::ArrowSchemaRef;
use polars_core::prelude::*;
use polars_io::prelude::*;

use super::column::{engine, wanted_name};
use super::guard::caught;
use super::header;
use super::parquet_pages::{Chunk, check_pages};
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// Rows that are decoded at once. Larger row groups are read in several stretches, smaller ones whole.
const STRETCH: usize = 1 << 17;

/// An open Parquet file: its footer has been read, its rows have not.
pub(super) struct ParquetTable {
    metadata: FileMetadataRef,
    /// Types as Parquet has them.
    pub(super) stored: ArrowSchemaRef,
    /// Types as the writer meant them, where it says so.
    pub(super) meant: ArrowSchemaRef,
}

impl ParquetTable {
    /// Reads the footer.
    ///
    /// # Errors
    /// A file that cannot be opened, or is no Parquet file; two columns of one name; rows without content.
    pub(super) fn open(file: &SourceFile) -> Result<Self, IngestError> {
        let bytes = file.open_bytes()?;
        let read = caught(move || {
            let mut reader = ParquetReader::new(bytes);
            let metadata = Arc::clone(reader.get_metadata()?);
            let names =
                metadata.schema_descr.fields().iter().map(|f| f.name().to_owned()).collect::<Vec<_>>();
            let mut plain = (*metadata).clone();
            plain.key_value_metadata = None;
            // Polars refuses equal names without saying which ones.
            Ok((metadata, Arc::new(plain), names))
        });
        let (full, metadata, names) = read.map_err(|e| engine(file, e))?;
        // A value that is repeated for ever takes no room in Parquet.
        file.is_plausible(metadata.num_rows as u64, names.len() as u64)?;
        if let Some(column) = header::repeated(&names) {
            return Err(IngestError::DuplicateColumn { file: file.name.clone(), column: column.to_owned() });
        }
        let schema_of = |metadata: FileMetadataRef| -> Result<ArrowSchemaRef, IngestError> {
            let bytes = file.open_bytes()?;
            let read = caught(move || {
                let mut reader = ParquetReader::new(bytes);
                reader.set_metadata(metadata);
                reader.schema()
            });
            read.map_err(|e| engine(file, e))
        };
        let stored = schema_of(Arc::clone(&metadata))?;
        // A damaged or outdated schema of the writer costs the names of types only.
        let meant = schema_of(full).ok().filter(|meant| meant.iter_names().eq(stored.iter_names()));
        Ok(Self { metadata, meant: meant.unwrap_or_else(|| Arc::clone(&stored)), stored })
    }

    /// Compares what the pages of the columns at the places `columns` say of themselves with the footer; to
    /// be called before any of them is decoded, where panics are caught.
    pub(super) fn check(&self, file: File, columns: &[usize]) -> PolarsResult<()> {
        let fields = self.metadata.schema_descr.fields();
        let groups = self.metadata.row_groups.iter();
        check_pages(
            file,
            groups.flat_map(|group| {
                let chunks = columns.iter().filter_map(|column| fields.get(*column));
                let chunks = chunks.filter_map(|field| group.columns_under_root_iter(field.name())).flatten();
                chunks.map(|chunk| Chunk { bytes: chunk.byte_range(), values: chunk.num_values() })
            }),
        )
    }

    /// Decodes the columns at the places `columns`, which are sorted, in one stretch of rows; to be called
    /// where panics are caught.
    pub(super) fn stretch(
        &self,
        file: File,
        columns: &[usize],
        (from, rows): (usize, usize),
    ) -> PolarsResult<DataFrame> {
        let mut reader = ParquetReader::new(file)
            .with_projection(Some(columns.to_vec()))
            .with_slice(Some((from, rows)))
            .read_parallel(ParallelStrategy::Columns);
        reader.set_metadata(Arc::clone(&self.metadata));
        let frame = reader.set_rechunk(true).finish()?;
        if frame.height() != rows {
            return Err(PolarsError::ComputeError("fewer rows than the file's footer says".into()));
        }
        let named = frame.columns().iter().enumerate();
        let named = named.map(|(i, column)| column.clone().with_name(wanted_name(i)));
        DataFrame::new(rows, named.collect())
    }

    /// Rows, as the footer has them.
    pub(super) fn n_rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// First row and number of rows of what is decoded at once. One after the other: of a damaged file they
    /// may be more than memory holds.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut first = 0_usize;
        self.metadata.row_groups.iter().flat_map(move |group| {
            let (begin, rows) = (first, group.num_rows());
            first = first.saturating_add(rows);
            (0..rows).step_by(STRETCH).map(move |from| (begin.saturating_add(from), STRETCH.min(rows - from)))
        })
    }
}
