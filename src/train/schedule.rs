//! The learning rate over a run, and when to stop: linear warm-up, cosine decay and early stopping.

/// The learning rate η as a function of p, the share of the run that is over, and of t, the number of steps
/// made.
///
/// ```text
/// η = η₀ · p/w                                             p < w, warm-up over a share w of the run
/// η = η₀ · ( f + (1−f)·½(1 + cos π(p−w)/(1−w)) )           after that warm-up
/// η = η₀ · min(1, (t+1)/w) · max( f, ½(1 + cos πp) )       warm-up over w steps
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    /// Peak learning rate η₀.
    pub(crate) peak: f64,
    /// How long the rate rises.
    pub(crate) warmup: Warmup,
    /// Final share of the peak, f.
    pub(crate) floor: f64,
}

/// The extent of the warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Warmup {
    /// A share of the run.
    Share(f64),
    /// A number of steps.
    Steps(u64),
}

/// Where a step stands in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Share of the run that is over before the step.
    pub(crate) before: f64,
    /// Share of the run that is over after the step.
    pub(crate) after: f64,
    /// Number of steps before this one.
    pub(crate) steps: u64,
}

impl Schedule {
    /// Returns the rate of a step.
    pub(crate) fn rate(&self, at: Moment) -> f64 {
        let cosine = |p: f64| 0.5 * (1.0 + (std::f64::consts::PI * p).cos());
        match self.warmup {
            Warmup::Share(share) => {
                let p = at.after.clamp(0.0, 1.0);
                if p < share {
                    return self.peak * p / share;
                }
                let rest = (p - share) / (1.0 - share).max(f64::MIN_POSITIVE);
                self.peak * (self.floor + (1.0 - self.floor) * cosine(rest))
            }
            Warmup::Steps(steps) => {
                let warm = ((at.steps + 1) as f64 / steps as f64).min(1.0);
                self.peak * warm * cosine(at.before.min(1.0)).max(self.floor)
            }
        }
    }
}

/// Remembers the best validation value and its epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EarlyStopping {
    pub(crate) best: Option<f64>,
    pub(crate) best_epoch: u32,
}

impl EarlyStopping {
    pub(crate) const fn new() -> Self {
        Self { best: None, best_epoch: 0 }
    }

    /// Records a value, and returns whether it is the best so far. A value that is not finite is never the
    /// best.
    pub(crate) fn observe(&mut self, epoch: u32, value: f64) -> bool {
        let better = value.is_finite() && self.best.is_none_or(|b| value > b);
        if better {
            self.best = Some(value);
            self.best_epoch = epoch;
        }
        better
    }

    /// Returns whether `patience` epochs have passed without a better value.
    pub(crate) const fn exhausted(&self, epoch: u32, patience: u32) -> bool {
        epoch >= self.best_epoch + patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_rises_to_the_peak_and_falls_to_the_floor() {
        let s = Schedule { peak: 2.0, warmup: Warmup::Share(0.1), floor: 0.01 };
        let rate = |s: &Schedule, after| s.rate(Moment { before: 0.0, after, steps: 0 });
        assert_eq!(rate(&s, 0.0), 0.0);
        assert!((rate(&s, 0.05) - 1.0).abs() < 1e-12);
        assert!((rate(&s, 0.1) - 2.0).abs() < 1e-12);
        assert!((rate(&s, 0.55) - 1.01).abs() < 1e-12);
        assert!((rate(&s, 1.0) - 0.02).abs() < 1e-12);
        assert!((rate(&s, 7.0) - 0.02).abs() < 1e-12);
        assert_eq!(rate(&Schedule { warmup: Warmup::Share(0.0), ..s }, 0.0), 2.0);
    }

    #[test]
    fn a_warm_up_of_steps_lasts_as_many_in_a_run_of_any_length() {
        let s = Schedule { peak: 2.0, warmup: Warmup::Steps(4), floor: 0.01 };
        let rate = |before, steps| s.rate(Moment { before, after: 1.0, steps });
        assert!((rate(0.0, 0) - 0.5).abs() < 1e-12 && (rate(0.0, 3) - 2.0).abs() < 1e-12);
        assert!((rate(0.5, 1) - 0.5).abs() < 1e-12 && (rate(0.5, 100) - 1.0).abs() < 1e-12);
        assert!((rate(1.0, 100) - 0.02).abs() < 1e-12);
    }

    #[test]
    fn stops_after_patience_and_ignores_nan() {
        let mut e = EarlyStopping::new();
        assert!(!e.observe(0, f64::NAN));
        assert!(e.observe(1, -3.0));
        assert!(!e.observe(2, -3.0));
        assert!(!e.observe(3, f64::NAN));
        assert!(!e.exhausted(3, 3) && e.exhausted(4, 3));
        assert!(e.observe(4, -2.0));
        assert!(!e.exhausted(4, 3));
        assert_eq!((e.best, e.best_epoch), (Some(-2.0), 4));
    }
}
