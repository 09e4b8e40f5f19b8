//! Cuts a stream of CSV text into blocks that end where a record ends, so that blocks can be parsed side by side.

use std::io::{self, Read};

/// Bytes of text per block: large enough that handing it over costs nothing, small enough to stay in the L2 cache.
const BLOCK: usize = 1 << 20;

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
    /// Text after the last record end of the block before.
    rest: Vec<u8>,
    size: usize,
    done: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(source: R) -> Self {
        Self::of_size(source, BLOCK)
    }

    fn of_size(source: R, size: usize) -> Self {
        Self { source, rest: Vec::new(), size, done: false }
    }

    /// The next block, none at the end. The last one may lack its line end.
    ///
    /// # Errors
    /// Those of the source, before any of the text it could not complete is handed on; a record without an end.
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
            if let Some(end) = last_record_end(&block) {
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

/// Behind the last line end that is not inside quotes.
///
/// An even number of quotes before it is the quick test: doubled quotes inside quotes keep it right. Where no line end
/// passes, because of a lone quote inside an unquoted field, quotes are followed byte by byte.
fn last_record_end(block: &[u8]) -> Option<usize> {
    let mut quotes = memchr::memchr_iter(b'"', block).count();
    let mut end = block.len();
    // From behind: the last line end is the answer nearly always.
    for _ in 0..64 {
        let at = memchr::memrchr(b'\n', &block[..end])?;
        quotes -= memchr::memchr_iter(b'"', &block[at..end]).count();
        if quotes.is_multiple_of(2) {
            return Some(at + 1);
        }
        end = at;
    }
    followed_record_end(block)
}

/// The same by the rules of RFC 4180: a quote opens at the start of a field only.
fn followed_record_end(block: &[u8]) -> Option<usize> {
    let (mut end, mut quoted, mut field_start, mut i) = (None, false, true, 0);
    while i < block.len() {
        let byte = block[i];
        if quoted {
            if byte == b'"' {
                if block.get(i + 1) == Some(&b'"') {
                    i += 1;
                } else {
                    quoted = false;
                }
            }
        } else if byte == b'"' && field_start {
            quoted = true;
            field_start = false;
        } else {
            field_start = matches!(byte, b',' | b'\n' | b'\r');
            if byte == b'\n' {
                end = Some(i + 1);
            }
        }
        i += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str, size: usize) -> Vec<String> {
        let mut blocks = Blocks::of_size(text.as_bytes(), size);
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
        assert!(Blocks::of_size("1,2\n".as_bytes().chain(Broken), 100).next().is_err());
    }

    #[test]
    fn a_quote_that_never_closes_ends_before_memory_does() {
        let mut blocks = Blocks::new("1,\"open\n".as_bytes().chain(io::repeat(b'\n')));
        assert!(matches!(blocks.next(), Err(BlockError::Endless)));
    }
}
