//! What the linear layers of a flow became.

use serde::Serialize;

/// The linear layers of one model, in the order data pass them.
#[derive(Debug, Clone, Serialize)]
pub struct Learned {
    /// Model name.
    pub model: String,
    /// What mixes the coordinates: "butterfly", "glow-lu", "realnvp".
    pub kind: String,
    /// Names of the coordinates: features, then missing indicators.
    pub coordinates: Vec<String>,
    /// First to last.
    pub layers: Vec<LearnedLayer>,
    /// Why there are none, where a layer could not be looked at.
    pub fault: Option<String>,
}

/// One layer as the matrix it amounts to.
#[derive(Debug, Clone, Serialize)]
pub struct LearnedLayer {
    /// Which block, counted from 1.
    pub block: usize,
    /// Parameters that make it up; 0 for a fixed permutation.
    pub n_parameters: usize,
    /// Effective matrix, output by input; left out where there are too many coordinates to draw.
    pub matrix: Option<Vec<Vec<f64>>>,
    /// Coordinate that each input mainly carries, by the nearest permutations of the layers before.
    pub inputs: Vec<String>,
    /// Input that the nearest signed permutation takes to each output.
    pub permutation: Vec<usize>,
    /// Root mean square difference from that permutation: 0 is one, 1 is the zero matrix.
    pub distance: Option<f64>,
    /// Share of the squared entries that lie on it.
    pub share_on_permutation: Option<f64>,
    /// Coordinates the permutation leaves in place.
    pub n_in_place: usize,
    /// Determinant.
    pub determinant: Option<f64>,
    /// Natural logarithm of its absolute value: nats the layer adds to every record.
    pub log_determinant: Option<f64>,
    /// Ratio of the largest to the smallest singular value.
    pub condition: Option<f64>,
    /// Coordinates it mixes most, strongest first.
    pub strongest: Vec<Mixing>,
}

/// Two coordinates a layer mixes.
#[derive(Debug, Clone, Serialize)]
pub struct Mixing {
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
    /// From 0, where no output depends on both, to 1, where all outputs see them alike.
    pub strength: f64,
}
