//! How the flat buffer of a flow's parameters is divided into named arrays.

use std::ops::Range;

/// One named array of the parameter buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterView {
    /// Name: "block.3.coupling.w1", "block.0.linear.angle", "base.mean".
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Where it lies in the buffer.
    pub range: Range<usize>,
    /// Whether weight decay applies to it.
    pub weight_decay: bool,
}
