//! Sets the parameters that a flow starts training from: permutations, the scale of the data, a mixture, or a
//! vector autoregression.

use std::sync::Arc;

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis, Slice};

use super::bijector::Tape;
use super::config::{BaseKind, FlowConfig, Permutation};
use super::draw;
use super::error::FlowError;
use super::model::{Flow, TILE, cut, fill, tiles, unload};
use super::permutation;
use crate::num::real::Real;
use crate::random::Seed;

/// Number of records from which the dependence of coordinates is estimated. The error of the estimate is then
/// about 0.0002 nats.
const DEPENDENCE_RECORDS: usize = 4096;

impl<T: Real> Flow<T> {
    /// Sets every ActNorm so that its output on this sample has mean 0 and variance 1.
    ///
    /// With a mixture base nothing is changed. The mixture is fitted to the data as they are, and the flow
    /// must start at the mixture's likelihood.
    ///
    /// # Shapes
    /// `x: (d, n)`
    pub fn initialize(&mut self, x: ArrayView2<'_, T>) {
        self.assert_width(x.nrows());
        if self.config().base != BaseKind::Normal || x.ncols() == 0 {
            return;
        }
        let (structure, tile) = (Arc::clone(&self.structure), self.tile());
        let n = x.ncols();
        let mut x = x.as_standard_layout().into_owned();
        let mut tape = Tape::default();
        let mut tile_x = Vec::new();
        let mut ladj = [T::zero(); TILE];
        for entry in &structure.layers {
            let parameters = &mut self.parameters[entry.range.clone()];
            entry.layer.initialize(parameters, x.as_slice().expect("invariant: standard layout"));
            for columns in tiles(n, tile) {
                let width = columns.len();
                fill(&mut tile_x, cut(&x, &columns));
                entry.layer.forward(parameters, &mut tile_x, &mut ladj[..width], &mut tape, None);
                unload(&tile_x, &mut x.slice_axis_mut(Axis(1), Slice::from(columns)));
            }
        }
    }

    /// If the configuration asks for permutations from the data, routes the result of
    /// [`permutation::arrange`] for the dependence in this sample through the layers of an untrained flow.
    ///
    /// A mixture base is transformed along with the permutations, so that the density of the flow remains
    /// that of the mixture.
    ///
    /// # Shapes
    /// `x: (d, n)`
    ///
    /// # Errors
    /// [`FlowError::Mixture`] if the transformed mixture is not usable, because its covariances were
    /// singular.
    pub fn arrange(&mut self, x: ArrayView2<'_, T>) -> Result<(), FlowError> {
        self.assert_width(x.nrows());
        if self.config().permutation != Permutation::Data || x.ncols() == 0 {
            return Ok(());
        }
        let sample = cut(&x, &(0..x.ncols().min(DEPENDENCE_RECORDS))).mapv(Real::into_f64);
        let orders = permutation::arrange(self.config(), permutation::dependence(sample.view()).view());
        for (block, order) in orders.iter().enumerate() {
            self.route_permutation(block, order)?;
        }
        self.turn_mixture()
    }

    /// Routes random permutations through the butterflies if the configuration asks for them.
    pub(super) fn route_random_permutations(&mut self) -> Result<(), FlowError> {
        let FlowConfig { permutation, permutation_seed, n_blocks, .. } = *self.config();
        if permutation != Permutation::Random {
            return Ok(());
        }
        for block in 0..n_blocks {
            let mut rng = Seed(permutation_seed).stream("permutation", block as u64);
            self.route_permutation(block, &draw::permutation(self.n_free(), &mut rng))?;
        }
        Ok(())
    }

    /// Transforms the mixture with the product S of all linear layers: the means become Sμ, the covariances
    /// SΣSᵀ.
    fn turn_mixture(&mut self) -> Result<(), FlowError> {
        let Some((weights, means, covariances)) = self.base().mixture(self.base_parameters()) else {
            return Ok(());
        };
        let d = self.n_features();
        let mut s = Array2::<f64>::eye(d);
        for block in 0..self.config().n_blocks {
            s = self.linear_matrix(block)?.mapv(Real::into_f64).dot(&s);
        }
        let mut turned = Array3::zeros(covariances.raw_dim());
        for (mut to, from) in turned.axis_iter_mut(Axis(0)).zip(covariances.axis_iter(Axis(0))) {
            to.assign(&s.dot(&from).dot(&s.t()));
        }
        self.set_mixture(weights.view(), means.dot(&s.t()).view(), turned.view())
    }

    /// Gives a mixture base its weights, means and covariances. A diagonal mixture ignores the off-diagonal
    /// covariances.
    ///
    /// As long as all layers are the identity, the flow *is* then that mixture.
    ///
    /// # Shapes
    /// `weights: (k,)`, `means: (k, d)`, `covariances: (k, d, d)`
    ///
    /// # Errors
    /// If the base is not a mixture of that size, or if a component is not usable.
    pub fn set_mixture(
        &mut self,
        weights: ArrayView1<'_, f64>,
        means: ArrayView2<'_, f64>,
        covariances: ArrayView3<'_, f64>,
    ) -> Result<(), FlowError> {
        let range = self.structure.base_range.clone();
        self.structure.base.set_mixture(&mut self.parameters[range], weights, means, covariances)
    }

    /// Starts the causal layer of a flow of windows from a vector autoregression: z = A(x − m).
    ///
    /// # Shapes
    /// `mean: ((p+1)·C,)` and `whiten: ((p+1)·C, (p+1)·C)`, for p + 1 consecutive samples in time-major
    /// order; `whiten` is lower triangular.
    ///
    /// # Errors
    /// If the flow has no causal layer, or if its causal layer has another order.
    pub fn set_causal(
        &mut self,
        mean: ArrayView1<'_, f64>,
        whiten: ArrayView2<'_, f64>,
    ) -> Result<(), FlowError> {
        let structure = Arc::clone(&self.structure);
        let (layer, causal) =
            structure.causal.as_ref().ok_or_else(|| FlowError::Missing { what: "causal layer".into() })?;
        causal.set(&mut self.parameters[structure.layers[*layer].range.clone()], mean, whiten)
    }

    /// Sets the Beneš butterfly of block `block` to a permutation: output i becomes ± input `permutation[i]`.
    ///
    /// # Errors
    /// If there is no such block, if its linear layer is not a Beneš butterfly, or if `permutation` is not a
    /// permutation.
    pub fn route_permutation(&mut self, block: usize, permutation: &[usize]) -> Result<(), FlowError> {
        let missing = || FlowError::Missing { what: format!("butterfly in block {block}") };
        let structure = Arc::clone(&self.structure);
        let linear = structure.linears.get(block).ok_or_else(missing)?;
        let butterfly = linear.butterfly.as_ref().ok_or_else(missing)?;
        butterfly
            .set_permutation(&mut self.parameters[structure.layers[linear.layer].range.clone()], permutation)
    }
}
