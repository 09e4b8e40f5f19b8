"""Opens every Parquet and safetensors file below a folder with pyarrow, pandas, DuckDB and a Spark engine (Sail), and
compares what they read. Says how many files were opened."""

import pathlib
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession
from safetensors.numpy import load_file

folder = pathlib.Path(sys.argv[1])
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
_, port = server.listening_address
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
tables, tensors = 0, 0
for path in sorted(folder.rglob("*.parquet")):
    table = pq.read_table(path)
    # Older readers, and `take` of pyarrow, do not know string views.
    plain = {pa.string(), pa.large_string(), pa.float64(), pa.float32(), pa.int64(), pa.bool_()}
    fields = [field for field in table.schema if not pa.types.is_temporal(field.type)]
    others = [f"{field.name}: {field.type}" for field in fields if field.type not in plain]
    assert not others, f"{path}: {others}"
    if table.num_rows:
        first = table.take([0, table.num_rows - 1])
        assert first.num_rows == 2, path
    frame = pd.read_parquet(path)
    assert frame.shape == (table.num_rows, table.num_columns), path
    counted = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]
    assert counted == table.num_rows, path
    of_duckdb = duckdb.sql(f"SELECT * FROM '{path}'").to_arrow_table()
    for name in table.column_names:
        ours = table[name].to_pylist()
        assert of_duckdb[name].to_pylist() == ours, f"{path}: {name} by DuckDB"
    of_spark = spark.read.parquet(str(path)).toArrow()
    for name in table.column_names:
        assert of_spark[name].to_pylist() == table[name].to_pylist(), f"{path}: {name} by Spark"
    tables += 1
for path in sorted(folder.rglob("*.safetensors")):
    assert load_file(path), path
    tensors += 1
print(f"{tables} tables and {tensors} files of tensors were opened")
