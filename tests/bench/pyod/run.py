"""PyOD's detectors and cohort-flow with default options on the same rows, in one run.

    tests/bench/pyod/run.sh [--data DIR] [--sets a,b] [--seeds N] [--out FILE.csv]

ADBench's semi-supervised protocol (Han et al. 2022, arXiv:2206.09426): train on half of the inliers, judge the other half with all
outliers. PyOD's detectors have its defaults, on columns standardised by the training rows, medians for missing
values; cohort-flow gets the rows as they are. Columns of the table: AUROC, average precision, seconds (fit and score).
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

PEERS = ["IForest", "OCSVM", "KNN", "LOF", "ECOD", "HBOS", "GMM"]


def peer(name, train, test, seed):
    import importlib

    module = importlib.import_module(f"pyod.models.{name.lower()}")
    options = {"IForest": {"random_state": seed}, "GMM": {"random_state": seed}}.get(name, {})
    model = getattr(module, name)(**options).fit(train)
    return model.decision_function(test)


def ours(binary, train, test, seed, fit, others):
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        names = [f"x{j}" for j in range(train.shape[1])]
        pd.DataFrame(train, columns=names).to_csv(at("train.csv"), index=False)
        pd.DataFrame(test, columns=names).to_csv(at("test.csv"), index=False)
        started = time.time()
        for command in (
            ["ingest", "wide-table", "--input", at("train.csv"), "--output", at("bundle")],
            ["fit", at("bundle"), "--output", at("model"), "--seed", str(seed), *fit],
            ["flag", at("model"), "--input", at("test.csv"), "--output", at("flags.csv"), "--explain", "0"],
        ):
            done = subprocess.run([binary, "--threads", "1", "-q", *command], capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(" ".join(command[:2]) + ": " + done.stderr.strip())
        seconds = time.time() - started
        found = {"cohort-flow": pd.read_csv(at("flags.csv"))["score"].to_numpy()}
        for score in others:
            command = ["flag", at("model"), "--input", at("test.csv"), "--output", at("flags.csv"), "--explain", "0"]
            done = subprocess.run([binary, "--threads", "1", "-q", *command, "--force", "--score", score], capture_output=True)
            if done.returncode == 0:
                found[score] = pd.read_csv(at("flags.csv"))["score"].to_numpy()
        return found, seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="target/release/cohort-flow")
    parser.add_argument("--data")
    parser.add_argument("--sets")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--out")
    parser.add_argument("--fit", default="", help="further options of fit, for experiments")
    parser.add_argument("--scores", default="", help="scores of flag to judge beside the default: log-likelihood,marginal,…")
    options = parser.parse_args()
    others = [s for s in options.scores.split(",") if s]
    rows = []
    for name, x, y in sets.load(options.data):
        if options.sets and name not in options.sets.split(","):
            continue
        for seed in range(options.seeds):
            rng = np.random.default_rng(seed)
            inliers = rng.permutation(np.flatnonzero(y == 0))
            half = len(inliers) // 2
            train, test = x[inliers[:half]], x[np.r_[inliers[half:], np.flatnonzero(y == 1)]]
            truth = np.r_[np.zeros(len(inliers) - half), np.ones(int(y.sum()))]
            filled, median = np.where(np.isnan(train), np.nanmedian(train, 0), train), np.nanmedian(train, 0)
            mean, sd = filled.mean(0), filled.std(0)
            sd[sd == 0] = 1
            a = (filled - mean) / sd
            b = (np.where(np.isnan(test), median, test) - mean) / sd
            for method in ["cohort-flow", *filter(None, options.peers.split(","))]:
                started = time.time()
                try:
                    if method == "cohort-flow":
                        found, seconds = ours(options.binary, train, test, seed, options.fit.split(), others)
                    else:
                        found = {method: peer(method, a, b, seed)}
                        seconds = time.time() - started
                except Exception as error:
                    print(f"{name} {method}: {error}", file=sys.stderr)
                    continue
                for label, score in found.items():
                    score = np.nan_to_num(score, posinf=1e300, neginf=-1e300)
                    figures = roc_auc_score(truth, score), average_precision_score(truth, score)
                    rows.append((name, seed, label, *figures, seconds))
            print(name, seed, *(f"{r[2]} {r[3]:.3f}/{r[4]:.3f}" for r in rows if r[0] == name and r[1] == seed), file=sys.stderr, flush=True)
    frame = pd.DataFrame(rows, columns=["set", "seed", "method", "auroc", "ap", "seconds"])
    if options.out:
        frame.to_csv(options.out, index=False)
    for figure in ("auroc", "ap", "seconds"):
        wide = frame.pivot_table(index="set", columns="method", values=figure)
        wide = wide[wide.mean().sort_values(ascending=figure == "seconds").index]
        wide.loc["mean"] = wide.mean()
        print(f"\n{figure}\n{wide.round(3).to_string()}")


if __name__ == "__main__":
    main()
