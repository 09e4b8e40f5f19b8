//! The values a column can take, as far as its training records and its schema tell: samples keep to them.
//!
//! A density on coordinates spreads beyond every end of the data. What it draws there has to be told from
//! what it draws rightly: numbers of one step become multiples of it; where the training values pile up at
//! their smallest or largest value (a saturation of 100 %, month 12) or form a scale of few steps, what lies
//! beyond belongs to the end; beyond an end that is one by nature (0 for counts and concentrations, the
//! plausible range of the schema, 100 for a percentage) there is nothing, and a record drawn there is drawn
//! again. The same holds of an end at which the values break off as if cut, such as the age of 18 among
//! adults or 1 among shares.

use serde::{Deserialize, Serialize};

use super::noise::{Tally, lattice};
use super::{ColumnMeta, Noise};

/// Fewest training records that make a pile, and the least share of them.
const PILE: (u64, f64) = (5, 0.01);
/// A scale of so few steps, each of so many records on average, ends where its training values end.
const SCALE: (usize, u64) = (30, 10);

/// Share of the way from an end to the median within which the values are counted to see whether they break
/// off there, and how many of them it takes: five, and half as many as evenly spread ones would be.
const EDGE: f64 = 0.04;
const AT_EDGE: (u64, f64) = (5, 0.25 * EDGE);

/// What is known of the values of a numeric column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// All values are multiples of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// No value lies below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<Bound>,
    /// No value lies above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<Bound>,
    /// Beyond these two lies nothing that a training record suggests: one width of the data on either side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<(f64, f64)>,
}

/// An end of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// Where.
    pub value: f64,
    /// Whether training values pile up there, so that what lies beyond belongs to it.
    pub piled: bool,
}

impl Support {
    /// Reads the support off the distinct training values and what is known of the column.
    pub(super) fn fit(tally: &[Tally], meta: &ColumnMeta) -> Self {
        let (Some(&first), Some(&last)) = (tally.first(), tally.last()) else { return Self::default() };
        let n: u64 = tally.iter().map(|t| t.1).sum();
        let step = lattice(tally);
        let scale = step.is_some() && tally.len() <= SCALE.0 && n >= SCALE.1 * tally.len() as u64;
        let piled = |count: u64| scale || (count >= PILE.0 && count as f64 > PILE.1 * n as f64);
        let middle = median(tally, n);
        // Close to an end by nature it is that end.
        let breaks_off = |at: Tally, natural: Option<f64>| {
            let near = EDGE * (middle - at.0).abs();
            if natural.is_some_and(|end| (at.0 - end).abs() <= near) {
                return false;
            }
            let count: u64 = tally.iter().filter(|t| (t.0 - at.0).abs() <= near).map(|t| t.1).sum();
            count >= AT_EDGE.0 && count as f64 >= AT_EDGE.1 * n as f64
        };
        let bound = |at: Tally, natural: Option<f64>| {
            if piled(at.1) {
                Some(Bound { value: at.0, piled: true })
            } else {
                let value = if breaks_off(at, natural) { Some(at.0) } else { natural };
                value.map(|value| Bound { value, piled: false })
            }
        };
        let zero = (first.0 >= 0.0).then_some(0.0);
        let below = meta.range.map(|r| r.0).filter(|r| *r <= first.0);
        let hundred = (meta.unit.trim() == "%" && last.0 <= 100.0).then_some(100.0);
        let above = meta.range.map(|r| r.1).filter(|r| *r >= last.0);
        let tighter = |a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        let width = last.0 - first.0;
        Self {
            step,
            lower: bound(first, tighter(zero, below, f64::max)),
            upper: bound(last, tighter(hundred, above, f64::min)),
            reach: (width > 0.0 && width.is_finite())
                .then_some((first.0 - width, last.0 + width))
                .filter(|r| r.0.is_finite() && r.1.is_finite()),
        }
    }

    /// The value that a drawn number stands for: at its step, and at a pile where it lies beyond one.
    #[inline]
    pub fn settle(&self, x: f64) -> f64 {
        let x = self.step.map_or(x, |delta| Noise::Uniform { delta }.lower(x));
        match (self.lower, self.upper) {
            (Some(b), _) if b.piled && x < b.value => b.value,
            (_, Some(b)) if b.piled && x > b.value => b.value,
            _ => x,
        }
    }

    /// Whether there can be a value of this size.
    #[inline]
    pub fn admits(&self, x: f64) -> bool {
        self.lower.is_none_or(|b| x >= b.value)
            && self.upper.is_none_or(|b| x <= b.value)
            && self.reach.is_none_or(|(low, high)| (low..=high).contains(&x))
    }

    /// The nearest number there can be.
    pub fn nearest(&self, x: f64) -> f64 {
        let x = self.reach.map_or(x, |(low, high)| x.clamp(low, high));
        let x = self.lower.map_or(x, |b| x.max(b.value));
        self.upper.map_or(x, |b| x.min(b.value))
    }
}

/// Median of tallied values.
fn median(tally: &[Tally], n: u64) -> f64 {
    let mut below = 0;
    tally
        .iter()
        .find(|(_, count)| {
            below += count;
            2 * below >= n
        })
        .map_or(f64::NAN, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::noise::tally;
    use crate::schema::Kind;

    fn support(mut values: Vec<f64>, unit: &str, range: Option<(f64, f64)>) -> Support {
        values.sort_by(f64::total_cmp);
        let meta = ColumnMeta {
            name: "x".into(),
            label: String::new(),
            group: String::new(),
            unit: unit.into(),
            kind: Kind::Continuous,
            range,
            spelling: crate::ingest::Spelling::undeclared(),
        };
        Support::fit(&tally(&values), &meta)
    }

    #[test]
    fn a_pile_takes_what_lies_beyond_it_and_a_natural_end_admits_nothing_beyond() {
        let saturation = support((0..400).map(|i| f64::from(100 - i % 12)).collect(), "", None);
        assert_eq!(
            (saturation.settle(100.7), saturation.settle(97.3), saturation.settle(80.2)),
            (100.0, 97.0, 89.0)
        );
        // Clipped at 6, where less than one in a hundred lies; a scale of halves has no 6.5 for that.
        let halves =
            support((0..800).map(|i| if i < 5 { 6.0 } else { f64::from(i % 11) / 2.0 }).collect(), "", None);
        assert_eq!((halves.settle(6.7), halves.settle(5.3)), (6.0, 5.5));
        let crp = support((1..400).map(|i| f64::from(i).powf(1.37)).collect(), "mg/L", None);
        assert!(!crp.admits(-0.2) && crp.admits(0.3) && crp.nearest(-0.2) == 0.0);
        assert!(crp.step.is_none() && crp.settle(0.3) == 0.3 && !crp.admits(1e9));
        let percent = support((1..400).map(|i| 99.9 * (f64::from(i) / 400.0).sqrt()).collect(), "%", None);
        assert!(percent.admits(99.99) && !percent.admits(100.1));
        let ph =
            support((1..400).map(|i| 7.0 + (f64::from(i) / 970.0).sqrt()).collect(), "", Some((6.5, 8.0)));
        assert!(ph.admits(6.6) && !ph.admits(6.4) && !ph.admits(8.1));
        let signed = support((-200..200).map(|i| (f64::from(i) / 100.0).powi(3)).collect(), "", None);
        assert!(signed.admits(-8.2) && signed.lower.is_none());
    }

    #[test]
    fn numbers_of_one_step_stay_so_whatever_their_size() {
        let stamps = support(
            (0..500).map(|i| 1.5e9 + f64::from(i * 7919 % 100_003) * 3600.0 + 1.0).collect(),
            "",
            None,
        );
        assert_eq!(stamps.step, Some(1.0));
        assert_eq!(stamps.settle(1_500_000_003.4), 1_500_000_003.0);
        let wide =
            support((0..500).map(|i| f64::from(i * 7919 % 499) * 2_000_003.0 - 5e8).collect(), "", None);
        assert_eq!(wide.settle(12_345.6), 12_346.0);
    }

    #[test]
    fn values_that_break_off_are_not_drawn_beyond() {
        let shares = support((0..2000).map(|i| (f64::from(i) * 0.618_034).fract()).collect(), "", None);
        let (Some(low), Some(high)) = (shares.lower, shares.upper) else { panic!("{shares:?}") };
        assert!(low.value == 0.0 && high.value > 0.999 && !high.piled && !shares.admits(1.001));
        let adults = support((0..3000).map(|i| f64::from(18 + (i * 7) % 73)).collect(), "", None);
        assert!(!adults.admits(17.0) && adults.admits(18.0) && adults.admits(90.0));
        // A smooth tail has no end.
        let normal = |i: i32| crate::num::special::normal_quantile((f64::from(i) + 0.5) / 2000.0);
        let smooth = support((0..2000).map(|i| 50.0 + normal(i)).collect(), "", None);
        assert!(smooth.upper.is_none() && smooth.lower.is_some_and(|b| b.value == 0.0));
        let skewed = support((0..2000).map(|i| normal(i).exp()).collect(), "", None);
        assert!(skewed.upper.is_none() && skewed.lower.is_some_and(|b| b.value == 0.0));
    }
}
