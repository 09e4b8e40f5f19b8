"""Density estimation on medical tables: ButterflyFlow, Gaussian mixtures, calibrated outliers and a report.

The work is done by the program ``cohort-flow``, which the wheel brings along. Tables go to it as Arrow
streams.

Examples
--------
>>> import cohort_flow as cf
>>> flow = cf.ButterflyFlow(preset="small", time_budget="60s").fit(frame)    # doctest: +SKIP
>>> flow.score_samples(frame)                                               # doctest: +SKIP
>>> cf.check("table.csv")                                                   # doctest: +SKIP
"""

from ._version import __version__
from .bundle import Bundle, ingest
from .checkup import Check, check
from .detector import OutlierDetector
from .errors import CohortFlowError, CohortFlowWarning
from .flow import ButterflyFlow
from .imputer import Imputer
from .mixture import GaussianMixture
from .model import Model
from .page import Report, report
from .plot import Figure, Flags

__all__ = [
    "Bundle",
    "ButterflyFlow",
    "Check",
    "CohortFlowError",
    "CohortFlowWarning",
    "Figure",
    "Flags",
    "GaussianMixture",
    "Imputer",
    "Model",
    "OutlierDetector",
    "Report",
    "__version__",
    "check",
    "ingest",
    "report",
]
