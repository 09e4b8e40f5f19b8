//! What the user sees on stderr while a command works: notes, warnings and progress bars. Bars appear only on
//! a terminal, and they are never mixed with notes. Another program gets the same as lines of JSON.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::error::IoError;
use crate::message::Message;
use crate::pipeline::Error;

/// Writes notes, warnings and progress bars to stderr.
#[derive(Debug)]
pub(super) struct Console {
    quiet: bool,
    as_json: bool,
    bars: MultiProgress,
    /// When progress was last told to another program.
    told: Mutex<Option<Instant>>,
}

/// Progress is told to another program at most so often.
const PERIOD: Duration = Duration::from_millis(100);

impl Console {
    pub(super) fn new(quiet: bool, as_json: bool) -> Self {
        let hidden = quiet || as_json;
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self { quiet, as_json, bars: MultiProgress::with_draw_target(target), told: Mutex::new(None) }
    }

    /// Prints a line that says what was done.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text, || json!({ "event": "note", "text": text }));
        }
    }

    /// Prints a line about something the user should know.
    pub(super) fn warn(&self, message: &Message) {
        if !self.quiet {
            self.say(&format!("warning: {message}"), || {
                let mut event = json!({ "event": "warning" });
                let fields = serde_json::to_value(message).expect("invariant: our own types serialise");
                for (key, value) in fields.as_object().into_iter().flatten() {
                    event[key.as_str()] = value.clone();
                }
                event
            });
        }
    }

    /// Tells another program how far a long step has come. A person sees a bar instead.
    pub(super) fn progress(&self, step: &str, done: u64, total: u64, text: &str) {
        if !self.as_json || self.quiet {
            return;
        }
        if let Ok(mut told) = self.told.lock() {
            if done < total && told.is_some_and(|at| at.elapsed() < PERIOD) {
                return;
            }
            *told = Some(Instant::now());
        }
        let event = json!({ "event": "progress", "step": step, "done": done, "total": total, "text": text });
        self.line(&event.to_string());
    }

    /// Tells another program why a command could not be carried out.
    pub(super) fn error(&self, error: &Error) {
        let mut event = json!({ "event": "error" });
        let account = error.account();
        event["kind"] = account.kind.into();
        event["message"] = account.message.into();
        event["hint"] = account.hint.into();
        self.line(&event.to_string());
    }

    fn say(&self, text: &str, event: impl FnOnce() -> serde_json::Value) {
        if self.as_json { self.line(&event().to_string()) } else { self.line(text) }
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
