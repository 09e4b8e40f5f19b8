"""Elixhauser and Sepsis-3 of all stays, and of MIMIC-IV fluids by their overlap and pressures of outpatient visits: the part of
scores_mimic.py behind `--infection`, which has made the tables of events before."""

import common
import elixhauser
import scores
import sepsis

# The drugs of schemas/additions/mimic4.toml by their names in lower case; eye and ear drops and what is inhaled do not count.
DRUGS = r"""illin|penem|^cef|^cephalexin|loxacin|^azithromycin|^clarithromycin|^erythromycin|^clindamycin|^gentamicin|^tobramycin|^amikacin
    |^streptomycin|^vancomycin|^daptomycin|^doxycycline|^minocycline|^tigecycline|^linezolid|^metronidazole|^sulfameth|^trimethoprim|^bactrim
    |^nitrofurantoin|^aztreonam|^colisti|^polymyxin b|^rifampin|^synercid|^unasyn|^zosyn|^augmentin""".replace("\n", "").replace(" ", "").replace("polymyxinb", "polymyxin b")
LOCAL = """'OU', 'OS', 'OD', 'AU', 'AS', 'AD', 'TP', 'BOTH EYES', 'LEFT EYE', 'RIGHT EYE', 'BOTH EARS', 'LEFT EAR', 'RIGHT EAR', 'DWELL',
    'LOCK', 'IRR', 'NEB', 'IH', 'VG'"""
SCREENS = "'MRSA SCREEN', 'Staph aureus swab', 'Infection Control Yeast'"
CRYSTALLOIDS = "'225158', '225828', '225823', '225825', '226364', '225159'"
# How far back the pipeline looks: a year, for the visits.
REACH = 8760 * 3600


def placed(con, name, query):
    """Rows of a patient in the stay that they fall into, of overlapping ones the later; else in the nearest stay after them."""
    con.execute(f"""create table {name} as with l as ({query}), d as (select distinct subject, t from l),
        near as (select d.subject, d.t, arg_min(s.stay, (case when d.t between s.start and s.stop then 0 else 1 end,
              case when d.t between s.start and s.stop then -epoch(s.start) else epoch(s.start) - epoch(d.t) end, s.stay::bigint)) as stay
            from d join stays s on s.subject = d.subject and d.t >= s.start - interval {REACH} second and d.t <= s.stop group by all)
        select stay, epoch(t) - epoch(start) as s, l.* exclude (subject, t) from l join near using (subject, t) join stays using (stay)""")


# Antibiotics of MetaVision against bacteria: of its category all but these.
OTHERS = """225837, 225838, 225844, 225848, 225857, 225868, 225869, 225871, 225873, 225877, 225882, 225885, 225895, 225896, 225897,
    225903, 225905, 228003"""


def of_three(con, file, features, labels):
    """MIMIC-III: antibiotics by their time in MetaVision, so that nothing is known of the stays of CareVue."""
    for name in ["microbiologyevents", "d_items"]:
        common.read(con, name, file(name))
    scores.prepare(con)
    scores.wide(con)
    con.execute("create or replace table icd as select hadm_id as hadm, trim(icd9_code) as code, '9' as version from diagnoses_icd")
    elixhauser.table(con)
    placed(con, "antibiotic", f"""select subject_id as subject, starttime::timestamp as t from inputevents_mv
        where statusdescription is distinct from 'Rewritten' and itemid in
          (select itemid from d_items where category = 'Antibiotics' and itemid::int not in ({OTHERS}))""")
    placed(con, "culture", f"""select subject_id as subject, charttime::timestamp as t from microbiologyevents
        where charttime is not null and spec_type_desc not in ({SCREENS}, 'Staph aureus Screen')""")
    sepsis.suspicion(con)
    sepsis.points(con)
    # A heart rate that cannot be used, where nothing else tells a suspicion, leaves it unknown whether there was one before it.
    con.execute("""update sepsis set rise = null, sepsis = null, onset = null where suspected is null and stay in
        (select w.stay from w join stays using (stay) where kind = 'heart_rate' and x is null and w.s >= 0 and w.s < 86400
         and (stays.length is null or w.s <= stays.length))""")
    charted = "stay in (select icustay_id from icustays where dbsource = 'metavision')"
    part = lambda name: f"select stay, p from sepsis_parts where part = '{name}'"
    wanted = {
        "elixhauser_count": "select stay, n from elixhauser", "elixhauser": "select stay, score from elixhauser",
        "suspicion_of_infection": "select stay, suspected from sepsis", "sepsis_sofa": "select stay, rise from sepsis",
    } | {f"sepsis_{p}_max": part(p) for p in ["coagulation", "liver", "creatinine", "pressure", "nervous", "respiration"]}
    outcomes = {
        "sepsis3": f"select stay, case when {charted} then sepsis end from sepsis",
        "sepsis_onset_hours": f"select stay, case when {charted} then onset end from sepsis",
    }
    scores.compare(con, features, labels, (wanted, outcomes))


def check(con, file, features, labels):
    for name in ["prescriptions", "microbiologyevents", "omr"]:
        common.read(con, name, file(name))
    scores.prepare(con)
    scores.wide(con)
    con.execute("create or replace table icd as select hadm_id as hadm, trim(icd_code) as code, icd_version as version from diagnoses_icd")
    elixhauser.table(con)
    placed(con, "antibiotic", f"""select subject_id as subject, starttime::timestamp as t from prescriptions where starttime is not null
        and route not in ({LOCAL}) and regexp_matches(lower(trim(drug)), '{DRUGS}') or starttime is not null and route is null
        and regexp_matches(lower(trim(drug)), '{DRUGS}')""")
    placed(con, "culture", f"""select subject_id as subject, charttime::timestamp as t from microbiologyevents
        where charttime is not null and spec_type_desc not in ({SCREENS})""")
    placed(con, "visits", """select subject_id as subject, chartdate::timestamp as t, split_part(result_value, '/', 1)::double as upper,
        split_part(result_value, '/', 2)::double as lower from omr where result_name like 'Blood Pressure%'""")
    sepsis.suspicion(con)
    sepsis.points(con)
    con.execute(f"""create table fluids as with a as (select distinct stay_id as stay, itemid, starttime, endtime, amountuom, epoch(starttime::timestamp) - epoch(start) as s,
              greatest(epoch(endtime::timestamp) - epoch(start), epoch(starttime::timestamp) - epoch(start) + 1) as until, amount::double as ml
            from inputevents join stays on stay = stay_id where itemid in ({CRYSTALLOIDS}) and statusdescription is distinct from 'Rewritten'
              and amount::double between 0 and 20000)
        select stay, sum(ml * (least(until, {scores.DAY}) - greatest(s, 0)) / (until - s)) as ml from a join stays using (stay)
        where s < {scores.DAY} and until > 0 and (length is null or s <= length) group by stay""")
    last = lambda column, low, high: f"""select stay, avg({column}) from (select *, max(s) over (partition by stay) as latest from
        (select * from visits join stays using (stay) where {column} between {low} and {high} and s < {scores.DAY}
         and (length is null or s <= length))) where s = latest group by stay"""
    part = lambda name: f"select stay, p from sepsis_parts where part = '{name}'"
    wanted = {
        "elixhauser_count": "select stay, n from elixhauser", "elixhauser": "select stay, score from elixhauser",
        "elixhauser_heart_failure": "select stay, heart_failure from elixhauser", "elixhauser_liver": "select stay, liver from elixhauser",
        "elixhauser_electrolytes": "select stay, electrolytes from elixhauser",
        "suspicion_of_infection": "select stay, suspected from sepsis", "sepsis_sofa": "select stay, rise from sepsis",
        "crystalloid_volume": "select stay, ml from fluids",
        "outpatient_sbp_last": last("upper", 20, 300), "outpatient_dbp_last": last("lower", 5, 225),
    } | {f"sepsis_{p}_max": part(p) for p in ["coagulation", "liver", "creatinine", "pressure", "nervous", "respiration"]}
    outcomes = {"sepsis3": "select stay, sepsis from sepsis", "sepsis_onset_hours": "select stay, onset from sepsis"}
    scores.compare(con, features, labels, (wanted, outcomes))
