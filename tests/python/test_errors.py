"""Bad input, killed processes, wrong programs: exceptions say what to do, and nothing stays behind."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

import cohort_flow as cf
from cohort_flow import errors


def test_wrong_columns(new, mixture):
    with pytest.raises(ValueError, match="yet now missing"):
        mixture.score_samples(new.drop(columns="sbp"))
    with pytest.raises(ValueError, match="unseen at fit time"):
        mixture.score_samples(new.assign(unknown=1.0))
    with pytest.raises(ValueError, match="(?i)names should match"):
        mixture.score_samples(new[new.columns[::-1]])


def test_wrong_types(new, mixture):
    words = [f"high {n}" for n in range(len(new))]
    with pytest.raises(cf.CohortFlowError) as caught:
        mixture.score_samples(new.assign(sbp=words))
    assert "sbp" in str(caught.value) and isinstance(caught.value, ValueError) and caught.value.hint
    assert "high" not in caught.value.message, "no value of a patient is shown"
    with pytest.raises(errors.InputError, match="sbp.*several fields"):
        mixture.score_samples(new.assign(sbp=[{"a": 1}] * len(new)))


def test_empty_frame_one_row_and_nothing_but_holes(frame, new, mixture):
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        mixture.score_samples(new.head(0))
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        cf.GaussianMixture().fit(frame.head(0))
    assert np.isfinite(mixture.score_samples(new.head(1))).all()
    with pytest.raises(ValueError) as caught:
        cf.GaussianMixture().fit(frame.head(1))
    assert caught.value.hint
    holes = new.head(5).copy()
    for name in holes:
        holes[name] = pd.Series([None] * 5, index=holes.index, dtype=holes[name].dtype)
    assert np.isfinite(mixture.score_samples(holes)).all()
    with pytest.raises(ValueError):
        cf.GaussianMixture().fit(pd.DataFrame({"x": [np.nan] * 50, "y": [np.nan] * 50}))


def test_a_repeated_index_is_kept(frame, new, mixture):
    twice = pd.concat([new, new])
    assert np.array_equal(mixture.score_samples(twice)[:100], mixture.score_samples(new))
    filled = cf.Imputer(mixture, prefit=True, draws=2).fit(frame).transform(twice)
    assert filled.index.equals(twice.index)


def test_infinity_and_repeated_names_are_refused(frame, new, mixture):
    with pytest.raises(ValueError, match="infinity"):
        mixture.score_samples(new.assign(sbp=np.inf))
    with pytest.raises(ValueError, match="'sbp'"):
        cf.GaussianMixture().fit(pd.concat([frame, frame[["sbp"]]], axis=1))


def test_settings_and_options_that_are_wrong_are_named(frame):
    with pytest.raises(errors.SchemaError) as caught:
        cf.GaussianMixture(table_settings={"transfrom": "none"}).fit(frame)
    assert "transfrom" in str(caught.value)
    with pytest.raises(ValueError, match="enormous"):
        cf.ButterflyFlow(preset="enormous").fit(frame)
    with pytest.raises(ValueError, match="n_jobs"):
        cf.GaussianMixture(n_jobs=0).fit(frame)


def test_warnings_of_the_program_are_warnings_of_python(frame, new, mixture):
    unseen = new.assign(sex=pd.Categorical(["X"] * len(new)))
    with pytest.warns(cf.CohortFlowWarning, match="sex") as caught:
        mixture.score_samples(unseen)
    assert caught[0].filename == __file__


def test_a_killed_process_is_an_error_and_the_next_question_works(new, mixture):
    expected = mixture.score_samples(new)
    server = mixture.model_.server
    folder = server._folder.name
    os.kill(server.process_id, signal.SIGKILL)
    time.sleep(0.1)
    # A process that died between two questions is replaced without a word: nothing was lost.
    assert np.array_equal(mixture.score_samples(new), expected)
    assert not os.path.exists(folder)
    server = mixture.model_.server
    os.kill(server.process_id, signal.SIGSTOP)
    os.kill(server.process_id, signal.SIGKILL)
    with pytest.raises(errors.ProcessError, match="SIGKILL") as caught:
        server.ask({"do": "describe"})
    assert caught.value.hint


def test_a_missing_program_and_one_of_another_version(frame, monkeypatch, tmp_path):
    monkeypatch.setenv("COHORT_FLOW_BINARY", str(tmp_path / "nothing"))
    with pytest.raises(errors.BinaryNotFoundError, match="no program"):
        cf.GaussianMixture().fit(frame)
    other = tmp_path / "cohort-flow"
    other.write_text("#!/bin/sh\necho cohort-flow 99.0.0\n")
    other.chmod(other.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("COHORT_FLOW_BINARY", str(other))
    with pytest.raises(errors.VersionError, match="99.0.0") as caught:
        cf.GaussianMixture().fit(frame)
    assert "install" in caught.value.hint


def test_no_bundle_no_model_and_outputs_that_exist(frame, tmp_path):
    with pytest.raises(errors.BundleError):
        cf.Bundle(tmp_path)
    with pytest.raises(errors.ModelError):
        cf.Model.from_folder(tmp_path)
    (tmp_path / "bundle").mkdir()
    with pytest.raises(FileExistsError) as caught:
        cf.ingest("wide-table", frame, tmp_path / "bundle")
    assert "exists" in str(caught.value) and caught.value.hint
    with pytest.raises(errors.InputError):
        cf.ingest("wide-table", tmp_path / "no.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_ends_the_program_and_leaves_nothing(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import numpy as np, cohort_flow as cf
            x = np.random.default_rng(0).normal(size=(4000, 8)).round(2)
            print("begun", flush=True)
            try:
                cf.ButterflyFlow(preset="large", epochs=100000).fit(x)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            """
        )
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    python = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert python.stdout.readline() == "begun\n"
    deadline = time.monotonic() + 60
    while not _children(python.pid, "fit") and time.monotonic() < deadline:
        time.sleep(0.05)
    (child,) = _children(python.pid, "fit")
    time.sleep(0.5)
    python.send_signal(signal.SIGINT)
    assert python.communicate(timeout=60)[0] == "interrupted\n"
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert sorted(os.listdir(tmp_path)) == ["script.py"]


def _children(parent: int, word: str) -> list:
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    return [int(pid) for pid, of, args in rows if int(of) == parent and f"cohort-flow {word}" in args]
