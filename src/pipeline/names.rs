//! Features by the names users give them.

use crate::features::FittedColumn;

use super::Error;

/// Positions of the features called `names`, in that order; `option` and `owner` ("bundle", "model") are for
/// messages.
///
/// # Errors
/// [`Error::Usage`] with all names that `columns` have not, or one that is given twice.
pub(super) fn positions(
    option: &str,
    owner: &str,
    columns: &[FittedColumn],
    names: &[String],
) -> Result<Vec<usize>, Error> {
    let known: Vec<&str> = columns.iter().map(|c| c.meta.name.as_str()).collect();
    let (mut found, mut unknown) = (Vec::with_capacity(names.len()), Vec::new());
    let mut rest = names;
    while let [first, ..] = rest {
        // A name may hold the commas that separate names: the longest one that is known is meant.
        let name = |n: usize| rest[..n].join(",");
        let longest = (1..=rest.len()).rev().find(|&n| known.contains(&name(n).trim()));
        let n = longest.unwrap_or(1);
        match known.iter().position(|k| *k == name(n).trim()) {
            Some(at) if found.contains(&at) => {
                return Err(Error::Usage {
                    message: format!("{option}: `{}` is named twice", name(n).trim()),
                    hint: "name each feature once".into(),
                });
            }
            Some(at) => found.push(at),
            None => unknown.push(format!("`{}`", first.trim())),
        }
        rest = &rest[n..];
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    Err(Error::Usage {
        message: format!("{option}: the {owner} has no feature {}", unknown.join(", ")),
        hint: format!("its features are {}", listed(&known)),
    })
}

/// Names in a row, the first of them where they are many.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 24;
    // A line break in a name must not break the message.
    let shown = |name: &S| name.as_ref().replace(['\n', '\r', '\t'], " ");
    let text = names.iter().take(MOST).map(shown).collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{text} and {} more", names.len() - MOST) } else { text }
}
