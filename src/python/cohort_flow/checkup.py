"""Everything in one go: the command ``check``."""

from __future__ import annotations

import html
import json
import tempfile
from pathlib import Path
from typing import Any, Optional, Union

import pyarrow as pa
import pyarrow.csv

from ._frames import default_kind, give, kind_of, to_records
from ._process import run
from .bundle import Bundle
from .model import Model
from .page import Report

PathLike = Union[str, Path]


class Check:
    """What a check came to.

    Attributes
    ----------
    path : pathlib.Path
        The folder with everything that was made.
    summary : dict
        What was read and left out, which model explains held-out records better, the most unusual records,
        what to look at first, and all messages.
    """

    def __init__(self, path: PathLike, summary: dict[str, Any]) -> None:
        self.path = Path(path)
        self.summary = summary
        self._owned: Optional[tempfile.TemporaryDirectory[str]] = None

    @property
    def lines(self) -> list[str]:
        """The ten lines that the command prints."""
        return (self.path / "summary.txt").read_text(encoding="utf-8").splitlines()

    @property
    def bundle(self) -> Bundle:
        """The ingested records."""
        return Bundle(self.path / "bundle")

    @property
    def flow(self) -> Model:
        """The flow, or for signals the causal flow."""
        return Model.from_folder(self.path / "flow")

    @property
    def mixture(self) -> Model:
        """The baseline, which pictures do not have."""
        return Model.from_folder(self.path / "mixture")

    @property
    def report(self) -> Report:
        """The page."""
        return Report(self.path / "report.html")

    def flags(self, as_: Optional[str] = None) -> Any:
        """Return the flags as a table of the library ``as_``; pandas where it is installed, else pyarrow."""
        table = pa.csv.read_csv(
            self.path / "flags.csv",
            convert_options=pa.csv.ConvertOptions(column_types={"record_id": pa.string()}),
        )
        return give(table, as_ or default_kind())

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        return f"Check({str(self.path)!r})\n{self}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left;white-space:nowrap'>{html.escape(line[:9].strip())}</th>"
            f"<td style='text-align:left'>{html.escape(line[10:])}</td></tr>"
            for line in self.lines
        )
        return f"<table>{rows}</table>{self.report._repr_html_()}"


def _as_path(table: Any, folder: Path, name: str) -> str:
    if kind_of(table) is None:
        return str(table)
    path = folder / f"{name}.arrow"
    with pa.OSFile(str(path), "wb") as sink:
        to_records(table).write(sink)
    return str(path)


def check(
    input: Any,
    new: Any = None,
    output: Optional[PathLike] = None,
    *,
    time_budget: Union[str, float] = "5m",
    force: bool = False,
    random_state: int = 1,
    progress: Optional[bool] = None,
    n_jobs: Optional[int] = None,
) -> Check:
    """Recognise, ingest, fit, flag and report, as the command ``cohort-flow check`` does.

    Parameters
    ----------
    input : path or table
        A table, the folder of an extract or of signals, or a table of pandas, Polars or pyarrow.
    new : path or table, optional
        New records of the same kind, which are flagged in place of the data themselves.
    output : path, optional
        The folder to write. Left out, it goes with the object.
    time_budget : str or float
        Wall-clock time to end within, such as ``"5m"``, or seconds; a flow has a quarter of it at least.
    force : bool
        Replace an existing output.
    random_state : int
        Seed of everything random.
    progress : bool, optional
        Show bars; by default in a terminal and in a notebook.
    n_jobs : int, optional
        Number of threads.

    Returns
    -------
    Check
        It shows itself in a notebook.

    Examples
    --------
    >>> check("table.csv")                               # doctest: +SKIP
    """
    owned = tempfile.TemporaryDirectory(prefix="cohort-flow-check-") if output is None else None
    path = Path(owned.name) / "check" if owned is not None else Path(str(output))
    budget = time_budget if isinstance(time_budget, str) else f"{time_budget}s"
    with tempfile.TemporaryDirectory(prefix="cohort-flow-table-") as folder:
        words = ["check", _as_path(input, Path(folder), "table"), "--output", str(path), "--json"]
        words += ["--time-budget", budget, "--seed", str(random_state)]
        words += ["--new", _as_path(new, Path(folder), "new")] if new is not None else []
        words += ["--force"] if force else []
        summary: dict[str, Any] = json.loads(run(words, None, progress, n_jobs))
    made = Check(path, summary)
    made._owned = owned
    return made
