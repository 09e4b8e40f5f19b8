//! Features that go wrong together: the mean, minimum and maximum of one variable come from the same
//! measurements, so a thermometer read in °F spoils all three. Changing one alone would make a record less
//! likely, not more; a block changes them all in the same way.
//!
//! Blocks are read off the names (`variable_aggregation`, as pipelines write them). A feature alone with its
//! variable is a block of one.

use super::feature::Feature;
use super::pattern::Correction;

/// A hypothetical record: some features with other values.
pub(super) type Edit = Vec<(usize, f64)>;

/// Suffixes of aggregated features. The order is that of preference when one member stands for the block; a
/// feature without suffix, which pipelines use for the variable's own aggregation, goes before all.
const AGGREGATIONS: [(&str, Role); 9] = [
    ("_mean", Role::Level),
    ("_median", Role::Level),
    ("_last", Role::Level),
    ("_first", Role::Level),
    ("_max", Role::Level),
    ("_min", Role::Level),
    ("_std", Role::Scaled),
    ("_sum", Role::Scaled),
    ("_count", Role::Fixed),
];

/// How a member answers to an affine change of the measurements behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Changes like a measurement.
    Level,
    /// Is multiplied, not shifted.
    Scaled,
    /// Does not change.
    Fixed,
}

#[derive(Debug, Clone)]
struct Member {
    column: usize,
    /// 0 without suffix, else 1 + position in [`AGGREGATIONS`].
    aggregation: usize,
    role: Role,
}

/// The features of one variable.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Name of the variable, or of the feature when it is alone.
    pub(super) name: String,
    pub(super) unit: String,
    members: Vec<Member>,
}

/// The variable a feature name speaks of: the name without its aggregation.
pub(super) fn variable(feature: &str) -> &str {
    AGGREGATIONS
        .iter()
        .find_map(|(suffix, _)| feature.strip_suffix(suffix))
        .filter(|s| !s.is_empty())
        .unwrap_or(feature)
}

/// All features by variable, in the order of their first members. Categorical features stay alone.
pub(super) fn blocks(features: &[Feature]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (column, feature) in features.iter().enumerate() {
        let name = if feature.is_categorical() { &feature.name } else { variable(&feature.name) };
        let aggregation = AGGREGATIONS.iter().position(|(suffix, _)| feature.name.ends_with(suffix));
        let member = Member {
            column,
            aggregation: aggregation.map_or(0, |a| a + 1),
            role: aggregation.map_or(Role::Level, |a| AGGREGATIONS[a].1),
        };
        match blocks.iter_mut().find(|b| b.name == *name && !feature.is_categorical()) {
            Some(block) => block.members.push(member),
            None => blocks.push(Block {
                name: name.to_owned(),
                unit: feature.unit.clone(),
                members: vec![member],
            }),
        }
    }
    for block in &mut blocks {
        if let [member] = &mut block.members[..] {
            block.name.clone_from(&features[member.column].name);
            member.role = Role::Level;
        }
        // The unit of a level: counts come without one.
        if let Some(level) = block.members.iter().find(|m| m.role == Role::Level) {
            block.unit.clone_from(&features[level.column].unit);
        }
        block.members.sort_by_key(|m| m.aggregation);
    }
    blocks
}

impl Block {
    fn observed<'b>(&'b self, raw: &'b [f64]) -> impl Iterator<Item = &'b Member> {
        self.members.iter().filter(move |m| !raw[m.column].is_nan())
    }

    fn levels<'b>(&'b self, raw: &'b [f64]) -> impl Iterator<Item = &'b Member> {
        self.observed(raw).filter(|m| m.role == Role::Level)
    }

    /// The member that stands for the block in a record, if the record holds any level of it.
    pub(super) fn representative(&self, raw: &[f64]) -> Option<usize> {
        self.levels(raw).next().map(|m| m.column)
    }

    /// Whether more than one observed feature changes with the block.
    pub(super) fn is_joint(&self, raw: &[f64]) -> bool {
        self.levels(raw).count() > 0 && self.observed(raw).filter(|m| m.role != Role::Fixed).count() > 1
    }

    /// Whether a column belongs to it.
    pub(super) fn contains(&self, column: usize) -> bool {
        self.members.iter().any(|m| m.column == column)
    }

    /// All observed levels at their training quantiles of one probability.
    pub(super) fn at_quantile(&self, probability: f64, features: &[Feature], raw: &[f64]) -> Edit {
        self.levels(raw)
            .map(|m| {
                let feature = &features[m.column];
                let x = feature.round(feature.quantile(probability));
                (m.column, feature.nearest_level(x))
            })
            .collect()
    }

    /// All observed members as if the pattern had happened to every measurement; nothing where a corrected
    /// value is one the feature cannot take.
    pub(super) fn corrected(
        &self,
        correction: &Correction,
        features: &[Feature],
        raw: &[f64],
    ) -> Option<Edit> {
        self.observed(raw)
            .filter(|m| m.role != Role::Fixed)
            .map(|m| {
                let x = match m.role {
                    Role::Scaled => raw[m.column] * correction.scale.abs(),
                    _ => correction.apply(raw[m.column]),
                };
                Some((m.column, features[m.column].admit(x)?))
            })
            .collect()
    }

    /// The records of two variables exchanged, aggregation by aggregation. A level without a counterpart
    /// follows the others of its variable to the same training quantile. Nothing where no two values can be
    /// exchanged.
    pub(super) fn exchanged(&self, other: &Self, features: &[Feature], raw: &[f64]) -> Option<Edit> {
        let alone = self.members.len() == 1 && other.members.len() == 1;
        let mut edit = Edit::new();
        for a in self.observed(raw).filter(|m| m.role != Role::Fixed) {
            let alike = |b: &&Member| b.aggregation == a.aggregation || alone;
            let Some(b) = other.observed(raw).find(alike) else { continue };
            edit.push((a.column, features[a.column].admit(raw[b.column])?));
            edit.push((b.column, features[b.column].admit(raw[a.column])?));
        }
        // Of two answers of yes and no that differ, each is always the other exchanged, which says nothing.
        let is_yes_or_no = |j: usize| (1..=2).contains(&features[j].levels.len());
        if edit.iter().all(|&(j, v)| raw[j] == v || is_yes_or_no(j)) {
            return None;
        }
        for block in [self, other] {
            let lead = *edit.iter().find(|(j, _)| block.contains(*j))?;
            let probability = features[lead.0].cumulative(lead.1);
            let left: Vec<usize> =
                block.levels(raw).map(|m| m.column).filter(|c| edit.iter().all(|(j, _)| j != c)).collect();
            edit.extend(left.into_iter().map(|c| (c, features[c].round(features[c].quantile(probability)))));
        }
        Some(edit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::pattern::corrections;
    use ndarray::array;

    fn feature(name: &str, low: f64, high: f64) -> Feature {
        Feature {
            name: name.into(),
            label: String::new(),
            unit: if name.ends_with("_count") { String::new() } else { "°C".into() },
            quantiles: vec![(0.0, low), (1.0, high)],
            resolution: 0.1,
            levels: vec![],
            level_names: vec![],
            context: false,
        }
    }

    fn thermometer() -> Vec<Feature> {
        vec![
            feature("t_count", 0.0, 30.0),
            feature("t_max", 36.0, 41.0),
            feature("t_mean", 35.0, 40.0),
            feature("t_std", 0.0, 1.0),
            feature("age", 18.0, 90.0),
        ]
    }

    #[test]
    fn features_of_a_variable_form_a_block_with_the_mean_in_front() {
        let blocks = blocks(&thermometer());
        assert_eq!(blocks.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["t", "age"]);
        let raw = array![5.0, 38.0, 37.0, 0.5, 60.0];
        assert_eq!(blocks[0].representative(raw.as_slice().unwrap()), Some(2));
        assert_eq!(blocks[0].unit, "°C");
        assert!(blocks[0].is_joint(raw.as_slice().unwrap()) && !blocks[1].is_joint(raw.as_slice().unwrap()));
        assert!(!blocks[0].is_joint(&[5.0, 38.0, f64::NAN, f64::NAN, 60.0]));
        assert_eq!(variable("_mean"), "_mean");
        let plain = super::blocks(&[feature("t_max", 36.0, 41.0), feature("t", 35.0, 40.0)]);
        assert_eq!((plain.len(), plain[0].representative(&[38.0, 37.0])), (1, Some(1)));
    }

    #[test]
    fn a_unit_error_is_undone_for_every_aggregate_in_its_own_way() {
        let features = thermometer();
        let raw = array![5.0, 100.4, 98.6, 0.9, 60.0];
        let fahrenheit = &corrections("t", "°C", false, 98.6)[0];
        let edit = blocks(&features)[0].corrected(fahrenheit, &features, raw.as_slice().unwrap()).unwrap();
        let expected = [(2, 37.0), (1, 38.0), (3, 0.5)];
        assert_eq!(edit.len(), 3);
        for (got, want) in edit.iter().zip(expected) {
            assert!(got.0 == want.0 && (got.1 - want.1).abs() < 1e-9, "{edit:?}");
        }
    }

    #[test]
    fn variables_with_the_same_aggregates_are_exchanged_member_by_member() {
        let features: Vec<Feature> =
            ["a_mean", "a_max", "b_max", "b_mean", "c"].iter().map(|n| feature(n, 0.0, 200.0)).collect();
        let blocks = blocks(&features);
        let raw = array![1.0, 2.0, 20.0, 10.0, 5.0];
        let edit = blocks[0].exchanged(&blocks[1], &features, raw.as_slice().unwrap()).unwrap();
        assert_eq!(edit, [(0, 10.0), (3, 1.0), (1, 20.0), (2, 2.0)]);
        assert!(blocks[0].exchanged(&blocks[2], &features, raw.as_slice().unwrap()).is_none());
        // The maximum of b is missing: that of a follows its mean, here to the quantile 0.05 of 0 to 200.
        let missing = [1.0, 2.0, f64::NAN, 10.0, 5.0];
        let edit = blocks[0].exchanged(&blocks[1], &features, &missing).unwrap();
        assert_eq!(edit, [(0, 10.0), (3, 1.0), (1, 10.0)]);
        assert!(blocks[0].exchanged(&blocks[1], &features, &[1.0, 2.0, 2.0, f64::NAN, 5.0]).is_none());
    }

    #[test]
    fn a_yes_and_a_no_are_not_exchanged() {
        let mut features: Vec<Feature> = ["a", "b", "c"].iter().map(|n| feature(n, 0.0, 1.0)).collect();
        for feature in &mut features {
            (feature.resolution, feature.levels) = (1.0, vec![0.0, 1.0]);
        }
        features[2].levels.push(2.0);
        let blocks = blocks(&features);
        assert!(blocks[0].exchanged(&blocks[1], &features, &[1.0, 0.0, 0.0]).is_none());
        assert!(blocks[0].exchanged(&blocks[2], &features, &[1.0, 0.0, 0.0]).is_some());
    }
}
