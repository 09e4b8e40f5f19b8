"""Training speed of the causal flow's network in PyTorch, in pictures per CPU-second on one thread.

PyTorch gets what the network sees of every pixel for nothing: random inputs of the right number. It computes the network,
the mixture of discretised logistics with the first and the last level apart, the gradient, and Adam's step, for every pixel of
a picture. `--share` counts only that share of the pixels, for what skipping flat pixels would save in PyTorch as well.
"""

import argparse
import time

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x):
        return x + nn.functional.silu(self.layer(x))


def log_prob(out, y, guess, components, levels):
    logits, rest = out.split([components + 3, 2 * components], 1)
    mean, log_scale = rest.chunk(2, 1)
    half = 1 / (levels - 1)
    inverse = torch.exp(-log_scale.clamp(-7.8, 0.7))
    middle = (y - guess)[:, None] - mean
    above, below = torch.sigmoid((middle + half) * inverse), torch.sigmoid((middle - half) * inverse)
    first, last = (y < half - 1)[:, None], (y > 1 - half)[:, None]
    logistic = torch.where(first, above, torch.where(last, 1 - below, above - below))
    fixed = torch.stack([first[:, 0].float(), last[:, 0].float(), torch.full_like(y, 1 / levels)], 1)
    return ((torch.softmax(logits, 1) * torch.cat([logistic, fixed], 1)).sum(1) + 1e-5 / levels).log()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, required=True, help="numbers that go into the network")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--components", type=int, default=10)
    parser.add_argument("--pixels", type=int, default=784)
    parser.add_argument("--pictures", type=int, default=21, help="of a step")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    width, outputs = options.hidden, 3 * options.components + 3
    hidden = [Residual(width) for _ in range(options.layers - 1)]
    network = nn.Sequential(nn.Linear(options.inputs, width), nn.SiLU(), *hidden, nn.Linear(width, outputs))
    adam = torch.optim.AdamW(network.parameters(), 1e-3)
    n = round(options.pixels * options.pictures * options.share)
    x, guess = torch.randn(n, options.inputs), torch.zeros(n)
    y = 2 * torch.randint(0, 256, (n,)) / 255 - 1

    def step():
        adam.zero_grad()
        (-log_prob(network(x), y, guess, options.components, 256).mean()).backward()
        adam.step()

    for _ in range(3):
        step()
    begun, steps = time.process_time(), 0
    while time.process_time() - begun < options.seconds:
        step()
        steps += 1
    speed = steps * options.pictures / (time.process_time() - begun)
    parameters = sum(p.numel() for p in network.parameters())
    print(f"PyTorch {torch.__version__}: {parameters} parameters, {speed:.0f} pictures per CPU-second")


if __name__ == "__main__":
    main()
