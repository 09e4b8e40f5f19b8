"""Training steps per CPU-second: the flow for windows here and the same structure in PyTorch, on one thread.

Six blocks of ActNorm (over the coordinates of a patch), butterfly (11 levels over 2,048 coordinates, one matrix per block of
a level, rotation × triangle) and affine coupling, whose network reads the conditioning half of a patch of 16 samples and of
its neighbours (a convolution of width 3, then two layers of width 64); normal base; Adam; batches of 64 windows.
Ours is timed as the difference of two fits that differ in epochs only, so that reading, scoring and writing cancel.
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LENGTH, CHANNELS, PATCH, HIDDEN, BLOCKS, BATCH = 1024, 2, 16, 64, 6, 64


def worker(steps):
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(1)
    d, size, count = LENGTH * CHANNELS, PATCH * CHANNELS, LENGTH // PATCH

    class Butterfly(nn.Module):
        def __init__(self):
            super().__init__()
            self.levels = int(math.log2(d))
            self.angle = nn.ParameterList([nn.Parameter(torch.zeros(2**l, 1, 1)) for l in range(self.levels)])
            self.scale = nn.ParameterList([nn.Parameter(torch.zeros(2, 2**l, 1, 1)) for l in range(self.levels)])
            self.shear = nn.ParameterList([nn.Parameter(torch.zeros(2**l, 1, 1)) for l in range(self.levels)])

        def forward(self, x):
            n, ladj = x.shape[-1], 0.0
            for level in range(self.levels):
                blocks = 2**level
                pairs = x.reshape(blocks, 2, d // (2 * blocks), n)
                a, b = pairs[:, 0], pairs[:, 1]
                cos, sin = torch.cos(self.angle[level]), torch.sin(self.angle[level])
                s, t = self.scale[level][0].exp(), self.scale[level][1].exp()
                u = s * a + self.shear[level] * b
                v = t * b
                x = torch.stack([cos * u - sin * v, sin * u + cos * v], 1).reshape(d, n)
                ladj = ladj + self.scale[level].sum() * (d // (2 * blocks))
            return x, ladj

    class Block(nn.Module):
        def __init__(self, second):
            super().__init__()
            self.location = nn.Parameter(torch.zeros(size, 1))
            self.log_scale = nn.Parameter(torch.zeros(size, 1))
            self.butterfly = Butterfly()
            half = size // 2
            self.rows = (slice(half, size), slice(0, half)) if second else (slice(0, half), slice(half, size))
            self.first = nn.Conv1d(half, HIDDEN, 3, padding=1)
            self.second = nn.Conv1d(HIDDEN, HIDDEN, 1)
            self.last = nn.Conv1d(HIDDEN, 2 * half, 1)
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)

        def forward(self, x):
            # (size, count · n), as feature-major rows.
            n = x.shape[-1]
            patches = (x.reshape(size, count * n) - self.location) * self.log_scale.exp()
            ladj = self.log_scale.sum() * count
            x, more = self.butterfly(patches.reshape(d, n))
            ladj = ladj + more
            grid = x.reshape(size, count, n).permute(2, 0, 1)
            given, moved = grid[:, self.rows[0]], grid[:, self.rows[1]]
            h = self.first(given)
            h = h + self.second(nn.functional.silu(h))
            shift, raw = self.last(nn.functional.silu(h)).chunk(2, 1)
            log_scale = 2.0 * torch.tanh(raw / 2.0)
            moved = moved * log_scale.exp() + shift
            parts = [None, None]
            parts[0 if self.rows[0].start == 0 else 1] = given
            parts[1 if self.rows[0].start == 0 else 0] = moved
            x = torch.cat(parts, 1).permute(1, 2, 0).reshape(d, n)
            return x, ladj + log_scale.sum((1, 2))

    blocks = nn.ModuleList([Block(i % 2 == 1) for i in range(BLOCKS)])
    optimiser = torch.optim.Adam(blocks.parameters(), lr=1e-3)
    data = torch.randn(d, BATCH)

    def step():
        x, ladj = data + 0.01 * torch.randn(d, BATCH), 0.0
        for block in blocks:
            x, more = block(x)
            ladj = ladj + more
        loss = -(ladj - 0.5 * (x * x).sum(0)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    for _ in range(3):
        step()
    started = time.process_time()
    for _ in range(steps):
        step()
    seconds = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rate": steps / seconds, "memory": memory}))


def ours(program, bundle, epochs, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = folder / f"model-{epochs}"
    settings = ["batch_size=64", "dropout=0", "patience=1000", "whiten=false", "checkpoint_seconds=1000000",
                "patch=16", "reach=1", "hidden=64"]
    options = [x for s in settings for x in ("--set", s)]
    subprocess.run(
        [program, "fit", bundle, "--model", "butterfly", "--epochs", str(epochs), "--output", output, "--force",
         "--threads", "1", "--quiet", *options],
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    metrics = json.loads((output / "metrics.json").read_text())
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, metrics["peak_memory_bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = lambda *a: subprocess.run([args.program, *map(str, a), "--quiet"], check=True)
        run("synth", "--waveform", "--patients", 6, "--minutes", 30, "--output", folder / "records")
        run("ingest", "waveform-1024", "--input", folder / "records", "--output", folder / "bundle")
        n = json.loads((folder / "bundle" / "manifest.json").read_text())["splits"]["train"]
        rates = {"ours": [], "PyTorch": []}
        for _ in range(args.runs):
            few, many = 2, 6
            (short, _), (long, memory) = (ours(args.program, folder / "bundle", e, folder) for e in (few, many))
            rates["ours"].append((many - few) * math.ceil(n / BATCH) / (long - short))
            env = {**os.environ, "OMP_NUM_THREADS": "1"}
            out = subprocess.run(
                [sys.executable, __file__, "--worker", str(args.steps)], check=True, env=env, capture_output=True
            )
            peer = json.loads(out.stdout)
            rates["PyTorch"].append(peer["rate"])
    a, b = statistics.median(rates["ours"]), statistics.median(rates["PyTorch"])
    print("| | steps per CPU-second | peak MB |\n|---|---|---|")
    print(f"| ours (validation of every epoch included) | {a:.2f} | {memory / 2**20:.0f} |")
    print(f"| PyTorch | {b:.2f} | {peer['memory'] / 2**20:.0f} |")
    print(f"ratio {a / b:.2f}; {n} training windows, batches of {BATCH}, medians of {args.runs} runs")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(int(sys.argv[2]))
    else:
        main()
