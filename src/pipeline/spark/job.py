"""Ingests {{ pipeline }} with Spark; made by `cohort-flow spark`, to be read and changed.

Event rows are divided by patient, each task hands the rows of its parts to `cohort-flow ingest --part`, and the parts
are merged to the bundle that one run on one machine gives. Run it with spark-submit, or against Spark Connect:

    python job.py --remote sc://localhost:15002 --work /shared/work --bundle /shared/bundle --parts 64

--work is a folder that the driver and all workers see, and cohort-flow has to be on each of them. A part that is there
is not computed again, so that the same command resumes a run that was stopped. Parts appear whole or not at all.

There is no salt for patients with many rows: copies and ties are found among the rows of a patient, which therefore stay
together. A task holds the rows in use of one part in memory, some 100 bytes each: 10 million rows of one patient take 1 GB.
"""

import argparse, json, os, shutil, subprocess, tempfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Observation, SparkSession, functions as F

FORMAT = {{ format }}
INGEST = {{ ingest }}
# Where each table is; all places of a table are read as one.
PATHS = {
{%- for name, places in paths | items %}
    "{{ name }}": {{ places }},
{%- endfor %}
}
# What its file is called for cohort-flow.
FILES = {{ files }}
OPTIONAL = {{ optional }}
# Records and facts: every part reads them in whole.
WHOLE = {
{%- for name, columns in whole | items %}
    "{{ name }}": {{ columns }},
{%- endfor %}
}
# Event tables: columns that are read, those of record, patient and item, and the items in use (none: all rows).
EVENTS = {
{%- for table in events %}
    {{ table.name }}: dict(
        columns={{ table.columns }},
        record={{ table.record }}, patient={{ table.patient }}, item={{ table.item }},
        items={{ table.items }},
    ),
{%- endfor %}
}
RECORDS, RECORD, PATIENT = {{ records }}, {{ record }}, {{ patient }}

options = argparse.ArgumentParser()
options.add_argument("--remote", help="address of a Spark Connect server; otherwise the session of spark-submit")
options.add_argument("--work", required=True, help="folder that the driver and all workers see")
options.add_argument("--bundle", required=True, help="bundle to write")
options.add_argument("--parts", type=int, default=64, help="number of parts; about four for each core")
options.add_argument("--cohort-flow", default="cohort-flow", help="the program, as the workers call it")


def read(spark, name):
    """A table with the columns that are needed; nothing where an optional table is not there."""
    wanted = WHOLE.get(name) or EVENTS[name]["columns"]
    frames = []
    for place in PATHS[name]:
        try:
            if FORMAT == "catalog":
                frame = spark.table(place)
            elif FORMAT == "csv":
                # As texts: cohort-flow knows the type of each column.
                frame = spark.read.csv(place, header=True, quote='"', escape='"')
            else:
                frame = spark.read.format(FORMAT).load(place)
            frames.append(frame.select(*wanted).toDF(*wanted))
            frames[-1].columns
        except Exception as error:
            if name not in OPTIONAL:
                raise
            print(f"table {name} may be missing and is left out: {str(error).splitlines()[0]}")
            return None
    for frame in frames[1:]:
        frames[0] = frames[0].unionByName(frame)
    return frames[0]


def with_part(frame, table, records, parts):
    """Adds the part of each row: that of the patient of the record it names, else of the patient it names."""
    text = lambda column: F.trim(F.col(column).cast("string"))
    owner = text(table["patient"]) if table["patient"] else F.lit(None).cast("string")
    if table["record"] and records is None:
        owner = text(table["record"])
    elif table["record"]:
        frame = frame.withColumn("cf_key", text(table["record"])).join(F.broadcast(records), "cf_key", "left")
        owner = F.when(F.col("cf_key").isNotNull(), F.col("cf_owner")).otherwise(owner)
    return frame.withColumn("part", F.coalesce((F.crc32(owner) % parts).cast("int"), F.lit(0)))


def counts(is_used):
    """All rows of a table, and those of items in use."""
    return [F.count(F.lit(1)).alias("rows"), F.coalesce(F.sum(is_used.cast("long")), F.lit(0)).alias("used")]


def can_observe(spark):
    """Whether the engine counts rows while it reads them for something else: Spark does, some others do not."""
    try:
        seen = Observation()
        spark.range(3).observe(seen, *counts(F.lit(True))).collect()
        return seen.get == {"rows": 3, "used": 3}
    except Exception:
        return False


def slots(frames):
    """Where the columns of each table lie in the frame of all tables: those of one type share the same columns of it."""
    places = {}
    for name, frame in frames.items():
        taken = {}
        for field in frame.schema[1:]:
            kind = field.dataType.simpleString()
            taken[kind] = taken.get(kind, 0) + 1
            places.setdefault(name, {})[field.name] = (f"{kind} {taken[kind]}", field.dataType)
    return places


def task(work, parts, program, places):
    """The work on all rows of a part: they are written to files, one a table, of which cohort-flow makes the part."""

    def run(rows: pa.Table) -> pa.Table:
        part = rows["part"][0].as_py()
        target, scratch = f"{work}/parts/{part + 1}-of-{parts}", tempfile.mkdtemp(prefix="cohort-flow-")
        try:
            for file in os.listdir(f"{work}/whole"):
                os.symlink(f"{work}/whole/{file}", f"{scratch}/{file}")
            for name, columns in places.items():
                own = rows.filter(pc.equal(rows["table"], name)).select(list(columns.values()))
                pq.write_table(own.rename_columns(list(columns)), f"{scratch}/{FILES[name]}.parquet", compression="none")
            command = [program, "--quiet", "--threads", "1", "ingest", *INGEST, "--input", scratch, "--divided"]
            command += ["--part", f"{part + 1}/{parts}", "--output", target]
            done = subprocess.run(command, capture_output=True, text=True)
            # Another attempt at the same rows may have been faster: what it wrote is the same.
            if done.returncode != 0 and not os.path.exists(target):
                raise RuntimeError(f"part {part + 1} of {parts}: {done.stderr}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return pa.table({"part": pa.array([part], pa.int32()), "rows": pa.array([rows.num_rows - 1], pa.int64())})

    return run


def main(args):
    builder = SparkSession.builder.appName("cohort-flow")
    spark = (builder.remote(args.remote) if args.remote else builder).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    work, parts = os.path.abspath(args.work), args.parts
    for folder in ("whole", "parts"):
        os.makedirs(f"{work}/{folder}", exist_ok=True)
    for name in WHOLE:
        if (frame := read(spark, name)) is not None:
            target = f"{work}/whole/{FILES[name]}.parquet"
            pq.write_table(frame.toArrow(), target + ".new")
            os.replace(target + ".new", target)
    records = None
    if RECORDS:
        text = lambda column: F.trim(F.col(column).cast("string"))
        owner = F.coalesce(text(PATIENT), text(RECORD))
        records = read(spark, RECORDS).select(text(RECORD).alias("cf_key"), owner.alias("cf_owner")).distinct()
    there = [p for p in range(parts) if os.path.exists(f"{work}/parts/{p + 1}-of-{parts}/part.json")]
    missing = [p for p in range(parts) if p not in there]
    # Rows are counted while the parts are made of them, where the engine can do that and all parts are to be made.
    observe = len(missing) == parts and can_observe(spark)
    used, seen, recount = {}, {}, {}
    for name, table in EVENTS.items():
        if (frame := read(spark, name)) is None:
            continue
        is_used = F.lit(True)
        if table["items"]:
            is_used = F.coalesce(F.trim(F.col(table["item"]).cast("string")).isin(table["items"]), F.lit(False))
        recount[name] = frame.agg(*counts(is_used))
        if observe:
            seen[name] = Observation(name)
            frame = frame.observe(seen[name], *counts(is_used))
        used[name] = with_part(frame.where(is_used), table, records, parts).select("part", *table["columns"])
    # One frame for all tables, and a row without a table for each part, so that parts without rows are made too.
    places = slots(used)
    types = {slot: kind for columns in places.values() for slot, kind in columns.values()}
    used[""] = spark.range(parts).select(F.col("id").cast("int").alias("part"))
    rows = None
    for name, frame in used.items():
        own = {slot: F.col(column) for column, (slot, _) in places.get(name, {}).items()}
        own = [own.get(slot, F.lit(None).cast(kind)).alias(slot) for slot, kind in types.items()]
        frame = frame.select("part", F.lit(name).alias("table"), *own)
        rows = frame if rows is None else rows.union(frame)
    print(f"{len(there)} of {parts} parts are there, {len(missing)} are to be made")
    if missing:
        if there:
            rows = rows.where(F.col("part").isin(missing))
        groups = rows.groupBy("part")
        columns = {name: {column: slot for column, (slot, _) in own.items()} for name, own in places.items()}
        made = groups.applyInArrow(task(work, parts, args.cohort_flow, columns), "part int, rows long").collect()
        print(f"{len(made)} parts were made of {sum(row['rows'] for row in made):,} rows")
    sizes = {name: size.get for name, size in seen.items()}
    # A task that was repeated, after a worker was lost, has counted its rows twice.
    if not observe or sum(size["used"] for size in sizes.values()) != sum(row["rows"] for row in made):
        sizes = {name: frame.collect()[0].asDict() for name, frame in recount.items()}
    totals = {name: size["rows"] for name, size in sizes.items()}
    behind = {name: size["rows"] - size["used"] for name, size in sizes.items()}
    unchecked = os.path.abspath(args.bundle) + ".unchecked"
    command = [args.cohort_flow, "ingest", "--merge", *(f"{work}/parts/{p + 1}-of-{parts}" for p in range(parts))]
    left = [f"{name}={n}" for name, n in behind.items() if n]
    command += [word for pair in left for word in ("--left-behind", pair)] + ["--output", unchecked, "--force", "--json"]
    merged = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if merged.returncode != 0:
        raise SystemExit(merged.returncode)
    accounted = {table["table"]: table["rows_read"] for table in json.loads(merged.stdout)["tables"]}
    for name, total in totals.items():
        print(f"table {name}: {total:,} rows in, {accounted[name]:,} accounted for, {behind[name]:,} of other items")
    if any(accounted[name] != total for name, total in totals.items()):
        shutil.rmtree(unchecked)
        raise SystemExit("rows are missing or counted twice: remove the folder --work and run the job again")
    os.rename(unchecked, args.bundle)
    print(f"committed {args.bundle}")


if __name__ == "__main__":
    main(options.parse_args())
