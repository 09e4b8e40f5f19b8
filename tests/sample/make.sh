#!/usr/bin/env bash
# Makes everything the sample report is made from anew: bundle, models and new patients with planted errors, all from
# synthetic patients. Needed only when their formats change; `tests/sample/report.sh` makes the report from them.
#
#   tests/sample/make.sh [COHORT-FLOW]
set -euo pipefail
cd "$(dirname "$0")"
program=${1:-../../target/release/cohort-flow}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" synth --patients 2600 --seed 11 --anomalies 1e-9 --output "$work/extract"
"$program" synth --patients 1500 --seed 12 --anomalies 0.12 --output "$work/incoming"
rm -rf cohort flow gmm incoming.parquet anomalies.csv
"$program" ingest pipeline.toml --input "$work/extract" --output cohort
"$program" ingest pipeline.toml --input "$work/incoming" --output "$work/incoming-bundle"
cp "$work/incoming-bundle/features.parquet" incoming.parquet
cp "$work/incoming/anomalies.csv" anomalies.csv
"$program" fit cohort --output flow --preset small --epochs 40 --set n_blocks=3 --set hidden=24
"$program" fit cohort --output gmm --model gmm
# The report reads the tensors; the table is for people.
rm cohort/features.parquet
