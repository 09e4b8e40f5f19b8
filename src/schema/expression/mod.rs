//! The language of derived variables: arithmetic over other variables.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = power (("*" | "/") power)*
//! power   = ["-"] atom ["^" ["-"] atom]
//! atom    = NUMBER | NAME [":" AGGREGATION] | FUNCTION "(" sum ("," sum)* ")" | "(" sum ")"
//! ```
//!
//! A bare name of a measured variable stands for its measurements, taken together by time; with an
//! aggregation (`weight:first`) for the aggregate over the same window; a fact of the record (`age`) for
//! itself; `hours` for the length of the window, up to the end of the record. What is missing makes the
//! result missing, except in `coalesce(a, b, …)`, the first that is there. A result that is not finite is
//! missing.
//!
//! A part is missing because nothing was recorded (*absent*) or because what was recorded cannot be used
//! (*rejected*). A constant at the end of `coalesce` says what absence means, and never stands in for
//! something rejected: with an unusable rate, `coalesce(rate:max, 0)` is missing and not 0. Another
//! measurement may stand in for it.

mod parser;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use tree::{Expression, ExpressionProblem, Function, Node, Operand};
pub use value::Known;
