//! Progress bars of the long commands: one bar per table for ingestion, and one bar over the epochs for
//! training.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::ingest::IngestProgress;
use crate::train::{EpochReport, Progress, StartReport};

use super::console::Console;
use super::interrupt::Graceful;

/// A table that is read in less time is not spoken of afterwards.
const LONG: Duration = Duration::from_secs(2);

/// Shows one bar per table. The bar counts the bytes read, and shows the number of rows so far and the time
/// left.
pub(super) struct IngestBars<'a> {
    console: &'a Console,
    current: Mutex<Option<(ProgressBar, Instant, u64)>>,
}

impl<'a> IngestBars<'a> {
    pub(super) fn new(console: &'a Console) -> Self {
        Self { console, current: Mutex::new(None) }
    }
}

impl IngestProgress for IngestBars<'_> {
    fn begin(&self, table: &str, files: usize, bytes: u64) {
        let size = bytes as f64 / 1e6;
        let files = if files == 1 { String::new() } else { format!(", {files} files") };
        let bar = self.console.bar(
            bytes,
            &format!("{table} ({size:.1} MB{files})"),
            "{prefix} {bar:24} {percent:>3} % {elapsed} ({eta} left) {msg}",
        );
        if let Ok(mut current) = self.current.lock() {
            *current = Some((bar, Instant::now(), 0));
        }
        self.console.progress(table, 0, bytes, "");
    }

    fn rows(&self, table: &str, rows: u64, bytes: u64) {
        if let Ok(mut current) = self.current.lock()
            && let Some((bar, start, seen)) = current.as_mut()
        {
            *seen = rows;
            bar.set_position(bytes);
            let rate = rows as f64 / start.elapsed().as_secs_f64().max(1e-3);
            bar.set_message(format!("{} rows, {:.1} million/s", grouped(rows), rate / 1e6));
            let total = bar.length().unwrap_or(0);
            self.console.progress(table, bytes, total, &format!("{} rows", grouped(rows)));
        }
    }

    fn end(&self, table: &str) {
        if let Ok(mut current) = self.current.lock()
            && let Some((bar, start, rows)) = current.take()
        {
            bar.finish_and_clear();
            if start.elapsed() < LONG {
                return;
            }
            self.console.note(&format!("read {table}: {} rows in {:.1?}", grouped(rows), start.elapsed()));
        }
    }
}

/// Shows one bar over the optimiser steps of all epochs, with the train and validation likelihood, the best
/// value so far and the time left.
pub(super) struct TrainBar<'a> {
    console: &'a Console,
    label: String,
    bar: Mutex<Option<ProgressBar>>,
    /// Held while steps are taken: before and after them, Ctrl-C ends the program at once.
    graceful: Mutex<Option<Graceful>>,
}

impl<'a> TrainBar<'a> {
    pub(super) fn new(console: &'a Console, label: &str) -> Self {
        Self { console, label: label.to_owned(), bar: Mutex::new(None), graceful: Mutex::new(None) }
    }

    /// Removes the bar from the terminal.
    pub(super) fn finish(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Progress for TrainBar<'_> {
    fn start(&self, report: &StartReport) {
        self.console.note(&format!(
            "{}: {} parameters, {} training and {} validation records, at most {} epochs of {} steps{}",
            self.label,
            grouped(report.n_parameters as u64),
            grouped(report.n_train as u64),
            grouped(report.n_validation as u64),
            report.max_epochs,
            report.batches,
            if report.resumed_epochs > 0 {
                format!(", resumed after epoch {}", report.resumed_epochs)
            } else {
                String::new()
            }
        ));
        let length = u64::from(report.max_epochs) * report.batches as u64;
        let bar = self.console.bar(
            length,
            &self.label,
            "{prefix} {bar:24} {percent:>3} % {elapsed} (at most {eta} left) {msg}",
        );
        bar.set_position(u64::from(report.resumed_epochs) * report.batches as u64);
        if let Ok(mut slot) = self.bar.lock() {
            *slot = Some(bar);
        }
        if let Ok(mut graceful) = self.graceful.lock() {
            *graceful = Some(Graceful::begin());
        }
    }

    fn end(&self) {
        if let Ok(mut graceful) = self.graceful.lock() {
            *graceful = None;
        }
    }

    fn batch(&self, _epoch: u32, _batch: usize, _batches: usize) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.inc(1);
            let total = bar.length().unwrap_or(0);
            self.console.progress(&self.label, bar.position(), total, &bar.message());
        }
    }

    fn epoch(&self, report: &EpochReport) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.3}"));
            bar.set_message(format!(
                "epoch {} train {} validation {:.3} best {} (epoch {}) {:.0} rows/s",
                report.epoch,
                number(report.train_log_prob),
                report.validation_log_prob,
                number(report.best_log_prob),
                report.best_epoch,
                report.rows_per_second
            ));
        }
    }

    fn note(&self, text: &str) {
        self.console.note(text);
    }

    fn interrupted(&self) -> bool {
        Graceful::requested()
    }
}

/// Formats 1234567 as "1,234,567".
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Notes of a fit that has no bar of its own.
pub(super) struct Notes<'c>(pub(super) &'c Console);

impl Progress for Notes<'_> {
    fn note(&self, text: &str) {
        self.0.note(text);
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(123), "123");
        assert_eq!(grouped(1234), "1,234");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
