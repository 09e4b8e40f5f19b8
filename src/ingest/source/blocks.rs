//! Cuts a stream of delimited text into blocks that end where a record ends, so that blocks can be parsed
//! side by side. In the blocks that are handed on a record ends in a line feed, whatever the file has; inside
//! quotes nothing changes.

use std::io::{self, Read};

/// Bytes of text per block: large enough that handing it over costs nothing, small enough that the cells of
/// the blocks in flight stay within a few megabytes.
const BLOCK: usize = 1 << 18;

/// No record is longer: a quote that opens and never closes would have the whole file in memory.
const LONGEST: usize = 64 << 20;

/// Why there is no next block.
#[derive(Debug)]
pub(super) enum BlockError {
    /// Of the source.
    Io(io::Error),
    /// No record end in [`LONGEST`] bytes.
    Endless,
}

/// Blocks of whole records.
pub(super) struct Blocks<R> {
    source: R,
    separator: u8,
    /// Text after the last record end of the block before.
    rest: Vec<u8>,
    size: usize,
    done: bool,
}

impl<R: Read> Blocks<R> {
    /// Blocks of a text whose header is `line` bytes long, so that a block of a very wide table has some
    /// hundred rows too.
    pub(super) fn new(source: R, separator: u8, line: usize) -> Self {
        Self::of_size(source, separator, BLOCK.max(128 * line))
    }

    /// Whether the block that [`Self::next`] has returned is the last one.
    pub(super) fn is_at_end(&self) -> bool {
        self.done && self.rest.is_empty()
    }

    fn of_size(source: R, separator: u8, size: usize) -> Self {
        Self { source, separator, rest: Vec::new(), size, done: false }
    }

    /// The next block, none at the end. The last one may lack its line end.
    ///
    /// # Errors
    /// Those of the source, before any of the text it could not complete is handed on; a record without an
    /// end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, BlockError> {
        let mut block = std::mem::take(&mut self.rest);
        let mut goal = self.size;
        while !self.done {
            // A record longer than a block (or a quote that never closes) makes the block grow.
            block.reserve(goal.saturating_sub(block.len()) + 1);
            while block.len() < goal {
                let missing = (goal - block.len()) as u64;
                if self.source.by_ref().take(missing).read_to_end(&mut block).map_err(BlockError::Io)? == 0 {
                    self.done = true;
                    break;
                }
            }
            if self.done {
                break;
            }
            if let Some(end) = last_record_end(&block, self.separator) {
                self.rest = block.split_off(end);
                return Ok(Some(block));
            }
            if block.len() >= LONGEST {
                return Err(BlockError::Endless);
            }
            goal = block.len() * 2;
        }
        Ok(if block.is_empty() { None } else { Some(block) })
    }
}

/// Behind the last line end that is not inside quotes, where more text follows it. (Behind a carriage return
/// at the very end, the line feed that belongs to it may be to come.) The block begins with a record.
fn last_record_end(block: &[u8], separator: u8) -> Option<usize> {
    let block = block.strip_suffix(b"\r").unwrap_or(block);
    if memchr::memchr(b'"', block).is_none() {
        return memchr::memrchr2(b'\n', b'\r', block).map(|at| at + 1);
    }
    let mut last = None;
    for_unquoted(block, separator, |from, to| {
        if let Some(at) = memchr::memrchr2(b'\n', b'\r', &block[from..to]) {
            last = Some(from + at + 1);
        }
    });
    last
}

/// Lets every record end in a line feed; returns the number of carriage returns that ended one alone. The
/// block begins with a record.
pub(super) fn normalise_record_ends(block: &mut [u8], separator: u8) -> u64 {
    let alone = |at: usize| block.get(at + 1) != Some(&b'\n');
    if !memchr::memchr_iter(b'\r', block).any(alone) {
        return 0;
    }
    let mut lone = Vec::new();
    for_unquoted(block, separator, |from, to| {
        lone.extend(memchr::memchr_iter(b'\r', &block[from..to]).map(|n| from + n).filter(|at| alone(*at)));
    });
    for &at in &lone {
        block[at] = b'\n';
    }
    lone.len() as u64
}

/// Whether the block ends inside quotes. It begins with a record.
pub(super) fn ends_inside_quotes(block: &[u8], separator: u8) -> bool {
    let mut last = None;
    for_unquoted(block, separator, |_, to| last = Some(to));
    last != Some(block.len())
}

/// Calls `each` with the stretches of text outside quotes, by the rules of RFC 4180: a quote opens at the
/// start of a field only, and elsewhere it is a character like others (`5" tube`). The number of quotes
/// before a place does not tell whether it is inside quotes, because of the latter.
fn for_unquoted(block: &[u8], separator: u8, mut each: impl FnMut(usize, usize)) {
    let (mut from, mut at) = (0, 0);
    while let Some(quote) = memchr::memchr(b'"', &block[at..]).map(|n| at + n) {
        at = quote + 1;
        let before = quote.checked_sub(1).map(|before| block[before]);
        if before.is_some_and(|b| b != separator && b != b'\n' && b != b'\r') {
            continue;
        }
        each(from, quote);
        loop {
            let Some(n) = memchr::memchr(b'"', &block[at..]) else { return };
            at += n + 1;
            // A doubled quote stands for one.
            if block.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
        from = at;
    }
    each(from, block.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str, size: usize) -> Vec<String> {
        let mut blocks = Blocks::of_size(text.as_bytes(), b',', size);
        let mut all = Vec::new();
        while let Some(block) = blocks.next().unwrap() {
            all.push(String::from_utf8(block).unwrap());
        }
        all
    }

    #[test]
    fn blocks_end_with_records_and_lose_nothing() {
        let text = "a,b\n1,\"x\ny\"\n22,\"say \"\"hi\"\"\n\"\n333,z\n4,last";
        for size in 1..text.len() + 2 {
            let found = blocks(text, size);
            assert_eq!(found.concat(), text);
            for block in &found[..found.len() - 1] {
                assert!(block.ends_with('\n') && block.matches('"').count() % 2 == 0, "{size}: {block:?}");
            }
        }
    }

    #[test]
    fn lone_quotes_inside_fields_do_not_swallow_the_file() {
        let text = "id,tube\n1,5\" tube\n".to_string() + &"2,x\n".repeat(5000);
        let found = blocks(&text, 1000);
        assert_eq!(found.concat(), text);
        assert!(found.len() > 10 && found.iter().all(|b| b.ends_with('\n')), "{}", found.len());
    }

    #[test]
    fn errors_of_the_source_come_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        assert!(Blocks::of_size("1,2\n".as_bytes().chain(Broken), b',', 100).next().is_err());
    }

    #[test]
    fn a_quote_that_never_closes_ends_before_memory_does() {
        let mut blocks = Blocks::new("1,\"open\n".as_bytes().chain(io::repeat(b'\n')), b',', 8);
        assert!(matches!(blocks.next(), Err(BlockError::Endless)));
    }

    #[test]
    fn carriage_returns_end_records_outside_quotes_only() {
        for (text, separator, expected, lone) in [
            ("a,b\r1,2\r", b',', "a,b\n1,2\n", 2),
            ("a,b\r\n1,2\r\n", b',', "a,b\r\n1,2\r\n", 0),
            ("a,\"x\ry\"\r\n1,2\r3,4", b',', "a,\"x\ry\"\r\n1,2\n3,4", 1),
            ("a;5\" tube\r1;\"\"\"\r\"\r", b';', "a;5\" tube\n1;\"\"\"\r\"\n", 2),
        ] {
            let mut block = text.as_bytes().to_vec();
            assert_eq!(normalise_record_ends(&mut block, separator), lone, "{text:?}");
            assert_eq!(String::from_utf8(block).unwrap(), expected);
        }
    }

    #[test]
    fn a_carriage_return_and_its_line_feed_stay_together() {
        let text = "a,b\r\n1,2\r\n3,4\r5,6\r";
        for size in 1..text.len() + 2 {
            let found = blocks(text, size);
            assert_eq!(found.concat(), text);
            assert!(found.iter().all(|b| !b.starts_with('\n')), "{size}: {found:?}");
        }
    }

    #[test]
    fn a_lone_quote_before_a_quoted_line_break_moves_no_record_end() {
        let text = "1,5\" tube\n2,\"two\nlines\"\n3,x\n";
        for size in 1..text.len() + 2 {
            let found = blocks(text, size);
            assert_eq!(found.concat(), text);
            assert!(found.iter().all(|b| !b.starts_with("lines")), "{size}: {found:?}");
        }
    }

    #[test]
    fn an_open_quote_at_the_end_is_noticed() {
        for (text, open) in [
            ("a,b\n", false),
            ("a,\"b\"", false),
            ("a,\"b\"\"", true),
            ("a,\"b\n", true),
            ("a,5\" b\n", false),
            ("\"", true),
            ("\"\"", false),
        ] {
            assert_eq!(ends_inside_quotes(text.as_bytes(), b','), open, "{text:?}");
        }
    }
}
