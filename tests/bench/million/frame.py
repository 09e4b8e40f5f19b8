"""Memory and time of `score_samples` on a large DataFrame, as a Python process has them.

Prints the peak resident memory of this process, imports included, as a multiple of the frame (at most 2 is
the aim), and beside it the time of the program on a Parquet file of the same records. The memory of the
program itself is that of a process of its own, and is not counted.

    COHORT_FLOW_BINARY=target/release/cohort-flow PYTHONPATH=src/python python tests/bench/million/frame.py
"""

import argparse
import pathlib
import resource
import subprocess
import tempfile
import time

import numpy as np
import pandas as pd

import cohort_flow as cf


def resident():
    """The resident memory of this process at this moment, in bytes."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def made_up(rows, columns, layout):
    """Dependent numbers in one block of pandas, whose columns lie side by side or row by row in memory."""
    random = np.random.default_rng(1)
    names = [f"x{at}" for at in range(columns)]
    factors = random.normal(size=(3, rows))
    block = np.empty((columns, rows)) if layout == "columns" else np.empty((rows, columns)).T
    for at in range(columns):
        block[at] = random.normal(size=rows)
        block[at] += factors[at % 3]
    return pd.DataFrame(block.T, columns=names, copy=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--layout", choices=["columns", "rows"], default="columns")
    parser.add_argument("--file", action="store_true", help="time the program on a Parquet file as well")
    options = parser.parse_args()
    imports = resident()
    frame = made_up(options.rows, options.columns, options.layout)
    size = frame.memory_usage(index=False).sum()
    mixture = cf.GaussianMixture(progress=False).fit(frame.iloc[:5000])
    before, highest = resident(), peak()
    begun = time.perf_counter()
    scores = mixture.score_samples(frame)
    seconds = time.perf_counter() - begun
    print(f"imports {imports / 2**20:.0f} MiB, frame {size / 2**20:.0f} MiB, before scoring {before / 2**20:.0f} MiB "
          f"(peak {highest / 2**20:.0f}), peak of all {peak() / 2**20:.0f} MiB = {peak() / size:.2f} x the frame; "
          f"{len(scores):,} records in {seconds:.1f} s", flush=True)
    if options.file:
        with tempfile.TemporaryDirectory() as folder:
            path, model = pathlib.Path(folder) / "records.parquet", pathlib.Path(folder) / "model"
            frame.to_parquet(path)
            mixture.model_.save(model)
            begun = time.perf_counter()
            subprocess.run([cf._binary.binary(), "-q", "score", str(model), "--input", str(path), "--output",
                            str(pathlib.Path(folder) / "scores.csv")], check=True)
            print(f"the program on a Parquet file: {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
