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
}

/// One layer as the matrix it amounts to.
#[derive(Debug, Clone, Serialize)]
pub struct LearnedLayer {
    /// Which block, counted from 1.
    pub block: usize,
    /// Effective matrix, output by input; left out where there are too many coordinates to draw.
    pub matrix: Option<Vec<Vec<f64>>>,
    /// Input that the nearest signed permutation takes to each output.
    pub permutation: Vec<usize>,
    /// Distance to that permutation: 0 is a permutation, 1 is as far as no matrix at all.
    pub distance: Option<f64>,
    /// Coordinates the permutation leaves in place.
    pub n_in_place: usize,
    /// Natural logarithm of the absolute determinant: nats the layer adds to every record.
    pub log_determinant: Option<f64>,
    /// Ratio of the largest to the smallest singular value.
    pub condition: Option<f64>,
    /// Strongest exchanges between two different coordinates.
    pub strongest: Vec<Exchange>,
}

/// How much of one coordinate a layer puts into another.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// Coordinate that is taken from.
    pub from: String,
    /// Position it goes to, by the name it entered the layer with.
    pub to: String,
    /// Entry of the matrix.
    pub weight: f64,
}
