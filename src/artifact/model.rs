//! What every fitted density can be asked besides its likelihood.

use std::fmt;
use std::sync::Arc;

use super::tensors::Tensor;
use crate::baseline::Mixture;
use crate::density::Density;
use crate::features::GraphCoordinates;
use crate::flow::Flow;
use crate::grid::GridFlow;
use crate::onnx::{Graph, Inexpressible, Value};

/// A fitted density that can be written to a model folder. Only its tensors are needed; the other questions
/// have an answer for some families alone.
pub trait Model: Density + fmt::Debug {
    /// All its numbers by name.
    fn tensors(&self) -> Vec<Tensor>;

    /// The model as a normalising flow, whose layers can be looked at.
    fn flow(&self) -> Option<&Flow<f32>> {
        None
    }

    /// The model as a Gaussian mixture, whose marginal and conditional densities are known exactly.
    fn mixture(&self) -> Option<&Mixture> {
        None
    }

    /// The model as a causal flow of pictures, which says of each number how likely it is.
    fn pictures(&self) -> Option<&GridFlow> {
        None
    }

    /// The densities that it is a mixture of; none unless it is an ensemble.
    fn members(&self) -> &[Member] {
        &[]
    }

    /// The same density computed in double precision; nothing where it is already.
    fn in_double(&self) -> Option<Arc<dyn Model>> {
        None
    }

    /// The log-density of the draws of records as a graph of ONNX, `(n·draws,)`.
    ///
    /// # Errors
    /// [`Inexpressible`] of a density that has no such graph.
    fn log_prob_in(&self, _graph: &mut Graph, _at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        Err(Inexpressible("a density of a family that is not written as a graph".into()))
    }

    /// Whether records of which only a part is known can be judged and completed by means of draws.
    fn judges_parts(&self) -> bool {
        true
    }
}

impl dyn Model {
    /// The flow, or the first flow of an ensemble.
    pub fn first_flow(&self) -> Option<&Flow<f32>> {
        self.flow().or_else(|| self.members().iter().find_map(|m| m.model.flow()))
    }
}

/// A density with its share in an ensemble.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its weight, above 0.
    pub weight: f64,
    /// The density, never an ensemble itself.
    pub model: Arc<dyn Model>,
}
