#!/usr/bin/env python3
"""MEDS files of MIMIC-IV: concepts of all ICU stays recomputed in DuckDB from the events.

    cohort-flow ingest tests/duckdb/concepts.toml --input FOLDER --output out/bundle
    tests/duckdb/meds.py EVENTS.parquet out/bundle/features.parquet

Checked with duckdb 1.4 on the demo, reduced to five columns.
"""

import sys

import common
from common import CHART, FRACTION, LAB, OUTPUT, concepts, same

con = common.connect()
con.execute(f"create table m as select * from read_parquet('{sys.argv[1]}')")
value = "numeric_value" if "numeric_value" in [c[0] for c in con.execute("describe m").fetchall()] else "value"
con.execute("""create table stays as
    with a as (select subject_id, time, row_number() over (partition by subject_id order by time) as k,
                      lead(time) over (partition by subject_id order by time) as following
                 from m where code like 'ICU_ADMISSION%'),
         d as (select subject_id, time from m where code like 'ICU_DISCHARGE%')
    select a.subject_id || '-' || k as stay, a.subject_id as subject, a.time as start, stop,
           epoch(stop) - epoch(a.time) as length
      from (select a.*, (select min(d.time) from d where d.subject_id = a.subject_id and d.time >= a.time
                         and (a.following is null or d.time < a.following)) as stop from a) a""")
con.execute(f"""create table events as
    with e as (select subject_id, time as t, {value}::double as number,
                      case when code like 'LAB//%' then 'lab' else 'output' end as source,
                      split_part(code, '//', 2) as item, nullif(split_part(code, '//', 3), 'UNK') as unit
                 from m where code like 'LAB//%' or code like 'SUBJECT_FLUID_OUTPUT//%'),
         placed as (select *, (select s.stay from stays s where s.subject = e.subject_id and e.t between s.start and s.stop
                               order by s.start desc, s.stay limit 1) as stay from e)
    select stay, source, item, case when item = '227488' then -number else number end as number, null as text, unit,
           epoch(t) - epoch(start) as s from placed join stays using (stay)""")
facts = {name: [("lab", items, units, 0)] for name, (items, units) in LAB.items()}
facts |= {name: [("lab", *found) for found in sources] for name, sources in CHART.items()}
facts["fio2"] += [("lab", [50816], FRACTION, 1)]
facts["urine_output"] = [("output", OUTPUT + [227488], same("ml"), 0)]
common.check(con, sys.argv[2], concepts(**facts), {
    "gender": """select stay, case code when 'GENDER//F' then 'female' when 'GENDER//M' then 'male' end from stays
                 join m on subject_id = subject where code like 'GENDER//%'""",
})
