"""Columns of many types, from pandas to the program and back, against the same table by way of files."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import cohort_flow as cf

ROWS = 240


def columns() -> dict:
    """Thirty columns of as many types."""
    random = np.random.default_rng(4)
    x = random.normal(size=ROWS)
    whole = np.arange(ROWS) % 9
    texts = np.array(["red", "green", "blue"])[random.integers(0, 3, ROWS)]
    days = pd.Timestamp("2021-03-01") + pd.to_timedelta(random.integers(0, 400, ROWS), unit="D")
    some = random.random(ROWS) < 0.15

    def missing(values, gone):
        return [gone if m else v for v, m in zip(values, some)]

    return {
        "float64": x,
        "float32": x.astype("float32") + 1,
        "float16": x.astype("float16"),
        "float_missing": np.where(some, np.nan, x * 2),
        "Float64": pd.array(missing(x + 3, pd.NA), dtype="Float64"),
        "Float32": pd.array(missing(x.astype("float32"), pd.NA), dtype="Float32"),
        "int8": whole.astype("int8"),
        "int16": (whole * 3).astype("int16"),
        "int32": (whole + random.integers(0, 5, ROWS)).astype("int32"),
        "int64": random.integers(0, 40, ROWS),
        "uint8": random.integers(0, 6, ROWS).astype("uint8"),
        "uint16": random.integers(0, 900, ROWS).astype("uint16"),
        "uint32": random.integers(0, 90, ROWS).astype("uint32"),
        "Int8": pd.array(missing(whole, pd.NA), dtype="Int8"),
        "Int64": pd.array(missing(random.integers(0, 30, ROWS), pd.NA), dtype="Int64"),
        "UInt16": pd.array(missing(random.integers(0, 30, ROWS), pd.NA), dtype="UInt16"),
        "bool": x > 0,
        "boolean": pd.array(missing(x > 0.3, pd.NA), dtype="boolean"),
        "object_text": np.array(texts, dtype=object),
        "string": pd.array(missing(texts, pd.NA), dtype="string"),
        "category": pd.Categorical(missing(texts, None), categories=["red", "green", "blue"]),
        "ordered": pd.Categorical(np.where(x > 0, "high", "low"), categories=["low", "high"], ordered=True),
        "category_of_numbers": pd.Categorical(random.integers(1, 4, ROWS)),
        "datetime": days,
        "datetime_zone": pd.DatetimeIndex(days).tz_localize("Europe/Berlin"),
        "timedelta": pd.to_timedelta(random.integers(1, 500, ROWS), unit="h"),
        "date": [day.date() for day in days],
        "decimal": [decimal.Decimal(int(v * 100)).scaleb(-2) for v in x],
        "arrow_int": pd.array(missing([int(w) for w in whole], None), dtype=pd.ArrowDtype(pa.int32())),
        "arrow_text": pd.array(list(texts), dtype=pd.ArrowDtype(pa.string())),
    }


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    made = columns()
    assert len(made) == 30
    return pd.DataFrame(made, index=pd.date_range("2020-01-01", periods=ROWS, tz="Asia/Tokyo"))


@pytest.mark.filterwarnings("ignore::cohort_flow.CohortFlowWarning")
def test_thirty_types_score_as_the_files_do(table, tmp_path):
    model = cf.GaussianMixture().fit(table)
    scores = model.score_samples(table)
    known = [feature["name"] for feature in model.model_.features]
    assert len(known) >= 26, sorted(set(table.columns) - set(known))
    model.model_.save(tmp_path / "model")
    pa.parquet.write_table(cf._frames.to_records(table).table(), tmp_path / "table.parquet")
    import subprocess

    words = [
        "score",
        tmp_path / "model",
        "--input",
        tmp_path / "table.parquet",
        "--output",
        tmp_path / "s.parquet",
    ]
    subprocess.run([cf._binary.binary(), "-q", *map(str, words)], check=True)
    assert np.array_equal(pd.read_parquet(tmp_path / "s.parquet")["log_prob"].to_numpy(), scores)


@pytest.mark.filterwarnings("ignore::cohort_flow.CohortFlowWarning")
def test_types_and_index_come_back(table):
    imputer = cf.Imputer(draws=2).fit(table)
    filled = imputer.transform(table)
    assert filled.index.equals(table.index)
    changed = {n: (table[n].dtype, filled[n].dtype) for n in table if table[n].dtype != filled[n].dtype}
    assert not changed
    assert list(filled["ordered"].cat.categories) == ["low", "high"] and filled["ordered"].cat.ordered
    assert str(filled["datetime_zone"].dt.tz) == "Europe/Berlin"
    assert isinstance(filled["date"].iloc[0], datetime.date)


def test_many_records_come_back_as_they_went(mixture, new):
    # Larger than a chunk of the pipe in both directions.
    many = pd.concat([new] * 1_500, ignore_index=True)
    scores = mixture.score_samples(many)
    np.testing.assert_array_equal(scores, np.tile(mixture.score_samples(new), 1_500))


def test_a_table_is_sent_in_batches_whatever_its_layout_in_memory(monkeypatch):
    monkeypatch.setattr(cf._records, "_BATCH", 7)
    values = np.random.default_rng(3).normal(size=(30, 4))
    values[5, 1] = np.nan
    whole = pd.DataFrame({"level": ["a", None, "b"] * 10, "n": range(30)})
    tables = [values, np.asfortranarray(values), pd.DataFrame(values, columns=list("abcd")), whole]
    for table in tables:
        records = cf._frames.to_records(table)
        batches = list(records.batches())
        assert [batch.num_rows for batch in batches] == [7, 7, 7, 7, 2]
        assert pa.Table.from_batches(batches).equals(records.table())
    assert records.table()["level"].null_count == 10
    assert cf._frames.to_records(values).table()["x1"].null_count == 1
    # An infinite value is found in whichever batch it lies.
    values[20, 2] = np.inf
    assert list(cf._frames.to_records(values).infinite()) == [("x2", 1)]
    assert [batch.num_rows for batch in cf._frames.to_records(values[:0]).batches()] == [0]


def test_one_column_of_an_answer_equals_that_of_the_whole(frame, new, mixture):
    records = cf._frames.to_records(new)
    whole = mixture.model_.score(records)
    assert np.array_equal(mixture.model_.score_column(records, "log_prob"), whole["log_prob"].to_numpy())
    assert mixture.model_.flag_column(records, "flagged").dtype == bool
