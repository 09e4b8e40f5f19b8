//! Multi-scale flows of pictures with networks of convolutions. They bear the names of the flows of tables,
//! whose training they share.

use super::trained_flow::{forget, train_from};
use crate::artifact::estimator::{DensityEstimator, Estimator, FitError, Fitted, Options, Run};
use crate::features::{Bundle, Shape};
use crate::flow::Pictures;
use crate::flow::picture::PictureSize;
use crate::train::{FlowKind, FlowSettings, Key, TrainError, apply_settings, picture_preset, start_flow};

/// Name of the setting that takes a picture as a vector instead.
const CONVOLUTIONS: &str = "convolutions";

/// A flow of pictures of a size.
#[derive(Debug, Clone)]
struct MultiScaleFlow {
    kind: FlowKind,
    options: Options,
    size: PictureSize,
}

/// What `--set` changes.
#[derive(Debug, Clone)]
struct Settings {
    flow: FlowSettings,
    convolutions: bool,
}

/// The estimator for pictures of a shape; none where the user wants a picture to be taken as a vector.
///
/// # Errors
/// [`FitError::Usage`] for an ensemble and for pictures that cannot be divided, [`FitError::Settings`] for
/// unusable settings.
pub(super) fn estimator(
    kind: FlowKind,
    shape: &Shape,
    options: &Options,
) -> Result<Option<DensityEstimator>, FitError> {
    let Shape::Grid { height, width, channels, .. } = *shape else {
        return Err(FitError::usage("the bundle holds no pictures", "ingest them by the pipeline images"));
    };
    let size = PictureSize { height, width, channels };
    if asks_for_vectors(options) {
        return Ok(None);
    }
    if options.ensemble.is_some_and(|n| n > 1) {
        return Err(FitError::usage(
            "--ensemble does not apply to flows of pictures with convolutions",
            format!("leave it out, or take pictures as vectors with --set {CONVOLUTIONS}=false"),
        ));
    }
    if !Pictures::new(size).couples() {
        return Err(FitError::usage(
            format!(
                "pictures of {height} × {width} pixels of one channel cannot be divided into squares of \
                 2 × 2 pixels, of which a flow with convolutions transforms some given the others"
            ),
            format!(
                "ingest them with an even --set size, or take them as vectors with \
                 --set {CONVOLUTIONS}=false"
            ),
        ));
    }
    let chosen = MultiScaleFlow { kind, options: options.clone(), size };
    // A wrong setting is told before anything is fitted. Its range does not depend on the number of pictures.
    let settings = chosen.settings(1)?;
    settings.flow.check().map_err(TrainError::from)?;
    Ok(Some(Box::new(chosen)))
}

/// Whether the last that is said about convolutions is that there be none.
fn asks_for_vectors(options: &Options) -> bool {
    let said = options.settings.iter().rev().find(|(name, _)| name == CONVOLUTIONS);
    said.is_some_and(|(_, value)| value == "false")
}

/// The options without the setting that is asked for only here.
pub(super) fn without_own_settings(options: &Options) -> Options {
    let mut options = options.clone();
    options.settings.retain(|(name, _)| name != CONVOLUTIONS);
    options
}

fn keys() -> Vec<Key<Settings>> {
    let flow = FlowSettings::keys().into_iter().map(|k| k.within(|s: &Settings| &s.flow, |s| &mut s.flow));
    let help = "whether pictures are seen by convolutions, or taken as vectors of numbers";
    let own = Key::choice(CONVOLUTIONS, help, &["true", "false"], |s: &mut Settings, v| {
        s.convolutions = v == "true";
    });
    flow.chain([own]).collect()
}

impl MultiScaleFlow {
    fn settings(&self, n_train: usize) -> Result<FlowSettings, FitError> {
        let (flow, mut train) = picture_preset(self.kind, self.options.preset, n_train, self.size);
        train.max_epochs = self.options.epochs.unwrap_or(train.max_epochs);
        let mut settings = Settings { flow: FlowSettings { flow, train }, convolutions: true };
        apply_settings(&mut settings, &keys(), &self.options.settings)?;
        Ok(settings.flow)
    }
}

impl Estimator for MultiScaleFlow {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        forget(run)?;
        if !bundle.manifest.encoder.context_coordinates().is_empty() {
            return Err(FitError::usage(
                "--condition-on does not apply to flows of pictures with convolutions",
                format!("take pictures as vectors with --set {CONVOLUTIONS}=false"),
            ));
        }
        let FlowSettings { flow, train } = self.settings(bundle.manifest.splits.train)?;
        train_from(self.kind, start_flow(&flow, run.seed, None)?, &train, bundle, run)
    }
}
