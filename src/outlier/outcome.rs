//! Whether flagged records are those with an outcome that the model never saw, such as the death of the
//! patient: the rate among flagged records and among the others, and how well the score ranks.
//!
//! Intervals take the records as independent. Where many records are of one patient they are too narrow,
//! which whoever knows the patients has to say.

use serde::Serialize;

use super::evaluation::{auroc, average_precision};
use crate::num::proportion::{Z95, difference, wilson};

/// A share or a mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Records behind it.
    pub n: usize,
    /// Of them those with the outcome; none of a mean.
    pub n_with: Option<usize>,
    /// The share or mean; NaN without records, written as null.
    pub value: f64,
    /// Lower end of the interval; NaN where there are too few records.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// The share of records with an outcome: Wilson's interval.
    pub fn share(with: impl IntoIterator<Item = bool>) -> Self {
        let (mut n, mut k) = (0, 0);
        for with in with {
            n += 1;
            k += usize::from(with);
        }
        let (low, high) = if n == 0 { (f64::NAN, f64::NAN) } else { wilson(k, n) };
        Self { n, n_with: Some(k), value: k as f64 / n as f64, low, high }
    }

    /// The mean of numbers: the interval of the normal distribution, which wants some dozens of records.
    pub fn mean(values: &[f64]) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        // Of one record 0/0, which is no number.
        let half = Z95 * (squares / (n as f64 - 1.0) / n as f64).sqrt();
        Self { n, n_with: None, value: mean, low: mean - half, high: mean + half }
    }
}

/// Records with and without a flag, held against an outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeAgreement {
    /// Records of which the outcome is known.
    pub n: usize,
    /// Of them those with it.
    pub n_with: usize,
    /// The rate among flagged records; none where the table says nothing of flags.
    pub flagged: Option<Estimate>,
    /// The rate among the others.
    pub rest: Option<Estimate>,
    /// The difference of the two rates with Newcombe's 95 % interval.
    pub difference: Option<[f64; 3]>,
    /// Probability that a record with the outcome has a higher score than one without, ties counting half.
    pub auroc: f64,
    /// Its 95 % interval by `DeLong`; none with fewer than two records of either, or where the two are apart.
    pub auroc_interval: Option<[f64; 2]>,
    /// Mean precision over the recall steps. By chance it is the rate of the outcome.
    pub average_precision: f64,
}

/// Holds scores, and flags if there are any, against an outcome, record by record.
///
/// # Panics
/// If the lists differ in length.
pub fn outcome(scores: &[f64], flagged: Option<&[bool]>, with: &[bool]) -> OutcomeAgreement {
    assert_eq!(scores.len(), with.len(), "one score per outcome");
    let among = |wanted: bool| {
        let flags = flagged?;
        assert_eq!(flags.len(), with.len(), "one flag per outcome");
        let of = flags.iter().zip(with).filter(|(flag, _)| **flag == wanted).map(|(_, with)| *with);
        Some(Estimate::share(of))
    };
    let (of_flagged, rest) = (among(true), among(false));
    let counts = |e: &Estimate| Some((e.n_with?, e.n)).filter(|_| e.n > 0);
    let both = of_flagged.as_ref().and_then(counts).zip(rest.as_ref().and_then(counts));
    OutcomeAgreement {
        n: with.len(),
        n_with: with.iter().filter(|with| **with).count(),
        difference: both.map(|(one, other)| {
            let (low, high) = difference(one, other);
            let share = |(k, n): (usize, usize)| k as f64 / n as f64;
            [share(one) - share(other), low, high]
        }),
        flagged: of_flagged,
        rest,
        auroc: auroc(scores, with),
        auroc_interval: auroc_interval(scores, with),
        average_precision: average_precision(scores, with),
    }
}

/// The 95 % interval of the area under the ROC curve.
///
/// # References
/// DeLong, DeLong, Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
/// characteristic curves, Biometrics 44:837-845; by ranks as Sun, Xu (2014), IEEE Signal Processing Letters
/// 21:1389-1393.
fn auroc_interval(scores: &[f64], with: &[bool]) -> Option<[f64; 2]> {
    let of = |wanted: bool| -> Vec<f64> {
        scores.iter().zip(with).filter(|(_, with)| **with == wanted).map(|(x, _)| *x).collect()
    };
    let (cases, others) = (of(true), of(false));
    if cases.len() < 2 || others.len() < 2 {
        return None;
    }
    let all: Vec<f64> = cases.iter().chain(&others).copied().collect();
    let (ranks, among_cases, among_others) = (midranks(&all), midranks(&cases), midranks(&others));
    let n_others = others.len() as f64;
    let n_cases = cases.len() as f64;
    // The share of the other group that each record ranks above, and below.
    let above: Vec<f64> = (0..cases.len()).map(|i| (ranks[i] - among_cases[i]) / n_others).collect();
    let below: Vec<f64> =
        (0..others.len()).map(|j| 1.0 - (ranks[cases.len() + j] - among_others[j]) / n_cases).collect();
    let variance = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)
    };
    let error = (variance(&above) / n_cases + variance(&below) / n_others).sqrt();
    let area = above.iter().sum::<f64>() / n_cases;
    (error > 0.0).then(|| [(area - Z95 * error).max(0.0), (area + Z95 * error).min(1.0)])
}

/// Ranks from 1; tied values have the mean of theirs.
fn midranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let mut ranks = vec![0.0; x.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| x[a] == x[b]) {
        let rank = before as f64 + f64::midpoint(tied.len() as f64, 1.0);
        tied.iter().for_each(|&i| ranks[i] = rank);
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_among_flagged_records_and_the_others() {
        let with = [true, true, false, false, false, true];
        let flags = [true, true, true, false, false, false];
        let found = outcome(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0], Some(&flags), &with);
        let (flagged, rest) = (found.flagged.unwrap(), found.rest.unwrap());
        assert_eq!((found.n, found.n_with), (6, 3));
        assert_eq!((flagged.n, flagged.n_with, rest.n, rest.n_with), (3, Some(2), 3, Some(1)));
        let [difference, low, high] = found.difference.unwrap();
        assert!((difference - 1.0 / 3.0).abs() < 1e-15 && low < 0.0 && high > difference);
        // By hand: of nine pairs the first two cases win three each, the last none.
        assert!((found.auroc - 6.0 / 9.0).abs() < 1e-15);
    }

    /// By hand: cases 3, 1, 2 against 0, 2: shares above 1, 1/2, 3/4 (variance 1/16), below 1 and 1/2
    /// (variance 1/8), so that the error is √(1/48 + 1/16) about an area of 3/4.
    #[test]
    fn the_interval_of_the_area_is_that_of_delong() {
        let with = [true, true, true, false, false];
        let [low, high] = auroc_interval(&[3.0, 1.0, 2.0, 0.0, 2.0], &with).unwrap();
        let half = Z95 * (1.0_f64 / 48.0 + 1.0 / 16.0).sqrt();
        assert!((low - (0.75 - half)).abs() < 1e-12 && (high - 1.0).abs() < 1e-12, "{low} {high}");
        assert_eq!(auroc_interval(&[2.0, 3.0, 0.0, 1.0], &[true, true, false, false]), None, "apart");
        assert_eq!(auroc_interval(&[2.0, 0.0, 1.0], &[true, false, false]), None, "one case");
    }

    #[test]
    fn nobody_flagged_and_no_flags_are_told_apart() {
        let none = outcome(&[1.0, 2.0], Some(&[false, false]), &[true, false]);
        assert!(none.flagged.unwrap().value.is_nan() && none.difference.is_none());
        assert_eq!(none.rest.unwrap().n, 2);
        assert!(outcome(&[1.0, 2.0], None, &[true, false]).flagged.is_none());
        assert!(Estimate::mean(&[3.0]).low.is_nan());
        assert!((Estimate::mean(&[1.0, 3.0]).high - (2.0 + Z95)).abs() < 1e-12);
    }
}
