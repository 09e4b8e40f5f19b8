//! `report --review`: the flags of a table, for a reader who marks them.

use std::path::Path;

use crate::features::Bundle;
use crate::report::Reviewed;

use super::Error;
use super::flag_table::FlagTable;

/// Reads the flags that are to be reviewed beside a bundle.
///
/// # Errors
/// A file that is no table of flags; flags explained by features that the bundle does not have.
pub(super) fn read_review(bundle: &Bundle, path: &Path) -> Result<Reviewed, Error> {
    let table = FlagTable::read(path)?;
    let columns = &bundle.manifest.encoder.columns;
    let known = |name: &str| name.is_empty() || columns.iter().any(|column| column.meta.name == name);
    if let Some(flag) = table.flags.iter().find(|flag| !known(&flag.feature)) {
        return Err(Error::Usage {
            message: format!(
                "--review: the flags in {} name the feature `{}`, which the bundle does not have",
                path.display(),
                flag.feature
            ),
            hint: "name the bundle that the model behind the flags was fitted on".into(),
        });
    }
    Ok(Reviewed {
        file: table.file.name.clone(),
        fingerprint: table.fingerprint().to_owned(),
        n_rows: table.n_rows,
        flags: table.flags,
    })
}
