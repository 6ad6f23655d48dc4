"""Files as objects to compare: Parquet as tables, all else as bytes."""

import hashlib
import io
import json
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.domain.objects import Cells, ObjectColumn, ObjectContent, OpaqueObject, TableObject, UnreadableObject

_SUFFIX = ".parquet"


def read_object(key: str, body: bytes) -> ObjectContent:
    """The content of the object of that key; a Parquet file that cannot be read is told, not raised."""
    if not key.endswith(_SUFFIX):
        return OpaqueObject(sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))
    try:
        return _read_table(body)
    except (pa.ArrowException, OSError, ValueError) as error:
        return UnreadableObject(reason=f"not a Parquet file: {error}")


def cut_table(body: bytes, *, rows: int, columns: Sequence[str]) -> bytes:
    """The file without its last `rows` and without these columns, written as pandas writes it."""
    frame = pd.read_parquet(io.BytesIO(body)).iloc[: -rows or None].drop(columns=list(columns))
    buffer = io.BytesIO()
    frame.to_parquet(buffer, compression="snappy")
    return buffer.getvalue()


def _read_table(body: bytes) -> TableObject:
    file = pq.ParquetFile(io.BytesIO(body))
    table = file.read()
    columns = [
        ObjectColumn(name=field.name, type=str(field.type), cells=_cells(table.column(place)))
        for place, field in enumerate(table.schema)
    ]
    return TableObject(columns=tuple(columns), index=_index_of(table.schema), codecs=frozenset(_codecs(file.metadata)))


def _codecs(metadata: Any) -> set[str]:
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return {group.column(place).compression for group in groups for place in range(group.num_columns)}


def _index_of(schema: Any) -> tuple[str, ...]:
    """The columns that pandas' note in the schema makes the index; a range, which is no column, labels nothing."""
    note = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    return tuple(each for each in note.get("index_columns", ()) if isinstance(each, str))


def _cells(column: Any) -> Cells:
    if pa.types.is_floating(column.type):
        values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64).copy()
        values[np.isnan(values)] = np.nan  # one bit pattern for all of them
        return array("d", values.tobytes())
    if pa.types.is_integer(column.type) and not column.null_count:
        return array("q", np.asarray(column.to_numpy()).astype(np.int64).tobytes())
    return tuple(None if value is None else str(value) for value in column.to_pylist())
