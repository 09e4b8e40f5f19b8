#!/bin/sh
# Ten tables with scrambled columns whose dependence is local in some order: does a flow that looks for the order do as well as in
# the original one, and better than fixed permutations and dense layers? tests/bench/orders/run.sh --data FOLDER [--budget 30]
# Uses the environment of tests/bench/pyod/run.sh; COHORT_FLOW_PYTHON names an interpreter that has the packages already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${COHORT_FLOW_PYTHON:-$root/target/pyod/bin/python}
[ -x "$python" ] || { echo "run tests/bench/pyod/run.sh --sets wdbc first: it sets up the environment" >&2; exit 2; }
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
OMP_NUM_THREADS=1 exec "$python" "$root/tests/bench/orders/run.py" --program "$program" "$@"
