#!/usr/bin/env python3
"""MIMIC-IV: concepts of all ICU stays recomputed in DuckDB from the CSV files.

    cohort-flow ingest tests/duckdb/concepts.toml --input EXTRACT --output out/bundle
    tests/duckdb/mimic4.py EXTRACT out/bundle/features.parquet

Checked with duckdb 1.4 on the open demo 2.2, whose chartevents lie in icu-derived/.
"""

import glob
import sys

import common
from common import CHART, FRACTION, LAB, OUTPUT, concepts, same

extract, features = sys.argv[1], sys.argv[2]
con = common.connect()
for table, path in [("icustays", "icu"), ("patients", "hosp"), ("labevents", "hosp"), ("outputevents", "icu"),
                    ("inputevents", "icu")]:
    common.read(con, table, f"{extract}/{path}/{table}.csv.gz")
common.read(con, "chartevents", glob.glob(f"{extract}/icu*/chartevents.csv.gz")[0])
con.execute("""create table stays as select stay_id as stay, subject_id as subject, intime::timestamp as start,
               outtime::timestamp as stop, epoch(outtime::timestamp) - epoch(intime::timestamp) as length from icustays""")
# A laboratory result is of the stay during which it was drawn; of overlapping ones, of the later.
con.execute("""create table events as
    with e as (
        select 'chart' as source, itemid as item, stay_id, subject_id, charttime::timestamp as t, null::timestamp as until,
               valuenum::double as number, value as text, valueuom as unit from chartevents
        union all
        select 'lab', itemid, null, subject_id, charttime::timestamp, null, valuenum::double, value, valueuom from labevents
        union all
        select 'output', itemid, stay_id, subject_id, charttime::timestamp, null,
               case when itemid = '227488' then -value::double else value::double end, null, valueuom from outputevents
        union all
        select 'input', itemid, stay_id, subject_id, starttime::timestamp, endtime::timestamp, rate::double, null, rateuom
          from inputevents where statusdescription is distinct from 'Rewritten'
    ), placed as (select *, coalesce(stay_id, (select s.stay from stays s where s.subject = e.subject_id
        and e.t between s.start and s.stop order by s.start desc, s.stay::bigint limit 1)) as stay from e)
    select p.stay, source, item, number, text, unit,
           -- What runs on when the stay begins counts from there.
           case when source = 'input' and t < start and until > start then 0 else epoch(t) - epoch(start) end as s
      from placed p join stays using (stay)""")
# A row without a number and with none in its text states nothing; a limit is no number.
con.execute("delete from events where source = 'lab' and text like '<%' or text like '>%'")
facts = {name: [("lab", items, units, 0)] for name, (items, units) in LAB.items()}
facts |= {name: [("chart", *found) for found in sources] for name, sources in CHART.items()}
facts["fio2"] += [("lab", [50816], FRACTION, 1)]
facts["urine_output"] = [("output", OUTPUT + [227488], same("ml"), 0)]
facts["norepinephrine_rate"] = [("input", [221906], same("mcg/kg/min"), 0)]
facts["phenylephrine_rate"] = [("input", [221749], same("mcg/kg/min"), 0)]
common.ABSENT.update({"norepinephrine_rate", "phenylephrine_rate"})
common.check(con, features, concepts(**facts), {
    "age": """select stay, case when years >= 90 then 91.4 else years::double end::double from (select stay, anchor_age::int + year(start)
              - anchor_year::int as years from stays join patients on subject_id = subject)""",
    "gender": """select stay, case gender when 'F' then 'female' when 'M' then 'male' end from stays
                 join patients on subject_id = subject""",
})
