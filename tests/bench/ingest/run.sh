#!/usr/bin/env bash
# Ingestion of a large CHARTEVENTS beside DuckDB, Polars for Python and pandas doing the same filter, join and aggregation.
#
#   tests/bench/ingest/run.sh [ROWS] [RUNS] [--gzip] [--pandas]      10,000,000 rows, 3 runs unless said otherwise
#
# PYTHON names an interpreter that has duckdb, polars, pyarrow and pandas; otherwise a venv is made with them from PyPI.
# BENCH_DIR is where the extract is written (1 GB per 10 million rows). Needs GNU time (Debian package `time`).
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=tests/bench/ingest

rows=10000000 runs=3 gzip='' peers='duckdb polars' numbers=()
for argument in "$@"; do
  case $argument in
    --gzip) gzip=--gzip ;;
    --pandas) peers="$peers pandas" ;;
    *) numbers+=("$argument") ;;
  esac
done
rows=${numbers[0]:-$rows} runs=${numbers[1]:-$runs}

scratch=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/ingest-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install --quiet duckdb polars pandas pyarrow
  PYTHON=$scratch/venv/bin/python
fi
if [ -z "${COHORT_FLOW:-}" ]; then
  cargo build --release --quiet
  COHORT_FLOW=${CARGO_TARGET_DIR:-target}/release/cohort-flow
fi

# About a seventh of the rows are of items that schemas read, as in the full release about half are: see the audit.
/usr/bin/time -f 'synth: %e s' "$COHORT_FLOW" --quiet synth --patients $((rows / 2000 + 10)) --chart-rows "$rows" $gzip \
  --output "$scratch/extract"
du -h "$scratch"/extract/CHARTEVENTS.csv* | cut -f1 | sed 's/^/CHARTEVENTS: /'

run() { # name
  if [ "$1" = cohort-flow ]; then
    set -- "$1" "$COHORT_FLOW" --quiet ingest $here/chart.toml --input "$scratch/extract" --output "$scratch/bundle" --force
  else
    set -- "$1" "$PYTHON" $here/peers.py "$1" "$scratch/extract" "$scratch/$1.parquet"
  fi
  local name=$1
  shift
  /usr/bin/time -a -o "$scratch/$name.times" -f '%e %M' "$@"
}
for _ in $(seq "$runs"); do
  # In turn, so that what else the machine does falls on all alike.
  for name in cohort-flow $peers; do run "$name"; done
done
for name in $peers; do
  printf '%s: ' "$name"
  "$PYTHON" $here/peers.py compare "$scratch/bundle/features.parquet" "$scratch/$name.parquet"
done

ours=$(sort -n "$scratch/cohort-flow.times" | awk '{ w[NR] = $1 } END { print w[int((NR + 1) / 2)] }')
printf '%-12s %10s %8s %8s %10s %14s %22s\n' program 'median s' 'min s' 'peak MB' 'rows/s' 'ratio to ours' '330,712,483 rows, s'
for name in cohort-flow $peers; do
  sort -n "$scratch/$name.times" | awk -v name="$name" -v rows="$rows" -v ours="$ours" '
    { w[NR] = $1; if ($2 > peak) peak = $2 }
    END { m = w[int((NR + 1) / 2)]
          printf "%-12s %10.2f %8.2f %8.0f %10.0f %14.2f %22.0f\n", name, m, w[1], peak / 1024, rows / m, m / ours, 330712483 * m / rows }'
done
