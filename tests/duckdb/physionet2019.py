#!/usr/bin/env python3
"""PhysioNet/CinC Challenge 2019: concepts of all patients recomputed in DuckDB from the table of hours.

    cohort-flow ingest tests/duckdb/concepts.toml --input TABLE --output out/bundle
    tests/duckdb/physionet2019.py TABLE out/bundle/features.parquet

Checked with duckdb 1.4 on the first 10,000 patients of set B.
"""

import sys

import common
from common import FRACTION, concepts

COLUMNS = {
    "heart_rate": "HR", "spo2": "O2Sat", "temperature": "Temp", "sbp": "SBP", "map": "MAP", "dbp": "DBP", "resp_rate": "Resp",
    "etco2": "EtCO2", "base_excess": "BaseExcess", "bicarbonate": "HCO3", "ph": "pH", "paco2": "PaCO2", "sao2": "SaO2",
    "ast": "AST", "bun": "BUN", "alp": "Alkalinephos", "calcium": "Calcium", "chloride": "Chloride",
    "creatinine": "Creatinine", "bilirubin_direct": "Bilirubin_direct", "glucose": "Glucose", "lactate": "Lactate",
    "magnesium": "Magnesium", "phosphate": "Phosphate", "potassium": "Potassium", "bilirubin_total": "Bilirubin_total",
    "troponin_i": "TroponinI", "hematocrit": "Hct", "hemoglobin": "Hgb", "ptt": "PTT", "wbc": "WBC",
    "fibrinogen": "Fibrinogen", "platelets": "Platelets",
}
con = common.connect()
# As texts: types told from the first rows would round the fractions of later ones.
common.read(con, "h", sys.argv[1])
con.execute("create table stays as select distinct Patient::varchar as stay, null::double as length from h")
long = " union all ".join(
    f"select Patient::varchar as stay, 'hour' as source, '{c}' as item, (ICULOS::int - 1) * 3600.0 as s, {c}::double as number, "
    f"null as text, '' as unit from h where {c} is not null" for c in [*COLUMNS.values(), "FiO2"])
con.execute(f"create table events as {long}")
facts = {name: [("hour", [column], None, 0)] for name, column in COLUMNS.items()}
facts["fio2"] = [("hour", ["FiO2"], FRACTION, 0)]
common.check(con, sys.argv[2], concepts(**facts), {
    "age": "select Patient::varchar, any_value(Age::double) from h where ICULOS::int <= 24 group by 1",
    "gender": """select Patient::varchar, case any_value(Gender) when '0' then 'female' when '1' then 'male' end from h
                 where ICULOS::int <= 24 group by 1""",
})
