//! Why a record is unusual: the features whose replacement would make it ordinary, for any density.
//!
//! ```text
//! gain_j(x) = max_v L(x with x_j = v) − L(x)         L: mean log-density of the record's vector over noise draws
//! ```
//!
//! First everything is tried with few noise draws: each feature over its training quantiles, the features of
//! one variable together ([`block`](super::block)), the familiar mistakes ([`pattern`](super::pattern)), and
//! exchanges of two of the variables that gain most by that. Then the most promising on finer grids with more
//! draws, and, where nothing single suffices, changes of two features. Missing features are left missing, and
//! the coordinates of missing indicators are kept.

use crate::density::Density;
use crate::random::Seed;

use super::block::{Block, Edit, blocks};
use super::explanation::{FeatureExplanation, PairExplanation, Written};
use super::feature::{Feature, GRID};
use super::pattern::{Correction, Pattern, corrections};
use super::subject::{Candidate, Exchange, Subject, choose, evaluate, exchanges};
use super::versions::{Cells, Gain, Versions};

/// Noise draws when everything is tried: about 800 versions of a record of 60 features. Differences share
/// their noise, so one draw ranks well enough to choose what is repeated with more.
const SCREENING_DRAWS: usize = 1;
/// Noise draws for what is reported: about 300 versions.
const REFINING_DRAWS: usize = 2;
/// Features refined and tried in pairs, so that both halves of an exchange are among them.
const REFINED_FEATURES: usize = 6;
/// Exchanges refined.
const REFINED_EXCHANGES: usize = 3;
/// Changes of two features at once that are evaluated with the draws of what is reported.
const REFINED_PAIRS: usize = 8;
/// A correction is named when it earns this share of the best possible gain, …
const SHARE_OF_BEST: f64 = 0.8;
/// … and the gain itself is large: e³ ≈ 20 times likelier. Below, any of a dozen patterns fits by accident. A
/// hypothesis about several features has to beat those about one by as much.
const NAMEABLE_GAIN: f64 = 3.0;
/// A changed record is ordinary again when one in twenty calibration records is at least as unusual.
pub(super) const ORDINARY: f64 = 0.05;

/// The p-value of the record after an edit with this gain.
pub(super) type After<'a> = dyn Fn(&[(usize, f64)], Gain) -> f64 + 'a;

/// The explanation of one record.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Explanation {
    /// By decreasing gain.
    pub(super) features: Vec<FeatureExplanation>,
    pub(super) pair: Option<PairExplanation>,
}

/// Explains records under one density.
pub(super) struct Explainer<'a> {
    density: &'a dyn Density,
    cells: &'a dyn Cells,
    features: &'a [Feature],
    grids: Vec<Vec<f64>>,
    blocks: Vec<Block>,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(density: &'a dyn Density, cells: &'a dyn Cells, features: &'a [Feature]) -> Self {
        let grids = features.iter().map(Feature::grid).collect();
        Self { density, cells, features, grids, blocks: blocks(features) }
    }

    /// Explains one record by at most `top` features. A record without observed values has nothing to change
    /// and an empty explanation.
    pub(super) fn explain(&self, raw: &[f64], after: &After<'_>, top: usize, seed: Seed) -> Explanation {
        let versions = |draws, name| Versions::new(self.density, self.cells, raw, draws, seed.child(name, 0));
        let (screening, refining) = (versions(SCREENING_DRAWS, "screen"), versions(REFINING_DRAWS, "refine"));
        // What is given is not judged: to everything that proposes changes it is as good as missing.
        let judged: Vec<f64> =
            raw.iter().zip(self.features).map(|(&x, f)| if f.context { f64::NAN } else { x }).collect();
        let raw = judged.as_slice();
        if top == 0 || raw.iter().all(|x| x.is_nan()) {
            return Explanation::default();
        }
        let (subjects, exchanges) = self.screen(raw, &screening);
        let chosen = choose(&subjects, (top, top.max(REFINED_FEATURES)));
        let (subjects, exchange) = self.refine(raw, &refining, &chosen, exchanges);

        let mut described: Vec<(FeatureExplanation, Option<usize>)> =
            subjects.iter().map(|s| (self.describe(raw, s, after), s.block)).collect();
        described.sort_by(|a, b| b.0.gain.total_cmp(&a.0.gain));
        let mut features = self.merge(described);
        if let Some(exchange) = exchange {
            self.exchange(raw, &exchange, after, &mut features);
        }
        let pair = if features.first().is_some_and(|f| f.p_after > ORDINARY) {
            self.either(raw, &features)
        } else {
            let best = features.first().map_or(0.0, |f| f.gain);
            self.joint(raw, &subjects, (&screening, &refining), after)
                .filter(|p| p.gain > best + NAMEABLE_GAIN)
        };
        features.truncate(top);
        for f in &mut features {
            f.written = self.written(f);
        }
        Explanation { features, pair }
    }

    fn written(&self, f: &FeatureExplanation) -> Written {
        let feature = &self.features[f.column];
        Written {
            label: feature.title().to_owned(),
            unit: if feature.is_categorical() { String::new() } else { feature.unit.clone() },
            observed: feature.format(f.observed),
            suggested: feature.format(f.suggested),
            expected: feature.format_expected(&f.expected),
            corrected: f.corrected.map(|c| feature.format(c)).unwrap_or_default(),
        }
    }

    /// Everything with few draws: subjects by decreasing gain, exchanges likewise.
    fn screen(&self, raw: &[f64], versions: &Versions<'_>) -> (Vec<Subject>, Vec<Exchange>) {
        let mut subjects: Vec<Subject> = (0..self.features.len())
            .filter(|&j| !raw[j].is_nan())
            .map(|column| Subject {
                column,
                block: None,
                candidates: self.grids[column]
                    .iter()
                    .map(|&v| Candidate::new(vec![(column, v)], None))
                    .collect(),
            })
            .collect();
        for (b, block) in self.blocks.iter().enumerate().filter(|(_, b)| b.is_joint(raw)) {
            subjects.extend(self.block_subject(raw, b, block, &GRID));
        }
        evaluate(versions, &mut subjects, &mut []);
        subjects.sort_by(|a, b| b.best_gain().total_cmp(&a.best_gain()));
        let mut exchanges = exchanges(&subjects, &self.blocks, self.features, raw);
        evaluate(versions, &mut [], &mut exchanges);
        exchanges.sort_by(|a, b| b.gain.vector.total_cmp(&a.gain.vector));
        (subjects, exchanges)
    }

    fn block_subject(
        &self,
        raw: &[f64],
        index: usize,
        block: &Block,
        probabilities: &[f64],
    ) -> Option<Subject> {
        let column = block.representative(raw)?;
        let quantiles =
            probabilities.iter().map(|&p| Candidate::new(block.at_quantile(p, self.features, raw), None));
        let corrected = corrections(&block.name, &block.unit, false, raw[column])
            .into_iter()
            // A lost sign turns a maximum into a minimum; no single change of all members undoes it.
            .filter(|c| c.pattern != Pattern::Sign)
            .filter_map(|c| Some(Candidate::new(block.corrected(&c, self.features, raw)?, Some(c))));
        Some(Subject { column, block: Some(index), candidates: quantiles.chain(corrected).collect() })
    }

    /// The chosen subjects on their fine grids with their corrections, and the best exchange.
    fn refine(
        &self,
        raw: &[f64],
        versions: &Versions<'_>,
        chosen: &[&Subject],
        mut exchanges: Vec<Exchange>,
    ) -> (Vec<Subject>, Option<Exchange>) {
        let mut subjects: Vec<Subject> = chosen.iter().filter_map(|s| self.refined(raw, s)).collect();
        exchanges.truncate(REFINED_EXCHANGES);
        // Beyond those of equal unit: any two of the features that matter most.
        let singles: Vec<usize> = chosen.iter().filter(|s| s.block.is_none()).map(|s| s.column).collect();
        let block_of = |column: usize| self.blocks.iter().position(|b| b.contains(column));
        for (i, &first) in singles.iter().enumerate() {
            for &second in &singles[i + 1..] {
                let (Some(a), Some(b)) = (block_of(first), block_of(second)) else { continue };
                if a != b
                    && self.blocks[a].unit != self.blocks[b].unit
                    && let Some(edit) = self.blocks[a].exchanged(&self.blocks[b], self.features, raw)
                {
                    exchanges.push(Exchange { blocks: (a, b), edit, gain: Gain::NONE });
                }
            }
        }
        evaluate(versions, &mut subjects, &mut exchanges);
        (subjects, exchanges.into_iter().max_by(|a, b| a.gain.vector.total_cmp(&b.gain.vector)))
    }

    fn refined(&self, raw: &[f64], screened: &Subject) -> Option<Subject> {
        if let Some(index) = screened.block {
            // Around the best quantile, in as many steps as before.
            let gains = screened.candidates.iter().filter(|c| c.correction.is_none()).map(|c| c.gain.vector);
            let best = gains.enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?.0;
            let (low, high) = (GRID[best.saturating_sub(1)], GRID[(best + 1).min(GRID.len() - 1)]);
            let mut probabilities: Vec<f64> =
                (0..=8).map(|i| low + (high - low) * f64::from(i) / 8.0).collect();
            probabilities.extend(GRID);
            return self.block_subject(raw, index, &self.blocks[index], &probabilities);
        }
        let column = screened.column;
        let feature = &self.features[column];
        let (grid, gains) = screened.profile();
        let mut values = feature.refine(&grid, &gains);
        values.push(screened.best().edit[0].1);
        let fine = values.into_iter().map(|v| Candidate::new(vec![(column, v)], None));
        let corrected = corrections(&feature.name, &feature.unit, feature.is_signed(), raw[column])
            .into_iter()
            .filter_map(|c| {
                Some(Candidate::new(vec![(column, feature.admit_alone(c.apply(raw[column]))?)], Some(c)))
            });
        Some(Subject { column, block: None, candidates: fine.chain(corrected).collect() })
    }

    fn describe(&self, raw: &[f64], subject: &Subject, after: &After<'_>) -> FeatureExplanation {
        let feature = &self.features[subject.column];
        let on_grid = subject.best();
        let weight = |c: &(&Candidate, &Correction)| c.0.gain.vector + c.1.pattern.log_weight();
        let named = subject
            .candidates
            .iter()
            .filter_map(|c| Some((c, c.correction.as_ref()?)))
            .filter(|(c, _)| {
                c.gain.vector >= NAMEABLE_GAIN && c.gain.vector >= SHARE_OF_BEST * on_grid.gain.vector
            })
            .max_by(|a, b| weight(a).total_cmp(&weight(b)));
        let best = named.map(|n| n.0).filter(|n| n.gain.vector > on_grid.gain.vector).unwrap_or(on_grid);
        let observed = raw[subject.column];
        // Where nothing tried is likelier than what was recorded, that is the suggestion.
        let better = best.gain.vector > 0.0;
        let suggested = if better { best.edit[0].1 } else { observed };
        let (grid, gains) = subject.profile();
        FeatureExplanation {
            column: subject.column,
            feature: feature.name.clone(),
            observed,
            suggested,
            expected: feature.expected(&grid, &gains),
            gain: best.gain.vector.max(0.0),
            p_after: if better {
                after(&best.edit, best.gain)
            } else {
                after(&[], Gain { vector: 0.0, original: 0.0 })
            },
            pattern: named.map(|(_, correction)| correction.pattern.clone()),
            corrected: named.map(|(c, _)| c.edit[0].1),
            together: best.edit[1..].iter().map(|&(j, _)| self.features[j].name.clone()).collect(),
            written: Written::default(),
        }
    }

    /// A variable in place of its features where changing them together gains clearly more than changing any
    /// one; its features in place of the variable elsewhere. By decreasing gain, before and after.
    fn merge(&self, described: Vec<(FeatureExplanation, Option<usize>)>) -> Vec<FeatureExplanation> {
        let single = |index: usize| {
            let own = |d: &&(FeatureExplanation, Option<usize>)| {
                d.1.is_none() && self.blocks[index].contains(d.0.column)
            };
            described.iter().filter(own).map(|d| d.0.gain).fold(0.0, f64::max)
        };
        let accepted: Vec<usize> = described
            .iter()
            .filter_map(|(f, block)| block.filter(|&b| f.gain > single(b) + NAMEABLE_GAIN))
            .collect();
        let covered = |column: usize| accepted.iter().any(|&b| self.blocks[b].contains(column));
        described
            .into_iter()
            .filter(|(f, block)| block.map_or_else(|| !covered(f.column), |b| accepted.contains(&b)))
            .map(|(f, _)| f)
            .collect()
    }

    /// Describes two variables as exchanged where that does better than any change of one of them.
    fn exchange(
        &self,
        raw: &[f64],
        exchange: &Exchange,
        after: &After<'_>,
        features: &mut Vec<FeatureExplanation>,
    ) {
        let (a, b) = (&self.blocks[exchange.blocks.0], &self.blocks[exchange.blocks.1]);
        let involved = |f: &FeatureExplanation| a.contains(f.column) || b.contains(f.column);
        // Values of one unit are easily exchanged; across units the hypothesis has to be worth more.
        let margin = if a.unit == b.unit { 0.0 } else { NAMEABLE_GAIN };
        let gain = exchange.gain.vector;
        if gain < NAMEABLE_GAIN || features.iter().any(|f| involved(f) && f.gain + margin > gain) {
            return;
        }
        let p_after = after(&exchange.edit, exchange.gain);
        // The order of the two is that of their own gains.
        let first_is_b = features.iter().find(|f| involved(f)).is_some_and(|f| b.contains(f.column));
        let own: Vec<FeatureExplanation> = features.iter().filter(|f| involved(f)).cloned().collect();
        features.retain(|f| !involved(f));
        for (block, other) in if first_is_b { [(b, a), (a, b)] } else { [(a, b), (b, a)] } {
            let changes: Vec<&(usize, f64)> = exchange.edit.iter().filter(|e| block.contains(e.0)).collect();
            let Some(&&(column, value)) = changes.first() else { continue };
            features.push(FeatureExplanation {
                column,
                feature: self.features[column].name.clone(),
                observed: raw[column],
                suggested: value,
                expected: own
                    .iter()
                    .find(|f| f.column == column)
                    .map(|f| f.expected.clone())
                    .unwrap_or_default(),
                gain: exchange.gain.vector,
                p_after,
                pattern: Some(Pattern::Swapped(other.name.clone())),
                corrected: Some(value),
                together: changes[1..].iter().map(|e| self.features[e.0].name.clone()).collect(),
                written: Written::default(),
            });
        }
        features.sort_by(|x, y| y.gain.total_cmp(&x.gain));
    }

    /// Two features of which either would do, both recorded with everyday values: a combination that does not
    /// occur.
    fn either(&self, raw: &[f64], features: &[FeatureExplanation]) -> Option<PairExplanation> {
        let [a, b, ..] = features else { return None };
        let everyday = |f: &FeatureExplanation| {
            let feature = &self.features[f.column];
            feature.is_categorical() || (0.01..=0.99).contains(&feature.cumulative(raw[f.column]))
        };
        let swapped = matches!(a.pattern, Some(Pattern::Swapped(_)));
        (!swapped
            && a.gain >= NAMEABLE_GAIN
            && b.gain >= SHARE_OF_BEST * a.gain
            && everyday(a)
            && everyday(b))
        .then(|| self.pair(raw, [(a.column, a.suggested), (b.column, b.suggested)], a.gain, a.p_after, true))
    }

    /// The best change of two subjects: each of the best two at its best, every other tried over its coarse
    /// grid.
    fn joint(
        &self,
        raw: &[f64],
        subjects: &[Subject],
        (screening, refining): (&Versions<'_>, &Versions<'_>),
        after: &After<'_>,
    ) -> Option<PairExplanation> {
        let mut edits: Vec<(Edit, usize)> = Vec::new();
        for first in subjects.iter().take(2) {
            let best = &first.best().edit;
            for second in subjects {
                let coarse: Vec<Edit> = match second.block {
                    None => self.grids[second.column].iter().map(|&v| vec![(second.column, v)]).collect(),
                    Some(b) => {
                        GRID.iter().map(|&p| self.blocks[b].at_quantile(p, self.features, raw)).collect()
                    }
                };
                for edit in coarse {
                    if edit.iter().all(|(j, _)| best.iter().all(|(k, _)| j != k)) {
                        edits.push((best.iter().chain(&edit).copied().collect(), best.len()));
                    }
                }
            }
        }
        let of = |versions: &Versions<'_>, edits: &[(Edit, usize)]| {
            versions.gains(&edits.iter().map(|e| e.0.clone()).collect::<Vec<_>>())
        };
        let mut screened: Vec<_> = of(screening, &edits).into_iter().zip(edits).collect();
        screened.sort_by(|a, b| b.0.vector.total_cmp(&a.0.vector));
        let best: Vec<(Edit, usize)> = screened.into_iter().take(REFINED_PAIRS).map(|s| s.1).collect();
        let gains = of(refining, &best);
        let ((edit, second), gain) =
            best.iter().zip(gains).max_by(|a, b| a.1.vector.total_cmp(&b.1.vector))?;
        Some(self.pair(raw, [edit[0], edit[*second]], gain.vector, after(edit, gain), false))
    }

    fn pair(
        &self,
        raw: &[f64],
        edit: [(usize, f64); 2],
        gain: f64,
        p_after: f64,
        either: bool,
    ) -> PairExplanation {
        let columns = edit.map(|e| e.0);
        PairExplanation {
            features: columns.map(|j| self.features[j].name.clone()),
            columns,
            observed: columns.map(|j| raw[j]),
            suggested: edit.map(|e| e.1),
            observed_text: columns.map(|j| self.features[j].phrase(raw[j])),
            suggested_text: edit.map(|(j, v)| self.features[j].format(v)),
            gain,
            p_after,
            either,
        }
    }
}

#[cfg(test)]
mod tests;
