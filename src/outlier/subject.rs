//! What is tried on a record: changes of one feature, of the features of one variable, exchanges of two
//! variables.

use super::block::{Block, Edit};
use super::feature::Feature;
use super::pattern::Correction;
use super::versions::{Gain, Versions};

/// Variables of which exchanges are tried.
const EXCHANGED_VARIABLES: usize = 24;
/// Blocks refined.
const REFINED_BLOCKS: usize = 3;
/// Share of the largest gain from which on a feature is refined although it is not to be named: it may be the
/// other half of an exchange, or of a change of two.
const SHARE_WORTH_REFINING: f64 = 0.25;

/// One way a feature, or the features of a variable, may have been meant.
pub(super) struct Candidate {
    pub(super) edit: Edit,
    pub(super) gain: Gain,
    pub(super) correction: Option<Correction>,
}

impl Candidate {
    pub(super) fn new(edit: Edit, correction: Option<Correction>) -> Self {
        Self { edit, gain: Gain::NONE, correction }
    }
}

/// All ways for one feature or block; `column` stands for it and leads every edit.
pub(super) struct Subject {
    pub(super) column: usize,
    pub(super) block: Option<usize>,
    pub(super) candidates: Vec<Candidate>,
}

impl Subject {
    /// The best value on the grid, corrections aside.
    pub(super) fn best(&self) -> &Candidate {
        let on_grid = self.candidates.iter().filter(|c| c.correction.is_none());
        on_grid
            .reduce(|a, b| if b.gain.vector > a.gain.vector { b } else { a })
            .expect("invariant: a grid has a point")
    }

    pub(super) fn best_gain(&self) -> f64 {
        self.candidates.iter().map(|c| c.gain.vector).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Values of the feature on its grid with their log-densities in original units, one each, increasing.
    pub(super) fn profile(&self) -> (Vec<f64>, Vec<f64>) {
        let mut points: Vec<(f64, f64)> = self
            .candidates
            .iter()
            .filter(|c| c.correction.is_none())
            .map(|c| (c.edit[0].1, c.gain.original))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        points.dedup_by_key(|p| p.0);
        points.into_iter().unzip()
    }
}

/// An exchange of two blocks.
pub(super) struct Exchange {
    pub(super) blocks: (usize, usize),
    pub(super) edit: Edit,
    pub(super) gain: Gain,
}

/// The subjects worth refining: the most promising features and blocks, with the features of those blocks,
/// which have to be beaten.
pub(super) fn choose(subjects: &[Subject], (fewest, most): (usize, usize)) -> Vec<&Subject> {
    let enough = SHARE_WORTH_REFINING * subjects.first().map_or(0.0, Subject::best_gain);
    let features = subjects.iter().filter(|s| s.block.is_none()).take(most).enumerate();
    let features = features.filter(|(i, s)| *i < fewest || s.best_gain() >= enough).map(|(_, s)| s);
    let blocks = subjects.iter().filter(|s| s.block.is_some()).take(REFINED_BLOCKS);
    let mut chosen: Vec<&Subject> = features.chain(blocks.clone()).collect();
    for column in blocks.flat_map(|b| b.candidates[0].edit.iter().map(|e| e.0)) {
        if !chosen.iter().any(|s| s.block.is_none() && s.column == column) {
            chosen.extend(subjects.iter().find(|s| s.block.is_none() && s.column == column));
        }
    }
    chosen.sort_by(|a, b| b.best_gain().total_cmp(&a.best_gain()));
    chosen
}

/// Exchanges of any two variables of one unit among those that a change of their own helps most: either half
/// of an exchange is a wrong value. All pairs of 200 features would be 20,000 versions of the record.
/// `subjects` are by decreasing gain.
pub(super) fn exchanges(
    subjects: &[Subject],
    blocks: &[Block],
    features: &[Feature],
    raw: &[f64],
) -> Vec<Exchange> {
    let mut promising: Vec<usize> = Vec::with_capacity(EXCHANGED_VARIABLES);
    for subject in subjects {
        let own = subject.block.or_else(|| blocks.iter().position(|b| b.contains(subject.column)));
        promising.extend(own.filter(|b| !promising.contains(b)));
        if promising.len() == EXCHANGED_VARIABLES {
            break;
        }
    }
    promising.sort_unstable();
    let mut out = Vec::new();
    for (i, &a) in promising.iter().enumerate() {
        for &b in promising[i + 1..].iter().filter(|b| blocks[**b].unit == blocks[a].unit) {
            if let Some(edit) = blocks[a].exchanged(&blocks[b], features, raw) {
                out.push(Exchange { blocks: (a, b), edit, gain: Gain::NONE });
            }
        }
    }
    out
}

/// Fills in all gains from one call of the density.
pub(super) fn evaluate(versions: &Versions<'_>, subjects: &mut [Subject], exchanges: &mut [Exchange]) {
    let candidates = subjects.iter().flat_map(|s| s.candidates.iter().map(|c| &c.edit));
    let edits: Vec<Edit> = candidates.chain(exchanges.iter().map(|e| &e.edit)).cloned().collect();
    let gains = versions.gains(&edits);
    let slots = subjects.iter_mut().flat_map(|s| s.candidates.iter_mut().map(|c| &mut c.gain));
    for (slot, gain) in slots.chain(exchanges.iter_mut().map(|e| &mut e.gain)).zip(gains) {
        *slot = gain;
    }
}
