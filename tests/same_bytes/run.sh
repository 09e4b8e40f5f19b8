#!/usr/bin/env bash
# Runs every kind of ingest, fit, score, sample, flag and report, and prints the SHA-256 of every output, so that a
# change which should alter no result can be held against the program before it:
#
#   tests/same_bytes/run.sh OLD-PROGRAM > before.txt
#   tests/same_bytes/run.sh NEW-PROGRAM > after.txt
#   diff before.txt after.txt
#
# A second argument names a folder to keep the outputs in, to look at what differs.
#
# It needs the data beside the project (../shared/data). Times, memory and speeds are taken out of `metrics.json` and
# `model.json` before they are hashed, and out of reports, since no two runs share them.
set -euo pipefail
program=$(realpath "${1:?usage: run.sh PROGRAM [FOLDER]}")
data=$(realpath "$(dirname "$0")/../../../shared/data")
if [ $# -gt 1 ]; then
  mkdir -p "$2" && work=$(realpath "$2")
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
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
run ingest waveform-1024     --input "$data/waveforms/s25047" --output signals --set channels=II,V --set window=64
# Networks over windows take minutes for an epoch of those; a few minutes of synthetic signals will do.
run synth --waveform --patients 2 --minutes 3 --output records
run ingest waveform-1024     --input records                --output waves --set window=64
run ingest waveform-1024     --input records                --output given --set window=48 --set past=16

for model in butterfly glow-lu realnvp; do
  run fit table --output "$model" --model "$model" --preset small --epochs 3
done
run fit table --output gmm         --model gmm
run fit table --output auto        --epochs 2
run fit table --output set         --preset small --epochs 2 --set base=mixture --set hidden=24 --set coupling=affine
run fit table --output trimmed     --preset small --epochs 3 --trim 0.02
run fit table --output crossed     --preset small --epochs 2 --calibration cross --folds 3 --calibrate-by ward
run fit table --output ensemble    --ensemble 3 --epochs 2
run fit table --output conditional --preset small --epochs 3 --condition-on age,ward
run fit table --output given_gmm   --model gmm --condition-on age,ward
run fit table --output by_ward     --model gmm --calibrate-by ward --trim 0.01
run fit icu   --output icu_gmm     --model gmm
run fit signals --output signals_var --model var
run fit waves --output var         --model var
run fit waves --output causal      --epochs 1 --set hidden=16
run fit waves --output patches     --model butterfly --epochs 1
run fit given --output given_causal --epochs 1

for model in butterfly gmm auto ensemble trimmed crossed conditional given_gmm by_ward; do
  run score "$model" table --output "$model-scores.csv"
  run flag  "$model" table --output "$model-flags.csv" --json "$model-flags.jsonl"
done
for model in gmm ensemble given_gmm; do
  run score "$model" table --columns visits,lactate --output "$model-columns.csv"
done
for model in causal patches var; do run flag "$model" waves --output "$model-flags.csv" --explain 0; done
run score given_causal given --output given-scores.csv
for model in butterfly gmm ensemble var causal patches; do
  run sample "$model" --n 50 --output "$model-samples.csv"
done
run sample conditional --given table/features.parquet --n 2 --output conditional-samples.csv
for model in butterfly auto patches; do "$program" inspect "$model" --json > "$model-inspect.json"; done
run report table --model butterfly --model gmm --model auto --format json --output report.json
run report table --model crossed --model trimmed --format json --output crossed-report.json
run report waves --model var --model causal --model patches --format json --output waves-report.json

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
