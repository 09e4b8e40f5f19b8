//! How a delimited text is written: which character separates its cells, and on which line its header stands.
//! Told from the first records of the file; a separator is one only if it divides the header, and every
//! record in as many cells.

use std::fmt;

/// Separators that are looked for, the usual one first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Separators that are looked for where none of these divides the header: they separate cells rarely, and
/// stand within cells often.
const RARE: [u8; 5] = [b'^', b'~', 0x01, 0x1f, b' '];

/// Records that are looked at.
const RECORDS: usize = 200;

/// What has to be known to split a text into cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) struct Dialect {
    pub(in crate::ingest) separator: u8,
    /// Lines before the header, which hold no table: Excel's `sep=;`.
    pub(in crate::ingest) lines_before: u64,
}

/// Two separators divide a file equally well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) Separator, pub(super) Separator);

/// A separator as it is called in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) struct Separator(pub(in crate::ingest) u8);

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b',' => f.write_str("commas"),
            b';' => f.write_str("semicolons"),
            b'\t' => f.write_str("tabs"),
            b'|' => f.write_str("vertical bars"),
            b' ' => f.write_str("spaces"),
            0x01..0x20 => write!(f, "the control character {:#04x}", self.0),
            other => write!(f, "`{}`", char::from(other)),
        }
    }
}

/// The separator that Excel's first line `sep=;` declares, and the length of that line with its end.
pub(super) fn declared_by_first_line(text: &[u8]) -> Option<(u8, usize)> {
    let quoted = usize::from(text.starts_with(b"\""));
    let name = text.get(quoted..quoted + 4)?;
    let separator = *text.get(quoted + 4)?;
    let end = quoted + 5 + quoted;
    let separates =
        matches!(separator, b'\t' | b' ') || separator.is_ascii_punctuation() && separator != b'"';
    if !name.eq_ignore_ascii_case(b"sep=") || !separates || text.get(end - quoted..end)? != &b"\""[..quoted] {
        return None;
    }
    match text.get(end..)? {
        [b'\r', b'\n', ..] => Some((separator, end + 2)),
        [b'\r' | b'\n', ..] => Some((separator, end + 1)),
        _ => None,
    }
}

/// The separator of a text, from its head; `whole` says that the head is all of it.
pub(super) fn separator_of(head: &[u8], whole: bool) -> Result<u8, Ambiguous> {
    let tried = CANDIDATES.map(|separator| Trial::of(head, separator, whole));
    let mut consistent = tried.iter().filter(|t| t.header > 1 && t.equal == t.records);
    match (consistent.next(), consistent.next()) {
        (Some(only), None) => return Ok(only.separator),
        (Some(one), Some(other)) => {
            return Err(Ambiguous(Separator(one.separator), Separator(other.separator)));
        }
        (None, _) => {}
    }
    if tried.iter().all(|t| t.usual < 2 && t.header < 2) {
        let rare = RARE.map(|separator| Trial::of(head, separator, whole));
        // A name or a remark has two words often enough, and hardly ever as many words in every record.
        let fewest = |t: &Trial| if t.separator == b' ' { 3 } else { 2 };
        let mut consistent =
            rare.iter().filter(|t| t.header >= fewest(t) && t.records > 2 && t.equal == t.records);
        if let (Some(only), None) = (consistent.next(), consistent.next()) {
            return Ok(only.separator);
        }
    }
    // Something is wrong with a record or with the header; the reader will name the line by the likeliest
    // separator.
    let mut best = &tried[0];
    for trial in &tried[1..] {
        if trial.usual > 1 && (best.usual < 2 || trial.share() > best.share()) {
            best = trial;
        }
    }
    Ok(best.separator)
}

/// Whether a separator was taken only because none of the usual ones divides the text.
pub(super) fn is_rare(separator: u8) -> bool {
    RARE.contains(&separator)
}

/// What a separator makes of the first records.
struct Trial {
    separator: u8,
    /// Cells of the first record.
    header: usize,
    records: usize,
    /// Records with as many cells as the first.
    equal: usize,
    /// The most frequent number of cells, and the records that have it.
    usual: usize,
    frequency: usize,
}

impl Trial {
    fn of(head: &[u8], separator: u8, whole: bool) -> Self {
        // The last record may be cut, unless the head is the whole text.
        let counts = counts(head, separator, whole);
        let header = counts.first().copied().unwrap_or(0);
        let equal = counts.iter().filter(|n| **n == header).count();
        let mut sorted = counts.clone();
        sorted.sort_unstable();
        let runs = sorted.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
        let (frequency, usual) = runs.max().unwrap_or((0, 0));
        Self { separator, header, records: counts.len(), equal, usual, frequency }
    }

    fn share(&self) -> f64 {
        self.frequency as f64 / self.records.max(1) as f64
    }
}

/// Numbers of cells of the first records.
fn counts(mut text: &[u8], separator: u8, whole: bool) -> Vec<usize> {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
    let (mut scratch, mut ends) = (vec![0; 1024], vec![0; 256]);
    let mut counts = Vec::new();
    let mut cells = 0;
    while counts.len() < RECORDS {
        use csv_core::ReadRecordResult as Read;
        if text.is_empty() && !whole {
            break;
        }
        let (result, read, _, ended) = reader.read_record(text, &mut scratch, &mut ends);
        text = &text[read..];
        cells += ended;
        match result {
            // The cells themselves are not wanted, so their space is used again.
            Read::OutputFull | Read::OutputEndsFull | Read::InputEmpty => {}
            Read::Record => counts.push(std::mem::take(&mut cells)),
            Read::End => break,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<char, Ambiguous> {
        separator_of(text.as_bytes(), true).map(char::from)
    }

    #[test]
    fn the_separator_divides_every_record_alike() {
        for (text, expected) in [
            ("id,hr\n1,2\n", ','),
            ("id;temp\n1;36,8\n2;37,1\n", ';'),
            ("id\ttemp\n1\t36,8\n2\t37,1\n", '\t'),
            ("id|a;b|c\n1|x;y|2\n3|z|4\n", '|'),
            ("temp, in C;ph\n36,8;7,05\n", ';'),
            ("\"x, the first\",\"y; the second\"\n1,2\n3,4\n", ','),
            ("\"a;b\";\"c\nd\"\r\n1;2\r\n", ';'),
            ("id;x\r1;2\r3;4\r", ';'),
            ("alone\n1\n2\n", ','),
            ("alone\n", ','),
            ("id,codes\n1,a|b\n2,c\n", ','),
            ("id;x", ';'),
        ] {
            assert_eq!(of(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_faulty_record_or_a_title_leaves_the_likeliest_separator() {
        for (text, expected) in [
            ("# exported; by hand\nid,x\n1,2\n3,4\n", ','),
            ("Report of 2019, ward 3\nid;x;y\n1;2;3\n3;4;4\n", ';'),
            ("id;x\n1;2\n3\n4;5\n", ';'),
            ("id,x\n1,2\n3,4,5\n6,7\n", ','),
        ] {
            assert_eq!(of(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn two_separators_that_divide_alike_are_no_guess() {
        let comma_or_semicolon = Ambiguous(Separator(b','), Separator(b';'));
        assert_eq!(of("a,b;c\n1,2;3\n4,5;6\n"), Err(comma_or_semicolon));
    }

    #[test]
    fn the_line_that_excel_writes_declares_the_separator() {
        for (text, expected) in [
            ("sep=;\na;b\n", Some((b';', 6))),
            ("SEP=\t\r\na\tb\r\n", Some((b'\t', 7))),
            ("\"sep=|\"\ra|b\r", Some((b'|', 8))),
            ("sep=;", None),
            ("sep=;x\n", None),
            ("sep=\n\n;\na;b\n", None),
            ("sep=\"\na\"b\n", None),
            ("sep=a\nbac\n", None),
            ("separator\n", None),
            ("", None),
        ] {
            assert_eq!(declared_by_first_line(text.as_bytes()), expected, "{text:?}");
        }
    }
}
