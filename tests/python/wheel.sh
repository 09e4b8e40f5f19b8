#!/usr/bin/env bash
# Installs the wheel into a fresh environment without Rust on the PATH, and runs the lines of the guide there.
#
#   tests/python/wheel.sh WHEEL [PYTHON]
set -euo pipefail
wheel=$(realpath "$1")
python=$(command -v "${2:-python3}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export PATH="$folder/venv/bin:/usr/bin:/bin"
unset PYTHONPATH COHORT_FLOW_BINARY

size=$(stat -c %s "$wheel")
echo "wheel: $((size / 1000000)) MB"
[ "$size" -le 30000000 ] || { echo "the wheel is larger than 30 MB"; exit 1; }
"$python" -m venv venv
begun=$(date +%s)
venv/bin/pip install --quiet --disable-pip-version-check "$wheel"
echo "installed in $(($(date +%s) - begun)) s"
venv/bin/cohort-flow --version

venv/bin/cohort-flow -q synth --patients 600 --seed 3 --output extract
venv/bin/python - <<'EOF'
import time

import cohort_flow as cf

begun = time.monotonic()
bundle = cf.ingest("mimic3-first-24h", "extract", output="out/mimic", progress=False)
frame = bundle.features(as_="pyarrow", split="train").drop_columns(["record_id", "subject_id", "split"])
flow = cf.ButterflyFlow(preset="small", epochs=2, ensemble=1, progress=False).fit(frame)
flags = cf.OutlierDetector(cf.GaussianMixture(progress=False), alpha=0.01).fit(frame).explain(frame)
imputed = cf.Imputer(model=cf.GaussianMixture(progress=False), draws=5).fit(frame).transform(frame)
page = cf.report(bundle, [cf.GaussianMixture(progress=False).fit(bundle)], "report.html")
assert imputed.num_rows == flags.num_rows == frame.num_rows == len(flow.score_samples(frame))
assert page.path.stat().st_size > 100_000
print(f"the lines of the guide ran in {time.monotonic() - begun:.1f} s")
EOF
