//! Finding a permutation: by the likelihood where something downstream has a preference, by the dependence in the data
//! where nothing has one yet.
//!
//! A butterfly reaches every permutation, but gradient steps do not find them: between two permutations lie only matrices
//! that mix what belongs apart. So the search is discrete and its result is routed through the layer's switches exactly
//! ([`Flow::route_permutation`](super::Flow::route_permutation)); gradients then continue from there.
//!
//! [`search()`] improves a permutation by exchanging two coordinates at a time, judged by the log-density of the records;
//! [`arrange`] decides, before any training, which coordinates condition which.

mod arrange;
mod search;

pub use arrange::{arrange, dependence};
pub use search::{Found, Objective, SearchParams, search};
