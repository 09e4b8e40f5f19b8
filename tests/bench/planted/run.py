"""Planted errors found: a model of a clean synthetic cohort, and new cohorts with 1 % of their stays in error, one per seed.

    python3 tests/bench/planted/run.py [--program target/release/cohort-flow] [--patients 3000] [--new 1500] [--seeds 10]

Prints recall by kind and the realised false discovery proportion at --fdr 0.1, over the seeds, and how often the error named in
the explanation is the one that was made. Needs Python 3 and nothing else.
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
parser.add_argument("--alpha", help="flag by p-value instead")
args = parser.parse_args()


def run(*words):
    subprocess.run([args.program, *map(str, words), "--quiet"], check=True, stderr=subprocess.DEVNULL)


def cohort(folder, patients, seed, share):
    run("synth", "--patients", patients, "--seed", seed, "--anomalies", share, "--output", folder / "extract")
    run("ingest", "mimic3-first-24h", "--input", folder / "extract", "--output", folder / "bundle")


with tempfile.TemporaryDirectory() as name:
    root = Path(name)
    (root / "reference").mkdir()
    cohort(root / "reference", args.patients, 1000, 0)
    run("fit", root / "reference" / "bundle", "--output", root / "model")
    found, planted, named, slips = Counter(), Counter(), Counter(), Counter()
    proportions, seconds, explained = [], 0.0, 0
    for seed in range(1, args.seeds + 1):
        new = root / f"new-{seed}"
        new.mkdir()
        cohort(new, args.new, seed, 0.01)
        with (new / "extract" / "anomalies.csv").open() as file:
            labels = {r["ICUSTAY_ID"]: r["KIND"] for r in csv.DictReader(file)}
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
                    patterns = " ".join(row.get(f"pattern_{k}") or "" for k in (1, 2, 3))
                    slips[kind, patterns.strip() or "none"] += 1
        proportions.append(false / total if total else 0.0)
        print(f"seed {seed}: {len(rows)} records, {sum(r['record_id'] in labels for r in rows)} planted, {total} flagged, {false} false")
    print("\n| kind | planted | found | recall |\n|---|---|---|---|")
    for kind, n in sorted(planted.items(), key=lambda k: str(k[0])):
        if kind:
            print(f"| {kind} | {n} | {found[kind]} | {found[kind] / n:.2f} |")
    mean = statistics.mean(proportions)
    error = statistics.stdev(proportions) / len(proportions) ** 0.5 if len(proportions) > 1 else float("nan")
    print(f"\nfalse discovery proportion {mean:.3f} ± {error:.3f} over {len(proportions)} seeds; {seconds / max(explained, 1):.2f} s of flagging per flagged record")
    print("\nwhat explanations name, by what was planted:")
    for (kind, pattern), n in sorted(slips.items()):
        print(f"  {kind}: {pattern} {n}")
