//! Sums over records. The records are cut into blocks of fixed size, any number of threads may work on the
//! blocks, and the results are added up in the order of the blocks.

use rayon::prelude::*;

use super::batch::Batch;
use crate::flow::{Flow, Workspace};
use crate::random::StreamRng;

/// Largest number of records for one task of a step. A batch of 128 then gives two tasks, and each has enough
/// columns for efficient matrix products.
const BLOCK: usize = 64;
/// Number of parameters per task when the gradients of the blocks are added up.
const REDUCE: usize = 16_384;

/// The gradient of a batch, and the buffers in which it is computed.
pub(super) struct Gradients {
    slots: Vec<Slot>,
    /// Gradient of minus the mean log-density, from the last call of [`compute`](Self::compute).
    pub(super) sum: Vec<f32>,
    /// Number of records of each slot.
    block: usize,
}

/// The buffers that one task needs for itself.
struct Slot {
    gradient: Vec<f32>,
    workspace: Workspace<f32>,
    log_prob: f64,
}

impl Gradients {
    /// Allocates buffers for batches of up to `batch_size` records.
    pub(super) fn new(flow: &Flow<f32>, batch_size: usize) -> Self {
        let (n_parameters, block) = (flow.n_parameters(), BLOCK.min(flow.tile()));
        let slot =
            |_| Slot { gradient: vec![0.0; n_parameters], workspace: Workspace::default(), log_prob: 0.0 };
        let slots = (0..batch_size.div_ceil(block)).map(slot).collect();
        Self { slots, sum: vec![0.0; n_parameters], block }
    }

    /// Overwrites [`sum`](Self::sum) with the gradient for the records `members`, and returns the sum of
    /// their bounds. `dropout` returns the random stream of each block.
    pub(super) fn compute(
        &mut self,
        flow: &Flow<f32>,
        data: &Batch,
        members: &[usize],
        dropout: impl Fn(u64) -> StreamRng + Sync,
    ) -> f64 {
        let weight = -1.0 / members.len() as f32;
        let block = self.block;
        let slots = &mut self.slots[..members.len().div_ceil(block)];
        slots.par_iter_mut().zip(members.par_chunks(block)).enumerate().for_each(
            |(block, (slot, members))| {
                slot.gradient.fill(0.0);
                let x = data.columns(members);
                let mut rng = dropout(block as u64);
                let Slot { gradient, workspace, log_prob } = slot;
                let values = flow.log_prob_grad(x.view(), weight, Some(&mut rng), gradient, workspace);
                *log_prob = values.iter().zip(members).map(|(l, &m)| f64::from(*l) - data.log_noise[m]).sum();
            },
        );
        let slots = &*slots;
        self.sum.par_chunks_mut(REDUCE).enumerate().for_each(|(chunk, out)| {
            let at = chunk * REDUCE;
            let end = at + out.len();
            out.copy_from_slice(&slots[0].gradient[at..end]);
            for slot in &slots[1..] {
                for (o, g) in out.iter_mut().zip(&slot.gradient[at..end]) {
                    *o += g;
                }
            }
        });
        slots.iter().map(|s| s.log_prob).sum()
    }
}

/// Returns the mean bound over all records of all draws.
pub(super) fn mean_log_prob(flow: &Flow<f32>, draws: &[Batch]) -> f64 {
    let sum = |batch: &Batch| -> f64 {
        let all: Vec<usize> = (0..batch.log_noise.len()).collect();
        let blocks = all.par_chunks(flow.tile()).map_init(Workspace::default, |workspace, members| {
            let log_prob = flow.log_prob_with(batch.columns(members).view(), workspace);
            log_prob.iter().zip(members).map(|(l, &m)| f64::from(*l) - batch.log_noise[m]).sum::<f64>()
        });
        blocks.collect::<Vec<f64>>().iter().sum()
    };
    let sums: Vec<f64> = draws.par_iter().map(sum).collect();
    sums.iter().sum::<f64>() / draws.iter().map(|b| b.log_noise.len()).sum::<usize>() as f64
}
