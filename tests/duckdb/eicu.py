#!/usr/bin/env python3
"""eICU-CRD: concepts of all stays in units recomputed in DuckDB from the CSV files.

    cohort-flow ingest tests/duckdb/concepts.toml --input EXTRACT --output out/bundle
    tests/duckdb/eicu.py EXTRACT out/bundle/features.parquet

Checked with duckdb 1.4 on the open demo 2.0.1 without vitalPeriodic and nurseCharting, and with the part of lab that
PyHealth tests with.
"""

import sys

import common
from common import FRACTION, concepts, same

extract, features = sys.argv[1], sys.argv[2]
con = common.connect()
for table in ["patient", "vitalAperiodic", "lab", "respiratoryCharting", "intakeOutput", "infusiondrug"]:
    common.read(con, table, f"{extract}/{table}.csv.gz")
con.execute("create table stays as select patientunitstayid as stay, unitdischargeoffset::double * 60 as length from patient")
wide = " union all ".join(
    f"select patientunitstayid, 'aperiodic', '{c}', observationoffset::double * 60, {c}::double, null, '' "
    f"from vitalAperiodic where {c} is not null" for c in ["noninvasivesystolic", "noninvasivediastolic", "noninvasivemean"])
# The last revision of a result counts.
con.execute(f"""create table events as
    with revised as (select *, max(coalesce(labresultrevisedoffset::double, -1e300)) over (partition by patientunitstayid,
                     labname, labresultoffset) as last from lab)
    select patientunitstayid as stay, 'lab' as source, labname as item, labresultoffset::double * 60 as s,
           -- A limit is no number, and half of it where it is one of a troponin or of platelets.
           case when regexp_matches(labresulttext, '^<') and labname in ('troponin - T', 'troponin - I', 'platelets x 1000')
                then regexp_extract(labresulttext, '([0-9.]+)', 1)::double / 2
                when regexp_matches(labresulttext, '^[<>]') then null
                else labresult::double end as number, labresulttext as text, labmeasurenamesystem as unit
      from revised where coalesce(labresultrevisedoffset::double, -1e300) = last
    union all {wide}
    union all
    select patientunitstayid, 'respiratory', trim(respchartvaluelabel), respchartoffset::double * 60,
           coalesce(try_cast(respchartvalue as double), try_cast(replace(respchartvalue, '%', '') as double)), respchartvalue, ''
      from respiratoryCharting
    union all
    select patientunitstayid, 'output', trim(celllabel), intakeoutputoffset::double * 60, cellvaluenumeric::double, null, ''
      from intakeOutput
    union all
    select patientunitstayid, 'drug', trim(regexp_extract(drugname, '^(.*) \\((.*)\\)$', 1)), infusionoffset::double * 60,
           try_cast(drugrate as double), drugrate,
           coalesce(nullif(regexp_extract(drugname, '^(.*) \\((.*)\\)$', 2), ''), 'not given')
      from infusiondrug""")
U, M = same("units/l"), same("mg/dl")
lab = {
    "glucose": (["glucose"], M), "glucose_fingerstick": (["bedside glucose"], M), "sodium": (["sodium"], same("mmol/l")),
    "potassium": (["potassium"], same("mmol/l")), "chloride": (["chloride"], same("mmol/l")),
    "bicarbonate": (["bicarbonate", "HCO3"], same("mmol/l")), "anion_gap": (["anion gap"], same("mmol/l")),
    "bun": (["BUN"], M), "creatinine": (["creatinine"], M), "calcium": (["calcium"], M), "magnesium": (["magnesium"], M),
    "phosphate": (["phosphate"], M), "albumin": (["albumin"], same("g/dl")), "total_protein": (["total protein"], same("g/dl")),
    "alt": (["ALT (SGPT)"], U), "ast": (["AST (SGOT)"], U), "alp": (["alkaline phos."], U),
    "bilirubin_total": (["total bilirubin"], M), "bilirubin_direct": (["direct bilirubin"], M),
    "troponin_i": (["troponin - I"], same("ng/ml")), "lactate": (["lactate"], same("mmol/l")), "ph": (["pH"], None),
    "pao2": (["paO2"], same("mmhg")), "paco2": (["paCO2"], same("mmhg")), "base_excess": (["Base Excess"], same("meq/l")),
    "wbc": (["WBC x 1000"], same("k/mcl")), "hemoglobin": (["Hgb"], same("g/dl")), "hematocrit": (["Hct"], same("%")),
    "platelets": (["platelets x 1000"], same("k/mcl")), "rbc": (["RBC"], same("m/mcl")), "mcv": (["MCV"], same("fl")),
    "mch": (["MCH"], same("pg")), "mchc": (["MCHC"], same("g/dl")), "rdw": (["RDW"], same("%")),
    "neutrophils": (["-polys"], same("%")), "lymphocytes": (["-lymphs"], same("%")), "inr": (["PT - INR"], same("ratio")),
    "ptt": (["PTT"], same("sec")), "fibrinogen": (["fibrinogen"], M), "sao2": (["O2 Sat (%)"], same("%")),
    "cholesterol_total": (["total cholesterol"], M), "cholesterol_hdl": (["HDL"], M), "cholesterol_ldl": (["LDL"], M),
    "triglycerides": (["triglycerides"], M),
}
facts = {name: [("lab", items, units, 0)] for name, (items, units) in lab.items()}
for name, column in [("sbp", "systolic"), ("dbp", "diastolic"), ("map", "mean")]:
    facts[name] = [("aperiodic", ["noninvasive" + column], None, 1)]
facts["resp_rate"] = [("respiratory", ["Total RR", "RR (patient)"], None, 2)]
facts["spo2"] = [("respiratory", ["SaO2"], None, 2)]
facts["fio2"] = [("respiratory", ["FiO2", "FIO2 (%)", "O2 Percentage"], FRACTION, 0), ("lab", ["FiO2"], FRACTION, 1)]
facts["peep"] = [("respiratory", ["PEEP", "PEEP/CPAP"], None, 0)]
facts["tidal_volume_observed"] = [
    ("respiratory", ["Exhaled TV (patient)", "Exhaled TV (machine)", "Tidal Volume Observed (VT)"], None, 0)]
facts["minute_volume"] = [("respiratory", ["Exhaled MV"], None, 0)]
labels = [r[0] for r in con.execute("select distinct item from events where source = 'output'").fetchall()]
urine = {"Urine", "URINE CATHETER", "SN Urine Output(ml)", "Output (mL)-External Urinary Catheter", "Urine, void:",
         "Voided Amount", "Foley cath", "Foley Cath", "foley"}
starts = ("Urinary Catheter Output:", "Urine Output-", "Urine Output (mL)-")
facts["urine_output"] = [("output", [l for l in labels if l in urine or (l or "").startswith(starts)], None, 0)]
facts["norepinephrine_rate"] = [("drug", ["Norepinephrine"], same("mcg/kg/min"), 0)]
facts["phenylephrine_rate"] = [("drug", ["Phenylephrine"], same("mcg/kg/min"), 0)]
common.check(con, features, concepts(**facts), {
    "age": """select patientunitstayid, case age when '> 89' then 91.4 else case when age::double >= 90 then 91.4 else
              age::double end end from patient where age is not null""",
    "gender": "select patientunitstayid, lower(gender) from patient where gender in ('Female', 'Male')",
    "weight_first": "select patientunitstayid, admissionweight::double from patient where admissionweight::double between 20 and 350",
    "height": "select patientunitstayid, admissionheight::double from patient where admissionheight::double between 100 and 250",
})
