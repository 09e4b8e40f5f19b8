//! The likelihood of two cohorts under a model of the older one.

use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::calibration::calibrations;
use super::context::Context;
use super::histogram::{histogram, protect_samples};
use crate::artifact::ModelArtifact;
use crate::features::Bundle;
use crate::num::moments::mean_and_standard_error;
use crate::num::proportion::wilson;
use crate::outlier::Calibration;
use crate::partial::{FEWEST_EFFECTIVE, PartialError, Proposal, marginals};
use crate::report::data::JointDrift;
use crate::report::format::{fixed, signed};
use crate::report::measure::{Z95, ks_chance, ks_distance};
use crate::schema::Split;

/// Records of each cohort that are judged where features are integrated out, at most: each takes as many
/// likelihoods as there are samples, and those of an ensemble of flows are slow.
const MOST_INTEGRATED: usize = 200;
/// Importance samples by which features are integrated out.
const SAMPLES: usize = 64;

/// A model of the older cohort, with the records of the new one in the model's own terms.
#[derive(Debug)]
pub struct OlderModel {
    /// What it is called.
    pub name: String,
    /// The model.
    pub model: ModelArtifact,
    /// The new records, `(n, p)`.
    pub raw: Array2<f64>,
    /// The features by which records are judged, where the new cohort lacks some of the others: one value per
    /// feature of the model.
    pub wanted: Option<Vec<bool>>,
    /// Names of the features that the new cohort lacks.
    pub lacking: Vec<String>,
}

/// An older cohort, with the models that were fitted on it.
#[derive(Debug)]
pub struct Older {
    /// What it is called.
    pub name: String,
    /// Its records.
    pub bundle: Bundle,
    /// Its patients, where they are fewer than its records.
    pub subjects: Option<usize>,
    /// Models fitted on it.
    pub models: Vec<OlderModel>,
}

/// Log-likelihoods of both cohorts.
struct Judged {
    before: Vec<f64>,
    now: Vec<f64>,
    /// New records with a p-value of at most 5 %; none where there is nothing to rank them among.
    odd: Option<usize>,
    /// New records of which the likelihood rests on few samples.
    few: usize,
}

/// The likelihood of all new records against that of older ones the model was not fitted on.
pub(super) fn joint(
    context: &Context<'_>,
    older: &Older,
    of: &OlderModel,
) -> Result<Option<JointDrift>, PartialError> {
    let privacy = context.privacy;
    let OlderModel { name, model, raw, .. } = of;
    let split = [Split::Test, Split::Calibration, Split::Validation]
        .into_iter()
        // A cross-conformal model was fitted on its calibration records too.
        .filter(|s| *s != Split::Calibration || model.header.calibration_folds.is_none())
        .find(|s| privacy.allows(older.bundle.manifest.splits.get(*s) as u64));
    let Some(split) = split.filter(|_| privacy.allows(raw.nrows() as u64)) else { return Ok(None) };
    let held_out = older.bundle.raw_of(split);
    let Judged { before, now, odd, few } = match &of.wanted {
        None => whole(model, &held_out, raw),
        Some(wanted) => shared(model, wanted, split, &held_out, raw)?,
    };
    let (mean_old, error_old) = mean_and_standard_error(&before);
    let (mean_new, error_new) = mean_and_standard_error(&now);
    let (difference, error) = (mean_new - mean_old, error_old.hypot(error_new));
    let (low, high) = (difference - Z95 * error, difference + Z95 * error);
    let (n, a, b) = (now.len(), sorted(before), sorted(now));
    let odd = odd.filter(|k| privacy.shows(*k as u64));
    let interval = odd.map(|k| wilson(k, n));
    let verdict = if low > 0.0 {
        format!("records of this cohort are more ordinary to {name} than those of the older one")
    } else if high < 0.0 {
        format!("records of this cohort are stranger to {name} than those of the older one")
    } else {
        format!("the mean likelihood under {name} cannot tell the cohorts apart")
    };
    Ok(Some(JointDrift {
        model: name.clone(),
        n_old: privacy.count(a.len() as u64),
        n_new: privacy.count(n as u64),
        mean_old,
        mean_new,
        difference,
        error,
        low,
        high,
        ks: ks_distance(&a, &b),
        ks_chance: ks_chance(a.len(), b.len()),
        odd_percent: odd.map(|k| 100.0 * k as f64 / n as f64),
        odd_low: interval.map(|i| 100.0 * i.0),
        odd_high: interval.map(|i| 100.0 * i.1),
        verdict: format!("{verdict}: {} ± {} nats per record", signed(difference, 3), fixed(error, 3)),
        integrated_out: of.lacking.clone(),
        n_shared: of.wanted.as_ref().map(|wanted| wanted.iter().filter(|w| **w).count()),
        few_samples: (few > 0).then(|| privacy.count(few as u64)),
        histogram: histogram(privacy, &a, &b, None)
            .filter(|h| h.levels.is_empty())
            .and_then(|h| protect_samples(privacy, h, b.len())),
    }))
}

/// Whole records, by the normalised vector and the model's own calibration.
fn whole(model: &ModelArtifact, held_out: &Array2<f64>, raw: &Array2<f64>) -> Judged {
    let (before, now) = (model.score(held_out.view()), model.score(raw.view()));
    let odd = calibrations(model)
        .map(|calibration| odd(&calibration.p_values(raw.view(), &model.unusualness(raw.view(), &now))));
    Judged { before: before.log_prob_tensor, now: now.log_prob_tensor, odd, few: 0 }
}

/// The features that both cohorts have, in original units. The model keeps the calibration scores of whole
/// records only, so that new records are ranked among the held-out ones.
fn shared(
    model: &ModelArtifact,
    wanted: &[bool],
    split: Split,
    held_out: &Array2<f64>,
    raw: &Array2<f64>,
) -> Result<Judged, PartialError> {
    let proposal = Proposal::of(model)?;
    let judge = |of: &Array2<f64>| marginals(&proposal, spread(of), wanted, SAMPLES, model.score_seed());
    let (before, now) = (judge(held_out)?, judge(raw)?);
    let score = |log_prob: &[f64]| log_prob.iter().map(|l| -l).collect::<Vec<f64>>();
    // The fit was stopped and chosen by the validation records, which are no calibration.
    let calibration = Calibration::new(&score(&before.log_prob)).ok().filter(|_| split != Split::Validation);
    Ok(Judged {
        odd: calibration.map(|c| odd(&c.p_values(&score(&now.log_prob)))),
        few: now.effective_samples.iter().filter(|e| **e < FEWEST_EFFECTIVE).count(),
        before: before.log_prob,
        now: now.log_prob,
    })
}

/// A relative slack, as in flagging: 3/60 must pass at 0.05.
fn odd(p: &[f64]) -> usize {
    p.iter().filter(|p| **p <= 0.05 * (1.0 + 1e-12)).count()
}

/// Evenly spread records, so that the order of a table decides nothing.
fn spread(raw: &Array2<f64>) -> ArrayView2<'_, f64> {
    let step = raw.nrows().div_ceil(MOST_INTEGRATED).max(1);
    raw.slice_axis(Axis(0), Slice::new(0, None, step as isize))
}

fn sorted(mut of: Vec<f64>) -> Vec<f64> {
    of.sort_unstable_by(f64::total_cmp);
    of
}
