#!/usr/bin/env bash
# Stands in front of rustc in a build for fuzzing: the program's own library, and no dependency, is built with counters
# of its edges and with calls that show the fuzzer what is compared. Stable rustc takes these flags of LLVM.
set -euo pipefail
for argument in "$@"; do
  if [ "${previous:-}" = --crate-name ] && [ "$argument" = cohort_flow ]; then
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
      -Cllvm-args=-sanitizer-coverage-trace-compares
  fi
  previous=$argument
done
exec "$@"
