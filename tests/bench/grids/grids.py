"""Bits per dimension of pictures beside PNG, WebP and JPEG XL, and outliers beside PCA, neighbours and an autoencoder.

Every peer sees the same pictures in the same run: for sizes the test split of the bundle, for outliers the training
pictures of one label and the test split as published. Compressed sizes are those of whole files of many pictures, without the
headers of small files: all test pictures side by side in one.
"""

import argparse
import csv
import glob
import gzip
import io
import json
import math
import os
import resource
import subprocess
import sys
import tempfile

import numpy as np


def run(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} failed:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tensors(bundle):
    """The pictures and splits of a bundle."""
    with open(os.path.join(bundle, "tensor.safetensors"), "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    read = lambda name: np.frombuffer(data[slice(*header[name]["data_offsets"])], np.uint8)
    return read("pixels").reshape(header["pixels"]["shape"]), read("split")


def sheet(pictures):
    """Pictures side by side, as square as can be."""
    n, height, width, channels = pictures.shape
    across = math.isqrt(n)
    pictures = pictures[: n // across * across].reshape(-1, across, height, width, channels)
    whole = pictures.transpose(0, 2, 1, 3, 4).reshape(-1, across * width, channels)
    return whole[:, :, 0] if channels == 1 else whole


def compressed(pictures):
    """Bits per number of the test pictures by the lossless formats that Pillow has."""
    from PIL import Image

    whole = sheet(pictures)
    sizes = {}
    options = {"PNG": {"optimize": True}, "WEBP": {"lossless": True, "quality": 100, "method": 6}}
    if "JXL" in Image.registered_extensions().values():
        options["JXL"] = {"lossless": True, "effort": 9}
    for name, option in options.items():
        file = io.BytesIO()
        Image.fromarray(whole).save(file, name, **option)
        sizes[name] = 8 * len(file.getvalue()) / whole.size
    return sizes


def fitted(program, work, name, source, settings, schedule):
    bundle, model = os.path.join(work, name), os.path.join(work, name + "-model")
    words = [word for setting in settings for word in ("--set", setting)]
    run(program, "ingest", "images", "--input", source, "--output", bundle, *words)
    cpu = run(program, "fit", bundle, "--output", model, *schedule)
    with open(os.path.join(model, "metrics.json")) as file:
        metrics = json.load(file)
    bits = metrics["splits"]["test"]["bits_per_dimension"]
    memory = metrics["peak_memory_bytes"] / 2**20
    print(f"{name}: {bits['mean']:.4f} ± {bits['standard_error']:.4f} bits per dimension on the test split, "
          f"{metrics['train_seconds']:.0f} s, {cpu:.0f} CPU-seconds, {metrics['epochs']} epochs, {memory:.0f} MiB", flush=True)
    return bundle, model


def multi_scale(program, work, name, source, fits, options):
    """Bits per dimension of every test picture under flows with convolutions: {label: (model, settings)}."""
    bundle, bits = os.path.join(work, name), {}
    run(program, "ingest", "images", "--input", source, "--output", bundle)
    length = ["--time-budget", f"{options.budget}s"] if options.epochs is None else ["--epochs", options.epochs]
    for label, (kind, settings) in fits.items():
        model, scores = (os.path.join(work, f"{name}-{len(bits)}{end}") for end in ("", ".csv"))
        words = [word for setting in settings + options.set for word in ("--set", setting)]
        cpu = run(program, "fit", bundle, "--output", model, "--model", kind, *length, *words)
        run(program, "score", model, bundle, "--output", scores)
        with open(scores) as file:
            rows = [r for r in csv.DictReader(file) if r["split"] == "test"]
        bits[label] = {r["record_id"]: float(r["bits_per_dimension"]) for r in rows}
        with open(os.path.join(model, "metrics.json")) as file:
            metrics = json.load(file)
        tighter = metrics["splits"]["test"]["bits_per_dimension"]["importance_weighted"]
        draws = metrics.get("score_noise", {}).get("draws", "?")
        print(f"{name}, {label}: {mean_and_error(bits[label].values())} bits per dimension of {len(rows)} test pictures "
              f"({tighter:.4f} by the importance-weighted bound of {draws} draws), {metrics['n_parameters']} parameters, "
              f"{metrics['epochs']} epochs, {cpu:.0f} CPU-seconds, {metrics['peak_memory_bytes'] / 2**20:.0f} MiB", flush=True)
    return bits


def differences(bits, pairs):
    for one, other in pairs:
        both = [bits[one][id] - bits[other][id] for id in bits[one] if id in bits[other]]
        print(f"  {one} less {other}, by the {len(both)} test pictures of both: {mean_and_error(both)}", flush=True)


def rewritten(source, target, pictures=None, side=None, permute=False):
    """Writes the first pictures, shrunk by means over squares of pixels, and with all pixels in one random order."""
    with gzip.open(source) as file:
        head, pixels = file.read(16), np.frombuffer(file.read(), np.uint8)
    n, height, width = (int.from_bytes(head[at : at + 4], "big") for at in (4, 8, 12))
    pixels = pixels.reshape(n, height, width)[:pictures]
    if side:
        if height % side or height != width:
            sys.exit(f"--side must divide {height}, got {side}")
        by = height // side
        pixels = pixels.reshape(len(pixels), side, by, side, by).mean((2, 4)).round().astype(np.uint8)
    n, height, width = pixels.shape
    pixels = pixels.reshape(n, -1)
    if permute:
        pixels = pixels[:, np.random.default_rng(0).permutation(height * width)]
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with gzip.open(target, "wb", compresslevel=1) as file:
        file.write(head[:4] + b"".join(k.to_bytes(4, "big") for k in (n, height, width)) + pixels.tobytes())
    return target


def mean_and_error(values):
    values = np.array(list(values))
    return f"{values.mean():.4f} ± {values.std(ddof=1) / math.sqrt(len(values)):.4f}"


def auroc(scores, positive):
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    n = positive.sum()
    return (ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n))


def outlier_peers(train, test):
    """Scores of the test pictures by models of the training pictures."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors
    from sklearn.neural_network import MLPRegressor

    a, b = (x.reshape(len(x), -1) / 255.0 for x in (train, test))
    for k in (16, 64):
        pca = PCA(k, random_state=0).fit(a)
        yield f"PCA, {k} components, error", ((pca.inverse_transform(pca.transform(b)) - b) ** 2).sum(1)
    for k in (1, 5):
        yield f"{k} nearest neighbours", NearestNeighbors(n_neighbors=k).fit(a).kneighbors(b)[0].mean(1)
    coder = MLPRegressor(hidden_layer_sizes=(256, 32, 256), max_iter=200, early_stopping=True, random_state=0).fit(a, a)
    yield "autoencoder 256-32-256, error", ((coder.predict(b) - b) ** 2).sum(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--budget", type=int, default=1200, help="seconds of each fit")
    parser.add_argument("--epochs", type=int, help="passes of each fit in place of seconds, on a machine that others use")
    parser.add_argument("--pictures", type=int, help="of flows with convolutions: the first so many pictures")
    parser.add_argument("--side", type=int, help="of flows with convolutions: shrink pictures to this side, a divisor of theirs")
    parser.add_argument("--only", default="mnist,cifar,pneumonia,multi-scale")
    parser.add_argument("--set", action="append", default=[], help="of flows with convolutions: a setting of fit")
    options = parser.parse_args()
    chosen, program = options.only.split(","), os.path.abspath(options.program)
    schedule = ["--epochs", str(options.epochs)] if options.epochs else ["--time-budget", f"{options.budget}s"]
    data = lambda *parts: os.path.join(options.data, *parts)
    with tempfile.TemporaryDirectory() as work:

        def digits(name, permute=False):
            source, target = data("mnist", "train-images-idx3-ubyte.gz"), os.path.join(work, name, "train-images-idx3-ubyte.gz")
            return rewritten(source, target, options.pictures, options.side, permute)

        if "mnist" in chosen:
            source = data("mnist", "train-images-idx3-ubyte.gz")
            bundle, _ = fitted(program, work, "mnist", source, [], schedule)
            pixels, split = tensors(bundle)
            print("  " + ", ".join(f"{k} {v:.4f}" for k, v in compressed(pixels[split == 3]).items()), flush=True)
        if "multi-scale" in chosen:
            source = digits("whole")
            fits = {kind: (kind, []) for kind in ("butterfly", "glow-lu", "realnvp")}
            bits = multi_scale(program, work, "multi-scale", source, fits, options)
            differences(bits, (("butterfly", "glow-lu"), ("glow-lu", "realnvp"), ("butterfly", "realnvp")))
        if "permuted" in chosen:
            # What comes before the first scale is all that can undo the order.
            source, target = digits("in-order"), digits("out-of-order", permute=True)
            fits = {f"front {front}": ("realnvp", [f"front={front}"]) for front in ("none", "butterfly", "dense")}
            bits = multi_scale(program, work, "permuted", target, fits, options)
            bits |= multi_scale(program, work, "unpermuted", source, {"as they are": ("realnvp", [])}, options)
            differences(bits, [(label, "as they are") for label in fits])
        if "cifar" in chosen:
            for levels in (256, 32):
                settings = ["row=32x32", f"levels={levels}"]
                source = data("cifar10-3000")
                bundle, _ = fitted(program, work, f"cifar-{levels}", source, settings, schedule)
                pixels, split = tensors(bundle)
                print("  " + ", ".join(f"{k} {v:.4f}" for k, v in compressed(pixels[split == 3]).items()), flush=True)
        if "pneumonia" in chosen:
            source = glob.glob(data("pneumoniamnist", "*.npz"))[0]
            bundle, model = fitted(program, work, "pneumonia", source, ["normal=0"], schedule)
            truth = np.load(source)["test_labels"].ravel() == 1
            for score in ("log-likelihood", "corrected", "typicality", "combined"):
                flags = os.path.join(work, score + ".csv")
                run(program, "flag", model, bundle, "--output", flags, "--score", score)
                with open(flags) as file:
                    rows = [float(r["score"]) for r in csv.DictReader(file) if r["split"] == "test"]
                print(f"  {score}: AUROC {auroc(np.array(rows), truth):.4f}", flush=True)
            pixels, split = tensors(bundle)
            for name, scores in outlier_peers(pixels[split == 0], pixels[split == 3]):
                print(f"  {name}: AUROC {auroc(scores, truth):.4f}", flush=True)


if __name__ == "__main__":
    main()
