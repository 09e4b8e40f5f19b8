//! Arrays of NumPy, read a picture at a time from any stream.

use std::io::{self, Read};

use super::stream::{ENDS_EARLY, MOST_NUMBERS, read_all};

/// Longest header that is read; NumPy writes 128 bytes for arrays of numbers.
const LONGEST_HEADER: usize = 64 << 10;
/// Bytes of the longest text of an entry.
const LONGEST_TEXT: usize = 64 << 10;

/// Types of numbers that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Unsigned,
    Signed,
    Real,
    /// Characters of four bytes each, a text as many as the longest has.
    Text,
}

/// An array, open behind its header.
pub(super) struct Npy<R> {
    /// Lengths of the dimensions.
    pub(super) shape: Vec<usize>,
    kind: Kind,
    /// Bytes of a number.
    size: usize,
    big_endian: bool,
    numbers: R,
}

/// Why an array is none that is read: what is wrong, and what to do.
pub(super) type Wrong = (String, &'static str);

impl<R: Read> Npy<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// I/O failures; within, headers that are not understood, Python objects, columns first, and more numbers
    /// than are allowed.
    pub(super) fn open(mut numbers: R) -> io::Result<Result<Self, Wrong>> {
        let damaged = "the copy is incomplete or damaged: fetch the file again";
        let mut head = [0; 10];
        if read_all(&mut numbers, &mut head)?.is_none() || !head.starts_with(b"\x93NUMPY") {
            let hint = "save it by numpy.save, or several arrays by numpy.savez";
            return Ok(Err(("no array of NumPy".into(), hint)));
        }
        let mut length = usize::from(u16::from_le_bytes([head[8], head[9]]));
        if head[6] > 1 {
            let mut high = [0; 2];
            if read_all(&mut numbers, &mut high)?.is_none() {
                return Ok(Err((ENDS_EARLY.into(), damaged)));
            }
            length |= usize::from(u16::from_le_bytes(high)) << 16;
        }
        if length > LONGEST_HEADER {
            return Ok(Err((format!("its header has {length} bytes, more than {LONGEST_HEADER}"), damaged)));
        }
        let mut text = vec![0; length];
        if read_all(&mut numbers, &mut text)?.is_none() {
            return Ok(Err((ENDS_EARLY.into(), damaged)));
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Self::of_header(&text, numbers))
    }

    fn of_header(text: &str, numbers: R) -> Result<Self, Wrong> {
        let unclear = || ("its header is not understood".to_owned(), "save it by numpy.save");
        let after = |key: &str| text.split_once(key).map(|(_, rest)| rest.trim_start_matches([' ', ':']));
        let descr = after("'descr'").ok_or_else(unclear)?;
        let descr = descr.strip_prefix('\'').and_then(|d| d.split_once('\'')).map(|(d, _)| d);
        let objects = (
            "it holds Python objects or records, which can run code when they are read".to_owned(),
            "save plain numbers: array.astype('uint8')",
        );
        let Some(descr) = descr else { return Err(objects) };
        if descr.contains('O') {
            return Err(objects);
        }
        if after("'fortran_order'").is_none_or(|order| !order.starts_with("False")) {
            return Err((
                "its numbers lie column by column".to_owned(),
                "save numpy.ascontiguousarray(array)",
            ));
        }
        let shape = after("'shape'").and_then(|s| s.strip_prefix('(')).and_then(|s| s.split_once(')'));
        let lengths = shape.ok_or_else(unclear)?.0.split(',').map(str::trim).filter(|l| !l.is_empty());
        let shape: Option<Vec<usize>> = lengths.map(|l| l.parse().ok()).collect();
        let shape = shape.ok_or_else(unclear)?;
        let n = shape.iter().fold(1_u64, |n, length| n.saturating_mul(*length as u64));
        if n > MOST_NUMBERS {
            let message = format!("its header promises {n} numbers, more than {MOST_NUMBERS}");
            return Err((message, "divide the array, or make the pictures smaller"));
        }
        let (order, kind) = descr.split_at_checked(1).ok_or_else(unclear)?;
        let (kind, size) = kind.split_at_checked(1).ok_or_else(unclear)?;
        let mut size: usize = size.parse().map_err(|_| unclear())?;
        if kind == "U" {
            // Such a type counts characters.
            size = size.saturating_mul(4);
            if size > LONGEST_TEXT {
                let longest = LONGEST_TEXT / 4;
                let message = format!("its texts have room for more than {longest} characters (`{descr}`)");
                return Err((message, "shorten the names of patients, labels and splits"));
            }
        }
        let known = match (kind, size) {
            ("b", 1) => Some(Kind::Bool),
            ("u", 1 | 2 | 4 | 8) => Some(Kind::Unsigned),
            ("i", 1 | 2 | 4 | 8) => Some(Kind::Signed),
            ("f", 4 | 8) => Some(Kind::Real),
            ("U", _) => Some(Kind::Text),
            _ => None,
        };
        let kind = known.ok_or_else(|| {
            (format!("its numbers are of the type `{descr}`"), "save them as uint8, uint16 or float32")
        })?;
        Ok(Self { shape, kind, size, big_endian: order == ">", numbers })
    }

    /// Entries along its first dimension.
    pub(super) fn n_entries(&self) -> u64 {
        self.shape.first().map_or(0, |length| *length as u64)
    }

    /// Bytes of all its numbers.
    pub(super) fn n_bytes(&self) -> u64 {
        let n: u64 = self.shape.iter().map(|length| *length as u64).product();
        n.saturating_mul(self.size as u64)
    }

    /// Whether its entries are numbers.
    pub(super) fn is_numeric(&self) -> bool {
        self.kind != Kind::Text
    }

    /// Whether its numbers have eight bits and no sign, so that they say themselves what is black and white.
    pub(super) fn is_bytes(&self) -> bool {
        self.size == 1 && self.kind == Kind::Unsigned
    }

    /// The next `n` numbers; none where the array ends before.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn next(&mut self, n: usize) -> io::Result<Option<Vec<f64>>> {
        let mut bytes = vec![0; n * self.size];
        if read_all(&mut self.numbers, &mut bytes)?.is_none() {
            return Ok(None);
        }
        Ok(Some(bytes.chunks_exact(self.size).map(|b| self.number(b)).collect()))
    }

    /// The next `n` numbers of one byte each; none where the array ends before.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn next_bytes(&mut self, n: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; n];
        Ok(read_all(&mut self.numbers, &mut bytes)?.map(|()| bytes))
    }

    fn number(&self, bytes: &[u8]) -> f64 {
        let mut eight = [0_u8; 8];
        // The least byte first.
        for (to, from) in eight.iter_mut().zip(0..self.size) {
            *to = bytes[if self.big_endian { self.size - 1 - from } else { from }];
        }
        let bits = u64::from_le_bytes(eight);
        let unused = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Bool | Kind::Unsigned, _) => bits as f64,
            (Kind::Signed, _) => ((bits << unused).cast_signed() >> unused) as f64,
            (Kind::Real, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Real, _) => f64::from_bits(bits),
            (Kind::Text, _) => f64::NAN,
        }
    }

    /// The next `n` entries as texts, whole numbers without a point; none where the array ends before.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn next_texts(&mut self, n: usize) -> io::Result<Option<Vec<String>>> {
        if self.kind != Kind::Text {
            return Ok(self.next(n)?.map(|numbers| numbers.iter().map(f64::to_string).collect()));
        }
        let mut bytes = vec![0; n * self.size];
        if read_all(&mut self.numbers, &mut bytes)?.is_none() {
            return Ok(None);
        }
        let big_endian = self.big_endian;
        let word = |b: &[u8; 4]| if big_endian { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) };
        let text = |entry: &[u8]| -> String {
            let characters = entry.as_chunks::<4>().0.iter().map(word).take_while(|c| *c != 0);
            characters.map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        Ok(Some(bytes.chunks_exact(self.size.max(1)).map(text).collect()))
    }
}
