//! The language of derived variables: arithmetic over other variables.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = power (("*" | "/") power)*
//! power   = ["-"] atom ["^" ["-"] atom]
//! atom    = NUMBER | NAME [":" AGGREGATION] | FUNCTION "(" sum ("," sum)* ")" | "(" sum ")"
//!         | PAST "(" NAME "," HOURS ")"
//! ```
//!
//! A bare name of a measured variable stands for its measurements, taken together by time; with an
//! aggregation (`weight:first`) for the aggregate over the same window; a fact of the record (`age`) for
//! itself; `hours` for the length of the window, up to the end of the record. What is missing makes the
//! result missing, except in `coalesce(a, b, …)`, the first that is there. A result that is not finite is
//! missing.
//!
//! Scores need five things besides. `steps(x, v, b, w, …)` is a table: v below b, w from b on, and so forth;
//! `steps_above` has w above b alone. `lowest(x, h)`, `highest(x, h)` and `total(x, h)` are made of the
//! measurements of the h hours up to the moment. `elapsed` are the hours from the start of the record to the
//! moment. `where(x, c)` is x, and absent where c is 0. `part(x)` is x, and where x is absent, 0 or absent,
//! as the pipeline says by `missing_parts`.
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

pub use tree::{Expression, ExpressionProblem, Fold, Function, Node, Operand, Past};
pub use value::Known;
