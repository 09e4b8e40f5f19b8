#!/usr/bin/env bash
# Ingestion of a wide table beside Polars and pandas that read the same file and encode it the same way.
#
#   tests/bench/wide/run.sh [--rows N] [--runs N] [--copies N] [TABLE]
#
# TABLE is a CSV file, plain or gzip; otherwise the hours of 10,000 patients of the PhysioNet/CinC Challenge 2019 in
# `../shared/data` (378,417 rows of 42 columns). --rows takes its first N rows. Everything is measured at that size and at
# --copies times the rows (2 unless said otherwise), which shows what a further row takes; the copies have patients of their
# own. --copies 27 makes ten million rows, of 0.8 GB as text. Medians of three runs in turn, unless --runs says otherwise;
# peak memory is the largest of the runs.
#
# PYTHON names an interpreter that has numpy, scipy, polars and pandas; otherwise a venv is made with them from PyPI.
# COHORT_FLOW names the program; otherwise it is built. GROUP names the column of patients. Needs GNU time (Debian package
# `time`), and nothing else that keeps the machine busy.
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=tests/bench/wide

rows='' runs=3 copies=2 table=../shared/data/physionet2019/set_b_first10000.csv.gz group=${GROUP:-Patient}
while [ $# -gt 0 ]; do
  case $1 in
    --rows) rows=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --copies) copies=$2; shift 2 ;;
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
"$PYTHON" $here/peers.py make "$table" "$scratch/more.csv" "$copies" "$group" ${rows:+"$rows"}

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
for size in one more; do
  for _ in $(seq "$runs"); do
    # In turn, so that what else the machine does falls on all alike.
    for program in $programs; do run "$program" "$size"; done
  done
done

# Median of a column of the times: wall, user + system, or peak memory (the largest).
of() { # program size what
  awk -v what="$3" '{ print what == "wall" ? $1 : what == "cpu" ? $2 + $3 : $4 }' "$scratch/$1.$2.times" | sort -n |
    awk -v what="$3" '{ x[NR] = $1 } END { print what == "peak" ? x[NR] : x[int((NR + 1) / 2)] }'
}
printf '%-10s %-12s %9s %9s %9s %12s   %s\n' rows program 'wall s' 'CPU s' 'peak MB' 'bytes/row' 'cohort-flow to it: wall, CPU, memory'
for size in one more; do
  count=$(($(wc -l <"$scratch/$size.csv") - 1))
  for program in $programs; do
    echo "$(of "$program" $size wall) $(of "$program" $size cpu) $(of "$program" $size peak)" \
      "$(of cohort-flow $size wall) $(of cohort-flow $size cpu) $(of cohort-flow $size peak)" |
      awk -v program="$program" -v rows="$count" 'function to(a, b) { return b > 0 ? a / b : 0 }
        { printf "%-10d %-12s %9.2f %9.2f %9.0f %12.0f   %.2f  %.2f  %.2f\n",
            rows, program, $1, $2, $3 / 1024, $3 * 1024 / rows, to($4, $1), to($5, $2), to($6, $3) }'
  done
done
rows_of() { echo $(($(wc -l <"$scratch/$1.csv") - 1)); }
for program in $programs; do
  echo "$(rows_of one) $(rows_of more) $(of "$program" one cpu) $(of "$program" more cpu)" \
    "$(of "$program" one peak) $(of "$program" more peak)" |
    awk -v program="$program" '{ printf "%s: each further row takes %.2f µs of CPU time and %.0f bytes of memory\n",
      program, 1e6 * ($4 - $3) / ($2 - $1), 1024 * ($6 - $5) / ($2 - $1) }'
done
