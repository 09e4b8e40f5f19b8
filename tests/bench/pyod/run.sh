#!/bin/sh
# Compares cohort-flow's flags with PyOD's detectors: tests/bench/pyod/run.sh --data DIR
# COHORT_FLOW_PYTHON: a Python that has pyod and scikit-learn; without it a venv is made under target/.
set -eu
cd "$(dirname "$0")/../../.."
cargo build --release --quiet
if [ -z "${COHORT_FLOW_PYTHON:-}" ]; then
    venv=target/pyod-venv
    [ -x "$venv/bin/pyod" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q pyod scikit-learn pandas rdata; }
    COHORT_FLOW_PYTHON=$venv/bin/python
fi
OMP_NUM_THREADS=1 exec "$COHORT_FLOW_PYTHON" tests/bench/pyod/run.py "$@"
