#!/usr/bin/env bash
# Ingestion of large event tables of other databases beside DuckDB doing the same aggregation.
#
#   tests/bench/databases/run.sh [eicu|mimic4] [ROWS] [RUNS]      eicu, 14,600,000 rows, 3 runs unless said otherwise
#
# The extract is one of `synth`, filled up to ROWS rows of vitalPeriodic or chartevents.
# PYTHON names an interpreter that has duckdb; otherwise a venv is made with them from PyPI.
# COHORT_FLOW names a program that is built already. BENCH_DIR is where the extract is written (1.3 GB for 14.6 million
# rows of eicu, 3.2 GB for 31 million of mimic4). BENCH_THREADS is the number of threads of both programs, 2 unless said
# otherwise. Needs GNU time (Debian package `time`).
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=tests/bench/databases
kind=${1:-eicu} rows=${2:-14600000} runs=${3:-3}
export BENCH_THREADS=${BENCH_THREADS:-2}

scratch=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/databases-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install --quiet duckdb
  PYTHON=$scratch/venv/bin/python
fi
if [ -z "${COHORT_FLOW:-}" ]; then
  cargo build --release --quiet
  COHORT_FLOW=${CARGO_TARGET_DIR:-target}/release/cohort-flow
fi
# About as many rows per stay as the releases have: 430 of the first 30 hours, and 4,300 of a whole stay.
case $kind in
  eicu) patients=$((rows / 420)) ;;
  *) patients=$((rows / 5200)) ;;
esac
"$COHORT_FLOW" --quiet synth --database "$kind" --patients $((patients > 20 ? patients : 20)) --chart-rows "$rows" \
  --output "$scratch/extract"

run() {
  if [ "$1" = cohort-flow ]; then
    set -- "$1" "$COHORT_FLOW" --quiet ingest $here/"$kind".toml --schema "$kind" --input "$scratch/extract" \
      --output "$scratch/bundle" --force --threads "$BENCH_THREADS"
  else
    set -- "$1" "$PYTHON" $here/peers.py "$kind" "$scratch/extract" "$scratch/theirs.parquet"
  fi
  local name=$1
  shift
  /usr/bin/time -a -o "$scratch/$name.times" -f '%e %U %S %M' "$@"
}
for _ in $(seq "$runs"); do
  # In turn, so that what else the machine does falls on both alike.
  for name in cohort-flow duckdb; do run "$name"; done
done
"$PYTHON" $here/peers.py compare "$scratch/bundle/features.parquet" "$scratch/theirs.parquet"
printf '%-12s %10s %8s %12s %9s %10s\n' program 'median s' 'min s' 'CPU seconds' 'peak MB' 'rows/s'
for name in cohort-flow duckdb; do
  sort -n "$scratch/$name.times" | awk -v name="$name" -v rows="$rows" '
    { wall[NR] = $1; cpu[NR] = $2 + $3; if ($4 > peak) peak = $4 }
    END { m = int((NR + 1) / 2)
          printf "%-12s %10.2f %8.2f %12.2f %9.0f %10.0f\n", name, wall[m], wall[1], cpu[m], peak / 1024, rows / wall[m] }'
done
