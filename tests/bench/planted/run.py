"""Planted errors found: a model of a clean synthetic cohort, and new cohorts with some of their stays in error, one per seed.

    python3 tests/bench/planted/run.py [--program target/release/cohort-flow] [--patients 3000] [--new 1500] [--seeds 10]

Prints recall by kind and the realised false discovery proportion at --fdr 0.1, over the seeds, and of the errors found, how often the
first feature of the explanation is one that was planted, and how often the slip it names is the one that was made (decimal points, units
and exchanges, which have a name). Needs Python 3 and nothing else.
"""

import argparse
import csv
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--program", default="target/release/cohort-flow")
parser.add_argument("--patients", type=int, default=3000)
parser.add_argument("--new", type=int, default=1500)
parser.add_argument("--seeds", type=int, default=10)
parser.add_argument("--fdr", default="0.1")
parser.add_argument("--share", default="0.01", help="share of the new stays in error")
parser.add_argument("--fit", default="", help="further options of fit")
parser.add_argument("--alpha", help="flag by p-value instead")
args = parser.parse_args()


def run(*words):
    subprocess.run([args.program, *map(str, words), "--quiet"], check=True, stderr=subprocess.DEVNULL)


def slip(action):
    """The name that an explanation should give to a planted error; nothing where it has none."""
    words = action.split()
    if action.endswith("times 10"):
        return "×10"
    if action.endswith("divided by 10"):
        return "÷10"
    if action.endswith("exchanged"):
        return "swapped with"
    if "written as" in action:
        # "lactate in mg/dL written as mmol/L": the unit it was recorded in.
        unit = words[words.index("in") + 1]
        return {"pounds": "lb", "umol/L": "µmol/L"}.get(unit, unit)
    return None


def cohort(folder, patients, seed, share):
    run("synth", "--patients", patients, "--seed", seed, "--anomalies", share, "--output", folder / "extract")
    run("ingest", "mimic3-first-24h", "--input", folder / "extract", "--output", folder / "bundle")


with tempfile.TemporaryDirectory() as name:
    root = Path(name)
    (root / "reference").mkdir()
    cohort(root / "reference", args.patients, 1000, 0)
    run("fit", root / "reference" / "bundle", "--output", root / "model", *args.fit.split())
    found, planted, first, named, nameable, slips = (Counter() for _ in range(6))
    proportions, seconds, explained = [], 0.0, 0
    for seed in range(1, args.seeds + 1):
        new = root / f"new-{seed}"
        new.mkdir()
        cohort(new, args.new, seed, args.share)
        with (new / "extract" / "anomalies.csv").open() as file:
            anomalies = {r["ICUSTAY_ID"]: r for r in csv.DictReader(file)}
        labels = {stay: r["KIND"] for stay, r in anomalies.items()}
        rule = ["--alpha", args.alpha] if args.alpha else ["--fdr", args.fdr]
        started = time.perf_counter()
        run("flag", root / "model", new / "bundle", *rule, "--output", new / "flags.csv", "--json", new / "flags.json")
        seconds += time.perf_counter() - started
        rows = list(csv.DictReader((new / "flags.csv").open()))
        false = total = 0
        for row in rows:
            kind = labels.get(row["record_id"])
            planted[kind] += kind is not None
            if row["flagged"] == "true":
                total += 1
                explained += 1
                false += kind is None
                if kind:
                    found[kind] += 1
                    label = anomalies[row["record_id"]]
                    variables = label["VARIABLES"].split(";")
                    first[kind] += any(row["feature_1"] == v or row["feature_1"].startswith(v + "_") for v in variables)
                    expected = slip(label["ACTION"])
                    nameable[kind] += expected is not None
                    named[kind] += expected is not None and (row["pattern_1"] or "").startswith(expected)
                    patterns = " ".join(row.get(f"pattern_{k}") or "" for k in (1, 2, 3))
                    slips[kind, patterns.strip() or "none"] += 1
        proportions.append(false / total if total else 0.0)
        print(f"seed {seed}: {len(rows)} records, {sum(r['record_id'] in labels for r in rows)} planted, {total} flagged, {false} false")
    print("\n| kind | planted | found | recall | first feature right | slip named first | of |\n|---|---|---|---|---|---|---|")
    kinds = sorted(kind for kind in planted if kind)
    for kind in kinds:
        n, hit = planted[kind], found[kind]
        print(f"| {kind} | {n} | {hit} | {hit / n:.2f} | {first[kind]} | {named[kind]} | {nameable[kind]} |")
    total = lambda counter: sum(counter[kind] for kind in kinds)
    print(f"| all | {total(planted)} | {total(found)} | {total(found) / max(total(planted), 1):.2f} | {total(first)} | {total(named)} | {total(nameable)} |")
    mean = statistics.mean(proportions)
    error = statistics.stdev(proportions) / len(proportions) ** 0.5 if len(proportions) > 1 else float("nan")
    print(f"\nfalse discovery proportion {mean:.3f} ± {error:.3f} over {len(proportions)} seeds; {seconds / max(explained, 1):.2f} s of flagging per flagged record")
    print("\nwhat explanations name, by what was planted:")
    for (kind, pattern), n in sorted(slips.items()):
        print(f"  {kind}: {pattern} {n}")
