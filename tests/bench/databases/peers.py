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
# itemid: concept and rank; of a stay, only the sources of the smallest rank that it has count.
ITEMS = {
    220045: ("heart_rate", 0), 220050: ("sbp", 0), 220051: ("dbp", 0), 220052: ("map", 0), 220179: ("sbp", 1),
    220180: ("dbp", 1), 220181: ("map", 1), 220210: ("resp_rate", 0), 220277: ("spo2", 0), 223761: ("temperature", 0),
    223762: ("temperature", 0),
}
CUFF = {"sbp": "noninvasivesystolic", "dbp": "noninvasivediastolic", "map": "noninvasivemean"}
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


def aggregates(names, column, limits):
    """Mean of each signal, and the extreme that the pipeline asks for, of what lies in its range."""
    out = []
    for name in names:
        low, high = limits[name]
        usable = f"FILTER (WHERE {column(name)} BETWEEN {low} AND {high})"
        out.append(f"avg({column(name)}) {usable} AS {name}")
        if name in EXTREME:
            out.append(f"{EXTREME[name]}({column(name)}) {usable} AS {name}_{EXTREME[name]}")
    return ", ".join(out)


def columns(names):
    return [c for n in names for c in [n, *([f"{n}_{EXTREME[n]}"] if n in EXTREME else [])]]


def eicu(folder, output):
    """vitalPeriodic, and what has a larger rank where a stay has no such signal: the cuff, and nurses' temperatures."""
    db, limits = connect(), ranges()
    path = lambda table: os.path.join(folder, table + ".csv")
    types = {"patientunitstayid": "BIGINT", "observationoffset": "BIGINT"} | {s: "DOUBLE" for s in SIGNALS.values()}
    types |= {s: "DOUBLE" for s in CUFF.values()}
    nurse = {"patientunitstayid": "BIGINT", "nursingchartoffset": "BIGINT"}
    patient = f"(SELECT patientunitstayid, unitdischargeoffset FROM read_csv('{path('patient')}', header = true))"
    within = lambda at: f"{at} >= 0 AND {at} < 1440 AND {at} <= unitdischargeoffset"
    parts = []
    for name in columns(SIGNALS):
        other = "c" if name.split("_")[0] in CUFF else "n" if name.startswith("temperature") else None
        parts.append(f"coalesce(p.{name}, {other}.{name}) AS {name}" if other else f"p.{name}")
    db.execute(f"""COPY (
        WITH p AS (
            SELECT v.patientunitstayid AS id, {aggregates(SIGNALS, SIGNALS.get, limits)}
            FROM {reader(db, path('vitalPeriodic'), types)} v JOIN {patient} USING (patientunitstayid)
            WHERE {within('observationoffset')} GROUP BY ALL),
        c AS (
            SELECT v.patientunitstayid AS id, {aggregates(CUFF, CUFF.get, limits)}
            FROM {reader(db, path('vitalAperiodic'), types)} v JOIN {patient} USING (patientunitstayid)
            WHERE {within('observationoffset')} GROUP BY ALL),
        n AS (
            SELECT id, {aggregates(['temperature'], lambda _: 'x', limits)} FROM (
                SELECT v.patientunitstayid AS id, CASE nursingchartcelltypevalname
                    WHEN 'Temperature (C)' THEN try_cast(nursingchartvalue AS DOUBLE)
                    WHEN 'Temperature (F)' THEN try_cast(nursingchartvalue AS DOUBLE) * (5 / 9) - 160 / 9 END AS x
                FROM {reader(db, path('nurseCharting'), nurse)} v JOIN {patient} USING (patientunitstayid)
                WHERE nursingchartcelltypevallabel = 'Temperature' AND {within('nursingchartoffset')}) GROUP BY ALL)
        SELECT patientunitstayid AS record_id, {', '.join(parts)}
        FROM {patient} LEFT JOIN p ON p.id = patientunitstayid LEFT JOIN c ON c.id = patientunitstayid
        LEFT JOIN n ON n.id = patientunitstayid ORDER BY ALL) TO '{output}' (FORMAT parquet)""")


def mimic4(folder, output):
    db, limits = connect(), ranges()
    path = lambda table: os.path.join(folder, "icu", table + ".csv")
    types = {"stay_id": "BIGINT", "itemid": "BIGINT", "charttime": "TIMESTAMP", "valuenum": "DOUBLE"}
    db.execute("CREATE TABLE items(itemid BIGINT, variable VARCHAR, rank INT, low DOUBLE, high DOUBLE, scale DOUBLE, add DOUBLE)")
    for item, (name, rank) in ITEMS.items():
        scale, add = (5 / 9, -160 / 9) if item == 223761 else (1, 0)
        db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", [item, name, rank, *limits[name], scale, add])
    names = list(dict.fromkeys(name for name, _ in ITEMS.values()))
    parts = []
    for name in names:
        of = f"FILTER (WHERE variable = '{name}')"
        parts.append(f"any_value(mean) {of} AS {name}")
        if name in EXTREME:
            parts.append(f"any_value({'low' if EXTREME[name] == 'min' else 'high'}) {of} AS {name}_{EXTREME[name]}")
    # A row that repeats another one is left out, as the program does.
    db.execute(f"""COPY (
        WITH used AS (
            SELECT DISTINCT c.stay_id, variable, rank, c.itemid, charttime, valuenum * scale + add AS x, low, high
            FROM {reader(db, path('chartevents'), types)} c
            JOIN items USING (itemid)
            JOIN read_csv('{path('icustays')}', header = true) s ON c.stay_id = s.stay_id
            WHERE charttime >= s.intime AND charttime < s.intime + INTERVAL 24 HOUR
              AND (s.outtime IS NULL OR charttime <= s.outtime)),
        ranked AS (
            SELECT stay_id, variable, rank, avg(x) AS mean, min(x) AS low, max(x) AS high FROM used
            WHERE x BETWEEN low AND high GROUP BY stay_id, variable, rank),
        best AS (
            SELECT stay_id, variable, arg_min(mean, rank) AS mean, arg_min(low, rank) AS low, arg_min(high, rank) AS high
            FROM ranked GROUP BY stay_id, variable)
        SELECT stay_id AS record_id, {', '.join(parts)} FROM best GROUP BY ALL ORDER BY ALL) TO '{output}' (FORMAT parquet)""")


def compare(ours, theirs):
    import duckdb

    def columns_of(path):
        rows = duckdb.sql(f"SELECT * FROM '{path}'")
        return dict(zip(rows.columns, zip(*rows.fetchall())))

    one, other = columns_of(ours), columns_of(theirs)
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
