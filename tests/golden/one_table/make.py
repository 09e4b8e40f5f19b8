"""Writes one cohort table by pandas, pyarrow, DuckDB and Polars, as CSV, Parquet and Arrow IPC.

    pip install pandas pyarrow duckdb polars
    python make.py

The numbers are invented. All files hold the same table, each in the way that its writer has: booleans as `True` or `true`,
whole numbers beside blank cells as `3.0` by pandas, categories as dictionaries, enums or texts, moments with a blank or a
`T` between date and time. `versions.json` holds the versions of the writers.
"""

import datetime
import json
import pathlib
import random

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
N = 400
draw = random.Random(20)
rows = []
for i in range(N):
    age = draw.randint(18, 89)
    rows.append({
        "patient_id": 2**53 + 7 * (i // 2) + 1,
        "age": age,
        "ward": draw.choices(["medical", "surgical", "Größe, \"special\""], [5, 3, 1])[0],
        "ventilated": None if draw.random() < 0.03 else draw.random() < 0.3,
        "heart_rate": None if draw.random() < 0.05 else round(draw.gauss(85, 14)),
        "lactate": None if draw.random() < 0.1 else round(draw.lognormvariate(0.5, 0.5), 2),
        "weight": draw.gauss(80 - 0.1 * age, 12),
        "code": draw.choice(["0389", "25000", "V5861", "4019"]),
        "admitted": datetime.datetime(2150, 1, 1) + datetime.timedelta(minutes=draw.randint(0, 500_000)),
    })
kinds = {
    "patient_id": pyarrow.int64(), "age": pyarrow.int64(), "ward": pyarrow.string(), "ventilated": pyarrow.bool_(),
    "heart_rate": pyarrow.int64(), "lactate": pyarrow.float64(), "weight": pyarrow.float64(),
    "code": pyarrow.string(), "admitted": pyarrow.timestamp("us"),
}
table = pyarrow.table({name: pyarrow.array([row[name] for row in rows], type=kind) for name, kind in kinds.items()})

pyarrow.csv.write_csv(table, HERE / "pyarrow.csv")
pyarrow.parquet.write_table(table, HERE / "pyarrow.parquet", row_group_size=150)
pyarrow.feather.write_feather(table, HERE / "pyarrow.feather", compression="zstd")

# pandas turns whole numbers with blanks into floating-point ones, and booleans with blanks into objects.
frame = table.to_pandas()
frame.to_csv(HERE / "pandas.csv", index=False)
frame["ward"] = frame["ward"].astype("category")
frame.to_parquet(HERE / "pandas.parquet", index=False)

cohort = table
duckdb.sql(f"copy cohort to '{HERE / 'duckdb.csv'}'")
duckdb.sql(f"copy cohort to '{HERE / 'duckdb.parquet'}' (format parquet, compression zstd)")

frame = polars.from_arrow(table)
frame.write_csv(HERE / "polars.csv")
wards = polars.Enum(sorted(set(frame["ward"])))
frame = frame.with_columns(polars.col("ward").cast(wards), polars.col("age").cast(polars.UInt8))
frame.write_parquet(HERE / "polars.parquet", row_group_size=130)
frame.write_ipc(HERE / "polars.arrow")

versions = {m.__name__: m.__version__ for m in (pandas, pyarrow, duckdb, polars)}
(HERE / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
