//! The learning rate over a run, and when to stop: linear warm-up, cosine decay and early stopping.

/// The learning rate η as a function of p, the share of the run that is over.
///
/// ```text
/// η(p) = η₀ · p/w                                          p < w
/// η(p) = η₀ · ( f + (1−f)·½(1 + cos π(p−w)/(1−w)) )        otherwise
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    /// Peak learning rate η₀.
    pub(crate) peak: f64,
    /// Share of the run spent on warm-up, w.
    pub(crate) warmup: f64,
    /// Final share of the peak, f.
    pub(crate) floor: f64,
}

impl Schedule {
    /// Returns η at `progress` ∈ [0, 1].
    pub(crate) fn rate(&self, progress: f64) -> f64 {
        let p = progress.clamp(0.0, 1.0);
        if p < self.warmup {
            return self.peak * p / self.warmup;
        }
        let rest = (p - self.warmup) / (1.0 - self.warmup).max(f64::MIN_POSITIVE);
        self.peak * (self.floor + (1.0 - self.floor) * 0.5 * (1.0 + (std::f64::consts::PI * rest).cos()))
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
        let s = Schedule { peak: 2.0, warmup: 0.1, floor: 0.01 };
        assert_eq!(s.rate(0.0), 0.0);
        assert!((s.rate(0.05) - 1.0).abs() < 1e-12);
        assert!((s.rate(0.1) - 2.0).abs() < 1e-12);
        assert!((s.rate(0.55) - 1.01).abs() < 1e-12);
        assert!((s.rate(1.0) - 0.02).abs() < 1e-12);
        assert!((s.rate(7.0) - 0.02).abs() < 1e-12);
        let none = Schedule { warmup: 0.0, ..s };
        assert_eq!(none.rate(0.0), 2.0);
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
