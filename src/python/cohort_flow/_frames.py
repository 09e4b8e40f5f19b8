"""Tables of pandas, Polars, pyarrow and NumPy to Arrow and back, with their types and index."""

from __future__ import annotations

import sys
from typing import Any, Optional, Union

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ._records import Records, stays
from .errors import InputError

#: Kinds of tables that are understood.
KINDS = ("pandas", "polars", "pyarrow", "numpy")


def kind_of(table: Any) -> Optional[str]:
    """Return which of :data:`KINDS` a table is; None for anything else."""
    if isinstance(table, (pa.Table, pa.RecordBatch)):
        return "pyarrow"
    # A library that was not imported cannot have made the table.
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(table, pandas.DataFrame):
        return "pandas"
    if polars is not None and isinstance(table, (polars.DataFrame, polars.LazyFrame)):
        return "polars"
    if isinstance(table, np.ndarray):
        return "numpy"
    return None


def _column_of_objects(values: Any, name: str) -> pa.Array:
    """Return a column of Python objects as Arrow; objects of several kinds become texts, as in a CSV file."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        pass
    missing = [value is None or value != value for value in values]
    for value, is_missing in zip(values, missing):
        if not is_missing and isinstance(value, (dict, list, tuple, set)):
            raise TypeError(
                f"column {name!r} holds a {type(value).__name__}; "
                "argument must be a string, a number, a date or None"
            )
    return pa.array([None if gone else str(value) for value, gone in zip(values, missing)], pa.string())


def _from_pandas(table: Any) -> Records:
    names = [str(name) for name in table.columns]
    columns = []
    for at, name in enumerate(names):
        series = table.iloc[:, at]
        if series.dtype == object:
            columns.append(_column_of_objects(series.to_numpy(), name))
        elif stays(series):
            columns.append(series.to_numpy())
        else:
            try:
                columns.append(pa.array(series, from_pandas=True))
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
                raise InputError(
                    f"column {name!r} of type {series.dtype} has no counterpart in Arrow: {error}",
                    "convert it, for example to texts by .astype(str)",
                    "input",
                ) from error
    return Records(names, columns, len(table))


def to_records(table: Any) -> Records:
    """Return a table as records for the program; the index of pandas is left out.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame, pyarrow.Table or two-dimensional numpy.ndarray

    Raises
    ------
    InputError
        If two columns have one name, or a type has no counterpart.
    TypeError
        If it is no table.
    """
    kind = kind_of(table)
    if kind == "pandas":
        return _from_pandas(table)
    if kind == "polars":
        frame = table.collect() if hasattr(table, "collect") else table
        arrow = frame.to_arrow()
        return Records.of(arrow)
    if kind == "pyarrow":
        whole = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
        return Records.of(whole)
    if kind == "numpy" and table.ndim == 2:
        names = [f"x{at}" for at in range(table.shape[1])]
        if table.dtype == object:
            columns = [_column_of_objects(table[:, at], names[at]) for at in range(table.shape[1])]
        else:
            columns = [
                part if stays(part) else pa.array(np.ascontiguousarray(part), from_pandas=True)
                for part in (table[:, at] for at in range(table.shape[1]))
            ]
        return Records(names, columns, table.shape[0])
    raise TypeError(
        "expected a table of pandas, Polars, pyarrow or a two-dimensional NumPy array, "
        f"got {type(table).__name__}"
    )


def _as_type(column: Any, wanted: pa.DataType) -> Any:
    """Return a column in a type that the user's table had; as it is where its values do not fit."""
    try:
        if pa.types.is_dictionary(wanted):
            return column.cast(wanted.value_type).dictionary_encode().cast(wanted)
        if pa.types.is_integer(wanted) and pa.types.is_floating(column.type):
            return pa.compute.round(column).cast(wanted)
        if pa.types.is_boolean(wanted) and pa.types.is_floating(column.type):
            return pa.compute.not_equal(column, 0.0)
        if pa.types.is_boolean(wanted):
            return pa.compute.equal(column, "true")
        if pa.types.is_decimal(wanted):
            return pa.compute.round(column, wanted.scale).cast(wanted)
        return column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return column


class Layout:
    """What a user's table is like: of which library, with which columns, types and, in pandas, which dtypes.

    Parameters
    ----------
    table : table
        The user's table.
    arrow : Records or pyarrow.Table
        The same as it goes to the program.
    """

    def __init__(self, table: Any, arrow: Union[Records, pa.Table]) -> None:
        self.kind = kind_of(table) or "numpy"
        self.types = {field.name: field.type for field in arrow.schema}
        if self.kind == "pyarrow":
            self.types = {field.name: field.type for field in table.schema}
        self.dtypes: dict[str, Any] = {}
        self.labels: dict[str, Any] = {name: name for name in arrow.column_names}
        if self.kind == "pandas":
            self.labels = {str(label): label for label in table.columns}
            self.dtypes = {str(label): dtype for label, dtype in zip(table.columns, table.dtypes)}

    def restore(self, arrow: pa.Table, index: Any = None) -> Any:
        """Return a table of the program in the library and the types of the user's.

        Parameters
        ----------
        arrow : pyarrow.Table
            Columns with names of the user's.
        index : pandas.Index, optional
            The index that the rows have.
        """
        columns = [
            _as_type(arrow.column(name), self.types[name]) if name in self.types else arrow.column(name)
            for name in arrow.column_names
        ]
        arrow = pa.table(dict(zip(arrow.column_names, columns)))
        if self.kind != "pandas":
            return give(arrow, self.kind)
        frame = give(arrow, "pandas")
        for name in list(frame.columns):
            dtype = self.dtypes.get(name)
            if dtype is not None and dtype != frame[name].dtype:
                try:
                    frame[name] = frame[name].astype(dtype)
                except (TypeError, ValueError):
                    # Missing values have no place in plain integers: they stay floats, as pandas has it.
                    pass
        frame.columns = [self.labels.get(name, name) for name in frame.columns]
        if index is not None:
            frame.index = index
        return frame


def give(arrow: pa.Table, kind: str) -> Any:
    """Return an Arrow table as one of the library ``kind``.

    Parameters
    ----------
    arrow : pyarrow.Table
    kind : {"pandas", "polars", "pyarrow", "numpy"}
    """
    if kind == "pyarrow":
        return arrow
    if kind == "polars":
        import polars

        return polars.from_arrow(arrow)
    if kind == "pandas":
        return arrow.to_pandas()
    if kind == "numpy":
        columns = [_numbers(column) for column in arrow.columns]
        return np.column_stack(columns) if columns else np.empty((arrow.num_rows, 0))
    raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")


def _numbers(column: Any) -> Any:
    values = (
        column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)
    )
    return values


def index_of(table: Any) -> Any:
    """Return the index of a pandas table; None for others."""
    return table.index if kind_of(table) == "pandas" else None


def default_kind() -> str:
    """Return pandas where it is installed, else pyarrow."""
    try:
        import pandas  # noqa: F401
    except ImportError:
        return "pyarrow"
    return "pandas"
