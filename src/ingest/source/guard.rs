//! Readers of binary formats believe what a file says, and some of them panic where a damaged file says the
//! impossible. Here such a panic becomes an error like others, and nothing of it reaches the terminal.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use polars_core::prelude::*;

/// Beginning of the names of threads whose panics are caught: Polars' own threads and ours.
const THREADS: &str = "polars-";

/// Runs `read`; a panic in it, or in a thread of Polars that works for it, is an error. Has to be called in a
/// thread that [`spawn_named`] started.
pub(super) fn catching<T>(read: impl FnOnce() -> PolarsResult<T>) -> PolarsResult<T> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(PolarsError::ComputeError("the file's structure is damaged".into())))
}

/// Runs `work` in a thread of `scope` whose panics are not shown, because [`catching`] makes errors of them.
pub(super) fn spawn_named<'scope, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> std::io::Result<std::thread::ScopedJoinHandle<'scope, T>> {
    keep_quiet();
    std::thread::Builder::new().name(format!("{THREADS}reader")).spawn_scoped(scope, work)
}

/// Calls `read` with its panics caught, whatever thread this is.
pub(super) fn caught<T: Send>(read: impl FnOnce() -> PolarsResult<T> + Send) -> PolarsResult<T> {
    std::thread::scope(|scope| {
        let thread = spawn_named(scope, || catching(read))?;
        thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

/// Leaves the panics of the threads named above unreported; those of all others go the usual way.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let ours = std::thread::current().name().is_some_and(|name| name.starts_with(THREADS));
            if !ours {
                usual(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert!(caught::<()>(|| panic!("an impossible length")).is_err());
        assert_eq!(caught(|| Ok(3)).unwrap(), 3);
    }
}
