"""Are p-values of ordinary records uniform? Every score of `flag`, over new draws of real records.

    tests/bench/calibration/run.sh [--repeats 20] [--sets a,b] [--out FILE.csv]          13 public tables, in one run
    python3 tests/bench/calibration/run.py --table BUNDLE/features.parquet [--modes split,group,cross] [--train 400] [--test 1000]

Of the records of a table, some are drawn at random for a fit and others as new ones, all taken as ordinary. Of the public tables
(`tests/bench/pyod/sets.py`), these are the records that are no outliers: two thirds for the fit, of which the program sets its own
calibration records aside, and one third as new ones.

Printed per table and score: the share of new records with p at or below 0.05 in percent (mean over repeats, and the standard error of
the mean over repeats). `exact` is what exchangeable records without ties give: of n calibration records, floor(0.05 (n + 1)) / (n + 1),
which is below 5 % where n is small. With --table also the shares at 0.01 and 0.10 and the Kolmogorov–Smirnov distance of all p-values
together from the uniform distribution. P-values of one repeat share a calibration set, so a distance is compared with
that of exactly uniform draws of the same design: `expected` is its 95 % quantile for split calibration with as many calibration
records, by simulation.

Needs pandas and numpy; for --table pyarrow, for the public tables the packages of tests/bench/pyod/requirements.txt.
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
PUBLIC = ["breastw", "wdbc", "pima", "hypothyroid", "dermatology_6", "mammographic", "saheart", "diabetes_planted", "prematurity",
          "flchain_mgus", "yeast_2_vs_4", "vowel0", "page_blocks"]


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


def runner(binary):
    def run(*command):
        done = subprocess.run([binary, "--threads", "1", "-q", *command], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(" ".join(command[:2]) + ": " + done.stderr.strip())

    return run


def judged(run, folder, train, test, seed, fit):
    """p-values of the new records by each score, and the number of calibration records."""
    at = lambda name: os.path.join(folder, name)
    train.to_csv(at("train.csv"), index=False)
    test.to_csv(at("test.csv"), index=False)
    run("ingest", "wide-table", "--input", at("train.csv"), "--output", at("bundle"), "--force")
    run("fit", at("bundle"), "--output", at("model"), "--seed", str(seed), "--force", *fit)
    p = {}
    for score in SCORES:
        run("flag", at("model"), "--input", at("test.csv"), "--output", at("flags.csv"), "--explain", "0",
            "--score", score, "--json", at("flags.json"), "--force")
        p[score] = pd.read_csv(at("flags.csv"))["p_value"].to_numpy()
    return p, json.load(open(at("flags.json")))["n_calibration"]


def public(args):
    import sys

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pyod"))
    import sets

    only = args.sets.split(",") if args.sets else PUBLIC
    run, rows = runner(args.binary), []
    with tempfile.TemporaryDirectory() as folder:
        for _, name, x, y in sets.load(list(sets.SETS), only):
            frame = pd.DataFrame(x[y == 0], columns=[f"x{j}" for j in range(x.shape[1])])
            for seed in range(1, args.repeats + 1):
                order = np.random.default_rng(seed).permutation(len(frame))
                cut = 2 * len(frame) // 3
                p, n = judged(run, folder, frame.iloc[order[:cut]], frame.iloc[order[cut:]], seed, args.fit.split())
                exact = np.floor(0.05 * (n + 1) + 1e-9) / (n + 1)
                rows.append({"set": name, "exact": exact, **{score: np.mean(v <= 0.05 + 1e-12) for score, v in p.items()}})
            print(f"{name}: {len(frame)} ordinary records, {n} for calibration", flush=True)
    frame = pd.DataFrame(rows)
    if args.out:
        frame.to_csv(args.out, index=False)
    by_set = frame.groupby("set", sort=False)
    mean, error = 100 * by_set.mean(), 100 * by_set.sem()
    text = mean.map("{:.1f}".format) + error.map(" ± {:.1f}".format)
    text["exact"] = mean["exact"].map("{:.1f}".format)
    all_sets, n = mean.mean(), len(mean)
    text.loc["mean"] = [f"{all_sets[c]:.2f} ± {np.sqrt((error[c] ** 2).sum()) / n:.2f}" for c in mean]
    print(f"\nordinary records with p at or below 0.05, in percent, {args.repeats} repeats\n{text.to_string()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="target/release/cohort-flow")
    parser.add_argument("--table", help="one table of a bundle instead of the public ones")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--sets")
    parser.add_argument("--out")
    parser.add_argument("--group", help="text column for --calibrate-by")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--modes", default="split,group,cross")
    parser.add_argument("--fit", help="further options of fit [default for the public tables: --model gmm]")
    args = parser.parse_args()
    if not args.table:
        args.fit = "--model gmm" if args.fit is None else args.fit
        return public(args)
    args.fit = args.fit or ""
    frame = pd.read_parquet(args.table).drop(columns=["record_id", "subject_id", "split"])
    modes = {
        "split": [],
        "group": ["--calibrate-by", args.group] if args.group else None,
        "cross": ["--calibration", "cross"],
    }
    chosen = [m for m in args.modes.split(",") if modes[m] is not None]
    p = {(mode, score): [] for mode in chosen for score in SCORES}
    sizes = {}
    run = runner(args.binary)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, args.seeds + 1):
            order = np.random.default_rng(seed).permutation(len(frame))
            train, test = frame.iloc[order[: args.train]], frame.iloc[order[args.train : args.train + args.test]]
            for mode in chosen:
                found, n = judged(run, folder, train, test, seed, [*args.fit.split(), *modes[mode]])
                sizes.setdefault(mode, []).append(n)
                for score, values in found.items():
                    p[mode, score].append(values)
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
