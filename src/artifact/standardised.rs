//! The mixture over standardised numbers that a combined score looks at records with.

use ndarray::Axis;

use crate::baseline::{MixtureConfig, WIDE, fit_mixture};
use crate::evaluate::{Standardised, axes, standardise};
use crate::features::Bundle;
use crate::message::{Message, Weight};
use crate::random::Seed;
use crate::schema::Split;

/// Added to each variance of standardised numbers, so that in few rows of many columns distances stay what
/// counts.
const RIDGE: f64 = 0.1;
/// Most rows that the mixture is fitted on.
const ROWS: usize = 10_000;
/// Rows × columns² beyond which fewer rows are taken: expectation maximisation takes that many operations per
/// component and iteration, and 30,000 × 200 took minutes.
const WORK: usize = 50_000_000;

/// The mixture over standardised numbers behind a combined score; none for windows of signals, where a
/// distance over thousands of samples says nothing and costs hours, none where the table holds no numbers or
/// EM fails on them.
pub(super) fn standardised_mixture(
    bundle: &Bundle,
    seed: Seed,
    messages: &mut Vec<Message>,
) -> Option<Standardised> {
    let axes = axes(&bundle.manifest.encoder);
    if axes.is_empty() || axes.len() > WIDE || !bundle.manifest.shape.has_separate_features() {
        return None;
    }
    let rows = |split| {
        let at = bundle.rows(split);
        let most = (WORK / (axes.len() * axes.len())).clamp(500, ROWS);
        let step = at.len().div_ceil(most).max(1);
        let chosen: Vec<usize> = at.into_iter().step_by(step).collect();
        standardise(&axes, bundle.raw.select(Axis(0), &chosen).view())
    };
    let config = MixtureConfig {
        components: vec![1, 2, 4, 8],
        regularisation: vec![RIDGE],
        starts: 1,
        seed: seed.child("standardised", 0),
        ..MixtureConfig::default()
    };
    let (train, validation) = (rows(Split::Train), rows(Split::Validation));
    match fit_mixture(train.view(), validation.view(), 1, &config) {
        Ok((gmm, _)) => {
            let weights = gmm.weights().to_vec();
            Standardised::new(axes, &weights, gmm.means().view(), gmm.covariances().outer_iter())
        }
        Err(e) => {
            let text = format!("outliers are ranked without the mixture of their standardised numbers: {e}");
            messages.push(Message::records(Weight::LeftOut, text));
            None
        }
    }
}
