//! Times of samples in a table: where they jump, signals are interrupted.

/// Largest relative difference between the rate asked for and that of the times.
const TOLERANCE: f64 = 0.02;

/// Positions of samples that do not follow the one before them by one step, for times in seconds at
/// `frequency` samples per second. Times may be rounded to half a step.
///
/// # Errors
/// The rate of the times, where it is another one or none.
pub(super) fn interruptions(times: &[f64], frequency: f64) -> Result<Vec<usize>, f64> {
    let mut steps: Vec<f64> = times.windows(2).map(|t| t[1] - t[0]).filter(|s| s.is_finite()).collect();
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let middle = steps.len() / 2;
    let usual = *steps.select_nth_unstable_by(middle, f64::total_cmp).1;
    // NaN follows nothing.
    let follows = |i: usize, step: f64| (times[i] - times[i - 1] - step).abs() <= 0.5 * step;
    let found: Vec<usize> = (1..times.len()).filter(|&i| !follows(i, usual)).collect();
    // The rate over the longest run, since rounding may be most of a step.
    let ends = [&[0], found.as_slice(), &[times.len()]].concat();
    let longest = ends.windows(2).max_by_key(|run| run[1] - run[0]).map_or(0..0, |run| run[0]..run[1]);
    let rate = (longest.len() as f64 - 1.0) / (times[longest.end - 1] - times[longest.start]);
    if (rate / frequency - 1.0).abs() <= TOLERANCE { Ok(found) } else { Err(rate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_found_through_rounding_and_other_rates_are_told() {
        // 360 Hz to three decimals: steps of 2 and 3 ms.
        let times = |from: usize, n: usize| (from..from + n).map(|i| (i as f64 / 360.0 * 1e3).round() / 1e3);
        let all: Vec<f64> = times(0, 400).chain(times(1000, 300)).chain(times(1301, 50)).collect();
        assert_eq!(interruptions(&all, 360.0), Ok(vec![400, 700]));
        let rate = interruptions(&all, 125.0).unwrap_err();
        assert!((rate - 360.0).abs() < 1.0, "{rate}");
        assert!(interruptions(&[0.0, 0.0, 0.0], 125.0).is_err());
        assert_eq!(interruptions(&[3.0], 125.0), Ok(vec![]));
        let lost = [0.0, 0.008, f64::NAN, 0.024, 0.032, 0.04, 0.048];
        assert_eq!(interruptions(&lost, 125.0), Ok(vec![2, 3]));
    }
}
