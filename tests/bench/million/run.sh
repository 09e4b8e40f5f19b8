#!/bin/sh
# Time and memory at hundreds of thousands of records, beside peers in the same run:
#   tests/bench/million/run.sh [--tables A,B,C] [--runs 3] [--only fit-60,gmm,flag,report,peers]
# Sets up a virtual environment from PyPI in target/million; PYTHON names an interpreter that has the packages already, and
# COHORT_FLOW the program. Needs GNU time (Debian package `time`), and nothing else that keeps the machine busy.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/million"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet -r "$root/tests/bench/million/requirements.txt"
    fi
    python="$venv/bin/python"
fi
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
exec "$python" "$root/tests/bench/million/run.py" --program "$program" --shared "$root/../shared" "$@"
