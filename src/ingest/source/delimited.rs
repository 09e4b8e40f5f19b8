//! Delimited text: every column arrives as text, as written.

use polars_core::prelude::*;

use super::cells::{BadRow, Fault, Layout, Parsed, parse};
use super::in_order::parse_in_order;
use super::notes::Note;
use super::{StoredColumn, StoredType, header, wanted_name};
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// A text file whose header has been read.
pub(super) struct DelimitedTable {
    file: SourceFile,
    n_columns: usize,
    /// Place of the first column that is handed on; an index before it is left out.
    first: usize,
}

/// Rows of a text file.
pub(super) struct TextRows {
    pub(super) frame: DataFrame,
    /// Line of the file in which the block of each row begins, and of the row within the block.
    pub(super) first_line: u64,
    pub(super) lines: Vec<u32>,
}

impl DelimitedTable {
    /// Reads the header.
    pub(super) fn open(file: &SourceFile) -> Result<(Self, Vec<StoredColumn>), IngestError> {
        let mut names = file.csv_header()?;
        let n_columns = names.len();
        let first = usize::from(header::begins_with_index(file, &names));
        let names = header::named(file, names.split_off(first), first)?;
        header::note_numbers(file, &names);
        header::note_one_column(file, &names);
        let columns = names.into_iter().map(|name| StoredColumn { name, stored: StoredType::Text });
        Ok((Self { file: file.clone(), n_columns, first }, columns.collect()))
    }

    /// See [`super::Source::read`].
    pub(super) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(TextRows) -> Result<(), IngestError>,
    {
        let columns: Vec<usize> = columns.iter().map(|column| self.first + column).collect();
        let layout = Layout::new(self.n_columns, &columns);
        let (mut before, mut blank, mut rows) = (0, 0, 0);
        let mut lone_returns = 0;
        parse_in_order(
            &self.file,
            |block| (parse(block, &layout), block.dialect.lines_before, block.lone_returns),
            |(parsed, lines_before, lone), _| {
                let first_line = before + 1 + lines_before;
                let parsed = parsed.map_err(|bad| self.error(bad, first_line))?;
                before += parsed.n_lines;
                blank += parsed.blank;
                rows += parsed.lines.len() as u64;
                lone_returns += lone;
                self.hand_on(parsed, first_line, &columns, &layout, &mut each)
            },
        )?;
        if self.n_columns == 1 && blank > 0 {
            self.file.notes.say(
                Note::Blank,
                format!(
                    "{}: {blank} blank {} left out; in a table of one column they may be missing cells, which have to be \
                     written as \"\"",
                    self.file.name,
                    if blank == 1 { "line is" } else { "lines are" },
                ),
            );
        }
        // The header is a record too, and the last one may have no end.
        if (1..rows).contains(&lone_returns) {
            self.file.notes.say(
                Note::LineEnds,
                format!(
                    "{}: {lone_returns} of the {rows} rows end in a carriage return alone, the others in a line feed; if \
                     the carriage returns belong to cells, put these cells in quotes",
                    self.file.name
                ),
            );
        }
        Ok(())
    }

    fn hand_on(
        &self,
        parsed: Parsed,
        first_line: u64,
        columns: &[usize],
        layout: &Layout,
        each: &mut impl FnMut(TextRows) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        let Parsed { columns: read, lines, .. } = parsed;
        if lines.is_empty() {
            return Ok(());
        }
        // A column may be asked for twice; cells are shared, not copied.
        let asked = columns.iter().enumerate();
        let asked =
            asked.map(|(i, c)| read[layout.place(*c)].clone().with_name(wanted_name(i)).into_column());
        let frame = DataFrame::new(lines.len(), asked.collect()).map_err(|e| super::engine(&self.file, e))?;
        each(TextRows { frame, first_line, lines })
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
