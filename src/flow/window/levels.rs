//! Describes what butterflies over windows have learned: how much each level mixes, and over what distance.

use std::fmt;

use serde::Serialize;

use crate::flow::model::Flow;
use crate::flow::window::Windows;
use crate::num::real::Real;

/// Distance between the coordinates that a level of a butterfly over patches combines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "unit", content = "distance")]
pub enum Span {
    /// Number of channels between two coordinates of the same sample.
    Channels(usize),
    /// Number of samples between two coordinates of the same channel.
    Samples(usize),
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, what) = match *self {
            Self::Samples(n) => (n, "sample"),
            Self::Channels(n) => (n, "channel"),
        };
        write!(f, "{n} {what}{}", if n == 1 { "" } else { "s" })
    }
}

/// How much one level of one block mixes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelMixing {
    /// Index of the block, from 0.
    pub block: usize,
    /// Level of the butterfly, with the coarsest first.
    pub level: usize,
    /// Distance between the coordinates that the level pairs.
    pub span: Span,
    /// Share of the squared entries of the level's 2×2 matrices that is off their diagonals: from 0, if
    /// nothing is mixed, to 1, if all pairs are swapped.
    pub mixing: f64,
}

impl<T: Real> Flow<T> {
    /// How much every level of the butterflies mixes, for a flow of windows. Empty for other flows.
    pub fn level_mixing(&self) -> Vec<LevelMixing> {
        let config = self.config();
        let Some(window) = config.window else { return Vec::new() };
        let mut out: Vec<LevelMixing> = Vec::new();
        for (block, linear) in self.structure.linears.iter().enumerate() {
            let Some(butterfly) = &linear.butterfly else { continue };
            let entry = &self.structure.layers[linear.layer];
            let shares = butterfly.mixing_by_stage(&self.parameters[entry.range.clone()]);
            for (level, mixing) in shares.into_iter().enumerate() {
                let Some(mixing) = mixing else { continue };
                let span = span(config.n_free(), &window, block, config.splits_before(block), level);
                // A butterfly within patches passes every level twice, there and back. Such a level is listed
                // once, with the mean of both.
                match out.iter_mut().find(|l| l.block == block && l.span == span && window.within_patches) {
                    Some(there) => there.mixing = f64::midpoint(there.mixing, mixing),
                    None => out.push(LevelMixing { block, level, span, mixing }),
                }
            }
        }
        out
    }
}

/// Distance between the coordinates that a level pairs. The rows of a pair are half a block apart; in the
/// patch layout, sample r of channel c of patch p is row (r·C + c)·L + p.
fn span(n_features: usize, window: &Windows, block: usize, splits: usize, level: usize) -> Span {
    let n_features = n_features >> splits;
    let patch = window.patch_of(block);
    let count = n_features / window.channels / patch;
    if window.within_patches {
        // The stages pass the levels there and back: 0, 1, …, l, l, …, 1, 0.
        let size = (patch * window.channels).next_power_of_two();
        let levels = size.ilog2() as usize;
        let level = if level < levels { level } else { 2 * levels - 1 - level };
        return within_patch(size >> (level + 1), window, splits);
    }
    let half = n_features.next_power_of_two() >> (level + 1);
    if half < count {
        return Span::Samples((half * patch) << splits);
    }
    within_patch(half / count, window, splits)
}

/// The span of two rows that are `coordinates` coordinates of a patch apart.
fn within_patch(coordinates: usize, window: &Windows, splits: usize) -> Span {
    if coordinates >= window.channels {
        Span::Samples((coordinates / window.channels) << splits)
    } else {
        Span::Channels(coordinates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowConfig;
    use crate::random::Seed;

    #[test]
    fn levels_are_told_by_distance_and_a_turned_one_shows() {
        // A window has 32 samples of 2 channels, in 8 patches of 4 samples; a patch has 8 coordinates.
        let window = Windows { channels: 2, patch: 4, ..Windows::default() };
        let config = FlowConfig { n_blocks: 1, window: Some(window), ..FlowConfig::new(64) };
        let mut flow = Flow::<f64>::new(&config, Seed(1)).unwrap();
        let levels = flow.level_mixing();
        let spans: Vec<Span> = levels.iter().map(|l| l.span).collect();
        let samples = Span::Samples;
        assert_eq!(spans, [samples(2), samples(1), Span::Channels(1), samples(16), samples(8), samples(4)]);
        assert!(levels.iter().all(|l| l.mixing < 1e-12));
        let local = Windows { within_patches: true, ..window };
        let local = FlowConfig { window: Some(local), ..config.clone() };
        let spans: Vec<Span> =
            Flow::<f64>::new(&local, Seed(1)).unwrap().level_mixing().iter().map(|l| l.span).collect();
        assert_eq!(spans, [samples(2), samples(1), Span::Channels(1)]);
        let angles =
            flow.parameter_views().iter().find(|v| v.name == "block.0.linear.angle").unwrap().range.clone();
        flow.parameters_mut()[angles.start] = std::f64::consts::FRAC_PI_2;
        assert!((flow.level_mixing()[0].mixing - 1.0).abs() < 1e-9);
    }
}
