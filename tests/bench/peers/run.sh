#!/bin/sh
# Peers on the same bundles, splits and wall budget: tests/bench/peers/run.sh BUNDLE... [--budget 30] [--models butterfly,NSF]
# Sets up a virtual environment from PyPI in target/peers; PEERS_PYTHON names an interpreter that has the packages already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/peers"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet -r "$root/tests/bench/peers/requirements.txt"
    fi
    python="$venv/bin/python"
fi
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
exec "$python" "$root/tests/bench/peers/peers.py" "$program" "$@"
