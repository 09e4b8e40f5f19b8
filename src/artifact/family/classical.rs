//! The mixtures that stand beside flows in an ensemble, each by a short search.

use std::borrow::Cow;
use std::time::Instant;

use super::armix::ArmixEstimator;
use super::gmm::{MixtureDetails, MixtureEstimator};
use super::tmix::TMixture;
use crate::artifact::effort::deadline;
use crate::artifact::estimator::{Fitted, Run};
use crate::baseline::{Mixture, MixtureError};
use crate::features::Bundle;
use crate::schema::Split;

/// Records × coordinates² that the searches are made for: expectation maximisation takes that many operations
/// per component and iteration.
pub(super) const WORK: usize = 30_000_000;
/// Fewest records of a split that are looked at, as far as there are so many.
const FEWEST: usize = 500;
/// Share of a budget of time that goes into these mixtures.
const SHARE: f64 = 0.5;
/// Share of that which goes into the Gaussian mixture, which is the quickest of them.
const GAUSSIAN: f64 = 0.1;

/// The records of a bundle that mixtures are searched on: all of them where that takes reasonable time, else
/// training and validation records evenly spread over those that there are.
pub(super) fn some_records(bundle: &Bundle) -> Cow<'_, Bundle> {
    let d = bundle.manifest.encoder.n_coordinates();
    let most = (WORK / (d * d).max(1)).max(FEWEST);
    let mut left_out = Vec::new();
    for split in [Split::Train, Split::Validation] {
        let rows = bundle.rows(split);
        if rows.len() > most {
            let kept: std::collections::BTreeSet<usize> =
                (0..most).map(|i| rows[i * rows.len() / most]).collect();
            left_out.extend(rows.into_iter().filter(|row| !kept.contains(row)));
        }
    }
    if left_out.is_empty() { Cow::Borrowed(bundle) } else { Cow::Owned(bundle.without(&left_out)) }
}

/// The Gaussian mixture, from which flows may start as well. With a budget of time, larger numbers of
/// components are tried only while it allows.
///
/// # Errors
/// As the search.
pub(super) fn gaussian(bundle: &Bundle, run: &Run<'_>) -> Result<(Mixture, MixtureDetails), MixtureError> {
    run.progress.note("fitting a Gaussian mixture");
    let mut estimator = MixtureEstimator::quick();
    estimator.config.deadline = run.time_budget.and_then(|budget| deadline(GAUSSIAN * SHARE * budget));
    estimator.search(bundle, run.seed)
}

/// Coordinates up to which autoregressive mixtures are members of an ensemble. What they gain was measured on
/// tables of up to 36; the first day of 100 stays of MIMIC-III, with some 150 coordinates, took five minutes.
const WIDEST: usize = 64;

/// Mixtures of t distributions and autoregressive mixtures, in the coordinates of the encoder and in straight
/// ones, as far as they can be fitted. `begun` is when the budget of time began.
pub(super) fn heavy_tailed(bundle: &Bundle, run: &Run<'_>, begun: Instant) -> Vec<Fitted> {
    let left = |share: f64| {
        let left = |budget: f64| (SHARE * budget - begun.elapsed().as_secs_f64()) * share;
        run.time_budget.map(left)
    };
    let mut members = Vec::new();
    run.progress.note("fitting mixtures of t distributions");
    let mut search = TMixture::quick();
    search.config.deadline = left(0.25).and_then(deadline);
    let encoded = Some(search.encoded(bundle, run.seed));
    search.config.deadline = left(0.33).and_then(deadline);
    for found in [encoded, search.straight(bundle, run.seed)].into_iter().flatten() {
        match found {
            Ok(found) => members.push(found.fitted),
            Err(e) => run.progress.note(&format!("a mixture of t distributions is no member: {e}")),
        }
    }
    let d = bundle.manifest.encoder.n_coordinates();
    if d > WIDEST {
        run.progress.note(&format!(
            "autoregressive mixtures are no members: with {d} coordinates, more than {WIDEST}, they would \
             take minutes"
        ));
        return members;
    }
    run.progress.note("fitting autoregressive mixtures");
    let search = ArmixEstimator::quick(bundle.manifest.splits.train, d);
    match search.members(bundle, &Run { time_budget: left(1.0), ..*run }) {
        Ok(found) => members.extend(found),
        Err(e) => run.progress.note(&format!("autoregressive mixtures are no members: {e}")),
    }
    members
}
