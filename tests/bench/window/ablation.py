#!/usr/bin/env python3
"""Butterflies, dense layers and permutations in flows of windows, at equal parameters and epochs, over seeds.

    tests/bench/window/ablation.py target/release/cohort-flow [--seeds 3] [--epochs 10]

Six synthetic patients of half an hour, two channels, 1,024 samples; one thread each, two fits at a time. Prints nats per
dimension on the test windows, and what butterflies gain: mean over seeds and windows with its standard error over patients,
since windows of one patient are alike, and over seeds. `--input` takes records of your own instead.
"""

import argparse
import csv
import json
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A butterfly over the whole window has 48 thousand numbers more than dense layers over patches; a narrower network evens that out.
KINDS = {
    "samples": {"butterfly": ["hidden=107"], "glow-lu": [], "realnvp": []},
    "innovations": {"butterfly": [], "glow-lu": [], "realnvp": []},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--input", help="WFDB records, a table or an array")
    parser.add_argument("--set", action="append", default=[], help="setting of the pipeline, as for ingest")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = lambda *a: subprocess.run([args.program, *map(str, a), "--quiet"], check=True)
        source = args.input or folder / "records"
        if not args.input:
            run("synth", "--waveform", "--patients", 6, "--minutes", 30, "--output", source)
        settings = [x for s in args.set for x in ("--set", s)]
        run("ingest", "waveform-1024", "--input", source, "--output", folder / "bundle", *settings)

        def fit(job):
            space, kind, seed = job
            model = folder / f"{space}-{kind}-{seed}"
            whiten = ["whiten=false"] if space == "samples" else []
            options = [x for s in whiten + KINDS[space][kind] for x in ("--set", s)]
            run("fit", folder / "bundle", "--model", kind, "--seed", seed, "--epochs", args.epochs, "--threads", 1,
                "--output", model, *options)
            scores = model.with_suffix(".csv")
            run("score", model, folder / "bundle", "--output", scores, "--threads", 1)
            metrics = json.loads((model / "metrics.json").read_text())
            header = json.loads((model / "model.json").read_text())
            n = len(header["coordinates"]) - len(header.get("condition_on", []))
            with scores.open() as file:
                rows = [r for r in csv.DictReader(file) if r["split"] == "test"]
            values = {r["record_id"]: float(r["log_prob_tensor"]) / n for r in rows}
            return values, metrics["n_parameters"], metrics["train_seconds"]

        seeds = range(1, args.seeds + 1)
        jobs = [(space, kind, seed) for space in KINDS for kind in KINDS[space] for seed in seeds]
        with ThreadPoolExecutor(2) as pool:
            found = dict(zip(jobs, pool.map(fit, jobs)))
    print("| layers on | linear layer | parameters | seconds | nats per dimension, by seed | median window |")
    print("|---|---|---|---|---|---|")
    for space in KINDS:
        for kind in KINDS[space]:
            of = [found[space, kind, seed] for seed in seeds]
            means = ", ".join(f"{statistics.mean(values.values()):.4f}" for values, _, _ in of)
            windows = [statistics.mean(values[w] for values, _, _ in of) for w in of[0][0]]
            seconds = statistics.median(s for _, _, s in of)
            print(f"| {space} | {kind} | {of[0][1]:,} | {seconds:.0f} | {means} | {statistics.median(windows):.4f} |")
    error = lambda x: statistics.stdev(x) / len(x) ** 0.5 if len(x) > 1 else float("nan")
    print("\n| layers on | butterfly over | gain | error over patients | error over seeds | windows gained |")
    print("|---|---|---|---|---|---|")
    for space in KINDS:
        for kind in ("glow-lu", "realnvp"):
            gains = [
                {w: v - found[space, kind, seed][0][w] for w, v in found[space, "butterfly", seed][0].items()}
                for seed in seeds
            ]
            windows = {w: statistics.mean(g[w] for g in gains) for w in gains[0]}
            patients = {}
            for w, v in windows.items():
                patients.setdefault(w.split("@")[0], []).append(v)
            print(
                f"| {space} | {kind} | {statistics.mean(windows.values()):.4f} | "
                f"{error([statistics.mean(p) for p in patients.values()]):.4f} | "
                f"{error([statistics.mean(g.values()) for g in gains]):.4f} | "
                f"{sum(v > 0 for v in windows.values()) / len(windows):.0%} |"
            )


if __name__ == "__main__":
    main()
