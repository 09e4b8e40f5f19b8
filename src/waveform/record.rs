//! Records: one segment, or many behind one header, read one at a time.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::plain::is_plain;
use super::signal::read_signals;
use super::{Header, SegmentSpec, Signal, WaveformError};
use crate::plain_file::{self, Listing};

/// A record whose segments can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its header.
    pub header: Header,
    /// Segments and gaps in time order; the layout is not among them.
    pub segments: Vec<Segment>,
}

/// Where a segment lies in its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Record name of the segment; none for a gap.
    pub name: Option<String>,
    /// First frame.
    pub start: usize,
    /// Frames.
    pub n_frames: usize,
}

impl Record {
    /// Opens a record by its header file, or by its name without the ending.
    ///
    /// # Errors
    /// [`WaveformError::NoRecord`], I/O failures and those of [`Header::read`]; [`WaveformError::Header`]
    /// when the segments do not add up to the record.
    pub fn open(path: &Path) -> Result<Self, WaveformError> {
        let header = Header::read(&header_path(path)?)?;
        if !header.is_multi_segment() {
            let n_frames = header.n_frames.unwrap_or(0);
            let segments = vec![Segment { name: Some(header.name.clone()), start: 0, n_frames }];
            return Ok(Self { header, segments });
        }
        let mut segments = Vec::with_capacity(header.segments.len());
        let mut start = 0usize;
        for SegmentSpec { name, n_frames } in &header.segments {
            // Only a layout has no samples.
            if *n_frames > 0 {
                segments.push(Segment { name: name.clone(), start, n_frames: *n_frames });
                start = start.saturating_add(*n_frames);
            }
        }
        if let Some(expected) = header.n_frames.filter(|n| *n != start) {
            let message = format!("the segments hold {start} samples, the record line says {expected}");
            return Err(WaveformError::Header { file: header.path, line: 1, message });
        }
        Ok(Self { header, segments })
    }

    /// Where the header of a segment lies; none for a gap.
    pub(super) fn segment_path(&self, segment: &Segment) -> Option<PathBuf> {
        let name = segment.name.as_ref()?;
        if !self.header.is_multi_segment() {
            return Some(self.header.path.clone());
        }
        let dir = self.header.path.parent().unwrap_or(Path::new(""));
        Some(dir.join(format!("{name}.hea")))
    }

    /// Header of a segment, checked against the record's; none for a gap.
    ///
    /// # Errors
    /// [`WaveformError::MissingSegment`], [`WaveformError::Segment`], and those of [`Header::read`].
    pub fn segment_header(&self, segment: &Segment) -> Result<Option<Header>, WaveformError> {
        if !self.header.is_multi_segment() {
            return Ok(Some(self.header.clone()));
        }
        let (Some(name), Some(path)) = (&segment.name, self.segment_path(segment)) else { return Ok(None) };
        if !path.is_file() {
            return Err(WaveformError::MissingSegment {
                record: self.header.path.clone(),
                segment: name.clone(),
            });
        }
        let header = Header::read(&path)?;
        let wrong = |what, expected: String, found: String| WaveformError::Segment {
            record: self.header.path.clone(),
            segment: name.clone(),
            what,
            expected,
            found,
        };
        if header.is_multi_segment() {
            return Err(wrong("one segment", "1".into(), header.segments.len().to_string()));
        }
        if let Some(found) = header.n_frames.filter(|n| *n != segment.n_frames) {
            return Err(wrong("samples", segment.n_frames.to_string(), found.to_string()));
        }
        // Headers round 1/60 Hz to a few digits.
        if (header.frequency - self.header.frequency).abs() > 1e-6 * self.header.frequency {
            return Err(wrong(
                "samples per second",
                self.header.frequency.to_string(),
                header.frequency.to_string(),
            ));
        }
        Ok(Some(Header { n_frames: Some(segment.n_frames), ..header }))
    }

    /// Signals of a segment; none for a gap.
    ///
    /// # Errors
    /// Those of [`Record::segment_header`] and [`read_signals`].
    pub fn read_segment(&self, segment: &Segment) -> Result<Option<Vec<Signal>>, WaveformError> {
        self.segment_header(segment)?.as_ref().map(read_signals).transpose()
    }
}

/// The header of a record that is named with the ending or without it.
///
/// # Errors
/// [`WaveformError::NoRecord`].
pub(super) fn header_path(path: &Path) -> Result<PathBuf, WaveformError> {
    if path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("hea")) {
        return Ok(path.to_path_buf());
    }
    let mut with_ending = path.as_os_str().to_owned();
    with_ending.push(".hea");
    let with_ending = PathBuf::from(with_ending);
    if with_ending.is_file() { Ok(with_ending) } else { Err(WaveformError::NoRecord(path.to_path_buf())) }
}

/// Paths of the records of `input` in name order: the one it names, or every header of the folder and its
/// subfolders that is no segment of another; in a folder without headers, every table and array.
///
/// # Errors
/// [`WaveformError::NoRecord`], I/O failures; a header that cannot be read counts as a record, so that
/// reading it says why.
pub fn list_records(input: &Path) -> Result<Vec<PathBuf>, WaveformError> {
    if input.is_dir() {
        return records_of(input, &look_into(input)?);
    }
    let plain = input.is_file() && is_plain(input);
    Ok(vec![if plain { input.to_path_buf() } else { header_path(input)? }])
}

/// What lies in a folder of records and in all folders within it.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn look_into(folder: &Path) -> Result<Listing, WaveformError> {
    Ok(plain_file::walk(folder, usize::MAX, |_| true)?)
}

/// The records among the files of a folder.
///
/// # Errors
/// [`WaveformError::NoRecord`]; of a folder without records, what is not read.
pub(super) fn records_of(input: &Path, listing: &Listing) -> Result<Vec<PathBuf>, WaveformError> {
    let is_header = |path: &Path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("hea"));
    let (mut headers, others): (Vec<PathBuf>, Vec<PathBuf>) =
        once(input, &listing.files).into_iter().partition(|path| is_header(path));
    // Beside WFDB records, tables are about them (`numerics.csv`) and no signals of their own.
    if headers.is_empty() {
        headers = others.into_iter().filter(|path| is_plain(path)).collect();
    }
    let mut parts = HashSet::new();
    for path in &headers {
        if !is_plain(path)
            && let Ok(bytes) = plain_file::read(path)
        {
            let dir = path.parent().unwrap_or(Path::new(""));
            let names = Header::listed_segments(path, &String::from_utf8_lossy(&bytes));
            parts.extend(names.into_iter().map(|n| dir.join(format!("{n}.hea"))));
        }
    }
    headers.retain(|path| !parts.contains(path));
    headers.sort();
    if headers.is_empty() {
        listing.whole()?;
        return Err(WaveformError::NoRecord(input.to_path_buf()));
    }
    Ok(headers)
}

/// Each file once, under its own name where it lies in the folder: a link within the folder to a record in it is
/// not another record.
fn once(input: &Path, files: &[PathBuf]) -> Vec<PathBuf> {
    let root = fs::canonicalize(input).unwrap_or_else(|_| input.to_path_buf());
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let is_link =
        |path: &Path, real: &Path| path.strip_prefix(input).is_ok_and(|rest| root.join(rest) != real);
    let (links, mut all): (Vec<_>, Vec<_>) =
        files.iter().map(|path| (path, real(path))).partition(|(path, real)| is_link(path, real));
    let mut seen: HashSet<PathBuf> = all.iter().map(|(_, real)| real.clone()).collect();
    all.extend(links.into_iter().filter(|(_, real)| seen.insert(real.clone())));
    all.into_iter().map(|(path, _)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, name: &str, text: &str) {
        fs::write(dir.join(name), text).unwrap();
    }

    fn multi(dir: &Path) -> Record {
        write(dir, "m.hea", "m/4 1 10 9\nm_layout 0\nm_1 3\n~ 2\nm_2 4\n");
        write(dir, "m_layout.hea", "m_layout 1 10 0\n~ 0 1/mV 8 0 0 0 0 A\n");
        write(dir, "m_1.hea", "m_1 1 10 3\nm_1.dat 80\n");
        write(dir, "m_2.hea", "m_2 1 10 4\nm_2.dat 80\n");
        fs::write(dir.join("m_1.dat"), [129, 130, 131]).unwrap();
        fs::write(dir.join("m_2.dat"), [0, 127, 128, 129]).unwrap();
        Record::open(&dir.join("m")).unwrap()
    }

    #[test]
    fn segments_and_gaps_are_placed_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let record = multi(dir.path());
        let placed: Vec<_> =
            record.segments.iter().map(|s| (s.name.as_deref(), s.start, s.n_frames)).collect();
        assert_eq!(placed, [(Some("m_1"), 0, 3), (None, 3, 2), (Some("m_2"), 5, 4)]);
        assert_eq!(record.read_segment(&record.segments[1]).unwrap(), None);
        let last = record.read_segment(&record.segments[2]).unwrap().unwrap();
        assert_eq!(last[0].samples, [Signal::MISSING, -1, 0, 1]);
        // The segments belong to the record and are none themselves.
        assert_eq!(list_records(dir.path()).unwrap(), [dir.path().join("m.hea")]);
        // Also where their list is at fault.
        write(dir.path(), "m.hea", "m/9 1 10 9\nm_layout 0\nm_1 3\n~ 2\nm_2 five\n");
        assert_eq!(list_records(dir.path()).unwrap(), [dir.path().join("m.hea")]);
    }

    #[test]
    fn segments_that_contradict_the_record_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let record = multi(dir.path());
        let of = |i: usize| record.read_segment(&record.segments[i]).unwrap_err().to_string();
        write(dir.path(), "m_1.hea", "m_1 1 10 2\nm_1.dat 80\n");
        assert!(of(0).contains("segment `m_1`: the record says samples 3, the segment 2"), "{}", of(0));
        write(dir.path(), "m_1.hea", "m_1 1 20 3\nm_1.dat 80\n");
        assert!(of(0).contains("samples per second 10, the segment 20"), "{}", of(0));
        fs::remove_file(dir.path().join("m_2.hea")).unwrap();
        assert!(of(2).contains("segment `m_2` is missing"), "{}", of(2));
        write(dir.path(), "m.hea", "m/1 1 10 9\nm_1 3\n");
        let sum = Record::open(&dir.path().join("m.hea")).unwrap_err().to_string();
        assert!(sum.contains("the segments hold 3 samples, the record line says 9"), "{sum}");
        assert!(matches!(list_records(&dir.path().join("x")), Err(WaveformError::NoRecord(_))));
    }
}
