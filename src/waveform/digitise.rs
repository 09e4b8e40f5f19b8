//! Physical values → integers on the lattice they lie on: what an ADC wrote, where the file does not say.

use super::Signal;

/// Levels between the smallest and the largest value beyond which values are taken for continuous.
const MOST_LEVELS: f64 = 1_048_576.0;
/// Levels continuous values are put on: noise of that width changes none of them by more than single
/// precision does.
const CONTINUOUS_LEVELS: f64 = 16_777_216.0;
/// How far a value may lie from its lattice, in steps: files round to a few digits.
const TOLERANCE: f64 = 0.1;

/// Values of one channel as integers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Digitised {
    /// The integers of each stretch, with [`Signal::MISSING`] for values that are not finite.
    pub(super) pieces: Vec<Vec<i32>>,
    /// Integers per unit.
    pub(super) gain: f64,
    /// Integer of the value 0.
    pub(super) baseline: f64,
    /// Whether the values lie on a lattice.
    pub(super) digital: bool,
}

/// Finds the lattice of all values of a channel, at which steps are `step` where that is known.
pub(super) fn digitise(pieces: &[Vec<f64>], step: Option<f64>) -> Digitised {
    let mut sorted: Vec<f64> = pieces.iter().flatten().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
        let pieces = pieces.iter().map(|p| vec![Signal::MISSING; p.len()]).collect();
        return Digitised { pieces, gain: 1.0, baseline: 0.0, digital: true };
    };
    let range = high - low;
    // Integers of 64 bits may span more than those that samples are kept in.
    let found = step.filter(|step| range / step <= f64::from(1 << 30)).or_else(|| lattice(&sorted));
    let step = found.unwrap_or(if range > 0.0 { range / CONTINUOUS_LEVELS } else { 1.0 });
    let integer = |x: f64| if x.is_finite() { ((x - low) / step).round() as i32 } else { Signal::MISSING };
    Digitised {
        pieces: pieces.iter().map(|p| p.iter().map(|&x| integer(x)).collect()).collect(),
        gain: 1.0 / step,
        baseline: -low / step,
        digital: found.is_some() || range == 0.0,
    }
}

/// The step of ascending, different values, where all are whole steps apart.
fn lattice(sorted: &[f64]) -> Option<f64> {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let range = high - low;
    // Two neighbours closer than single precision tells apart are one value, rounded in two ways.
    let rounding = 4.0 * f64::from(f32::EPSILON) * low.abs().max(high.abs());
    let narrowest =
        sorted.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > rounding).fold(f64::INFINITY, f64::min);
    if !narrowest.is_finite() || range / narrowest > MOST_LEVELS {
        return None;
    }
    // Upwards from the smallest value: the longer the distance, the better the step is known.
    let mut step = narrowest;
    for x in &sorted[1..] {
        let steps = ((x - low) / step).round();
        if steps >= 1.0 {
            step = (x - low) / steps;
        }
    }
    let off = |x: &f64| {
        let steps = (x - low) / step;
        (steps - steps.round()).abs()
    };
    let allowed = TOLERANCE.max(rounding / step);
    sorted.iter().all(|x| off(x) <= allowed && allowed < 0.5).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn physical(d: &Digitised, piece: usize, i: usize) -> f64 {
        (f64::from(d.pieces[piece][i]) - d.baseline) / d.gain
    }

    #[test]
    fn the_step_of_a_converter_is_found_whatever_its_gain_and_rounding() {
        for gain in [1.0, 23.5, 200.0, 1023.0, 6_400.0] {
            for single in [false, true] {
                let values: Vec<f64> = (0..4000)
                    .map(|i| {
                        let x = (f64::from(i * 7919 % 3001) - 1200.0) / gain;
                        if single { f64::from(x as f32) } else { x }
                    })
                    .collect();
                let d = digitise(std::slice::from_ref(&values), None);
                assert!(d.digital && (d.gain / gain - 1.0).abs() < 1e-6, "{gain} {single}: {}", d.gain);
                let worst = (0..4000).map(|i| (physical(&d, 0, i) - values[i]).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-3 / gain, "{gain} {single}: {worst}");
            }
        }
    }

    #[test]
    fn decimals_are_a_lattice_and_continuous_values_are_not() {
        let at_three_decimals = |gain: f64| -> Vec<f64> {
            (0..3000).map(|i| (f64::from(i * 31 % 2999) / gain * 1e3).round() / 1e3).collect()
        };
        // Steps of 43 thousandths show through the rounding, steps of 1.6 do not.
        let d = digitise(&[at_three_decimals(23.5)], None);
        assert!(d.digital && (d.gain - 23.5).abs() < 1e-3, "{}", d.gain);
        let d = digitise(&[at_three_decimals(611.0)], None);
        assert!(d.digital && (d.gain - 1000.0).abs() < 1e-3, "{}", d.gain);
        let continuous: Vec<f64> = (0..3000).map(|i| (f64::from(i) * 0.37).sin() * 80.0).collect();
        let d = digitise(&[continuous.clone(), vec![f64::NAN, 3.0]], None);
        assert!(!d.digital);
        assert!((0..3000).all(|i| (physical(&d, 0, i) - continuous[i]).abs() < 2e-5));
        assert_eq!(d.pieces[1][0], Signal::MISSING);
    }

    #[test]
    fn nothing_and_a_constant_are_no_trouble() {
        assert_eq!(digitise(&[vec![f64::NAN; 2]], None).pieces, [[Signal::MISSING; 2]]);
        let d = digitise(&[vec![5.0; 3]], None);
        assert_eq!((d.pieces[0].clone(), physical(&d, 0, 1), d.digital), (vec![0; 3], 5.0, true));
        let d = digitise(&[vec![-3.0, 4.0]], Some(1.0));
        assert_eq!((d.pieces[0].clone(), d.baseline), (vec![0, 7], 3.0));
    }
}
