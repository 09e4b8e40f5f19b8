"""Missing values drawn given the values that are there."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pyarrow as pa
import pyarrow.compute
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError

from ._estimator import DensityEstimator, checked, seed_of
from ._frames import Layout, index_of, kind_of
from .bundle import Bundle
from .mixture import GaussianMixture
from .model import Model


class Imputer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Completes records under a density.

    Parameters
    ----------
    model : estimator, optional
        The density, which is cloned and fitted; ``GaussianMixture()`` by default.
    draws : int
        Completions of each record. :meth:`transform` fills a number by their mean and a level by the most
        frequent one; :meth:`complete` returns all of them, for multiple imputation.
    importance_samples : int
        Candidates from which the completions of a record are chosen; more of them are needed where warnings
        tell of few effective samples.
    prefit : bool
        Use ``model`` as it is, without fitting it again.
    random_state : int, RandomState or None
        Seed of the draws.

    Attributes
    ----------
    estimator_ : estimator
        The fitted density.
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray

    Notes
    -----
    Columns that the density does not know, such as identifiers, and values that are there stay as they are.
    A number of a column of whole numbers is rounded.

    Examples
    --------
    >>> Imputer(draws=20).fit(frame).transform(frame)            # doctest: +SKIP
    """

    def __init__(
        self,
        model: Optional[DensityEstimator] = None,
        *,
        draws: int = 20,
        importance_samples: int = 256,
        prefit: bool = False,
        random_state: Any = 1,
    ) -> None:
        self.model = model
        self.draws = draws
        self.importance_samples = importance_samples
        self.prefit = prefit
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Imputer:
        """Fit the density.

        Parameters
        ----------
        X : table or Bundle
            Records with missing values.
        y : ignored
            For the conventions of scikit-learn.
        """
        if isinstance(X, Bundle):
            names = [column["name"] for column in X.columns]
            self.n_features_in_ = len(names)
            self.feature_names_in_ = np.asarray(names, dtype=object)
        else:
            checked(self, X, reset=True)
        if self.prefit:
            self.estimator_ = self.model
            self._fitted()
            return self
        estimator = GaussianMixture() if self.model is None else clone(self.model)
        self.estimator_ = estimator.fit(X)
        return self

    def _fitted(self) -> Model:
        model = getattr(getattr(self, "estimator_", None), "model_", None)
        if model is None:
            name = type(self).__name__
            raise NotFittedError(
                f"This {name} instance is not fitted yet. Call 'fit' before using this estimator."
            )
        fitted: Model = model
        return fitted

    def _draws(self, arrow: pa.Table, draws: int) -> pa.Table:
        return self._fitted().complete(arrow, draws, seed_of(self.random_state), self.importance_samples)

    def complete(self, X: Any, draws: Optional[int] = None) -> Any:
        """Return all completions, ``draws`` rows for each record.

        Parameters
        ----------
        X : table
            Records.
        draws : int, optional
            Completions of each record; those of the imputer by default.

        Returns
        -------
        table
            With the columns ``draw`` and ``effective_samples``; in pandas, the index of ``X`` is repeated.
        """
        self._fitted()
        arrow, n = checked(self, X, reset=False).table(), draws or self.draws
        layout, index = Layout(X, arrow), index_of(X)
        drawn = self._draws(arrow, n)
        if index is None:
            return layout.restore(drawn)
        return layout.restore(drawn.drop_columns(["record_id"]), index.repeat(n))

    def transform(self, X: Any) -> Any:
        """Return the records with their missing values filled in.

        Parameters
        ----------
        X : table
            Records with the columns of the fit.

        Returns
        -------
        table
            Of the library, with the types and with the index of ``X``.
        """
        self._fitted()
        arrow = checked(self, X, reset=False).table()
        known = [f["name"] for f in self._fitted().features if f["name"] in arrow.column_names]
        holes = [name for name in known if _missing(arrow[name]).true_count > 0]
        if not holes:
            return Layout(X, arrow).restore(arrow, index_of(X))
        rows = np.flatnonzero(
            np.any([_missing(arrow[name]).to_numpy(zero_copy_only=False) for name in holes], axis=0)
        )
        drawn = self._draws(arrow.take(pa.array(rows)), self.draws)
        columns = {name: arrow[name] for name in arrow.column_names}
        for name in holes:
            columns[name] = _filled(columns[name], drawn[name], rows, self.draws)
        filled = pa.table(columns)
        if kind_of(X) in (None, "numpy"):
            return Layout(np.empty((0, 0)), filled).restore(filled)
        return Layout(X, arrow).restore(filled, index_of(X))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns, which are those of the input."""
        self._fitted()
        if hasattr(self, "feature_names_in_"):
            return self.feature_names_in_
        return np.asarray([f"x{at}" for at in range(self.n_features_in_)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def _more_tags(self) -> dict[str, Any]:
        # For scikit-learn before 1.6.
        return {"allow_nan": True}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _missing(column: Any) -> pa.Array:
    if pa.types.is_float16(column.type):
        # Few functions of pyarrow know half precision.
        column = column.cast(pa.float32())
    mask = pa.compute.is_null(column, nan_is_null=True)
    return mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask


def _filled(column: Any, drawn: Any, rows: Any, draws: int) -> Any:
    """Return a column with its missing values replaced by what was drawn for the given rows."""
    mask = _missing(column).to_numpy(zero_copy_only=False)
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    values = drawn.to_numpy().reshape(len(rows), draws)
    if np.issubdtype(values.dtype, np.number):
        chosen = values.mean(axis=1)
        if pa.types.is_integer(plain.type):
            chosen = np.rint(chosen)
    else:
        chosen = np.array([max(sorted(set(of)), key=list(of).count) for of in values.tolist()], dtype=object)
    at = {row: i for i, row in enumerate(rows)}
    target = plain.type
    merged = plain.to_pylist()
    for row in np.flatnonzero(mask):
        merged[row] = chosen[at[row]]
    if pa.types.is_integer(target):
        merged = [None if value is None else int(value) for value in merged]
    elif pa.types.is_boolean(target):
        merged = [_truth(value) for value in merged]
    elif pa.types.is_decimal(target) or not (pa.types.is_floating(target) or pa.types.is_string(target)):
        return pa.array(merged)
    return pa.array(merged, target)


def _truth(value: Any) -> Optional[bool]:
    if value is None or isinstance(value, bool):
        return value
    return value in ("true", "True") if isinstance(value, str) else bool(value >= 0.5)
