//! The layers of a flow while it is built: their order, their names and their places in the parameter buffer.

use std::ops::Range;

use super::base::Base;
use super::bijector::{Bijector, ParameterSpec};
use super::butterfly::ButterflyLayer;
use super::config::FlowConfig;
use super::leading::Leading;
use super::parameters::{ParameterView, views};
use super::window::Causal;
use crate::num::real::Real;

/// A layer with its name and its range of the parameter buffer.
#[derive(Debug)]
pub(super) struct Entry<T: Real> {
    pub(super) name: String,
    pub(super) layer: Box<dyn Bijector<T>>,
    pub(super) range: Range<usize>,
}

/// The linear layer of a block.
#[derive(Debug)]
pub(super) struct LinearEntry {
    /// Index of the linear layer among all layers.
    pub(super) layer: usize,
    /// The layer itself, if it is a butterfly.
    pub(super) butterfly: Option<ButterflyLayer>,
}

/// Everything about a flow except the values of its parameters.
#[derive(Debug)]
pub(super) struct Structure<T: Real> {
    pub(super) config: FlowConfig,
    pub(super) layers: Vec<Entry<T>>,
    pub(super) linears: Vec<LinearEntry>,
    pub(super) base: Base,
    pub(super) base_range: Range<usize>,
    pub(super) views: Vec<ParameterView>,
    pub(super) n_parameters: usize,
    /// The causal layer of a flow of windows, with its index among all layers.
    pub(super) causal: Option<(usize, Causal)>,
}

impl<T: Real> Structure<T> {
    pub(super) fn push(&mut self, name: String, layer: impl Bijector<T> + 'static) {
        let range = self.place(&name, layer.specs());
        self.layers.push(Entry { name, layer: Box::new(layer), range });
    }

    /// Appends a layer over the coordinates before the context.
    pub(super) fn push_free(&mut self, name: String, layer: impl Bijector<T> + 'static) {
        self.push_before(self.config.context.len(), name, layer);
    }

    /// Appends a layer over all coordinates except the last `behind`.
    pub(super) fn push_before(&mut self, behind: usize, name: String, layer: impl Bijector<T> + 'static) {
        match behind {
            0 => self.push(name, layer),
            behind => self.push(name, Leading::new(layer, behind)),
        }
    }

    /// Appends the arrays of one layer to the views and returns their range of the parameter buffer.
    pub(super) fn place(&mut self, owner: &str, specs: Vec<ParameterSpec>) -> Range<usize> {
        let start = self.n_parameters;
        let named = |spec: ParameterSpec| ParameterSpec { name: format!("{owner}.{}", spec.name), ..spec };
        self.views.extend(views(start, specs.into_iter().map(named)));
        self.n_parameters = self.views.last().map_or(start, |view| view.range.end);
        start..self.n_parameters
    }
}
