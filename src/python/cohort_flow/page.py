"""The report: one self-contained page."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

from ._process import run
from .bundle import Bundle
from .errors import UsageError
from .model import Model

PathLike = Union[str, Path]


class Report:
    """A page that a notebook shows.

    Parameters
    ----------
    path : path
        The HTML file.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self._owned: Optional[tempfile.TemporaryDirectory[str]] = None

    def _repr_html_(self) -> str:
        # The page brings styles of its own, which must not reach the notebook's.
        page = html.escape(self.path.read_text(encoding="utf-8"), quote=True)
        return f'<iframe srcdoc="{page}" width="100%" height="800" style="border:0"></iframe>'

    def __repr__(self) -> str:
        return f"Report({str(self.path)!r})"


def _model_of(model: Any) -> Union[Model, Path]:
    if isinstance(model, (str, Path)):
        return Path(model)
    for name in ("model_", "estimator_"):
        inner = getattr(model, name, None)
        if isinstance(inner, Model):
            return inner
        if inner is not None:
            return _model_of(inner)
    if isinstance(model, Model):
        return model
    raise UsageError(
        f"{type(model).__name__} is no fitted model",
        "pass fitted estimators, models, or paths of model folders",
        "usage",
    )


def report(
    bundle: Union[Bundle, PathLike],
    models: Sequence[Any],
    output: Optional[PathLike] = None,
    *,
    identifiable: bool = False,
    force: bool = False,
    random_state: int = 1,
    n_jobs: Optional[int] = None,
) -> Report:
    """Compare models on the bundle that they were fitted on.

    Parameters
    ----------
    bundle : Bundle or path
        The bundle.
    models : sequence
        Fitted estimators, models, or paths of model folders.
    output : path, optional
        The HTML file to write. Left out, it goes with the object.
    identifiable : bool
        Show identifiers, values of unusual records and small counts.
    force : bool
        Replace an existing output.
    random_state : int
        Seed of samples and noise draws.
    n_jobs : int, optional
        Number of threads.

    Returns
    -------
    Report
        It shows itself in a notebook.

    Examples
    --------
    >>> report(bundle, [flow, GaussianMixture().fit(bundle)], "report.html")     # doctest: +SKIP
    """
    owned = tempfile.TemporaryDirectory(prefix="cohort-flow-report-") if output is None else None
    path = Path(owned.name) / "report.html" if owned is not None else Path(str(output))
    source = bundle.path if isinstance(bundle, Bundle) else Path(bundle)
    with tempfile.TemporaryDirectory(prefix="cohort-flow-models-") as folder:
        words = ["report", str(source), "--output", str(path), "--seed", str(random_state)]
        for at, model in enumerate(models):
            fitted = _model_of(model)
            if isinstance(fitted, Model):
                # The report calls models by the names of their folders.
                name = type(model).__name__
                place = (
                    Path(folder) / name
                    if not (Path(folder) / name).exists()
                    else Path(folder) / f"{name}-{at + 1}"
                )
                fitted = fitted.save(place)
            words += ["--model", str(fitted)]
        words += ["--identifiable"] if identifiable else []
        words += ["--force"] if force else []
        run(words, None, False, n_jobs)
    made = Report(path)
    made._owned = owned
    return made
