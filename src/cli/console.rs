//! What the user sees on stderr while a command works: notes, warnings and progress bars. Bars appear only on
//! a terminal, and they are never mixed with notes.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::IoError;
use crate::message::Message;
use crate::pipeline::Error;

/// Writes notes, warnings and progress bars to stderr.
#[derive(Debug)]
pub(super) struct Console {
    quiet: bool,
    bars: MultiProgress,
}

impl Console {
    pub(super) fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self { quiet, bars: MultiProgress::with_draw_target(target) }
    }

    /// Prints a line that says what was done.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Prints a line about something the user should know.
    pub(super) fn warn(&self, message: &Message) {
        if !self.quiet {
            self.line(&format!("warning: {message}"));
        }
    }

    fn line(&self, text: &str) {
        // A closed stderr must not end a run that is writing results.
        self.bars.suspend(|| {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        });
    }

    /// Starts a progress bar of known length.
    pub(super) fn bar(&self, length: u64, label: &str, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        let bar = self.bars.add(ProgressBar::new(length)).with_style(style).with_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }

    /// Starts a spinner for work of unknown length.
    pub(super) fn spinner(&self, label: &str) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner} {prefix} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = self.bars.add(ProgressBar::new_spinner()).with_style(style).with_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Writes data to stdout. It is not an error when the reader has closed the pipe.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.map_err(IoError::on("write", Path::new("standard output")))?),
    }
}

/// Writes `value` to stdout as indented JSON.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).expect("invariant: our own types serialise");
    print(&format!("{text}\n"))
}
