"""The fitted model: bytes that can be kept, sent and asked."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import pyarrow as pa

from ._records import Records
from ._server import Server
from .errors import ModelError
from .plot import ModelPlot

if TYPE_CHECKING:
    from .bundle import Bundle

PathLike = Union[str, Path]


class Model:
    """A fitted model, which is the content of a model folder.

    It is loaded by a process of the program at the first question, and the process ends with the object. A
    copy by :mod:`pickle` holds the bytes alone.

    Parameters
    ----------
    files : mapping of str to bytes
        The files of the model folder.
    n_jobs : int, optional
        Number of threads that answer questions.

    Examples
    --------
    >>> model = Model.from_folder("out/flow")            # doctest: +SKIP
    >>> model.score(table)                               # doctest: +SKIP
    """

    def __init__(self, files: Mapping[str, bytes], n_jobs: Optional[int] = None) -> None:
        if "model.json" not in files:
            raise ModelError("these files are no model: there is no model.json", "fit a model first", "model")
        self._files = dict(files)
        self.n_jobs = n_jobs
        self._server: Optional[Server] = None
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None
        self._lock = threading.Lock()
        #: The bundle it was fitted on in this session; copies do not know it.
        self._bundle: Optional[Bundle] = None

    @classmethod
    def from_folder(cls, folder: PathLike, n_jobs: Optional[int] = None) -> Model:
        """Read a model folder that ``cohort-flow fit`` wrote."""
        path = Path(folder)
        if not path.is_dir():
            raise ModelError(f"{path} is no model folder", "give the folder that `fit` wrote", "model")
        return cls(
            {file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()}, n_jobs
        )

    def save(self, folder: PathLike) -> Path:
        """Write a model folder, which every command of the program can use."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=False)
        for name, content in self._files.items():
            (path / name).write_bytes(content)
        return path

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self._files, "n_jobs": self.n_jobs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["files"], state["n_jobs"])  # type: ignore[misc]

    @property
    def metrics(self) -> dict[str, Any]:
        """Held-out likelihoods, size and cost, as in ``metrics.json``."""
        metrics: dict[str, Any] = json.loads(self._files["metrics.json"])
        return metrics

    @property
    def header(self) -> dict[str, Any]:
        """What the model is and how it came about, as in ``model.json``."""
        header: dict[str, Any] = json.loads(self._files["model.json"])
        return header

    @property
    def server(self) -> Server:
        """The process that answers questions; it is started when there is none."""
        with self._lock:
            if self._server is None or not self._server.alive:
                if self._server is not None:
                    self._server.close()
                if self._folder is None or not Path(self._folder.name).is_dir():
                    self._folder = tempfile.TemporaryDirectory(prefix="cohort-flow-model-")
                    for name, content in self._files.items():
                        (Path(self._folder.name) / name).write_bytes(content)
                self._server = Server(Path(self._folder.name), self.n_jobs)
            return self._server

    @property
    def plot(self) -> ModelPlot:
        """Figures of the report about this model."""
        return ModelPlot(self, self._bundle)

    def close(self) -> None:
        """End the process; the next question starts another one."""
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None

    @property
    def features(self) -> list[dict[str, Any]]:
        """The columns it asks for: name, kind, unit and levels."""
        features: list[dict[str, Any]] = self.server.description["features"]
        return features

    def _wanted(self, table: Union[pa.Table, Records]) -> Records:
        # Columns that the model does not know were told of when it was fitted.
        known = {feature["name"] for feature in self.features}
        records = Records.of(table)
        chosen = [name for name in records.column_names if name in known]
        return records.select(chosen) if chosen else records

    def score(
        self, table: Union[pa.Table, Records], draws: Optional[int] = None, seed: Optional[int] = None
    ) -> pa.Table:
        """Return the log-likelihoods of records, as ``cohort-flow score`` writes them."""
        request = {"do": "score", "draws": draws, "seed": seed}
        return self.server.ask(request, self._wanted(table))[1]

    def score_column(self, table: Union[pa.Table, Records], column: str) -> Any:
        """Return one column of what :meth:`score` returns as a NumPy array; the others take no memory."""
        return self.server.ask({"do": "score"}, self._wanted(table), column)[1]

    def flag_column(self, table: Union[pa.Table, Records], column: str, **options: Any) -> Any:
        """Return one column of what :meth:`flag` returns as a NumPy array; the others take no memory."""
        return self.server.ask({"do": "flag", **options}, self._wanted(table), column)[1]

    def flag(self, table: Union[pa.Table, Records], **options: Any) -> pa.Table:
        """Return p-values, verdicts and explanations, as ``cohort-flow flag`` writes them."""
        return self.server.ask({"do": "flag", **options}, self._wanted(table))[1]

    def sample(self, n: int, seed: Optional[int] = None) -> pa.Table:
        """Return synthetic records."""
        return self.server.ask({"do": "sample", "n": n, "seed": seed})[1]

    def complete(
        self, table: pa.Table, n: int, seed: Optional[int] = None, importance_samples: Optional[int] = None
    ) -> pa.Table:
        """Return completions of records whose empty cells are drawn given the others, ``n`` of each."""
        request = {"do": "complete", "n": n, "seed": seed, "importance_samples": importance_samples}
        return self.server.ask(request, self._wanted(table))[1]
