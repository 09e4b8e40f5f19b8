"""Recomputes the features of `pipeline.toml` in SQL (DuckDB) and compares them with `features.parquet`.

    python check.py EXTRACT FEATURES [--tolerance 1e-9]

EXTRACT is the folder of the MIMIC-III demo, FEATURES the bundle's `features.parquet`. Needs DuckDB 1.0 or later
(`python -m venv .venv && .venv/bin/pip install duckdb`). Exit code 0: equal; 1: a difference; 2: cannot run.

Nothing here comes from cohort-flow: items, units, ranges and texts are stated again from the tables' documentation
and D_ITEMS, and every aggregate is a SQL aggregate over doubles.
"""

import sys

try:
    import duckdb
except ImportError:
    print("cannot run: no module duckdb", file=sys.stderr)
    sys.exit(2)

HOURS = 24

# --- facts: (table, items, {unit: (scale, offset)}, rank); None as unit: whatever the unit column says -------------


def chart(items, units=None, rank=0):
    return ("chart", items, units, rank)


def lab(items, units=None, rank=0):
    return ("lab", items, units, rank)


def same(*units):
    return {u: (1.0, 0.0) for u in units}


F = (5.0 / 9.0, -160.0 / 9.0)
KPA = {"kpa": (7.500617, 0.0)}
MMOL = lambda factor: {"mg/dl": (1.0, 0.0), "mmol/l": (factor, 0.0)}

FACTS = {
    "heart_rate": (10, 300, [chart([211, 220045], same("bpm"))]),
    # A stay with an arterial line is described by the line alone.
    "sbp": (20, 300, [chart([51, 6701, 220050, 225309], same("mmhg") | KPA, 0),
                      chart([455, 442, 220179, 224167, 227243], same("mmhg") | KPA, 1)]),
    "dbp": (5, 225, [chart([8368, 8555, 220051, 225310], same("mmhg") | KPA, 0),
                     chart([8441, 8440, 220180, 224643, 227242], same("mmhg") | KPA, 1)]),
    "map": (10, 250, [chart([52, 6702, 220052, 225312], same("mmhg") | KPA, 0),
                      chart([456, 443, 220181], same("mmhg") | KPA, 1)]),
    "resp_rate": (1, 120, [chart([618, 615, 220210, 224690], same("bpm", "insp/min"))]),
    "spo2": (20, 100, [chart([646, 220277], same("%"))]),
    # 677 is computed from 678 and 679 from 676: `MIRRORS` removes them where their original is charted.
    "temperature": (25, 45, [chart([676, 677], same("deg.c")), chart([678, 679], {"deg.f": F}),
                             chart([223762], same("?c", "°c")), chart([223761], {"?f": F, "°f": F})]),
    "weight": (20, 350, [chart([762, 763, 3580, 3693, 226512, 224639],
                               same("kg") | {"lb": (0.45359237, 0.0), "lbs": (0.45359237, 0.0)}, 0),
                         chart([226531], {None: (0.45359237, 0.0)}, 1)]),
    "height": (100, 250, [chart([920, 1394, 226707], {"inches": (2.54, 0.0), "inch": (2.54, 0.0), "cm": (1.0, 0.0)})]),
    "cvp": (-10, 50, [chart([113, 220074], same("mmhg") | {"cmh2o": (0.735559, 0.0)})]),
    "peep": (0, 40, [chart([506, 220339], same("cmh2o"))]),
    "glucose": (10, 2500, [lab([50931, 50809], MMOL(18.0156))]),
    "glucose_fingerstick": (10, 2500, [chart([807, 225664], MMOL(18.0156))]),
    "sodium": (90, 200, [lab([50983, 50824], same("meq/l", "mmol/l"))]),
    "potassium": (1, 15, [lab([50971, 50822], same("meq/l", "mmol/l"))]),
    "chloride": (50, 175, [lab([50902, 50806], same("meq/l", "mmol/l"))]),
    "bicarbonate": (2, 65, [lab([50882, 50803], same("meq/l", "mmol/l"))]),
    "bun": (1, 300, [lab([51006], MMOL(2.8013))]),
    "creatinine": (0.05, 30, [lab([50912], same("mg/dl") | {"umol/l": (0.0113122, 0.0)})]),
    "lactate": (0.1, 40, [lab([50813], same("meq/l", "mmol/l") | {"mg/dl": (0.111012, 0.0)})]),
    "ph": (6.5, 8, [lab([50820], same("units"))]),
    "pao2": (10, 800, [lab([50821], same("mmhg") | KPA)]),
    "paco2": (5, 250, [lab([50818], same("mmhg") | KPA)]),
    "base_excess": (-50, 50, [lab([50802], same("meq/l", "mmol/l"))]),
    "wbc": (0, 600, [lab([51301, 51300], same("k/ul", "10^9/l"))]),
    "hemoglobin": (1, 26, [lab([51222, 50811], same("g/dl") | {"g/l": (0.1, 0.0), "mmol/l": (1.6114, 0.0)})]),
    "platelets": (1, 2500, [lab([51265], same("k/ul", "10^9/l"))]),
    "inr": (0.4, 30, [lab([51237])]),
    "troponin_t": (0, 60, [lab([51003], same("ng/ml") | {"ng/l": (0.001, 0.0)})]),
    "bilirubin_total": (0.05, 90, [lab([50885], same("mg/dl") | {"umol/l": (0.0584795, 0.0)})]),
    "crp": (0, 800, [lab([50889], same("mg/l") | {"mg/dl": (10.0, 0.0)})]),
    "fio2": (0.21, 1, [chart([190, 3420, 3422, 223835], None, 0), lab([50816], None, 1)]),
    "gcs_eye": (1, 4, [chart([184, 220739])]),
    "gcs_verbal": (1, 5, [chart([723, 223900])]),
    "gcs_motor": (1, 6, [chart([454, 223901])]),
    "capillary_refill": (0, 1, [chart([115, 3348, 8377, 223951, 224308])]),
    "norepinephrine_rate": (0, 5, [("cv", [30120], same("mcgkgmin"), 0), ("mv", [221906], same("mcg/kg/min"), 0)]),
    "vasopressin_rate": (0, 0.2, [("cv", [30051], {"umin": (1.0, 0.0), "uhr": (1 / 60, 0.0)}, 0),
                                  ("mv", [222315], {"units/hour": (1 / 60, 0.0), "units/min": (1.0, 0.0)}, 0)]),
    "urine_output": (0, 5000, [("output", [40055, 43175, 40069, 40094, 40715, 40473, 40085, 40057, 40056, 40405, 40428,
                                           40096, 40651, 226559, 226560, 226561, 226584, 226563, 226564, 226565,
                                           226567, 226557, 226558, 227489], same("ml"), 0),
                               ("output", [227488], {"ml": (-1.0, 0.0)}, 0)]),
}

# Texts that are the result; anything else is not one ("ET/Trach" says nothing of the brain).
SCORES = {
    "gcs_eye": {"1 no response": 1, "none": 1, "2 to pain": 2, "to pain": 2, "3 to speech": 3, "to speech": 3,
                "4 spontaneously": 4, "spontaneously": 4},
    "gcs_verbal": {"1 no response": 1, "no response": 1, "2 incomp sounds": 2, "incomprehensible sounds": 2,
                   "3 inapprop words": 3, "inappropriate words": 3, "4 confused": 4, "confused": 4,
                   "5 oriented": 5, "oriented": 5},
    "gcs_motor": {"1 no response": 1, "no response": 1, "2 abnorm extensn": 2, "abnormal extension": 2,
                  "3 abnorm flexion": 3, "abnormal flexion": 3, "4 flex-withdraws": 4, "flex-withdraws": 4,
                  "5 localizes pain": 5, "localizes pain": 5, "6 obeys commands": 6, "obeys commands": 6},
    "capillary_refill": {"normal <3 secs": 0, "normal <3 seconds": 0, "brisk": 0,
                         "abnormal >3 secs": 1, "abnormal >3 seconds": 1, "delayed": 1},
}
CENSORED = {"troponin_t", "crp", "platelets"}
MIRRORS = {677: 678, 679: 676}
# Absence of an infusion is its rate 0.
ABSENT = {"norepinephrine_rate": 0.0, "vasopressin_rate": 0.0}

# (variable, aggregate) by the name of the column.
COLUMNS = {
    "heart_rate": "mean", "heart_rate_max": "max", "heart_rate_count": "count", "heart_rate_std": "std",
    "heart_rate_median": "median", "heart_rate_slope": "slope", "sbp": "mean", "sbp_min": "min", "dbp": "mean",
    "map": "mean", "map_last": "last", "resp_rate": "mean", "resp_rate_max": "max", "spo2_min": "min",
    "temperature": "mean", "temperature_max": "max", "gcs_eye_min": "min", "gcs_verbal_min": "min",
    "gcs_motor": "last", "capillary_refill": "max", "fio2_max": "max", "fio2_first": "first",
    "weight_first": "first", "height": "last", "cvp": "mean", "peep_max": "max", "urine_output": "sum",
    "urine_output_count": "count", "glucose": "mean", "glucose_fingerstick_max": "max", "sodium": "mean",
    "potassium_min": "min", "chloride": "mean", "bicarbonate_min": "min", "bun_max": "max", "creatinine_last": "last",
    "lactate_max": "max", "lactate_time_since_last": "since", "ph_min": "min", "pao2": "mean", "paco2": "mean",
    "base_excess_min": "min", "wbc": "mean", "hemoglobin_min": "min", "platelets": "mean", "inr_max": "max",
    "troponin_t_max": "max", "bilirubin_total_max": "max", "crp": "mean", "norepinephrine_rate_max": "max",
    "vasopressin_rate_max": "max",
}

SQL = {
    "mean": "avg(x)", "min": "min(x)", "max": "max(x)", "sum": "sum(x)", "count": "count(*)",
    "median": "median(x)", "std": "stddev_samp(x)",
    "first": "avg(x) filter (t = t_first)", "last": "avg(x) filter (t = t_last)",
    "slope": "regr_slope(x, epoch(t - intime) / 3600)",
    "since": "epoch(least(intime + interval 24 hour, any_value(outtime)) - max(t)) / 3600",
}


def views(con, extract):
    for table in ["ICUSTAYS", "PATIENTS", "ADMISSIONS", "CHARTEVENTS", "LABEVENTS", "OUTPUTEVENTS",
                  "INPUTEVENTS_CV", "INPUTEVENTS_MV"]:
        con.execute(f"""create table {table} as select * from read_csv('{extract}/{table}.csv.gz', header = true,
                    delim = ',', quote = '"', escape = '"', all_varchar = true, nullstr = '')""")
    con.execute("""create table stays as select icustay_id as stay, subject_id as subject, hadm_id as hadm,
                   intime::timestamp as intime, outtime::timestamp as outtime from ICUSTAYS""")
    # Of overlapping stays the later one holds an event that names none.
    by_time = """(select s.stay from stays s where s.subject = e.subject_id and e.t between s.intime and s.outtime
                  order by s.intime desc, s.stay::bigint limit 1)"""
    unit = "coalesce(nullif(lower(replace({}, ' ', '')), ''), '')"
    con.execute(f"""create table events as
        with e as (
            select 'chart' as source, icustay_id, subject_id, itemid::int as item, charttime::timestamp as t,
                   valuenum::double as number, value as text, {unit.format('valueuom')} as unit
              from CHARTEVENTS where error is distinct from '1'
            union all
            select 'lab', null, subject_id, itemid::int, charttime::timestamp, valuenum::double, value,
                   {unit.format('valueuom')} from LABEVENTS
            union all
            select 'output', icustay_id, subject_id, itemid::int, charttime::timestamp, value::double, null,
                   {unit.format('valueuom')} from OUTPUTEVENTS where iserror is distinct from '1'
            union all
            select 'cv', icustay_id, subject_id, itemid::int, charttime::timestamp, rate::double, null,
                   {unit.format('rateuom')} from INPUTEVENTS_CV
            union all
            -- An order that runs on when the stay begins counts from there.
            select 'mv', icustay_id, subject_id, itemid::int, starttime::timestamp, rate::double, null,
                   {unit.format('rateuom')} from INPUTEVENTS_MV where statusdescription is distinct from 'Rewritten'
        ), placed as (select *, coalesce(icustay_id, {by_time}) as stay from e)
        select p.*, s.intime, s.outtime from placed p join stays s using (stay)
         where t >= intime and t < intime + interval {HOURS} hour and t <= outtime""")


def values(con, name):
    """Accepted values of a variable, one row each: stay, t, x, rank."""
    low, high, sources = FACTS[name]
    parts = []
    for source, items, units, rank in sources:
        listed = ", ".join(str(i) for i in items)
        number = "number"
        if name in SCORES:
            cases = " ".join("when '{}' then {}".format(t.replace("'", "''"), x) for t, x in SCORES[name].items())
            number = f"""case lower(trim(text)) {cases} else case when text is null or trim(text) in
                         ({', '.join(f"'{x}'" for x in sorted(set(SCORES[name].values())))})
                         then coalesce(number, try_cast(trim(text) as double)) end end"""
        if name in CENSORED:
            number = r"""case when regexp_matches(text, '^\s*(<=?|(?i:less than))\s*[0-9.]+\**\s*$')
                         then regexp_extract(text, '([0-9.]+)', 1)::double / 2 else number end"""
        if name == "fio2":
            x = "case when number <= 1 then number when number between 21 and 100 then number / 100 end"
        elif units is None:
            x = number
        else:
            # A missing unit is the first one listed: the item says which it is.
            default = next(iter(units.values()))
            cases = " ".join(f"when '{u}' then ({number}) * {s!r} + {o!r}" for u, (s, o) in units.items() if u)
            cases += f" when '' then ({number}) * {default[0]!r} + {default[1]!r}"
            rest = f"else ({number}) * {units[None][0]!r}" if None in units else ""
            x = f"case unit {cases} {rest} end"
        mirrors = [m for m in items if m in MIRRORS]
        lone = " and ".join(
            f"""not (item = {m} and exists (select 1 from events o where o.stay = v.stay and o.t = v.t
                 and o.item = {MIRRORS[m]}))""" for m in mirrors) or "true"
        size = "abs(x)" if source == "output" else "x"
        parts.append(f"""select stay, t, x, {rank} as rank, intime, outtime from
            (select *, {x} as x from events v where source = '{source}' and item in ({listed}) and {lone})
            where {size} between {low} and {high}""")
    return " union all ".join(parts)


def expected(con, name, aggregate):
    rows = con.execute(f"""
        with v as ({values(con, name)}),
             best as (select *, min(rank) over (partition by stay) as wanted from v),
             kept as (select *, min(t) over (partition by stay) as t_first, max(t) over (partition by stay) as t_last
                        from best where rank = wanted)
        select stay, {SQL[aggregate].replace('filter (', 'filter (where ')} from kept group by stay, intime
        """).fetchall()
    return dict(rows)


def main():
    extract, features = sys.argv[1], sys.argv[2]
    tolerance = float(sys.argv[sys.argv.index("--tolerance") + 1]) if "--tolerance" in sys.argv else 1e-9
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    views(con, extract)
    ours = con.execute(f"select * from read_parquet('{features}') order by record_id::bigint")
    header = [c[0] for c in ours.description]
    ours = ours.fetchall()
    stays = [r[header.index("record_id")] for r in ours]
    n_stays = con.execute("select count(*) from stays").fetchone()[0]
    wrong = []
    if len(stays) != n_stays:
        wrong.append(f"{len(stays)} records, {n_stays} stays")
    compared = 0

    def compare(column, truth, exact=False):
        nonlocal compared
        at = header.index(column)
        for stay, row in zip(stays, ours):
            a, b = row[at], truth.get(stay)
            compared += 1
            same_value = a == b if exact or a is None or b is None else abs(a - b) <= tolerance
            if not same_value:
                wrong.append(f"{column}: stay {stay}: cohort-flow {a!r}, SQL {b!r}")

    for column, aggregate in COLUMNS.items():
        variable = next(v for v in sorted(FACTS, key=len, reverse=True) if column == v or column.startswith(v + "_"))
        truth = expected(con, variable, aggregate)
        if aggregate == "count":
            truth = {s: float(truth.get(s, 0)) for s in stays}
        if variable in ABSENT:
            truth = {s: truth.get(s, ABSENT[variable]) for s in stays}
        compare(column, truth)

    # Whole years by the calendar, and the share of the running year since the last birthday.
    compare("age", dict(con.execute("""
        with b as (select stay, intime::timestamp as start, dob::date as born,
                   datesub('year', dob::date, intime::timestamp::date) as whole from stays join PATIENTS p on p.subject_id = subject),
             y as (select *, (born + to_years(whole::int))::date as last, (born + to_years(whole::int + 1))::date as next from b)
        select stay, case when whole >= 90 then 91.4 else whole + (epoch(start) - epoch(last)) / (epoch(next) - epoch(last)) end
          from y""").fetchall()))
    compare("gender", dict(con.execute("""select stay, case gender when 'F' then 'female' when 'M' then 'male' end
        from stays join PATIENTS p on p.subject_id = subject""").fetchall()), exact=True)
    compare("admission_type", dict(con.execute("""select stay, lower(admission_type) from stays
        join ADMISSIONS a on a.hadm_id = hadm""").fetchall()), exact=True)

    variables = len({next(v for v in sorted(FACTS, key=len, reverse=True) if c.startswith(v)) for c in COLUMNS}) + 3
    print(f"{variables} variables, {len(COLUMNS) + 3} columns, {len(stays)} stays, {compared} values compared, "
          f"{len(wrong)} differ by more than {tolerance}")
    for line in wrong[:40]:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
