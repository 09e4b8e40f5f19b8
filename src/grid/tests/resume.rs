//! Fits that are cut short: by an interruption, from which they go on, and by a time budget.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::grid::GridError;
use crate::train::{Keep, Progress, TrainError};

/// Interrupts a run after a number of batches.
struct Stopper(AtomicUsize);

impl Progress for Stopper {
    fn interrupted(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err()
    }
}

const CANVAS: Canvas = Canvas { height: 4, width: 4, channels: 3, levels: 8 };

fn config() -> GridConfig {
    GridConfig {
        hidden: 6,
        reach: 1,
        max_epochs: 4,
        batch_numbers: 480,
        seed: Seed(3),
        ..GridConfig::default()
    }
}

#[test]
fn a_fit_that_is_interrupted_goes_on_to_the_same_parameters_with_any_number_of_threads() {
    let (train, validation) = (pictures(CANVAS, 60, 1), pictures(CANVAS, 20, 2));
    let whole = fit_grid(CANVAS, &train, &validation, &config(), None, &Silent).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let identity = serde_json::json!({"run": 1});
    let fit = |resume: bool, threads: usize, progress: &dyn Progress| {
        let keep = Keep { dir: dir.path(), run: &identity, resume };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit_grid(CANVAS, &train, &validation, &config(), Some(keep), progress))
    };
    // An epoch has six batches: these runs stop in the middle of the first and of the third.
    for (resume, threads, batches) in [(false, 2, 3), (true, 1, 12)] {
        match fit(resume, threads, &Stopper(AtomicUsize::new(batches))) {
            Err(GridError::Train(TrainError::Interrupted { checkpoint: Some(_), .. })) => {}
            other => panic!("not interrupted: {:?}", other.map(|trained| trained.stop)),
        }
    }
    let resumed = fit(true, 2, &Silent).unwrap();
    assert_eq!(resumed.model.parameters(), whole.model.parameters());
    assert_eq!(resumed.history.len(), whole.history.len());
}

#[test]
fn a_budget_ends_a_fit_whatever_the_epochs() {
    let (train, validation) = (pictures(CANVAS, 60, 1), pictures(CANVAS, 20, 2));
    let config =
        GridConfig { max_epochs: 1_000_000, patience: 1_000_000, time_budget_seconds: Some(0.5), ..config() };
    let started = Instant::now();
    let trained = fit_grid(CANVAS, &train, &validation, &config, None, &Silent).unwrap();
    assert!(trained.history.len() < 1_000_000);
    // A hundred times the budget: the machine may be busy.
    assert!(started.elapsed().as_secs() < 50);
}
