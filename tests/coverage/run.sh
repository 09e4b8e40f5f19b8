#!/usr/bin/env bash
# What the unit tests run of the source, by folder and by file:
#
#   tests/coverage/run.sh [--text FILE] [FILTER...]      default: all unit tests, ten minutes
#
# Shown are schema, features (which holds the encoder), evaluate (the scores), outlier and num. With a filter the tests of
# those names alone are run, and what others reach is not seen.
#
# Regions are what branches lead to: stable Rust counts them, and branches themselves not. Dependencies are those of the
# release build. Needs the component llvm-tools of rustup (rustup component add llvm-tools). Ends with 1 where a folder
# has less than 90 % of its lines.
set -euo pipefail
cd "$(dirname "$0")/../.."
text=
if [ "${1:-}" = --text ]; then text=$2; shift 2; fi
filters=("$@")
folders=(schema features evaluate outlier num)
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
[ -x "$tools/llvm-cov" ] || { echo "llvm-cov is missing: rustup component add llvm-tools" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/coverage
rm -rf "$work" && mkdir -p "$work"

# The line numbers of the counters need none of the optimisation, and other numbers than the release build's keep the
# two builds apart.
options=(--release --locked --lib --config profile.release.package.cohort-flow.opt-level=0
  --config profile.release.package.cohort-flow.debug-assertions=true)
program=$(CARGO_INCREMENTAL=0 RUSTC_WRAPPER=$PWD/tests/coverage/instrument.sh \
  cargo test "${options[@]}" --no-run --message-format=json |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
LLVM_PROFILE_FILE="$work/%p.profraw" "$program" "${filters[@]}" --quiet || echo "some tests failed" >&2
"$tools/llvm-profdata" merge -sparse "$work"/*.profraw -o "$work/all.profdata"
[ -z "$text" ] || "$tools/llvm-cov" show "$program" -instr-profile="$work/all.profdata" \
  --ignore-filename-regex='/registry/|/rustc/|tests(/|\.rs)' >"$text"
"$tools/llvm-cov" export "$program" -instr-profile="$work/all.profdata" -summary-only \
  --ignore-filename-regex='/registry/|/rustc/|tests(/|\.rs)' >"$work/summary.json"
python3 tests/coverage/table.py "$work/summary.json" "${folders[@]}"
