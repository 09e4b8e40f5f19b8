//! Gaps in pictures that `sample --given` completes.

use ndarray::Array2;

use super::Error;
use crate::artifact::ModelArtifact;
use crate::grid::Canvas;

/// A rectangle of pixels of every picture: top, left, height and width.
pub type Gap = [usize; 4];

/// Empties the numbers of a rectangle in all pictures.
///
/// # Errors
/// A model that is no causal flow of pictures; a rectangle that reaches beyond them.
pub(super) fn empty(model: &ModelArtifact, raw: &mut Array2<f64>, gap: Gap) -> Result<(), Error> {
    let Some(flow) = model.pictures() else {
        return Err(Error::Usage {
            message: "--mask names pixels, and the model is no causal flow of pictures".into(),
            hint: "leave the cells to complete empty in the table that --given names".into(),
        });
    };
    let Canvas { height, width, channels, .. } = flow.canvas();
    let [top, left, rows, columns] = gap;
    let fits = |from: usize, n: usize, of: usize| n > 0 && from.checked_add(n).is_some_and(|end| end <= of);
    if !fits(top, rows, height) || !fits(left, columns, width) {
        return Err(Error::Usage {
            message: format!(
                "--mask {top},{left},{rows},{columns} reaches beyond pictures of {height} × {width} pixels, \
                 or is empty"
            ),
            hint: "give top, left, height and width in pixels, counted from 0".into(),
        });
    }
    for mut picture in raw.rows_mut() {
        for row in top..top + rows {
            for at in (row * width + left) * channels..(row * width + left + columns) * channels {
                picture[at] = f64::NAN;
            }
        }
    }
    Ok(())
}
