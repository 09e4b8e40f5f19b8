"""Commands of cohort-flow on large tables, and peers on the same records; prints one row per command.

A: the hours of the PhysioNet/CinC Challenge 2019 (378,417 rows). B: 200,000 x 40 made up: 36 numbers with gaps, two counts,
two categories. C: twice A. All phases of a command are timed; medians over runs.
"""

import argparse
import json
import pathlib
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

GROUP = {"A": "Patient", "B": None, "C": "Patient"}


def made_up(path, rows=200_000, seed=1):
    """36 dependent numbers of several shapes, a tenth of the cells missing, two counts and two categories."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, 6))
    numbers = factors @ rng.normal(size=(6, 36)) + 0.7 * rng.normal(size=(rows, 36))
    numbers[:, ::3] = np.exp(0.4 * numbers[:, ::3])
    numbers[:, 1::3] = np.round(numbers[:, 1::3], 1)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    table = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(36)])
    table["visits"] = rng.poisson(np.exp(0.3 * factors[:, 0]))
    table["days"] = rng.poisson(np.exp(1 + 0.3 * factors[:, 1]))
    table["ward"] = np.array(["north", "south", "east"])[(factors[:, 2] > 0).astype(int) + (factors[:, 3] > 1)]
    table["kind"] = rng.choice(["planned", "urgent"], size=rows, p=[0.7, 0.3])
    table.to_csv(path, index=False)


def tables(names, shared, folder):
    hours = shared / "physionet2019" / "set_b_first10000.csv.gz"
    for name in names:
        path = folder / f"{name}.csv"
        if name == "B":
            made_up(path)
        else:
            table = pd.read_csv(hours)
            if name == "C":
                again = table.copy()
                again["Patient"] += 1_000_000
                table = pd.concat([table, again])
            table.to_csv(path, index=False)
        yield name, path


def timed(command):
    """Wall seconds, CPU seconds, peak megabytes and output of a command."""
    with tempfile.NamedTemporaryFile("r") as times:
        done = subprocess.run(["/usr/bin/time", "-o", times.name, "-f", "%e %U %S %M", *map(str, command)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{command}: {done.stderr}")
        wall, user, system, peak = map(float, times.read().split())
    return wall, user + system, peak / 1024, done.stderr + done.stdout


def coordinates(bundle):
    """The coordinates that the models see, and the split of each record (0 is training, 3 is test)."""
    with open(bundle / "tensor.safetensors", "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        def read(name, dtype):
            start, end = header[name]["data_offsets"]
            file.seek(8 + size + start)
            return np.frombuffer(file.read(end - start), dtype).reshape(header[name]["shape"])
        return read("values", "<f4").astype(float), read("split", "u1")


def log_density(model, values):
    """Mean log-density of a mixture that cohort-flow fitted, on the same coordinates as the peers'."""
    from scipy.special import logsumexp
    with open(next(model.glob("*.safetensors")), "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        def read(name):
            start, end = header[name]["data_offsets"]
            file.seek(8 + size + start)
            return np.frombuffer(file.read(end - start), "<f8").reshape(header[name]["shape"])
        weights, means, covariances = read("weights"), read("means"), read("covariances")
    terms = []
    for weight, mean, covariance in zip(weights, means, covariances):
        factor = np.linalg.cholesky(covariance)
        white = np.linalg.solve(factor, (values - mean).T)
        log_det = np.log(np.diag(factor)).sum()
        terms.append(np.log(weight) - log_det - 0.5 * (white**2).sum(0) - 0.5 * len(mean) * np.log(2 * np.pi))
    return len(weights), logsumexp(terms, axis=0).mean()


def show(name, what, runs, note=""):
    wall, cpu, peak = (statistics.median(column) for column in list(zip(*runs))[:3])
    print(f"{name:5} {what:34} {wall:9.1f} {cpu:9.1f} {peak:9.0f}   {note}", flush=True)


def likelihood(output):
    found = re.findall(r"test\s+(\S+ ± \S+) nats", output)
    return f"test {found[-1]} nats" if found else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--tables", default="A,B")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="fit,fit-120,fit-60,fit-10,gmm,flag,report,peers")
    options = parser.parse_args()
    only = options.only.split(",")
    print(f"{'table':5} {'command':34} {'wall s':>9} {'CPU s':>9} {'peak MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, path in tables(options.tables.split(","), options.shared / "data", folder):
            bundle, flow, gmm = folder / "bundle", folder / "flow", folder / "gmm"
            run = lambda *args: timed([options.program, *args, "--force"])
            repeat = lambda *args: [run(*args) for _ in range(options.runs)]
            group = ["--set", f"role.{GROUP[name]}=group"] if GROUP[name] else []
            show(name, "ingest", repeat("ingest", "wide-table", "--input", path, "--output", bundle, *group))
            fits = {"fit": [], "fit-120": ["--time-budget", "120s"], "fit-60": ["--time-budget", "60s"],
                    "fit-10": ["--time-budget", "10s"]}
            for what, extra in fits.items():
                if what in only:
                    runs = repeat("fit", bundle, "--output", flow, *extra)
                    show(name, " ".join(["fit", *extra]), runs, likelihood(runs[-1][3]))
            if not flow.exists():
                run("fit", bundle, "--output", flow, "--time-budget", "60s")
            if "gmm" in only:
                runs = repeat("fit", bundle, "--output", gmm, "--model", "gmm")
                show(name, "fit --model gmm", runs, likelihood(runs[-1][3]))
            if "flag" in only:
                runs = repeat("flag", flow, "--input", path, "--output", folder / "flags.csv")
                rows = sum(1 for _ in open(path)) - 1
                show(name, "flag", runs, f"{rows / statistics.median(r[0] for r in runs):,.0f} records/s")
            if "report" in only:
                show(name, "report", repeat("report", bundle, "--model", flow, "--output", folder / "report.html"))
            if "peers" in only:
                peers(name, path, bundle, gmm if "gmm" in only else None)


def peers(name, path, bundle, gmm):
    from pyod.models.ecod import ECOD
    from pyod.models.iforest import IForest
    from sklearn.mixture import GaussianMixture
    values, split = coordinates(bundle)
    train, test = values[split == 0], values[split == 3]
    if gmm:
        components, mean = log_density(gmm, test)
        print(f"{name:5} ours, {components} components: test {mean:.3f} nats (of these coordinates)")
    total = 0.0
    for components in (1, 2, 4, 8):
        begun = time.perf_counter()
        model = GaussianMixture(components, random_state=0).fit(train)
        total += time.perf_counter() - begun
        print(f"{name:5} scikit-learn, k = {components}: {total:.1f} s so far, test {model.score(test):.3f} nats", flush=True)
    numbers = pd.read_csv(path).select_dtypes("number")
    numbers = numbers.fillna(numbers.median()).to_numpy()
    for detector in (ECOD(), IForest(random_state=0)):
        begun = time.perf_counter()
        detector.fit(numbers)
        took = time.perf_counter() - begun
        print(f"{name:5} {type(detector).__name__}: fit and score {took:.1f} s, {len(numbers) / took:,.0f} records/s", flush=True)


if __name__ == "__main__":
    main()
