//! A network as a graph of ONNX.

use ndarray::{Array1, ArrayView2};

use super::{Activation, Layer, Mlp, Residual};
use crate::num::real::Real;
use crate::onnx::{Graph, Linear, Value};

impl Mlp {
    /// Its first and its last layer, which are put together with what lies before and behind the network.
    pub(crate) fn outer<T: Real>(&self, parameters: &[T]) -> [Linear; 2] {
        let parameters = self.masked(parameters);
        let layers = self.layers();
        [&layers[0], &layers[layers.len() - 1]].map(|layer| linear(&parameters, layer))
    }

    /// The rest: from the output of the first layer to the output of `last`, the last layer and what follows.
    pub(crate) fn write<T: Real>(
        &self,
        parameters: &[T],
        graph: &mut Graph,
        first: &Value,
        last: &Linear,
    ) -> Value {
        debug_assert_eq!(self.residual, Residual::BeforeActivation, "layers of flows have such a path");
        let parameters = self.masked(parameters);
        let layers = self.layers();
        let mut state = first.clone();
        for layer in &layers[1..layers.len() - 1] {
            let active = self.activate(graph, &state);
            let more = linear(&parameters, layer).apply(graph, &active);
            state = graph.add(&state, &more);
        }
        let active = self.activate(graph, &state);
        last.apply(graph, &active)
    }

    fn activate(&self, graph: &mut Graph, state: &Value) -> Value {
        match self.shape.activation {
            Activation::Silu => {
                let gate = graph.sigmoid(state);
                graph.multiply(state, &gate)
            }
            Activation::Relu => graph.positive(state),
        }
    }

    /// The parameters with the masks applied.
    fn masked<T: Real>(&self, parameters: &[T]) -> Vec<f64> {
        let mut parameters: Vec<f64> = parameters.iter().map(|p| p.into_f64()).collect();
        self.mask(&mut parameters);
        parameters
    }
}

fn linear(parameters: &[f64], layer: &Layer) -> Linear {
    let shape = (layer.outputs, layer.inputs);
    let matrix = ArrayView2::from_shape(shape, &parameters[layer.weights..layer.biases]);
    Linear {
        matrix: matrix.expect("invariant: weights have the shape of their layer").to_owned(),
        offset: Array1::from(parameters[layer.biases..layer.biases + layer.outputs].to_vec()),
    }
}
