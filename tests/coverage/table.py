"""Sums the summary of llvm-cov up by folder, and names the files that are run least:

    python3 tests/coverage/table.py SUMMARY FOLDER...
"""

import json
import sys
from pathlib import Path

LEAST = 90.0
FEW = 20


def share(counts):
    covered, all_ = (sum(c[i] for c in counts) for i in (0, 1))
    return 100.0 * covered / max(all_, 1)


def main():
    summary, names = sys.argv[1], sys.argv[2:]
    root = Path(__file__).resolve().parents[2] / "src"
    folders = {name: [] for name in names}
    for file in json.loads(Path(summary).read_text(encoding="utf-8"))["data"][0]["files"]:
        try:
            place = Path(file["filename"]).resolve().relative_to(root)
        except ValueError:
            continue
        folder = place.parts[0].removesuffix(".rs")
        if folder in folders:
            counts = {kind: (file["summary"][kind]["covered"], file["summary"][kind]["count"])
                      for kind in ("lines", "regions", "functions")}
            folders[folder].append((str(place), counts))
    print(f"{'folder':12} {'files':>6} {'lines':>8} {'regions':>8} {'functions':>10}")
    low = False
    for folder, files in folders.items():
        parts = [share([counts[kind] for _, counts in files]) for kind in ("lines", "regions", "functions")]
        low |= parts[0] < LEAST
        print(f"{folder:12} {len(files):6} {parts[0]:7.1f}% {parts[1]:7.1f}% {parts[2]:9.1f}%")
    least = sorted((share([counts["lines"]]), place, counts["lines"]) for files in folders.values()
                   for place, counts in files if counts["lines"][1] >= FEW)
    print("\nthe files of which least is run:")
    for part, place, (covered, all_) in least[:15]:
        print(f"{part:7.1f}%  {covered:5} of {all_:5} lines  {place}")
    sys.exit(int(low))


main()
