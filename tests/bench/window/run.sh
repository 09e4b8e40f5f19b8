#!/bin/sh
# Training steps per CPU-second of the flow for windows (1,024 samples × 2 channels, batches of 64) beside the same structure in
# PyTorch, one thread each, in one run: tests/bench/window/run.sh. With --records FOLDER: likelihood of real bedside records and of a
# WaveNet, see records.py.
# Sets up a virtual environment from PyPI in target/window; PEERS_PYTHON names an interpreter that has torch already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/window"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --extra-index-url https://download.pytorch.org/whl/cpu -r "$root/tests/bench/window/requirements.txt"
    fi
    python="$venv/bin/python"
fi
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
case " $* " in
    *" --records "*) exec "$python" "$root/tests/bench/window/records.py" "$program" "$@" ;;
    *) exec "$python" "$root/tests/bench/window/steps.py" "$program" "$@" ;;
esac
