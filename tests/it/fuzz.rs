//! The inputs that guided fuzzing has kept, those that once were wrong among them, through the same targets:
//! each is answered without a panic and within seconds. `tests/fuzz/run.sh` looks for new ones.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// An input of a few kilobytes takes milliseconds. What hangs takes longer than the slowest machine with other
/// work; `tests/fuzz/run.sh` allows 5 seconds.
const LONGEST: Duration = Duration::from_mins(1);

#[test]
fn kept_inputs_are_answered_at_once_and_without_a_panic() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/kept");
    let tmp = tempfile::tempdir().unwrap();
    let mut size = 0;
    for (name, target) in targets::ALL {
        let folder = tmp.path().join(name);
        fs::create_dir(&folder).unwrap();
        let mut inputs: Vec<_> = fs::read_dir(kept.join(name))
            .unwrap_or_else(|e| panic!("no inputs are kept for the target {name}: {e}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "no inputs are kept for the target {name}");
        for input in inputs {
            let data = fs::read(&input).unwrap();
            size += data.len();
            let started = Instant::now();
            // The name of the input is what a panic does not tell.
            let ended = std::panic::catch_unwind(|| target(&data, &folder));
            assert!(ended.is_ok(), "{} panics", input.display());
            assert!(started.elapsed() < LONGEST, "{} takes {:?}", input.display(), started.elapsed());
        }
    }
    assert!(size < 300_000, "the kept inputs have {size} bytes: keep fewer or smaller ones");
}
