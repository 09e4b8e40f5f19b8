//! The trait of every layer of a flow: an invertible map with a log-determinant and a hand-written backward
//! pass.
//!
//! # Conventions
//!
//! - The direction is from data x to latent z, and `ladj` = log |det ∂z/∂x| is one number per column.
//! - A batch is feature-major: a slice of `n_features · n` numbers in which feature i is the contiguous run
//!   `[i·n .. (i+1)·n]`. `n` may be 0.
//! - Layers hold no numbers. The parameters of a layer are a slice of the flow's one buffer, so the same
//!   layer serves f32 and f64.
//! - `forward` leaves on the [`Tape`] what `backward` needs. If there is no backward pass, one tape serves
//!   all layers.

use std::fmt::Debug;

use super::error::FlowError;
use super::pen::Pen;
use crate::num::real::Real;
use crate::onnx::Inexpressible;
use crate::random::StreamRng;

/// Name, shape and role of one parameter array of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Name within the layer, such as "angle" or "w1".
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Whether weight decay should pull the array towards zero. This is true only for the weights of
    /// networks.
    pub weight_decay: bool,
}

impl ParameterSpec {
    /// An array that weight decay does not change.
    pub(crate) fn new(name: impl Into<String>, shape: &[usize]) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), weight_decay: false }
    }

    /// An array of network weights, to which weight decay applies.
    pub(crate) fn weight(name: impl Into<String>, shape: &[usize]) -> Self {
        Self { weight_decay: true, ..Self::new(name, shape) }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the array has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An invertible, differentiable map of ℝ^d with its log-determinant.
pub trait Bijector<T: Real>: Debug + Send + Sync {
    /// Dimension d.
    fn n_features(&self) -> usize;

    /// The parameter arrays, in the order in which they are stored in the parameter slice.
    fn specs(&self) -> Vec<ParameterSpec>;

    /// Length of the parameter slice.
    fn n_parameters(&self) -> usize {
        self.specs().iter().map(ParameterSpec::len).sum()
    }

    /// Overwrites the parameters with their starting values.
    fn reset(&self, parameters: &mut [T], rng: &mut StreamRng);

    /// Adapts the parameters to a first batch. Only ActNorm does so; most layers have nothing to adapt.
    ///
    /// # Shapes
    /// `x: (d, n)`
    fn initialize(&self, _parameters: &mut [T], _x: &[T]) {}

    /// Replaces x by z and **adds** the log-determinant to `ladj`. Hidden units are dropped only if `dropout`
    /// is given.
    ///
    /// # Shapes
    /// `x: (d, n)`, replaced by z in place; `ladj: (n,)`
    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        dropout: Option<&mut StreamRng>,
    );

    /// Replaces z by x.
    ///
    /// # Errors
    /// [`FlowError::Singular`] if the map has no inverse with these parameters.
    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError>;

    /// Appends the layer to a flow that is written into a graph of ONNX.
    ///
    /// # Errors
    /// [`Inexpressible`] of a layer that only flows of windows have.
    fn write(&self, _parameters: &[T], _pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        Err(Inexpressible("a layer of windows of signals".into()))
    }

    /// Takes ∂L/∂z in `gradient` and ∂L/∂ladj. **Replaces** `gradient` by ∂L/∂x and **adds** ∂L/∂θ to
    /// `parameter_gradient`.
    ///
    /// `tape` must be the one that the last `forward` with these parameters has written.
    fn backward(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        gradient: &mut [T],
        ladj_gradient: &[T],
        parameter_gradient: &mut [T],
    );
}

/// Numbered buffers of one layer. They are kept from the forward to the backward pass and reused from batch
/// to batch.
#[derive(Debug, Clone, Default)]
pub struct Tape<T> {
    slots: Vec<Vec<T>>,
    side: Vec<T>,
    forgets: bool,
}

impl<T: Real> Tape<T> {
    /// States whether a backward pass will follow. If not, layers need not keep what only the backward pass
    /// uses.
    pub(crate) fn expect_backward(&mut self, expected: bool) {
        self.forgets = !expected;
    }

    /// Whether a backward pass will follow. The default is that it will.
    pub(crate) fn keeps(&self) -> bool {
        !self.forgets
    }

    /// Runs `f` with a buffer that is not among the numbered ones. A layer that wraps another layer uses it,
    /// since the numbered buffers belong to the inner layer.
    pub(crate) fn with_side<R>(&mut self, length: usize, f: impl FnOnce(&mut Self, &mut [T]) -> R) -> R {
        let mut side = std::mem::take(&mut self.side);
        if side.len() < length {
            side.resize(length, T::zero());
        }
        let out = f(self, &mut side[..length]);
        self.side = side;
        out
    }

    /// The first N buffers, cut to the given lengths. Their contents are those of the last use.
    pub(crate) fn slots<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [T]; N] {
        if self.slots.len() < N {
            self.slots.resize_with(N, Vec::new);
        }
        let mut slots = self.slots.iter_mut();
        lengths.map(|length| {
            let slot = slots.next().expect("invariant: N slots exist");
            if slot.len() < length {
                slot.resize(length, T::zero());
            }
            &mut slot[..length]
        })
    }
}

/// Splits a slice into consecutive pieces of the given lengths.
pub(crate) fn split<T, const N: usize>(mut slice: &[T], lengths: [usize; N]) -> [&[T]; N] {
    lengths.map(|length| {
        let (head, tail) = slice.split_at(length);
        slice = tail;
        head
    })
}

/// Splits a mutable slice into consecutive pieces of the given lengths.
pub(crate) fn split_mut<T, const N: usize>(mut slice: &mut [T], lengths: [usize; N]) -> [&mut [T]; N] {
    lengths.map(|length| {
        let (head, tail) = std::mem::take(&mut slice).split_at_mut(length);
        slice = tail;
        head
    })
}
