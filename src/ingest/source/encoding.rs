//! Stored bytes → UTF-8. Byte order marks and the zeros of UTF-16 tell an encoding from the head of a file;
//! everything else is UTF-8 until a byte contradicts it. If all text before that byte was ASCII, the file is
//! read as Windows-1252 (which holds Latin-1) and that is said; if it was not, the file mixes encodings and
//! is refused. So the decision covers the whole file although only one stretch of it is in memory.

use std::io::{self, Read};

use super::fault::TextFault;
use super::notes::{Note, Notes};

use crate::message::{Message, Weight};

/// Stored bytes that are decoded at once.
const STRETCH: usize = 1 << 16;

enum Encoding {
    Utf8 {
        /// Characters beyond ASCII have been met, so that the file is certainly UTF-8.
        sure: bool,
    },
    Utf16 {
        little_endian: bool,
    },
    Windows1252,
}

/// Text in UTF-8, without a byte order mark, from bytes in any of the encodings.
pub(super) struct Text<R> {
    source: R,
    encoding: Encoding,
    /// Bytes of the source that are not decoded yet: the head of a character whose rest has not been read.
    bytes: Vec<u8>,
    /// Decoded text, and how much of it has been handed on.
    decoded: Vec<u8>,
    taken: usize,
    done: bool,
    lines: Lines,
    name: String,
    notes: Notes,
}

/// Ends of lines in the text decoded so far.
#[derive(Default)]
struct Lines {
    feeds: u64,
    returns: u64,
    /// Lines with characters that Windows-1252 was taken for.
    foreign: u64,
    /// The line at the end of the text is one of them.
    last_is_foreign: bool,
}

impl Lines {
    fn pass(&mut self, text: &[u8]) {
        self.feeds += memchr::memchr_iter(b'\n', text).count() as u64;
        self.returns += memchr::memchr_iter(b'\r', text).count() as u64;
    }

    /// The line that the text behind `text` belongs to. Where no line feed has been met, carriage returns end
    /// lines.
    fn after(&self, text: &[u8]) -> u64 {
        let feeds = self.feeds + memchr::memchr_iter(b'\n', text).count() as u64;
        let returns = self.returns + memchr::memchr_iter(b'\r', text).count() as u64;
        1 + if feeds == 0 { returns } else { feeds }
    }

    fn count_foreign(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                self.last_is_foreign = false;
            } else if !byte.is_ascii() && !self.last_is_foreign {
                self.last_is_foreign = true;
                self.foreign += 1;
            }
        }
    }
}

impl<R: Read> Text<R> {
    /// Reads the head of the source and tells its encoding.
    ///
    /// # Errors
    /// Those of the source; a fault in the head.
    pub(super) fn new(source: R, name: &str, notes: Notes) -> io::Result<Self> {
        let mut text = Self {
            source,
            encoding: Encoding::Utf8 { sure: false },
            bytes: Vec::new(),
            decoded: Vec::new(),
            taken: 0,
            done: false,
            lines: Lines::default(),
            name: name.to_owned(),
            notes,
        };
        text.read_more()?;
        let (encoding, mark) = told_by(&text.bytes)?;
        text.encoding = encoding;
        text.bytes.drain(..mark);
        text.decode()?;
        Ok(text)
    }

    /// Text that has been decoded and not been handed on; the head of the file before anything is read.
    pub(super) fn decoded(&self) -> &[u8] {
        &self.decoded[self.taken..]
    }

    /// True when [`Self::decoded`] goes to the end of the file.
    pub(super) fn is_whole(&self) -> bool {
        self.done && self.bytes.is_empty()
    }

    /// Leaves the next `n` bytes of the decoded text out.
    pub(super) fn skip(&mut self, n: usize) {
        self.taken = (self.taken + n).min(self.decoded.len());
    }

    /// Appends the next stretch of the source to `bytes`.
    fn read_more(&mut self) -> io::Result<()> {
        let before = self.bytes.len();
        self.bytes.reserve(STRETCH);
        let read = self.source.by_ref().take(STRETCH as u64).read_to_end(&mut self.bytes)?;
        self.done = read < STRETCH;
        debug_assert!(self.bytes.len() == before + read);
        Ok(())
    }

    /// Decodes what is in `bytes`, but for a character at its end whose rest is to come.
    fn decode(&mut self) -> io::Result<()> {
        self.lines.pass(&self.decoded);
        self.decoded.clear();
        self.taken = 0;
        match &mut self.encoding {
            Encoding::Utf16 { little_endian } => {
                let read = decode_utf16(&self.bytes, *little_endian, &mut self.decoded);
                self.bytes.drain(..read);
                // The half of a pair may be all that is left, and nothing else, until the rest has been read.
                if self.bytes.len() >= 4 || self.done && !self.bytes.is_empty() {
                    return Err(TextFault::NotText(self.lines.after(&self.decoded)).into());
                }
            }
            Encoding::Windows1252 => self.decode_windows(0)?,
            Encoding::Utf8 { sure } => {
                // The usual case, at the speed of memory.
                if self.bytes.is_ascii() {
                    std::mem::swap(&mut self.bytes, &mut self.decoded);
                } else {
                    match std::str::from_utf8(&self.bytes) {
                        Ok(_) => {
                            *sure = true;
                            std::mem::swap(&mut self.bytes, &mut self.decoded);
                        }
                        Err(e) => {
                            let valid = e.valid_up_to();
                            *sure |= !self.bytes[..valid].is_ascii();
                            if e.error_len().is_none() && !self.done {
                                self.decoded.extend_from_slice(&self.bytes[..valid]);
                                self.bytes.drain(..valid);
                            } else if *sure {
                                return Err(TextFault::Mixed(self.lines.after(&self.bytes[..valid])).into());
                            } else {
                                self.encoding = Encoding::Windows1252;
                                self.decode_windows(valid)?;
                            }
                        }
                    }
                }
            }
        }
        if let Some(at) = memchr::memchr(0, &self.decoded) {
            return Err(TextFault::Nul(self.lines.after(&self.decoded[..at])).into());
        }
        if self.done && self.lines.foreign > 0 {
            let (name, lines) = (&self.name, self.lines.foreign);
            self.notes.say(
                Note::Encoding,
                Message::file(
                    Weight::Choice,
                    name,
                    format!(
                        "{name} is not UTF-8: {lines} of its lines hold characters that were read as \
                         Windows-1252, the encoding of Latin-1 texts; if letters come out wrong, convert the \
                         file to UTF-8"
                    ),
                )
                .counting(lines),
            );
        }
        Ok(())
    }

    /// Decodes `bytes` as Windows-1252; the first `ascii` of them are known to be ASCII.
    fn decode_windows(&mut self, ascii: usize) -> io::Result<()> {
        // A run of bytes beyond ASCII is looked at as a whole, so one at the end waits for its rest.
        let waiting = if self.done {
            0
        } else {
            self.bytes.iter().rev().take_while(|b| !b.is_ascii()).count().min(STRETCH / 2)
        };
        let rest = self.bytes.split_off(self.bytes.len() - waiting);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let mut at = ascii;
        while let Some(start) = bytes[at..].iter().position(|b| !b.is_ascii()).map(|n| at + n) {
            let end = start + bytes[start..].iter().take_while(|b| !b.is_ascii()).count();
            let run = &bytes[start..end];
            // Text of Windows-1252 hardly ever looks like UTF-8 by chance: it takes "Ã" followed by a sign.
            if std::str::from_utf8(run).is_ok() {
                return Err(TextFault::Mixed(self.lines.after(&bytes[..start])).into());
            }
            if let Some(n) = run.iter().position(|b| matches!(b, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)) {
                return Err(TextFault::NotText(self.lines.after(&bytes[..start + n])).into());
            }
            at = end;
        }
        self.lines.count_foreign(&bytes);
        let mut character = [0; 4];
        for byte in bytes {
            self.decoded.extend_from_slice(windows_1252(byte).encode_utf8(&mut character).as_bytes());
        }
        Ok(())
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.decoded.len() && !(self.done && self.bytes.is_empty()) {
            if !self.done {
                self.read_more()?;
            }
            self.decode()?;
        }
        let n = (&self.decoded[self.taken..]).read(buffer)?;
        self.taken += n;
        Ok(n)
    }
}

/// What the head of a file says about its encoding, and the length of its byte order mark.
fn told_by(head: &[u8]) -> io::Result<(Encoding, usize)> {
    let utf16 = |little_endian: bool| Encoding::Utf16 { little_endian };
    if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(TextFault::Utf32.into());
    }
    if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        return Ok((Encoding::Utf8 { sure: true }, 3));
    }
    if head.starts_with(&[0xff, 0xfe]) {
        return Ok((utf16(true), 2));
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return Ok((utf16(false), 2));
    }
    // Half of the bytes of a table in UTF-16 are zeros, since digits and separators are ASCII.
    let head = &head[..head.len().min(1024) & !1];
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let most = head.len() / 4;
    Ok(match () {
        () if head.len() >= 4 && odd > most && even == 0 => (utf16(true), 0),
        () if head.len() >= 4 && even > most && odd == 0 => (utf16(false), 0),
        () => (Encoding::Utf8 { sure: false }, 0),
    })
}

/// Appends the text of `bytes` and returns how many of them it took: all but the head of a character whose
/// rest is missing, or those before a half of a pair that has no other half.
fn decode_utf16(bytes: &[u8], little_endian: bool, text: &mut Vec<u8>) -> usize {
    let unit = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if little_endian { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let mut read = 0;
    let mut character = [0; 4];
    for decoded in char::decode_utf16(bytes.chunks_exact(2).map(unit)) {
        let Ok(decoded) = decoded else { break };
        text.extend_from_slice(decoded.encode_utf8(&mut character).as_bytes());
        read += 2 * decoded.len_utf16();
    }
    read
}

/// The character of a byte in Windows-1252: Latin-1 but for 32 bytes, five of which mean nothing and are
/// refused before.
fn windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(String, Vec<String>), TextFault> {
        let notes = Notes::default();
        let mut text = String::new();
        Text::new(bytes, "t.csv", notes.clone())
            .and_then(|mut t| t.read_to_string(&mut text))
            .map_err(|e| TextFault::of(&e).unwrap_or_else(|| panic!("{e}")))?;
        Ok((text, notes.messages().iter().map(ToString::to_string).collect()))
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let pair = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(pair).collect()
    }

    /// Rows that put characters of one to four bytes across the ends of stretches.
    fn rows(padding: usize) -> String {
        let row = "Müller,37.5 °C,κ,😀\n";
        "x".repeat(padding) + "\n" + &row.repeat(2 * STRETCH / row.len())
    }

    #[test]
    fn unicode_comes_out_the_same_from_every_encoding() {
        for padding in 0..5 {
            let text = rows(padding);
            let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
            for bytes in [
                text.clone().into_bytes(),
                marked(b"\xef\xbb\xbf", text.clone().into_bytes()),
                marked(b"\xff\xfe", utf16(&text, true)),
                marked(b"\xfe\xff", utf16(&text, false)),
            ] {
                assert_eq!(read(&bytes).unwrap(), (text.clone(), vec![]));
            }
        }
        for little in [true, false] {
            assert_eq!(read(&utf16("id,x\n1,2\n", little)).unwrap().0, "id,x\n1,2\n");
        }
    }

    #[test]
    fn latin_1_is_read_and_said_with_the_number_of_its_lines() {
        for before in [0, 3 * STRETCH] {
            let mut bytes = b"id,x\n1,2\n".repeat(before / 9 + 1);
            bytes.extend_from_slice(b"M\xfcller,37 \xb0C\n1,\xe4\xf6\xfc\n3,4\n\x80,5");
            let (text, said) = read(&bytes).unwrap();
            assert!(
                text.ends_with("4\nMüller,37 °C\n1,äöü\n3,4\n€,5")
                    || text.ends_with("2\nMüller,37 °C\n1,äöü\n3,4\n€,5")
            );
            assert!(said.len() == 1 && said[0].contains("3 of its lines"), "{said:?}");
        }
    }

    #[test]
    fn mixed_and_meaningless_bytes_are_refused_with_their_line() {
        let long = "1,2\n".repeat(STRETCH);
        for (head, tail, fault) in [
            ("é\n", &b"x\n\xfc\n"[..], TextFault::Mixed(3)),
            ("", b"\xfc\n1\n\xc3\xa9\n", TextFault::Mixed(3)),
            ("", b"a\n\x81\n", TextFault::NotText(2)),
            ("", b"a\nb\0\n", TextFault::Nul(2)),
            ("", b"a\rb\0\r", TextFault::Nul(2)),
            (&long, b"\0", TextFault::Nul(STRETCH as u64 + 1)),
            (&long, b"\xfc\n\xc3\xa9", TextFault::Mixed(STRETCH as u64 + 2)),
        ] {
            assert_eq!(read(&[head.as_bytes(), tail].concat()).unwrap_err(), fault, "{tail:?}");
        }
        assert_eq!(read(b"\xff\xfe\0\0a\0\0\0").unwrap_err(), TextFault::Utf32);
        // Half a character at the end, and a surrogate without its partner.
        let whole = [b"\xff\xfe".to_vec(), utf16("a\nb\n", true)].concat();
        assert_eq!(read(&whole[..whole.len() - 1]).unwrap_err(), TextFault::NotText(2));
        assert_eq!(read(b"\xff\xfe\x00\xd8a\x00").unwrap_err(), TextFault::NotText(1));
        assert_eq!(read("aé".as_bytes().split_last().unwrap().1).unwrap().0, "aÃ");
    }
}
