"""A model that MLflow serves: the folder, the loader, and the answers over HTTP where MLflow is installed."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest


from cohort_flow._binary import binary
from cohort_flow.errors import InputError
from cohort_flow.mlflow import _load_pyfunc


@pytest.fixture(scope="module")
def served(mixture, tmp_path_factory) -> Path:
    """The fitted mixture as a folder for MLflow."""
    folder = tmp_path_factory.mktemp("served")
    model = mixture.model_.save(folder / "model")
    command = [binary(), "export", model, "--format", "mlflow", "--output", folder / "mlflow", "--quiet"]
    subprocess.run(list(map(str, command)), check=True)
    return folder / "mlflow"


def test_the_loader_gives_the_answers_of_the_program(served, mixture, new):
    got = _load_pyfunc(served / "cohort-flow").predict(new)
    assert list(got.columns) == ["log_prob", "score", "p_value"]
    assert list(got.index) == list(new.index)
    np.testing.assert_array_equal(got["log_prob"], mixture.score_samples(new))
    assert got["p_value"].between(0, 1).all()
    with pytest.raises(InputError, match="no row"):
        _load_pyfunc(served / "cohort-flow").predict(new.iloc[:0])


def test_the_example_is_a_request_of_nobody(served, frame):
    example = json.loads((served / "input_example.json").read_text())
    assert example["columns"] == list(frame.columns)
    (row,) = example["data"]
    # The median of the training records, which are some of these.
    assert abs(row[example["columns"].index("sbp")] - frame["sbp"].median()) < 5
    assert "MODEL_CARD.md" in {path.name for path in served.iterdir()}


def test_mlflow_serves_it_over_http(served, new):
    pytest.importorskip("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1"]
    # The server is started by its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command += ["--model-uri", str(served), "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "PATH": path}) as server:
        try:
            question = {"dataframe_split": json.loads(new.head(5).to_json(orient="split", index=False))}
            answer = _ask(f"http://127.0.0.1:{port}/invocations", question)
        finally:
            server.terminate()
    expected = _load_pyfunc(served / "cohort-flow").predict(new.head(5))
    got = [row["log_prob"] for row in answer["predictions"]]
    np.testing.assert_allclose(got, expected["log_prob"], rtol=1e-12)


def _ask(url: str, question: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(question).encode(), {"Content-Type": "application/json"})
    for _ in range(60):
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        except OSError:
            time.sleep(1)
    raise AssertionError("the server did not answer within a minute")
