#!/usr/bin/env bash
# Kernels of this crate against PyTorch and nflows on one thread, in one run: prints the table of ratios.
#
#   tests/bench/kernels/run.sh
#
# PYTHON=/path/to/python uses an environment that has torch and nflows; otherwise one is made in target/ from PyPI.
set -euo pipefail
cd "$(dirname "$0")/../../.."

python=${PYTHON:-}
if [ -z "$python" ]; then
  venv=target/bench-python
  if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --extra-index-url https://download.pytorch.org/whl/cpu torch nflows
  fi
  python=$venv/bin/python
fi

export RAYON_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# Compiled before anything is timed.
cargo bench --quiet --bench flow --no-run
cargo bench --quiet --bench flow -- 'butterfly|flow' >&2
"$python" tests/bench/kernels/peers.py "${CARGO_TARGET_DIR:-target}/criterion"
