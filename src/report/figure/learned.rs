//! Linear layers as maps.

use super::Figure;
use super::heat::matrix;
use crate::report::ReportError;
use crate::report::data::Learned;

/// Layers drawn per model: the first, whose inputs are the features themselves, and the last.
const DRAWN: usize = 2;

/// Effective matrices of the layers whose inputs can be told apart on a map.
///
/// # Errors
/// [`ReportError::Draw`] when the drawing library fails.
pub fn learned(models: &[Learned]) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    for model in models {
        let layers: Vec<_> = model.layers.iter().filter(|l| l.matrix.is_some()).collect();
        let n = layers.len();
        for (i, layer) in layers.into_iter().enumerate() {
            if i + 1 >= DRAWN && i + 1 < n {
                continue;
            }
            let Some(values) = &layer.matrix else { continue };
            let values: Vec<Vec<Option<f64>>> =
                values.iter().map(|row| row.iter().map(|v| Some(*v)).collect()).collect();
            let title = format!("{}, layer {}", model.model, layer.block);
            figures.push(matrix(&title, &layer.inputs, &values, &layer.permutation)?);
        }
    }
    Ok(figures)
}
