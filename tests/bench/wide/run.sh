#!/usr/bin/env bash
# Ingestion of a wide table beside Polars and pandas that read the same file and encode it the same way.
#
#   tests/bench/wide/run.sh [--rows N] [--runs N] [TABLE]
#
# TABLE is a CSV file, plain or gzip; otherwise the hours of 10,000 patients of the PhysioNet/CinC Challenge 2019 in
# `../shared/data` (378,417 rows of 42 columns). --rows takes its first N rows. Everything is measured at that size and at
# twice the rows, which shows whether time and memory grow in proportion; the second half has patients of its own.
# Medians of three runs in turn, unless --runs says otherwise; peak memory is the largest of the runs.
#
# PYTHON names an interpreter that has numpy, scipy, polars and pandas; otherwise a venv is made with them from PyPI.
# COHORT_FLOW names the program; otherwise it is built. GROUP names the column of patients. Needs GNU time (Debian package
# `time`), and nothing else that keeps the machine busy.
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=tests/bench/wide

rows='' runs=3 table=../shared/data/physionet2019/set_b_first10000.csv.gz group=${GROUP:-Patient}
while [ $# -gt 0 ]; do
  case $1 in
    --rows) rows=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    *) table=$1; shift ;;
  esac
done
if [ ! -e "$table" ]; then
  echo "$table is not there" >&2
  exit 2
fi

scratch=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/wide-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install --quiet numpy scipy polars pandas
  PYTHON=$scratch/venv/bin/python
fi
if [ -z "${COHORT_FLOW:-}" ]; then
  cargo build --release --quiet
  COHORT_FLOW=${CARGO_TARGET_DIR:-target}/release/cohort-flow
fi

"$PYTHON" $here/peers.py make "$table" "$scratch/one.csv" 1 "$group" ${rows:+"$rows"}
"$PYTHON" $here/peers.py make "$table" "$scratch/two.csv" 2 "$group" ${rows:+"$rows"}

run() { # program size
  local times=$scratch/$1.$2.times
  if [ "$1" = cohort-flow ]; then
    set -- "$COHORT_FLOW" --quiet ingest wide-table --input "$scratch/$2.csv" --output "$scratch/bundle" --force \
      --set "role.$group=group"
  else
    set -- "$PYTHON" $here/peers.py "$1" "$scratch/$2.csv" "$scratch/peer.npy" "$group"
  fi
  /usr/bin/time -a -o "$times" -f '%e %U %S %M' "$@" >"$scratch/output" 2>&1 || { cat "$scratch/output" >&2; exit 1; }
}
programs='cohort-flow polars pandas'
for size in one two; do
  for _ in $(seq "$runs"); do
    # In turn, so that what else the machine does falls on all alike.
    for program in $programs; do run "$program" "$size"; done
  done
done

printf '%-10s %-12s %9s %9s %9s %9s %11s %12s\n' rows program 'median s' 'min s' 'CPU s' 'peak MB' 'rows/s' 'bytes/row'
for size in one two; do
  count=$(($(wc -l <"$scratch/$size.csv") - 1))
  for program in $programs; do
    sort -n "$scratch/$program.$size.times" | awk -v program="$program" -v rows="$count" '
      { wall[NR] = $1; cpu[NR] = $2 + $3; if ($4 > peak) peak = $4 }
      END { m = wall[int((NR + 1) / 2)]
            printf "%-10d %-12s %9.2f %9.2f %9.2f %9.0f %11.0f %12.0f\n",
              rows, program, m, wall[1], cpu[int((NR + 1) / 2)], peak / 1024, (m > 0 ? rows / m : 0), peak * 1024 / rows }'
  done
done
for program in $programs; do
  one=$(sort -n "$scratch/$program.one.times" | awk '{ w[NR] = $1 } END { print w[int((NR + 1) / 2)] }')
  two=$(sort -n "$scratch/$program.two.times" | awk '{ w[NR] = $1 } END { print w[int((NR + 1) / 2)] }')
  memory=$(cat "$scratch/$program.one.times" "$scratch/$program.two.times" | awk -v runs="$runs" '
    { i = (NR <= runs) ? 1 : 2; if ($4 > peak[i]) peak[i] = $4 } END { printf "%.2f", peak[2] / peak[1] }')
  awk -v program="$program" -v one="$one" -v two="$two" -v memory="$memory" 'BEGIN {
    printf "%s: twice the rows take %.2f times as long and %s times the memory\n", program, (one > 0 ? two / one : 0), memory }'
done
