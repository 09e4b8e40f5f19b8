//! Delimited text: every column arrives as text, as written.

use super::cells::{BadRow, Fault, Layout, Parsed, parse};
use super::column::{StoredColumn, StoredType};
use super::header;
use super::in_order::parse_in_order;
use super::notes::Note;
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;
use crate::message::{Message, Weight, plural};

/// A text file whose header has been read.
pub(super) struct DelimitedTable {
    file: SourceFile,
    n_columns: usize,
    /// Place of the first column that is handed on; an index before it is left out.
    first: usize,
}

impl DelimitedTable {
    /// Reads the header.
    pub(super) fn open(file: &SourceFile) -> Result<(Self, Vec<StoredColumn>), IngestError> {
        let mut names = file.csv_header()?;
        let n_columns = names.len();
        let first = usize::from(header::begins_with_index(file, &names)?);
        let names = header::named(file, names.split_off(first), first)?;
        header::note_numbers(file, &names);
        header::note_one_column(file, &names);
        let columns = names.into_iter().map(|name| StoredColumn { name, stored: StoredType::Text });
        Ok((Self { file: file.clone(), n_columns, first }, columns.collect()))
    }

    /// See [`super::Source::read`]. `each` is also told for each column its place among those parsed, the
    /// line of the file in which the block begins, and the stored bytes that are read by then.
    pub(super) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(Parsed, Vec<usize>, u64, u64) -> Result<(), IngestError>,
    {
        let columns: Vec<usize> = columns.iter().map(|column| self.first + column).collect();
        let layout = Layout::new(self.n_columns, &columns);
        let (mut before, mut blank, mut rows) = (0, 0, 0);
        let mut lone_returns = 0;
        parse_in_order(
            &self.file,
            |block| (parse(block, &layout), block.dialect.lines_before, block.lone_returns),
            |(parsed, lines_before, lone), bytes| {
                let first_line = before + 1 + lines_before;
                let parsed = parsed.map_err(|bad| self.error(bad, first_line))?;
                before += parsed.n_lines;
                blank += parsed.blank;
                rows += parsed.lines.len() as u64;
                lone_returns += lone;
                if parsed.lines.is_empty() {
                    return Ok(());
                }
                each(parsed, columns.iter().map(|column| layout.place(*column)).collect(), first_line, bytes)
            },
        )?;
        if self.n_columns == 1 && blank > 0 {
            self.file.notes.say(
                Note::Blank,
                Message::file(
                    Weight::LeftOut,
                    &self.file.name,
                    format!(
                        "{}: {blank} blank {} left out; in a table of one column they may be missing cells, \
                         which have to be written as \"\"",
                        self.file.name,
                        if blank == 1 { "line is" } else { "lines are" },
                    ),
                )
                .counting(blank),
            );
        }
        // The header is a record too, and the last one may have no end.
        if (1..rows).contains(&lone_returns) {
            self.file.notes.say(
                Note::LineEnds,
                Message::file(
                    Weight::Wrong,
                    &self.file.name,
                    format!(
                        "{}: {} in a carriage return alone, the others in a line feed; if the carriage \
                         returns belong to cells, put these cells in quotes",
                        self.file.name,
                        plural(lone_returns, "1 line ends", &format!("{lone_returns} lines end"))
                    ),
                )
                .counting(lone_returns),
            );
        }
        Ok(())
    }

    fn error(&self, bad: BadRow, first_line: u64) -> IngestError {
        let (file, line) = (self.file.name.clone(), first_line + bad.line);
        match bad.fault {
            Fault::Cells(found) => {
                IngestError::RaggedLine { file, line, found, expected: self.n_columns as u64 }
            }
            Fault::OpenQuote => IngestError::OpenQuoteInLine { file, line },
            Fault::NotUtf8 => IngestError::UnknownEncoding { file, line },
        }
    }
}
