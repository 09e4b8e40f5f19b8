"""Ingested records: a table in original units with roles, units, splits and an account of their making."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from ._frames import default_kind, give, kind_of, to_records
from ._process import run
from .errors import BundleError
from .plot import BundlePlot

PathLike = Union[str, Path]
Settings = Optional[Mapping[str, Any]]


def settings_as_options(settings: Settings) -> list[str]:
    """Return settings as the options ``--set KEY=VALUE``."""
    options = []
    for key, value in (settings or {}).items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        options += ["--set", f"{key}={text}"]
    return options


class Bundle:
    """A bundle that :func:`ingest` or ``cohort-flow ingest`` made.

    Parameters
    ----------
    path : path
        The folder.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    manifest : dict
        What the bundle was made from and what was fitted.
    audit : dict
        What was read and left out, with counts.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self._owned: Optional[tempfile.TemporaryDirectory[str]] = None
        if not (self.path / "manifest.json").is_file():
            raise BundleError(f"{self.path} is no bundle", "give the folder that ingest wrote", "bundle")
        self.manifest: dict[str, Any] = self._json("manifest.json")
        self.audit: dict[str, Any] = self._json("audit.json")

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return content

    @property
    def columns(self) -> list[dict[str, Any]]:
        """Name, kind, unit and levels of every feature."""
        columns = self.manifest["encoder"]["columns"]
        return [
            {
                "name": column["meta"]["name"],
                "kind": column["meta"]["kind"],
                "unit": column["meta"].get("unit", ""),
                "levels": column.get("levels") or [],
            }
            for column in columns
        ]

    def features(self, as_: Optional[str] = None, split: Optional[str] = None) -> Any:
        """Return the records in original units, with ``record_id``, ``subject_id`` and ``split``.

        Parameters
        ----------
        as_ : {"pandas", "polars", "pyarrow"}, optional
            The library; pandas where it is installed, else pyarrow.
        split : {"train", "validation", "calibration", "test"}, optional
            Return the records of one split.

        Returns
        -------
        table
            Units and kinds are the metadata of the fields in pyarrow, and ``attrs["columns"]`` in pandas.
        """
        table = pa.parquet.read_table(self.path / "features.parquet")
        # Few functions of pyarrow know the layout of texts that the file asks for.
        plain = [f.with_type(pa.string()) if f.type == pa.string_view() else f for f in table.schema]
        table = table.cast(pa.schema(plain))
        if split is not None:
            table = table.filter(pa.compute.equal(table["split"], split))
        known = {column["name"]: column for column in self.columns}
        fields = []
        for field in table.schema:
            column = known.get(field.name)
            if column is not None:
                field = field.with_metadata({"kind": str(column["kind"]), "unit": str(column["unit"])})
            fields.append(field)
        table = table.cast(pa.schema(fields))
        kind = as_ or default_kind()
        frame = give(table, kind)
        if kind == "pandas":
            frame.attrs["columns"] = self.columns
        return frame

    @property
    def plot(self) -> BundlePlot:
        """Figures of the report about these records."""
        return BundlePlot(self)

    def __len__(self) -> int:
        return int(self.manifest["n_records"])

    def __repr__(self) -> str:
        return f"Bundle({str(self.path)!r}: {len(self)} records of {len(self.columns)} features)"


def ingest(
    pipeline: str,
    input: Any,
    output: Optional[PathLike] = None,
    *,
    schema: Optional[str] = None,
    settings: Settings = None,
    force: bool = False,
    on_bad_row: str = "fail",
    progress: Optional[bool] = None,
    n_jobs: Optional[int] = None,
) -> Bundle:
    """Turn an extract or a table into a bundle.

    Parameters
    ----------
    pipeline : str
        A built-in pipeline such as ``"mimic3-first-24h"`` or ``"wide-table"``, or a TOML file.
    input : path or table
        The folder of the extract, a file, or a table of pandas, Polars or pyarrow.
    output : path, optional
        The folder to write. Left out, the bundle lies in a temporary folder that goes with the object.
    schema : str, optional
        The database, where it is not recognised from the files.
    settings : mapping, optional
        Settings as ``--set`` takes them, such as ``{"role.sex": "binary"}``.
    force : bool
        Replace an existing output.
    on_bad_row : {"fail", "skip"}
        What to do with malformed rows.
    progress : bool, optional
        Show bars; by default in a terminal and in a notebook.
    n_jobs : int, optional
        Number of threads.

    Returns
    -------
    Bundle

    Examples
    --------
    >>> bundle = ingest("wide-table", frame)             # doctest: +SKIP
    """
    owned = tempfile.TemporaryDirectory(prefix="cohort-flow-bundle-") if output is None else None
    path = Path(owned.name) / "bundle" if owned is not None else Path(str(output))
    is_table = kind_of(input) is not None
    words = ["ingest", pipeline, "--input", "-" if is_table else str(input), "--output", str(path)]
    words += ["--on-bad-row", on_bad_row, *settings_as_options(settings)]
    words += ["--schema", schema] if schema is not None else []
    words += ["--force"] if force else []
    run(words, to_records(input).write if is_table else None, progress, n_jobs)
    bundle = Bundle(path)
    bundle._owned = owned
    return bundle
