"""Makes event tables of a chosen size in the shape of a public release: python make.py eicu|mimic4 ROWS FOLDER

`eicu` writes patient and vitalPeriodic: one column per signal, a row every five minutes, 730 rows a stay on average
(the release has 146,671,642 rows of 200,859 stays). `mimic4` writes patients, admissions, icustays and chartevents: one
row per measurement (the release has 313,645,063 rows of 73,181 stays). Tables that the schema requires besides are
written with their header alone. Numbers are drawn with a fixed seed; they look like vital signs and mean nothing.
"""
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

STAY_ROWS = 730
CHUNK = 2_000_000


def write(folder, name, columns):
    options = csv.WriteOptions(quoting_style="none")
    csv.write_csv(pa.table(columns), os.path.join(folder, name), write_options=options)


def header(folder, name, columns):
    with open(os.path.join(folder, name), "w") as file:
        file.write(columns + "\n")


def sparse(rng, values, present):
    """An array with nulls where nothing was recorded."""
    return pa.array(values, mask=rng.random(len(values)) >= present)


def eicu(rows, folder):
    rng = np.random.default_rng(27)
    stays = max(rows // STAY_ROWS, 20)
    ids = 141_764 + np.arange(stays)
    length = np.maximum(rng.exponential(STAY_ROWS, stays), 20)
    length = np.maximum((length * rows / length.sum()).astype(np.int64), 1)
    length[0] += rows - length.sum()
    write(folder, "patient.csv", {
        "patientunitstayid": ids, "patienthealthsystemstayid": ids - 10_000,
        "uniquepid": pa.array([f"002-{i}" for i in range(stays)]), "hospitalid": rng.integers(50, 460, stays),
        "unitvisitnumber": np.ones(stays, np.int64), "unitdischargeoffset": length * 5,
        "gender": pa.array(np.where(rng.random(stays) < 0.54, "Male", "Female")),
        "age": pa.array(rng.integers(18, 90, stays).astype(str)),
        "ethnicity": pa.array(["Caucasian"] * stays), "unittype": pa.array(["Med-Surg ICU"] * stays),
        "admissionheight": np.round(rng.normal(169, 10, stays), 1),
        "admissionweight": np.round(rng.normal(82, 20, stays), 1),
        "hospitaldischargestatus": pa.array(["Alive"] * stays),
    })
    header(folder, "vitalAperiodic.csv", "vitalaperiodicid,patientunitstayid,observationoffset,noninvasivesystolic,"
           "noninvasivediastolic,noninvasivemean,paop,cardiacoutput,cardiacinput,svr,svri,pvr,pvri")
    header(folder, "respiratoryCharting.csv", "respchartid,patientunitstayid,respchartoffset,respchartentryoffset,"
           "respcharttypecat,respchartvaluelabel,respchartvalue")
    header(folder, "intakeOutput.csv", "intakeoutputid,patientunitstayid,intakeoutputoffset,celllabel,cellvaluenumeric")
    header(folder, "infusiondrug.csv", "infusiondrugid,patientunitstayid,infusionoffset,drugname,drugrate")
    stay, minute = np.repeat(ids, length), np.arange(rows) - np.repeat(np.cumsum(length) - length, length)
    minute = minute * 5 - 15
    # (level, spread, share of rows that have it, decimals), as frequent as the signals are in the demo's first rows.
    signals = {
        "temperature": (37, 0.7, 0.1, 1), "sao2": (96, 2, 0.9, 0), "heartrate": (85, 15, 0.98, 0),
        "respiration": (19, 5, 0.87, 0), "cvp": (12, 6, 0.13, 0), "etco2": (34, 6, 0.04, 0),
        "systemicsystolic": (120, 18, 0.2, 0), "systemicdiastolic": (60, 10, 0.2, 0),
        "systemicmean": (80, 12, 0.2, 0), "pasystolic": (36, 8, 0.02, 0), "padiastolic": (19, 5, 0.02, 0),
        "pamean": (26, 6, 0.02, 0), "st1": (0.2, 0.5, 0.4, 1), "st2": (0.2, 0.5, 0.4, 1), "st3": (0.2, 0.5, 0.4, 1),
        "icp": (9, 4, 0.01, 0),
    }
    with open(os.path.join(folder, "vitalPeriodic.csv"), "wb") as file:
        for start in range(0, rows, CHUNK):
            end = min(start + CHUNK, rows)
            columns = {"vitalperiodicid": np.arange(start, end) + 30_000_000,
                       "patientunitstayid": stay[start:end], "observationoffset": minute[start:end]}
            for name, (level, spread, present, decimals) in signals.items():
                x = np.round(level + spread * rng.standard_normal(end - start), decimals)
                columns[name] = sparse(rng, x.astype(np.int64) if decimals == 0 else x, present)
            options = csv.WriteOptions(include_header=start == 0, quoting_style="none")
            csv.write_csv(pa.table(columns), file, write_options=options)


# itemid: share of rows, level, spread, unit.
CHARTED = {220045: (0.055, 85, 15, "bpm"), 220210: (0.055, 19, 5, "insp/min"), 220277: (0.055, 97, 2, "%"),
           220179: (0.036, 120, 18, "mmHg"), 220180: (0.036, 62, 12, "mmHg"), 220181: (0.036, 78, 12, "mmHg"),
           223761: (0.014, 98.4, 1, "°F"), 223762: (0.001, 37, 0.6, "°C")}


def mimic4(rows, folder):
    rng = np.random.default_rng(4)
    stays = max(rows // 4286, 20)
    subject, hadm, stay = 10_000_032 + np.arange(stays), 20_000_000 + np.arange(stays), 30_000_000 + np.arange(stays)
    hours = np.minimum(rng.exponential(80, stays) + 12, 900)
    start = np.datetime64("2150-01-01T00:00:00") + rng.integers(0, 1_000_000_000, stays).astype("timedelta64[s]")
    end = start + (hours * 3600).astype("timedelta64[s]")
    stamp = lambda t: pa.array(t.astype("datetime64[s]"))
    write(folder, "patients.csv", {"subject_id": subject, "gender": pa.array(np.where(rng.random(stays) < 0.5, "M", "F")),
          "anchor_age": rng.integers(18, 91, stays), "anchor_year": np.full(stays, 2150),
          "anchor_year_group": pa.array(["2008 - 2010"] * stays), "dod": pa.nulls(stays, pa.string())})
    write(folder, "admissions.csv", {"subject_id": subject, "hadm_id": hadm, "admittime": stamp(start), "dischtime": stamp(end),
          "deathtime": pa.nulls(stays, pa.string()), "admission_type": pa.array(["URGENT"] * stays),
          "admission_location": pa.array(["EMERGENCY ROOM"] * stays), "discharge_location": pa.array(["HOME"] * stays),
          "insurance": pa.array(["Other"] * stays), "language": pa.array(["ENGLISH"] * stays),
          "marital_status": pa.array(["SINGLE"] * stays), "race": pa.array(["WHITE"] * stays),
          "edregtime": pa.nulls(stays, pa.string()), "edouttime": pa.nulls(stays, pa.string()),
          "hospital_expire_flag": np.zeros(stays, np.int64)})
    write(folder, "icustays.csv", {"subject_id": subject, "hadm_id": hadm, "stay_id": stay,
          "first_careunit": pa.array(["MICU"] * stays), "last_careunit": pa.array(["MICU"] * stays),
          "intime": stamp(start), "outtime": stamp(end), "los": np.round(hours / 24, 4)})
    items = np.array(list(CHARTED) + [229_999])
    share = np.array([c[0] for c in CHARTED.values()])
    share = np.append(share, 1 - share.sum())
    level, spread = (np.array([c[i] for c in CHARTED.values()] + [7 - i]) for i in (1, 2))
    units = np.array([c[3] for c in CHARTED.values()] + [""])
    of = np.sort(rng.integers(0, stays, rows))
    count = np.bincount(of, minlength=stays)
    first = np.cumsum(count) - count
    with open(os.path.join(folder, "chartevents.csv"), "wb") as file:
        for begin in range(0, rows, CHUNK):
            s = of[begin:min(begin + CHUNK, rows)]
            n, at = len(s), rng.choice(len(items), len(s), p=share)
            # Every row of a stay has a second of its own, so that there are no copies, which only we would leave out.
            place = np.arange(begin, begin + n) - first[s]
            time = start[s] + (place * (hours[s] * 3600 / count[s])).astype(np.int64).astype("timedelta64[s]")
            x = np.round(level[at] + spread[at] * rng.standard_normal(n), 1)
            columns = {"subject_id": subject[s], "hadm_id": hadm[s], "stay_id": stay[s], "caregiver_id": s % 9000,
                       "charttime": stamp(time), "storetime": stamp(time), "itemid": items[at],
                       "value": pa.array(x.astype(str)), "valuenum": x, "valueuom": pa.array(units[at]),
                       "warning": np.zeros(n, np.int64)}
            csv.write_csv(pa.table(columns), file, write_options=csv.WriteOptions(include_header=begin == 0, quoting_style="none"))


if __name__ == "__main__":
    kind, rows, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    os.makedirs(folder, exist_ok=True)
    {"eicu": eicu, "mimic4": mimic4}[kind](rows, folder)
