"""What the estimators answer, and that it is what the program writes to files."""

import os
import pickle
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import cohort_flow as cf
from cohort_flow._binary import binary


def program(*words):
    subprocess.run([binary(), "--quiet", *map(str, words)], check=True)


def test_scores_are_those_of_the_program_on_files_to_the_bit(frame, new, mixture, tmp_path):
    mixture.model_.save(tmp_path / "model")
    new.to_parquet(tmp_path / "new.parquet")
    program(
        "score",
        tmp_path / "model",
        "--input",
        tmp_path / "new.parquet",
        "--output",
        tmp_path / "scores.parquet",
    )
    expected = pd.read_parquet(tmp_path / "scores.parquet")["log_prob"].to_numpy()
    assert np.array_equal(mixture.score_samples(new), expected)
    assert mixture.score(new) == pytest.approx(expected.mean())
    # The same by CSV, where every number is written with the digits that give it back.
    new.to_csv(tmp_path / "new.csv", index=False)
    program(
        "score", tmp_path / "model", "--input", tmp_path / "new.csv", "--output", tmp_path / "csv.parquet"
    )
    assert np.array_equal(pd.read_parquet(tmp_path / "csv.parquet")["log_prob"].to_numpy(), expected)


def test_every_library_gives_the_same_scores(new, mixture):
    polars = pytest.importorskip("polars")
    import pyarrow

    expected = mixture.score_samples(new)
    assert np.array_equal(mixture.score_samples(polars.from_pandas(new)), expected)
    assert np.array_equal(
        mixture.score_samples(pyarrow.Table.from_pandas(new, preserve_index=False)), expected
    )


def test_samples_have_the_types_of_the_table(frame, mixture):
    drawn = mixture.sample(50, random_state=3)
    assert list(drawn.columns) == list(frame.columns)
    assert list(drawn.dtypes) == list(frame.dtypes)
    assert drawn.equals(mixture.sample(50, random_state=3))
    assert set(drawn["sex"].dropna()) <= {"F", "M"}


def test_a_pickled_and_a_cloned_estimator(frame, new, mixture):
    copy = pickle.loads(pickle.dumps(mixture))
    assert np.array_equal(copy.score_samples(new), mixture.score_samples(new))
    assert not hasattr(clone(mixture), "model_")
    assert clone(mixture).get_params() == mixture.get_params()


def test_grid_search_cross_validation_and_pipeline(frame):
    search = GridSearchCV(cf.GaussianMixture(), {"family": ["gmm", "tmix"]}, cv=2).fit(frame)
    assert search.best_params_["family"] in ("gmm", "tmix")
    assert len(cross_val_score(cf.GaussianMixture(), frame, cv=2)) == 2
    pipeline = make_pipeline(cf.Imputer(draws=2), cf.GaussianMixture()).fit(frame)
    assert np.isfinite(pipeline.score(frame))


def test_a_flow_fits_within_its_time(frame):
    begun = time.monotonic()
    flow = cf.ButterflyFlow(preset="small", epochs=2, ensemble=1, n_jobs=1, settings={"hidden": 16}).fit(
        frame
    )
    assert time.monotonic() - begun < 60
    assert np.isfinite(flow.score_samples(frame)).all()
    assert flow.metrics_["splits"]["test"]["n"] > 0


def test_outliers_are_flagged_with_reasons_and_the_index(frame, new):
    detector = cf.OutlierDetector(cf.GaussianMixture(), alpha=0.05).fit(frame)
    wrong = new.copy()
    wrong.loc["stay 7", "sbp"] = 1250.0
    flags = detector.explain(wrong)
    assert list(flags.index) == list(wrong.index)
    assert flags.loc["stay 7", "flagged"] and flags.loc["stay 7", "feature_1"] == "sbp"
    predicted = detector.predict(wrong)
    assert predicted[7] == -1 and np.array_equal(predicted == -1, flags["flagged"].to_numpy())
    assert np.array_equal(detector.decision_function(wrong) < 0, predicted == -1)
    assert np.array_equal(detector.p_values(wrong), flags["p_value"].to_numpy())


def test_completions_fill_what_is_missing_and_nothing_else(frame):
    imputer = cf.Imputer(draws=5).fit(frame)
    filled = imputer.transform(frame)
    assert not filled.isna().any().any()
    assert list(filled.index) == list(frame.index) and list(filled.dtypes) == list(frame.dtypes)
    there = frame.notna()
    for name in frame.columns:
        assert (filled.loc[there[name], name] == frame.loc[there[name], name]).all()
    draws = imputer.complete(frame.head(3), draws=4)
    assert len(draws) == 12 and list(draws.index[:4]) == ["stay 0"] * 4
    assert list(imputer.set_output(transform="pandas").fit_transform(frame).columns) == list(frame.columns)


def test_bundle_report_and_check(frame, tmp_path):
    bundle = cf.ingest("wide-table", frame, tmp_path / "bundle", settings={"role.sex": "categorical"})
    features = bundle.features()
    assert len(features) == len(frame) and {"record_id", "split", "sbp"} <= set(features.columns)
    assert features.attrs["columns"][0]["name"] == "heart_rate"
    assert bundle.audit["tables"] and len(bundle.features(as_="pyarrow", split="test")) < len(frame)
    page = cf.report(bundle, [cf.GaussianMixture().fit(bundle)], tmp_path / "report.html")
    assert "<iframe" in page._repr_html_()
    made = cf.check(frame, time_budget="4s")
    assert len(made.lines) == 10 and made.summary["n_records"] == len(frame)
    assert len(made.flags()) == len(frame) and "report" in str(made)
    assert "<table>" in made._repr_html_()


def test_groups_are_on_one_side_of_every_split(frame):
    frame = frame.assign(patient=np.repeat(np.arange(len(frame) // 4), 4))
    model = cf.GaussianMixture(subject="patient").fit(frame)
    assert "patient" not in [feature["name"] for feature in model.model_.features]
    with pytest.raises(ValueError, match="no column 'person'"):
        cf.GaussianMixture(subject="person").fit(frame)


def test_the_process_ends_with_the_estimator(frame, new):
    model = cf.GaussianMixture().fit(frame)
    model.score_samples(new)
    process = model.model_.server.process_id
    assert _runs(process)
    del model
    import gc

    gc.collect()
    assert not _runs(process)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
