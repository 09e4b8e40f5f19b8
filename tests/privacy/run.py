"""Canaries: every id, date, free text, rare level and unusable cell of two data sets is a unique marker, and nothing
of them may be found in what the program tells or what may be handed on.

    python3 tests/privacy/run.py PROGRAM [--keep FOLDER]

All that `ingest`, `fit`, `flag`, `score`, `sample` and `report` print, at default verbosity and with mistakes that
are made on purpose, and the model folders, reports, audits and samples, are searched for the markers as they are, in
base64 at any of its three offsets, and as hexadecimal MD5, SHA-1 and SHA-256. Ends with 1 if one is found where
`ALLOWED` does not say why it may be there. Needs Python 3.9 or later and nothing else.
"""

import argparse
import base64
import csv
import hashlib
import random
import re
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

# No text of the program holds it, and all markers that are texts begin with it.
STEM = "Zq7xKw"
ROWS = 600

# Where a marker may be found by design, and why. Each entry: kind of output, kind of marker, reason.
ALLOWED = [
    ("flags", "id", "whoever asks for flags wants to find the record; the file is named as identifiable data"),
    ("bundle", "*", "a bundle is the data itself: ids, kept columns and values; it is as confidential as its source"),
    # Known limits, which .github/SECURITY.md states among what is not promised, with the setting that goes without.
    ("model", "rare", "a level is known again by its name, and its score is its own frequency, however rare it is"),
    ("sample", "rare", "samples have every level at its frequency in training"),
]


class Markers:
    """The markers that were planted, by kind."""

    def __init__(self):
        self.kinds = {}

    def plant(self, kind, text):
        self.kinds.setdefault(str(text), kind)
        return text

    def text(self, kind, number):
        return self.plant(kind, f"{STEM}-{kind}-{number:04d}")


def wide_table(path, markers, rows, first, bad):
    """A table in which rows are patients, and `bad` cells that are not numbers stand among the numbers."""
    rng = random.Random(first)
    days = rng.sample(range(40_000), rows)
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["record_id", "patient_id", "admitted", "note", "ward", "age", "lactate", "sbp"])
        for row in range(rows):
            number = first + row
            day = markers.plant("date", (date(1903, 1, 1) + timedelta(days[row])).isoformat())
            ward = markers.text("rare", number) if row % 150 == 7 else rng.choice(["medical", "surgical", "cardiac"])
            severity = rng.gauss(0, 1)
            lactate = markers.text("bad", number) if row in bad else f"{2 + 0.5 * severity + rng.random():.2f}"
            table.writerow([markers.text("id", number), markers.text("patient", number), day,
                            markers.text("note", number) + " slept well", ward,
                            f"{60 + 12 * rng.gauss(0, 1):.1f}", lactate, f"{120 - 9 * severity + rng.gauss(0, 5):.0f}"])


def extract(folder, markers):
    """Replaces the ids of a synthetic extract by ten-digit numbers; its times are markers as they are."""
    numbers = {}
    for path in sorted(folder.glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        ids = [i for i, name in enumerate(rows[0]) if name.upper() in ("SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "ROW_ID")]
        for row in rows[1:]:
            for i in ids:
                if row[i]:
                    name = (rows[0][i].upper(), row[i])
                    row[i] = numbers.setdefault(name, str(4_100_000_019 + 7919 * len(numbers)))
                    markers.plant("id", row[i])
            for cell in row:
                if re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", cell):
                    markers.plant("date", cell[:10])
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def encoded(text):
    """The characters of base64 that a text gives wherever it stands in a longer one: one form for each offset."""
    forms = set()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + text.encode()).decode().rstrip("=")
        # The first characters mix with what stands before, and the last with what comes after.
        forms.add(whole[(offset * 8 + 5) // 6:(offset + len(text)) * 8 // 6])
    return forms


class Search:
    """All forms of all markers, arranged so that each output is gone through a few times and not once a marker."""

    def __init__(self, markers):
        self.kinds = markers.kinds
        self.hashed = {function(form.encode()).hexdigest(): marker for marker in self.kinds
                       for form in (marker, marker.lower(), marker.upper())
                       for function in (hashlib.md5, hashlib.sha1, hashlib.sha256)}
        self.stems = {form: "base64" for form in encoded(STEM)}

    def find(self, data):
        """Kind, form and place of every marker in some bytes."""
        text = data.decode("latin-1")
        for found in re.finditer(re.escape(STEM) + r"[-_ ]([a-z]+)", text, re.IGNORECASE):
            yield found[1].lower(), "plain", found.start()
        for stem, form in self.stems.items():
            for found in re.finditer(re.escape(stem), text):
                yield "some text", form, found.start()
        for found in re.finditer(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32,64}(?![0-9a-fA-F])", text):
            if found[0].lower() in self.hashed:
                yield self.kinds[self.hashed[found[0].lower()]], "hash", found.start()
        for found in re.finditer(r"(?<!\d)(\d{4}-\d\d-\d\d|\d{10})(?!\d)", text):
            if found[0] in self.kinds:
                yield self.kinds[found[0]], "plain", found.start()


class Run:
    """The program in a folder; what it prints is kept for the search."""

    def __init__(self, program, folder):
        self.program, self.folder, self.printed = program, folder, []

    def __call__(self, arguments, expected=0):
        for form in ("text", "json"):
            more = ["--messages", form] + (["--force"] if "--output" in arguments else [])
            done = subprocess.run([self.program, *arguments.split(), *more], cwd=self.folder, capture_output=True)
            self.printed.append((f"{arguments} --messages {form}", done.stdout + done.stderr))
            if done.returncode != expected:
                sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr.decode()}")


def ordinary(run, source, bundle):
    """What a user does, and hands on."""
    run(f"ingest {source} --output {bundle}")
    run(f"fit {bundle} --output model-{bundle} --preset small --epochs 3")
    run(f"fit {bundle} --output mixture-{bundle} --model gmm")
    run(f"flag model-{bundle} {bundle} --output flags-{bundle}.csv --json flags-{bundle}.json")
    run(f"export model-{bundle} --format card --output card-{bundle}.md")
    run(f"score model-{bundle} {bundle} --output scores-{bundle}.csv")
    run(f"sample model-{bundle} --n 200 --output sample-{bundle}.csv")
    run(f"report {bundle} --model model-{bundle} --model mixture-{bundle} --output report-{bundle}.html")
    run(f"report {bundle} --model model-{bundle} --output report-{bundle}.json --format json")


def mistakes(run):
    """Mistakes that are about a cell or a row: the message says where, and not what."""
    folder, table = run.folder, (run.folder / "table.csv").read_text(encoding="utf-8").splitlines()
    def variant(name, lines):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    variant("long.csv", [*table[:40], table[40] + f",{STEM}-note-surplus", *table[41:]])
    variant("twice.csv", [*table, table[9]])
    variant("split.csv", [table[0] + ",split",
                          *(line + (f",{STEM}-bad-split" if i == 5 else ",train") for i, line in enumerate(table[1:]))])
    for source in ("long.csv", "split.csv"):
        run(f"ingest wide-table --input {source} --output refused", expected=2)
    run("ingest wide-table --input twice.csv --output twice")
    for role in ("note=continuous", "record_id=count", "ward=binary"):
        run(f"ingest wide-table --input table.csv --output refused --set role.{role}", expected=2)
    # New records of other patients, with levels that the model does not know and cells that are no numbers.
    run("flag model-bundle --input new.csv --output flags-new.csv")
    run("score model-bundle --input new.csv --output scores-new.csv")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--keep", type=Path, help="folder to keep all outputs in")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canaries-") as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        markers, run = Markers(), Run(chosen.program, folder)
        wide_table(folder / "table.csv", markers, ROWS, 0, bad={11, 57})
        wide_table(folder / "new.csv", markers, 80, 5000, bad={3})
        ordinary(run, "wide-table --input table.csv", "bundle")
        mistakes(run)
        run("synth --patients 120 --output extract")
        extract(folder / "extract", markers)
        ordinary(run, "mimic3-first-24h --input extract", "stays")
        sys.exit(judge(folder, markers, run.printed))


def kind_of(path):
    """What an output is, for the list of what is allowed; `None` for what is no output of the program."""
    first = path.parts[0]
    if first.startswith(("bundle", "stays", "twice", "refused")):
        return "audit" if path.name == "audit.json" else "bundle"
    for kind in ("model", "mixture", "card", "flags", "scores", "sample", "report"):
        if first.startswith(kind):
            return "flags" if kind == "scores" else "model" if kind == "mixture" else kind
    return None


def judge(folder, markers, printed):
    search, outputs = Search(markers), [("log", name, data) for name, data in printed]
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        kind = kind_of(path.relative_to(folder))
        if kind:
            outputs.append((kind, str(path.relative_to(folder)), path.read_bytes()))
    found, leaks = {}, 0
    for kind, name, data in outputs:
        for marker, form, place in search.find(data):
            reasons = [why for output, about, why in ALLOWED if output == kind and about in ("*", marker)]
            key = (kind, marker, form, "allowed" if reasons else "LEAK")
            found[key] = found.get(key, 0) + 1
            if not reasons:
                leaks += 1
                if found[key] <= 3:
                    print(f"LEAK of a marker `{marker}` ({form}) in {name} at byte {place}: "
                          f"{data[max(0, place - 60):place + 40]!r}", file=sys.stderr)
    # A search that finds nothing where all is there would find nothing anywhere.
    assert any(key[0] == "bundle" and key[1] == "id" for key in found), "the markers are not in the bundle either"
    print(f"{len(markers.kinds)} markers, {len(outputs)} outputs")
    for (kind, marker, form, verdict), count in sorted(found.items()):
        print(f"{kind:<8} {marker:<10} {form:<7} {count:>6}  {verdict}")
    print(f"{leaks} leaks" if leaks else "no leak")
    return 1 if leaks else 0


if __name__ == "__main__":
    main()
