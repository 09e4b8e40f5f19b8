"""Writes one table of all types by pandas, pyarrow, DuckDB and Polars, and what its cells are.

    pip install pandas pyarrow duckdb polars
    python make.py

Every file has the columns of `expected.json`, which holds for each column the texts that its cells have to come back as
(null for a missing cell), or null for a column that may be refused by its name. The versions stand in `versions.json`.
"""

import datetime
import decimal
import json
import pathlib

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
N = 30


def every(k, values):
    """The values in turn, every k-th cell missing."""
    return [None if i % k == k - 1 else values[i % len(values)] for i in range(N)]


big = 2**53
zone = datetime.timezone(datetime.timedelta(hours=1))
moments = [datetime.datetime(2150, 3, 29, 1, 30, 15, 250000), datetime.datetime(1969, 12, 31, 23, 59, 59)]
columns = {
    "bool": (pyarrow.bool_(), every(7, [True, False])),
    "int8": (pyarrow.int8(), every(5, [-128, 0, 127])),
    "int16": (pyarrow.int16(), every(5, [-32768, 7, 32767])),
    "int32": (pyarrow.int32(), every(5, [-(2**31), 7, 2**31 - 1])),
    "int64": (pyarrow.int64(), every(5, [-(2**63), big + 1, 2**63 - 1])),
    "uint8": (pyarrow.uint8(), every(5, [0, 255])),
    "uint16": (pyarrow.uint16(), every(5, [0, 65535])),
    "uint32": (pyarrow.uint32(), every(5, [0, 2**32 - 1])),
    "uint64": (pyarrow.uint64(), every(5, [0, big + 1, 2**64 - 1])),
    "float16": (pyarrow.float16(), every(6, [numpy.float16(36.6), numpy.float16(-0.25)])),
    "float32": (pyarrow.float32(), every(6, [1.5, -0.1, 3e38])),
    "float64": (pyarrow.float64(), every(6, [0.1, -1e300, 5e-324, 2.0])),
    "decimal_6_2": (pyarrow.decimal128(6, 2), every(6, [decimal.Decimal(x) for x in ["2.08", "-0.01", "9999.99"]])),
    "decimal_18_0": (pyarrow.decimal128(18, 0), every(6, [decimal.Decimal(big + 1), decimal.Decimal(-3)])),
    "decimal_38_0": (pyarrow.decimal128(38, 0), every(6, [decimal.Decimal(10**37 + 1), decimal.Decimal(5)])),
    "decimal_38_10": (pyarrow.decimal128(38, 10), every(6, [decimal.Decimal("0.0000000001"), decimal.Decimal("12.5")])),
    "string": (pyarrow.string(), every(4, ["", "a,b", 'say "hi"', "two\nlines", "Müller", "0389", " x "])),
    "large_string": (pyarrow.large_string(), every(4, ["κ", "x" * 40])),
    "category": (pyarrow.dictionary(pyarrow.int8(), pyarrow.string()), every(9, ["medical", "surgical", "ärztlich"])),
    "category_int": (pyarrow.dictionary(pyarrow.int32(), pyarrow.int64()), every(9, [3, 1, 2])),
    "bytes_text": (pyarrow.binary(), every(9, [b"abc", "ü".encode()])),
    "bytes": (pyarrow.binary(), every(9, [b"\xff\x00", b"abc"])),
    "date": (pyarrow.date32(), every(8, [datetime.date(2150, 3, 29), datetime.date(1900, 1, 1)])),
    "time": (pyarrow.time64("us"), every(8, [datetime.time(7, 30), datetime.time(23, 59, 59)])),
    "timestamp_ms": (pyarrow.timestamp("ms"), every(8, moments)),
    "timestamp_us": (pyarrow.timestamp("us"), every(8, moments)),
    "timestamp_ns": (pyarrow.timestamp("ns"), every(8, moments)),
    "timestamp_zone": (pyarrow.timestamp("us", "Europe/Berlin"), every(8, [m.replace(tzinfo=zone) for m in moments])),
    "duration": (pyarrow.duration("us"), every(8, [datetime.timedelta(hours=30), datetime.timedelta(0)])),
    "null": (pyarrow.null(), [None] * N),
    "list": (pyarrow.list_(pyarrow.int64()), every(8, [[1, 2], []])),
    "struct": (pyarrow.struct([("a", pyarrow.int64())]), every(8, [{"a": 1}])),
    "map": (pyarrow.map_(pyarrow.string(), pyarrow.int64()), every(8, [[("k", 1)]])),
}
UNREADABLE = {"bytes", "list", "struct", "map"}


def text(name, value):
    """A cell as Rust would write it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, decimal.Decimal):
        return str(int(value)) if name.endswith("_0") else repr(float(value))
    if isinstance(value, (float, numpy.floating)):
        return repr(float(numpy.float32(value)) if name == "float32" else float(value))
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return "temporal"
    return str(value)


table = pyarrow.table({name: pyarrow.array(cells, type=kind) for name, (kind, cells) in columns.items()})
expected = {
    name: None if name in UNREADABLE else [text(name, value) for value in cells]
    for name, (_, cells) in columns.items()
}
versions = {m.__name__: m.__version__ for m in (pandas, pyarrow, duckdb, polars)}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=0))
(HERE / "versions.json").write_text(json.dumps(versions, indent=1))


def without(table, *names):
    return table.drop_columns([n for n in names if n in table.column_names])


# pyarrow: several row groups with dictionaries of their own, an empty one among them; no Arrow schema; all codecs.
write = pyarrow.parquet.write_table
write(table, HERE / "pyarrow.parquet", row_group_size=7)
write(without(table, "float16"), HERE / "pyarrow-plain.parquet", store_schema=False, use_dictionary=False)
with pyarrow.parquet.ParquetWriter(HERE / "pyarrow-groups.parquet", table.schema, compression="zstd") as writer:
    writer.write_table(table.slice(0, 11))
    writer.write_table(table.slice(0, 0))
    writer.write_table(table.slice(11))
for codec in ["none", "gzip", "brotli", "lz4"]:
    write(table.select(["int64", "string"]), HERE / f"pyarrow-{codec}.parquet", compression=codec)
write(without(table, "null").slice(0, 0), HERE / "no-rows.parquet")

# Arrow IPC: a file, a stream, compressed bodies, string views, batches that replace their dictionaries.
batches = [b for at in range(0, N, 11) for b in table.slice(at, 11).combine_chunks().to_batches()]
with pyarrow.ipc.new_file(HERE / "pyarrow.arrow", table.schema) as writer:
    for batch in batches:
        writer.write_batch(batch)
with pyarrow.ipc.new_stream(HERE / "stream.arrow", table.schema) as writer:
    for batch in batches:
        writer.write_batch(batch)
pyarrow.feather.write_feather(table, HERE / "lz4.feather", compression="lz4")
pyarrow.feather.write_feather(table, HERE / "zstd.feather", compression="zstd")
views = table.select(["int64", "string"]).cast(
    pyarrow.schema([("int64", pyarrow.int64()), ("string", pyarrow.string_view())]))
with pyarrow.ipc.new_file(HERE / "views.arrow", views.schema) as writer:
    writer.write_table(views)

# pandas: its own types, and an index that it stores beside the table.
frame = without(table, "map", "null").to_pandas(types_mapper={
    pyarrow.int8(): pandas.Int8Dtype(), pyarrow.int16(): pandas.Int16Dtype(), pyarrow.int32(): pandas.Int32Dtype(),
    pyarrow.int64(): pandas.Int64Dtype(), pyarrow.uint8(): pandas.UInt8Dtype(), pyarrow.uint16(): pandas.UInt16Dtype(),
    pyarrow.uint32(): pandas.UInt32Dtype(), pyarrow.uint64(): pandas.UInt64Dtype(),
    pyarrow.bool_(): pandas.BooleanDtype()}.get)
frame.to_parquet(HERE / "pandas.parquet", index=False)
shuffled = frame[["int64", "string"]].iloc[numpy.r_[0:N]]
shuffled.index = numpy.arange(N)[::-1]
shuffled.to_parquet(HERE / "pandas-index.parquet")

# DuckDB: its own types for the same cells.
duck = without(table, "float16", "null", "map", "duration", "category_int", "time")
duckdb.sql("copy duck to '%s' (format parquet)" % (HERE / "duckdb.parquet"))
duckdb.sql("""copy (select range as "int64", uuid() as uuid, interval (range) minute as interval,
    (range::varchar)::enum ('0', '1', '2') as "enum", range::hugeint as hugeint, range::utinyint as utinyint,
    range::decimal(18, 3) as "decimal" from range(3)) to '%s' (format parquet)""" % (HERE / "duckdb-types.parquet"))

# Polars: categories, enums and its decimals.
frame = polars.from_arrow(without(table, "map", "float16"))
frame = frame.with_columns(polars.col("category").cast(polars.Enum(["ärztlich", "medical", "surgical"])))
frame.write_parquet(HERE / "polars.parquet", row_group_size=9)
frame.write_ipc(HERE / "polars.arrow")
frame.write_ipc_stream(HERE / "polars-stream.arrow")

# The same numbers and texts as CSV by all four.
plain = table.select(["int64", "uint64", "float64", "string"])
plain.to_pandas(types_mapper={pyarrow.int64(): pandas.Int64Dtype(), pyarrow.uint64(): pandas.UInt64Dtype()}.get).to_csv(
    HERE / "pandas.csv", index=False)
duckdb.sql("copy plain to '%s'" % (HERE / "duckdb.csv"))
polars.from_arrow(plain).write_csv(HERE / "polars.csv")
pyarrow.csv.write_csv(plain, HERE / "pyarrow.csv")
print(sum(f.stat().st_size for f in HERE.iterdir()) // 1000, "kB")
