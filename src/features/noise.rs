//! Dequantisation: which numbers get noise, and how wide.
//!
//! A value held by many rows lets a density grow without bound at that point, and a flow runs away to
//! infinity. So a column recorded at a resolution δ becomes x + δ(u − ½), and a column that is continuous but
//! for a few point masses gets noise at those alone, as wide as their surroundings allow.

use serde::{Deserialize, Serialize};

use super::normal_score::Edge;

/// Share of the values that must lie on a lattice.
const ON_LATTICE: f64 = 0.995;
/// A lattice matters when at least this share of the values repeats an earlier one.
const REPEATS: f64 = 0.02;
/// A value held by more than this share of the rows is a point mass.
const POINT_MASS: f64 = 0.01;
/// Up to so many point masses among otherwise distinct values are treated one by one.
const FEW_ATOMS: usize = 3;
/// More of them are a comb, as means of few recorded values have it, when this share of the rows sits on its
/// teeth …
const ON_COMB: f64 = 0.2;
/// … and finer resolutions hold not many more: of whole numbers half are multiples of 2, so this is above a
/// half.
const OF_FINER: f64 = 0.6;

/// A value held by this share of the rows, and by so many, keeps its probability exactly.
const HEAVY: f64 = 0.05;
const FEWEST_HEAVY: u64 = 10;

/// Noise of a numeric column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Noise {
    /// y = x.
    None,
    /// y = x + δ(u − ½).
    Uniform {
        /// Resolution.
        delta: f64,
    },
    /// Point masses y = low + (high − low) u, other values as they are.
    Atoms {
        /// By ascending value.
        atoms: Vec<Atom>,
    },
}

/// A point mass and the interval its noise fills.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Atom {
    /// The value.
    pub value: f64,
    /// Half-way to the next smaller value, at most.
    pub low: f64,
    /// Half-way to the next larger value, at most.
    pub high: f64,
}

/// A distinct value and the number of rows that hold it.
pub(super) type Tally = (f64, u64);

/// Distinct values of a sorted column with their counts.
pub(super) fn tally(sorted: &[f64]) -> Vec<Tally> {
    let mut out: Vec<Tally> = Vec::new();
    for &x in sorted {
        match out.last_mut() {
            Some((value, count)) if *value == x => *count += 1,
            _ => out.push((x, 1)),
        }
    }
    out
}

impl Noise {
    /// The noise of a column with these training values: at `resolution` where that is known, at a lattice
    /// they lie on, at their point masses, or none.
    pub(super) fn fit(tally: &[Tally], resolution: Option<f64>) -> Self {
        if let &[(value, _)] = tally {
            // A constant column: a box as wide as its resolution, or one unit, that another value falls out
            // of.
            let half = 0.5 * resolution.unwrap_or(1.0);
            return Self::Atoms { atoms: vec![Atom { value, low: value - half, high: value + half }] };
        }
        if let Some(delta) = resolution {
            return Self::Uniform { delta };
        }
        let n: u64 = tally.iter().map(|t| t.1).sum();
        let repeats = n as f64 - tally.len() as f64;
        let heavy = |count: u64| count > 1 && count as f64 > POINT_MASS * n as f64;
        let atoms: Vec<usize> = (0..tally.len()).filter(|&i| heavy(tally[i].1)).collect();
        let held: u64 = atoms.iter().map(|&i| tally[i].1).sum();
        let rest = (n - held) as f64;
        // Repeats beyond those of the point masses themselves.
        let other_repeats = repeats - (held as f64 - atoms.len() as f64);
        let few = atoms.len() <= FEW_ATOMS && rest >= 0.2 * n as f64 && other_repeats < REPEATS * rest;
        if !few
            && repeats >= REPEATS * n as f64
            && let Some(delta) = lattice(tally)
        {
            return Self::Uniform { delta };
        }
        if atoms.is_empty() {
            return Self::None;
        }
        // Local noise would leave a comb its gaps: needles as narrow as the in-between values allow, which a
        // flow spends itself on. Means of values recorded at δ are blurred by δ instead.
        match (!few).then(|| comb(tally)).flatten() {
            Some(delta) => Self::Uniform { delta },
            None => Self::around(tally, &atoms),
        }
    }

    fn around(tally: &[Tally], atoms: &[usize]) -> Self {
        let quantile = |p: f64| tally[(p * (tally.len() - 1) as f64).round() as usize].0;
        // Two values a rounding error apart must not make a needle: the noise is never finer than this.
        let finest = 1e-4 * (quantile(0.75) - quantile(0.25));
        let atoms = atoms
            .iter()
            .map(|&i| {
                let value = tally[i].0;
                let below = (i > 0).then(|| value - tally[i - 1].0);
                let above = (i + 1 < tally.len()).then(|| tally[i + 1].0 - value);
                let half =
                    |gap: Option<f64>, other: Option<f64>| 0.5 * gap.or(other).unwrap_or(1.0).max(finest);
                Atom { value, low: value - half(below, above), high: value + half(above, below) }
            })
            .collect();
        Self::Atoms { atoms }
    }

    /// The interval a value is spread over.
    #[inline]
    pub fn interval(&self, x: f64) -> (f64, f64) {
        match self {
            Self::None => (x, x),
            Self::Uniform { delta } => (x - 0.5 * delta, x + 0.5 * delta),
            Self::Atoms { atoms } => {
                let i = atoms.partition_point(|a| a.value < x);
                atoms.get(i).filter(|a| a.value == x).map_or((x, x), |a| (a.low, a.high))
            }
        }
    }

    /// The value with its noise, for u in (0, 1).
    #[inline]
    pub fn lift(&self, x: f64, u: f64) -> f64 {
        let (low, high) = self.interval(x);
        // Of a value without noise the sum below would lose the last digit.
        if low == high { x } else { low + (high - low) * u }
    }

    /// The recorded value a number stands for.
    #[inline]
    pub fn lower(&self, y: f64) -> f64 {
        match self {
            Self::None => y,
            Self::Uniform { delta } => {
                let steps = (y / delta).round();
                // From here on every number is a multiple, and larger ones would overflow.
                if steps.abs() >= 9e15 {
                    return y;
                }
                let per_unit = (1.0 / delta).round();
                // 371 · 0.1 is not 37.1, 371 / 10 is.
                let exact = (per_unit * delta - 1.0).abs() < 1e-9;
                // Adding zero turns −0 into 0.
                if exact { steps / per_unit + 0.0 } else { steps * delta + 0.0 }
            }
            Self::Atoms { atoms } => {
                let i = atoms.partition_point(|a| a.high < y);
                atoms.get(i).filter(|a| a.low <= y).map_or(y, |a| a.value)
            }
        }
    }

    /// Ends of the intervals of heavy point masses, ascending: the map to normal scores is exact there.
    pub(super) fn edges(&self, tally: &[Tally]) -> Vec<Edge> {
        let n: u64 = tally.iter().map(|t| t.1).sum();
        let heavy = tally.iter().filter(|t| t.1 >= FEWEST_HEAVY && t.1 as f64 >= HEAVY * n as f64);
        let mut edges: Vec<Edge> = Vec::new();
        for &(value, _) in heavy {
            let (low, high) = self.interval(value);
            for at in [low, high] {
                // Neighbours share an edge.
                let width = high - low;
                if width > 0.0 && edges.last().is_none_or(|e| at - e.at > 1e-6 * width) {
                    edges.push(Edge { at, width });
                }
            }
        }
        edges
    }

    /// The training sample with its noise averaged rather than drawn: the rows of a value are placed evenly
    /// in its interval. Their empirical distribution differs from the exact convolution by less than 1/n
    /// anywhere.
    pub(super) fn spread(&self, tally: &[Tally]) -> Vec<f64> {
        let mut points = Vec::with_capacity(tally.iter().map(|t| t.1 as usize).sum());
        for &(x, count) in tally {
            points.extend((0..count).map(|j| self.lift(x, (j as f64 + 0.5) / count as f64)));
        }
        points.sort_unstable_by(f64::total_cmp);
        points
    }
}

/// The usual resolutions up to a spread, from coarse to fine: twelve decades.
fn resolutions(spread: f64) -> impl Iterator<Item = f64> {
    let top = if spread > 0.0 && spread.is_finite() {
        spread.log10().floor().clamp(-290.0, 290.0) as i32
    } else {
        0
    };
    let each = (top - 12..=top).rev().flat_map(|e| [5.0, 2.5, 2.0, 1.0].map(|m| m * power_of_ten(e)));
    each.filter(move |delta| *delta <= spread)
}

/// 10ᵉ, correctly rounded where a literal would be.
fn power_of_ten(e: i32) -> f64 {
    // 10⁻¹ is 1/10 rounded once; powi multiplies rounded tenths.
    if e < 0 { 1.0 / 10f64.powi(-e) } else { 10f64.powi(e) }
}

/// The largest of the usual resolutions that the values are multiples of.
pub(super) fn lattice(tally: &[Tally]) -> Option<f64> {
    let n: u64 = tally.iter().map(|t| t.1).sum();
    let values = tally.len() as f64;
    // A single gross error must not hide the resolution of a small table.
    let allowed = |total: f64| ((1.0 - ON_LATTICE) * total).max(if total >= 20.0 { 1.0 } else { 0.0 });
    let (most_rows, most_values) = (allowed(n as f64), allowed(values).max(0.02 * values));
    let precision = precision_of(tally);
    resolutions(typical_spread(tally)).find(|delta| {
        // Distinct values are counted as well as rows: many zeros are multiples of everything.
        let (mut rows_off, mut values_off) = (0, 0);
        tally.iter().filter(|t| !is_multiple(t.0, *delta, precision)).all(|t| {
            rows_off += t.1;
            values_off += 1;
            rows_off as f64 <= most_rows && f64::from(values_off) <= most_values
        })
    })
}

/// Largest less smallest value; without the outermost hundredths where those are gross errors, which must not
/// hide at what size the others have their resolution.
fn typical_spread(tally: &[Tally]) -> f64 {
    let at = |p: f64| tally[(p * (tally.len() - 1) as f64).round() as usize].0;
    let (whole, inner) = (at(1.0) - at(0.0), at(0.98) - at(0.02));
    if inner > 0.0 && whole > 1e6 * inner { inner } else { whole }
}

/// The relative error of the numbers: of single precision where they all went through it, else of double.
fn precision_of(tally: &[Tally]) -> f64 {
    let single = tally.iter().all(|t| f64::from(t.0 as f32) == t.0 || t.0.abs() > 1e30);
    // Twice the error of rounding to the nearest.
    if single { 1.2e-7 } else { 4.0 * f64::EPSILON }
}

/// The spacing of a comb: the largest of the usual resolutions with a good share of the rows, not much fewer
/// than any finer one has.
fn comb(tally: &[Tally]) -> Option<f64> {
    let n: u64 = tally.iter().map(|t| t.1).sum();
    let precision = precision_of(tally);
    let shares: Vec<(f64, f64, usize)> = resolutions(typical_spread(tally))
        .map(|delta| {
            let teeth = tally.iter().filter(|t| is_multiple(t.0, delta, precision));
            let (rows, repeated) = teeth.fold((0, 0), |(rows, k), t| (rows + t.1, k + usize::from(t.1 > 1)));
            (delta, rows as f64 / n as f64, repeated)
        })
        .collect();
    let fits = |&i: &usize| {
        let (delta, share, repeated) = shares[i];
        // Much finer resolutions hold the decimals a mean was written with.
        let finer = shares[i..].iter().take_while(|s| s.0 >= 0.01 * delta).map(|s| s.1).fold(0.0, f64::max);
        share >= ON_COMB && repeated > FEW_ATOMS && share >= OF_FINER * finer
    };
    (0..shares.len()).find(fits).map(|i| shares[i].0)
}

fn is_multiple(x: f64, delta: f64, precision: f64) -> bool {
    let steps = x / delta;
    if steps.round() == 0.0 {
        // Small is not zero, whatever the tolerance.
        return x == 0.0;
    }
    // Of whole numbers the remainder is exact, however large they are and whatever they went through.
    if delta.fract() == 0.0 && x.fract() == 0.0 {
        return x % delta == 0.0;
    }
    // Where the error of a number nears a step, everything is a multiple.
    let tolerance = 1e-6 + precision * steps.abs();
    tolerance < 0.02 && (steps - steps.round()).abs() <= tolerance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(values: impl IntoIterator<Item = f64>) -> Noise {
        let mut v: Vec<f64> = values.into_iter().collect();
        v.sort_by(f64::total_cmp);
        Noise::fit(&tally(&v), None)
    }

    /// A number in [0, 1) without pattern.
    fn scattered(i: i32) -> f64 {
        (f64::from(i) * 0.618_033_988_749_894_9).fract()
    }

    #[test]
    fn the_resolution_of_recorded_values_is_found() {
        for delta in [0.001, 0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0] {
            let recorded = |i| delta * (3.0 + (60.0 * scattered(i)).floor());
            assert_eq!(fit((0..500).map(recorded)), Noise::Uniform { delta }, "{delta}");
            assert_eq!(
                fit((0..500).map(|i| f64::from(recorded(i) as f32))),
                Noise::Uniform { delta },
                "{delta} f32"
            );
            let with_outlier = (0..500).map(|i| if i == 7 { 1e30 } else { recorded(i) });
            assert_eq!(fit(with_outlier), Noise::Uniform { delta }, "{delta} with an outlier");
        }
    }

    #[test]
    fn continuous_values_get_none_and_their_point_masses_local_noise() {
        assert_eq!(fit((0..500).map(scattered)), Noise::None);
        // A third zeros, everything else different.
        let noise = fit((0..600).map(|i| if i % 3 == 0 { 0.0 } else { 0.5 + scattered(i) }));
        let Noise::Atoms { atoms } = noise else { panic!("{noise:?}") };
        assert_eq!(atoms.len(), 1);
        let a = atoms[0];
        assert!(a.value == 0.0 && a.high > 0.2 && a.high < 0.26 && a.low == -a.high, "{a:?}");
    }

    #[test]
    fn means_of_recorded_values_are_blurred_by_their_resolution() {
        for delta in [0.1, 1.0] {
            for n in [60, 3_000] {
                let recorded = |i| delta * (130.0 + (20.0 * scattered(i)).floor());
                // One to four measurements, as a laboratory value has them in two days.
                let mean = |i: i32| {
                    let k = 1 + i % 4;
                    (0..k).map(|j| recorded(7 * i + j)).sum::<f64>() / f64::from(k)
                };
                assert_eq!(fit((0..n).map(mean)), Noise::Uniform { delta }, "{delta} {n}");
            }
        }
    }

    #[test]
    fn zeros_alone_make_no_lattice() {
        let noise = fit((0..1_000).map(|i| if i < 997 { 0.0 } else { scattered(i) }));
        assert!(matches!(&noise, Noise::Atoms { atoms } if atoms.len() == 1), "{noise:?}");
    }

    #[test]
    fn a_constant_column_gets_a_box() {
        let noise = fit([0.003; 20]);
        assert_eq!(noise.interval(0.003), (0.003 - 0.5, 0.003 + 0.5));
        assert_eq!(noise.lower(0.3), 0.003);
    }

    #[test]
    fn rounding_undoes_noise() {
        for delta in [0.1, 0.25, 1.0, 5.0, 0.3] {
            let noise = Noise::Uniform { delta };
            for i in -30..400 {
                let x = if delta == 0.1 { f64::from(i) / 10.0 } else { f64::from(i) * delta };
                for u in [1e-9, 0.3, 1.0 - 1e-9] {
                    assert_eq!(noise.lower(noise.lift(x, u)), x, "{x} at {delta}");
                }
            }
        }
    }

    #[test]
    fn spread_values_average_the_noise() {
        let points = Noise::Uniform { delta: 1.0 }.spread(&[(2.0, 4), (3.0, 1)]);
        assert_eq!(points, [1.625, 1.875, 2.125, 2.375, 3.0]);
    }
}
