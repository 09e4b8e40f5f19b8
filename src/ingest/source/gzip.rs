//! Gzip as it is found in the wild: several members one after the other are one file, zeros behind the last
//! member are padding of a tape or a block device, and other bytes there mean that something is missing or
//! was added.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::fault::TextFault;
use crate::plain_file::{most_bytes, most_rows};

/// First bytes of a gzip member.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Stored bytes that are read before they are asked for.
const WINDOW: usize = 1 << 16;

/// Up to so many times its size nothing is held against a file: tables of patients unpack to 3 to 15 times their
/// size, sparse ones to some hundred times, and one cell repeated for ever to 1,030 times.
pub(in crate::ingest) const UNSUSPECTED_TIMES: u64 = 100;

/// Stored bytes of which the next few can be looked at without being taken.
pub(super) struct Window<R> {
    source: R,
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
    /// Bytes taken so far.
    taken: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, bytes: vec![0; WINDOW].into(), from: 0, to: 0, taken: 0 }
    }

    /// The next bytes: `n` of them or more, fewer only at the end of the source.
    pub(super) fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        debug_assert!(n <= WINDOW);
        if self.to - self.from < n {
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            while self.to < n {
                match self.source.read(&mut self.bytes[self.to..]) {
                    Ok(0) => break,
                    Ok(read) => self.to += read,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(&self.bytes[self.from..self.to])
    }
}

impl<R: Read> BufRead for Window<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, n: usize) {
        self.from = (self.from + n).min(self.to);
        self.taken += n as u64;
    }
}

impl<R: Read> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

/// The bytes of all members of a gzip file.
pub(super) struct Members<R> {
    /// Nothing once the last member has ended.
    member: Option<GzDecoder<Window<R>>>,
    /// Size of the file.
    size: u64,
    /// Bytes and line ends unpacked so far.
    unpacked: u64,
    lines: u64,
}

impl<R: Read> Members<R> {
    /// The members of a file of `size` bytes.
    pub(super) fn new(stored: Window<R>, size: u64) -> Self {
        Self { member: Some(GzDecoder::new(stored)), size, unpacked: 0, lines: 0 }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 {
                self.unpacked += read as u64;
                self.lines += memchr::memchr2_iter(b'\n', b'\r', &buffer[..read]).count() as u64;
                let taken = member.get_ref().taken;
                let is_suspect = self.unpacked / UNSUSPECTED_TIMES > taken;
                if is_suspect && (self.lines > most_rows(taken) || self.unpacked > most_bytes(self.size)) {
                    return Err(TextFault::Bomb.into());
                }
                return Ok(read);
            }
            let Some(member) = self.member.take() else { break };
            let mut stored = member.into_inner();
            self.member = another_member(&mut stored)?.then(|| GzDecoder::new(stored));
        }
        Ok(0)
    }
}

/// True where another member follows, behind zeros or at once; false at the end.
fn another_member<R: Read>(stored: &mut Window<R>) -> io::Result<bool> {
    loop {
        let bytes = stored.peek(MAGIC.len())?;
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        match bytes.get(zeros..) {
            None | Some([]) if zeros == 0 => return Ok(false),
            None | Some([]) => stored.consume(zeros),
            Some(rest) if zeros > 0 && rest.len() < MAGIC.len() => stored.consume(zeros),
            Some(rest) if rest.starts_with(&MAGIC) => {
                stored.consume(zeros);
                return Ok(true);
            }
            Some(_) => return Err(TextFault::BehindGzip.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(stored: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Members::new(Window::new(stored), stored.len() as u64).read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn members_are_read_to_the_last_whatever_zeros_stand_between_and_behind_them() {
        let many: Vec<u8> = (0..5000).flat_map(|i| member(format!("{i}\n").as_bytes())).collect();
        let lines: Vec<String> = (0..5000).map(|i| format!("{i}\n")).collect();
        let expected = lines.concat();
        assert_eq!(inflate(&many).unwrap(), expected.as_bytes());
        for zeros in [0, 1, 2, 511, WINDOW + 3] {
            let stored = [member(b"a,"), vec![0; zeros], member(b"b"), vec![0; zeros]].concat();
            assert_eq!(inflate(&stored).unwrap(), b"a,b", "{zeros}");
        }
    }

    #[test]
    fn what_unpacks_to_more_rows_or_cells_than_it_can_tell_apart_is_no_table() {
        let times = |n: usize| inflate(&member(&b",,\n".repeat(n << 20))).map(|text| text.len());
        assert!(times(7).is_ok(), "seven million rows of whatever they are");
        assert_eq!(TextFault::of(&times(8).unwrap_err()), Some(TextFault::Bomb));
        // As much that is less alike: one row in 30 differs.
        let mut text = String::new();
        for i in 0..20_u64 << 20 {
            let number = if i.is_multiple_of(30) { i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1000 } else { 0 };
            let digits = [number / 100, number / 10 % 10, number % 10];
            text.extend(digits.map(|digit| char::from(b'0' + digit as u8)));
            text.push('\n');
        }
        assert_eq!(inflate(&member(text.as_bytes())).unwrap().len(), text.len());
        // A sparse table of 3,000 rows with an id and 10,000 zeros, packed as well as can be.
        let zeros = ",0".repeat(10_000);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let mut length = 0;
        for id in 0..3000 {
            let row = format!("{id}{zeros}\n");
            length += row.len();
            encoder.write_all(row.as_bytes()).unwrap();
        }
        let packed = encoder.finish().unwrap();
        assert!(length > 300 * packed.len(), "{length} bytes in {}", packed.len());
        assert_eq!(inflate(&packed).unwrap().len(), length);
        // As long without a line end, and longer.
        let endless = |n: usize| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            let zeros = vec![b'0'; 1 << 20];
            (0..n).for_each(|_| encoder.write_all(&zeros).unwrap());
            inflate(&encoder.finish().unwrap()).map(|text| text.len())
        };
        assert!(endless(120).is_ok());
        assert_eq!(TextFault::of(&endless(130).unwrap_err()), Some(TextFault::Bomb));
    }

    #[test]
    fn other_bytes_behind_the_last_member_are_no_end() {
        for junk in [&b"x"[..], b"\0\0x", b"\x1f", b"\x1f\x8c", b"\0\x1f"] {
            let error = inflate(&[&member(b"a,b\n")[..], junk].concat()).unwrap_err();
            assert!(matches!(TextFault::of(&error), Some(TextFault::BehindGzip)), "{junk:?}: {error}");
        }
    }

    #[test]
    fn a_member_that_is_cut_or_damaged_is_an_error() {
        let whole = [member(b"first\n"), member(&b"second member\n".repeat(1000))].concat();
        for end in [5, 20, whole.len() / 2, whole.len() - 1] {
            assert!(inflate(&whole[..end]).is_err(), "{end}");
        }
        let mut damaged = whole;
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert!(inflate(&damaged).is_err(), "the checksum is wrong");
    }
}
