//! How the measures of a record become the default score.
//!
//! Two kinds of outliers pull against each other. A patient of another kind is a little odd by most measures,
//! and is found by their mean. A wrong value is very odd by one measure, and a mean hides it. So both kinds
//! of evidence are gathered, each is read as a tail among reference records, and the stronger one counts:
//!
//! ```text
//! broad = Σ_k √t_k / K                 t: nats of a measure among reference records (Tail)
//! sharp = ln( Σ_j exp(t_j) / J )       k and j: the measures of each kind, K and J of them
//! score = max( T_broad(broad), T_sharp(sharp) − handicap )
//! ```
//!
//! How far out a single measure can lie is learnt from the outermost reference records, so that of few of
//! them sharp evidence says less, and has to exceed the broad one.
//!
//! The square root is the distance of which t is the squared length, so that no measure rules the mean by its
//! tail alone. The logarithm of the mean of exponentials is the harmonic mean of the tail probabilities
//! (Wilson 2019), which is small as soon as one of them is. What comes out is no p-value: it is calibrated
//! like every other score.
//!
//! # References
//! Wilson (2019), PNAS 116(4), for the harmonic mean of p-values; Zimek et al. (2014), SIGKDD Explorations
//! 15(1), for means of outlier scores that were made comparable.

mod onnx;

use serde::{Deserialize, Serialize};

use super::ScoreKind;
use super::tail::Tail;
use crate::num::stable::log_mean_exp;

/// Reference records from which on the tail of a single measure can be told: ten of them make up its last
/// tenth.
const ENOUGH: usize = 100;
/// Nats by which sharp evidence has to exceed broad evidence, with too few and with enough reference records.
/// Both were chosen by measurement (`tests/bench/pyod` and planted errors): with fewer than enough, unusual
/// patients were ranked worse without the first, and with enough, more wrong values were found by the second.
const HANDICAPS: [f64; 2] = [2.0, -1.0];

/// Which measures are put together, and how the two kinds of evidence are spread among reference records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// Measures that are averaged.
    broad: Vec<ScoreKind>,
    /// Measures of which one is enough.
    sharp: Vec<ScoreKind>,
    /// Nats by which sharp evidence has to exceed broad evidence.
    handicap: f64,
    broad_tail: Tail,
    sharp_tail: Tail,
}

/// Nats of one record by each measure.
pub(super) type Nats = Vec<(ScoreKind, f64)>;

impl Evidence {
    /// Reads the spread off the nats of reference records, of which there is at least one.
    pub(super) fn fit(broad: Vec<ScoreKind>, sharp: Vec<ScoreKind>, reference: &[Nats]) -> Self {
        let broad_tail = Tail::fit(reference.iter().map(|nats| mean_of_roots(&broad, nats)).collect());
        let sharp_tail = Tail::fit(reference.iter().map(|nats| harmonic(&sharp, nats)).collect());
        let handicap = HANDICAPS[usize::from(is_enough(reference.len()))];
        Self { broad, sharp, handicap, broad_tail, sharp_tail }
    }

    /// The evidence that a record is unusual, in nats.
    pub(super) fn of(&self, nats: &Nats) -> f64 {
        let broad = self.broad_tail.nats(mean_of_roots(&self.broad, nats));
        let sharp = self.sharp_tail.nats(harmonic(&self.sharp, nats));
        broad.max(sharp - self.handicap)
    }
}

/// Whether so many reference records show the tail of a single measure.
pub(super) fn is_enough(n_reference: usize) -> bool {
    n_reference >= ENOUGH
}

fn chosen<'a>(kinds: &'a [ScoreKind], nats: &'a Nats) -> impl Iterator<Item = f64> + 'a {
    nats.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, nats)| *nats)
}

fn mean_of_roots(kinds: &[ScoreKind], nats: &Nats) -> f64 {
    chosen(kinds, nats).map(f64::sqrt).sum::<f64>() / kinds.len().max(1) as f64
}

fn harmonic(kinds: &[ScoreKind], nats: &Nats) -> f64 {
    log_mean_exp(&chosen(kinds, nats).collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 reference records with nats of four measures, which know nothing of each other.
    fn reference() -> Vec<Nats> {
        let tail = |i: usize| -(((i % 200) as f64 + 0.5) / 200.0).ln();
        (0..200)
            .map(|i| {
                vec![
                    (ScoreKind::Vector, tail(i)),
                    (ScoreKind::Marginal, tail(7 * i + 3)),
                    (ScoreKind::Distance, tail(11 * i + 90)),
                    (ScoreKind::Extreme, tail(13 * i + 41)),
                ]
            })
            .collect()
    }

    fn evidence() -> Evidence {
        let broad = vec![ScoreKind::Vector, ScoreKind::Marginal, ScoreKind::Distance];
        Evidence::fit(broad, vec![ScoreKind::Vector, ScoreKind::Extreme], &reference())
    }

    fn record(vector: f64, marginal: f64, distance: f64, extreme: f64) -> Nats {
        vec![
            (ScoreKind::Vector, vector),
            (ScoreKind::Marginal, marginal),
            (ScoreKind::Distance, distance),
            (ScoreKind::Extreme, extreme),
        ]
    }

    #[test]
    fn a_little_by_all_measures_and_much_by_one_are_both_evidence() {
        let evidence = evidence();
        let ordinary = evidence.of(&record(0.7, 0.7, 0.7, 0.7));
        let a_little_odd = evidence.of(&record(2.5, 2.5, 2.5, 0.7));
        let one_wrong_value = evidence.of(&record(0.7, 0.7, 0.7, 12.0));
        assert!(ordinary < 1.5, "{ordinary}");
        assert!(a_little_odd > 4.0, "{a_little_odd}");
        assert!(one_wrong_value > 6.0, "{one_wrong_value}");
    }

    #[test]
    fn more_of_any_measure_is_never_less_evidence() {
        let evidence = evidence();
        for measure in 0..4 {
            let mut nats = record(1.0, 0.5, 2.0, 1.5);
            let mut last = f64::NEG_INFINITY;
            for more in 0..200 {
                nats[measure].1 = f64::from(more) * 0.25;
                let own = evidence.of(&nats);
                assert!(own >= last && own.is_finite(), "measure {measure}: {own} after {last}");
                last = own;
            }
        }
    }
}
