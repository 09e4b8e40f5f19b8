//! Streaming reads of CSV tables: one thread reads and decompresses, the others split and parse blocks, and the blocks come
//! back in the file's order. Memory holds a fixed number of blocks, whatever the size of the file.
//!
//! Polars' reader, which this replaced for cohort tables, fills missing fields of short rows with nulls, names no row in
//! its errors, decodes every wanted cell of every row before it filters, and inflates beside its parsers without a bound
//! on what waits between them.

mod blocks;
mod lines;
mod parse;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::IngestError;
use super::batch::BatchColumn;
use super::calendar::Zoned;
use super::locate;
use super::scan::{ItemSet, TypedFile};

use self::blocks::{BlockError, Blocks};
use self::parse::{BadRow, Fault, Layout, Parsed, parse};

/// How much of a file has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Rows below the header.
    pub(super) rows: u64,
    /// Malformed rows left out.
    pub(super) skipped: u64,
    /// Bytes as stored.
    pub(super) bytes: u64,
    /// How the times that were read are written.
    pub(super) zones: Zoned,
}

/// A block on its way to a parser, with the place its columns are expected at.
struct Job {
    block: Vec<u8>,
    header: bool,
    answer: SyncSender<Result<Parsed, BadRow>>,
}

/// What is awaited, in the order of the file, with the stored bytes read by then.
type Awaited = (u64, Receiver<Result<Parsed, BadRow>>);

/// Reads a CSV file. `each` receives the rows of wanted items in the file's order.
///
/// # Errors
/// The first malformed row (unless they are to be skipped), truncated compression, what `each` finds.
pub(super) fn scan<F>(
    file: &TypedFile,
    filter: Option<(usize, &ItemSet)>,
    mut each: F,
) -> Result<Passed, IngestError>
where
    F: FnMut(&[BatchColumn], Passed) -> Result<(), IngestError>,
{
    let layout = Layout {
        fields: file.n_fields(),
        wanted: &file.wanted,
        positions: &file.positions,
        filter,
        skip_bad: file.skip_bad,
    };
    let workers = rayon::current_num_threads().max(1);
    let (to_workers, jobs) = sync_channel::<Job>(workers);
    let (to_us, awaited) = sync_channel::<Awaited>(2 * workers);
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(file, &to_workers, &to_us));
        for _ in 0..workers {
            scope.spawn(|| work(&jobs, layout));
        }
        let mut passed = Passed::default();
        let mut lines = 0;
        let mut ours = Ok(());
        for (bytes, answer) in &awaited {
            // A worker that panicked has dropped the other end; the scope hands its panic on.
            let Ok(parsed) = answer.recv() else { break };
            ours = match parsed {
                Ok(parsed) => {
                    passed.rows += parsed.rows;
                    passed.skipped += parsed.skipped;
                    passed.bytes = bytes;
                    passed.zones = passed.zones.and(parsed.zones);
                    lines += parsed.lines;
                    each(&parsed.columns, passed)
                }
                Err(bad) => Err(error(file, bad, lines)),
            };
            if ours.is_err() {
                break;
            }
        }
        // A closed queue tells the reader to stop, and the reader's end the workers.
        drop(awaited);
        let theirs = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ours.and(theirs).map(|()| passed)
    })
}

fn read(file: &TypedFile, jobs: &SyncSender<Job>, awaited: &SyncSender<Awaited>) -> Result<(), IngestError> {
    let (text, stored) = file.file.open_counted()?;
    let text = lines::with_line_feeds(text).map_err(|e| file.file.io_error(e))?;
    let mut blocks = Blocks::new(text);
    let mut header = true;
    while let Some(block) = blocks.next().map_err(|e| match e {
        BlockError::Io(e) => file.file.io_error(e),
        BlockError::Endless => IngestError::OpenQuote(file.file.name.clone()),
    })? {
        let (answer, receive) = sync_channel(1);
        let bytes = stored.load(std::sync::atomic::Ordering::Relaxed);
        let job = Job { block, header, answer };
        header = false;
        if awaited.send((bytes, receive)).is_err() || jobs.send(job).is_err() {
            break;
        }
    }
    Ok(())
}

fn work(jobs: &Mutex<Receiver<Job>>, layout: Layout<'_>) {
    loop {
        // Held while waiting for a job only; whoever waits behind would have nothing to do either.
        let Ok(job) = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv() else { return };
        // Nobody waits any more after an error.
        let _ = job.answer.send(parse(&job.block, job.header, layout));
    }
}

/// What is wrong with a row, whose block begins after so many lines of the file.
fn error(file: &TypedFile, bad: BadRow, before: u64) -> IngestError {
    let line = before + bad.line + 1;
    let name = file.file.name.clone();
    match bad.fault {
        Fault::Fields(found) => IngestError::RaggedLine {
            file: name,
            line,
            found: found as u64,
            expected: file.n_fields() as u64,
        },
        Fault::Cell(column) => locate::wrong_in_line(file, column, line),
        Fault::NotUtf8 => IngestError::NotUtf8Line { file: name, line },
    }
}
