//! What can be wrong with the bytes of a text file, as it travels through `std::io::Error` from the readers
//! that find it to the place that knows the file's name.

use std::io;

/// A fault of the bytes, with the line it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::ingest) enum TextFault {
    /// Bytes behind the compressed data that are neither compressed data nor zeros.
    #[error("bytes behind the compressed data")]
    BehindGzip,
    /// Compressed data that unpack to far more than a table would.
    #[error("unpacks to more than a hundred times its size")]
    Bomb,
    /// A byte that no text holds.
    #[error("line {0} holds a NUL byte")]
    Nul(u64),
    /// A byte that has no meaning in the encoding of the lines before it.
    #[error("line {0} is in no known encoding")]
    NotText(u64),
    /// A line in another encoding than lines before it.
    #[error("line {0} is in another encoding")]
    Mixed(u64),
    /// An encoding with four bytes a character, which nothing writes on purpose.
    #[error("UTF-32")]
    Utf32,
}

impl TextFault {
    /// The fault that an error carries.
    pub(in crate::ingest) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<TextFault> for io::Error {
    fn from(fault: TextFault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}
