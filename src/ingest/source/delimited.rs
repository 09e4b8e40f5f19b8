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
        let names = header::named(file, file.csv_header()?)?;
        header::note_numbers(file, &names);
        let n_columns = names.len();
        let columns = names.into_iter().map(|name| StoredColumn { name, stored: StoredType::Text });
        Ok((Self { file: file.clone(), n_columns }, columns.collect()))
    }

    /// See [`super::Source::read`].
    pub(super) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(TextRows) -> Result<(), IngestError>,
    {
        let layout = Layout::new(self.n_columns, columns);
        let (mut before, mut blank, mut rows) = (0, 0, 0);
        let mut ends = Ends::default();
        parse_in_order(
            &self.file,
            |block| (parse(block, &layout), block.dialect.lines_before, block.lone_returns),
            |(parsed, lines_before, lone_returns), _| {
                let first_line = before + 1 + lines_before;
                let parsed = parsed.map_err(|bad| self.error(bad, first_line))?;
                before += parsed.n_lines;
                blank += parsed.blank;
                rows += parsed.lines.len() as u64;
                ends.lone_returns += lone_returns;
                ends.records += parsed.lines.len() as u64;
                self.hand_on(parsed, first_line, columns, &layout, &mut each)
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
        if let Some(alone) = ends.odd() {
            self.file.notes.say(
                Note::LineEnds,
                format!(
                    "{}: {alone} of the {rows} rows end in a carriage return alone, the others in a line feed; if the \
                     carriage returns belong to cells, put these cells in quotes",
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

/// How the records of a file end.
#[derive(Default)]
struct Ends {
    lone_returns: u64,
    records: u64,
}

impl Ends {
    /// The number of records that end in a carriage return alone, where others do not. The header is a record too, and the
    /// last one may have no end.
    fn odd(&self) -> Option<u64> {
        (self.lone_returns > 0 && self.lone_returns < self.records).then_some(self.lone_returns)
    }
}
