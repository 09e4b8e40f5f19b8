//! One target of `targets.rs` under libFuzzer; the variable `COHORT_FLOW_TARGET` names it.

#![no_main]

mod targets;

use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use targets::Target;

static CHOSEN: OnceLock<(Target, PathBuf)> = OnceLock::new();

/// The target, and a folder for the files that it reads. `run.sh` removes the folder.
fn choose() -> (Target, PathBuf) {
    let name = std::env::var("COHORT_FLOW_TARGET").unwrap_or_default();
    let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    let Some((_, target)) = targets::ALL.iter().find(|(known, _)| *known == name) else {
        panic!("COHORT_FLOW_TARGET names no target; there are {}", names.join(", "));
    };
    let folder = std::env::temp_dir().join(format!("cohort-flow-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    (*target, folder)
}

fuzz_target!(|data: &[u8]| {
    let (target, folder) = CHOSEN.get_or_init(choose);
    target(data, folder);
});
