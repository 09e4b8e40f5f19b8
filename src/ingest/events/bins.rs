//! Windows of a record, one or many: which of them an event counts in.

use std::ops::Range;

use crate::schema::Window;

/// The windows of a pipeline in whole seconds: window k is `[start + k·step, start + k·step + width)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) struct Bins {
    start: i64,
    step: i64,
    width: i64,
    /// Windows of a record without end.
    most: u32,
    until_end: bool,
    sliding: bool,
}

impl Bins {
    pub(in crate::ingest) fn new(window: &Window) -> Self {
        // Saturating casts make very long windows open ones.
        let seconds = |hours: f64| (hours * 3600.0).round() as i64;
        let (start, end) = (seconds(window.start_hours), seconds(window.end_hours));
        let length = end.saturating_sub(start).max(1);
        let step = window.step_hours.map_or(length, seconds).max(1);
        Self {
            start,
            step,
            width: window.width_hours.map_or(step, seconds).max(1),
            most: u32::try_from(ceil_div(length, step)).unwrap_or(u32::MAX),
            until_end: window.until_end,
            sliding: window.step_hours.is_some(),
        }
    }

    /// Whether there is more than one record per stay.
    pub(in crate::ingest) fn sliding(&self) -> bool {
        self.sliding
    }

    /// Number of windows of a record that lasts so many seconds.
    pub(in crate::ingest) fn count(&self, length: Option<i64>) -> u32 {
        match length {
            Some(length) if self.sliding && self.until_end => {
                let begun = ceil_div(length.saturating_sub(self.start), self.step);
                u32::try_from(begun.max(0)).map_or(self.most, |n| n.min(self.most))
            }
            _ => self.most,
        }
    }

    /// First second of window k.
    pub(in crate::ingest) fn start(&self, k: u32) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i64::from(k)))
    }

    /// Second after the last of window k, which a record's end may cut short.
    pub(in crate::ingest) fn end(&self, k: u32, length: Option<i64>) -> i64 {
        let end = self.start(k).saturating_add(self.width);
        match length {
            Some(length) if self.until_end => end.min(length).max(self.start(k)),
            _ => end,
        }
    }

    /// Second after the last of all windows.
    pub(in crate::ingest) fn last(&self) -> i64 {
        self.start(self.most.saturating_sub(1)).saturating_add(self.width)
    }

    /// First second of the first window.
    pub(in crate::ingest) fn first(&self) -> i64 {
        self.start
    }

    /// The windows, of the first `n`, that something lasting over `[from, to)` counts in when they begin
    /// `lookback` seconds earlier.
    pub(in crate::ingest) fn reached(&self, from: i64, to: i64, lookback: i64, n: u32) -> Range<u32> {
        let low = from.saturating_sub(self.start).saturating_sub(self.width).div_euclid(self.step) + 1;
        let high = ceil_div(to.saturating_sub(self.start).saturating_add(lookback), self.step);
        let bound = |k: i64| k.clamp(0, i64::from(n)) as u32;
        bound(low)..bound(high)
    }
}

fn ceil_div(a: i64, b: i64) -> i64 {
    a.div_euclid(b) + i64::from(a.rem_euclid(b) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: i64 = 3600;

    fn bins(step: Option<f64>, width: Option<f64>) -> Bins {
        Bins::new(&Window {
            start_hours: 0.0,
            end_hours: 6.0,
            until_end: true,
            step_hours: step,
            width_hours: width,
            relative_to: None,
        })
    }

    #[test]
    fn one_window_holds_its_start_and_not_its_end() {
        let one = bins(None, None);
        assert!(!one.sliding());
        let reached = |s| one.reached(s, s + 1, 0, 1);
        assert!(reached(-1).is_empty() && reached(6 * H).is_empty());
        assert_eq!((reached(0), reached(6 * H - 1)), (0..1, 0..1));
        assert_eq!(one.reached(-H, -H + 1, H, 1), 0..1, "within the lookback");
        assert!(one.reached(-H - 1, -H, H, 1).is_empty());
        assert_eq!(one.count(Some(H)), 1, "a short record has its one window");
    }

    #[test]
    fn hourly_windows_partition_and_wider_ones_overlap() {
        let hourly = bins(Some(1.0), None);
        assert_eq!((hourly.count(None), hourly.count(Some(2 * H)), hourly.count(Some(2 * H + 1))), (6, 2, 3));
        assert_eq!(hourly.reached(H, H + 1, 0, 6), 1..2);
        assert_eq!(hourly.reached(H - 1, H, 0, 6), 0..1);
        // Every second counts in exactly one window.
        assert!((0..6 * H).step_by(601).all(|s| hourly.reached(s, s + 1, 0, 6).len() == 1));
        let wide = bins(Some(1.0), Some(3.0));
        assert_eq!(wide.reached(3 * H, 3 * H + 1, 0, 6), 1..4);
        assert_eq!(wide.end(5, Some(7 * H)), 7 * H, "the record's end cuts the window");
        assert_eq!(hourly.reached(H / 2, H / 2 + 1, 2 * H, 6), 0..3, "a lookback reaches later windows");
    }

    #[test]
    fn what_lasts_counts_in_every_window_it_overlaps() {
        let hourly = bins(Some(1.0), None);
        assert_eq!(hourly.reached(H / 2, 3 * H, 0, 6), 0..3, "up to the end, not with it");
        assert_eq!(hourly.reached(-5 * H, 10 * H, 0, 4), 0..4);
        let gaps = bins(Some(2.0), Some(1.0));
        assert!(gaps.reached(H + 60, H + 61, 0, 3).is_empty(), "between two windows");
    }
}
