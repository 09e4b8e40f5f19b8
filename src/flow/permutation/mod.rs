//! Finds permutations for the butterflies: from the likelihood, where the later layers prefer one permutation
//! to another, or from the dependence in the data, where nothing has been trained yet.
//!
//! A butterfly can represent every permutation, but gradient steps do not find them: all matrices between two
//! permutations mix coordinates that belong apart. The search is therefore discrete, and its result is routed
//! exactly through the switches of the layer ([`Flow::route_permutation`](super::Flow::route_permutation)).
//! Gradient steps then continue from there.
//!
//! [`search()`] improves a permutation by exchanging two coordinates at a time, judged by the log-density of
//! the records. [`arrange`] decides before any training which coordinates condition which.

mod arrange;
mod search;

pub use arrange::{arrange, dependence};
pub use search::{Found, Objective, SearchParams, search};
