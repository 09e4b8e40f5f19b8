"""What the estimators share: fitting by the program, checks of the input by the rules of scikit-learn."""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_array

from ._frames import Layout, default_kind, kind_of, to_records
from ._process import run
from ._records import Records
from .bundle import Bundle, settings_as_options
from .errors import InputError
from .model import Model
from .plot import ModelPlot

#: The name of the check of finite values, which changed in scikit-learn 1.6.
_FINITE = (
    "ensure_all_finite"
    if "ensure_all_finite" in inspect.signature(check_array).parameters
    else "force_all_finite"
)

#: Records without which no split can be made; a fit may ask for more, and says so.
_LEAST = 2


def seed_of(random_state: Any) -> int:
    """Return a seed of the program for a ``random_state`` of scikit-learn."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, (np.random.RandomState, np.random.Generator)):
        draw = (
            random_state.integers if isinstance(random_state, np.random.Generator) else random_state.randint
        )
        return int(draw(0, 2**31 - 1))
    return int(random_state)


def checked(estimator: Any, X: Any, reset: bool) -> Records:
    """Return the records for the program, checked as scikit-learn checks them.

    Parameters
    ----------
    estimator : estimator
        It remembers, or is asked for, the names and the number of the features.
    X : table
        The user's table.
    reset : bool
        Whether this is a fit.
    """
    kind = kind_of(X)
    if kind in (None, "numpy"):
        # Lists, sparse matrices and the like: the errors are those that everybody knows.
        X = check_array(X, dtype=None, ensure_min_samples=0, ensure_min_features=1, **{_FINITE: False})
        if np.iscomplexobj(X):
            raise ValueError("Complex data not supported")
    _check_names(estimator, X, reset)
    records = to_records(X)
    n = records.num_columns
    if reset:
        estimator.n_features_in_ = n
    elif n != estimator.n_features_in_:
        raise ValueError(
            f"X has {n} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} "
            "features as input"
        )
    least = _LEAST if reset else 1
    if records.num_rows < least:
        raise InputError(
            f"Found array with {records.num_rows} sample(s) (shape=({records.num_rows}, {n})) while a minimum "
            f"of {least} is required",
            f"pass at least {least} records; a fit divides them into splits, and a density needs some dozens"
            if reset
            else "pass at least one record",
            "input",
        )
    for name, infinite in records.infinite():
        raise InputError(
            f"column {name!r} contains infinity in {infinite} of {records.num_rows} rows",
            "write what is missing as NaN or None, and limits of measurement as texts such as '<0.1'",
            "input",
        )
    return records


def _names_of(X: Any) -> Optional[Any]:
    """Return the names of the columns; None for arrays, and for columns whose names are no texts."""
    kind = kind_of(X)
    if kind == "pyarrow":
        names = X.schema.names
    elif kind == "polars":
        names = X.collect_schema().names()
    elif kind == "pandas":
        names = list(X.columns)
        kinds = sorted({type(name).__name__ for name in names})
        if "str" not in kinds:
            return None
        if len(kinds) > 1:
            raise TypeError(
                "Feature names are only supported if all input features have string names, but your input "
                f"has {kinds} as feature name / column name types."
            )
    else:
        return None
    return np.asarray(names, dtype=object)


def _check_names(estimator: Any, X: Any, reset: bool) -> None:
    """Compare the names of the columns with those of the fit, by the rules and in the words of scikit-learn.

    Its own function for that is private, and knows fewer libraries of tables.
    """
    names, fitted = _names_of(X), getattr(estimator, "feature_names_in_", None)
    if reset:
        if names is not None:
            estimator.feature_names_in_ = names
        elif fitted is not None:
            del estimator.feature_names_in_
        return
    kind = type(estimator).__name__
    if names is None and fitted is None:
        return
    if names is None or fitted is None:
        said = (
            f"X has feature names, but {kind} was fitted without feature names"
            if fitted is None
            else f"X does not have valid feature names, but {kind} was fitted with feature names"
        )
        warnings.warn(said, UserWarning, stacklevel=4)
        return
    if list(names) == list(fitted):
        return
    message = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted(set(names) - set(fitted)), sorted(set(fitted) - set(names))
    for title, listed in [
        ("Feature names unseen at fit time:\n", unseen),
        ("Feature names seen at fit time, yet now missing:\n", missing),
    ]:
        if listed:
            more = "- ...\n" if len(listed) > 5 else ""
            message += title + "".join(f"- {name}\n" for name in listed[:5]) + more
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    raise InputError(message, "pass the columns of the fit: X[list(estimator.feature_names_in_)]", "input")


class DensityEstimator(BaseEstimator):  # type: ignore[misc]
    """A density of records, fitted by the program.

    Subclasses say which options of ``cohort-flow fit`` their parameters are, by ``_options``.
    """

    random_state: Any
    time_budget: Union[str, float, None]
    settings: Optional[Mapping[str, Any]]
    table_settings: Optional[Mapping[str, Any]]
    subject: Optional[str]
    condition_on: Optional[Sequence[str]]
    calibration: str
    calibrate_by: Optional[str]
    trim: Optional[float]
    n_jobs: Optional[int]
    progress: Optional[bool]

    def _options(self) -> list[str]:
        return []

    def fit(self, X: Any, y: Any = None) -> Any:
        """Fit the density.

        Parameters
        ----------
        X : table or Bundle
            Records as a table of pandas, Polars, pyarrow or NumPy, one row each, or a bundle that
            :func:`ingest` made.
        y : ignored
            For the conventions of scikit-learn.

        Returns
        -------
        self
        """
        with tempfile.TemporaryDirectory(prefix="cohort-flow-fit-") as folder:
            if isinstance(X, Bundle):
                bundle = X.path
                self.n_features_in_ = len(X.columns)
                self.feature_names_in_ = np.asarray([c["name"] for c in X.columns], dtype=object)
                self._layout = Layout(pa.table({}), pa.table({}))
                self._layout.kind = default_kind()
            else:
                records = checked(self, X, reset=True)
                self._layout = Layout(X, records)
                bundle = Path(folder) / "bundle"
                self._ingest(records, bundle)
            model = Path(folder) / "model"
            words = ["fit", str(bundle), "--output", str(model), "--seed", str(seed_of(self.random_state))]
            words += [*self._options(), *self._shared_options()]
            run(words, None, self.progress, self.n_jobs)
            self.model_ = Model.from_folder(model, self.n_jobs)
            self.model_._bundle = X if isinstance(X, Bundle) else None
        return self

    def _ingest(self, records: Records, bundle: Path) -> None:
        settings = dict(self.table_settings or {})
        if self.subject is not None:
            if self.subject not in records.column_names:
                raise InputError(
                    f"there is no column {self.subject!r} that could say which records are of one subject",
                    f"subject is one of {', '.join(records.column_names)}",
                    "input",
                )
            settings[f"role.{self.subject}"] = "group"
        words = [
            "ingest",
            "wide-table",
            "--input",
            "-",
            "--output",
            str(bundle),
            *settings_as_options(settings),
        ]
        run(words, records.write, self.progress, self.n_jobs)

    def _shared_options(self) -> list[str]:
        words: list[str] = []
        if self.time_budget is not None:
            budget = self.time_budget
            words += ["--time-budget", budget if isinstance(budget, str) else f"{budget}s"]
        if self.condition_on:
            words += ["--condition-on", ",".join(self.condition_on)]
        if self.calibrate_by is not None:
            words += ["--calibrate-by", self.calibrate_by]
        if self.trim is not None:
            words += ["--trim", str(self.trim)]
        words += ["--calibration", self.calibration]
        return words + settings_as_options(self.settings)

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            name = type(self).__name__
            raise NotFittedError(
                f"This {name} instance is not fitted yet. Call 'fit' before using this estimator."
            )
        model: Model = self.model_
        return model

    def score_samples(self, X: Any) -> Any:
        """Return the log-likelihood of each record, in nats and in original units.

        Parameters
        ----------
        X : table
            Records with the columns of the fit.

        Returns
        -------
        numpy.ndarray of shape (n_records,)
        """
        model = self._fitted()
        return model.score_column(checked(self, X, reset=False), "log_prob")

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of records, in nats.

        Parameters
        ----------
        X : table
            Records with the columns of the fit.
        y : ignored
            For the conventions of scikit-learn.
        """
        return float(np.mean(self.score_samples(X)))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draw synthetic records in original units, with missing values.

        Parameters
        ----------
        n_samples : int
            Number of records.
        random_state : int, optional
            Seed; that of the fit by default.

        Returns
        -------
        table
            Of the library and with the types of the table that was fitted.
        """
        model = self._fitted()
        seed = seed_of(self.random_state if random_state is None else random_state)
        drawn = model.sample(n_samples, seed)
        # Behind our own column stand those of the user, in the order of the fit.
        return self._layout.restore(drawn.select(drawn.column_names[1:]))

    @property
    def plot(self) -> ModelPlot:
        """Figures of the report about the fitted model."""
        return self._fitted().plot

    @property
    def metrics_(self) -> dict[str, Any]:
        """Held-out likelihoods by split, size and cost."""
        return self._fitted().metrics

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def _more_tags(self) -> dict[str, Any]:
        # For scikit-learn before 1.6.
        return {"allow_nan": True, "non_deterministic": False}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
