"""Writes the inputs that fuzzing begins with, one folder for each target: small whole files of every kind.

    python3 tests/fuzz/seeds.py FOLDER

Where a target takes its file's kind from the first byte, every kind gets one. Needs Python 3.9 or later and
nothing else.
"""

import gzip
import io
import struct
import sys
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "tests/compatibility/bundle-2-model-6"
FOLDER = Path(sys.argv[1])


def seed(target, name, content):
    path = FOLDER / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def png(colour=0, bits=8, side=4):
    """A PNG of one colour type."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + bytes(range((side * channels * bits + 7) // 8))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    palette = chunk(b"PLTE", bytes(3 * 2 ** bits)) if colour == 3 else b""
    header = struct.pack(">IIBBBBB", side, side, bits, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(row * side))
            + chunk(b"IEND", b""))


def tiff(side=4):
    """A grey TIFF without compression."""
    entries = [(256, 3, 1, side), (257, 3, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, side), (279, 4, 1, side * side)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<2sHI", b"II", 42, 8 + side * side) + bytes(range(side * side)) + directory + bytes(4)


def npy(shape, kind="<f8", fortran=False):
    n = 1
    for size in shape:
        n *= size
    text = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(n * int(kind[2:]))


def idx(shape, kind=8):
    n = 1
    for size in shape:
        n *= size
    return bytes([0, 0, kind, len(shape)]) + b"".join(struct.pack(">I", size) for size in shape) + bytes(n)


def descriptions():
    for path in sorted(ROOT.glob("schemas/*.toml")) + [ROOT / "tests/fuzz/ward.toml"]:
        text = path.read_text(encoding="utf-8")
        if len(text) < 40_000:
            seed("schema", path.name, text)
    for path in sorted(ROOT.glob("pipelines/*.toml")) + sorted(ROOT.glob("tests/golden/roles/*.toml"))[:2]:
        seed("pipeline", path.name, path.read_text(encoding="utf-8"))
    derived = '[[features]]\nname = "shock"\nexpression = "max(heart_rate:max, 2) / (sbp:min + 1) ^ 2 - -3e5"\n'
    head = 'name = "p"\nschema = "mimic3"\n'
    seed("pipeline", "expression.toml", head + derived)
    seed("schema", "expression.toml", (ROOT / "tests/fuzz/ward.toml").read_text(encoding="utf-8") +
         '\n[variables.index]\nkind = "continuous"\nunit = ""\n'
         'expression = "coalesce(heart_rate:max, min(age, 3)) / (age + 2 ^ -1) * hours"\n')
    settings = {
        "wide-table": "transform=none\ndequantize=false\nseed=7\nmin_observed=0.25\nrole.x=categorical\nmissing=NA,-9\n"
                      "decimal=comma\nseparator=;\nsplit.train=0.5\nsplit.test=0.5\nmissing.x=a,b",
        "waveform-1024": "channels=II,V\nwindow=64\npast=256\nstride=8\nfrequency=125\nsplit_by=record\nnormalise=channel",
        "images": "size=24x32\ncrop=true\ngrey=true\nlevels=32\ntile=32x32\nrow=32x32\nrange=0,4095\nnormal=a",
        "mimic3-first-24h": "window.start=1\nwindow.end=6h\nwindow.until_end=true\nmissing_parts=missing",
    }
    for name, lines in settings.items():
        seed("settings", name, f"{name}\n{lines}\n")


def tables():
    text = 'id,name,x,day\n1,"M\u00fcller, A",3.5,2020-01-02\n2,"two\nlines",,\n3,5" tube,1e5,\n4,NA,-1,1.2.2020\n'
    forms = {"plain": text, "lines": text.replace("\n", "\r\n"), "semicolon": "sep=;\n" + text.replace(",", ";"),
             "tabs": text.replace(",", "\t"), "wide": text.encode("utf-16"), "latin": text.encode("latin-1"),
             "index": ",a,b\n0,1,2\n1,3,4\n", "european": "a;b\n1.234,5;2\n2,5;3\n"}
    for name, form in forms.items():
        form = form.encode() if isinstance(form, str) else form
        seed("text", name, form)
        seed("gzip", name, gzip.compress(form, mtime=0))
        seed("signals", name, b"\1" + form)
    seed("gzip", "members", gzip.compress(b"a,b\n1,2\n", mtime=0) + bytes(9) + gzip.compress(b"3,4\n", mtime=0))
    seed("text", "small.csv", "\n".join((WHOLE / "table.csv").read_text(encoding="utf-8").splitlines()[:30]))
    for path in sorted((ROOT / "tests/golden/writers").iterdir()) + sorted((ROOT / "tests/golden/one_table").iterdir()):
        if path.suffix == ".parquet":
            seed("parquet", f"{path.parent.name}-{path.name}", path.read_bytes())
        if path.suffix in (".arrow", ".feather"):
            seed("arrow", f"{path.parent.name}-{path.name}", path.read_bytes())
    seed("extract", "patients", b"\0person,sex,born\n1,F,1950-02-03\n2,M,1700-01-01 00:00:00\n,,\n")
    seed("extract", "stays", b"\1person,stay,begin,end\n1,7,2020-01-01 10:00:00,2020-01-03 10:00:00\n1,8,2020-02-30,\n")
    seed("extract", "values", b"\2stay,at,item,value,unit\n7,2020-01-01 11:00:00,220045,80,bpm\n7,x,9,1e400,\n"
                              b'7,2020-01-01T12:30:00Z,220045,"8,5",/min\n')


def folders():
    files = ["manifest.json", "tensor.safetensors", "audit.json"]
    for at, name in enumerate(files):
        seed("bundle", name, bytes([at]) + (WHOLE / "bundle" / name).read_bytes())
    for kind, model in enumerate(["gmm", "flow"]):
        for at, name in enumerate(["model.json", "model.safetensors", "metrics.json", "history.csv"]):
            seed("model", f"{model}-{name}", bytes([kind, at]) + (WHOLE / model / name).read_bytes())


def recordings():
    for form in (0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524):
        header = f"r 2 125 32 10:00:00 01/02/2020\nr.dat {form} 200(0)/mV 12 0 1 0 0 PLETH\n"
        header += f"r.dat {form} 1e3/mmHg 12 0 2 0 0 ABP\n# subject_id: 12\n"
        seed("wfdb", str(form), header.encode() + b"\0" + bytes(range(256)))
    seed("wfdb", "segments", b"r/2 2 125 64\nr_1 32\n~ 32\n")
    seed("wfdb", "skew", b"r 1 500/125(7.5) 8\nr.dat 16x4:3+24 1(2)/uV 16 0 0 0 0 PLETH\n\0" + bytes(99))
    seed("signals", "array", b"\0" + npy((32, 2)))
    seed("signals", "windows", b"\0" + npy((4, 8, 2), "<f4"))
    seed("signals", "integers", b"\0" + npy((32, 2), ">i2", True))


def images():
    for kind in (8, 9, 11, 12, 13, 14):
        seed("arrays", f"idx-{kind}", b"\0" + idx((6, 4, 4), kind) + bytes(900))
    seed("arrays", "packed", b"\1" + gzip.compress(idx((6, 4, 4)), mtime=0))
    for shape in ((6, 4, 4), (6, 4, 4, 3)):
        seed("arrays", f"array-{len(shape)}", b"\2" + npy(shape, "|u1"))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", method) as file:
            file.writestr(zipfile.ZipInfo("train_images.npy"), npy((6, 4, 4), "|u1"))
            file.writestr(zipfile.ZipInfo("train_labels.npy"), npy((6, 1), "|u1"))
        seed("arrays", f"archive-{method}", b"\3" + archive.getvalue())
    for colour, bits in ((0, 8), (0, 1), (0, 16), (2, 8), (3, 4), (4, 8), (6, 16)):
        seed("pictures", f"png-{colour}-{bits}", b"\0" + png(colour, bits))
    seed("pictures", "tiff", b"\2" + tiff())


for part in (descriptions, tables, folders, recordings, images):
    part()
