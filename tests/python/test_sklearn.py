"""The conventions of scikit-learn: ``check_estimator``, with every exception and its reason."""

import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.utils.estimator_checks import check_estimator

import cohort_flow as cf

#: Checks that are not passed, with the reason of each. Whatever is not named here has to pass.
EXCEPTIONS: dict = {}

ESTIMATORS = {
    "ButterflyFlow": cf.ButterflyFlow(preset="small", epochs=1, ensemble=1, settings={"hidden": 8}),
    "GaussianMixture": cf.GaussianMixture(),
    "OutlierDetector": cf.OutlierDetector(cf.GaussianMixture(), alpha=0.05),
    "Imputer": cf.Imputer(draws=2),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_check_estimator(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(ESTIMATORS[name], on_skip=None, on_fail=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    print(
        name,
        sum(r["status"] == "passed" for r in results),
        "passed",
        sorted(failed),
        "skipped",
        sorted(r["check_name"] for r in results if r["status"] == "skipped"),
    )
    unexpected = {check: error for check, error in failed.items() if check not in EXCEPTIONS}
    assert not unexpected, "\n".join(f"{check}: {error!r}" for check, error in unexpected.items())


def test_two_processes_of_joblib(new, mixture):
    halves = [new.iloc[:50], new.iloc[50:]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = Parallel(n_jobs=2)(delayed(mixture.score_samples)(half) for half in halves)
    assert np.array_equal(np.concatenate(scores), mixture.score_samples(new))
