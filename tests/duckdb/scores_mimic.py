#!/usr/bin/env python3
"""MIMIC-III and MIMIC-IV: severity scores of all ICU stays recomputed in DuckDB from the CSV files.

    cohort-flow ingest tests/duckdb/scores.toml --input EXTRACT --output out/bundle
    tests/duckdb/scores_mimic.py EXTRACT out/bundle

Also the comorbidities of Elixhauser and Sepsis-3, and of MIMIC-IV amounts of fluids and pressures of outpatient visits:

    cohort-flow ingest tests/duckdb/infection.toml --input EXTRACT --output out/infection
    tests/duckdb/scores_mimic.py EXTRACT out/infection --infection

Checked with duckdb 1.4 and 2.0 on the open demos of MIMIC-III 1.4 and MIMIC-IV 2.2.
"""

import glob
import os
import sys

import common
import scores
from check import SCORES
from common import FRACTION, LAB, RANGES, F, same

extract, bundle = sys.argv[1], sys.argv[2]
is_four = os.path.isdir(f"{extract}/icu")
con = common.connect()


def file(name):
    found = glob.glob(f"{extract}/{name.upper()}.csv.gz") + glob.glob(f"{extract}/*/{name}.csv.gz")
    return found[0]


tables = ["icustays", "admissions", "patients", "chartevents", "labevents", "outputevents", "services", "diagnoses_icd"]
for name in tables + (["inputevents", "procedureevents"] if is_four else ["inputevents_cv", "inputevents_mv", "procedureevents_mv"]):
    common.read(con, name, file(name))
stay = "stay_id" if is_four else "icustay_id"
con.execute(f"""create table stays as select {stay} as stay, subject_id as subject, hadm_id as hadm, intime::timestamp as start,
                outtime::timestamp as stop, epoch(outtime::timestamp) - epoch(intime::timestamp) as length, los::double as los from icustays""")
mv, procedures = ("inputevents", "procedureevents") if is_four else ("inputevents_mv", "procedureevents_mv")
cv = "" if is_four else f"""union all select 'cv', {stay}, subject_id, itemid, charttime::timestamp, null, rate::double, null, rateuom from inputevents_cv"""
error = "" if is_four else "where error is distinct from '1'"
bad = "" if is_four else "where iserror is distinct from '1'"
con.execute(f"""create table raw as with e as (
        select 'chart' as source, {stay} as stay_id, subject_id, itemid, charttime::timestamp as t, null::timestamp as until,
               valuenum::double as number, value as text, valueuom as unit from chartevents {error}
        union all select 'lab', null, subject_id, itemid, charttime::timestamp, null, valuenum::double, value, valueuom from labevents
        union all select 'output', {stay}, subject_id, itemid, charttime::timestamp, null, value::double, null, valueuom from outputevents {bad}
        union all select 'input', {stay}, subject_id, itemid, starttime::timestamp, endtime::timestamp, rate::double, null, rateuom
          from {mv} where statusdescription is distinct from 'Rewritten'
        union all select 'procedure', {stay}, subject_id, itemid, starttime::timestamp, endtime::timestamp, 1.0, null, null
          from {procedures} where statusdescription is distinct from 'Rewritten' {cv}),
    -- A result without a stay is of the one during which it was drawn, else of the nearest.
    lone as (select distinct subject_id, t from e where stay_id is null),
    near as (select l.subject_id, l.t, arg_min(s.stay, (case when l.t between s.start and s.stop then 0 else 1 end,
                 case when l.t between s.start and s.stop then -epoch(s.start) when l.t < s.start then epoch(s.start) - epoch(l.t)
                      else epoch(l.t) - epoch(s.stop) end, s.stay::bigint)) as stay
               from lone l join stays s on s.subject = l.subject_id and l.t >= s.start - interval 7 day and l.t <= s.stop group by all),
    placed as (select e.*, coalesce(e.stay_id, near.stay) as stay from e left join near on e.stay_id is null
               and near.subject_id = e.subject_id and near.t = e.t)
    select distinct p.stay, source, itemid as item, epoch(t) - epoch(start) as s, epoch(until) - epoch(start) as until, number, text,
           coalesce(lower(replace(unit, ' ', '')), '') as unit from placed p join stays using (stay)""")

KG = {"kg": (1.0, 0.0), "lb": (0.45359237, 0.0), "lbs": (0.45359237, 0.0)}
KINDS = {
    "heart_rate": [("chart", [211, 220045], same("bpm"), 0)],
    "sbp": [("chart", [51, 6701, 220050, 225309], same("mmhg"), 0), ("chart", [455, 442, 220179, 224167, 227243], same("mmhg"), 1)],
    "map": [("chart", [52, 6702, 220052, 225312], same("mmhg"), 0), ("chart", [456, 443, 220181], same("mmhg"), 1)],
    "resp_rate": [("chart", [618, 615, 220210, 224690], same("bpm", "insp/min"), 0)],
    "spo2": [("chart", [646, 220277], same("%"), 0)],
    "temperature": [("chart", [676, 223762], same("deg.c", "?c", "°c"), 0), ("chart", [678, 223761], {"deg.f": F, "?f": F, "°f": F}, 0)],
    "fio2": [("chart", [190, 3420, 3422, 223835], FRACTION, 0), ("lab", [50816], FRACTION, 1)],
    "weight": [("chart", [762, 763, 3580, 3693, 226512, 224639], KG, 0), ("chart", [226531], {"": (0.45359237, 0.0)}, 1)],
    "urine_output": [("output", [40055, 43175, 40069, 40094, 40715, 40473, 40085, 40057, 40056, 40405, 40428, 40096, 40651, 226559,
                                 226560, 226561, 226584, 226563, 226564, 226565, 226567, 226557, 226558, 227489], same("ml"), 0),
                     ("output", [227488], {"ml": (-1.0, 0.0)}, 0)],
    "norepinephrine": [("cv", [30120], same("mcgkgmin"), 0), ("cv", [30047], {"none": (1.0, 0.0)}, 0), ("input", [221906], same("mcg/kg/min"), 0)],
    "epinephrine": [("cv", [30119, 30309], same("mcgkgmin"), 0), ("cv", [30044], {"none": (1.0, 0.0)}, 0), ("input", [221289], same("mcg/kg/min"), 0)],
    "phenylephrine": [("cv", [30128], same("mcgkgmin"), 0), ("cv", [30127], {"none": (1.0, 0.0)}, 0), ("input", [221749], same("mcg/kg/min"), 0)],
    "dopamine": [("cv", [30043, 30307], same("mcgkgmin"), 0), ("input", [221662], same("mcg/kg/min"), 0)],
    "dobutamine": [("cv", [30042, 30306], same("mcgkgmin"), 0), ("input", [221653], same("mcg/kg/min"), 0)],
    "vasopressin": [("cv", [30051], same("umin", "units/min") | {"uhr": (1 / 60, 0.0), "units/hour": (1 / 60, 0.0)}, 0),
                    ("input", [222315], same("units/min", "umin") | {"uhr": (1 / 60, 0.0), "units/hour": (1 / 60, 0.0)}, 0)],
    "procedure": [("procedure", [225792, 225794], None, 0)],
    "bands": [("lab", [51144], same("%"), 0)],
    "creatinine": [("lab", [50912], same("mg/dl") | {"umol/l": (0.0113122, 0.0)}, 0)],
    "bilirubin": [("lab", [50885], same("mg/dl"), 0)],
}
KINDS |= {k: [("lab", *LAB[k], 0)] for k in ["pao2", "paco2", "wbc", "bun", "sodium", "potassium", "bicarbonate"]}
KINDS["platelets"] = [("lab", [51265], same("k/ul"), 0)]
LIMITS = RANGES | {"epinephrine": (0, 5), "norepinephrine": (0, 5), "phenylephrine": (0, 20), "dopamine": (0, 60), "dobutamine": (0, 60),
                   "vasopressin": (0, 0.2), "procedure": (1, 1), "bands": (0, 100), "bilirubin": RANGES["bilirubin_total"]}
# Settings of the ventilator, each within its own range.
SETTINGS = [([506, 220339], same("cmh2o"), RANGES["peep"]), ([683, 224684], same("ml/b", "ml"), (50, 1500)),
            ([619, 224688], same("bpm", "insp/min"), (0, 80)), ([543, 224696], same("cmh2o"), (0, 80)),
            ([535, 224695], same("cmh2o"), (0, 90)), ([448, 450, 224687], same("l/min"), (0, 60))]


def rows(kind, source, items, units, rank, low, high, constant=None):
    listed = ", ".join(f"'{i}'" for i in items)
    if units == FRACTION:
        x = "case when number <= 1 then number when number between 21 and 100 then number / 100 end"
    elif units is None:
        x = "number"
    else:
        scale, offset = next(iter(units.values()))
        empty = "" if "none" in units else f"when '' then number * {scale!r} + {offset!r}"
        cases = " ".join(f"when '{u}' then number * {s!r} + {o!r}" for u, (s, o) in units.items() if u)
        x = f"case unit {empty} {cases} end"
    if kind == "platelets":
        x = f"case when text like '<%' then try_cast(trim(text[2:]) as double) / 2 when text like '>%' then null else ({x}) end"
    elif source == "lab":
        x = f"case when regexp_matches(coalesce(text, ''), '^(<|>|(?i)less|(?i)greater)') then null else ({x}) end"
    size = "abs(x)" if kind == "urine_output" else "x"
    accepted = f"case when {size} between {low} and {high} then {constant or 'x'} end"
    return f"""select stay, '{kind}' as kind, s, until, {accepted} as x, {rank} as rank
               from (select *, {x} as x from raw where source = '{source}' and item in ({listed}))"""


parts = [rows(kind, *source, *LIMITS[kind]) for kind, sources in KINDS.items() for source in sources]
parts += [rows("setting", "chart", items, units, 0, *limits, constant="1") for items, units, limits in SETTINGS]
for kind, items in [("gcs_eye", "'184', '220739'"), ("gcs_verbal", "'723', '223900'"), ("gcs_motor", "'454', '223901'")]:
    cases = " ".join("when '{}' then {}".format(t.replace("'", "''"), x) for t, x in SCORES[kind].items())
    top = max(SCORES[kind].values())
    parts.append(f"""select stay, '{kind}', s, until, coalesce(case lower(trim(text)) {cases} end, case when
        coalesce(try_cast(text as double), case when text is null then number end) in ({', '.join(str(i) for i in range(1, top + 1))})
        then coalesce(try_cast(text as double), number) end), 0 from raw where source = 'chart' and item in ({items})""")
parts.append("""select stay, 'gcs_tube', s, until, case when lower(trim(text)) in ('1.0 et/trach', 'no response-ett') then 1
    when text is null and number in (0, 1) then number when lower(trim(text)) in ({}) then 0 end, 0
    from raw where source = 'chart' and item in ('723', '223900')""".format(", ".join(f"'{t}'" for t in SCORES["gcs_verbal"])))
con.execute("create table every as " + " union all ".join(parts))
# A stay that has a value by a better source in the window ignores those of others.
con.execute("""create table events as with best as (select stay, kind, min(rank) as best from every join stays using (stay)
        where x is not null and s >= 0 and s < 86400 and s <= length group by all)
    select stay, kind, s, until, x from every left join best using (stay, kind) where best is null or rank = best or x is null""")

# --- facts of the admission ---
version = "icd_version" if is_four else "'9'"
code = "icd_code" if is_four else "icd9_code"
con.execute(f"create table icd as select hadm_id as hadm, {version} as v, trim({code}) as c from diagnoses_icd where {code} is not null")


def coded(nine, ten):
    """Admissions with a code that begins so; in each part `A-B` a span of codes of one length."""
    def test(text):
        tests = []
        for part in text.split():
            low, _, high = part.partition("-")
            n = len(low)
            # C7A and C7B lie between C77 and C80 in the order of texts, and in none of the lists.
            tests.append(f"(left(c, {n}) between '{low}' and '{high or low}' and regexp_full_match(c[2:{n}], '[0-9]*'))")
        return " or ".join(tests)
    return f"(select hadm from icd where (v = '9' and ({test(nine)})) or (v = '10' and ({test(ten)})))"


# Quan et al. (2005), table 1.
CHARLSON = [
    (1, coded("410 412", "I21-I22 I252")),
    (1, coded("39891 40201 40211 40291 40401 40403 40411 40413 40491 40493 4254-4259 428",
              "I099 I110 I130 I132 I255 I420 I425-I429 I43 I50 P290")),
    (1, coded("0930 4373 440-441 4431-4439 4471 5571 5579 V434", "I70-I71 I731 I738-I739 I771 I790 I792 K551 K558-K559 Z958-Z959")),
    (1, coded("36234 430-438", "G45-G46 H340 I60-I69")),
    (1, coded("290 2941 3312", "F00-F03 F051 G30 G311")),
    (1, coded("4168-4169 490-505 5064 5081 5088", "I278-I279 J40-J47 J60-J67 J684 J701 J703")),
    (1, coded("4465 7100-7104 7140-7142 7148 725", "M05-M06 M315 M32-M34 M351 M353 M360")),
    (1, coded("531-534", "K25-K28")),
    (2, coded("3341 342-343 3440-3446 3449", "G041 G114 G801-G802 G81-G82 G830-G834 G839")),
    (2, coded("40301 40311 40391 40402 40403 40412 40413 40492 40493 582 5830-5837 585-586 5880 V420 V451 V56",
              "I120 I131 N032-N037 N052-N057 N18-N19 N250 Z490-Z492 Z940 Z992")),
    (6, coded("042-044", "B20-B22 B24")),
]
MILD = coded("07022-07023 07032-07033 07044 07054 0706 0709 570-571 5733-5734 5738-5739 V427",
             "B18 K700-K703 K709 K713-K715 K717 K73-K74 K760 K762-K764 K768-K769 Z944")
SEVERE = coded("4560-4562 5722-5728", "I850 I859 I864 I982 K704 K711 K721 K729 K765-K767")
DIABETES = coded("2500-2503 2508-2509", "E100-E101 E106 E108-E109 E110-E111 E116 E118-E119 E120-E121 E126 E128-E129 E130-E131 E136 "
                 "E138-E139 E140-E141 E146 E148-E149")
COMPLICATED = coded("2504-2507", "E102-E105 E107 E112-E115 E117 E122-E125 E127 E132-E135 E137 E142-E145 E147")
CANCER = coded("140-172 174-194 1950-1958 200-208 2386", "C00-C26 C30-C34 C37-C41 C43 C45-C58 C60-C76 C81-C85 C88 C90-C97")
METASTASIS = coded("196-199", "C77-C80")
BLOOD = coded("200-208", "C81-C86 C88 C90-C96")
one = lambda which: f"(hadm in {which})::int"
total = " + ".join(f"{weight} * {one(which)}" for weight, which in CHARLSON)
charlson = f"""select stay, {total} + greatest({one(MILD)}, 3 * {one(SEVERE)}) + greatest({one(DIABETES)}, 2 * {one(COMPLICATED)})
               + greatest(2 * {one(CANCER)}, 6 * {one(METASTASIS)}) from stays where hadm in (select hadm from icd)"""
if is_four:
    years = """select stay, anchor_age::int + year(start) - anchor_year::int as years from stays join patients on subject_id = subject"""
else:
    years = """select stay, date_sub('year', dob::timestamp::date, start::date) as years from stays join patients on subject_id = subject"""
elective = "admission_type in ('ELECTIVE', 'SURGICAL SAME DAY ADMISSION')" if is_four else "admission_type = 'ELECTIVE'"
con.execute(f"""create table facts as select stay, case when years >= 90 then 91.4 else years end as age,
        (epoch(start) - epoch(admittime::timestamp)) / 3600 as before, ({elective})::int as elective,
        case when hadm in (select hadm_id from services) then (hadm in (select hadm_id from services where curr_service like '%SURG'
             or curr_service = 'ORTHO'))::int end as surgical,
        case when hadm in (select hadm from icd) then {one(CHARLSON[-1][1])} end as aids,
        case when hadm in (select hadm from icd) then {one(BLOOD)} end as blood,
        case when hadm in (select hadm from icd) then {one(METASTASIS)} end as metastasis
    from stays join ({years}) using (stay) join admissions on hadm_id = hadm""")
outcomes = {
    "hospital_death": "select stay, hospital_expire_flag::int from stays join admissions on hadm_id = hadm",
    "unit_death": """select stay, case when hospital_expire_flag = '0' then 0 when deathtime is not null
        then (deathtime::timestamp <= stop + interval 1 minute)::int end from stays join admissions on hadm_id = hadm""",
    "los_days": "select stay, los from stays",
    "readmission": """select stay, coalesce((next <= stop + interval 30 day)::int, 0) from (select *,
        lead(start) over (partition by subject order by start) as next from stays)""",
}
if "--infection" in sys.argv:
    import infection

    check = infection.check if is_four else infection.of_three
    check(con, file, f"{bundle}/features.parquet", f"{bundle}/labels.parquet")
scores.run(con, f"{bundle}/features.parquet", f"{bundle}/labels.parquet", {"charlson": charlson}, outcomes)
