"""Gaussian mixtures, the baseline of a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from ._estimator import DensityEstimator


class GaussianMixture(DensityEstimator):
    """A mixture of Gaussians in the same coordinates as a flow, so that likelihoods can be compared.

    Numbers of components and regularisation are chosen on the validation split.

    Parameters
    ----------
    family : {"gmm", "tmix", "armix"}
        Gaussians, t distributions, or autoregressive mixtures.
    time_budget, condition_on, subject, trim, calibration, calibrate_by :
        As of :class:`ButterflyFlow`.
    settings, table_settings, random_state, n_jobs, progress :
        As of :class:`ButterflyFlow`.

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
    >>> mixture = GaussianMixture().fit(frame)           # doctest: +SKIP
    >>> mixture.score(frame)                             # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        family: str = "gmm",
        time_budget: Union[str, float, None] = None,
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
        self.family = family
        self.time_budget = time_budget
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
        return ["--model", self.family]
