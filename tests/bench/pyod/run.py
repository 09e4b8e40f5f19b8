"""cohort-flow with default options and by each of its scores, and detectors of PyOD and scikit-learn, on the same rows in one run.

    tests/bench/pyod/run.sh [--groups medical,other,aside] [--sets a,b] [--seeds N] [--protocol clean,contaminated] [--out FILE.csv]

Protocols: `clean` is ADBench's semi-supervised one (Han et al. 2022, arXiv:2206.09426): train on half of the inliers, judge the other
half with all outliers. `contaminated`: train on half of all rows, outliers among them, judge the other half. Peers have the
defaults of their packages, on columns standardised by the training rows, medians for missing values; cohort-flow gets the rows as they
are, and splits off its own validation, calibration and test records (40 %).

Printed per protocol and set: area under the ROC curve, average precision, and, of clean training, the share of ordinary new rows with
p at or below 0.05 by each score. No set is dropped: a detector that fails counts as 0.5 and the share of outliers, and is named.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

import sets

SCORES = ["combined", "log-likelihood", "vector", "marginal", "dependence", "distance", "mixture", "extreme"]
PEERS = ["OCSVM", "KNN", "IForest", "ECOD", "KDE", "LOF"]


def peer(name, train, test, seed):
    import importlib

    module = importlib.import_module(f"pyod.models.{name.lower()}")
    options = {"IForest": {"random_state": seed}}.get(name, {})
    return getattr(module, name)(**options).fit(train).decision_function(test)


def ours(program, train, test, seed, options, scores):
    """Score and p-value of each test row by each score; the first is the default."""
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        names = [f"x{j}" for j in range(train.shape[1])]
        pd.DataFrame(train, columns=names).to_csv(at("train.csv"), index=False)
        pd.DataFrame(test, columns=names).to_csv(at("test.csv"), index=False)

        def run(*words):
            done = subprocess.run([program, "--threads", "1", "-q", *words], capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{words[0]}: {done.stderr.strip()}")

        run("ingest", "wide-table", "--input", at("train.csv"), "--output", at("bundle"))
        run("fit", at("bundle"), "--output", at("model"), "--seed", str(seed), *options)
        found = {}
        for score in scores:
            flag = ["flag", at("model"), "--input", at("test.csv"), "--output", at("flags.csv"), "--force", "--explain", "0"]
            run(*flag, *([] if score == "combined" else ["--score", score]))
            flags = pd.read_csv(at("flags.csv"))
            found[score] = flags["score"].to_numpy(), flags["p_value"].to_numpy()
        return found


def divided(x, y, protocol, rng):
    """Training rows, test rows, and which of the latter are outliers."""
    if protocol == "clean":
        inliers = rng.permutation(np.flatnonzero(y == 0))
        half = len(inliers) // 2
        rest = np.r_[inliers[half:], np.flatnonzero(y == 1)]
        return x[inliers[:half]], x[rest], y[rest]
    order = np.r_[tuple(rng.permutation(np.flatnonzero(y == label)) for label in (0, 1))]
    return x[order[::2]], x[order[1::2]], y[order[1::2]]


def standardised(train, test):
    median = np.nan_to_num(np.nanmedian(train, 0))
    fill = lambda z: np.where(np.isnan(z), median, z)
    a, b = fill(train), fill(test)
    mean, sd = a.mean(0), a.std(0)
    sd[sd == 0] = 1
    return (a - mean) / sd, (b - mean) / sd


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/cohort-flow")
    parser.add_argument("--groups", default="medical,other,aside")
    parser.add_argument("--sets")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--protocol", default="clean,contaminated")
    parser.add_argument("--scores", default=",".join(SCORES))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--fit", default="", help="further options of fit, for experiments")
    parser.add_argument("--out")
    args = parser.parse_args()
    some = lambda text: [word for word in (text or "").split(",") if word]
    rows = []
    for group, name, x, y in sets.load(some(args.groups), some(args.sets) or None):
        for protocol in some(args.protocol):
            for seed in range(args.seeds):
                train, test, truth = divided(x, y, protocol, np.random.default_rng(seed))
                a, b = standardised(train, test)
                found, started = {}, time.time()
                try:
                    found = ours(args.program, train, test, seed, args.fit.split(), some(args.scores))
                except RuntimeError as error:
                    print(f"{name} {protocol}: {error}", file=sys.stderr)
                    found = {score: (np.zeros(len(test)), np.ones(len(test))) for score in some(args.scores)}
                for method in some(args.peers):
                    try:
                        found[method] = peer(method, a, b, seed), None
                    except Exception as error:
                        print(f"{name} {protocol} {method}: {error}", file=sys.stderr)
                        found[method] = np.zeros(len(test)), None
                for method, (score, p) in found.items():
                    score = np.nan_to_num(score, posinf=1e300, neginf=-1e300)
                    clean = np.nan if p is None or protocol != "clean" else np.mean(p[truth == 0] <= 0.05)
                    figures = roc_auc_score(truth, score), average_precision_score(truth, score), clean
                    rows.append((group, name, protocol, seed, method, *figures, np.sum(truth == 0)))
                print(f"{name} {protocol} {seed}: {time.time() - started:.0f} s", file=sys.stderr, flush=True)
    frame = pd.DataFrame(rows, columns="group set protocol seed method auroc ap clean inliers".split())
    if args.out:
        frame.to_csv(args.out, index=False)
    for protocol, part in frame.groupby("protocol"):
        for figure in ("auroc", "ap", "clean"):
            table = part.pivot_table(index=["group", "set"], columns="method", values=figure, sort=False).dropna(axis=1, how="all")
            if table.empty:
                continue
            means = table.groupby(level="group", sort=False).mean()
            means.index = pd.MultiIndex.from_tuples([("mean", group) for group in means.index], names=table.index.names)
            table.loc[("mean", "all"), :] = table.mean()
            title = {"auroc": "area under the ROC curve", "ap": "average precision", "clean": "ordinary rows with p <= 0.05"}[figure]
            print(f"\n{protocol} training: {title}\n{pd.concat([table, means]).round(3).to_string()}")


if __name__ == "__main__":
    main()
