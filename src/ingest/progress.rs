//! What an ingestion tells while it runs.

/// Receives the progress of an ingestion; called from one thread.
pub trait IngestProgress: Sync {
    /// A table is begun: its files and their size as stored.
    fn begin(&self, table: &str, files: usize, bytes: u64);
    /// Rows of the table and bytes of its files (as stored) read so far.
    fn rows(&self, table: &str, rows: u64, bytes: u64);
    /// The table is done.
    fn end(&self, table: &str);
}

/// Keeps quiet.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl IngestProgress for NoProgress {
    fn begin(&self, _table: &str, _files: usize, _bytes: u64) {}
    fn rows(&self, _table: &str, _rows: u64, _bytes: u64) {}
    fn end(&self, _table: &str) {}
}
