#!/usr/bin/env bash
# Guided fuzzing of what reads files of strangers, with stable Rust:
#
#   tests/fuzz/run.sh [--seconds N] [TARGET...]     default: an hour for each target of targets.rs
#   tests/fuzz/run.sh --keep [TARGET...]            afterwards: a few kilobytes of each corpus → tests/fuzz/kept
#
# An input that panics, takes longer than 5 seconds (COHORT_FLOW_LONGEST=30 on a busy machine) or more than 1 GB is kept in target/fuzz/TARGET/found, and the script
# ends with 1. Ends with a table of executions, edges reached, and findings. Needs a C++ compiler and Python 3.9 or later.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
seconds=3600 keep=false
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift ;;
    --keep) keep=true ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] ||
  mapfile -t targets < <(sed -n 's/^    ("\([a-z]*\)", [a-z]*),$/\1/p' targets.rs)

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
RUSTC_WRAPPER=$PWD/instrument.sh cargo build --release --locked
program=$CARGO_TARGET_DIR/release/cohort-flow-fuzz
work=$CARGO_TARGET_DIR/fuzz
mkdir -p "$work"
python3 seeds.py "$work/seeds"

# Files that the targets read are made in memory where there is such a folder.
TMPDIR=$(mktemp -d "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/cohort-flow.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# A panic is told by a file of its input; a target that hangs or grows ends the same way.
limits=(-timeout=${COHORT_FLOW_LONGEST:-5} -rss_limit_mb=1024 -max_len=65536)
failed=0
rows=()
for target in "${targets[@]}"; do
  mkdir -p "$work/$target/corpus" "$work/$target/found" "kept/$target"
  export COHORT_FLOW_TARGET=$target
  if $keep; then
    rm -rf "$work/$target/small" && mkdir "$work/$target/small"
    "$program" "${limits[@]}" -set_cover_merge=1 "$work/$target/small" "$work/seeds/$target" "$work/$target/corpus" \
      >"$work/$target/merge.log" 2>&1
    python3 keep.py "$work/$target/small" "kept/$target"
    continue
  fi
  log=$work/$target/log
  # One process after the other, each until it finds something: a finding does not end the search for others.
  "$program" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 "${limits[@]}" "-max_total_time=$seconds" \
    "-artifact_prefix=$work/$target/found/" "$work/$target/corpus" "kept/$target" "$work/seeds/$target" >"$log" 2>&1 || true
  executions=$(grep -o '^#[0-9]*' "$log" | tail -1 | tr -d '#')
  first=$(grep -m1 -o ' cov: [0-9]*' "$log" | grep -o '[0-9]*$' || true)
  last=$(grep -o ' cov: [0-9]*' "$log" | tail -1 | grep -o '[0-9]*$' || true)
  found=$(find "$work/$target/found" -type f | wc -l)
  [ "$found" -eq 0 ] || failed=1
  rows+=("$(printf '%-10s %12s %10s %10s %9s' "$target" "${executions:-?}" "${first:-?}" "${last:-?}" "$found")")
done
if ! $keep; then
  printf '%-10s %12s %10s %10s %9s\n' target executions 'edges at 1st' 'edges' findings
  printf '%s\n' "${rows[@]}"
fi
exit $failed
