#!/usr/bin/env python3
"""OMOP CDM: concepts of all visits recomputed in DuckDB from the CSV files.

    cohort-flow ingest tests/duckdb/concepts.toml --input FOLDER --output out/bundle
    tests/duckdb/omop.py FOLDER out/bundle/features.parquet

Checked with duckdb 1.4 on Synthea27Nj 5.4 of OHDSI's Eunomia.
"""

import sys

import common
from common import concepts, same

folder = sys.argv[1]
con = common.connect()
for table in ["VISIT_OCCURRENCE", "PERSON", "MEASUREMENT"]:
    common.read(con, table, f"{folder}/{table}.csv")
con.execute("""create table stays as select visit_occurrence_id as stay, person_id as person,
    visit_start_datetime::timestamp as start, visit_end_datetime::timestamp as stop,
    epoch(visit_end_datetime::timestamp) - epoch(visit_start_datetime::timestamp) as length from VISIT_OCCURRENCE""")
con.execute("""create table events as
    select visit_occurrence_id as stay, 'm' as source, measurement_concept_id as item,
           epoch(measurement_datetime::timestamp) - epoch(start) as s, value_as_number::double as number, null as text,
           unit_source_value as unit
      from MEASUREMENT join stays on stay = visit_occurrence_id where operator_concept_id in ('0', '4172703')""")
K, G = same("10*3/ul"), same("mg/dl")
facts = {
    "heart_rate": ([3027018], same("/min")), "sbp": ([3004249], same("mm[hg]")), "dbp": ([3012888], same("mm[hg]")),
    "resp_rate": ([3024171], same("/min")), "temperature": ([3020891], same("cel")), "weight": ([3025315], same("kg")),
    "height": ([3036277], same("cm")), "sao2": ([3016502], same("%")), "glucose": ([3004501, 3000483], G),
    "sodium": ([3019550, 3000285], same("mmol/l")), "potassium": ([3023103, 3005456], same("mmol/l")),
    "chloride": ([3014576, 3018572], same("mmol/l")), "bicarbonate": ([3015632, 3014094], same("mmol/l")),
    "bun": ([3013682, 3004295], G), "creatinine": ([3016723, 3051825], G), "calcium": ([3006906, 3032503], G),
    "magnesium": ([3001420], G), "albumin": ([3024561], same("g/dl")), "total_protein": ([3020630], same("g/dl")),
    "alt": ([3006923], same("u/l")), "ast": ([3013721], same("u/l")), "alp": ([3035995], same("u/l")),
    "bilirubin_total": ([3024128], G), "wbc": ([3000905], K), "hemoglobin": ([3000963], same("g/dl")),
    "hematocrit": ([3023314, 3009542], same("%")), "platelets": ([3024929], K), "rbc": ([3020416], same("10*6/ul")),
    "mcv": ([3023599], same("fl")), "mch": ([3012030], same("pg")), "mchc": ([3009744], same("g/dl")),
    "rdw": ([3019897], same("%")), "cholesterol_total": ([3027114], G), "cholesterol_hdl": ([3007070], G),
    "cholesterol_ldl": ([3009966], G), "triglycerides": ([3022192], G), "hba1c": ([3004410], same("%")),
}
common.check(con, sys.argv[2], concepts(**{name: [("m", *found, 0)] for name, found in facts.items()}), {
    # Years by the calendar and the share of the year since the last birthday, as a fraction of that year.
    "age": """with p as (select person_id, make_date(year_of_birth::int, month_of_birth::int, day_of_birth::int) as born
                           from PERSON),
                   b as (select stay, start, born, date_diff('year', born, start::date)
                           - case when born + to_years(date_diff('year', born, start::date)::int) > start::date then 1 else 0
                             end as years from stays join p on person_id = person)
              select stay, case when years >= 90 then 91.4 else years + (epoch(start) - epoch((born + to_years(years::int))))
                     / (epoch(born + to_years((years + 1)::int)) - epoch(born + to_years(years::int))) end from b
               where start >= born""",
    "gender": """select stay, case gender_concept_id when '8532' then 'female' when '8507' then 'male' end from stays
                 join PERSON on person_id = person""",
})
