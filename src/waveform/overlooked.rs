//! Files of a folder that belong to no record: signal files without a header, and records that a list names
//! and that are not there. A copy that is not complete looks like a smaller study.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::WaveformError;
use crate::error::IoError;
use crate::message::{Message, Weight};
use crate::plain_file;

/// Names given in a sentence; more are counted.
const NAMED: usize = 5;

/// What to say of the files below `input` that no header of the folder speaks of.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn overlooked(input: &Path) -> Result<Vec<Message>, WaveformError> {
    let (mut orphans, mut missing, mut listed) = (Vec::new(), Vec::new(), 0);
    let mut has_headers = false;
    let mut folders = vec![input.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let (mut signals, mut spoken_of) = (Vec::new(), HashSet::new());
        for entry in fs::read_dir(&folder).map_err(IoError::on("read", &folder))? {
            let entry = entry.map_err(IoError::on("read", &folder))?;
            let path = entry.path();
            if entry.file_type().map_err(IoError::on("read", &path))?.is_dir() {
                folders.push(path);
            } else if has_ending(&path, "hea") {
                has_headers = true;
                // A signal line begins with the name of its file.
                let text = plain_file::read(&path).map_err(IoError::on("read", &path))?;
                let text = String::from_utf8_lossy(&text);
                spoken_of.extend(
                    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned),
                );
            } else if has_ending(&path, "dat") {
                signals.push(path);
            } else if path.file_name().is_some_and(|name| name == "RECORDS") {
                let text = plain_file::read(&path).map_err(IoError::on("read", &path))?;
                for name in
                    String::from_utf8_lossy(&text).lines().map(str::trim).filter(|name| !name.is_empty())
                {
                    listed += 1;
                    let place = folder.join(name);
                    if !place.is_dir() && !folder.join(format!("{name}.hea")).is_file() {
                        missing.push(place);
                    }
                }
            }
        }
        signals.retain(|path| !path.file_name().is_some_and(|n| spoken_of.contains(&*n.to_string_lossy())));
        orphans.append(&mut signals);
    }
    // In a folder of tables, such files are something else.
    if !has_headers {
        return Ok(Vec::new());
    }
    let mut messages = Vec::new();
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
    use super::*;

    #[test]
    fn signals_without_a_header_and_listed_records_that_are_missing_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        fs::create_dir(dir.path().join("p2")).unwrap();
        write("b.dat", "");
        write("RECORDS", "a\np2/\nmissing\n");
        assert!(overlooked(dir.path()).unwrap().is_empty(), "no WFDB records");
        write("a.hea", "a 1 10 3\na.dat 80\n");
        write("a.dat", "");
        write("p2/a.dat", "");
        let said: Vec<String> = overlooked(dir.path()).unwrap().into_iter().map(|m| m.text).collect();
        assert!(
            said[0].starts_with("2 signal files have no header and are left out: `b.dat`, `p2/a.dat`;"),
            "{said:?}"
        );
        assert_eq!(said[1], "1 of 3 records that the file RECORDS lists is not there: `missing`");
    }
}
