"""What a model gives away of who was in its training records: two attacks on each family, and one on samples.

    python3 tests/privacy/membership.py [--program target/release/cohort-flow] [--rows 2000] [--seeds 3]

Tables are those of scikit-learn and one that is made up; half of the records are members. `likelihood` is the area under the
ROC curve of the log-likelihood as a sign of membership (Yeom et al. 2018), `ratio` that of its difference to the log-likelihood under a
model of other records (Carlini et al. 2022, with one reference model), `closest` the share of samples that are nearer to a member than to a record that was
not there, as many of both: 0.5 each for a model that gives nothing away. The errors are standard errors over seeds.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from sklearn import datasets
from sklearn.metrics import roc_auc_score

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--program", default="target/release/cohort-flow")
parser.add_argument("--rows", type=int, default=2000)
parser.add_argument("--seeds", type=int, default=3)
args = parser.parse_args()

FAMILIES = {
    "default": [],
    "mixture": ["--model", "gmm"],
    "flow": ["--model", "butterfly", "--ensemble", "1", "--preset", "small"],
}


def run(*words):
    done = subprocess.run([args.program, *map(str, words), "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{words[0]}: {done.stderr.strip()}")


def made_up(rows):
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(rows, 4))
    return pd.DataFrame(factors @ rng.normal(size=(4, 15)) + 0.5 * rng.normal(size=(rows, 15)))


TABLES = {
    "breast-cancer": lambda: datasets.load_breast_cancer(as_frame=True).data,
    "digits": lambda: datasets.load_digits(as_frame=True).data.loc[:, lambda x: x.std() > 1],
    "made up": lambda: made_up(args.rows),
}


def scores(model, path, folder):
    run("score", model, "--input", path, "--output", folder / "scores.csv", "--force")
    return pd.read_csv(folder / "scores.csv")["log_prob"].to_numpy()


def attack(table, options, seed, folder):
    order = np.random.default_rng(seed).permutation(len(table))
    third = len(table) // 3
    parts = {name: table.iloc[order[i * third : (i + 1) * third]] for i, name in enumerate(["in", "out", "other"])}
    for name, rows in parts.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    for name in ("in", "other"):
        run("ingest", "wide-table", "--input", folder / f"{name}.csv", "--output", folder / f"b-{name}", "--force")
        run("fit", folder / f"b-{name}", "--output", folder / f"m-{name}", "--seed", seed + 1, "--force", *options)
    # Members are the records that the density was fitted to, not those held out.
    run("export", folder / "b-in", "--split", "train", "--output", folder / "members.csv", "--force")
    members = pd.read_csv(folder / "members.csv")[list(table.columns)]
    members.to_csv(folder / "members.csv", index=False)
    strangers = parts["out"].head(len(members))
    strangers.to_csv(folder / "strangers.csv", index=False)
    own = [scores(folder / "m-in", folder / f"{name}.csv", folder) for name in ("members", "strangers")]
    other = [scores(folder / "m-other", folder / f"{name}.csv", folder) for name in ("members", "strangers")]
    truth = np.r_[np.ones(len(own[0])), np.zeros(len(own[1]))]
    likelihood = roc_auc_score(truth, np.concatenate(own))
    ratio = roc_auc_score(truth, np.concatenate(own) - np.concatenate(other))
    run("sample", folder / "m-in", "--n", 2000, "--output", folder / "samples.csv", "--force")
    samples = pd.read_csv(folder / "samples.csv")[list(table.columns)]
    # As many of both, so that half of the samples are nearer to a member by chance.
    n = min(len(members), len(strangers))
    scale = members.std().replace(0, 1).to_numpy()
    near = [cKDTree(part.head(n).to_numpy() / scale).query(samples.to_numpy() / scale)[0] for part in (members, strangers)]
    closest = np.mean(near[0] < near[1]) + 0.5 * np.mean(near[0] == near[1])
    return likelihood, ratio, closest


print(f"{'table':14} {'family':8} {'likelihood':>16} {'ratio':>16} {'closest':>16}")
for name, load in TABLES.items():
    table = load().head(args.rows).reset_index(drop=True)
    table.columns = [f"x{j}" for j in range(table.shape[1])]
    for family, options in FAMILIES.items():
        found = []
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                found.append(attack(table, options, seed, Path(folder)))
        means, errors = np.mean(found, 0), np.std(found, 0, ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.zeros(3)
        print(f"{name:14} {family:8} " + " ".join(f"{m:7.3f} ± {e:.3f}  " for m, e in zip(means, errors)), flush=True)
