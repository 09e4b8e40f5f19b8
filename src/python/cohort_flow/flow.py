"""The ButterflyFlow and its relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from ._estimator import DensityEstimator


class ButterflyFlow(DensityEstimator):
    """A normalising flow with butterfly layers, as a density of records.

    Parameters
    ----------
    preset : {"auto", "small", "base", "large"}
        Size and regularisation.
    family : {"butterfly", "glow-lu", "realnvp"}
        The linear layers between the couplings.
    time_budget : str or float, optional
        Wall-clock time of the fit, such as ``"60s"``, or seconds.
    epochs : int, optional
        Largest number of epochs.
    ensemble : int, optional
        Number of flows in one density; chosen by the preset if left out.
    condition_on : sequence of str, optional
        Columns that are given: the density is that of the others.
    subject : str, optional
        Column that says which records are of one patient; all of them are then on one side of every split.
    trim : float, optional
        Share of the training records to leave out as the most unusual of a first fit.
    calibration : {"split", "cross"}
        Where the calibration scores come from.
    calibrate_by : str, optional
        Text column whose levels are calibrated separately.
    settings : mapping, optional
        Settings of the model, as ``cohort-flow fit --set`` takes them.
    table_settings : mapping, optional
        Settings of the table, as ``cohort-flow ingest --set`` takes them: ``{"role.ward": "categorical"}``.
    random_state : int, RandomState or None
        Seed of everything random.
    n_jobs : int, optional
        Number of threads; any number gives the same result.
    progress : bool, optional
        Show bars; by default in a terminal and in a notebook.

    Attributes
    ----------
    model_ : Model
        The fitted model.
    metrics_ : dict
        Held-out likelihoods by split, size and cost.
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray

    Examples
    --------
    >>> flow = ButterflyFlow(preset="small", time_budget="60s").fit(frame)    # doctest: +SKIP
    >>> flow.score_samples(frame)                                            # doctest: +SKIP
    """

    def __init__(
        self,
        preset: str = "auto",
        *,
        family: str = "butterfly",
        time_budget: Union[str, float, None] = None,
        epochs: Optional[int] = None,
        ensemble: Optional[int] = None,
        condition_on: Optional[Sequence[str]] = None,
        subject: Optional[str] = None,
        trim: Optional[float] = None,
        calibration: str = "split",
        calibrate_by: Optional[str] = None,
        settings: Optional[Mapping[str, Any]] = None,
        table_settings: Optional[Mapping[str, Any]] = None,
        random_state: Any = 1,
        n_jobs: Optional[int] = None,
        progress: Optional[bool] = None,
    ) -> None:
        self.preset = preset
        self.family = family
        self.time_budget = time_budget
        self.epochs = epochs
        self.ensemble = ensemble
        self.condition_on = condition_on
        self.subject = subject
        self.trim = trim
        self.calibration = calibration
        self.calibrate_by = calibrate_by
        self.settings = settings
        self.table_settings = table_settings
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.progress = progress

    def _options(self) -> list[str]:
        words = ["--model", self.family, "--preset", self.preset]
        words += ["--epochs", str(self.epochs)] if self.epochs is not None else []
        words += ["--ensemble", str(self.ensemble)] if self.ensemble is not None else []
        return words
