"""Numbers of the program recomputed with other people's code.

quantity              of the program                              recomputed by
mixture               `score` under a Gaussian mixture            scipy.stats.multivariate_normal on standardised columns
p-value               `flag`, against the calibration scores      numpy ranks
q-value               `flag --fdr`                                scipy.stats.false_discovery_control
AUROC, precision      `evaluate`                                  scikit-learn
mean, deviation       `ingest`, of the training records          pandas
KS                    `compare`                                   scipy.stats.ks_2samp
samples of signals    `ingest` of WFDB records                    wfdb-python

Differences are relative to max(1, |value|). Sets that are not there are named and counted; nothing else is left out.
"""

import argparse
import io
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import logsumexp
from sklearn import datasets, metrics

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--program", default=str(ROOT / "target" / "release" / "cohort-flow"))
parser.add_argument("--short", action="store_true", help="three sets of scikit-learn, and signals where they are there")
args = parser.parse_args()


def run(*words):
    done = subprocess.run([args.program, *map(str, words), "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout


# ---- sets -----------------------------------------------------------------------------------------------------------


def of_sklearn(load):
    return lambda: load(as_frame=True).data


def numbers(path, rows=4000):
    """The numeric columns of a table that have some spread and few gaps, with the rows that are complete in them."""

    def read():
        table = pd.read_csv(path, low_memory=False).select_dtypes("number")
        table = table.loc[:, (table.isna().mean() < 0.2) & (table.nunique() > 30)]
        return table.dropna().head(rows)

    return read


def diabetes130():
    with zipfile.ZipFile(DATA / "tables" / "diabetes130" / "dataset_diabetes.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("diabetic_data.csv"))
        table = pd.read_csv(io.BytesIO(archive.read(name)))
    columns = ["time_in_hospital", "num_lab_procedures", "num_medications", "number_diagnoses"]
    return table[columns].head(6000)


SETS = {
    "breast-cancer": of_sklearn(datasets.load_breast_cancer),
    "diabetes": of_sklearn(datasets.load_diabetes),
    "wine": of_sklearn(datasets.load_wine),
}
LONG = {
    "iris": of_sklearn(datasets.load_iris),
    "diabetes130": diabetes130,
    "mimic2-iac": numbers(DATA / "tables" / "mimic2-iac" / "full_cohort_data_lf.csv"),
    "nhanes": numbers(DATA / "tables" / "nhanes-2009-2012" / "NHANES.csv.gz"),
    "framingham": numbers(DATA / "tables" / "survset" / "Framingham.csv.gz"),
    "flchain": numbers(DATA / "tables" / "survset" / "flchain.csv.gz"),
    "support2": numbers(DATA / "tables" / "survset" / "support2.csv.gz"),
}

# ---- comparison -----------------------------------------------------------------------------------------------------

worst = {}


def compare(name, quantity, got, wanted, allowed):
    got, wanted = np.asarray(got, float), np.asarray(wanted, float)
    if got.shape != wanted.shape or got.size == 0:
        raise SystemExit(f"{name}: {quantity}: {got.shape} values of the program, {wanted.shape} recomputed")
    with np.errstate(invalid="ignore"):
        difference = np.where(got == wanted, 0.0, np.abs(got - wanted) / np.maximum(1, np.abs(wanted)))
    worst[name, quantity] = float(np.max(difference)), allowed, got.size


def tensors(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    types = {"F64": np.float64, "F32": np.float32, "I64": np.int64}
    out = {}
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = about["data_offsets"]
            out[name] = np.frombuffer(content[8 + length :][begin:end], types[about["dtype"]]).reshape(about["shape"])
    return out


def log_density(mixture, values):
    parts = zip(mixture["weights"], mixture["means"], mixture["covariances"])
    logs = [np.log(w) + stats.multivariate_normal(m, c, allow_singular=False).logpdf(values) for w, m, c in parts]
    return logsumexp(np.atleast_2d(np.array(logs).T).reshape(len(values), -1), axis=1)


def table_of(name, table, folder):
    table = table.reset_index(drop=True)
    table.columns = [f"x{j}" for j in range(table.shape[1])]
    table.to_csv(folder / "table.csv", index=False)
    roles = [word for column in table.columns for word in ("--set", f"role.{column}=continuous")]
    settings = ["--set", "transform=standardize", "--set", "dequantize=false", *roles]
    run("ingest", "wide-table", "--input", folder / "table.csv", "--output", folder / "bundle", *settings)
    run("fit", folder / "bundle", "--model", "gmm", "--output", folder / "model")
    return table


def mixture(name, table, folder):
    run("score", folder / "model", folder / "bundle", "--output", folder / "scores.csv")
    scores = pd.read_csv(folder / "scores.csv")
    manifest = json.loads((folder / "bundle" / "manifest.json").read_text())
    train = table.loc[scores["split"] == "train"]
    names = [column["meta"]["name"] for column in manifest["encoder"]["columns"]]
    values = table[names].to_numpy(float)
    mean, sd = train[names].mean().to_numpy(), train[names].std(ddof=0).to_numpy()
    # The divisor of a variance is n − 1 or n: the encoder says which, and has to be one of the two.
    fitted = [column["transform"] for column in manifest["encoder"]["columns"]]
    scale = np.array([transform["scale"] for transform in fitted])
    nearest = np.where(np.abs(scale - sd) < np.abs(scale - train[names].std().to_numpy()), sd, train[names].std())
    shift = np.array([transform["shift"] for transform in fitted])
    compare(name, "mean, deviation", np.r_[shift, scale], np.r_[mean, nearest], 1e-9)
    density = log_density(tensors(folder / "model" / "model.safetensors"), (values - shift) / scale)
    compare(name, "mixture", scores["log_prob"], density - np.log(scale).sum(), 1e-8)


def flags(name, folder):
    model, bundle = folder / "model", folder / "bundle"
    run("flag", model, bundle, "--fdr", "0.2", "--explain", "0", "--output", folder / "flags.parquet")
    told = pd.read_parquet(folder / "flags.parquet")
    calibration = np.sort(json.loads((model / "model.json").read_text())["calibration"])
    larger = len(calibration) - np.searchsorted(calibration, told["score"], "left")
    p = (1 + larger) / (len(calibration) + 1)
    compare(name, "p-value", told["p_value"], p, 1e-12)
    q = stats.false_discovery_control(p, method="bh")
    compare(name, "q-value", told["q_value"], q, 1e-12)
    if (told["flagged"] != (q <= 0.2)).any():
        raise SystemExit(f"{name}: flags are not those of Benjamini and Hochberg")
    # Any labels do: those of every eleventh record or so.
    label = (np.arange(len(told)) * 7919 % 11 == 0).astype(int)
    pd.DataFrame({"record_id": told["record_id"], "label": label}).to_csv(folder / "labels.csv", index=False)
    said = json.loads(run("evaluate", folder / "flags.parquet", "--labels", folder / "labels.csv", "--json"))
    compare(name, "AUROC", [said["auroc"]], [metrics.roc_auc_score(label, told["score"])], 1e-12)
    wanted = metrics.average_precision_score(label, told["score"])
    compare(name, "average precision", [said["average_precision"]], [wanted], 1e-12)


def drift(name, table, folder):
    half = len(table) // 2
    for part, rows in (("a", table.iloc[:half]), ("b", table.iloc[half:])):
        rows.to_csv(folder / f"{part}.csv", index=False)
        run("ingest", "wide-table", "--input", folder / f"{part}.csv", "--output", folder / part)
    said = json.loads(run("compare", folder / "a", folder / "b", "--json"))["drift"]["features"]
    told = {feature["label"]: feature for feature in said if feature["ks"] is not None}
    names = [column for column in table.columns if column in told]
    wanted = [stats.ks_2samp(table[c].iloc[:half], table[c].iloc[half:]).statistic for c in names]
    compare(name, "KS", [told[c]["ks"] for c in names], wanted, 1e-12)


def signals():
    import wfdb

    headers = sorted((DATA / "waveforms").rglob("03700181*.hea"))
    if not headers:
        return False
    # Signals of several samples a frame keep all of them.
    record = wfdb.rdrecord(str(headers[0].with_suffix("")), physical=True, smooth_frames=False)
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "bundle"
        channel = record.sig_name[0]
        settings = ["--set", "window=250", "--set", f"channels={channel}", "--set", "normalise=none"]
        run("ingest", "waveform-1024", "--input", headers[0].parent, "--output", out, *settings)
        npz = Path(name) / "windows.npz"
        run("export", out, "--output", npz)
        raw = np.load(npz)["raw"]
    # Each window is one of those of the record, sample by sample.
    signal = record.e_p_signal[0]
    starts = signal[: len(signal) - raw.shape[1] + 1]
    found = []
    for row in raw[:200]:
        # Amplitudes are kept in single precision.
        candidates = np.flatnonzero(np.abs(starts - row[0]) <= 1e-6 * max(1, abs(row[0])))
        gaps = [np.max(np.abs(signal[at : at + len(row)] - row)) for at in candidates]
        found.append(min(gaps, default=np.inf))
    compare("03700181", "samples of signals", found, np.zeros(len(found)), 1e-5)
    return True


missing = []
for name, load in (SETS if args.short else {**SETS, **LONG}).items():
    try:
        table = load()
    except FileNotFoundError as error:
        missing.append(f"{name} ({error.filename})")
        continue
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        table = table_of(name, table, folder)
        mixture(name, table, folder)
        flags(name, folder)
        drift(name, table, folder)
if not signals():
    missing.append("signals")

print(f"{'set':16} {'quantity':20} {'values':>7} {'largest difference':>19} {'allowed':>8}")
for (name, quantity), (difference, allowed, n) in worst.items():
    mark = "" if difference <= allowed else "  TOO LARGE"
    print(f"{name:16} {quantity:20} {n:7} {difference:19.1e} {allowed:8.0e}{mark}")
if missing:
    print(f"not there, {len(missing)}: " + ", ".join(missing))
sys.exit(any(difference > allowed for difference, allowed, _ in worst.values()))
