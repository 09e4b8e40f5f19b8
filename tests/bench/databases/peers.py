"""The work of eicu.toml and mimic4.toml in SQL: python peers.py eicu|mimic4 FOLDER OUTPUT.parquet

`compare OURS.parquet THEIRS.parquet` checks that both arrive at the same values. BENCH_THREADS sets the threads.
"""
import os
import sys

SIGNALS = {
    "heart_rate": "heartrate", "sbp": "systemicsystolic", "dbp": "systemicdiastolic", "map": "systemicmean",
    "resp_rate": "respiration", "spo2": "sao2", "temperature": "temperature", "cvp": "cvp",
    "pap_systolic": "pasystolic", "pap_diastolic": "padiastolic", "pap_mean": "pamean", "etco2": "etco2",
}
ITEMS = {
    220045: "heart_rate", 220179: "sbp", 220180: "dbp", 220181: "map", 220210: "resp_rate", 220277: "spo2",
    223761: "temperature", 223762: "temperature",
}
EXTREME = {"heart_rate": "max", "sbp": "min", "map": "min", "resp_rate": "max", "spo2": "min", "temperature": "max"}


def ranges():
    """The plausible ranges of the dictionary, so that both programs use the same."""
    import tomllib

    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../../schemas/concepts.toml"), "rb") as file:
        concepts = tomllib.load(file)["concepts"]
    return {name: concepts[name]["range"] for name in SIGNALS}


def connect():
    import duckdb

    db = duckdb.connect()
    db.execute(f"SET threads = {int(os.environ.get('BENCH_THREADS', 2))}")
    db.execute("SET preserve_insertion_order = false")
    return db


def reader(db, path, wanted):
    """The file with declared types: DuckDB is not charged for guessing them."""
    with open(path) as file:
        header = [name.strip('"') for name in file.readline().strip().split(",")]
    columns = ", ".join(f"'{name}': '{wanted.get(name, 'VARCHAR')}'" for name in header)
    return f"read_csv('{path}', header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {{{columns}}})"


def eicu(folder, output):
    db, limits = connect(), ranges()
    types = {"patientunitstayid": "BIGINT", "observationoffset": "BIGINT"} | {s: "DOUBLE" for s in SIGNALS.values()}
    aggregates = []
    for name, column in SIGNALS.items():
        low, high = limits[name]
        usable = f"FILTER (WHERE {column} BETWEEN {low} AND {high})"
        aggregates.append(f"avg({column}) {usable} AS {name}")
        if name in EXTREME:
            aggregates.append(f"{EXTREME[name]}({column}) {usable} AS {name}_{EXTREME[name]}")
    db.execute(f"""COPY (
        SELECT v.patientunitstayid AS record_id, {', '.join(aggregates)}
        FROM {reader(db, os.path.join(folder, 'vitalPeriodic.csv'), types)} v
        JOIN read_csv('{os.path.join(folder, 'patient.csv')}', header = true) p USING (patientunitstayid)
        WHERE observationoffset >= 0 AND observationoffset < 1440 AND observationoffset <= unitdischargeoffset
        GROUP BY ALL ORDER BY ALL) TO '{output}' (FORMAT parquet)""")


def mimic4(folder, output):
    db, limits = connect(), ranges()
    types = {"stay_id": "BIGINT", "itemid": "BIGINT", "charttime": "TIMESTAMP", "valuenum": "DOUBLE"}
    db.execute("CREATE TABLE items(itemid BIGINT, variable VARCHAR, low DOUBLE, high DOUBLE, scale DOUBLE, add DOUBLE)")
    for item, name in ITEMS.items():
        scale, add = (5 / 9, -160 / 9) if item == 223761 else (1, 0)
        db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", [item, name, *limits[name], scale, add])
    aggregates = []
    for name in dict.fromkeys(ITEMS.values()):
        of = f"FILTER (WHERE variable = '{name}')"
        aggregates.append(f"avg(x) {of} AS {name}")
        if name in EXTREME:
            aggregates.append(f"{EXTREME[name]}(x) {of} AS {name}_{EXTREME[name]}")
    db.execute(f"""COPY (
        WITH used AS (
            SELECT c.stay_id, variable, valuenum * scale + add AS x, low, high
            FROM {reader(db, os.path.join(folder, 'chartevents.csv'), types)} c
            JOIN items USING (itemid)
            JOIN read_csv('{os.path.join(folder, 'icustays.csv')}', header = true) s ON c.stay_id = s.stay_id
            WHERE charttime >= s.intime AND charttime < s.intime + INTERVAL 24 HOUR AND charttime <= s.outtime)
        SELECT stay_id AS record_id, {', '.join(aggregates)} FROM used WHERE x BETWEEN low AND high
        GROUP BY ALL ORDER BY ALL) TO '{output}' (FORMAT parquet)""")


def compare(ours, theirs):
    import duckdb

    db = duckdb.connect()
    one, other = (db.sql(f"SELECT * FROM '{path}'").to_arrow_table().to_pydict() for path in (ours, theirs))
    place = {str(record): i for i, record in enumerate(one["record_id"])}
    worst, cells = 0.0, 0
    for name in other:
        if name == "record_id" or name not in one:
            continue
        mine = {i: x for i, x in enumerate(one[name]) if x is not None}
        their = {place[str(r)]: x for r, x in zip(other["record_id"], other[name]) if x is not None}
        assert mine.keys() == their.keys(), f"{name}: {len(mine)} and {len(their)} records have a value"
        cells += len(mine)
        worst = max([worst, *(abs(mine[i] - their[i]) for i in mine)])
    assert worst < 1e-9 and cells > 0, (worst, cells)
    print(f"{cells} values agree, largest difference {worst:.1e}")


if __name__ == "__main__":
    if sys.argv[1] == "compare":
        compare(*sys.argv[2:])
    else:
        {"eicu": eicu, "mimic4": mimic4}[sys.argv[1]](*sys.argv[2:])
