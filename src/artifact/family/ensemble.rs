//! Flows of different seeds, and mixtures of several kinds, as one mixture density: an
//! estimator around that of a flow.

use std::time::Instant;

use super::classical;
use super::join::join;
use super::trained_flow::{TrainedFlow, forget};
use crate::artifact::estimator::{Estimator, FitError, Fitted, Run};
use crate::features::Bundle;
use crate::flow::{BaseKind, Conditioning};
use crate::train::{Preset, Stop, has_checkpoint, member_dir};

/// What a fitted density is put together from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnsembleConfig {
    /// Flows, of different seeds; at least 1.
    pub flows: u32,
    /// Whether a Gaussian mixture, mixtures of t distributions and autoregressive mixtures are members as
    /// well, where they can be fitted.
    pub mixture: bool,
    /// Whether every other flow is autoregressive, from the first on, whatever the configuration says.
    pub alternating: bool,
}

impl EnsembleConfig {
    /// One flow and nothing else.
    pub const SINGLE: Self = Self { flows: 1, mixture: false, alternating: false };

    /// What `preset` makes of `n_train` records of `d` coordinates.
    ///
    /// Mean bound of the validation records (nats) of one flow, one flow on a mixture base, three flows and a
    /// mixture, and the same with mixture bases: 249 × 30 (WDBC, benign) −18.9, −15.5, −10.5, −12.1; 592 × 18
    /// (vehicle) −3.02, −2.94, −2.26, −2.76; 274 × 8 (Pima) −10.37, –, −9.88, −10.00. An ensemble gains more
    /// from members that differ than from a better start of each, so the bases stay normal. Two
    /// autoregressive flows among the three gain more: public tables, validation, from three couplings to two
    /// autoregressive flows and a coupling, WDBC −3.08 to −1.41, Pima −7.49 to −6.72, vehicle −2.03 to −1.76,
    /// phoneme −1.93 to −1.83, ICU stays of 18 columns −20.02 to −19.93, magic −4.22 to −4.16, satimage 0.50
    /// to 0.53, page-blocks 14.60 to 14.65, and shuttle 13.46 to 13.44, for 1.4 to 1.9 times the time. Beyond
    /// 120,000 training values the two further flows are not worth their time: on 4,804 × 71 (ICU stays)
    /// three flows and a mixture took 234 CPU-seconds.
    ///
    /// Autoregressive mixtures beside the other mixtures gain, on test records, 1.3 nats on WDBC, 0.6 on
    /// vehicle, 0.1 on Pima and nothing on phoneme and shuttle.
    pub fn of(preset: Preset, n_train: usize, d: usize) -> Self {
        if preset != Preset::Auto || n_train >= 50_000 {
            return Self::SINGLE;
        }
        let mixture = n_train * d * d <= classical::WORK;
        let flows = if n_train * d <= 120_000 { 3 } else { 1 };
        Self { flows, mixture, alternating: flows > 1 }
    }

    /// What a number of flows asks for: two or more are joined by a mixture.
    pub fn of_flows(flows: u32) -> Self {
        Self { flows, mixture: flows > 1, alternating: flows > 1 }
    }
}

/// Flows that are trained one after the other, and joined with a mixture. A time budget is that of all
/// members together.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowEnsemble {
    /// Every flow, but for its seed and, in an alternating ensemble, for what its coordinates are transformed
    /// given.
    pub flow: TrainedFlow,
    /// What it is put together from.
    pub config: EnsembleConfig,
}

impl Estimator for FlowEnsemble {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        forget(run)?;
        let EnsembleConfig { flows, mixture, .. } = self.config;
        let some = classical::some_records(bundle);
        let normal = self.flow.flow.base == BaseKind::Normal;
        // A mixture base starts from the mixture that is a member as well. A resumed run searches it again,
        // so that its model tells of the same search.
        let found = if mixture || !normal {
            match classical::gaussian(&some, run) {
                Ok(found) => Some(found),
                // The flows need no mixture unless their base is one.
                Err(e) if normal => {
                    run.progress.note(&format!("no mixture among the members: {e}"));
                    None
                }
                Err(e) => return Err(e.into()),
            }
        } else {
            None
        };
        let heavy_tailed = if mixture { classical::heavy_tailed(&some, run, started) } else { Vec::new() };
        let mut spent = started.elapsed().as_secs_f64();
        let mut members = Vec::new();
        for i in 0..flows {
            let left = run.time_budget.map(|b| (b - spent) / f64::from(flows - i));
            let dir = run.checkpoint.map(|dir| member_dir(dir, i));
            if flows > 1 {
                run.progress.note(&format!("flow {} of {flows}", i + 1));
            }
            let run = Run {
                seed: if i == 0 { run.seed } else { run.seed.child("member", i.into()) },
                // A member whose turn comes too late still gets its first steps.
                time_budget: left.map(|s| s.max(0.05)),
                checkpoint: dir.as_deref(),
                // Members whose turn had not come have no state, and that is nothing to report.
                resume: run.resume && (i == 0 || dir.as_deref().is_some_and(has_checkpoint)),
                progress: run.progress,
            };
            let mut fitted = self.flow(i).fit_from(found.as_ref().map(|(gmm, _)| gmm), bundle, &run)?;
            fitted.history.iter_mut().for_each(|row| row.member = i + 1);
            spent += fitted.seconds;
            members.push(fitted);
        }
        let mut others = Vec::new();
        if let (true, Some((gmm, details))) = (mixture, found) {
            others.push(Fitted::of_mixture(gmm, &details, 0.0));
        }
        others.extend(heavy_tailed);
        if !others.is_empty() && members.iter().any(unfinished) {
            members.retain(|flow| !unfinished(flow));
            run.progress.note(&match members.len() {
                0 => "the time budget is too small for a flow to finish an epoch: the model holds mixtures \
                      alone"
                    .to_owned(),
                n => format!("the time budget is too small for {flows} flows: the model holds {n} of them"),
            });
        }
        members.extend(others);
        Ok(join(&some, run.seed, members, spent))
    }
}

/// Whether its budget of time was over before a flow had finished an epoch.
fn unfinished(flow: &Fitted) -> bool {
    flow.account.training.is_some_and(|t| t.epochs <= 1 && t.stop == Some(Stop::TimeBudget))
}

impl FlowEnsemble {
    /// Flow `i`.
    fn flow(&self, i: u32) -> TrainedFlow {
        let mut flow = self.flow.clone();
        if self.config.alternating && i.is_multiple_of(2) {
            flow.flow.conditioning = Conditioning::Autoregressive;
        }
        flow
    }
}
