#!/usr/bin/env bash
# Reads mutated files for a number of seconds (60 unless given): no panic, no hang, and no cell that differs from what the
# csv crate reads in the same text.
#
#     tests/bench/fuzz_reader.sh [SECONDS] [SEED]
set -euo pipefail
cd "$(dirname "$0")/../.."
COHORT_FLOW_FUZZ_SECONDS=${1:-60} COHORT_FLOW_FUZZ_SEED=${2:-2} nice \
    cargo test --release --lib -- --ignored --nocapture fuzz_for_a_while
