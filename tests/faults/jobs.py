"""The commands that are disturbed, their inputs, and what their outputs look like without a disturbance."""

import hashlib
import json
import os
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# No two runs share these.
TIMES = {"train_seconds", "rows_per_second", "peak_memory_bytes", "seconds"}
STAGE = re.compile(r"\.(.+)\.\d+(-\d+)?\.(partial|former)")


@dataclass(frozen=True)
class Job:
    """One command. It runs in a folder of its own, beside `inputs`, and writes `outputs`."""

    name: str
    arguments: str
    outputs: tuple
    resumes: bool = False
    replaces: bool = False
    through_pipes: bool = False

    def command(self, program, again=False):
        more = ["--resume"] if again and self.resumes else []
        return [program, *self.arguments.split(), *more, "--quiet", "--threads", "1"]


FIT = "--preset small --epochs 12 --set checkpoint_epochs=2"
JOBS = [
    Job("ingest", "ingest mimic3-first-24h --input ../inputs/extract --output bundle", ("bundle",)),
    Job("ingest of a table", "ingest wide-table --input ../inputs/table.csv --output bundle", ("bundle",)),
    Job("ingest, replacing", "ingest wide-table --input ../inputs/table.csv --output bundle --force",
        ("bundle",), replaces=True),
    Job("part", "ingest wide-table --input ../inputs/table.csv --part 1/2 --output part", ("part",)),
    Job("merge", "ingest --merge ../inputs/part-1 ../inputs/part-2 --output bundle", ("bundle",)),
    Job("fit", f"fit ../inputs/bundle --output model {FIT}", ("model",), resumes=True),
    Job("flag", "flag ../inputs/model ../inputs/bundle --output flags.csv --json flags.json",
        ("flags.csv", "flags.json")),
    Job("flags, merging", "flag --merge ../inputs/flags-1.jsonl ../inputs/flags-2.jsonl --fdr 0.1 --output flags.csv",
        ("flags.csv",)),
    Job("score", "score ../inputs/model ../inputs/bundle --output scores.csv", ("scores.csv",)),
    Job("score, pipes", "score ../inputs/model --input - --output -", (), through_pipes=True),
    Job("sample", "sample ../inputs/model --n 4000 --output sample.csv", ("sample.csv",)),
    Job("export", "export ../inputs/bundle --output table.parquet", ("table.parquet",)),
    Job("report", "report ../inputs/bundle --model ../inputs/model --output report.html", ("report.html",)),
]


def make_inputs(program, work):
    """A synthetic extract, a table, its bundle and its model, all small."""
    inputs = work / "inputs"
    inputs.mkdir(parents=True)
    write_table(inputs / "table.csv", 600, 3)
    write_table(inputs / "former.csv", 300, 4)
    for arguments in (
        "synth --patients 60 --output extract",
        "ingest wide-table --input table.csv --output bundle",
        "ingest wide-table --input former.csv --output former",
        "ingest wide-table --input table.csv --part 1/2 --output part-1",
        "ingest wide-table --input table.csv --part 2/2 --output part-2",
        f"fit bundle --output model {FIT}",
        "flag model --input table.csv --json flags-1.jsonl --output flags-1.csv",
        "flag model --input former.csv --json flags-2.jsonl --output flags-2.csv",
    ):
        subprocess.run([program, *arguments.split(), "--quiet"], cwd=inputs, check=True)


def write_table(path, rows, seed):
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,heart_rate,sbp,map,gcs,sex,lactate\n")
        for row in range(rows):
            severity = rng.gauss(0, 1)
            gcs = min(15, max(3, round(14 - 2 * max(severity, 0) + rng.gauss(0, 0.5))))
            lactate = "" if severity < 0 else round(1 + 0.4 * severity + 0.2 * rng.random(), 1)
            file.write(f"p{row},{80 + 12 * severity + 6 * rng.gauss(0, 1):.0f},"
                       f"{125 - 14 * severity + 9 * rng.gauss(0, 1):.0f},"
                       f"{90 - 10 * severity + 3 * rng.gauss(0, 1):.1f},{gcs},{rng.choice('FM')},{lactate}\n")


def environment(folder):
    """The variables of a run; its temporary files lie in a folder that is looked at afterwards."""
    return {**os.environ, "TMPDIR": str(folder / "tmp"), "NO_COLOR": "1"}


def content(path):
    """SHA-256 of every file of an output, by its path; `None` where there is no output."""
    if not path.exists():
        return None
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(file.relative_to(path)): digest(file) for file in files}


def digest(file):
    data = file.read_bytes()
    if file.name == "metrics.json":
        data = json.dumps(without_times(json.loads(data))).encode()
    return hashlib.sha256(data).hexdigest()


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def temporaries(folder):
    """What lies below a folder on the way to an output, and in its folder of scratch files."""
    staged = [p for p in folder.rglob("*") if STAGE.fullmatch(p.name)]
    return sorted(str(p.relative_to(folder)) for p in [*staged, *(folder / "tmp").iterdir()])
