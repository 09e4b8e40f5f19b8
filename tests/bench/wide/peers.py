"""What `ingest wide-table` does to a table of numbers, by the libraries a user would take for it.

    python peers.py polars|pandas TABLE.csv OUTPUT.npy GROUP
    python peers.py make TABLE.csv[.gz] OUTPUT.csv COPIES GROUP [ROWS]

The table is read; every column but the one of patients is mapped through its quantiles to normal scores, of a column with
missing cells an indicator is added, and a matrix of float32 is written. The program does more in the same run: it infers
roles, fits on the training patients alone, adds noise of the resolution, keeps the original values and writes an audit.
"""
import sys

import numpy as np
from scipy.special import ndtri

QUANTILES = 1000


def encode(columns, n):
    """Normal scores of every column and indicators of missing cells, one row per record."""
    scores, indicators = [], []
    levels = np.linspace(0.0, 1.0, QUANTILES)
    normal = ndtri(np.clip(levels, 1e-4, 1 - 1e-4))
    for values in columns:
        missing = np.isnan(values)
        observed = values[~missing]
        out = np.zeros(n, dtype=np.float32)
        if observed.size:
            knots = np.quantile(observed, levels)
            # The mean of both directions, so that ties come to the middle of their ranks, as scikit-learn does.
            up = np.interp(observed, knots, normal)
            down = -np.interp(-observed, -knots[::-1], -normal[::-1])
            out[~missing] = 0.5 * (up + down)
        scores.append(out)
        if 0.01 <= missing.mean() <= 0.99:
            indicators.append(missing.astype(np.float32))
    return np.column_stack(scores + indicators)


def with_polars(path, group):
    import polars as pl

    table = pl.read_csv(path, infer_schema_length=None)
    columns = (table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in table.columns if name != group)
    return encode(columns, table.height)


def with_pandas(path, group):
    import pandas as pd

    table = pd.read_csv(path)
    columns = (table[name].to_numpy(dtype=float) for name in table.columns if name != group)
    return encode(columns, len(table))


def make(source, target, copies, group, rows):
    """The first rows of a table, several times with patients of their own."""
    import gzip

    opener = gzip.open if source.endswith(".gz") else open
    for copy in range(copies):
        with opener(source, "rt") as file, open(target, "w" if copy == 0 else "a") as out:
            header = file.readline()
            place = header.rstrip("\n").split(",").index(group)
            if copy == 0:
                out.write(header)
            for number, line in enumerate(file):
                if number == rows:
                    break
                cells = line.split(",")
                # A digit before the number keeps a number a number.
                cells[place] = f"{copy + 1}{cells[place]}"
                out.write(",".join(cells))


def main():
    if sys.argv[1] == "make":
        _, _, source, target, copies, group, *rows = sys.argv
        make(source, target, int(copies), group, int(rows[0]) if rows else None)
        return
    name, path, output, group = sys.argv[1:]
    matrix = {"polars": with_polars, "pandas": with_pandas}[name](path, group)
    np.save(output, matrix)
    print(f"{name}: {matrix.shape[0]} x {matrix.shape[1]}")


if __name__ == "__main__":
    main()
