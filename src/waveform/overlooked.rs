//! Files of a folder that belong to no record: signal files without a header, and records that a list names
//! and that are not there. A copy that is not complete looks like a smaller study.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::WaveformError;
use crate::error::IoError;
use crate::message::{Message, Weight};
use crate::plain_file::{self, Listing};

/// Names given in a sentence; more are counted.
const NAMED: usize = 5;

/// What to say of the files of a folder that no header of the folder speaks of, and of what is not read.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn overlooked(input: &Path, listing: &Listing) -> Result<Vec<Message>, WaveformError> {
    let (mut signals, mut missing, mut listed) = (Vec::new(), Vec::new(), 0);
    let mut has_headers = false;
    // By folder, because headers speak of files beside them.
    let mut spoken_of: HashSet<PathBuf> = HashSet::new();
    for path in &listing.files {
        let folder = path.parent().unwrap_or(input);
        if has_ending(path, "hea") {
            has_headers = true;
            // A signal line begins with the name of its file.
            let text = plain_file::read(path).map_err(IoError::on("read", path))?;
            let text = String::from_utf8_lossy(&text);
            let first = text.lines().filter_map(|line| line.split_whitespace().next());
            spoken_of.extend(first.map(|name| folder.join(name)));
        } else if has_ending(path, "dat") {
            signals.push(path.clone());
        } else if path.file_name().is_some_and(|name| name == "RECORDS") {
            let text = plain_file::read(path).map_err(IoError::on("read", path))?;
            let text = String::from_utf8_lossy(&text);
            for name in text.lines().map(str::trim).filter(|name| !name.is_empty()) {
                listed += 1;
                let place = folder.join(name);
                if !place.is_dir() && !folder.join(format!("{name}.hea")).is_file() {
                    missing.push(place);
                }
            }
        }
    }
    let mut messages = listing.told(input);
    signals.retain(|path| !spoken_of.contains(path));
    let mut orphans = signals;
    // In a folder of tables, such files are something else.
    if !has_headers {
        return Ok(messages);
    }
    if !orphans.is_empty() {
        let n = orphans.len();
        let text = format!(
            "{n} signal {} no header and {} left out: {}; put the .hea {} beside {} to read {}",
            if n == 1 { "file has" } else { "files have" },
            if n == 1 { "is" } else { "are" },
            names(input, &mut orphans),
            if n == 1 { "file" } else { "files" },
            if n == 1 { "it" } else { "them" },
            if n == 1 { "it" } else { "them" },
        );
        messages.push(Message::records(Weight::LeftOut, text).counting(n));
    }
    if !missing.is_empty() {
        let n = missing.len();
        let text = format!(
            "{n} of {listed} records that the file RECORDS lists {} not there: {}",
            if n == 1 { "is" } else { "are" },
            names(input, &mut missing),
        );
        messages.push(Message::records(Weight::LeftOut, text).counting(n));
    }
    Ok(messages)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

/// The first names in order, from the input on.
fn names(input: &Path, paths: &mut [PathBuf]) -> String {
    paths.sort();
    let shown = paths
        .iter()
        .take(NAMED)
        .map(|path| format!("`{}`", path.strip_prefix(input).unwrap_or(path).display()));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if paths.len() > NAMED { format!("{shown} and {} more", paths.len() - NAMED) } else { shown }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::waveform::record::look_into;

    #[test]
    fn signals_without_a_header_and_listed_records_that_are_missing_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        fs::create_dir(dir.path().join("p2")).unwrap();
        write("b.dat", "");
        write("RECORDS", "a\np2/\nmissing\n");
        assert!(
            overlooked(dir.path(), &look_into(dir.path()).unwrap()).unwrap().is_empty(),
            "no WFDB records"
        );
        write("a.hea", "a 1 10 3\na.dat 80\n");
        write("a.dat", "");
        write("p2/a.dat", "");
        let said: Vec<String> = overlooked(dir.path(), &look_into(dir.path()).unwrap())
            .unwrap()
            .into_iter()
            .map(|m| m.text)
            .collect();
        assert!(
            said[0].starts_with("2 signal files have no header and are left out: `b.dat`, `p2/a.dat`;"),
            "{said:?}"
        );
        assert_eq!(said[1], "1 of 3 records that the file RECORDS lists is not there: `missing`");
    }
}
