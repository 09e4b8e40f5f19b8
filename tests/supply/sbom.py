"""Writes the software bill of materials of the program in the format CycloneDX 1.5 to standard output:

    python3 tests/supply/sbom.py > cohort-flow.cdx.json

It lists the crates that are compiled into the program for this system, with version, licence, and the SHA-256 that
Cargo.lock holds and Cargo checks. Crates for tests and build scripts alone are no part of it. The same Cargo.lock
gives the same bytes. Needs Cargo and Python 3.11 or later, and opens no connection.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def linked(metadata):
    """The ids of all packages that normal dependencies reach from the program, and what each depends on."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    reached, waiting = {}, [metadata["resolve"]["root"]]
    while waiting:
        package = waiting.pop()
        if package not in reached:
            reached[package] = [dependency["pkg"] for dependency in nodes[package]["deps"]
                                if any(kind["kind"] is None for kind in dependency["dep_kinds"])]
            waiting.extend(reached[package])
    return reached


def main():
    system = next(line.split()[1] for line in subprocess.run(
        ["rustc", "-vV"], capture_output=True, text=True, check=True).stdout.splitlines() if line.startswith("host:"))
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--locked", "--offline",
                                "--filter-platform", system))
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    reached = linked(metadata)

    def address(package):
        return f"pkg:cargo/{packages[package]['name']}@{packages[package]['version']}"

    def component(package):
        about = packages[package]
        checksum = checksums[(about["name"], about["version"])]
        return {
            "type": "library" if checksum else "application", "bom-ref": address(package), "name": about["name"],
            "version": about["version"], "purl": address(package),
            "licenses": [{"expression": (about["license"] or "NOASSERTION").replace("/", " OR ")}],
            **({"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {}),
        }

    root = metadata["resolve"]["root"]
    others = sorted(reached.keys() - {root}, key=address)
    without = [address(package) for package in others if not component(package).get("hashes")]
    if without:
        sys.exit(f"these crates have no checksum in Cargo.lock: {', '.join(without)}")
    json.dump({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": component(root)},
        "components": [component(package) for package in others],
        "dependencies": [{"ref": address(package), "dependsOn": sorted({address(d) for d in reached[package]})}
                         for package in sorted(reached, key=address)],
    }, sys.stdout, indent=1)
    print()


main()
