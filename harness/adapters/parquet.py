"""Files as objects to compare: Parquet as tables, all else as bytes."""

import hashlib
import io
import json
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.domain.objects import (
    NOTHING,
    Cells,
    ObjectColumn,
    ObjectContent,
    OpaqueObject,
    TableObject,
    UnreadableObject,
)

_SUFFIX = ".parquet"
_ONLY_COUNTED = "time64[ns]"
"""Python's times end at the microsecond."""


def read_object(key: str, body: bytes) -> ObjectContent:
    """The content of the object of that key; a Parquet file that cannot be read is told, not raised."""
    if not key.endswith(_SUFFIX):
        return OpaqueObject(sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))
    try:
        return _read_table(body)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
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
    note = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    return TableObject(
        columns=tuple(_columns(table)),
        index=tuple(each for each in note.get("index_columns", ()) if isinstance(each, str)),
        numbering=_numbering(note),
        codecs=frozenset(_codecs(file.metadata)),
    )


def _columns(table: Any) -> Iterator[ObjectColumn]:
    names, dtypes = Counter[str](), _dtypes(table)
    for place, field in enumerate(table.schema):
        names[field.name] += 1
        repeated = f"#{names[field.name]}" if names[field.name] > 1 else ""
        yield ObjectColumn(
            name=field.name + repeated,
            type=f"{_type_name(field.type)}{'' if field.nullable else ' not null'}",
            cells=_cells(table.column(place)),
            dtype=dtypes.get(field.name, ""),
        )


def _type_name(kind: Any) -> str:
    """The type that the file has: how wide offsets are in memory is a wish of the program that wrote it."""
    return re.sub(r"\blarge_(string|binary|list)\b", r"\1", str(kind))


def _dtypes(table: Any) -> Mapping[str, str]:
    """What pandas makes of each column; a note in the file may ask for another type than the values have."""
    try:
        return {str(name): _dtype_name(dtype) for name, dtype in table.slice(0, 0).to_pandas().dtypes.items()}
    except (pa.ArrowException, TypeError, KeyError, ValueError):
        return {}  # pandas can make nothing of it, whatever the note says


def _dtype_name(dtype: Any) -> str:
    # The order of ordered categories is that of their values.
    if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered:
        return f"{dtype} of {' < '.join(map(str, dtype.categories))}"
    return str(dtype)


def _codecs(metadata: Any) -> set[str]:
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return {group.column(place).compression for group in groups for place in range(group.num_columns)}


def _numbering(note: Mapping[str, Any]) -> str:
    """A range in pandas' note, which is no column; its end follows from the rows."""
    found = [each for each in note.get("index_columns", ()) if isinstance(each, dict)]
    if not found:
        return ""
    name, start, step = (found[0].get(key) for key in ("name", "start", "step"))
    numbered = "" if (start, step) == (0, 1) else f"from {start} by {step}"
    return " ".join(part for part in (numbered, f"named {name}" if name else "") if part)


def _cells(column: Any) -> Cells:
    if pa.types.is_floating(column.type):
        values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64).copy()
        values[np.isnan(values)] = np.nan  # one bit pattern for all of them
        if column.null_count:
            values[np.asarray(column.is_null().to_numpy())] = np.frombuffer(NOTHING, dtype=">f8")[0]
        return array("d", values.tobytes())
    if pa.types.is_integer(column.type) and not column.null_count and not pa.types.is_uint64(column.type):
        return array("q", np.asarray(column.to_numpy()).astype(np.int64).tobytes())
    kept = int if pa.types.is_integer(column.type) else str
    return tuple(None if value is None else kept(value) for value in _values(column))


def _values(column: Any) -> Sequence[Any]:
    if _ONLY_COUNTED not in str(column.type):
        with suppress(OverflowError, ValueError):  # times beyond the years that Python knows
            return list(column.to_pylist())
    return list(column.cast(_counted(column.type)).to_pylist())


def _counted(kind: Any) -> Any:
    """The type with a number in place of every time, however deep it lies."""
    if pa.types.is_temporal(kind):
        return pa.int32() if kind.bit_width == pa.int32().bit_width else pa.int64()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_counted(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_counted(kind.key_type), _counted(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_counted(kind.value_type), kind.list_size)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(_counted(kind.value_type))
    return kind
