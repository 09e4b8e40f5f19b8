#!/usr/bin/env bash
# One table of all databases: what icu-first-24h finds in each, how well a model explains it, and what it flags.
#
#   tests/bench/databases/table.sh OUTPUT NAME=FOLDER...       for example mimic4=data/mimic4-demo eicu=data/eicu-demo
#
# Ingests every folder, fits a model for FIT_BUDGET (60s unless said otherwise), flags all records at a false discovery rate of
# 0.05, and prints stays, records, concepts and features found, the share of missing values, the mean test log-likelihood with its
# standard error, and the number flagged. Where there are both mimic4 and eicu, it ends with `compare` of the two, and with the
# flags of eicu by the model of mimic4, which integrates out what eicu has not.
#
# COHORT_FLOW names a program that is built already, PYTHON an interpreter that has duckdb. OUTPUT keeps all bundles and models.
set -euo pipefail
here=$(cd "$(dirname "$0")/../../.." && pwd)
if [ -z "${COHORT_FLOW:-}" ]; then
  (cd "$here" && cargo build --release --quiet)
  COHORT_FLOW=${CARGO_TARGET_DIR:-$here/target}/release/cohort-flow
fi
PYTHON=${PYTHON:-python3}
out=$1
shift
mkdir -p "$out"

figures() {
  "$PYTHON" - "$1" "$2" "$3" "$4" <<'PY'
import json, re, sys

import duckdb

name, out, said, flags = sys.argv[1:]
bundle, model = f"{out}/{name}", f"{out}/{name}-model"
manifest = json.load(open(f"{bundle}/manifest.json"))
pipeline = manifest["pipeline"]
variables = {f["name"]: f["variable"] for f in pipeline["features"]}
columns = [c["meta"]["name"] for c in manifest["encoder"]["columns"]]
counts = ", ".join(f'count("{c}")' for c in columns)
n, *found = duckdb.sql(f"select count(*), {counts} from '{bundle}/features.parquet'").fetchall()[0]
missing = 1 - sum(found) / (n * len(columns))
test = json.load(open(f"{model}/metrics.json"))["splits"]["test"]
likelihood = test.get("mean_log_prob_original_units", test["mean_log_prob"])
stays = re.search(r"([\d,]+) +all records", open(said).read()).group(1)
flagged = re.search(r"([\d,]+) of [\d,]+ records flagged", open(flags).read()).group(1)
concepts = len({variables.get(c, c) for c in columns})
print(f"{name:<14} {stays:>8} {n:>8} {concepts:>8} {len(columns):>8} {100 * missing:>8.1f} % {likelihood:>12.1f} "
      f"{test['standard_error']:>8.1f} {flagged:>8}")
PY
}

printf '%-14s %8s %8s %8s %8s %10s %12s %8s %8s\n' database stays records concepts features missing 'test nats' error flagged
for named in "$@"; do
  name=${named%%=*} folder=${named#*=}
  "$COHORT_FLOW" ingest icu-first-24h --schema "${name%%-*}" --input "$folder" --output "$out/$name" --force 2>"$out/$name.ingest"
  "$COHORT_FLOW" fit "$out/$name" --output "$out/$name-model" --time-budget "${FIT_BUDGET:-60s}" --force 2>"$out/$name.fit"
  "$COHORT_FLOW" flag "$out/$name-model" "$out/$name" --fdr 0.05 --output "$out/$name-flags.csv" --force 2>"$out/$name.flag"
  figures "$name" "$out" "$out/$name.ingest" "$out/$name.flag"
done
if [ -d "$out/mimic4-model" ] && [ -d "$out/eicu" ]; then
  echo
  echo 'compare mimic4 eicu --model mimic4-model'
  "$COHORT_FLOW" compare "$out/mimic4" "$out/eicu" --model "$out/mimic4-model" 2>&1 | tee "$out/compare.txt"
  echo
  echo 'flag mimic4-model eicu --reference mimic4'
  "$COHORT_FLOW" flag "$out/mimic4-model" "$out/eicu" --reference "$out/mimic4" --output "$out/eicu-by-mimic4.csv" --force 2>&1
fi
