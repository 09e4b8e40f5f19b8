"""What the checks of the databases share: concepts recomputed in SQL and held against the features of a bundle.

A script of a database makes two tables:

    stays(stay text, length double)         every record, and how many seconds it lasts (null: it has no end)
    events(stay, source, item, s, number, text, unit)      s is seconds since the start of the record

and says of each concept where it is found: `(low, high, [(source, items, units, rank)])`, with `units` from the unit in
lower case without spaces to `(scale, offset)`; the first is that of rows without a unit, and None takes every number as
it is. Nothing here is shared with the program but the facts themselves.
"""

import sys

import duckdb

SQL = {
    "mean": "avg(x)", "min": "min(x)", "max": "max(x)", "sum": "sum(x)", "count": "count(*)", "median": "median(x)",
    "std": "stddev_samp(x)", "first": "avg(x) filter (where s = s_first)", "last": "avg(x) filter (where s = s_last)",
}
F = (0.5555555555555556, -17.77777777777778)
FRACTION = "fraction or percent"


def same(*units):
    return {u: (1.0, 0.0) for u in units}


def connect():
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    return con


def read(con, table, path):
    """A text table with every cell as text."""
    con.execute(f"""create table {table} as select * from read_csv('{path}', header = true, delim = ',', quote = '"',
                    escape = '"', all_varchar = true, nullstr = '')""")


def accepted(name, fact):
    low, high, sources = fact
    parts = []
    for source, items, units, rank in sources:
        listed = ", ".join("'" + str(item).replace("'", "''") + "'" for item in items)
        if units == FRACTION:
            x = "case when number <= 1 then number when number between 21 and 100 then number / 100 end"
        elif units is None:
            x = "number"
        else:
            scale, offset = next(iter(units.values()))
            cases = " ".join(f"when '{u}' then number * {s!r} + {o!r}" for u, (s, o) in units.items() if u)
            x = f"case unit when '' then number * {scale!r} + {offset!r} {cases} end"
        sign = "abs(x)" if name == "urine_output" else "x"
        parts.append(f"""select stay, s, x, {rank} as rank from (select stay, s, {x} as x from
            (select distinct stay, s, item, number, text, unit from events where source = '{source}' and item in ({listed})))
            where {sign} between {low} and {high}""")
    return " union all ".join(parts)


def check(con, features, concepts, facts=None, tolerance=1e-9, least=30):
    """Compares every column that names a concept; returns only if all agree."""
    con.execute("""create table within as select e.stay, e.source, e.item, e.s, e.number, e.text,
        coalesce(lower(replace(e.unit, ' ', '')), '') as unit from events e join stays using (stay)
        where s >= 0 and s < 86400 and (length is null or s <= length)""")
    con.execute("drop table events; alter table within rename to events")
    ours = con.execute(f"select * from read_parquet('{features}')")
    header = [c[0] for c in ours.description]
    ours = ours.fetchall()
    records = [r[header.index("record_id")] for r in ours]
    n = con.execute("select count(*) from stays").fetchone()[0]
    wrong, compared, used = [], 0, set()
    if n != len(records) or len(set(records)) != n:
        wrong.append(f"{len(records)} records, {n} in SQL")

    def compare(column, truth):
        nonlocal compared
        at = header.index(column)
        for record, row in zip(records, ours):
            a, b = row[at], truth.get(record)
            compared += 1
            if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
                equal = a == b
            else:
                equal = abs(a - b) <= tolerance * max(1.0, abs(b))
            if not equal:
                wrong.append(f"{column}: record {record}: cohort-flow {a!r}, SQL {b!r}")

    names = sorted(concepts, key=len, reverse=True)
    for column in header:
        name = next((c for c in names if column == c or column.startswith(c + "_")), None)
        if name is None or column in (facts or {}):
            continue
        aggregate = column[len(name) + 1:] or {"urine_output": "sum", "height": "last"}.get(name, "mean")
        if aggregate not in SQL:
            continue
        truth = dict(con.execute(f"""with v as ({accepted(name, concepts[name])}),
            best as (select *, min(rank) over (partition by stay) as wanted from v),
            kept as (select *, min(s) over (partition by stay) as s_first, max(s) over (partition by stay) as s_last
                       from best where rank = wanted)
            select stay, {SQL[aggregate]} from kept group by stay""").fetchall())
        if aggregate == "count":
            truth = {record: float(truth.get(record, 0)) for record in records}
        if name in ABSENT:
            # An entry that cannot be used is not the absence of one.
            items = ", ".join(f"'{item}'" for _, found, _, _ in concepts[name][2] for item in found)
            charted = {r[0] for r in con.execute(f"select distinct stay from events where item in ({items})").fetchall()}
            truth = {record: truth.get(record, None if record in charted else 0.0) for record in records}
        used.add(name)
        compare(column, truth)
    for column, query in (facts or {}).items():
        if column in header:
            used.add(column)
            compare(column, dict(con.execute(query).fetchall()))
    print(f"{len(used)} concepts of {len(records)} records, {compared} values compared, {len(wrong)} differ by more than "
          f"{tolerance}")
    for line in wrong[:40]:
        print(line)
    if len(used) < least:
        print(f"only {len(used)} concepts, {least} wanted")
    sys.exit(1 if wrong or len(used) < least else 0)


# Where nobody charted an infusion, its rate is 0; set by the scripts of databases where that holds.
ABSENT = set()

# Ranges of the concepts, written down once for all databases.
RANGES = {
    "heart_rate": (10, 300), "sbp": (20, 300), "dbp": (5, 225), "map": (10, 250), "resp_rate": (1, 120),
    "spo2": (20, 100), "temperature": (25, 45), "fio2": (0.21, 1), "peep": (0, 40), "urine_output": (0, 5000),
    "tidal_volume_observed": (20, 2500), "minute_volume": (0, 60), "weight": (20, 350), "height": (100, 250),
    "glucose": (10, 2500), "glucose_fingerstick": (10, 2500), "sodium": (90, 200), "potassium": (1, 15),
    "chloride": (50, 175), "bicarbonate": (2, 65), "anion_gap": (-5, 60), "bun": (1, 300), "creatinine": (0.05, 30),
    "calcium": (2, 25), "magnesium": (0.2, 20), "phosphate": (0.2, 25), "albumin": (0.5, 7), "alt": (1, 25000),
    "ast": (1, 35000), "alp": (3, 6000), "bilirubin_total": (0.05, 90), "bilirubin_direct": (0, 70),
    "troponin_i": (0, 1000), "lactate": (0.1, 40), "ph": (6.5, 8), "pao2": (10, 800), "paco2": (5, 250),
    "base_excess": (-50, 50), "wbc": (0, 600), "hemoglobin": (1, 26), "hematocrit": (3, 75), "platelets": (1, 2500),
    "rbc": (0.3, 12), "mcv": (40, 160), "mch": (10, 60), "mchc": (15, 50), "rdw": (8, 45), "neutrophils": (0, 100),
    "lymphocytes": (0, 100), "inr": (0.4, 30), "ptt": (10, 200), "fibrinogen": (10, 2000), "etco2": (3, 110),
    "sao2": (20, 100), "total_protein": (1, 15), "cholesterol_total": (20, 1000), "cholesterol_hdl": (2, 200),
    "cholesterol_ldl": (2, 700), "triglycerides": (10, 10000), "hba1c": (2, 25),
    "norepinephrine_rate": (0, 5), "phenylephrine_rate": (0, 20),
}


def concepts(**sources):
    """Concepts by name, each with its range and its sources."""
    return {name: (*RANGES[name], found) for name, found in sources.items()}


# Laboratory items of MIMIC-III and MIMIC-IV with their units.
LAB = {
    "glucose": ([50931, 50809], same("mg/dl")), "sodium": ([50983, 50824], same("meq/l", "mmol/l")),
    "potassium": ([50971, 50822], same("meq/l", "mmol/l")), "chloride": ([50902, 50806], same("meq/l", "mmol/l")),
    "bicarbonate": ([50882, 50803], same("meq/l", "mmol/l")), "anion_gap": ([50868], same("meq/l", "mmol/l")),
    "bun": ([51006], same("mg/dl")), "creatinine": ([50912], same("mg/dl")), "calcium": ([50893], same("mg/dl")),
    "magnesium": ([50960], same("mg/dl")), "phosphate": ([50970], same("mg/dl")), "albumin": ([50862], same("g/dl")),
    "alt": ([50861], same("iu/l", "u/l")), "ast": ([50878], same("iu/l", "u/l")), "alp": ([50863], same("iu/l", "u/l")),
    "bilirubin_total": ([50885], same("mg/dl")), "lactate": ([50813], same("meq/l", "mmol/l")),
    "ph": ([50820], same("units")), "pao2": ([50821], same("mmhg")), "paco2": ([50818], same("mmhg")),
    "base_excess": ([50802], same("meq/l", "mmol/l")), "wbc": ([51301, 51300], same("k/ul")),
    "hemoglobin": ([51222, 50811], same("g/dl")), "hematocrit": ([51221, 50810], same("%")), "rbc": ([51279], same("m/ul")),
    "mcv": ([51250], same("fl")), "rdw": ([51277], same("%")), "neutrophils": ([51256], same("%")),
    "lymphocytes": ([51244], same("%")), "inr": ([51237], None), "ptt": ([51275], same("sec")),
    "fibrinogen": ([51214], same("mg/dl")), "mch": ([51248], same("pg")), "mchc": ([51249], same("%", "g/dl")),
}

# Chart items of MIMIC-IV with their units and ranks.
CHART = {
    "heart_rate": [([220045], same("bpm"), 0)],
    "sbp": [([220050, 225309], same("mmhg"), 0), ([220179, 224167, 227243], same("mmhg"), 1)],
    "dbp": [([220051, 225310], same("mmhg"), 0), ([220180, 224643, 227242], same("mmhg"), 1)],
    "map": [([220052, 225312], same("mmhg"), 0), ([220181], same("mmhg"), 1)],
    "resp_rate": [([220210, 224690], same("insp/min"), 0)], "spo2": [([220277], same("%"), 0)],
    "temperature": [([223762], same("°c"), 0), ([223761], {"°f": F}, 0)], "fio2": [([223835], FRACTION, 0)],
    "peep": [([220339], same("cmh2o"), 0)], "tidal_volume_observed": [([224685], same("ml"), 0)],
    "minute_volume": [([224687], same("l/min"), 0)], "glucose_fingerstick": [([225664], same("mg/dl"), 0)],
    "weight": [([226512, 224639], same("kg"), 0), ([226531], {"": (0.45359237, 0.0)}, 1)],
}
OUTPUT = [226557, 226558, 226559, 226560, 226561, 226563, 226564, 226565, 226567, 226584, 227489]
