//! Which of the files of a folder make a table, by their names.

use super::IngestError;
use super::files::SourceFile;
use super::text::matches;

/// Whether a stem is what a pattern with a folder means: `hosp/labevents` is the file in its folder, and, for
/// extracts laid out in another way, `hosp.labevents` and `labevents` without a folder.
fn is_of_folder(pattern: &str, stem: &str) -> bool {
    let Some((_, name)) = pattern.rsplit_once('/') else { return false };
    let dotted = pattern.replace('/', ".");
    matches(pattern, stem)
        || !stem.contains('/') && (matches(&dotted, stem) || name != "*" && matches(name, stem))
}

/// The stem a numbered part belongs to: `chartevents` for `chartevents_2`.
fn part_of(stem: &str) -> Option<&str> {
    let (head, number) = stem.rsplit_once('_')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(head)
}

/// The files of a table: those whose stem matches one of the patterns, with or without a number
/// (`CHARTEVENTS_2`), in name order.
///
/// # Errors
/// [`IngestError::AmbiguousFiles`] when two differ in extension or letter case only; one of them, or a folder that
/// a pattern names, is not read.
pub(super) fn of_table(
    files: &[SourceFile],
    table: &str,
    patterns: &[String],
) -> Result<Vec<SourceFile>, IngestError> {
    let found: Vec<_> = files
        .iter()
        .filter(|f| patterns.iter().any(|pattern| is_of(&f.stem, &pattern.to_lowercase())))
        .cloned()
        .collect();
    found.iter().try_for_each(SourceFile::readable)?;
    let folders = files.iter().filter(|f| f.refused.as_ref().is_some_and(|refused| refused.is_folder));
    let mut needed = folders.filter(|f| patterns.iter().any(|p| is_folder_of(&f.stem, &p.to_lowercase())));
    needed.try_for_each(SourceFile::readable)?;
    for (i, file) in found.iter().enumerate() {
        let twice = |other: &SourceFile| other.stem == file.stem || is_flat_copy(patterns, other, file);
        if found[..i].iter().any(twice) {
            let files = found.iter().filter(|f| twice(f)).map(|f| f.name.clone()).collect();
            return Err(IngestError::AmbiguousFiles { table: table.to_string(), files });
        }
    }
    Ok(found)
}

/// Whether a file's stem is that of a pattern, with or without the number of a part.
pub(super) fn is_of(stem: &str, pattern: &str) -> bool {
    let is = |stem: &str| {
        if pattern.contains('/') {
            is_of_folder(pattern, stem)
        } else {
            !stem.contains('/') && matches(pattern, stem)
        }
    };
    is(stem) || part_of(stem).is_some_and(is)
}

/// Whether a pattern looks for files in a folder or within it: `hosp` is one of `hosp/labevents`.
fn is_folder_of(folder: &str, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split('/').collect();
    (1..parts.len()).any(|n| matches(&parts[..n].join("/"), folder))
}

/// Whether two files are one table in two layouts, with its folder and without.
fn is_flat_copy(patterns: &[String], one: &SourceFile, other: &SourceFile) -> bool {
    let name = |file: &SourceFile| file.stem.rsplit('/').next().map(str::to_owned);
    let of_named = patterns.iter().any(|p| p.rsplit_once('/').is_some_and(|(_, name)| !name.contains('*')));
    of_named && name(one) == name(other)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ingest::files::{list, tree};

    #[test]
    fn numbered_parts_belong_to_their_table() {
        for (stem, table) in [("chartevents_2", Some("chartevents")), ("inputevents_cv", None), ("a_", None)]
        {
            assert_eq!(part_of(stem), table, "{stem}");
        }
    }

    #[test]
    fn patterns_match_stems() {
        for (pattern, stem, expected) in [
            ("chartevents", "chartevents", true),
            ("chartevents", "chartevents2", false),
            ("set_*", "set_a", true),
            ("set_*", "outset_a", false),
            ("*_part*", "labs_part1", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, stem), expected, "{pattern} {stem}");
        }
    }

    #[test]
    fn a_table_of_a_folder_is_found_in_any_layout() {
        for (pattern, stem, expected) in [
            ("hosp/labevents", "hosp/labevents", true),
            ("hosp/labevents", "hosp.labevents", true),
            ("hosp/labevents", "labevents", true),
            ("hosp/labevents", "icu/labevents", false),
            ("icu*/chartevents", "icu-derived/chartevents", true),
            ("data/*", "data/train/0", true),
            ("data/*", "metadata", false),
            ("data/*", "0", false),
        ] {
            assert_eq!(is_of_folder(pattern, stem), expected, "{pattern} {stem}");
        }
    }

    #[test]
    fn a_table_in_two_layouts_is_ambiguous() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("Hosp")).unwrap();
        fs::write(dir.path().join("Hosp/Labs.csv"), "a\n1\n").unwrap();
        let files = tree(dir.path()).unwrap();
        let patterns = ["hosp/labs".to_owned()];
        let found = of_table(&files, "labs", &patterns).unwrap();
        assert_eq!(found[0].name, "Hosp/Labs.csv");
        fs::write(dir.path().join("labs.csv"), "a\n1\n").unwrap();
        let error = of_table(&tree(dir.path()).unwrap(), "labs", &patterns).unwrap_err();
        assert!(matches!(error, IngestError::AmbiguousFiles { .. }), "{error}");
    }

    #[test]
    fn folder_without_tables_and_doubled_tables_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("readme.txt"), "x").unwrap();
        assert!(matches!(list(dir.path()), Err(IngestError::NoFiles(_))));
        fs::write(dir.path().join("LABS.csv"), "a\n1\n").unwrap();
        fs::write(dir.path().join("labs.parquet"), "").unwrap();
        let files = list(dir.path()).unwrap();
        let error = of_table(&files, "LABS", &["labs".into()]).unwrap_err();
        assert!(
            matches!(error, IngestError::AmbiguousFiles { ref files, .. } if files.len() == 2),
            "{error}"
        );
    }
}
