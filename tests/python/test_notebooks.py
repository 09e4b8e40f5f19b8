"""The notebooks of the guide run from the first cell to the last, in a folder of their own."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "src" / "guide" / "notebooks"
MIMIC3 = ROOT.parent / "shared" / "data" / "mimic3-demo"


def run(name: str, folder: Path):
    """The notebook with its outputs; an error in a cell is an error here."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the project"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def shown(notebook) -> str:
    """All text that the cells put out."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(texts)


def test_ones_own_table(tmp_path):
    told = shown(run("own-table.ipynb", tmp_path))
    assert "nats per new record" in told
    # The decimal point is found, and no lactate is missing at the end.
    assert "stay 1203" in told and ", 0)" in told


def test_the_mimic3_demo(tmp_path):
    if not MIMIC3.is_dir():
        pytest.skip(f"{MIMIC3} is not there")
    (tmp_path / "mimic-iii-clinical-database-demo-1.4").symlink_to(MIMIC3)
    told = shown(run("mimic3-demo.ipynb", tmp_path))
    assert "held-out stays" in told and (tmp_path / "out" / "report.html").stat().st_size > 100_000
