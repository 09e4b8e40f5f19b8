"""Tables and fitted models that several tests use."""

import numpy as np
import pandas as pd
import pytest

import cohort_flow as cf


def make(rows: int, seed: int) -> pd.DataFrame:
    """Records of dependent measurements of several types, with missing values and an index of texts."""
    random = np.random.default_rng(seed)
    severity = random.normal(size=rows)
    frame = pd.DataFrame(
        {
            "heart_rate": np.round(80 + 12 * severity + 6 * random.normal(size=rows)),
            "sbp": np.round(125 - 14 * severity + 9 * random.normal(size=rows), 1),
            "gcs": pd.array(
                np.clip(np.round(14 - 2 * np.maximum(severity, 0)), 3, 15).astype(int), dtype="Int64"
            ),
            "sex": pd.Categorical(np.where(random.normal(size=rows) > 0, "F", "M"), categories=["F", "M"]),
            "ventilated": pd.array(severity + random.normal(size=rows) > 1, dtype="boolean"),
            "lactate": np.exp(0.5 + 0.4 * severity + 0.2 * random.normal(size=rows)).round(1),
        },
        index=[f"stay {n}" for n in range(rows)],
    )
    frame.loc[random.random(rows) < 0.2, "lactate"] = np.nan
    frame.loc[random.random(rows) < 0.1, "gcs"] = pd.NA
    return frame


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return make(400, 1)


@pytest.fixture(scope="session")
def new() -> pd.DataFrame:
    return make(100, 2)


@pytest.fixture(scope="session")
def mixture(frame):
    return cf.GaussianMixture().fit(frame)
