"""Scores records by a graph of ONNX and by the program, and compares.

    python tests/python/onnx_check.py PROGRAM MODEL BUNDLE [--records N] [--draws N] [--score NAME] [--json]

The records are those of the bundle, and as many copies of them that were spoilt: numbers far out of range, of the
other sign or missing, texts that no training record has. Both sides score them with the same fixed draws and with
calibrations of such draws, the program by `flag --draws-by fixed`. Ends with 1 where a log-likelihood differs by
more than 1e-4 nats (of one in size above 10,000, by more than 1e-8 of it), or a p-value by more than a tie of the
scores explains.

It needs onnxruntime and numpy.
"""

import argparse
import csv
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

NATS = 1e-4
RELATIVE = 1e-8
# Of p-values that differ at all: a score within a rounding error of one calibration score, and not of more.
STEPS = 1.5
UNKNOWN = "never seen in training"
BATCH = 64


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode > 1:
        sys.exit(f"{' '.join(map(str, arguments))}\n{done.stderr}")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def spoilt(record, columns, texts, rng):
    """A copy with one to three cells changed."""
    record = dict(record)
    for name in rng.sample(columns, min(len(columns), rng.randint(1, 3))):
        if name in texts:
            record[name] = rng.choice(["", UNKNOWN, record[name]])
        elif record[name] != "":
            number = float(record[name])
            changed = rng.choice([math.nan, 10 * number, -number, number + 0.37, 1e6 * number, 0.1 * number])
            record[name] = "" if math.isnan(changed) else repr(changed)
    return record


def inputs(session, records):
    out = {}
    for column in session.get_inputs():
        cells = [record[column.name] for record in records]
        if column.type == "tensor(string)":
            out[column.name] = np.array(cells, dtype=object).reshape(-1, 1)
        else:
            numbers = [float(cell) if cell != "" else math.nan for cell in cells]
            out[column.name] = np.array(numbers, dtype=np.float64).reshape(-1, 1)
    return out


def compare(program, model, bundle, n, draws, score, work):
    extra = [] if draws is None else ["--draws", draws]
    extra += [] if score is None else ["--score", score]
    graph, table = work / "model.onnx", work / "records.csv"
    run(program, "export", model, "--format", "onnx", "--input", bundle, "--output", graph, *extra)
    run(program, "export", bundle, "--output", work / "all.csv")

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    columns = [column.name for column in session.get_inputs()]
    texts = {column.name for column in session.get_inputs() if column.type == "tensor(string)"}
    rng = random.Random(1)
    whole = read(work / "all.csv")
    chosen = rng.sample(whole, min(len(whole), n // 2))
    records = chosen + [spoilt(record, columns, texts, rng) for record in chosen]
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(records)
    run(program, "flag", model, "--input", table, "--draws-by", "fixed", "--reference", bundle, "--explain", 0,
        "--output", work / "flags.csv", *extra)
    flags = read(work / "flags.csv")
    theirs = {name: np.array([float(row[name]) for row in flags]) for name in ("log_prob", "score", "p_value")}

    parts = []
    for begin in range(0, len(records), BATCH):
        parts.append(session.run(list(theirs), inputs(session, records[begin : begin + BATCH])))
    ours = {name: np.concatenate([part[k] for part in parts]).ravel() for k, name in enumerate(theirs)}

    one = inputs(session, records[:1])
    for _ in range(20):
        session.run(None, one)
    times = []
    for _ in range(200):
        begun = time.perf_counter()
        session.run(None, one)
        times.append(time.perf_counter() - begun)

    # A known text with a blank behind it may be meant as that text: the graph says nothing of such a record.
    loose = 0
    known = [record for record in chosen if any(record[name] != "" for name in texts)][:1]
    for record in known:
        name = next(name for name in texts if record[name] != "")
        answer = session.run(None, inputs(session, [{**record, name: record[name] + " "}]))
        loose = sum(not np.isnan(value).all() for value in answer)

    apart = {name: np.abs(ours[name] - theirs[name]) for name in theirs}
    allowed = np.maximum(NATS, RELATIVE * np.abs(theirs["log_prob"]))
    n_calibration = int(session.get_modelmeta().custom_metadata_map["calibration_records"])
    step = 1.0 / (n_calibration + 1)
    differing = apart["p_value"] > 1e-12
    return {
        "records": len(records),
        "columns": len(columns),
        "draws": int(session.get_modelmeta().custom_metadata_map["draws"]),
        "calibration_records": n_calibration,
        "largest_difference_log_prob": float(apart["log_prob"].max()),
        "largest_difference_log_prob_ordinary": float(apart["log_prob"][np.abs(theirs["log_prob"]) < 1e4].max()),
        "log_prob_beyond": int((~(apart["log_prob"] <= allowed)).sum()),
        "largest_difference_score": float(apart["score"].max()),
        "p_values_that_differ": int(differing.sum()),
        "p_values_beyond_a_tie": int((differing & ~(apart["p_value"] <= STEPS * step)).sum()),
        "largest_difference_p_value": float(apart["p_value"].max()),
        "loose_texts_answered": loose,
        "not_numbers": int(np.isnan(ours["log_prob"]).sum()),
        "worst_record": int(np.nanargmax(apart["log_prob"] / allowed)),
        "median_milliseconds_of_one_record": 1000 * float(np.median(times)),
        "bytes_of_the_graph": graph.stat().st_size,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("bundle")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--draws", type=int)
    parser.add_argument("--score")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found = compare(arguments.program, arguments.model, arguments.bundle, arguments.records, arguments.draws,
                        arguments.score, Path(work))
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:42} {value}")
    wrong = found["log_prob_beyond"] + found["p_values_beyond_a_tie"] + found["not_numbers"]
    wrong += found["loose_texts_answered"]
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
