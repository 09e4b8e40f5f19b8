//! What the program does on Ctrl-C and SIGTERM.

use std::sync::atomic::{AtomicBool, Ordering};

use super::console::Console;
use super::exit;
use crate::message::{Message, Weight};
use crate::output;

/// Set by the first signal if the running command can stop in good order.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Whether the running command checks [`INTERRUPTED`]. If it does not, the signal handler cleans up and ends
/// the process.
static GRACEFUL: AtomicBool = AtomicBool::new(false);

/// Installs the handler of Ctrl-C and SIGTERM.
///
/// The first signal asks a training run to write its checkpoint and to stop. Any other command is cleaned up
/// and ended at once, and so is training at the second signal.
pub(super) fn handle(console: &Console) {
    let handled = ctrlc::set_handler(|| {
        if GRACEFUL.load(Ordering::SeqCst) && !INTERRUPTED.swap(true, Ordering::SeqCst) {
            return;
        }
        output::abandon_unfinished();
        end_now();
    });
    if handled.is_err() {
        let text = "Ctrl-C cannot be handled here: an interrupted run may leave a .partial file behind";
        console.warn(&Message::records(Weight::Choice, text));
    }
}

#[expect(clippy::exit, reason = "the signal handler runs on its own thread and has no one to return to")]
fn end_now() {
    std::process::exit(i32::from(exit::INTERRUPTED));
}

/// A guard. While it lives, the first Ctrl-C sets a flag instead of ending the process.
#[derive(Debug)]
pub(super) struct Graceful;

impl Graceful {
    pub(super) fn begin() -> Self {
        GRACEFUL.store(true, Ordering::SeqCst);
        Self
    }

    pub(super) fn requested() -> bool {
        INTERRUPTED.load(Ordering::SeqCst)
    }
}

impl Drop for Graceful {
    fn drop(&mut self) {
        GRACEFUL.store(false, Ordering::SeqCst);
    }
}
