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
    for name in names.iter().map(|name| name.trim()) {
        match known.iter().position(|k| *k == name) {
            Some(at) if found.contains(&at) => {
                return Err(Error::Usage {
                    message: format!("{option}: `{name}` is named twice"),
                    hint: "name each feature once".into(),
                });
            }
            Some(at) => found.push(at),
            None => unknown.push(format!("`{name}`")),
        }
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
    let text = names.iter().take(MOST).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{text} and {} more", names.len() - MOST) } else { text }
}
