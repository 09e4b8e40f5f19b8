#!/bin/sh
# Pictures beside their peers:
#   tests/bench/grids/run.sh DATA [--budget 1200 | --epochs 14] [--only mnist,cifar,pneumonia,multi-scale,permuted]
# With --epochs all flows take equal numbers of steps, whatever else the machine does.
# DATA holds mnist/train-images-idx3-ubyte.gz, cifar10-3000/*.png (a row of pixels is a picture) and
# pneumoniamnist/*.npz. GRIDS_PYTHON names an interpreter with numpy, scikit-learn and Pillow; otherwise a virtual
# environment in target/grids gets them from PyPI. Build first, with full optimisation: cargo build --release
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${GRIDS_PYTHON:-}
if [ -z "$python" ]; then
    venv="$root/target/grids"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet numpy scikit-learn pillow
    fi
    python="$venv/bin/python"
fi
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
exec "$python" "$root/tests/bench/grids/grids.py" "$program" "$@"
