#!/usr/bin/env bash
# Makes the committed sample report: tests/sample/report.sh [COHORT-FLOW]
set -euo pipefail
cd "$(dirname "$0")"
"${1:-../../target/release/cohort-flow}" report cohort --model flow --model gmm --input incoming.parquet \
  --labels anomalies.csv --fdr 0.1 --force --output ../../reports/sample.html
