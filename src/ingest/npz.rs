//! Arrays for NumPy: an `.npz` file, which is a ZIP archive of `.npy` arrays, stored without compression and
//! without times, so that equal arrays give equal bytes.
//!
//! Formats: NEP 1 (numpy.org/neps/nep-0001-npy-format.html), version 1.0 of its header, and PKWARE's APPNOTE
//! 6.3.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ndarray::{Array1, Array2};

use super::IngestError;
use crate::error::IoError;
use crate::output::Staged;

/// An array of an `.npz` file.
#[derive(Debug, Clone, PartialEq)]
pub enum NpzArray {
    /// Single precision, `(n, d)`.
    Single(Array2<f32>),
    /// Double precision, `(n, p)`.
    Double(Array2<f64>),
    /// Bytes, `(n, d)`.
    Flags(Array2<u8>),
    /// Bytes, `(n,)`.
    Codes(Array1<u8>),
    /// Texts, `(n,)`.
    Texts(Vec<String>),
}

impl NpzArray {
    /// The array as the content of an `.npy` file.
    fn to_npy(&self) -> Vec<u8> {
        let (kind, shape, data) = match self {
            Self::Single(a) => {
                ("<f4".to_owned(), a.shape().to_vec(), a.iter().flat_map(|x| x.to_le_bytes()).collect())
            }
            Self::Double(a) => {
                ("<f8".to_owned(), a.shape().to_vec(), a.iter().flat_map(|x| x.to_le_bytes()).collect())
            }
            Self::Flags(a) => ("|u1".to_owned(), a.shape().to_vec(), a.iter().copied().collect()),
            Self::Codes(a) => ("|u1".to_owned(), a.shape().to_vec(), a.to_vec()),
            Self::Texts(texts) => {
                // NumPy's texts have one length, in characters of four bytes.
                let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
                let cell = |text: &String| {
                    let padding = std::iter::repeat_n('\0', width - text.chars().count());
                    text.chars().chain(padding).flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>()
                };
                (format!("<U{width}"), vec![texts.len()], texts.iter().flat_map(cell).collect::<Vec<u8>>())
            }
        };
        // Python writes a tuple of one number with a comma behind it.
        let shape = match shape.as_slice() {
            [n] => format!("{n},"),
            several => several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let described = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
        // The data begin at a multiple of 64 bytes, after a line feed.
        let length = (10 + described.len() + 1).next_multiple_of(64) - 10;
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let short = u16::try_from(length).expect("invariant: a shape of two numbers is short");
        bytes.extend(short.to_le_bytes());
        bytes.extend(format!("{described:<width$}\n", width = length - 1).into_bytes());
        bytes.extend(data);
        bytes
    }
}

/// Writes arrays under their names, whole or not at all.
///
/// # Errors
/// An array of 4 GiB or more; an existing file without `force`; I/O failures.
pub fn write_npz(path: &Path, arrays: &[(&str, NpzArray)], force: bool) -> Result<(), IngestError> {
    let staged = Staged::file(path, force)?;
    let file = File::create(staged.path()).map_err(IoError::on("create", staged.path()))?;
    let mut out = BufWriter::new(file);
    write(&mut out, arrays).map_err(IoError::on("write", path))?;
    out.flush().map_err(IoError::on("write", path))?;
    drop(out);
    Ok(staged.commit()?)
}

fn write(out: &mut impl Write, arrays: &[(&str, NpzArray)]) -> io::Result<()> {
    let (mut directory, mut at) = (Vec::new(), 0_u32);
    let too_large = || {
        io::Error::other(
            "an array of 4 GiB or more does not fit an .npz file; export one split, or as .parquet",
        )
    };
    for (name, array) in arrays {
        let (name, data) = (format!("{name}.npy"), array.to_npy());
        let size = u32::try_from(data.len()).map_err(|_| too_large())?;
        let mut crc = flate2::Crc::new();
        crc.update(&data);
        // Version 2.0, no flags, stored, 1 January 1980.
        let mut common = Vec::new();
        for half in [20_u16, 0, 0, 0, 0x21] {
            common.extend(half.to_le_bytes());
        }
        for word in [crc.sum(), size, size] {
            common.extend(word.to_le_bytes());
        }
        let length = u16::try_from(name.len()).expect("invariant: names of arrays are short");
        common.extend(length.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
        out.write_all(b"PK\x03\x04")?;
        out.write_all(&common)?;
        out.write_all(name.as_bytes())?;
        out.write_all(&data)?;
        let written = 4 + common.len() + name.len();
        at = u32::try_from(written)
            .ok()
            .and_then(|n| at.checked_add(n))
            .and_then(|n| n.checked_add(size))
            .ok_or_else(too_large)?;
    }
    let count = u16::try_from(arrays.len()).expect("invariant: there are a few arrays");
    let length = u32::try_from(directory.len()).expect("invariant: a directory of a few arrays is short");
    out.write_all(&directory)?;
    out.write_all(b"PK\x05\x06\x00\x00\x00\x00")?;
    out.write_all(&[count.to_le_bytes(), count.to_le_bytes()].concat())?;
    out.write_all(&[length.to_le_bytes(), at.to_le_bytes()].concat())?;
    out.write_all(&[0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_has_the_header_that_numpy_writes() {
        // numpy 2.3: np.lib.format.write_array of an array of one text of two characters.
        let texts = NpzArray::Texts(vec!["ab".into(), "é".into()]).to_npy();
        assert_eq!(texts.len(), 128 + 16);
        assert!(texts.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }"
        ));
        assert_eq!(texts[127], b'\n');
        assert_eq!(&texts[136..], [0xe9, 0, 0, 0, 0, 0, 0, 0]);
        let numbers = NpzArray::Single(Array2::from_elem((1, 2), 1.5)).to_npy();
        assert_eq!(&numbers[numbers.len() - 8..], [0, 0, 0xc0, 0x3f, 0, 0, 0xc0, 0x3f]);
    }
}
