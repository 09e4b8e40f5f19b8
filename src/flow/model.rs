//! The flow: a chain of layers and a base distribution, over one flat buffer of parameters.
//!
//! ```text
//! x = x₀ → x₁ → … → x_L = z        log p(x) = log p_base(z) + Σ_l log|det ∂x_l/∂x_{l−1}|
//! ```
//!
//! Batches are cut into tiles of [`TILE`] columns, and each tile passes through all layers before the next
//! one. The activations of a tile thus stay in cache, and memory does not grow with the batch. The result for
//! a column depends only on its place in its own batch.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayBase, ArrayView2, ArrayViewMut2, Axis, Data, Ix2, Slice};

use super::base::Base;
use super::bijector::Tape;
use super::build::build;
use super::config::FlowConfig;
use super::error::FlowError;
use super::parameters::ParameterView;
use super::structure::Structure;
use crate::num::real::Real;
use crate::random::{Seed, StreamRng};

/// Number of columns that pass through the layers together.
pub const TILE: usize = 128;
/// Number of such columns for windows of signals and for pictures, which have thousands of coordinates. It is
/// the width of one SIMD vector, and a batch of 64 records then keeps four threads busy.
const NARROW_TILE: usize = 16;

/// A normalising flow with parameters of type `T`.
///
/// # Examples
/// ```
/// use cohort_flow::flow::{Flow, FlowConfig};
/// use cohort_flow::random::Seed;
/// use ndarray::Array2;
///
/// let flow = Flow::<f32>::new(&FlowConfig::new(3), Seed(7))?;
/// // A new flow is the identity: the density is that of its base.
/// let log_prob = flow.log_prob(Array2::zeros((3, 1)).view());
/// assert!((log_prob[0] + 1.5 * (2.0 * std::f32::consts::PI).ln()).abs() < 1e-4);
/// # Ok::<(), cohort_flow::flow::FlowError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Flow<T: Real> {
    pub(super) structure: Arc<Structure<T>>,
    pub(super) parameters: Vec<T>,
}

/// Buffers of one thread, which are reused from call to call.
#[derive(Debug, Clone, Default)]
pub struct Workspace<T> {
    /// One tape for each layer and one for the base.
    tapes: Vec<Tape<T>>,
    x: Vec<T>,
    gradient: Vec<T>,
    ladj_gradient: Vec<T>,
}

impl<T: Real> Flow<T> {
    /// Builds the flow and draws its starting parameters. Every layer except a permutation starts as the
    /// identity, unless the configuration asks for a random start.
    ///
    /// # Errors
    /// [`FlowError::Config`] with all problems of `config`.
    pub fn new(config: &FlowConfig, seed: Seed) -> Result<Self, FlowError> {
        let structure = build::<T>(config)?;
        let mut parameters = vec![T::zero(); structure.n_parameters];
        for (i, entry) in structure.layers.iter().enumerate() {
            entry.layer.reset(&mut parameters[entry.range.clone()], &mut seed.stream("layer", i as u64));
        }
        structure.base.reset(&mut parameters[structure.base_range.clone()], &mut seed.stream("base", 0));
        let mut flow = Self { structure: Arc::new(structure), parameters };
        flow.route_random_permutations()?;
        Ok(flow)
    }

    /// Builds a flow with the given parameters, in the order of [`Self::parameter_views`].
    ///
    /// # Errors
    /// [`FlowError::Config`] with all problems of `config`; [`FlowError::ParameterCount`] if the
    /// configuration asks for another number of parameters.
    pub fn from_parameters(config: &FlowConfig, parameters: Vec<T>) -> Result<Self, FlowError> {
        let structure = build::<T>(config)?;
        if parameters.len() != structure.n_parameters {
            return Err(FlowError::ParameterCount {
                expected: structure.n_parameters,
                found: parameters.len(),
            });
        }
        Ok(Self { structure: Arc::new(structure), parameters })
    }

    /// The settings the flow was built from.
    pub fn config(&self) -> &FlowConfig {
        &self.structure.config
    }

    /// Dimension d of the columns, which includes the context.
    pub fn n_features(&self) -> usize {
        self.structure.config.n_features
    }

    /// Number of coordinates that the density is defined on, without the context.
    pub fn n_free(&self) -> usize {
        self.structure.config.n_free()
    }

    /// Length of the parameter buffer.
    pub fn n_parameters(&self) -> usize {
        self.parameters.len()
    }

    /// Number of columns of a batch that one thread handles together.
    pub fn tile(&self) -> usize {
        if self.config().is_of_vectors() { TILE } else { NARROW_TILE }
    }

    /// All parameters.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// All parameters, for an optimiser to change.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// Names, shapes and positions of the parameter arrays.
    pub fn parameter_views(&self) -> &[ParameterView] {
        &self.structure.views
    }

    /// The same flow with another number type.
    pub fn cast<U: Real>(&self) -> Flow<U> {
        let structure =
            build::<U>(self.config()).expect("invariant: this configuration has been built before");
        let parameters = self.parameters.iter().map(|p| U::from_f64(p.into_f64())).collect();
        Flow { structure: Arc::new(structure), parameters }
    }

    /// Latent vector and log-determinant of each column.
    ///
    /// # Shapes
    /// `x: (d, n)` → `z: (d, n)`, `ladj: (n,)`
    pub fn forward(&self, x: ArrayView2<'_, T>) -> (Array2<T>, Array1<T>) {
        self.assert_width(x.nrows());
        let mut z = Array2::zeros(x.raw_dim());
        let mut ladj = vec![T::zero(); x.ncols()];
        let mut tape = Tape::default();
        let mut tile_x = Vec::new();
        for columns in tiles(x.ncols(), self.tile()) {
            fill(&mut tile_x, cut(&x, &columns));
            self.forward_tile(&mut tile_x, &mut ladj[columns.clone()], &mut tape);
            unload(&tile_x, &mut z.slice_axis_mut(Axis(1), Slice::from(columns)));
        }
        (z, Array1::from(ladj))
    }

    /// Data vector of each latent column.
    ///
    /// # Shapes
    /// `z: (d, n)` → `x: (d, n)`
    ///
    /// # Errors
    /// [`FlowError::Singular`] with the name of the layer, if a layer has no inverse.
    pub fn inverse(&self, z: ArrayView2<'_, T>) -> Result<Array2<T>, FlowError> {
        self.assert_width(z.nrows());
        let mut x = Array2::zeros(z.raw_dim());
        let mut tape = Tape::default();
        let mut tile_z = Vec::new();
        for columns in tiles(z.ncols(), self.tile()) {
            fill(&mut tile_z, cut(&z, &columns));
            self.inverse_tile(&mut tile_z, &mut tape)?;
            unload(&tile_z, &mut x.slice_axis_mut(Axis(1), Slice::from(columns)));
        }
        Ok(x)
    }

    /// Log-density of each column, in nats.
    ///
    /// # Shapes
    /// `x: (d, n)` → `(n,)`
    pub fn log_prob(&self, x: ArrayView2<'_, T>) -> Array1<T> {
        self.log_prob_with(x, &mut Workspace::default())
    }

    /// The same as [`Self::log_prob`], with buffers that the caller can reuse.
    pub fn log_prob_with(&self, x: ArrayView2<'_, T>, workspace: &mut Workspace<T>) -> Array1<T> {
        self.assert_width(x.nrows());
        let mut log_prob = vec![T::zero(); x.ncols()];
        workspace.tapes.resize_with(self.n_tapes().max(workspace.tapes.len()), Tape::default);
        for columns in tiles(x.ncols(), self.tile()) {
            fill(&mut workspace.x, cut(&x, &columns));
            let part = &mut log_prob[columns];
            // All layers share one tape, which then stays in cache. This is possible because nothing is kept
            // for a backward pass.
            let tape = &mut workspace.tapes[0];
            tape.expect_backward(false);
            self.forward_tile(&mut workspace.x, part, tape);
            let latent = &workspace.x[..self.n_free() * part.len()];
            self.base().log_prob(self.base_parameters(), latent, part, tape);
        }
        Array1::from(log_prob)
    }

    /// Log-density of each column, and its gradient with respect to the parameters.
    ///
    /// **Adds** Σ_columns `weight`·∂log p/∂θ to `gradient`. If `dropout` is given, hidden units are dropped
    /// with the configured probability, and their masks are drawn from that stream.
    ///
    /// # Shapes
    /// `x: (d, n)`, `gradient: (n_parameters,)` → `(n,)`
    pub fn log_prob_grad(
        &self,
        x: ArrayView2<'_, T>,
        weight: T,
        mut dropout: Option<&mut StreamRng>,
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Array1<T> {
        self.assert_width(x.nrows());
        assert_eq!(gradient.len(), self.n_parameters(), "the gradient is as long as the parameters");
        let mut log_prob = vec![T::zero(); x.ncols()];
        workspace.tapes.resize_with(self.n_tapes().max(workspace.tapes.len()), Tape::default);
        let layers = &self.structure.layers;
        for columns in tiles(x.ncols(), self.tile()) {
            let Workspace { tapes, x: tile, gradient: dx, ladj_gradient } = &mut *workspace;
            fill(tile, cut(&x, &columns));
            let part = &mut log_prob[columns.clone()];
            tapes[0].expect_backward(true);
            for (entry, tape) in layers.iter().zip(tapes.iter_mut()) {
                entry.layer.forward(self.of(&entry.range), tile, part, tape, dropout.as_deref_mut());
            }
            let tape = &mut tapes[layers.len()];
            let latent = &tile[..self.n_free() * columns.len()];
            self.base().log_prob(self.base_parameters(), latent, part, tape);

            dx.resize(tile.len(), T::zero());
            let (dz, d_context) = dx.split_at_mut(latent.len());
            // Only the layers read the context; the base does not, so its gradient there is zero.
            d_context.fill(T::zero());
            ladj_gradient.clear();
            ladj_gradient.resize(columns.len(), weight);
            let base = self.structure.base_range.clone();
            self.base().backward(self.base_parameters(), latent, tape, weight, dz, &mut gradient[base]);
            for (entry, tape) in layers.iter().zip(tapes.iter_mut()).rev() {
                let range = entry.range.clone();
                entry.layer.backward(self.of(&range), tape, dx, ladj_gradient, &mut gradient[range.clone()]);
            }
        }
        Array1::from(log_prob)
    }

    /// The matrix of the linear layer in block `block`. Its entry (i, j) is ∂zᵢ/∂xⱼ.
    ///
    /// # Errors
    /// [`FlowError::Missing`] if there is no such block.
    pub fn linear_matrix(&self, block: usize) -> Result<Array2<T>, FlowError> {
        let missing = || FlowError::Missing { what: format!("block {block}") };
        let entry = &self.structure.layers[self.structure.linears.get(block).ok_or_else(missing)?.layer];
        let mut columns = self.unit_columns();
        let mut ladj = vec![T::zero(); self.n_free()];
        entry.layer.forward(self.of(&entry.range), &mut columns, &mut ladj, &mut Tape::default(), None);
        Ok(self.without_context(columns))
    }

    /// A batch with one unit vector per coordinate as its columns. The context is zero.
    fn unit_columns(&self) -> Vec<T> {
        let d = self.n_free();
        let mut columns = vec![T::zero(); self.n_features() * d];
        (0..d).for_each(|i| columns[i * d + i] = T::one());
        columns
    }

    fn without_context(&self, mut columns: Vec<T>) -> Array2<T> {
        let d = self.n_free();
        columns.truncate(d * d);
        Array2::from_shape_vec((d, d), columns).expect("invariant: d columns of d coordinates")
    }

    /// The inverse of [`Self::linear_matrix`], computed by the layer's own inverse.
    ///
    /// # Errors
    /// [`FlowError::Missing`] if there is no such block; [`FlowError::Singular`] if the layer has no inverse.
    pub fn linear_inverse(&self, block: usize) -> Result<Array2<T>, FlowError> {
        let missing = || FlowError::Missing { what: format!("block {block}") };
        let entry = &self.structure.layers[self.structure.linears.get(block).ok_or_else(missing)?.layer];
        let mut columns = self.unit_columns();
        entry
            .layer
            .inverse(self.of(&entry.range), &mut columns, &mut Tape::default())
            .map_err(|_| FlowError::Singular { layer: entry.name.clone() })?;
        Ok(self.without_context(columns))
    }

    pub(super) fn base(&self) -> &Base {
        &self.structure.base
    }

    pub(super) fn base_parameters(&self) -> &[T] {
        self.of(&self.structure.base_range)
    }

    fn of(&self, range: &Range<usize>) -> &[T] {
        &self.parameters[range.clone()]
    }

    fn n_tapes(&self) -> usize {
        self.structure.layers.len() + 1
    }

    pub(super) fn assert_width(&self, n_rows: usize) {
        assert_eq!(n_rows, self.n_features(), "a feature-major batch has one row for each feature");
    }

    /// Replaces x by z in place and adds the log-determinant to `ladj`. All layers use the same tape.
    pub(super) fn forward_tile(&self, x: &mut [T], ladj: &mut [T], tape: &mut Tape<T>) {
        for entry in &self.structure.layers {
            entry.layer.forward(self.of(&entry.range), x, ladj, tape, None);
        }
    }

    /// Replaces z by x in place.
    pub(super) fn inverse_tile(&self, z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        for entry in self.structure.layers.iter().rev() {
            entry
                .layer
                .inverse(self.of(&entry.range), z, tape)
                .map_err(|_| FlowError::Singular { layer: entry.name.clone() })?;
        }
        Ok(())
    }
}

/// The column ranges of the tiles of a batch with `n` columns.
pub(super) fn tiles(n: usize, tile: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(tile).map(move |start| start..(start + tile).min(n))
}

/// A range of the columns of a batch. (The macro `s![]` is not used, because it expands to an `allow` that
/// this crate's `forbid(unsafe_code)` rejects.)
pub(super) fn cut<'a, T: Real>(
    x: &'a ArrayBase<impl Data<Elem = T>, Ix2>,
    columns: &Range<usize>,
) -> ArrayView2<'a, T> {
    x.slice_axis(Axis(1), Slice::from(columns.clone()))
}

/// Copies a batch into a feature-major buffer.
pub(super) fn fill<T: Real>(to: &mut Vec<T>, from: ArrayView2<'_, T>) {
    to.clear();
    to.extend(from.iter().copied());
}

/// Copies a feature-major buffer into a batch.
pub(super) fn unload<T: Real>(from: &[T], to: &mut ArrayViewMut2<'_, T>) {
    let view = ArrayView2::from_shape(to.raw_dim(), from).expect("invariant: filled from the same shape");
    to.assign(&view);
}
