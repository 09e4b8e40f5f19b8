//! Pictures: what takes the place of tables by coordinate.

use serde::Serialize;

use crate::report::Cell;

/// Section of a bundle of pictures.
#[derive(Debug, Clone, Serialize)]
pub struct Pictures {
    /// Model shown.
    pub model: String,
    /// Rows of a picture.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Levels of a number.
    pub levels: u32,
    /// Numbers of a picture.
    pub n_dimensions: usize,
    /// Pictures that the model drew.
    pub samples: Vec<ShownPicture>,
    /// What needs a test split; none without one that may be looked at.
    pub held_out: Option<HeldOutPictures>,
}

/// The pictures of the test split.
#[derive(Debug, Clone, Serialize)]
pub struct HeldOutPictures {
    /// Split looked at.
    pub split: String,
    /// Its pictures.
    pub n: Cell,
    /// Models in the order given.
    pub models: Vec<BitsPerDimension>,
    /// What pictures and samples look like, in numbers.
    pub texture: Vec<Texture>,
    /// How often records are below a level, by score.
    pub scores: Vec<ScoreRates>,
    /// Pictures over the whole range of likelihoods, least likely first; empty unless identifiable.
    pub records: Vec<ShownPicture>,
    /// Most likely first; empty unless identifiable.
    pub most_likely: Vec<ShownPicture>,
    /// Least likely first; empty unless identifiable.
    pub least_likely: Vec<ShownPicture>,
}

/// Held-out bits of a model for each number of a picture. Lower is better.
#[derive(Debug, Clone, Serialize)]
pub struct BitsPerDimension {
    /// Model name.
    pub model: String,
    /// Whether it is the probability of the levels themselves; otherwise it is a bound, with noise added to
    /// the levels.
    pub exact: bool,
    /// Mean over pictures.
    pub mean: f64,
    /// Its standard error.
    pub error: Option<f64>,
    /// The same by the importance-weighted bound.
    pub importance_weighted: Option<f64>,
    /// Mean of this − best, picture by picture.
    pub difference: f64,
    /// Its standard error.
    pub difference_error: Option<f64>,
}

/// A property of the levels, as a mean over all pictures.
#[derive(Debug, Clone, Serialize)]
pub struct Texture {
    /// What is measured.
    pub name: String,
    /// Of held-out pictures, where there are enough of them.
    pub held_out: Option<f64>,
    /// Of samples.
    pub samples: f64,
}

/// The p-values of a score.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreRates {
    /// Name of the score.
    pub score: String,
    /// Whether `flag` ranks by it when nothing else is asked for.
    pub is_default: bool,
    /// One for each level.
    pub rates: Vec<ScoreRate>,
}

/// How many pictures are below a level.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreRate {
    /// The level.
    pub alpha: f64,
    /// The share that pictures like the calibration pictures have below it.
    pub expected: f64,
    /// The share of the split, where it tells of nobody.
    pub observed: Option<f64>,
    /// 95 % interval.
    pub low: Option<f64>,
    /// 95 % interval.
    pub high: Option<f64>,
}

/// A picture that is drawn. Its levels and its map are not part of the machine-readable form: `sample` and
/// `flag --maps` write them.
#[derive(Debug, Clone, Serialize)]
pub struct ShownPicture {
    /// Record id, or the number of a sample.
    pub name: String,
    /// Bits for each number, under the model shown.
    pub bits: f64,
    /// Its levels.
    #[serde(skip)]
    pub levels: Vec<u8>,
    /// Nats of each number beyond what is expected of it, where the model tells.
    #[serde(skip)]
    pub surplus: Option<Vec<f32>>,
}
