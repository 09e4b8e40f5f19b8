//! One block of delimited text → where in it the cells stand that are asked for. A cell is what the csv crate
//! reads: quotes count at the start of a cell only, doubled quotes inside quotes are one, blank lines are no
//! rows.

use super::batch::TextCells;
use super::in_order::Block;

/// Which cells of a row are wanted, and how many there have to be.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// For each column of the file, its place among those wanted.
    wanted: Vec<Option<usize>>,
    n_wanted: usize,
}

/// A parsed block.
pub(super) struct Parsed {
    /// The wanted columns, each once.
    pub(super) cells: TextCells,
    /// Line of each row, counted from 0 at the first line of the block.
    pub(super) lines: Vec<u32>,
    /// Lines of the block.
    pub(super) n_lines: u64,
    /// Lines without any cell.
    pub(super) blank: u64,
}

/// The first malformed row of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadRow {
    /// As in [`Parsed::lines`].
    pub(super) line: u64,
    pub(super) fault: Fault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another number of cells than the header.
    Cells(u64),
    /// A quote that is opened and never closed.
    OpenQuote,
    /// Bytes that are not UTF-8. The reader underneath decodes, so that this is a fault of ours.
    NotUtf8,
}

impl Layout {
    /// The columns at the places `wanted` of a table with `n_columns`.
    pub(super) fn new(n_columns: usize, wanted: &[usize]) -> Self {
        let mut layout = Self { wanted: vec![None; n_columns], n_wanted: 0 };
        for &column in wanted {
            if layout.wanted[column].is_none() {
                layout.wanted[column] = Some(layout.n_wanted);
                layout.n_wanted += 1;
            }
        }
        layout
    }

    /// Place of a wanted column among the columns of [`Parsed::cells`].
    pub(super) fn place(&self, column: usize) -> usize {
        self.wanted[column].expect("invariant: the column was asked for")
    }
}

/// Reads a block, whose text is taken out of it.
pub(super) fn parse(block: &mut Block, layout: &Layout) -> Result<Parsed, BadRow> {
    let text = String::from_utf8(std::mem::take(&mut block.text))
        .map_err(|_| BadRow { line: 0, fault: Fault::NotUtf8 })?;
    let mut header = block.has_header;
    let mut scan = Scan {
        bytes: text.as_bytes(),
        text: &text,
        at: 0,
        line: 0,
        separator: block.dialect.separator,
        unescaped: String::new(),
    };
    // The first row tells how many there will be.
    let first = memchr::memchr(b'\n', text.as_bytes()).map_or(text.len(), |n| n + 1);
    let capacity = text.len() / first.max(1) + 1;
    let mut columns = vec![Vec::with_capacity(capacity); layout.n_wanted];
    let mut lines = Vec::with_capacity(capacity);
    let mut blank = 0;
    while let Some(empty) = scan.at_line_end() {
        if empty {
            blank += 1;
            continue;
        }
        let line = scan.line;
        let bad = |fault| BadRow { line, fault };
        let mut found = 0;
        loop {
            let (cell, more) = scan.cell().map_err(bad)?;
            if !header && let Some(Some(place)) = layout.wanted.get(found) {
                columns[*place].push(cell);
            }
            found += 1;
            if !more {
                break;
            }
        }
        if std::mem::take(&mut header) {
            continue;
        }
        if found != layout.wanted.len() {
            return Err(bad(Fault::Cells(found as u64)));
        }
        // A block has fewer bytes than that.
        lines.push(u32::try_from(line).unwrap_or(u32::MAX));
    }
    let Scan { unescaped, line: n_lines, .. } = scan;
    let mut text = text;
    text.push_str(&unescaped);
    Ok(Parsed { cells: TextCells::new(text, columns), lines, n_lines, blank })
}

/// Where a cell begins and ends in the text of a block, which has fewer bytes than a `u32` counts.
type Span = (u32, u32);

/// A place in the text of a block.
struct Scan<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    /// Lines that have ended.
    line: u64,
    separator: u8,
    /// Quoted cells whose text is not one stretch of the block. They stand behind the text of the block in
    /// the end.
    unescaped: String,
}

impl Scan<'_> {
    /// At the start of a line: true and past it if it is empty; nothing at the end of the text.
    fn at_line_end(&mut self) -> Option<bool> {
        let length = match &self.bytes[self.at..] {
            [] => return None,
            [b'\n', ..] | [b'\r'] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return Some(false),
        };
        self.at += length;
        self.line += 1;
        Some(true)
    }

    /// The next cell, and whether the row goes on behind it.
    fn cell(&mut self) -> Result<(Span, bool), Fault> {
        if self.bytes.get(self.at) == Some(&b'"') {
            return self.quoted();
        }
        let from = self.at;
        let (to, more) = self.end(self.next_end(from));
        Ok((span(from, to), more))
    }

    /// The separator or line end at `at` or behind it.
    fn next_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        at + rest.iter().position(|b| *b == self.separator || *b == b'\n').unwrap_or(rest.len())
    }

    /// Goes past the separator or line end at `at`; returns the end of the cell before it and whether the row
    /// goes on.
    fn end(&mut self, at: usize) -> (usize, bool) {
        let bytes = self.bytes;
        let more = bytes.get(at) == Some(&self.separator);
        self.at = bytes.len().min(at + 1);
        if more {
            return (at, true);
        }
        self.line += 1;
        // The carriage return of a line end is no part of the cell.
        (at - usize::from(at > 0 && bytes[at - 1] == b'\r' && at < bytes.len()), false)
    }

    /// A cell that begins with a quote.
    fn quoted(&mut self) -> Result<(Span, bool), Fault> {
        let bytes = self.bytes;
        let from = self.at + 1;
        let mut part = from;
        let mut at = from;
        let mut whole = true;
        let begin = self.unescaped.len();
        loop {
            let close = memchr::memchr(b'"', &bytes[at..]).map(|n| at + n).ok_or(Fault::OpenQuote)?;
            at = close + 1;
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            // Of a doubled quote, the first belongs to the cell.
            self.unescaped.push_str(&self.text[part..at]);
            whole = false;
            at += 1;
            part = at;
        }
        let close = at - 1;
        self.line += line_breaks(&bytes[from..close]);
        let (end, more) = self.end(self.next_end(at));
        if whole && end == at {
            return Ok((span(from, close), more));
        }
        // What stands between the closing quote and the end of the cell is taken as it is.
        self.unescaped.push_str(&self.text[part..close]);
        self.unescaped.push_str(&self.text[at..end]);
        let behind = self.text.len();
        Ok((span(behind + begin, behind + self.unescaped.len()), more))
    }
}

fn span(from: usize, to: usize) -> Span {
    (from as u32, to as u32)
}

/// Line breaks of any kind.
fn line_breaks(text: &[u8]) -> u64 {
    let returns = memchr::memchr_iter(b'\r', text).filter(|at| text.get(at + 1) != Some(&b'\n')).count();
    (memchr::memchr_iter(b'\n', text).count() + returns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::blocks::normalise_record_ends;
    use crate::ingest::source::dialect::Dialect;

    fn block(text: &str, separator: u8) -> Block {
        let mut text = text.as_bytes().to_vec();
        let lone_returns = normalise_record_ends(&mut text, separator);
        let dialect = Dialect { separator, lines_before: 0 };
        Block { text, has_header: true, dialect, open_quote: false, lone_returns }
    }

    fn rows(parsed: &Parsed) -> Vec<Vec<String>> {
        let cells = |row| parsed.cells.row(row).map(ToOwned::to_owned).collect();
        (0..parsed.lines.len()).map(cells).collect()
    }

    #[test]
    fn cells_are_what_the_csv_crate_reads() {
        let rows_of = [
            "plain,7,x",
            " spaces , \" not quoted\",",
            "\"quoted, with comma\",\"two\nlines\",\"say \"\"hi\"\"\"",
            "5\" tube,\"\",\"\"\"\"",
            "\"closed\"behind,\"a\"\"b\"c,\"\r\"",
            ",,",
            "\"\",é,\"ü\nß\"",
            "",
            "\"a\r\nb\",\"\"x\"\",x\"\"y",
        ];
        for end in ["\n", "\r\n", "\r"] {
            for last in ["", end] {
                for separator in [",", ";", "\t", "|"] {
                    let text = format!("a,b,c{end}{}{last}", rows_of.join(end)).replace(',', separator);
                    let separator = separator.as_bytes()[0];
                    let mut reader = csv::ReaderBuilder::new()
                        .delimiter(separator)
                        .flexible(true)
                        .from_reader(text.as_bytes());
                    let expected: Vec<Vec<String>> = reader
                        .records()
                        .map(|r| r.unwrap().iter().map(ToOwned::to_owned).collect())
                        .collect();
                    let parsed = parse(&mut block(&text, separator), &Layout::new(3, &[0, 1, 2])).unwrap();
                    assert_eq!(rows(&parsed), expected, "{text:?}");
                    assert_eq!(parsed.blank, 1);
                    let lines: Vec<u32> = vec![1, 2, 3, 5, 6, 8, 9, 12];
                    assert_eq!(parsed.lines, lines, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn only_wanted_columns_are_kept() {
        let parsed =
            parse(&mut block("a,b,c\n1,\"2\",3\n4,5,6\n", b','), &Layout::new(3, &[2, 0, 2])).unwrap();
        assert_eq!(rows(&parsed), [["3", "1"], ["6", "4"]]);
        assert_eq!(parsed.n_lines, 3);
    }

    #[test]
    fn malformed_rows_are_named_by_their_line() {
        for (text, line, fault) in [
            ("a,b\n1,2\n\n3\n", 3, Fault::Cells(1)),
            ("a,b\n\"x\ny\",2\n3,4,5,6\n", 3, Fault::Cells(4)),
            ("a,b\n1,2\n3,\"4\n5,6\n", 2, Fault::OpenQuote),
            ("a,b\n1,2,\n", 1, Fault::Cells(3)),
        ] {
            let found = parse(&mut block(text, b','), &Layout::new(2, &[0])).err().unwrap();
            assert_eq!(found, BadRow { line, fault }, "{text:?}");
        }
    }
}
