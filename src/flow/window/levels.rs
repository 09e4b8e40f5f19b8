//! What butterflies over windows learned: how much each level mixes, and over what distance.

use std::fmt;

use serde::Serialize;

use crate::flow::model::Flow;
use crate::flow::window::Windows;
use crate::num::real::Real;

/// How far apart the coordinates are that a level of a butterfly over patches combines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "unit", content = "distance")]
pub enum Span {
    /// Channels of the same sample.
    Channels(usize),
    /// Samples of the same channel.
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

/// One level of one block.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelMixing {
    /// Block, from 0.
    pub block: usize,
    /// Level of the butterfly, the coarsest first.
    pub level: usize,
    /// Distance of the coordinates it pairs.
    pub span: Span,
    /// Share of the squared entries of its 2×2 matrices off their diagonals, from 0 (nothing mixed) to 1 (all swapped).
    pub mixing: f64,
}

impl<T: Real> Flow<T> {
    /// How much every level of the butterflies of a flow of windows mixes. Empty for other flows.
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
                // A level that is gone through there and back counts once, with the mean of both.
                match out.iter_mut().find(|l| l.block == block && l.span == span && window.within_patches) {
                    Some(there) => there.mixing = f64::midpoint(there.mixing, mixing),
                    None => out.push(LevelMixing { block, level, span, mixing }),
                }
            }
        }
        out
    }
}

/// Rows lie half a block apart; in the patch layout, row (r·C + c)·L + p.
fn span(n_features: usize, window: &Windows, block: usize, splits: usize, level: usize) -> Span {
    let n_features = n_features >> splits;
    let patch = window.patch_of(block);
    let count = n_features / window.channels / patch;
    if window.within_patches {
        // There and back: l, …, 1, 0, 0, 1, …, l.
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

/// Rows so many coordinates of a patch apart.
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
        // 32 samples of 2 channels in patches of 4: 8 coordinates, 8 patches.
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
