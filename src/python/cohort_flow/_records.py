"""Records on their way to the program: numbers stay where the user's table has them until their batch is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Union

import numpy as np
import pyarrow as pa
import pyarrow.compute

from .errors import InputError

#: Records of a batch. What has to be copied is copied for so many at a time, so that a large table needs no
#: second place in memory.
_BATCH = 1 << 16


def stays(values: Any) -> bool:
    """Return whether an array of NumPy can wait until its batch is sent: plain numbers of this machine."""
    dtype = values.dtype
    return isinstance(dtype, np.dtype) and dtype.kind in "fiub" and dtype.isnative and dtype.itemsize <= 8


class Records:
    """Named columns of equal length, each of Arrow or of NumPy.

    Parameters
    ----------
    names : sequence of str
        One name for each column.
    columns : sequence of pyarrow.Array, pyarrow.ChunkedArray or numpy.ndarray
        Arrays of NumPy hold plain numbers, and NaN in them is a missing value.
    rows : int
        The number of records.

    Raises
    ------
    InputError
        If two columns have one name, or there is no column.
    """

    def __init__(self, names: Sequence[str], columns: Sequence[Any], rows: int) -> None:
        twice = sorted({name for name in names if list(names).count(name) > 1})
        if twice:
            raise InputError(
                f"several columns are called {', '.join(map(repr, twice))}",
                "give every column a name of its own",
                "input",
            )
        if not names:
            raise InputError(
                f"the table has {rows} rows and no column: 0 feature(s) while a minimum of 1 is required",
                "pass at least one column",
                "input",
            )
        self.column_names = list(names)
        self._columns = dict(zip(names, map(_without_codes, columns)))
        self.num_rows = rows
        self.schema = pa.schema([(name, _type_of(column)) for name, column in self._columns.items()])

    @classmethod
    def of(cls, table: Union[pa.Table, Records]) -> Records:
        """Return the records of a table of Arrow."""
        if isinstance(table, Records):
            return table
        return cls(table.column_names, table.columns, table.num_rows)

    @property
    def num_columns(self) -> int:
        """The number of columns."""
        return len(self.column_names)

    def select(self, names: Sequence[str]) -> Records:
        """Return the records with these columns alone."""
        return Records(names, [self._columns[name] for name in names], self.num_rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Convert and return one batch after the other; an empty table has one empty batch."""
        for start in range(0, max(self.num_rows, 1), _BATCH):
            end = min(start + _BATCH, self.num_rows)
            yield pa.record_batch(
                [_slice(column, start, end) for column in self._columns.values()], schema=self.schema
            )

    def table(self) -> pa.Table:
        """Return all records as one table of Arrow."""
        columns = [
            pa.array(column, from_pandas=True) if isinstance(column, np.ndarray) else column
            for column in self._columns.values()
        ]
        return pa.table(columns, schema=self.schema)

    def write(self, sink: Any) -> None:
        """Write the records as an Arrow stream."""
        with pa.ipc.new_stream(sink, self.schema) as writer:
            for batch in self.batches():
                writer.write_batch(batch)

    def infinite(self) -> Iterator[tuple[str, int]]:
        """Return the columns that contain infinity, with the number of their rows that do."""
        for name, column in self._columns.items():
            kind = _type_of(column)
            if not pa.types.is_floating(kind) or pa.types.is_float16(kind):
                continue
            found = 0
            for start in range(0, self.num_rows, _BATCH):
                part = column[start : start + _BATCH]
                if isinstance(part, np.ndarray):
                    found += int(np.isinf(part).sum())
                else:
                    found += pa.compute.sum(pa.compute.is_inf(part)).as_py() or 0
            if found:
                yield name, found


def _without_codes(column: Any) -> Any:
    """Return codes of levels as the levels: what stands for a missing level differs between libraries."""
    if isinstance(column, np.ndarray) or not pa.types.is_dictionary(column.type):
        return column
    return column.cast(column.type.value_type)


def _type_of(column: Any) -> pa.DataType:
    return pa.from_numpy_dtype(column.dtype) if isinstance(column, np.ndarray) else column.type


def _slice(column: Any, start: int, end: int) -> pa.Array:
    """Return rows as Arrow: a view where the numbers lie side by side, else a copy of these rows alone."""
    part = column[start:end]
    if isinstance(part, np.ndarray):
        return pa.array(part, from_pandas=True)
    if isinstance(part, pa.ChunkedArray):
        return part.chunk(0) if part.num_chunks == 1 else part.combine_chunks()
    return part
