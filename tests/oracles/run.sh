#!/bin/sh
# Numbers of the program recomputed with other people's code, on real tables and those of scikit-learn:
#   tests/oracles/run.sh [--short] [--program target/release/cohort-flow]
# Prints the largest difference per quantity and set, and fails where one is larger than it may be. PYTHON names an interpreter
# with numpy, scipy, pandas, scikit-learn and wfdb; otherwise an environment is made in target/oracles.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/oracles"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet -r "$root/tests/oracles/requirements.txt"
    fi
    python="$venv/bin/python"
fi
exec "$python" "$root/tests/oracles/run.py" "$@"
