//! The division of a flow's flat parameter buffer into named arrays.

use std::ops::Range;

use super::bijector::ParameterSpec;

/// A named array in the parameter buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterView {
    /// Full name, such as "block.3.coupling.w1", "block.0.linear.angle" or "base.mean".
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Range of the array in the buffer.
    pub range: Range<usize>,
    /// Whether weight decay applies to the array.
    pub weight_decay: bool,
}

/// Lays arrays out one after the other, from `start` on.
pub(crate) fn views(
    mut start: usize,
    specs: impl IntoIterator<Item = ParameterSpec>,
) -> impl Iterator<Item = ParameterView> {
    specs.into_iter().map(move |spec| {
        let range = start..start + spec.len();
        start = range.end;
        let ParameterSpec { name, shape, weight_decay } = spec;
        ParameterView { name, shape, range, weight_decay }
    })
}
