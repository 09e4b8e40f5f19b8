//! Arrow IPC streams as outputs, one stretch of rows after the other, for programs that read tables from a
//! pipe.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use polars_arrow::io::ipc::write::{StreamWriter, WriteOptions};
use polars_core::prelude as pl;
use polars_core::schema::SchemaExt as _;

/// A stream under construction.
pub(super) struct ArrowStream {
    writer: StreamWriter<BufWriter<File>>,
    begun: bool,
}

/// The oldest layout of texts, which every reader of Arrow knows.
fn layout() -> pl::CompatLevel {
    pl::CompatLevel::oldest()
}

impl ArrowStream {
    /// Begins a stream that `file` receives.
    pub(super) fn new(file: File) -> Self {
        let options = WriteOptions { compression: None };
        Self { writer: StreamWriter::new(BufWriter::new(file), options), begun: false }
    }

    /// Appends rows. Every frame has the same columns.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn write(&mut self, frame: &mut pl::DataFrame) -> pl::PolarsResult<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.writer.start(&frame.schema().to_arrow(layout()), None)?;
        }
        frame.align_chunks();
        for batch in frame.iter_chunks(layout(), false) {
            self.writer.write(&batch, None)?;
        }
        Ok(())
    }

    /// Writes the end mark.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn finish(mut self) -> pl::PolarsResult<()> {
        self.writer.finish()?;
        Ok(self.writer.into_inner().flush()?)
    }
}
