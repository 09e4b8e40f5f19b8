//! How many numbers the header of a `.npy` file promises. A file of a hundred bytes can promise 10⁹, and room
//! would be made for them.

use std::io::{self, Read};

/// Longest header that is looked at; NumPy writes 128 bytes for arrays of numbers.
const LONGEST: u64 = 64 << 10;

/// The product of the shape that a header names; `None` where there is no such header, which the reader of
/// the array tells better. A product beyond all numbers is the largest number.
///
/// # Errors
/// I/O failures.
pub(super) fn numbers(file: &mut impl Read) -> io::Result<Option<u64>> {
    let mut head = Vec::new();
    file.take(LONGEST).read_to_end(&mut head)?;
    Ok(shape(&head).and_then(|shape| {
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        lengths
            .map(|length| length.parse::<u64>().ok())
            .try_fold(1, |product: u64, length| length.map(|length| product.saturating_mul(length)))
    }))
}

/// What stands between the brackets of the shape.
fn shape(head: &[u8]) -> Option<&str> {
    // The text lies between the magic number, whose bytes are no text, and the end of its line.
    let text = head.strip_prefix(b"\x93NUMPY")?;
    let from = text.iter().position(|&byte| byte == b'{')?;
    let line = text[from..].split(|&byte| byte == b'\n').next()?;
    let (_, rest) = std::str::from_utf8(line).ok()?.split_once("'shape'")?;
    Some(rest.split_once('(')?.1.split_once(')')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shape: &str) -> Option<u64> {
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut head = b"\x93NUMPY\x01\x00".to_vec();
        head.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        head.extend(text.as_bytes());
        numbers(&mut head.as_slice()).unwrap()
    }

    #[test]
    fn the_shape_is_multiplied_and_what_is_none_is_left_to_the_reader() {
        assert_eq!(of("(2, 3)"), Some(6));
        assert_eq!(of("(7,)"), Some(7));
        assert_eq!(of("()"), Some(1));
        assert_eq!(of("(1, 1000000000)"), Some(1_000_000_000));
        assert_eq!(of("(4294967296, 4294967296, 4)"), Some(u64::MAX));
        assert_eq!(of("(-5, 7)"), None);
        assert_eq!(numbers(&mut b"no header".as_slice()).unwrap(), None);
    }
}
