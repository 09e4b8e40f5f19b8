//! Arrow IPC files and streams, also called Feather: one record batch after the other.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};

use polars_arrow::array::{Array, Float16Array, Float64Array};
use polars_arrow::datatypes::ArrowSchemaRef;
use polars_arrow::io::ipc::read::{
    FileMetadata, FileReader, StreamMetadata, StreamReader, StreamState, read_file_metadata,
    read_stream_metadata,
};
use polars_arrow::record_batch::RecordBatchT;
use polars_core::prelude::*;

use super::arrow_lengths::{check_blocks, check_stream};
use super::column::{engine, wanted_name};
use super::guard::caught;
use super::notes::Note;
use super::types::f64_of_half;
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;
use crate::message::{Message, Weight};

/// First bytes of an IPC file; a stream begins with its first message.
const MAGIC: &[u8; 6] = b"ARROW1";

/// An open IPC file or stream: its schema has been read, its rows have not.
pub(super) struct ArrowTable {
    layout: Layout,
    pub(super) schema: ArrowSchemaRef,
}

#[derive(Clone)]
enum Layout {
    File(FileMetadata),
    Stream(StreamMetadata),
}

impl ArrowTable {
    /// Reads the schema.
    ///
    /// # Errors
    /// A file that cannot be opened, or is no Arrow file; two columns of one name.
    pub(super) fn open(file: &SourceFile) -> Result<Self, IngestError> {
        let mut bytes = file.open_bytes()?;
        let read = caught(move || {
            let mut magic = [0; MAGIC.len()];
            let is_file = bytes.read_exact(&mut magic).is_ok() && &magic == MAGIC;
            bytes.rewind()?;
            let mut bytes = BufReader::new(bytes);
            Ok(if is_file {
                let metadata = read_file_metadata(&mut bytes)?;
                let mut told =
                    check_blocks(&mut bytes, metadata.dictionaries.as_deref().unwrap_or_default())?;
                told.add(check_blocks(&mut bytes, &metadata.blocks)?);
                (Layout::File(metadata), told)
            } else {
                let told = check_stream(&mut bytes)?;
                bytes.rewind()?;
                (Layout::Stream(read_stream_metadata(&mut bytes)?), told)
            })
        });
        let (layout, told) = read.map_err(|e| engine(file, e))?;
        let (schema, fields) = match &layout {
            Layout::File(metadata) => (metadata.schema.clone(), metadata.ipc_schema.fields.len()),
            Layout::Stream(metadata) => (metadata.schema.clone().into(), metadata.ipc_schema.fields.len()),
        };
        // A column without values has no buffer, and one value repeated is packed to next to nothing. What is unpacked
        // counts as cells of eight bytes.
        let columns = schema.len() as u64;
        file.is_plausible(told.rows, columns)?;
        file.is_plausible(told.unpacked / 8 / columns.max(1), columns)?;
        if schema.len() != fields {
            // A schema keeps one of several columns of a name, and which is not told.
            return Err(IngestError::DuplicateColumns { file: file.name.clone() });
        }
        Ok(Self { layout, schema })
    }

    /// Calls `each` with the columns at the places `columns`, which are sorted, of one record batch after the
    /// other, until it returns false; to be called where panics are caught.
    pub(super) fn read(
        &self,
        file: &SourceFile,
        mut bytes: File,
        columns: &[usize],
        mut each: impl FnMut(DataFrame) -> bool,
    ) -> PolarsResult<()> {
        match self.layout.clone() {
            Layout::File(metadata) => {
                for batch in FileReader::new(BufReader::new(bytes), metadata, Some(columns.to_vec()), None) {
                    if !each(Self::frame(batch?, columns)?) {
                        return Ok(());
                    }
                }
            }
            Layout::Stream(_) => {
                // The metadata stand at the head of the stream and have to be read past.
                bytes.rewind()?;
                let mut bytes = BufReader::new(bytes);
                let metadata = read_stream_metadata(&mut bytes)?;
                let mut reader = StreamReader::new(bytes, metadata, Some(columns.to_vec()));
                for state in reader.by_ref() {
                    match state? {
                        StreamState::Some(batch) => {
                            if !each(Self::frame(batch, columns)?) {
                                return Ok(());
                            }
                        }
                        StreamState::Waiting => {
                            file.notes.say(
                                Note::End,
                                Message::file(
                                    Weight::Wrong,
                                    &file.name,
                                    format!(
                                        "{} has no end mark; if its writer was interrupted, rows are missing \
                                         at its end",
                                        file.name
                                    ),
                                ),
                            );
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn frame(batch: RecordBatchT<Box<dyn Array>>, columns: &[usize]) -> PolarsResult<DataFrame> {
        let rows = batch.len();
        let arrays = batch.into_arrays();
        if arrays.len() != columns.len() {
            return Err(PolarsError::ComputeError("a record batch lacks columns".into()));
        }
        let named = arrays.into_iter().enumerate().map(|(i, array)| {
            if let Some(halves) = array.as_any().downcast_ref::<Float16Array>() {
                let numbers = halves.values().iter().map(|h| f64_of_half(h.to_bits())).collect();
                let numbers = Float64Array::new(ArrowDataType::Float64, numbers, halves.validity().cloned());
                return Ok(Series::try_from((wanted_name(i), numbers.boxed()))?.into_column());
            }
            Ok(Series::try_from((wanted_name(i), array))?.into_column())
        });
        DataFrame::new(rows, named.collect::<PolarsResult<_>>()?)
    }
}
