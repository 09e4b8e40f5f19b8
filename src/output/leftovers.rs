//! What killed processes left beside an output: unfinished outputs, and former outputs that were being
//! replaced.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::held::Held;
use super::remove::remove;

/// Ending of an output under construction.
const PARTIAL: &str = "partial";
/// Ending of a former output between the two renames that replace it.
pub(super) const FORMER: &str = "former";

/// The name under which this process builds the output `name`.
pub(super) fn stage_name(name: &str, attempt: u64) -> String {
    let process = std::process::id();
    match attempt {
        0 => format!(".{name}.{process}.{PARTIAL}"),
        _ => format!(".{name}.{process}-{attempt}.{PARTIAL}"),
    }
}

/// Removes what earlier processes left of the output `name` in `parent`. A former output whose successor
/// never came is put back into its place.
///
/// What cannot be listed or removed stays: it takes space and does no other harm.
pub(super) fn clear(parent: &Path, name: &str, target: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let Some(ending) = ending_of(&entry.file_name(), name) else { continue };
        let path = entry.path();
        let Some(_held) = Held::of_abandoned(&path) else { continue };
        if ending == FORMER && target.symlink_metadata().is_err() && fs::rename(&path, target).is_ok() {
            continue;
        }
        remove(&path);
    }
}

/// The ending of a file that some process made on the way to the output `name`.
fn ending_of(file: &OsStr, name: &str) -> Option<&'static str> {
    let (process, ending) =
        file.to_str()?.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let ours = match process.split_once('-') {
        Some((process, attempt)) => digits(process) && digits(attempt),
        None => digits(process),
    };
    [PARTIAL, FORMER].into_iter().find(|known| ours && *known == ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_output_and_of_this_program_are_cleared() {
        for (file, expected) in [
            (".out.12.partial", Some(PARTIAL)),
            (".out.12-3.partial", Some(PARTIAL)),
            (".out.12.former", Some(FORMER)),
            ("out.12.partial", None),
            (".out.partial", None),
            (".out.x.partial", None),
            (".out.12.partial.csv", None),
            (".out.csv.12.partial", None),
            (".other.12.partial", None),
        ] {
            assert_eq!(ending_of(OsStr::new(file), "out"), expected, "{file}");
        }
    }
}
