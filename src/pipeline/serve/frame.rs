//! How requests and answers follow each other on a pipe: a line of JSON, and where it says so, data behind it
//! in chunks. A chunk is its length, four bytes with the lowest first, and so many bytes; one of length 0
//! ends the data. So neither side has to know how long they are before it begins to write.

use std::io::{self, BufRead, Read, Write};

/// Bytes of a chunk that we write.
const CHUNK: usize = 1 << 20;
/// Longest line of a request; one without an end would fill the memory.
const LINE: u64 = 1 << 20;

/// The next line, without its end; `None` where the stream ends before it.
///
/// # Errors
/// I/O failures; a line that is too long, or that the stream breaks off in.
pub(super) fn read_line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.by_ref().take(LINE).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => String::from_utf8(line).map(Some).map_err(|_| damaged("a request is no UTF-8")),
        Some(_) => Err(damaged("a line of a request has no end")),
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The data behind a request.
pub(super) struct Chunks<'s, S> {
    stream: &'s mut S,
    left: usize,
    ended: bool,
}

impl<'s, S: Read> Chunks<'s, S> {
    pub(super) fn new(stream: &'s mut S) -> Self {
        Self { stream, left: 0, ended: false }
    }
}

impl<S: Read> Read for Chunks<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended && !buffer.is_empty() {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length)?;
            self.left = u32::from_le_bytes(length) as usize;
            self.ended = self.left == 0;
        }
        let wanted = self.left.min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the data of a request break off"));
        }
        self.left -= read;
        Ok(read)
    }
}

/// Writes everything in `data` as chunks, the end included.
///
/// # Errors
/// I/O failures.
pub(super) fn write_chunks(data: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let mut filled = 0;
        while filled < CHUNK {
            match data.read(&mut chunk[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        to.write_all(&(filled as u32).to_le_bytes())?;
        to.write_all(&chunk[..filled])?;
        if filled == 0 {
            return Ok(());
        }
        if filled < CHUNK {
            return to.write_all(&0_u32.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_back_and_leave_what_follows() {
        for n in [0, 1, CHUNK - 1, CHUNK, CHUNK + 7] {
            let data: Vec<u8> = (0..n).map(|i| (i % 251) as u8).collect();
            let mut written = Vec::new();
            write_chunks(&mut data.as_slice(), &mut written).unwrap();
            written.extend(b"next\n");
            let mut stream = written.as_slice();
            let mut read = Vec::new();
            Chunks::new(&mut stream).read_to_end(&mut read).unwrap();
            assert_eq!(read, data);
            assert_eq!(read_line(&mut stream).unwrap().as_deref(), Some("next"));
            assert_eq!(read_line(&mut stream).unwrap(), None);
        }
    }

    #[test]
    fn data_and_lines_that_break_off_are_errors() {
        let mut stream: &[u8] = &[5, 0, 0, 0, 1, 2];
        assert!(Chunks::new(&mut stream).read_to_end(&mut Vec::new()).is_err());
        assert!(read_line(&mut b"{\"do\"".as_slice()).is_err());
        assert!(read_line(&mut b"\xff\n".as_slice()).is_err());
    }
}
