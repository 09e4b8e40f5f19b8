#!/bin/sh
# Are p-values of ordinary records uniform, over 13 public tables and all scores: tests/bench/calibration/run.sh [--repeats N]
# Uses the environment of tests/bench/pyod/run.sh; COHORT_FLOW_PYTHON names an interpreter that has the packages already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${COHORT_FLOW_PYTHON:-$root/target/pyod/bin/python}
[ -x "$python" ] || { echo "run tests/bench/pyod/run.sh --sets wdbc first: it sets up the environment" >&2; exit 2; }
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
OMP_NUM_THREADS=1 exec "$python" "$root/tests/bench/calibration/run.py" --binary "$program" "$@"
