//! Flows of windows of signals: layers over patches, which work on the innovations of an autoregression. They
//! bear the names of the flows of tables, whose layers they share.

use std::time::Instant;

use super::trained_flow::{as_start, forget, train_from};
use super::var::Windows;
use crate::artifact::estimator::{Estimator, FitError, Fitted, Options, Run};
use crate::baseline::{VarConfig, fit_var};
use crate::evaluate::stacked_draws;
use crate::features::{Bundle, Shape};
use crate::flow::{BaseKind, FlowConfig};
use crate::schema::Split;
use crate::train::{FlowKind, FlowSettings, Key, TrainError, apply_settings, start_flow, window_preset};

/// A flow of windows, its size chosen from their number.
#[derive(Debug, Clone)]
pub struct PatchFlow {
    kind: FlowKind,
    options: Options,
}

/// What `--set` changes.
#[derive(Debug, Clone)]
struct Settings {
    flow: FlowSettings,
    /// Whether the layers work on the innovations of an autoregression, or on the samples.
    whiten: bool,
}

impl PatchFlow {
    /// A flow with this mixing layer, for windows of a shape.
    ///
    /// # Errors
    /// [`FitError::Usage`] for an ensemble, [`FitError::Settings`] for unusable settings.
    pub fn new(kind: FlowKind, shape: &Shape, options: &Options) -> Result<Self, FitError> {
        if options.ensemble.is_some_and(|n| n > 1) {
            let message = "--ensemble does not apply to flows of waveform windows";
            return Err(FitError::usage(message, "leave it out"));
        }
        let chosen = Self { kind, options: options.clone() };
        // A wrong setting is told before anything is fitted. Its range does not depend on the number of
        // windows.
        chosen.settings(1, Windows::of_shape(shape)?)?;
        Ok(chosen)
    }

    fn settings(&self, n_train: usize, windows: Windows) -> Result<Settings, FitError> {
        let of = |whiten| {
            let (flow, mut train) =
                window_preset(self.kind, n_train, windows.samples, windows.channels, whiten);
            train.max_epochs = self.options.epochs.unwrap_or(train.max_epochs);
            let mut settings = Settings { flow: FlowSettings { flow, train }, whiten };
            apply_settings(&mut settings, &keys(), &self.options.settings)?;
            Ok(settings)
        };
        // Without the autoregression other sizes serve best.
        let settings: Settings = of(true)?;
        if settings.whiten { Ok(settings) } else { of(false) }
    }
}

fn keys() -> Vec<Key<Settings>> {
    let flow = FlowSettings::keys().into_iter().map(|k| k.within(|s: &Settings| &s.flow, |s| &mut s.flow));
    let whiten = "whether the flow starts from an autoregression";
    let whiten =
        Key::choice("whiten", whiten, &["true", "false"], |s: &mut Settings, v| s.whiten = v == "true");
    flow.chain([whiten]).collect()
}

impl Estimator for PatchFlow {
    type Model = Fitted;

    /// Unless it works on the samples, the base starts as the mixture of the innovations of an
    /// autoregression, so that training starts at the likelihood of that model.
    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        forget(run)?;
        let windows = Windows::of(bundle)?;
        let Settings { flow: FlowSettings { mut flow, train }, whiten } =
            self.settings(bundle.manifest.splits.train, windows)?;
        let encoder = &bundle.manifest.encoder;
        flow.context = encoder.context_coordinates();
        flow.n_features += flow.context.len();
        let start = if whiten {
            run.progress.note("fitting the autoregression the flow starts from");
            let search = VarConfig { past: windows.past, seed: run.seed, ..VarConfig::default() };
            let draw = |split, name: &str| {
                stacked_draws(encoder, bundle.raw_of(split).view(), 1, run.seed.child(name, 0))
            };
            let (first, held_out) =
                (draw(Split::Train, "train-noise"), draw(Split::Validation, "validation-noise"));
            let (var, _) = fit_var(first.view(), held_out.view(), windows.channels, &search)?;
            if let Some(window) = &mut flow.window {
                window.order = var.order();
            }
            let mut start = start_flow(&flow, run.seed, Some(as_start(var.innovation())))?;
            start.set_causal(var.mean(), var.whitening()).map_err(TrainError::from)?;
            start
        } else {
            if windows.past > 0 {
                run.progress.note("without the autoregression no layer reads the samples before a window");
            }
            // There is nothing to start from but the scale of the data, which ActNorm takes.
            let flow = FlowConfig { base: BaseKind::Normal, ..flow };
            start_flow(&flow, run.seed, None)?
        };
        let before = started.elapsed().as_secs_f64();
        let left = run.time_budget.map(|budget| (budget - before).max(0.05));
        let mut fitted = train_from(self.kind, start, &train, bundle, &Run { time_budget: left, ..*run })?;
        fitted.seconds += before;
        fitted.training_seconds += before;
        Ok(fitted)
    }
}
