"""Are p-values of ordinary records uniform? Every calibration mode and every score, over new draws of real records.

    python3 tests/bench/calibration/run.py --table BUNDLE/features.parquet [--seeds 20] [--train 400] [--test 1000]

Of the records of one bundle, `train` are drawn at random for a fit and `test` others as new ones, all taken as ordinary.
Printed per mode and score: the share of new records with p at or below 0.01, 0.05 and 0.10 (mean over seeds, standard error over
seeds), and the Kolmogorov–Smirnov distance of all p-values together from the uniform distribution. P-values of one seed
share a calibration set, so a distance is compared with that of exactly uniform draws of the same design: `expected` is
its 95 % quantile for split calibration with as many calibration records, by simulation.

Needs pandas, pyarrow and numpy.
"""
import argparse
import json
import os
import subprocess
import tempfile

import numpy as np
import pandas as pd

SCORES = ["combined", "log-likelihood", "vector", "marginal", "dependence", "distance", "mixture", "extreme"]
LEVELS = [0.01, 0.05, 0.1]


def distance(p):
    p = np.sort(p)
    n = len(p)
    return max(np.max(np.arange(1, n + 1) / n - p), np.max(p - np.arange(n) / n))


def expected(seeds, calibration, test, rng):
    """95 % quantile of the distance where everything is exchangeable."""
    found = []
    for _ in range(200):
        parts = []
        for _ in range(seeds):
            reference = np.sort(rng.random(calibration))
            above = calibration - np.searchsorted(reference, rng.random(test))
            parts.append((1 + above) / (calibration + 1))
        found.append(distance(np.concatenate(parts)))
    return np.quantile(found, 0.95)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="target/release/cohort-flow")
    parser.add_argument("--table", required=True)
    parser.add_argument("--group", help="text column for --calibrate-by")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--modes", default="split,group,cross")
    parser.add_argument("--fit", default="", help="further options of fit")
    args = parser.parse_args()
    frame = pd.read_parquet(args.table).drop(columns=["record_id", "subject_id", "split"])
    modes = {
        "split": [],
        "group": ["--calibrate-by", args.group] if args.group else None,
        "cross": ["--calibration", "cross"],
    }
    chosen = [m for m in args.modes.split(",") if modes[m] is not None]
    p = {(mode, score): [] for mode in chosen for score in SCORES}
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def run(*command):
            done = subprocess.run([args.binary, "--threads", "1", "-q", *command], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(" ".join(command[:2]) + ": " + done.stderr.strip())

        for seed in range(1, args.seeds + 1):
            order = np.random.default_rng(seed).permutation(len(frame))
            frame.iloc[order[: args.train]].to_csv(at("train.csv"), index=False)
            frame.iloc[order[args.train : args.train + args.test]].to_csv(at("test.csv"), index=False)
            run("ingest", "wide-table", "--input", at("train.csv"), "--output", at("bundle"), "--force")
            for mode in chosen:
                run("fit", at("bundle"), "--output", at("model"), "--seed", str(seed), "--force", *args.fit.split(), *modes[mode])
                for score in SCORES:
                    run("flag", at("model"), "--input", at("test.csv"), "--output", at("flags.csv"), "--explain", "0",
                        "--score", score, "--json", at("flags.json"), "--force")
                    flags = pd.read_csv(at("flags.csv"))
                    p[mode, score].append(flags["p_value"].to_numpy())
                sizes.setdefault(mode, []).append(json.load(open(at("flags.json")))["n_calibration"])
            print(f"seed {seed}", flush=True)
    rng = np.random.default_rng(0)
    for mode in chosen:
        n = int(np.mean(sizes[mode]))
        print(f"\n{mode}: {n} calibration records, expected distance (95 %) {expected(args.seeds, n, args.test, rng):.3f}")
        for score in SCORES:
            parts = p[mode, score]
            shares = []
            for level in LEVELS:
                per_seed = [np.mean(v <= level + 1e-12) for v in parts]
                shares.append(f"{100 * np.mean(per_seed):5.2f} ± {100 * np.std(per_seed, ddof=1) / np.sqrt(len(parts)):4.2f} %")
            print(f"  {score:15} p<=.01 {shares[0]}  p<=.05 {shares[1]}  p<=.10 {shares[2]}  KS {distance(np.concatenate(parts)):.3f}")


if __name__ == "__main__":
    main()
