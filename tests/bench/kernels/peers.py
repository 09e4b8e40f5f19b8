"""The same computations in PyTorch and nflows, and the ratios to the medians `cargo bench --bench flow` left behind.

Called by run.sh. Batch 256, f32, one thread; every figure is a median.
"""

import json
import pathlib
import statistics
import sys
import time

import torch

torch.set_num_threads(1)
BATCH = 256


def median_ms(step, seconds=2.0):
    """Median of repeated runs, after one to warm up."""
    step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def butterfly_rows(d):
    """Feature-major (d, batch), one matrix per pair, elementwise: contiguous and without copies of the weights."""
    levels = d.bit_length() - 1
    weights = [(torch.eye(2).reshape(4, 1, 1, 1).repeat(1, 2**l, d >> (l + 1), 1) + 0.05 * torch.randn(4, 2**l, d >> (l + 1), 1)).requires_grad_() for l in range(levels)]
    x = torch.randn(d, BATCH, requires_grad=True)

    def step():
        z, ladj = x, 0.0
        for l, (a, b, c, e) in enumerate(weights):
            v = z.view(2**l, 2, d >> (l + 1), BATCH)
            u, w = v[:, 0], v[:, 1]
            z = torch.stack((torch.addcmul(a * u, b, w), torch.addcmul(c * u, e, w)), 1)
            ladj = ladj + (a * e - b * c).abs().log().sum()
        z = z.view(d, BATCH)
        (-0.5 * (z * z).sum() + BATCH * ladj).backward()
        with torch.no_grad():
            y = z.detach()
            for l, (a, b, c, e) in reversed(list(enumerate(weights))):
                r = 1.0 / (a * e - b * c)
                v = y.view(2**l, 2, d >> (l + 1), BATCH)
                u, w = v[:, 0], v[:, 1]
                y = torch.stack(((e * r) * u - (b * r) * w, (a * r) * w - (c * r) * u), 1)
        for w in weights:
            w.grad = None
        x.grad = None

    return step


def butterfly_matmul(d):
    """Batched 2×2 products: one bmm per level."""
    levels = d.bit_length() - 1
    weights = [(torch.eye(2).repeat(2**l, d >> (l + 1), 1, 1) + 0.05 * torch.randn(2**l, d >> (l + 1), 2, 2)).requires_grad_() for l in range(levels)]
    x = torch.randn(d, BATCH, requires_grad=True)

    def step():
        z, ladj = x, 0.0
        for l, w in enumerate(weights):
            z = torch.matmul(w, z.view(2**l, 2, d >> (l + 1), BATCH).transpose(1, 2)).transpose(1, 2)
            ladj = ladj + (w[..., 0, 0] * w[..., 1, 1] - w[..., 0, 1] * w[..., 1, 0]).abs().log().sum()
            z = z.reshape(d, BATCH)
        (-0.5 * (z * z).sum() + BATCH * ladj).backward()
        with torch.no_grad():
            y = z.detach()
            for l, w in reversed(list(enumerate(weights))):
                y = torch.matmul(torch.linalg.inv(w), y.view(2**l, 2, d >> (l + 1), BATCH).transpose(1, 2)).transpose(1, 2).reshape(d, BATCH)
        for w in weights:
            w.grad = None
        x.grad = None

    return step


def dense_lu(d):
    lower = (0.05 * torch.randn(d, d) / d**0.5).requires_grad_()
    upper = (0.05 * torch.randn(d, d) / d**0.5).requires_grad_()
    log_diagonal = (0.05 * torch.randn(d)).requires_grad_()
    x = torch.randn(d, BATCH, requires_grad=True)
    eye = torch.eye(d)

    def step():
        l = torch.tril(lower, -1) + eye
        u = torch.triu(upper, 1) + torch.diag(log_diagonal.exp())
        z = l @ (u @ x)
        (-0.5 * (z * z).sum() + BATCH * log_diagonal.sum()).backward()
        with torch.no_grad():
            y = torch.linalg.solve_triangular(l, z, upper=False, unitriangular=True)
            torch.linalg.solve_triangular(u, y, upper=True)
        lower.grad = upper.grad = log_diagonal.grad = x.grad = None

    return step


def dense_slogdet(d):
    weight = (torch.eye(d) + 0.05 * torch.randn(d, d) / d**0.5).requires_grad_()
    x = torch.randn(d, BATCH, requires_grad=True)

    def step():
        z = weight @ x
        (-0.5 * (z * z).sum() + BATCH * torch.linalg.slogdet(weight)[1]).backward()
        with torch.no_grad():
            torch.linalg.solve(weight, z)
        weight.grad = x.grad = None

    return step


def nsf_lu(d=10):
    """RQ-NSF (coupling) with LU layers: five blocks, hidden 64, two residual blocks, eight bins."""
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.nn.nets import ResidualNet
    from nflows.transforms.base import CompositeTransform
    from nflows.transforms.coupling import PiecewiseRationalQuadraticCouplingTransform
    from nflows.transforms.lu import LULinear
    from nflows.utils.torchutils import create_alternating_binary_mask

    def net(inputs, outputs):
        return ResidualNet(inputs, outputs, hidden_features=64, num_blocks=2)

    layers = []
    for block in range(5):
        layers.append(LULinear(d, identity_init=True))
        mask = create_alternating_binary_mask(d, even=block % 2 == 0)
        layers.append(PiecewiseRationalQuadraticCouplingTransform(mask, net, num_bins=8, tails="linear", tail_bound=5.0))
    flow = Flow(CompositeTransform(layers), StandardNormal([d]))
    x = torch.rand(BATCH, d) * 3.4 - 1.7

    def train():
        flow.zero_grad(set_to_none=True)
        (-flow.log_prob(x).mean()).backward()

    def score():
        with torch.no_grad():
            flow.log_prob(x)

    return sum(p.numel() for p in flow.parameters()), train, score


def ours(folder):
    """Medians in ms by full id."""
    found = {}
    for file in pathlib.Path(folder).rglob("new/benchmark.json"):
        estimates = json.loads((file.parent / "estimates.json").read_text())
        found[json.loads(file.read_text())["full_id"]] = estimates["median"]["point_estimate"] / 1e6
    return found


def main():
    medians = ours(sys.argv[1])
    print(f"torch {torch.__version__}, one thread, batch {BATCH}, f32, medians in ms; forward, log-determinant, gradients and inverse")
    print("| D | butterfly here | tuned PyTorch butterfly | ratio | best dense PyTorch layer | ratio | here / (D log2 D), ns |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for d in (64, 256, 1024, 4096, 16384):
        here = medians[f"butterfly/step/radix2-raw/d={d}/n={BATCH}"]
        torch_butterfly = min(median_ms(butterfly_rows(d)), median_ms(butterfly_matmul(d))) if d < 16384 else None
        dense = min(median_ms(dense_lu(d)), median_ms(dense_slogdet(d))) if d <= 4096 else None
        growth = 1e6 * here / (d * (d.bit_length() - 1))
        show = lambda v: "–" if v is None else f"{v:.2f}"
        ratio = lambda v: "–" if v is None else f"{v / here:.1f} ×"
        print(f"| {d} | {here:.3f} | {show(torch_butterfly)} | {ratio(torch_butterfly)} | {show(dense)} | {ratio(dense)} | {growth:.1f} |", flush=True)
    n, train, score = nsf_lu()
    name = next(k for k in medians if k.startswith("flow/log_prob/glow-lu-spline"))
    gradient = next(k for k in medians if k.startswith("flow/gradient/glow-lu-spline"))
    rate = lambda ms: 1e3 * BATCH / ms
    print(f"\nRQ-NSF with LU layers, d = 10: nflows {n} parameters, here {name.split('parameters=')[1].split('/')[0]}; rows per second on one thread")
    print("| | here | nflows | ratio |")
    print("| --- | --- | --- | --- |")
    for label, key, step in (("density and gradient", gradient, train), ("density", name, score)):
        peer = median_ms(step)
        print(f"| {label} | {rate(medians[key]):.0f} | {rate(peer):.0f} | {peer / medians[key]:.1f} × |")


main()
