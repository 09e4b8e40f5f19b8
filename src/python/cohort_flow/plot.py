"""Figures of the report, drawn by the program and shown in a notebook."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from ._frames import default_kind, give
from ._process import run
from .errors import UsageError

if TYPE_CHECKING:
    from .bundle import Bundle
    from .model import Model

PathLike = Union[str, Path]


class Figure:
    """A figure of the report: one drawing, or a page of several with the tables behind them.

    Parameters
    ----------
    content : str
        SVG, or an HTML page.
    ending : {"svg", "html"}
        Which of the two.

    Attributes
    ----------
    content : str
        What :meth:`save` writes.
    ending : str
        ``"svg"`` or ``"html"``.

    Examples
    --------
    >>> bundle.plot.missing().save("missing.svg")            # doctest: +SKIP
    """

    def __init__(self, content: str, ending: str) -> None:
        self.content = content
        self.ending = ending

    def save(self, path: PathLike) -> Path:
        """Write the figure to a file, whose name ends as the figure does.

        Parameters
        ----------
        path : path
            The file; an existing one is replaced.

        Returns
        -------
        pathlib.Path
        """
        target = Path(path)
        if target.suffix.lower() != f".{self.ending}":
            raise UsageError(
                f"{target.name}: this figure is {'a drawing' if self.ending == 'svg' else 'a page'}",
                f"end the name in .{self.ending}",
                "usage",
            )
        target.write_text(self.content, encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        if self.ending == "svg":
            return self.content
        # The page brings styles of its own, which must not reach the notebook's.
        page = html.escape(self.content, quote=True)
        return f'<iframe srcdoc="{page}" width="100%" height="600" style="border:0"></iframe>'

    def _repr_svg_(self) -> Optional[str]:
        return self.content if self.ending == "svg" else None

    def __repr__(self) -> str:
        return f"Figure({self.ending}, {len(self.content)} characters)"


def draw(
    name: str,
    source: Path,
    model: Optional[Model],
    ending: str,
    identifiable: bool,
    seed: int = 1,
) -> Figure:
    """Have the program draw a figure of ``cohort-flow figure``."""
    with tempfile.TemporaryDirectory(prefix="cohort-flow-figure-") as folder:
        path = Path(folder) / f"figure.{ending}"
        words = ["figure", name, str(source), "--output", str(path), "--seed", str(seed)]
        words += ["--model", str(model.save(Path(folder) / "model"))] if model is not None else []
        words += ["--identifiable"] if identifiable else []
        run(words, None, False)
        return Figure(path.read_text(encoding="utf-8"), ending)


class BundlePlot:
    """The figures of a bundle: ``bundle.plot.missing()``.

    Parameters
    ----------
    bundle : Bundle
        The bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def missing(self, *, identifiable: bool = False) -> Figure:
        """Draw the share of records without a value, by feature.

        Parameters
        ----------
        identifiable : bool
            Show counts of fewer than 11 records.

        Returns
        -------
        Figure
        """
        return draw("missing", self._bundle.path, None, "svg", identifiable)


class ModelPlot:
    """The figures of a model: ``model.plot.marginals()``.

    Parameters
    ----------
    model : Model
        The model.
    bundle : Bundle, optional
        The bundle that it was fitted on, where that is known.
    """

    def __init__(self, model: Model, bundle: Optional[Bundle] = None) -> None:
        self._model = model
        self._bundle = bundle

    def marginals(
        self, bundle: Optional[Bundle] = None, *, identifiable: bool = False, random_state: int = 1
    ) -> Figure:
        """Draw held-out records against samples of the model, feature by feature.

        Parameters
        ----------
        bundle : Bundle, optional
            The bundle that the model was fitted on. An estimator that was fitted on a bundle knows it.
        identifiable : bool
            Show figures of fewer than 11 records.
        random_state : int
            Seed of the samples.

        Returns
        -------
        Figure
            A page with one drawing per feature.
        """
        source = self._bundle if bundle is None else bundle
        if source is None:
            raise UsageError(
                "the held-out records that samples are held against are not known",
                "pass the bundle: marginals(bundle); a model fitted on a bundle in this session knows it",
                "usage",
            )
        return draw("marginals", source.path, self._model, "html", identifiable, random_state)


class Flags:
    """Flags of records, with the model that they are of.

    Parameters
    ----------
    table : pyarrow.Table
        What ``cohort-flow flag`` writes.
    model : Model
        The model.

    Attributes
    ----------
    table : pyarrow.Table
        One row per record.

    Examples
    --------
    >>> flags = detector.flags(new)                          # doctest: +SKIP
    >>> flags.plot()                                         # doctest: +SKIP
    """

    def __init__(self, table: pa.Table, model: Model) -> None:
        self.table = table
        self._model = model

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def n_flagged(self) -> int:
        """Number of records that are flagged."""
        return int(pa.compute.sum(self.table["flagged"]).as_py() or 0)

    def frame(self, as_: Optional[str] = None) -> Any:
        """Return the flags as a table of the library ``as_``; pandas where it is installed, else pyarrow."""
        return give(self.table, as_ or default_kind())

    def plot(self, *, identifiable: bool = False, random_state: int = 1) -> Figure:
        """Draw the p-values, which are uniform where records are like those of the calibration.

        Parameters
        ----------
        identifiable : bool
            Show bins of fewer than 11 records.
        random_state : int
            Seed of what spreads equal p-values over the step below them.

        Returns
        -------
        Figure
        """
        with tempfile.TemporaryDirectory(prefix="cohort-flow-flags-") as folder:
            path = Path(folder) / "flags.parquet"
            pa.parquet.write_table(self.table, path)
            return draw("p-values", path, self._model, "svg", identifiable, random_state)

    def __repr__(self) -> str:
        return f"Flags({self.n_flagged} of {len(self)} records)"
