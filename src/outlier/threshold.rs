//! Which rows are flagged, and advice where the calibration set cannot carry the level asked for.

use std::fmt;

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};

use super::OutlierError;
use super::calibrate::{Calibration, ROUNDING};

use crate::message::{Message, Weight, plural};

/// Records are flagged when their p-value is at or below this level, if nothing else is asked for. The
/// default is not a false discovery rate: on a bundle of thousands of records, a few hundred calibration
/// records cannot reach any q-value worth asking for.
pub const DEFAULT_ALPHA: f64 = 0.01;

/// What decides whether a row is flagged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// q ≤ level: of the rows flagged, at most this share is ordinary, on average (`--fdr`).
    Fdr(f64),
    /// p ≤ level: of the ordinary rows, at most this share is flagged, on average (`--alpha`).
    Alpha(f64),
}

impl Rule {
    /// The level as given.
    pub fn level(self) -> f64 {
        match self {
            Self::Fdr(level) | Self::Alpha(level) => level,
        }
    }

    /// Name of the option that sets it.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Fdr(_) => "--fdr",
            Self::Alpha(_) => "--alpha",
        }
    }

    /// # Errors
    /// [`OutlierError::Level`] unless 0 < level < 1.
    pub fn check(self) -> Result<(), OutlierError> {
        let level = self.level();
        if level > 0.0 && level < 1.0 {
            Ok(())
        } else {
            Err(OutlierError::Level { option: self.option(), level })
        }
    }

    /// Whether a row with these values is flagged.
    pub fn flags(self, p_value: f64, q_value: f64) -> bool {
        let value = match self {
            Self::Fdr(_) => q_value,
            Self::Alpha(_) => p_value,
        };
        value <= self.level() * (1.0 + ROUNDING)
    }
}

/// Something to know before acting on the flags; each reads as a sentence of advice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// No score can reach the level.
    OutOfReach {
        /// The rule asked for.
        rule: Rule,
        /// Calibration records there are.
        n_calibration: usize,
        /// Calibration records needed.
        needed: usize,
    },
    /// Single outliers cannot be found at this false discovery rate.
    ManyNeeded {
        /// The rate asked for.
        fdr: f64,
        /// Calibration records there are.
        n_calibration: usize,
        /// Rows judged.
        n_rows: usize,
        /// Rows that would have to be more unusual than every calibration record before any is flagged.
        at_least: usize,
    },
    /// The level is reachable, but the realised share of false alarms may be far from it.
    Imprecise {
        /// The level asked for.
        alpha: f64,
        /// Calibration records there are.
        n_calibration: usize,
        /// Central 95 % range of the share of ordinary rows that is flagged, over calibration sets of this
        /// size.
        realised: (f64, f64),
    },
    /// More rows look unusual than chance and a few errors account for.
    Shifted {
        /// Share of rows with p ≤ 0.05.
        share: f64,
    },
    /// A group has too few calibration records for the level.
    SmallGroup {
        /// Its name.
        group: String,
        /// Calibration records it has.
        n_calibration: usize,
        /// Rows of it.
        rows: usize,
        /// Calibration records needed.
        needed: usize,
    },
    /// Rows of groups that no calibration record is of.
    UnknownGroup {
        /// How many.
        rows: usize,
    },
    /// Rows the model gave no finite log-density.
    NotFinite {
        /// How many.
        rows: usize,
    },
    /// All calibration scores are equal.
    Constant,
    /// Only the most unusual flagged rows are explained.
    ExplanationsLimited {
        /// Explained rows.
        explained: usize,
        /// Flagged rows.
        flagged: usize,
    },
}

impl Warning {
    /// The warning for a reader, with its weight and count.
    pub fn message(&self) -> Message {
        let (weight, count) = match self {
            Self::OutOfReach { n_calibration, .. }
            | Self::ManyNeeded { n_calibration, .. }
            | Self::Imprecise { n_calibration, .. } => (Weight::Wrong, Some(*n_calibration)),
            Self::Shifted { .. } | Self::Constant => (Weight::Wrong, None),
            Self::SmallGroup { rows, .. } | Self::UnknownGroup { rows } | Self::NotFinite { rows } => {
                (Weight::Wrong, Some(*rows))
            }
            Self::ExplanationsLimited { flagged, .. } => (Weight::LeftOut, Some(*flagged)),
        };
        let message = Message::records(weight, self.to_string());
        match count {
            Some(n) => message.counting(n),
            None => message,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfReach { rule, n_calibration, needed } => write!(
                f,
                "no row can be flagged at {} {} with {n_calibration} calibration records (smallest p-value \
                 {:.2e}); use a larger level or calibrate on {needed} records or more",
                rule.option(),
                rule.level(),
                1.0 / (n_calibration + 1) as f64
            ),
            Self::ManyNeeded { fdr, n_calibration, n_rows, at_least } => write!(
                f,
                "with {n_calibration} calibration records, {n_rows} rows and --fdr {fdr}, nothing is flagged \
                 until {at_least} rows are more unusual than every calibration record; to find single errors \
                 judge fewer rows at once, use --alpha, or calibrate on about {} records",
                // One row suffices when fdr·(n_cal + 1) ≥ n_rows.
                (*n_rows as f64 / fdr).ceil()
            ),
            Self::Imprecise { alpha, n_calibration, realised: (low, high) } => write!(
                f,
                "with {n_calibration} calibration records the share of ordinary rows flagged at --alpha \
                 {alpha} may be anywhere from {:.2} % to {:.2} %; use a larger level or more calibration \
                 records",
                100.0 * low,
                100.0 * high
            ),
            Self::Shifted { share } => write!(
                f,
                "{:.0} % of the rows have p ≤ 0.05 where 5 % are expected: these rows as a whole differ from \
                 the cohort the model was fitted on; check units, columns and selection before reading \
                 single flags",
                100.0 * share
            ),
            Self::SmallGroup { group, n_calibration, rows, needed } => write!(
                f,
                "{} of group {group} can{} be flagged: it has {n_calibration} calibration \
                 records (smallest p-value {:.2e}) and the level needs {needed}; use a larger level or \
                 coarser groups",
                plural(*rows, "the only row", &format!("none of the {rows} rows")),
                plural(*rows, "not", ""),
                1.0 / (n_calibration + 1) as f64
            ),
            Self::UnknownGroup { rows } => write!(
                f,
                "{} of groups without calibration records: nothing can be said about {}, so p = 1",
                plural(*rows, "1 row is", &format!("{rows} rows are")),
                plural(*rows, "it", "them")
            ),
            Self::NotFinite { rows } => write!(
                f,
                "{} no finite log-likelihood and {} as the most unusual; look for extreme values in {}",
                plural(*rows, "1 row has", &format!("{rows} rows have")),
                plural(*rows, "counts", "count"),
                plural(*rows, "it", "them")
            ),
            Self::Constant => f.write_str(
                "all calibration scores are equal, so no row can be ranked; check that the model was fitted \
                 on columns that vary",
            ),
            Self::ExplanationsLimited { explained, flagged } => write!(
                f,
                "the {explained} most unusual of {flagged} flagged rows are explained; raise the limit on \
                 explanations, or use a smaller level"
            ),
        }
    }
}

/// What follows for the reader from the sizes of the calibration set and of the table, and from how many of
/// the table's `n_rows` p-values are `small`, at most 0.05.
pub fn warnings(calibration: &Calibration, rule: Rule, n_rows: usize, small: usize) -> Vec<Warning> {
    let mut out = Vec::new();
    let n = calibration.n();
    let level = rule.level() * (1.0 + ROUNDING);
    if n > 1 && calibration.sorted()[0] == calibration.sorted()[n - 1] {
        out.push(Warning::Constant);
    }
    if level < calibration.smallest_p() {
        let needed = ((1.0 / rule.level()) * (1.0 - ROUNDING)).ceil() as usize - 1;
        out.push(Warning::OutOfReach { rule, n_calibration: n, needed });
    } else {
        match rule {
            Rule::Fdr(fdr) => {
                // k rows at the smallest p pass when p·N/k ≤ fdr.
                let at_least = (calibration.smallest_p() * n_rows as f64 / level).ceil() as usize;
                if at_least > 1 {
                    out.push(Warning::ManyNeeded { fdr, n_calibration: n, n_rows, at_least });
                }
            }
            Rule::Alpha(alpha) => out.extend(imprecise(n, alpha)),
        }
    }
    // One in four at 0.05 cannot be chance at 20 rows (binomial tail below 0.3 %), and planted or real single
    // errors are rarer than that.
    let share = small as f64 / n_rows.max(1) as f64;
    if n_rows >= 20 && share > 0.25 {
        out.push(Warning::Shifted { share });
    }
    out
}

/// Given one calibration set, the share of ordinary records with p ≤ α is Beta(l, n + 1 − l), l = ⌊α(n + 1)⌋
/// (Vovk 2012, arXiv:1209.2673): worth a word when it may exceed twice the level.
fn imprecise(n: usize, alpha: f64) -> Option<Warning> {
    let l = (alpha * (1.0 + ROUNDING) * (n + 1) as f64).floor();
    let beta = Beta::new(l, (n + 1) as f64 - l).ok()?;
    let realised = (beta.inverse_cdf(0.025), beta.inverse_cdf(0.975));
    (realised.1 > 2.0 * alpha).then_some(Warning::Imprecise { alpha, n_calibration: n, realised })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::calibrate::q_values;
    use crate::random::Seed;
    use rand::RngExt;

    fn warnings(calibration: &Calibration, rule: Rule, p: &[f64]) -> Vec<Warning> {
        super::warnings(calibration, rule, p.len(), p.iter().filter(|v| **v <= 0.05).count())
    }

    fn calibration(n: usize) -> Calibration {
        Calibration::new(&(0..n).map(|i| i as f64).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn levels_outside_the_open_unit_interval_are_rejected() {
        for level in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
            assert!(matches!(Rule::Fdr(level).check(), Err(OutlierError::Level { option: "--fdr", .. })));
            assert!(Rule::Alpha(level).check().is_err());
        }
        assert!(Rule::Alpha(0.01).check().is_ok());
    }

    #[test]
    fn a_p_value_equal_to_the_level_is_flagged_despite_rounding() {
        // 0.15 · 6 / 3 is 0.30000000000000004 in doubles.
        assert!(Rule::Fdr(0.3).flags(1.0, 0.1 + 0.2));
        assert!(Rule::Alpha(0.05).flags(0.05, 1.0));
        assert!(!Rule::Alpha(0.05).flags(0.0501, 0.0));
    }

    #[test]
    fn a_level_below_the_smallest_p_value_is_said_to_be_out_of_reach() {
        let w = warnings(&calibration(98), Rule::Alpha(0.01), &[]);
        assert_eq!(w, [Warning::OutOfReach { rule: Rule::Alpha(0.01), n_calibration: 98, needed: 99 }]);
        assert!(w[0].to_string().contains("--alpha 0.01 with 98 calibration records"));
        assert!(
            warnings(&calibration(99), Rule::Alpha(0.01), &[])
                .iter()
                .all(|w| !matches!(w, Warning::OutOfReach { .. }))
        );
        assert!(matches!(
            warnings(&calibration(9), Rule::Fdr(0.05), &[0.5])[..],
            [Warning::OutOfReach { needed: 19, .. }]
        ));
    }

    #[test]
    fn the_rate_depends_on_the_number_of_rows() {
        // Smallest p 1/1000; 500 rows at 0.05: k ≥ 0.001·500/0.05 = 10.
        let p = vec![0.5; 500];
        let w = warnings(&calibration(999), Rule::Fdr(0.05), &p);
        assert_eq!(w, [Warning::ManyNeeded { fdr: 0.05, n_calibration: 999, n_rows: 500, at_least: 10 }]);
        assert!(w[0].to_string().contains("10000 records"));
        assert!(warnings(&calibration(999), Rule::Fdr(0.05), &p[..50]).is_empty());
        // The arithmetic of the warning is that of the rule.
        let q = |k: usize| {
            let mut p = vec![1.0; 500];
            p[..k].fill(0.001);
            q_values(&p)[0]
        };
        assert!(Rule::Fdr(0.05).flags(0.0, q(10)) && !Rule::Fdr(0.05).flags(0.0, q(9)));
    }

    #[test]
    fn few_calibration_records_make_the_level_imprecise() {
        assert!(matches!(
            warnings(&calibration(120), Rule::Alpha(0.01), &[])[..],
            [Warning::Imprecise { .. }]
        ));
        assert!(warnings(&calibration(5000), Rule::Alpha(0.01), &[]).is_empty());
    }

    #[test]
    fn shifted_tables_and_constant_scores_are_reported() {
        let p = [vec![0.01; 10], vec![0.6; 10]].concat();
        assert_eq!(warnings(&calibration(5000), Rule::Alpha(0.05), &p), [Warning::Shifted { share: 0.5 }]);
        let constant = Calibration::new(&vec![2.0; 5000]).unwrap();
        assert_eq!(warnings(&constant, Rule::Alpha(0.05), &[1.0]), [Warning::Constant]);
    }

    /// 200 tables of 300 ordinary and 30 shifted Gaussian scores against 1000 calibration scores: the mean
    /// false discovery proportion at 0.1 stays below 0.1·(300/330) plus three standard errors, and most
    /// outliers are found.
    #[test]
    fn the_false_discovery_rate_is_controlled_on_gaussians() {
        let normal = |rng: &mut crate::random::StreamRng| {
            let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
            (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
        };
        let (mut proportions, mut power) = (Vec::new(), 0.0);
        for seed in 0..200 {
            let mut rng = Seed(seed).stream("fdr", 0);
            let c = Calibration::new(&(0..1000).map(|_| normal(&mut rng)).collect::<Vec<_>>()).unwrap();
            let scores: Vec<f64> =
                (0..330).map(|i| normal(&mut rng) + if i < 30 { 4.0 } else { 0.0 }).collect();
            let p = c.p_values(&scores);
            let q = q_values(&p);
            let flagged: Vec<usize> = (0..330).filter(|&i| Rule::Fdr(0.1).flags(p[i], q[i])).collect();
            let hits = flagged.iter().filter(|&&i| i < 30).count();
            proportions.push((flagged.len() - hits) as f64 / flagged.len().max(1) as f64);
            power += hits as f64 / 30.0 / 200.0;
        }
        let mean = proportions.iter().sum::<f64>() / 200.0;
        let sd = (proportions.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 199.0).sqrt();
        assert!(mean < 0.1 * 300.0 / 330.0 + 3.0 * sd / 200.0_f64.sqrt(), "{mean}");
        assert!(power > 0.8, "{power}");
    }
}
