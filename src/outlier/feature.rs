//! What explanations and marginal scores need to know of a feature: its training quantiles or levels, the
//! grid of values it could have had, and how a value of it is written.

use super::conditional::{Conditional, Expected, likeliest};

/// Probabilities of the coarse grid: both tails and the bulk. Every point costs a density evaluation per
/// feature.
pub(super) const GRID: [f64; 9] = [0.005, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.995];
/// Values of a discrete feature beyond which it is tried at quantiles like a continuous one.
const MANY_LEVELS: usize = 24;
/// Points of a refined grid.
const REFINED: usize = 15;
/// Significant digits of a value without a known resolution.
const DIGITS: usize = 5;
/// Largest relative change by which a corrected value is rounded to one that can be recorded.
const ROUNDED: f64 = 0.1;
/// Decimal places up to which zeros at the end are written, as they say how finely was measured.
const MOST_PLACES: usize = 3;
/// Share of a step by which a value lies beside it to be no multiple of it.
const BETWEEN: f64 = 0.2;

/// One feature in original units.
#[derive(Debug, Clone)]
pub(super) struct Feature {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) unit: String,
    /// Training quantiles as (probability, value), both increasing; not empty.
    pub(super) quantiles: Vec<(f64, f64)>,
    /// Spacing of recorded values; 0 when unknown.
    pub(super) resolution: f64,
    /// All values a discrete feature takes, increasing; empty for continuous ones.
    pub(super) levels: Vec<f64>,
    /// Names of categorical levels by code; empty for numbers.
    pub(super) level_names: Vec<String>,
    /// Whether the density is of the others given this one: it is not judged, and never to blame.
    pub(super) context: bool,
}

impl Feature {
    pub(super) fn is_categorical(&self) -> bool {
        !self.level_names.is_empty()
    }

    /// The label, or the name where there is none.
    pub(super) fn title(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }

    /// Title, value and unit.
    pub(super) fn phrase(&self, x: f64) -> String {
        let unit = if self.is_categorical() { "" } else { &self.unit };
        let space = if unit.is_empty() || unit.starts_with('%') { "" } else { " " };
        format!("{} {}{space}{unit}", self.title(), self.format(x))
    }

    /// Whether negative values are nothing special.
    pub(super) fn is_signed(&self) -> bool {
        self.quantile(0.01) < 0.0
    }

    /// Training quantile by linear interpolation of the stored ones.
    pub(super) fn quantile(&self, probability: f64) -> f64 {
        interpolate(&self.quantiles, probability, |q| *q)
    }

    /// Training distribution function, by the same interpolation; 0 and 1 outside the training range. At a
    /// value that spans several stored probabilities it is the middle of them.
    pub(super) fn cumulative(&self, x: f64) -> f64 {
        let low = self.quantiles.partition_point(|q| q.1 < x);
        let high = self.quantiles.partition_point(|q| q.1 <= x);
        if low < high {
            return 0.5 * (self.quantiles[low].0 + self.quantiles[high - 1].0);
        }
        match low {
            0 => 0.0,
            i if i == self.quantiles.len() => 1.0,
            _ => interpolate(&self.quantiles, x, |q| (q.1, q.0)),
        }
    }

    /// The nearest value the feature can be recorded with.
    pub(super) fn round(&self, x: f64) -> f64 {
        if self.resolution > 0.0 { (x / self.resolution).round() * self.resolution } else { x }
    }

    /// The level nearest to a number; the number itself for continuous features.
    pub(super) fn nearest_level(&self, x: f64) -> f64 {
        self.levels.iter().copied().min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs())).unwrap_or(x)
    }

    /// The value itself where the feature can take it (nearly), for corrections that land between levels or
    /// far outside anything seen.
    pub(super) fn admit(&self, x: f64) -> Option<f64> {
        if !x.is_finite() || self.is_categorical() {
            return None;
        }
        if !self.levels.is_empty() {
            return self.levels.iter().copied().find(|l| (l - x).abs() <= 1e-6 * l.abs().max(1.0));
        }
        let (low, high) = (self.quantile(0.0), self.quantile(1.0));
        let slack = high - low;
        (x >= low - slack && x <= high + slack).then(|| self.round(x))
    }

    /// The same for a correction of this feature alone, which has to be recordable nearly as it is: a count of
    /// 76 is not 0.76 written a hundred times too large.
    pub(super) fn admit_alone(&self, x: f64) -> Option<f64> {
        self.admit(x).filter(|rounded| (rounded - x).abs() <= ROUNDED * x.abs())
    }

    /// Values the feature could have had: its levels, or a few training quantiles.
    pub(super) fn grid(&self) -> Vec<f64> {
        if !self.levels.is_empty() && (self.is_categorical() || self.levels.len() <= MANY_LEVELS) {
            return self.levels.clone();
        }
        distinct(GRID.iter().map(|&p| self.nearest_level(self.round(self.quantile(p)))).collect())
    }

    /// A finer grid over the part of `grid` that holds the conditional probability, given the log-density at
    /// its points; the grid itself for discrete features.
    pub(super) fn refine(&self, grid: &[f64], log_density: &[f64]) -> Vec<f64> {
        if !self.levels.is_empty() || grid.len() < 2 {
            return grid.to_vec();
        }
        let conditional = Conditional::new(grid, log_density, self.resolution);
        // One point further on either side: the coarse cells are wide, and the peak may lie in the next one.
        let below = grid.partition_point(|&g| g < conditional.quantile(0.01)).saturating_sub(2);
        let above = (grid.partition_point(|&g| g <= conditional.quantile(0.99)) + 1).min(grid.len() - 1);
        let (low, high) = (grid[below], grid[above]);
        let step = (high - low) / (REFINED - 1) as f64;
        distinct((0..REFINED).map(|i| self.round(low + step * i as f64)).collect())
    }

    /// The 90 % interval of the feature given the others, from log-densities on a grid.
    pub(super) fn expected(&self, grid: &[f64], log_density: &[f64]) -> Expected {
        if self.is_categorical() {
            return Expected::Levels(likeliest(grid, log_density));
        }
        let spacing = if self.levels.is_empty() { self.resolution } else { 0.0 };
        let conditional = if self.levels.is_empty() {
            Conditional::new(grid, log_density, spacing)
        } else {
            Conditional::discrete(grid, log_density)
        };
        Expected::Range {
            low: self.round(conditional.quantile(0.05)),
            high: self.round(conditional.quantile(0.95)),
        }
    }

    /// The value as a person would write it: at the column's resolution, levels by name.
    pub(super) fn format(&self, x: f64) -> String {
        if x.is_nan() {
            return String::new();
        }
        if self.is_categorical() {
            let name = (x >= 0.0).then(|| self.level_names.get(x.round() as usize)).flatten();
            return name.cloned().unwrap_or_else(|| "(unseen level)".to_owned());
        }
        // A value between the steps, such as 0.5 where all others are 0 or 1, is shown as it is.
        let steps = x / self.resolution;
        let is_between = self.resolution > 0.0 && (steps - steps.round()).abs() > BETWEEN;
        match decimals(self.resolution).filter(|_| !is_between) {
            // So many places are those of a program that wrote the file, and not of a measurement.
            Some(places) if places > MOST_PLACES => {
                let text = format!("{x:.places$}");
                positive_zero(text.trim_end_matches('0').trim_end_matches('.').to_owned())
            }
            Some(places) => positive_zero(format!("{x:.places$}")),
            None => significant(x, DIGITS),
        }
    }

    pub(super) fn format_expected(&self, expected: &Expected) -> String {
        match expected {
            Expected::Range { low, high } if low == high => self.format(*low),
            // "to", not a dash: bounds may be negative.
            Expected::Range { low, high } => format!("{} to {}", self.format(*low), self.format(*high)),
            Expected::Levels(codes) => codes.iter().map(|&c| self.format(c)).collect::<Vec<_>>().join(" or "),
        }
    }
}

fn distinct(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// Linear interpolation in points sorted by the key's first part, constant beyond the ends.
fn interpolate(points: &[(f64, f64)], at: f64, key: impl Fn(&(f64, f64)) -> (f64, f64)) -> f64 {
    let i = points.partition_point(|p| key(p).0 < at);
    if i == 0 {
        return key(&points[0]).1;
    }
    if i == points.len() {
        return key(&points[i - 1]).1;
    }
    let ((x0, y0), (x1, y1)) = (key(&points[i - 1]), key(&points[i]));
    y0 + (y1 - y0) * (at - x0) / (x1 - x0)
}

/// Decimal places that write multiples of `resolution` exactly; nothing when there are none up to six.
fn decimals(resolution: f64) -> Option<usize> {
    if resolution.is_nan() || resolution <= 0.0 {
        return None;
    }
    (0..=6)
        .find(|&places| {
            let scaled = resolution * 10_f64.powi(places);
            scaled >= 0.5 && (scaled - scaled.round()).abs() <= 1e-6 * scaled
        })
        .map(|places| places as usize)
}

/// `x` with this many significant digits, trailing zeros dropped, without an exponent where a person would
/// not use one.
pub(crate) fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 { "0".to_owned() } else { format!("{x}") };
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-5..15).contains(&magnitude) {
        return format!("{x:.*e}", digits - 1);
    }
    let places = (digits as i32 - 1 - magnitude).max(0) as usize;
    let text = format!("{x:.places$}");
    positive_zero(if places > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
}

fn positive_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(resolution: f64) -> Feature {
        // Quantiles of N(0, 1), from R 4.4 qnorm; the ends are those of about 10,000 values.
        let quantiles = vec![
            (0.0, -3.8),
            (0.01, -2.3263),
            (0.05, -1.6449),
            (0.1, -1.2816),
            (0.25, -0.6745),
            (0.5, 0.0),
            (0.75, 0.6745),
            (0.9, 1.2816),
            (0.95, 1.6449),
            (0.99, 2.3263),
            (1.0, 3.8),
        ];
        Feature {
            name: "x".into(),
            label: String::new(),
            unit: String::new(),
            quantiles,
            resolution,
            levels: vec![],
            level_names: vec![],
            context: false,
        }
    }

    #[test]
    fn distribution_function_undoes_quantiles() {
        let f = normal(0.0);
        for p in [0.001, 0.01, 0.3, 0.5, 0.77, 0.999] {
            assert!((f.cumulative(f.quantile(p)) - p).abs() < 1e-12);
        }
        assert_eq!((f.cumulative(-9.0), f.cumulative(9.0)), (0.0, 1.0));
        let atom = Feature { quantiles: vec![(0.0, 1.0), (0.5, 1.0), (0.9, 1.0), (1.0, 3.0)], ..normal(0.0) };
        assert_eq!(atom.cumulative(1.0), 0.45);
    }

    /// Refined on its own density the 90 % interval of a narrow normal is μ ± 1.645 σ, to 0.15 σ: fifteen
    /// even cells over the coarse grid's neighbourhood are 0.9 σ wide here, and within a cell the mass is
    /// taken as even.
    #[test]
    fn interval_of_a_narrow_conditional_is_found_by_refinement() {
        let f = normal(0.0);
        let (mean, sd) = (0.9, 0.3);
        let log_density = |x: &f64| -0.5 * ((x - mean) / sd).powi(2);
        let coarse = f.grid();
        assert_eq!(coarse.len(), GRID.len());
        let fine = f.refine(&coarse, &coarse.iter().map(log_density).collect::<Vec<_>>());
        let Expected::Range { low, high } =
            f.expected(&fine, &fine.iter().map(log_density).collect::<Vec<_>>())
        else {
            panic!("a number has a range");
        };
        assert!((low - (mean - 1.645 * sd)).abs() < 0.15 * sd, "{low}");
        assert!((high - (mean + 1.645 * sd)).abs() < 0.15 * sd, "{high}");
    }

    #[test]
    fn levels_are_covered_from_the_likeliest() {
        let f = Feature {
            levels: vec![0.0, 1.0, 2.0],
            level_names: vec!["a".into(), "b".into(), "c".into()],
            context: false,
            ..normal(0.0)
        };
        let log_mass = [0.25_f64.ln(), 0.05_f64.ln(), 0.7_f64.ln()];
        let expected = f.expected(&f.grid(), &log_mass);
        assert_eq!(expected, Expected::Levels(vec![2.0, 0.0]));
        assert_eq!(f.format_expected(&expected), "c or a");
        assert_eq!(f.format(3.0), "(unseen level)");
        let ordinal = Feature { level_names: vec![], resolution: 1.0, ..f };
        assert_eq!(ordinal.format_expected(&ordinal.expected(&[0.0, 1.0, 2.0], &log_mass)), "0 to 2");
        assert_eq!((ordinal.admit(2.0), ordinal.admit(1.5)), (Some(2.0), None));
        let count = normal(1.0);
        assert_eq!(
            (count.admit(0.76), count.admit_alone(0.76), count.admit_alone(3.02)),
            (Some(1.0), None, Some(3.0))
        );
    }

    #[test]
    fn values_are_written_at_the_resolution() {
        let with = |resolution, x| normal(resolution).format(x);
        assert_eq!(with(0.1, 98.6), "98.6");
        assert_eq!(with(0.5, 3.0), "3.0");
        assert_eq!(with(1.0, 139.999), "140");
        assert_eq!(with(0.01, -0.001), "0.00");
        assert_eq!(
            (with(1.0, 0.5), with(1.0, -1.4), with(1.0, 1e9)),
            ("0.5".into(), "-1.4".into(), "1000000000".into())
        );
        assert_eq!(with(5.0, 15.0), "15");
        assert_eq!(
            (with(1e-6, 14.0), with(1e-6, 13.25), with(1e-4, 0.0)),
            ("14".into(), "13.25".into(), "0".into())
        );
        assert_eq!(with(0.0, 36.666_666), "36.667");
        assert_eq!(with(0.0, 1_234_567.0), "1234567");
        assert_eq!(with(0.0, 0.000_000_12), "1.2000e-7");
        assert_eq!(with(0.0, 37.0), "37");
        assert_eq!(with(0.1, f64::NAN), "");
    }

    #[test]
    fn grid_of_a_coarse_column_has_no_duplicates_and_keeps_the_resolution() {
        let grid = normal(1.0).grid();
        assert_eq!(grid, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]);
    }
}
