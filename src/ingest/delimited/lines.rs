//! Line ends. Files whose lines end in a carriage return alone, as Excel for Mac wrote them, are read as if they ended in a
//! line feed. Whether a file is one of them is told from the end of its header: a lone carriage return further down belongs
//! to a cell.

use std::io::{Read, Result};

/// A header is not longer.
const LONGEST: usize = 1 << 20;

/// The text with line feeds at the ends of its lines, and without a byte order mark.
pub(super) fn with_line_feeds<'r, R: Read + Send + 'r>(mut text: R) -> Result<Box<dyn Read + Send + 'r>> {
    let mut head = Vec::new();
    // One byte more than the line end tells whether a carriage return is followed by a line feed.
    while line_end(&head).is_none_or(|at| at + 1 >= head.len()) && head.len() < LONGEST {
        let before = head.len() as u64;
        if text.by_ref().take(1 << 12).read_to_end(&mut head)? == 0 || head.len() as u64 == before {
            break;
        }
    }
    let alone = line_end(&head).is_some_and(|at| head[at] == b'\r' && head.get(at + 1) != Some(&b'\n'));
    let head = head.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(head);
    let whole = std::io::Cursor::new(head).chain(text);
    Ok(if alone { Box::new(LineFeeds { text: whole, after_return: false }) } else { Box::new(whole) })
}

/// Place of the first line end outside quotes.
fn line_end(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    text.iter().position(|byte| {
        quoted ^= *byte == b'"';
        !quoted && matches!(byte, b'\r' | b'\n')
    })
}

/// Puts a line feed in the place of every carriage return, and leaves out the line feed behind one.
struct LineFeeds<R> {
    text: R,
    after_return: bool,
}

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                if !(byte == b'\n' && self.after_return) {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.after_return = byte == b'\r';
            }
            // A read of nothing would mean the end.
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut out = String::new();
        with_line_feeds(text.as_bytes()).unwrap().read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn lines_that_end_in_a_carriage_return_alone_end_in_a_line_feed() {
        assert_eq!(read("a,b\r1,2\r3,4\r"), "a,b\n1,2\n3,4\n");
        assert_eq!(read("a,b\r1,2\r\n3,4"), "a,b\n1,2\n3,4", "mixed");
        assert_eq!(read("a,b\r"), "a,b\n", "only a header");
        assert_eq!(read("\"a\rb\",c\r1,2"), "\"a\nb\",c\n1,2");
    }

    #[test]
    fn other_line_ends_stay_and_so_do_carriage_returns_in_cells() {
        for text in ["a,b\n1,x\ry\n", "a,b\r\n1,\"x\ry\"\r\n", "", "a,b"] {
            assert_eq!(read(text), text);
        }
        assert_eq!(read("\u{feff}a,b\n"), "a,b\n");
    }
}
