//! One thread reads and decodes a text file, the others parse its blocks, and the results come back in the
//! order of the file. Memory holds a fixed number of blocks, whatever the size of the file.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::blocks::{BlockError, Blocks, ends_inside_quotes, normalise_record_ends};
use super::dialect::Dialect;
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// Some whole records of a file, in UTF-8, each ended by a line feed.
pub(in crate::ingest) struct Block {
    pub(in crate::ingest) text: Vec<u8>,
    /// The first record is the header.
    pub(in crate::ingest) has_header: bool,
    pub(in crate::ingest) dialect: Dialect,
    /// The file ends inside quotes, so that all text behind the last opening quote is one cell.
    pub(in crate::ingest) open_quote: bool,
    /// Records that ended in a carriage return alone.
    pub(super) lone_returns: u64,
}

/// A block on its way to a parser, with the place its result is expected at.
struct Job<T> {
    block: Block,
    answer: SyncSender<T>,
}

/// What is awaited, in the order of the file, with the stored bytes read by then.
type Awaited<T> = (u64, Receiver<T>);

/// Parses the blocks of `file` side by side. `each` gets what `parse` made of them in the order of the file,
/// with the number of stored bytes read by then.
///
/// # Errors
/// Damage to the file; what `each` finds wrong.
pub(in crate::ingest) fn parse_in_order<T, P, F>(
    file: &SourceFile,
    parse: P,
    mut each: F,
) -> Result<(), IngestError>
where
    T: Send,
    P: Fn(&mut Block) -> T + Sync,
    F: FnMut(T, u64) -> Result<(), IngestError>,
{
    let workers = rayon::current_num_threads().max(1);
    let (to_workers, jobs) = sync_channel::<Job<T>>(workers);
    let (to_us, awaited) = sync_channel::<Awaited<T>>(2 * workers);
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(file, &to_workers, &to_us));
        for _ in 0..workers {
            scope.spawn(|| work(&jobs, &parse));
        }
        let mut ours = Ok(());
        for (bytes, answer) in &awaited {
            // A worker that panicked has dropped the other end; the scope hands its panic on.
            let Ok(parsed) = answer.recv() else { break };
            ours = each(parsed, bytes);
            if ours.is_err() {
                break;
            }
        }
        // A closed queue tells the reader to stop, and the reader's end the workers.
        drop(awaited);
        let theirs = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ours.and(theirs)
    })
}

fn read<T>(
    file: &SourceFile,
    jobs: &SyncSender<Job<T>>,
    awaited: &SyncSender<Awaited<T>>,
) -> Result<(), IngestError> {
    let opened = file.open_text()?;
    let dialect = opened.dialect;
    let stored = opened.stored.clone();
    let line = opened.length_of_first_line();
    let mut blocks = Blocks::new(opened, dialect.separator, line);
    let mut has_header = true;
    while let Some(text) = blocks.next().map_err(|e| match e {
        BlockError::Io(e) => file.io_error(e),
        BlockError::Endless => IngestError::OpenQuote(file.name.clone()),
    })? {
        let (answer, receive) = sync_channel(1);
        let bytes = stored.load(Ordering::Relaxed);
        // Blank lines may stand before the header, even a block of them.
        let blank = text.iter().all(|b| matches!(b, b'\n' | b'\r'));
        // Only the last block can end inside quotes; whether it does is found out by whoever parses it.
        let open_quote = blocks.is_at_end();
        let block = Block { text, has_header: has_header && !blank, dialect, open_quote, lone_returns: 0 };
        has_header &= blank;
        if awaited.send((bytes, receive)).is_err() || jobs.send(Job { block, answer }).is_err() {
            break;
        }
    }
    Ok(())
}

fn work<T>(jobs: &Mutex<Receiver<Job<T>>>, parse: &(impl Fn(&mut Block) -> T + Sync)) {
    loop {
        // Held while waiting for a job only; whoever waits behind would have nothing to do either.
        let Ok(job) = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv() else { return };
        let Job { mut block, answer } = job;
        block.lone_returns = normalise_record_ends(&mut block.text, block.dialect.separator);
        block.open_quote = block.open_quote && ends_inside_quotes(&block.text, block.dialect.separator);
        // Nobody waits any more after an error.
        let _ = answer.send(parse(&mut block));
    }
}
