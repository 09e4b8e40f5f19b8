//! What all sections look at: the bundle, the models with their scores, and what may be shown.

use std::collections::{BTreeMap, HashMap};

use ndarray::{Array2, Axis, Slice};

use crate::artifact::{ModelArtifact, Role};
use crate::evaluate::RecordScores;
use crate::features::Bundle;
use crate::random::Seed;
use crate::report::Privacy;
use crate::report::data::NamedCount;
use crate::schema::Split;

/// What levels are called that no training record had.
pub(super) const NOT_MET: &str = "not met in training";

/// Records of a split that are scored at most. Beyond this number training records are not scored again,
/// since the model's metrics hold their mean; of another split of a table, evenly spread ones are. A mean
/// over so many has an error of less than a hundredth of the spread of records, and the time that a page
/// takes does not grow with the table.
pub(super) const SCORED: usize = 20_000;

/// The records of a split that are scored.
fn scored_rows(bundle: &Bundle, split: Split) -> Array2<f64> {
    let raw = bundle.raw_of(split);
    // Windows are looked at one by one, with their places in the recording.
    let step = if bundle.manifest.shape.has_separate_features() { raw.nrows().div_ceil(SCORED) } else { 1 };
    if step <= 1 { raw } else { raw.slice_axis(Axis(0), Slice::new(0, None, step as isize)).to_owned() }
}

/// A model with its scores of every split.
pub(super) struct Scored<'a> {
    pub(super) name: String,
    pub(super) model: &'a ModelArtifact,
    pub(super) scores: BTreeMap<Split, RecordScores>,
}

impl<'a> Scored<'a> {
    fn new(name: String, bundle: &Bundle, model: &'a ModelArtifact) -> Self {
        let mut scores = BTreeMap::new();
        for split in Split::ALL {
            let skipped = split == Split::Train && bundle.manifest.splits.get(split) > SCORED;
            let raw = if skipped { Array2::zeros((0, 0)) } else { scored_rows(bundle, split) };
            if raw.nrows() > 0 {
                scores.insert(split, model.score(raw.view()));
            }
        }
        Self { name, model, scores }
    }

    /// What it is in a comparison.
    pub(super) fn role(&self) -> Role {
        self.model.header.family.kind.definition().role
    }

    /// Log-densities of a split's records by which models are compared: those of the values as ingested. The
    /// density of the normalised vector depends on where in its cell the noise has put a whole number; records
    /// with equal values share that noise, and models have different numbers of draws of it, so that two models
    /// could differ by it alone. In original units it cancels.
    pub(super) fn log_prob(&self, split: Split) -> Option<&Vec<f64>> {
        Some(&self.scores.get(&split)?.log_prob)
    }

    /// Their mean over the whole split with its standard error.
    pub(super) fn mean(&self, split: Split) -> Option<(f64, Option<f64>)> {
        let metrics = self.model.metrics.splits.get(&split)?;
        Some((metrics.mean_log_prob_original_units, metrics.standard_error_original_units))
    }

    /// Mean by which models are chosen: validation if there is one, never the test split.
    pub(super) fn standing(&self) -> f64 {
        let mean = |split| self.mean(split).map(|(mean, _)| mean).filter(|mean| mean.is_finite());
        mean(Split::Validation).or_else(|| mean(Split::Train)).unwrap_or(f64::NEG_INFINITY)
    }
}

/// What all sections look at.
pub(super) struct Context<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) privacy: Privacy,
    pub(super) seed: Seed,
    /// The models in the order given.
    pub(super) models: Vec<Scored<'a>>,
    /// Position of the model shown where only one is: the best on validation.
    pub(super) leading: usize,
    /// Held-out records to compare with: the test split, where it may be looked at.
    pub(super) test: Option<Split>,
}

impl<'a> Context<'a> {
    /// Scores the models, gives each a name of its own and chooses the leading one.
    pub(super) fn new(
        bundle: &'a Bundle,
        models: &'a [(String, ModelArtifact)],
        privacy: Privacy,
        seed: Seed,
    ) -> Self {
        let names = unique(models.iter().map(|(name, _)| name.clone()).collect());
        let scored = names.into_iter().zip(models).map(|(name, (_, model))| Scored::new(name, bundle, model));
        let models: Vec<Scored<'_>> = scored.collect();
        let leading = (0..models.len())
            .reduce(|a, b| if models[b].standing() > models[a].standing() { b } else { a })
            .unwrap_or(0);
        let n_test = bundle.manifest.splits.get(Split::Test) as u64;
        let test = (n_test >= 2 && privacy.allows(n_test)).then_some(Split::Test);
        Self { bundle, privacy, seed, models, leading, test }
    }

    pub(super) fn n(&self, split: Split) -> u64 {
        self.bundle.manifest.splits.get(split) as u64
    }

    /// The records of a split that the scores are of.
    ///
    /// # Shapes
    /// → `(n, p)`, in the terms of [`Bundle::raw_of`]
    pub(super) fn scored(&self, split: Split) -> Array2<f64> {
        scored_rows(self.bundle, split)
    }

    pub(super) fn leading(&self) -> &Scored<'_> {
        &self.models[self.leading]
    }

    /// Label of a feature, made unique by its name where two features share one.
    pub(super) fn labels(&self) -> Vec<String> {
        let columns = &self.bundle.manifest.encoder.columns;
        let given = |j: usize| {
            let meta = &columns[j].meta;
            if meta.label.is_empty() { meta.name.as_str() } else { meta.label.as_str() }
        };
        let mut times: HashMap<&str, usize> = HashMap::new();
        for j in 0..columns.len() {
            *times.entry(given(j)).or_default() += 1;
        }
        (0..columns.len())
            .map(|j| {
                if times[given(j)] > 1 {
                    format!("{} [{}]", given(j), columns[j].meta.name)
                } else {
                    given(j).to_owned()
                }
            })
            .collect()
    }

    /// The number of records of each split. The other splits and the total would tell a small one, so that
    /// the largest is blurred.
    pub(super) fn splits(&self) -> Vec<NamedCount> {
        let present: Vec<Split> = Split::ALL.into_iter().filter(|s| self.n(*s) > 0).collect();
        let (small, rest): (Vec<Split>, Vec<Split>) =
            present.iter().copied().partition(|s| !self.privacy.shows(self.n(*s)));
        let hidden = small.iter().map(|s| self.n(*s)).sum();
        let largest = rest.into_iter().max_by_key(|s| self.n(*s)).filter(|_| !small.is_empty());
        let cell = |s: Split| {
            let n = self.n(s);
            if Some(s) == largest {
                self.privacy.blurred(n, hidden, small.len() as u64)
            } else {
                self.privacy.count(n)
            }
        };
        present.into_iter().map(|s| NamedCount { name: s.name().into(), n: cell(s) }).collect()
    }

    /// Values of a feature among rows, ascending, missing ones left out.
    pub(super) fn sorted(raw: &Array2<f64>, feature: usize) -> Vec<f64> {
        let mut values: Vec<f64> = raw.column(feature).iter().copied().filter(|v| !v.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

/// Names with a number after those that came before.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut candidate = name.clone();
        let mut number = 2;
        while out.contains(&candidate) {
            candidate = format!("{name} {number}");
            number += 1;
        }
        out.push(candidate);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_numbered() {
        let names = ["a", "b", "a", "a 2", "a"].map(str::to_owned).to_vec();
        assert_eq!(unique(names), ["a", "b", "a 2", "a 2 2", "a 3"]);
    }
}
