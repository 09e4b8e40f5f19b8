#!/usr/bin/env bash
# Wall time and peak memory of the main commands, median of RUNS runs each; no peer needed.
#
#   tests/bench/speed.sh [RUNS]            demo, and ingestion of the real data where ../shared/data is there
#   tests/bench/speed.sh --cold            a cold `cargo build --release` in a scratch target folder
#
# Needs GNU time (Debian package `time`).
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ "${1:-}" = "--cold" ]; then
  /usr/bin/time -f 'cold release build: %e s wall, %U s user' cargo build --release --quiet --target-dir "$scratch/target"
  exit
fi

runs=${1:-3}
cargo build --release --quiet
bin=${CARGO_TARGET_DIR:-target}/release/cohort-flow

measure() { # label, command…
  local label=$1
  shift
  for _ in $(seq "$runs"); do
    rm -rf "$scratch/out"
    /usr/bin/time -a -o "$scratch/$label" -f '%e %M' "$@" --quiet >/dev/null
  done
  sort -n "$scratch/$label" | awk -v label="$label" '
    { wall[NR] = $1; if ($2 > peak) peak = $2 }
    END { printf "%-28s median %7.2f s   min %7.2f s   max %7.2f s   peak %6.0f MB   (%d runs)\n",
          label, wall[int((NR + 1) / 2)], wall[1], wall[NR], peak / 1024, NR }'
}

measure demo "$bin" demo --output "$scratch/out"
data=../shared/data
if [ -d "$data/mimic3-demo" ]; then
  measure ingest-mimic3-demo "$bin" ingest mimic3-first-24h --input "$data/mimic3-demo" --output "$scratch/out"
fi
if [ -d "$data/physionet2012" ]; then
  measure ingest-physionet2012 "$bin" ingest physionet2012-48h --input "$data/physionet2012" --output "$scratch/out"
fi
