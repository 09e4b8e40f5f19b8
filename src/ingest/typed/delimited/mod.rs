//! Streaming reads of CSV tables: one thread reads and decompresses, the others split and parse blocks, and
//! the blocks come back in the file's order. Memory holds a fixed number of blocks, whatever the size of the
//! file.
//!
//! Polars' reader, which this replaced for cohort tables, fills missing fields of short rows with nulls,
//! names no row in its errors, decodes every wanted cell of every row before it filters, and inflates beside
//! its parsers without a bound on what waits between them.

mod cell;
mod parse;

use crate::ingest::IngestError;
use crate::ingest::source::{Place, parse_in_order};
use crate::ingest::typed::batch::BatchColumn;
use crate::ingest::typed::file::{ItemSet, TypedFile};
use crate::ingest::typed::locate;
use crate::ingest::typed::passed::Passed;

use self::parse::{BadRow, Fault, Layout, parse};

/// Reads a CSV file. `each` receives the rows of wanted items in the file's order.
///
/// # Errors
/// The first malformed row (unless they are to be skipped), truncated compression, what `each` finds.
pub(in crate::ingest) fn scan<F>(
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
        separator: b',',
        in_name: file.in_name(),
    };
    let mut passed = Passed::default();
    let mut lines = 0;
    parse_in_order(
        &file.file,
        |block| {
            let layout = Layout { separator: block.dialect.separator, ..layout };
            (parse(&block.text, block.has_header, layout), block.open_quote)
        },
        |(parsed, open_quote), bytes| {
            // The last cell has swallowed rows, which is more than a malformed row to skip.
            if open_quote {
                return Err(IngestError::OpenQuote(file.file.name.clone()));
            }
            let parsed = parsed.map_err(|bad| error(file, bad, lines))?;
            passed.rows += parsed.rows;
            passed.skipped += parsed.skipped;
            passed.bytes = bytes;
            passed.zones = passed.zones.and(parsed.times.zones);
            passed.dates = passed.dates.and(parsed.times.dates);
            lines += parsed.lines;
            each(&parsed.columns, passed)
        },
    )?;
    Ok(passed)
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
        Fault::Cell(column) => locate::wrong(file, column, Place::Line(line)),
        Fault::NotUtf8 => IngestError::NotUtf8Line { file: name, line },
    }
}
