#!/usr/bin/env python3
"""Real bedside records with PLETH and ABP, split by record: nats per sample of held-out records, by the models for windows
and by a small WaveNet in PyTorch; and whether an alarm that the model finds surprising is a false one.

    tests/bench/window/run.sh --records FOLDER [--budget 120] [--window 256] [--seeds 1,2,3] [--threads 1]

FOLDER holds the training set of the PhysioNet/CinC Challenge 2015, or records like it: an alarm at 5:00, and its verdict in the
last comment of the header. Every seed divides the records anew. All models have the same training windows, the same budget of
seconds and threads, choose on the validation records and are scored once on the test records. Errors are those of the mean over
records, since windows of a record are alike. The WaveNet gives the probability of a step of the converter by a mixture of
logistics (Salimans et al. 2017), divided by the width of the step, so that its figure is a density like the others.

Surprise of an alarm: the mean of minus the log-density per sample over the ten seconds up to the alarm, less that of the same
record before it; the area under the ROC curve is of false alarms against true ones, over records while they are test records.
"""

import argparse
import csv
import json
import math
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

ALARM, BEFORE = 300.0, 10.0
OURS = ["var", "causal", "butterfly"]


class WaveNet(nn.Module):
    """Dilated causal convolutions over time; each channel is given the past of all and the earlier channels of its moment."""

    def __init__(self, channels, width=48, layers=8, parts=6):
        super().__init__()
        self.channels, self.parts = channels, parts
        self.first = nn.Conv1d(channels, width, 1)
        self.dilated = nn.ModuleList(nn.Conv1d(width, 2 * width, 2, dilation=2**i) for i in range(layers))
        self.mix = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(layers))
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width + c, width, 1), nn.ReLU(), nn.Conv1d(width, 3 * parts, 1)) for c in range(channels)
        )

    def log_prob(self, x, half):
        """Of windows (n, time, channels) on a lattice of steps 2 · half: the log-density per window."""
        x = x.transpose(1, 2)
        h = self.first(nn.functional.pad(x, (1, 0))[..., :-1])
        skip = 0
        for dilated, mix in zip(self.dilated, self.mix):
            filtered, gate = dilated(nn.functional.pad(h, (dilated.dilation[0], 0))).chunk(2, 1)
            out = mix(torch.tanh(filtered) * torch.sigmoid(gate))
            h, skip = h + out, skip + out
        total = 0
        for c, head in enumerate(self.heads):
            weights, means, scales = head(torch.cat([torch.relu(skip), x[:, :c]], 1)).chunk(3, 1)
            # The mean is a correction of the last sample.
            last = nn.functional.pad(x[:, c : c + 1], (1, 0))[..., :-1]
            z, inverse = x[:, c : c + 1] - last - means, torch.exp(-scales.clamp(-12, 4))
            upper, lower = (z + half[c]) * inverse, (z - half[c]) * inverse
            step = torch.sigmoid(upper) - torch.sigmoid(lower)
            middle = nn.functional.logsigmoid(z * inverse) + nn.functional.logsigmoid(-z * inverse) + torch.log(2 * half[c] * inverse)
            log_step = torch.where(step > 1e-6, torch.log(step.clamp_min(1e-12)), middle)
            log_prob = torch.logsumexp(torch.log_softmax(weights, 1) + log_step, 1) - torch.log(2 * half[c])
            total = total + log_prob.sum(1)
        return total


def wavenet(raw, split, half, budget, seed):
    torch.manual_seed(seed)
    train, validation = (torch.tensor(raw[split == code], dtype=torch.float32) for code in (0, 1))
    model = WaveNet(raw.shape[2])
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    started, best, epochs = time.perf_counter(), (-math.inf, None), 0

    def score(x):
        with torch.no_grad():
            return torch.cat([model.log_prob(part, half) for part in x.split(64)])

    while (spent := time.perf_counter() - started) < budget:
        for rows in torch.randperm(len(train)).split(32):
            rate = 0.5e-3 * (1 + math.cos(math.pi * min((time.perf_counter() - started) / budget, 1)))
            optimiser.param_groups[0]["lr"] = rate
            optimiser.zero_grad()
            (-model.log_prob(train[rows], half).mean() / train[0].numel()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5)
            optimiser.step()
            if time.perf_counter() - started > budget:
                break
        epochs += 1
        value = score(validation).mean().item()
        if value > best[0]:
            best = value, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(best[1])
    seconds = time.perf_counter() - started
    return score(torch.tensor(raw, dtype=torch.float32)).double().numpy(), seconds


def read(bundle):
    from safetensors.numpy import load_file

    tensors = load_file(bundle / "tensor.safetensors")
    about = json.loads((bundle / "waveform.json").read_text())
    n = len(about["channels"])
    offsets, text = tensors["record_id_offsets"], tensors["record_id_bytes"].tobytes()
    ids = [text[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:])]
    raw = tensors["raw"].reshape(len(ids), -1, n)
    return ids, raw, tensors["split"], [c["resolution"] for c in about["channels"]], about["frequency"]


def verdicts(folder):
    """True for a false alarm, by record."""
    found = {}
    for header in sorted(folder.glob("*.hea")):
        last = re.findall(r"^#\s*(True|False) alarm", header.read_text(), re.M)
        if last:
            found[header.stem] = last[-1] == "False"
    return found


def surprise(ids, values, frequency, samples, test):
    """Per test record: what the seconds before the alarm surprise more than the minutes before them."""
    near, far = {}, {}
    for i in test:
        record, _, start = ids[i].rpartition("@")
        begin = int(start) / frequency
        end = begin + samples / frequency
        where = near if ALARM - BEFORE <= begin and end <= ALARM + 1 else far if end <= ALARM - BEFORE else None
        if where is not None:
            where.setdefault(record, []).append(-values[i])
    return {r: np.mean(near[r]) - np.mean(far[r]) for r in near if r in far}


def area(scores, positive):
    pairs = [(a > b) + 0.5 * (a == b) for a, p in zip(scores, positive) if p for b, q in zip(scores, positive) if not q]
    return np.mean(pairs) if pairs else math.nan


def by_record(ids, values, rows):
    records = {}
    for i in rows:
        records.setdefault(ids[i].rpartition("@")[0], []).append(values[i])
    means = np.array([np.mean(v) for v in records.values()])
    return means.mean(), means.std(ddof=1) / math.sqrt(len(means)), means


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=120)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="further settings of ingest")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    # So small numbers are slow, and nothing else.
    torch.set_flush_denormal(True)
    false_alarm, alarms = verdicts(args.records), {}
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            run = lambda *words: subprocess.run([args.program, *map(str, words), "--quiet"], check=True)
            chosen = ["split_by=record", "normalise=channel", f"window={args.window}", f"seed={seed}", *args.set]
            run("ingest", "waveform-1024", "--input", args.records, "--output", folder / "bundle", *(w for s in chosen for w in ("--set", s)))
            ids, raw, split, resolution, frequency = read(folder / "bundle")
            test, size = np.flatnonzero(split == 3), raw[0].size
            n = lambda code: len({ids[i].rpartition("@")[0] for i in np.flatnonzero(split == code)})
            print(f"\n## seed {seed}: {n(0)} records and {(split == 0).sum()} windows for training, {n(1)} validation, {n(3)} test\n", flush=True)
            print("| model | nats per sample, test records | paired: causal − model | seconds |\n|---|---|---|---|", flush=True)
            results = {}
            for model in OURS:
                at, scores = folder / model, folder / f"{model}.csv"
                started = time.perf_counter()
                # The autoregression chooses its settings by itself, and ends when it has.
                within = [] if model == "var" else ["--time-budget", f"{args.budget:g}s"]
                run("fit", folder / "bundle", "--model", model, "--seed", seed, "--threads", args.threads, "--output", at, *within)
                seconds = time.perf_counter() - started
                run("score", at, folder / "bundle", "--output", scores, "--threads", args.threads)
                with scores.open() as file:
                    values = {row["record_id"]: float(row["log_prob"]) / size for row in csv.DictReader(file)}
                results[model] = np.array([values[i] for i in ids]), seconds
            half = torch.tensor([r / 2 for r in resolution])
            values, seconds = wavenet(raw, split, half, args.budget, seed)
            results["WaveNet (PyTorch)"] = values / size, seconds
            causal = by_record(ids, results["causal"][0], test)[2]
            for model, (values, seconds) in results.items():
                mean, error, means = by_record(ids, values, test)
                gap = causal - means
                paired = "" if model == "causal" else f"{gap.mean():+.4f} ± {gap.std(ddof=1) / math.sqrt(len(gap)):.4f}"
                print(f"| {model} | {mean:.4f} ± {error:.4f} | {paired} | {seconds:.0f} |", flush=True)
                for record, value in surprise(ids, values, frequency, args.window, test).items():
                    alarms.setdefault(model, {}).setdefault(record, []).append(value)
    print("\n| model | records with an alarm, false | AUROC of false alarms by surprise |\n|---|---|---|")
    for model, found in alarms.items():
        records = [r for r in found if r in false_alarm]
        flags = [false_alarm[r] for r in records]
        print(f"| {model} | {len(records)}, {sum(flags)} | {area([np.mean(found[r]) for r in records], flags):.2f} |")


if __name__ == "__main__":
    main()
