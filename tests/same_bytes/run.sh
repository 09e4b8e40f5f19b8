#!/usr/bin/env bash
# Runs every kind of ingest, fit, score, sample, flag and report, and prints the SHA-256 of every output, so that a
# change which should alter no result can be held against the program before it:
#
#   tests/same_bytes/run.sh OLD-PROGRAM > before.txt
#   tests/same_bytes/run.sh NEW-PROGRAM > after.txt
#   diff before.txt after.txt
#
# It needs the data beside the project (../shared/data). Times, memory and speeds are taken out of `metrics.json` and
# `model.json` before they are hashed, and out of reports, since no two runs share them.
set -euo pipefail
program=$(realpath "${1:?usage: run.sh PROGRAM}")
data=$(realpath "$(dirname "$0")/../../../shared/data")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
run() { "$program" --quiet "$@" >&2; }

# A table with every role: an id, a group, numbers with gaps, counts, atoms, a binary, levels, dates and free text.
python3 - > table.csv <<'PYTHON'
import random
random.seed(1)
print("record_id,patient_id,age,lactate,pressors,visits,died,ward,admitted,note,constant")
for i in range(1500):
    age = round(random.gauss(60, 15))
    lactate = "" if random.random() < 0.3 else f"{random.lognormvariate(0.5, 0.5):.1f}"
    pressors = 0 if random.random() < 0.8 else round(random.expovariate(5), 3)
    ward = random.choice(["medical", "medical", "surgical", "cardiac"])
    print(f"r{i},p{i // 3},{age},{lactate},{pressors},{random.randrange(5)},{int(random.random() < 0.1)},{ward},"
          f"2020-01-{1 + i % 28:02d},free text number {i},7")
PYTHON

run ingest mimic3-first-24h  --input "$data/mimic3-demo"    --output first24
run ingest mimic3-hourly     --input "$data/mimic3-demo"    --output hourly
run ingest physionet2012-48h --input "$data/physionet2012"  --output icu
run ingest wide-table        --input table.csv              --output table
run ingest waveform-1024     --input "$data/waveforms/s25047" --output waves --set channels=II,V --set window=64

for model in butterfly glow-lu realnvp; do
  run fit table --output "$model" --model "$model" --preset small --epochs 3
done
run fit table --output gmm         --model gmm
run fit table --output trimmed     --preset small --epochs 3 --trim 0.02
run fit table --output crossed     --preset small --epochs 2 --calibration cross --folds 3
run fit table --output ensemble    --ensemble 3 --epochs 2
run fit table --output conditional --preset small --epochs 3 --condition-on age,ward
run fit table --output by_ward     --model gmm --calibrate-by ward
run fit waves --output var         --model var
run fit waves --output causal      --epochs 1
run fit waves --output patches     --model butterfly --epochs 1

for model in butterfly gmm ensemble conditional; do
  run score "$model" table --output "$model-scores.csv"
  run flag  "$model" table --output "$model-flags.csv" --json "$model-flags.jsonl"
done
run score gmm table --columns age,ward --output columns.csv
run flag  causal waves --output causal-flags.csv
for model in butterfly gmm ensemble var; do run sample "$model" --n 200 --output "$model-samples.csv"; done
run report table --model butterfly --model gmm --format json --output report.json
run report waves --model var --model causal --format json --output waves-report.json

python3 - <<'PYTHON'
import hashlib, json, pathlib

TIMES = {"train_seconds", "rows_per_second", "peak_memory_bytes", "seconds", "made_at"}

def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [without_times(v) for v in value]
    return value

for path in sorted(p for p in pathlib.Path(".").rglob("*") if p.is_file()):
    content = path.read_bytes()
    if path.name in ("metrics.json", "model.json") or path.name.endswith("report.json"):
        content = json.dumps(without_times(json.loads(content)), sort_keys=True).encode()
    print(hashlib.sha256(content).hexdigest(), path)
PYTHON
