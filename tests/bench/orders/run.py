"""Learned orders of columns: ten tables with scrambled columns, one flow each, the same budget.

    tests/bench/orders/run.sh --data FOLDER [--budget 30] [--seed 1] [--tables a,b] [--out FILE.csv]

Printed per table: test nats per column of a flow with butterflies on the columns in their own order, and on scrambled columns of flows
with butterflies from the identity, with butterflies that start from the order found in the data (`permutation=data`), with fixed
permutations, and with dense layers; the paired differences of the second with their standard errors over test records (over records
of signals, since windows of one are alike); and what each has in parameters and seconds. Rows are divided by the program, by record
where there are records.
"""
import argparse
import csv
import json
import math
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import tables

KINDS = {
    "own order": ("own", ["--model", "butterfly"]),
    "scrambled": ("mixed", ["--model", "butterfly"]),
    "found": ("mixed", ["--model", "butterfly", "--set", "permutation=data"]),
    "fixed": ("mixed", ["--model", "realnvp"]),
    "dense": ("mixed", ["--model", "glow-lu"]),
}


def write(x, groups, order, path):
    frame = pd.DataFrame(x[:, order], columns=[f"x{j:03}" for j in order])
    frame.insert(0, "patient_id", groups)
    frame.to_csv(path, index=False, float_format="%.6g")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/cohort-flow")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", help="those whose name contains one of these, comma-separated")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--out")
    args = parser.parse_args()
    wanted = args.tables.split(",") if args.tables else [""]
    run = lambda *words: subprocess.run([args.program, "-q", "--threads", args.threads, *map(str, words)], check=True)
    print("| table | rows × columns | " + " | ".join(KINDS) + " | found − own | found − fixed | found − dense | parameters | seconds |")
    print("|" + "---|" * (len(KINDS) + 7))
    rows = []
    for name, x, groups in tables.load(args.data):
        if not any(w in name for w in wanted):
            continue
        d = x.shape[1]
        own, mixed = np.arange(d), np.random.default_rng(args.seed).permutation(d)
        with tempfile.TemporaryDirectory() as folder:
            at = lambda file: os.path.join(folder, file)
            for label, order in (("own", own), ("mixed", mixed)):
                write(x, groups, order, at(f"{label}.csv"))
                run("ingest", "wide-table", "--input", at(f"{label}.csv"), "--output", at(label))
            values, sizes, seconds = {}, {}, {}
            for kind, (label, options) in KINDS.items():
                run("fit", at(label), "--output", at("model"), "--force", "--seed", args.seed, "--ensemble", 1,
                    "--time-budget", f"{args.budget:g}s", *options)
                run("score", at("model"), at(label), "--output", at("scores.csv"), "--force")
                metrics = json.loads(Path(at("model/metrics.json")).read_text())
                scores = pd.read_csv(at("scores.csv"))
                scores = scores[scores["split"] == "test"].set_index("record_id")["log_prob"]
                values[kind], sizes[kind], seconds[kind] = scores.sort_index() / d, metrics["n_parameters"], metrics["train_seconds"]
        columns = [f"{values[k].mean():.3f}" for k in KINDS]
        # Record ids are row numbers.
        group = groups[[int(i) - 1 for i in values["found"].index]]

        def gap(other):
            by_group = pd.Series(values["found"].to_numpy() - values[other].to_numpy()).groupby(group).mean()
            return by_group.mean(), by_group.std(ddof=1) / math.sqrt(len(by_group))

        gaps = {other: gap(other) for other in ("own order", "fixed", "dense")}
        shown = [f"{m:+.3f} ± {e:.3f}" for m, e in gaps.values()]
        each = lambda of, form: ", ".join(form(of[k]) for k in KINDS)
        print(f"| {name} | {len(x):,} × {d} | " + " | ".join([*columns, *shown])
              + f" | {each(sizes, lambda n: f'{n:,}')} | {each(seconds, lambda s: f'{s:.0f}')} |", flush=True)
        rows.append([name, len(x), d, *(values[k].mean() for k in KINDS), *(v for pair in gaps.values() for v in pair)])
    if args.out:
        with open(args.out, "w", newline="") as file:
            csv.writer(file).writerows(rows)


if __name__ == "__main__":
    main()
