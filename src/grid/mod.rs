//! A causal flow for pictures: a number has a distribution that a network reads off the numbers before it.
//!
//! ```text
//! P(x) = Π_i P(x_i | x_j, j before i)        row after row, pixel after pixel, channel after channel
//! P(x_i | …) = w_0 [x_i = 0] + w_L [x_i = L−1] + w_u / L + Σ_k w_k ∫_{x_i} logistic(· ; c_i + m_k, s_k)
//! w, m, s = network(neighbours, means of areas further off, position)
//! ```
//!
//! One network per channel is shared by all places. c_i is a guess at the number from three neighbours, from
//! which the network's means count. The probabilities are those of whole numbers and add up to 1: there is no
//! noise and no bound. As a density of coordinates it is constant within a level, which makes it a
//! [`Density`](crate::density::Density) like every other.
//!
//! All numbers of a picture are judged at once; drawing one goes number by number, for many pictures
//! together.
//!
//! # References
//! Salimans et al. (2017), PixelCNN++, arXiv:1701.05517 (discretised logistics); Weinberger et al. (2000),
//! LOCO-I, IEEE Transactions on Image Processing 9:1309 (the guess).

mod complete;
mod fit;
mod levels;
mod model;
mod network;
mod sight;
#[cfg(test)]
mod tests;

pub use complete::Completions;
pub use fit::{GridConfig, GridError, fit_grid};
pub use model::GridFlow;
pub use network::GridShape;
pub use sight::{Canvas, Sight};
