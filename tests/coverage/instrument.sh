#!/usr/bin/env bash
# Stands in front of rustc in a build for coverage: the program's own crate, and no dependency, counts what is run.
set -euo pipefail
for argument in "$@"; do
  if [ "${previous:-}" = --crate-name ] && [ "$argument" = cohort_flow ]; then
    exec "$@" -Cinstrument-coverage
  fi
  previous=$argument
done
exec "$@"
