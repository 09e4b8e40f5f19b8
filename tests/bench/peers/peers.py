"""Held-out likelihood of public density estimators and of cohort-flow on the same bundle tensor.

    peers.py COHORT_FLOW BUNDLE... [--budget SECONDS] [--seed N] [--models a,b,...] [--csv FILE]

Every model sees `values` and `split` of BUNDLE/tensor.safetensors and nothing else, trains on one thread for at most the
budget, chooses on the validation split and is scored once on the test split. A bundle made with
`--set transform=none --set dequantize=none` and without missing values makes the figures plain log-densities; with noise
the tensor holds one draw of it, while cohort-flow draws anew, so only the first kind is compared to the digit. With --suffix,
cohort-flow works on the same tables ingested with the default transform, and its log-densities are in the units of the tables.

Recipes of the flows: Adam, 1e-3 falling to 0 by a cosine over the budget, batches of 256, gradient norm 5, weights of the best
validation epoch. Each model runs in a process of its own, whose peak memory is reported.
"""

import argparse
import csv
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from classical import CLASSICAL

OURS = {
    # The default: an ensemble of flows and mixtures.
    "ours: butterfly": [],
    "ours: glow-lu": ["--model", "glow-lu"],
    "ours: realnvp": ["--model", "realnvp"],
    "ours: gmm": ["--model", "gmm"],
    "ours: tmix": ["--model", "tmix"],
    "ours: armix": ["--model", "armix"],
}
PEERS = [
    "scikit-learn mixture", *(f"classical {name}" for name in CLASSICAL), "zuko NSF", "zuko MAF", "nflows RQ-NSF + LU",
    "nflows RealNVP",
]


def load(bundle):
    from safetensors.numpy import load_file

    tensors = load_file(Path(bundle) / "tensor.safetensors")
    values, split = tensors["values"], tensors["split"]
    return {name: values[split == code] for name, code in (("train", 0), ("validation", 1), ("test", 3))}


def fit_mixture(data, budget, seed):
    """k, covariance and regularisation by validation, smallest k first, until the budget is spent or k stops helping."""
    from sklearn.mixture import GaussianMixture

    train, validation = (data[s].astype(np.float64) for s in ("train", "validation"))
    started, best, rows = time.perf_counter(), (-math.inf, None), 0
    for k in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48):
        if k * 2 > len(train):
            break
        before = best[0]
        for ridge in (1e-6, 1e-4, 1e-3, 1e-2, 5e-2):
            if time.perf_counter() - started > budget:
                break
            try:
                m = GaussianMixture(k, reg_covar=ridge, max_iter=200, random_state=seed).fit(train)
            except ValueError:
                continue
            rows += m.n_iter_ * len(train)
            score = m.score(validation)
            if score > best[0]:
                best = (score, m)
        if best[0] <= before:
            break
    model = best[1]
    parameters = model.weights_.size + model.means_.size + model.covariances_.size
    return (lambda x: model.score_samples(x.astype(np.float64))), parameters, rows


def fit_classical(name, data, budget, seed):
    """Standardised by the training rows, as the references in classical.py want it."""
    train, validation = (data[s].astype(np.float64) for s in ("train", "validation"))
    centre, scale = train.mean(axis=0), train.std(axis=0)
    scale[scale == 0] = 1
    log_prob, parameters = CLASSICAL[name]((train - centre) / scale, (validation - centre) / scale, budget, seed)
    return (lambda x: log_prob((x.astype(np.float64) - centre) / scale) - np.log(scale).sum()), parameters, math.nan


def build(name, d, seed):
    import torch

    torch.manual_seed(seed)
    if name == "zuko NSF":
        import zuko

        return zuko.flows.NSF(d, 0, bins=8, transforms=4, hidden_features=(128, 128))
    if name == "zuko MAF":
        import zuko

        return zuko.flows.MAF(d, 0, transforms=5, hidden_features=(128, 128))
    from nflows import distributions, flows, transforms
    from nflows.nn.nets import ResidualNet

    spline = name == "nflows RQ-NSF + LU"
    layers = []
    for i in range(6):
        mask = torch.tensor([(i + j) % 2 for j in range(d)]) if d > 1 else torch.tensor([1])
        net = lambda a, b: ResidualNet(a, b, hidden_features=64, num_blocks=2, dropout_probability=0.1)
        layers.append(transforms.RandomPermutation(d))
        if spline:
            layers.append(transforms.LULinear(d, identity_init=True))
            layers.append(
                transforms.PiecewiseRationalQuadraticCouplingTransform(
                    mask, net, num_bins=8, tails="linear", tail_bound=5.0
                )
            )
        else:
            layers.append(transforms.AffineCouplingTransform(mask, net))
    return flows.Flow(transforms.CompositeTransform(layers), distributions.StandardNormal([d]))


def fit_flow(name, data, budget, seed):
    import torch

    torch.set_num_threads(1)
    tensor = {s: torch.from_numpy(np.ascontiguousarray(data[s], np.float32)) for s in data}
    train = tensor["train"]
    model = build(name, train.shape[1], seed)
    log_prob = (lambda x: model().log_prob(x)) if name.startswith("zuko") else model.log_prob
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    def score(x):
        model.eval()
        with torch.no_grad():
            return torch.cat([log_prob(b) for b in x.split(2048)])

    started, best, state, rows, since = time.perf_counter(), -math.inf, None, 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < budget:
        model.train()
        for batch in train[torch.randperm(len(train))].split(256):
            elapsed = time.perf_counter() - started
            if elapsed >= budget:
                break
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * min(elapsed / budget, 1)))
            loss = -log_prob(batch).mean()
            optimiser.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            if torch.isfinite(norm):
                optimiser.step()
            rows += len(batch)
        value = score(tensor["validation"]).mean().item()
        if math.isfinite(value) and value > best:
            best, state, since = value, {k: v.clone() for k, v in model.state_dict().items()}, elapsed
        # A third of the budget without a better value: the rest would only overfit.
        elif elapsed - (since if state else 0) > budget / 3:
            break
    model.load_state_dict(state)
    parameters = sum(p.numel() for p in model.parameters())
    return (lambda x: score(torch.from_numpy(np.ascontiguousarray(x, np.float32))).double().numpy()), parameters, rows


def worker(name, bundle, budget, seed, output):
    data = load(bundle)
    started = time.perf_counter()
    if name == PEERS[0]:
        fit = fit_mixture
    elif name.startswith("classical "):
        fit = lambda *a: fit_classical(name.removeprefix("classical "), *a)
    else:
        fit = lambda *a: fit_flow(name, *a)
    log_prob, parameters, rows = fit(data, budget, seed)
    seconds = time.perf_counter() - started
    np.savez(
        output,
        test=log_prob(data["test"]),
        validation=log_prob(data["validation"]),
        seconds=seconds,
        rows_per_second=rows / seconds,
        parameters=parameters,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def ours(program, arguments, bundle, column, budget, seed, folder):
    model, scores = folder / "model", folder / "scores.csv"
    limit = [] if arguments in (OURS["ours: gmm"], OURS["ours: tmix"]) else ["--time-budget", f"{budget}s"]
    common = ["--threads", "1", "--quiet"]
    subprocess.run(
        [program, "fit", bundle, "--output", model, "--seed", str(seed), *arguments, *limit, *common], check=True
    )
    subprocess.run([program, "score", model, bundle, "--output", scores, *common], check=True)
    metrics = json.loads((model / "metrics.json").read_text())
    columns = {"test": [], "validation": []}
    with scores.open() as file:
        for row in csv.DictReader(file):
            if row["split"] in columns:
                columns[row["split"]].append(float(row[column]))
    return {
        **{split: np.array(values) for split, values in columns.items()},
        "seconds": metrics["train_seconds"],
        "rows_per_second": metrics["rows_per_second"] or math.nan,
        "parameters": metrics["n_parameters"],
        "memory": metrics["peak_memory_bytes"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("bundles", nargs="+")
    parser.add_argument("--budget", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", default="", help="those whose name contains one of these, comma-separated")
    parser.add_argument(
        "--suffix", default="", help="cohort-flow's bundles are BUNDLE+SUFFIX: the same tables with the default transform, no noise"
    )
    parser.add_argument("--csv", help="append one row per model")
    args = parser.parse_args()
    wanted = [w for w in args.models.split(",") if w]
    names = [n for n in [*OURS, *PEERS] if not wanted or any(w in n for w in wanted)]
    for bundle in args.bundles:
        results = {}
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    if name in OURS:
                        # In original units a transform of the columns does not change what is compared.
                        column = "log_prob" if args.suffix else "log_prob_tensor"
                        mine = bundle + args.suffix, column, args.budget, args.seed, Path(folder)
                        results[name] = ours(args.program, OURS[name], *mine)
                    else:
                        out = Path(folder) / "result.npz"
                        job = ["--worker", name, bundle, str(args.budget), str(args.seed), str(out)]
                        one = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
                        subprocess.run([sys.executable, "-W", "ignore", __file__, *job], check=True, env=one)
                        results[name] = dict(np.load(out))
                except subprocess.CalledProcessError as e:
                    print(f"{name}: failed with status {e.returncode}", file=sys.stderr)
        show(Path(bundle), results, args)


def show(bundle, results, args):
    counts = {s: len(x) for s, x in load(bundle).items()}
    d = load(bundle)["train"].shape[1]
    print(f"\n## {bundle.name}: {counts['train']} × {d}, test {counts['test']}, budget {args.budget:g} s, seed {args.seed}\n")
    print("| model | validation | test | paired: ours − model | seconds | rows/s | parameters | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    reference = results.get("ours: butterfly")
    error = lambda x: x.std(ddof=1) / math.sqrt(len(x)) if len(x) > 1 else math.nan
    for name, r in results.items():
        difference = ""
        if reference is not None and r is not reference:
            gap = reference["test"] - r["test"]
            difference = f"{gap.mean():+.3f} ± {error(gap):.3f}"
        print(
            f"| {name} | {r['validation'].mean():.3f} | {r['test'].mean():.3f} ± {error(r['test']):.3f} | {difference} "
            f"| {float(r['seconds']):.1f} | {float(r['rows_per_second']):.0f} | {int(r['parameters'])} | {float(r['memory']) / 2**20:.0f} |",
            flush=True,
        )
        if args.csv:
            with open(args.csv, "a", newline="") as file:
                csv.writer(file).writerow(
                    [bundle.name, counts["train"], d, args.seed, name, r["validation"].mean(), r["test"].mean(),
                     error(r["test"]), float(r["seconds"]), float(r["memory"])]
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        name, bundle, budget, seed, output = sys.argv[2:]
        worker(name, bundle, float(budget), int(seed), output)
    else:
        main()
