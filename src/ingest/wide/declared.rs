//! What a pipeline declares of the columns of a table, found by their names.

use crate::ingest::IngestError;
use crate::ingest::spelling::Spelling;
use crate::ingest::text::unguarded;
use crate::schema::{DecimalMark, Kind, WideTable};

/// What a pipeline says of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Id,
    Group,
    Split,
    Ignore,
    /// Kept beside the features; what it holds is judged by its values.
    Label,
    Kind(Kind),
}

/// The declarations of a column.
#[derive(Debug, Clone)]
pub(super) struct Declaration {
    pub(super) role: Option<Declared>,
    /// The texts read as missing; everything else is learnt.
    pub(super) spelling: Spelling,
    pub(super) decimal: Option<DecimalMark>,
}

/// Place of a column: by name, else by trimmed name without regard to letter case, if only one is called so.
pub(super) fn place(header: &[String], name: &str) -> Option<usize> {
    if let Some(at) = header.iter().position(|h| h == name) {
        return Some(at);
    }
    let plain = |name: &str| unguarded(name.trim()).to_lowercase();
    let wanted = plain(name);
    let mut alike = (0..header.len()).filter(|&at| plain(&header[at]) == wanted);
    match (alike.next(), alike.next()) {
        (Some(at), None) => Some(at),
        _ => None,
    }
}

/// The declarations of every column of a header.
///
/// # Errors
/// [`IngestError::MissingColumns`] with all declared columns that `file` does not have.
pub(super) fn declarations(
    wide: &WideTable,
    header: &[String],
    file: &str,
) -> Result<Vec<Declaration>, IngestError> {
    let blank = Declaration {
        role: None,
        spelling: Spelling::with_missing(wide.missing.clone()),
        decimal: wide.decimal,
    };
    let mut all = vec![blank; header.len()];
    let mut absent: Vec<String> = Vec::new();
    let mut at = |name: &String| {
        let found = place(header, name);
        if found.is_none() && !absent.contains(name) {
            absent.push(name.clone());
        }
        found
    };
    // The last word counts: `--set` comes after the file.
    let kinds = wide.kinds.iter().map(|(name, kind)| (name, Declared::Kind(*kind)));
    let ignored = wide.ignore.iter().map(|name| (name, Declared::Ignore));
    let labels = wide.labels.iter().map(|name| (name, Declared::Label));
    let single = [(&wide.group, Declared::Group), (&wide.split, Declared::Split), (&wide.id, Declared::Id)];
    let single = single.iter().filter_map(|(name, role)| Some((name.as_ref()?, *role)));
    for (name, role) in kinds.chain(ignored).chain(labels).chain(single) {
        if let Some(at) = at(name) {
            all[at].role = Some(role);
        }
    }
    for (name, codes) in &wide.missing_in {
        if let Some(at) = at(name) {
            all[at].spelling.missing.extend(codes.iter().cloned());
        }
    }
    for (name, mark) in &wide.decimal_in {
        if let Some(at) = at(name) {
            all[at].decimal = Some(*mark);
        }
    }
    if absent.is_empty() {
        Ok(all)
    } else {
        Err(IngestError::MissingColumns(vec![(file.to_string(), absent)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_letter_case_are_two_columns() {
        let header: Vec<String> = ["Age", "age", "Sex", "a.b = c"].map(String::from).to_vec();
        assert_eq!(place(&header, "age"), Some(1));
        assert_eq!(place(&header, "AGE"), None);
        assert_eq!(place(&header, " sex"), Some(2));
        let mut wide = WideTable::undeclared();
        wide.kinds = vec![("age".into(), Kind::Count), ("a.b = c".into(), Kind::Binary)];
        wide.missing_in = vec![("SEX".into(), vec!["9".into()])];
        let all = declarations(&wide, &header, "t.csv").unwrap();
        assert_eq!((all[0].role, all[1].role), (None, Some(Declared::Kind(Kind::Count))));
        assert_eq!(all[3].role, Some(Declared::Kind(Kind::Binary)));
        assert!(all[2].spelling.missing.contains(&"9".to_string()));
        wide.ignore = vec!["AGE".into()];
        assert!(declarations(&wide, &header, "t.csv").is_err());
    }
}
