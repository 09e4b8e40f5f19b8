"""The work of chart.toml by queries written by hand: python peers.py duckdb|polars|pandas EXTRACT OUTPUT.parquet

`compare OURS.parquet THEIRS.parquet` checks that two results are the same.
"""
import glob
import os
import sys

ITEMS = {
    "heart_rate": ([211, 220045], 10, 300),
    "resp_rate": ([615, 618, 220210, 224690], 1, 120),
    "spo2": ([646, 220277], 20, 100),
}
THREADS = int(os.environ.get("BENCH_THREADS", os.cpu_count() or 1))


def table(folder, name):
    return sorted(glob.glob(os.path.join(folder, name + ".csv*")))[0]


def run_duckdb(folder, output):
    import duckdb

    db = duckdb.connect()
    db.execute(f"SET threads = {THREADS}")
    db.execute("SET preserve_insertion_order = false")
    db.execute("CREATE TABLE items(variable VARCHAR, itemid BIGINT, low DOUBLE, high DOUBLE)")
    for name, (items, low, high) in ITEMS.items():
        db.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", [(name, i, low, high) for i in items])
    chart = table(folder, "CHARTEVENTS")
    header = (__import__("gzip").open if chart.endswith(".gz") else open)(chart, "rt").readline().strip().split(",")
    types = {"ICUSTAY_ID": "BIGINT", "ITEMID": "BIGINT", "CHARTTIME": "TIMESTAMP", "VALUENUM": "DOUBLE", "ERROR": "BIGINT"}
    columns = "{" + ", ".join(f"'{c}': '{types.get(c, 'VARCHAR')}'" for c in header) + "}"
    db.execute(f"""
        COPY (
            SELECT s.ICUSTAY_ID AS id, i.variable AS variable, avg(VALUENUM) AS mean, min(VALUENUM) AS min, max(VALUENUM) AS max
            FROM read_csv('{chart}', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {columns}) c
            JOIN items i ON c.ITEMID = i.itemid
            JOIN read_csv('{table(folder, "ICUSTAYS")}', header = true) s ON c.ICUSTAY_ID = s.ICUSTAY_ID
            WHERE (ERROR IS NULL OR ERROR <> 1) AND VALUENUM BETWEEN i.low AND i.high
              AND CHARTTIME >= s.INTIME AND CHARTTIME < s.INTIME + INTERVAL 24 HOUR
              AND (s.OUTTIME IS NULL OR CHARTTIME <= s.OUTTIME)
            GROUP BY ALL ORDER BY ALL
        ) TO '{output}' (FORMAT parquet)""")


def run_polars(folder, output):
    os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))
    import polars as pl

    items = pl.LazyFrame(
        [(n, i, float(lo), float(hi)) for n, (ids, lo, hi) in ITEMS.items() for i in ids],
        schema={"variable": pl.String, "ITEMID": pl.Int64, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    )
    wanted = [i for ids, _, _ in ITEMS.values() for i in ids]
    overrides = {"ICUSTAY_ID": pl.Int64, "ITEMID": pl.Int64, "CHARTTIME": pl.String, "VALUE": pl.String, "VALUENUM": pl.Float64,
                 "ERROR": pl.Int64, "WARNING": pl.Int64, "VALUEUOM": pl.String, "RESULTSTATUS": pl.String, "STOPPED": pl.String}
    stamp = "%Y-%m-%d %H:%M:%S"
    stays = pl.scan_csv(table(folder, "ICUSTAYS"), schema_overrides={"INTIME": pl.String, "OUTTIME": pl.String}).select(
        "ICUSTAY_ID", pl.col("INTIME").str.to_datetime(stamp), pl.col("OUTTIME").str.to_datetime(stamp))
    (
        pl.scan_csv(table(folder, "CHARTEVENTS"), schema_overrides=overrides)
        .select("ICUSTAY_ID", "ITEMID", "CHARTTIME", "VALUENUM", "ERROR")
        .filter(pl.col("ITEMID").is_in(wanted), pl.col("ERROR").ne_missing(1))
        .with_columns(pl.col("CHARTTIME").str.to_datetime(stamp))
        .join(items, on="ITEMID")
        .join(stays, on="ICUSTAY_ID")
        .filter(
            pl.col("VALUENUM").is_between(pl.col("low"), pl.col("high")),
            pl.col("CHARTTIME") >= pl.col("INTIME"),
            pl.col("CHARTTIME") < pl.col("INTIME") + pl.duration(hours=24),
            pl.col("OUTTIME").is_null() | (pl.col("CHARTTIME") <= pl.col("OUTTIME")),
        )
        .group_by(pl.col("ICUSTAY_ID").alias("id"), "variable")
        .agg(pl.col("VALUENUM").mean().alias("mean"), pl.col("VALUENUM").min().alias("min"), pl.col("VALUENUM").max().alias("max"))
        .sort("id", "variable")
        .collect(engine="streaming")
        .write_parquet(output)
    )


def run_pandas(folder, output):
    import pandas as pd

    chart = pd.read_csv(table(folder, "CHARTEVENTS"), usecols=["ICUSTAY_ID", "ITEMID", "CHARTTIME", "VALUENUM", "ERROR"],
                        dtype={"ICUSTAY_ID": "float64", "ERROR": "float64"})
    items = pd.DataFrame([(n, i, lo, hi) for n, (ids, lo, hi) in ITEMS.items() for i in ids],
                         columns=["variable", "ITEMID", "low", "high"])
    chart = chart[chart.ITEMID.isin(items.ITEMID) & (chart.ERROR != 1)]
    chart = chart.assign(CHARTTIME=pd.to_datetime(chart.CHARTTIME)).merge(items, on="ITEMID")
    stays = pd.read_csv(table(folder, "ICUSTAYS"), usecols=["ICUSTAY_ID", "INTIME", "OUTTIME"], parse_dates=["INTIME", "OUTTIME"])
    chart = chart.merge(stays, on="ICUSTAY_ID")
    keep = chart.VALUENUM.between(chart.low, chart.high) & (chart.CHARTTIME >= chart.INTIME)
    keep &= (chart.CHARTTIME < chart.INTIME + pd.Timedelta(hours=24)) & (chart.OUTTIME.isna() | (chart.CHARTTIME <= chart.OUTTIME))
    result = chart[keep].groupby(["ICUSTAY_ID", "variable"]).VALUENUM.agg(["mean", "min", "max"]).reset_index()
    result.rename(columns={"ICUSTAY_ID": "id"}).to_parquet(output)


def compare(ours, theirs):
    import polars as pl

    wide, long = pl.read_parquet(ours), pl.read_parquet(theirs)
    id_column = "record_id"
    worst, cells = 0.0, 0
    for name in ITEMS:
        for suffix, agg in (("", "mean"), ("_min", "min"), ("_max", "max")):
            left = wide.select(pl.col(id_column).cast(pl.String).alias("id"), pl.col(name + suffix).alias("ours")).drop_nulls()
            right = long.filter(pl.col("variable") == name).select(
                pl.col("id").cast(pl.Int64).cast(pl.String), pl.col(agg).alias("theirs"))
            both = left.join(right, on="id", how="full")
            assert both["ours"].null_count() == both["theirs"].null_count() == 0, f"{name}{suffix}: other records"
            worst = max(worst, (both["ours"] - both["theirs"]).abs().max())
            cells += both.height
    assert worst < 1e-9, worst
    print(f"{cells} values agree, largest difference {worst:.1e}")


if __name__ == "__main__":
    if sys.argv[1] == "compare":
        compare(*sys.argv[2:])
    else:
        {"duckdb": run_duckdb, "polars": run_polars, "pandas": run_pandas}[sys.argv[1]](*sys.argv[2:])
