"""What MLflow calls to serve a folder that ``cohort-flow export MODEL --format mlflow`` wrote.

The folder is served by ``mlflow models serve --env-manager local --model-uri FOLDER`` and loaded by
``mlflow.pyfunc.load_model(FOLDER)``. Nothing here imports MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import pyarrow as pa

from .errors import InputError
from .model import Model, PathLike

if TYPE_CHECKING:
    import pandas as pd


# Every p-value is asked for, and no verdict: at this level none can be missed for want of records.
_ANY = 0.5


class Scorer:
    """A model whose answers are a frame: ``log_prob``, ``score`` and ``p_value`` of each row."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame, params: Optional[dict[str, Any]] = None) -> pd.DataFrame:
        """Judge the rows of a frame with the model's columns; columns that it does not know are left out.

        Parameters
        ----------
        frame : pandas.DataFrame
            One record a row, in original units; what is missing is NaN or None.
        params : dict, optional
            Not used; MLflow passes it.

        Returns
        -------
        pandas.DataFrame
            Log-likelihood in nats, score (larger is more unusual) and calibrated p-value, with the index of
            ``frame``.
        """
        if len(frame) == 0:
            raise InputError("there is no row to judge", "send at least one record", "input")
        table = pa.Table.from_pandas(frame, preserve_index=False)
        judged = self.model.flag(table, alpha=_ANY, explain=0)
        answer: pd.DataFrame = judged.select(["log_prob", "score", "p_value"]).to_pandas()
        answer.index = frame.index
        return answer


def _load_pyfunc(path: PathLike) -> Scorer:
    """Load the model folder at ``path``; the name is the one that MLflow calls."""
    return Scorer(Model.from_folder(path))
