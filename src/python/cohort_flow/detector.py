"""Outliers with calibrated p-values and explanations."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.exceptions import NotFittedError

from ._estimator import DensityEstimator, checked
from ._frames import default_kind, give, index_of, kind_of
from .bundle import Bundle
from .flow import ButterflyFlow
from .model import Model
from .plot import Flags


class OutlierDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Flags records that do not fit a density, with p-values that hold for new records.

    Parameters
    ----------
    model : estimator, optional
        The density, which is cloned and fitted; ``ButterflyFlow()`` by default.
    alpha : float
        Records are flagged when their p-value is at or below this level: of ordinary records, at most this
        share is flagged, on average.
    fdr : float, optional
        Flag in its place so that the expected share of false flags stays below this level, over the records
        that are asked about together.
    measure : str
        What ranks records: ``"combined"``, ``"log-likelihood"``, ``"vector"``, ``"marginal"``,
        ``"dependence"``, ``"distance"``, ``"mixture"`` or ``"extreme"``.
    random_state : int, RandomState or None
        Seed of the fit; it takes the place of the model's where it is given.

    Attributes
    ----------
    estimator_ : estimator
        The fitted density.
    offset_ : float
        The value of ``score_samples`` below which records are flagged, for ``alpha``.
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray

    Notes
    -----
    Records that a model was fitted on have p-values that lean towards 1. ``fit_predict`` therefore finds
    fewer errors than ``predict`` finds in new records; a model with ``calibration="cross"`` finds more.

    Examples
    --------
    >>> detector = OutlierDetector(alpha=0.01).fit(train)        # doctest: +SKIP
    >>> detector.explain(new)                                    # doctest: +SKIP
    """

    def __init__(
        self,
        model: Optional[DensityEstimator] = None,
        *,
        alpha: float = 0.01,
        fdr: Optional[float] = None,
        measure: str = "combined",
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.alpha = alpha
        self.fdr = fdr
        self.measure = measure
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> OutlierDetector:
        """Fit and calibrate the density.

        Parameters
        ----------
        X : table or Bundle
            Records, most of them ordinary.
        y : ignored
            For the conventions of scikit-learn.
        """
        estimator = ButterflyFlow() if self.model is None else clone(self.model)
        if self.random_state is not None:
            estimator.set_params(random_state=self.random_state)
        if not isinstance(X, Bundle):
            checked(self, X, reset=True)
        self.estimator_ = estimator.fit(X)
        if isinstance(X, Bundle):
            self.n_features_in_ = estimator.n_features_in_
            self.feature_names_in_ = estimator.feature_names_in_
        self.offset_ = self._offset()
        return self

    def _offset(self) -> float:
        header = self._fitted().header
        # Calibration scores of the measure that a model prefers stand apart from those of the others.
        scores = header.get("other_calibrations", {}).get(self.measure, header["calibration"])
        ordered = np.sort(np.asarray(scores, dtype=float))[::-1]
        # p = (1 + number of calibration scores at or above) / (n + 1); a record is flagged at p ≤ alpha.
        above = int(np.floor(self.alpha * (len(ordered) + 1) + 1e-9)) - 1
        if above < 0:
            return -np.inf
        return float(-ordered[min(above, len(ordered) - 1)])

    def _fitted(self) -> Model:
        if not hasattr(self, "estimator_"):
            name = type(self).__name__
            raise NotFittedError(
                f"This {name} instance is not fitted yet. Call 'fit' before using this estimator."
            )
        model: Model = self.estimator_.model_
        return model

    def _rule(self) -> dict[str, Any]:
        """Return the options that say what ranks records and which of them are flagged."""
        level = {"fdr": self.fdr} if self.fdr is not None else {"alpha": self.alpha}
        return {"score": self.measure, **level}

    def _flags(self, X: Any, **options: Any) -> pa.Table:
        model = self._fitted()
        return model.flag(checked(self, X, reset=False), **self._rule(), **options)

    def _column(self, X: Any, name: str) -> Any:
        """Return one column of the verdicts, without reasons."""
        model = self._fitted()
        return model.flag_column(checked(self, X, reset=False), name, **self._rule(), explain=0)

    def score_samples(self, X: Any) -> Any:
        """Return how ordinary each record is; the lower, the more unusual."""
        return -self._column(X, "score")

    def decision_function(self, X: Any) -> Any:
        """Return ``score_samples`` less ``offset_``; below 0 for records flagged at the level ``alpha``."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Any:
        """Return -1 for records that are flagged and 1 for the others."""
        return np.where(self._column(X, "flagged"), -1, 1)

    def p_values(self, X: Any) -> Any:
        """Return the conformal p-value of each record."""
        return self._column(X, "p_value")

    def flags(self, X: Any, features: int = 3, also: int = 0) -> Flags:
        """Return the same verdicts as :meth:`explain`, as an object that draws itself.

        Parameters
        ----------
        X : table
            Records.
        features : int
            Features named for each record that is explained.
        also : int
            Explain so many of the most unusual records although they are not flagged.

        Returns
        -------
        Flags
        """
        return Flags(self._flags(X, explain=features, also_explain=also), self._fitted())

    def explain(self, X: Any, features: int = 3, also: int = 0) -> Any:
        """Return verdicts with reasons: which features are unusual, and which values would be ordinary.

        Parameters
        ----------
        X : table
            Records.
        features : int
            Features named for each record that is explained.
        also : int
            Explain so many of the most unusual records although they are not flagged.

        Returns
        -------
        table
            One row per record in the order of ``X``, with its index; in the library of ``X``.
        """
        flags = self._flags(X, explain=features, also_explain=also)
        kind = kind_of(X)
        frame = give(flags, kind if kind not in (None, "numpy") else default_kind())
        index = index_of(X)
        if index is not None:
            frame = frame.drop(columns="record_id")
            frame.index = index
        return frame

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def _more_tags(self) -> dict[str, Any]:
        # For scikit-learn before 1.6.
        return {"allow_nan": True}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
