//! What a table of pictures must hold: a level in every cell. Anything else would be taken for the nearest
//! level, or for a number of which nothing is known, and the picture judged as another one.

use ndarray::ArrayView2;

use super::Error;
use crate::artifact::ModelArtifact;
use crate::features::{Encoder, Shape};

/// Levels of the pictures that a model is of; none for a model of other records.
pub(super) fn of(model: &ModelArtifact) -> Option<u32> {
    match model.header.terms.as_ref()?.shape {
        Shape::Table | Shape::Windows { .. } => None,
        Shape::Grid { levels, .. } => Some(levels),
    }
}

/// Whether a cell of a picture may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    /// It is drawn.
    Allowed,
    /// A picture is judged whole.
    Refused,
}

/// Checks the pictures of a table, the first of which stands in row `before` + 1.
///
/// # Errors
/// A cell without a level, by its row and column.
pub(super) fn check(
    encoder: &Encoder,
    levels: u32,
    raw: ArrayView2<'_, f64>,
    before: usize,
    gaps: Gaps,
) -> Result<(), Error> {
    let is_level = |x: f64| x.fract() == 0.0 && (0.0..f64::from(levels)).contains(&x);
    let fits = |x: f64| if x.is_nan() { gaps == Gaps::Allowed } else { is_level(x) };
    let Some(((row, column), value)) = raw.indexed_iter().find(|(_, x)| !fits(**x)) else { return Ok(()) };
    let (what, hint) = if value.is_nan() {
        ("is empty, and a picture is judged whole", "complete it by `sample --given`, or leave the row out")
    } else {
        ("holds no level of the model", "take pictures that `ingest images` read with the same settings")
    };
    Err(Error::Usage {
        message: format!(
            "column `{}`: row {} {what}; levels are whole numbers from 0 to {}",
            encoder.columns[column].meta.name,
            before + row + 1,
            levels - 1
        ),
        hint: hint.into(),
    })
}
