"""Chooses the inputs that are kept in the source tree from those that `-set_cover_merge` leaves of a corpus:

    python3 tests/fuzz/keep.py FOLDER KEPT

Not the smallest alone, which are refused at their first bytes, but some of every size up to 4 kB: at most 50 inputs and
20 kB, so that all targets together stay below 300 kB. Inputs that stand in KEPT already stay, since among them are those
that once were wrong.
"""

import shutil
import sys
from pathlib import Path

MOST, BYTES, LARGEST = 50, 20_000, 4_000


def main():
    folder, kept = Path(sys.argv[1]), Path(sys.argv[2])
    kept.mkdir(parents=True, exist_ok=True)
    there = list(kept.iterdir())
    left, n = BYTES - sum(path.stat().st_size for path in there), len(there)
    inputs = sorted((path.stat().st_size, path) for path in folder.iterdir())
    small = [path for size, path in inputs if size <= LARGEST] or [path for _, path in inputs[:1]]
    step = max(1, len(small) // MOST)
    for path in small[::step]:
        size = path.stat().st_size
        if n < MOST and size <= left:
            shutil.copy(path, kept / path.name)
            left, n = left - size, n + 1


main()
