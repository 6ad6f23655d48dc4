"""Parquet against Parquet: planted defects of every kind, each found at its place; none among equal tables."""

import io
import math
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.adapters.parquet import read_object
from harness.domain.compare_objects import compare_objects

_KEY = "year=2026/cells.parquet"
_ROWS = 30
_GROUP_ROWS = 10
_NOON = datetime(2026, 2, 4, 12, 30, 15, 250_000)
Cells = list[Any]
Change = Callable[[Cells], None]


def _columns() -> dict[str, tuple[pa.DataType, Cells]]:
    numbers = range(_ROWS)
    return {
        "id": (pa.int64(), [*numbers]),
        "price": (pa.float64(), [number * 1.1 for number in numbers]),
        "hole": (pa.float64(), [math.nan if number % 3 == 0 else 0.0 for number in numbers]),
        "count": (pa.int64(), [None if number % 7 == 0 else 2**62 + number for number in numbers]),
        "vast": (pa.uint64(), [2**64 - 1 - number for number in numbers]),
        "name": (pa.string(), [f"name-{number}" for number in numbers]),
        "note": (pa.string(), [None if number % 5 == 0 else f"note {number}" for number in numbers]),
        "raw": (pa.binary(), [bytes([number]) for number in numbers]),
        "is_open": (pa.bool_(), [None if number % 4 == 0 else number % 2 == 0 for number in numbers]),
        "fee": (pa.decimal128(20, 4), [Decimal(number).scaleb(-4) for number in numbers]),
        "day": (pa.date32(), [date(2026, 1, 1) + timedelta(number) for number in numbers]),
        "at": (pa.timestamp("ns"), [_NOON + timedelta(number) for number in numbers]),
        "seen": (pa.timestamp("us", tz="UTC"), [(_NOON + timedelta(number)).replace(tzinfo=UTC) for number in numbers]),
        "clock": (pa.time64("ns"), [10**9 * number + 1 for number in numbers]),
        "span": (pa.duration("ms"), [timedelta(milliseconds=number) for number in numbers]),
        "kind": (pa.dictionary(pa.int8(), pa.string()), [f"kind {number % 3}" for number in numbers]),
        "weights": (pa.list_(pa.float64()), [[number / 3, math.nan] for number in numbers]),
        "parts": (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": n, "b": str(n)} for n in numbers]),
    }


def _written(columns: Mapping[str, tuple[pa.DataType, Cells]], **options: Any) -> bytes:
    fields = [pa.field(name, kind) for name, (kind, _) in columns.items()]
    arrays = [pa.array(cells, type=kind) for kind, cells in columns.values()]
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), buffer, **{"row_group_size": _GROUP_ROWS, **options})
    return buffer.getvalue()


def _found(legacy: bytes, target: bytes) -> list[tuple[str, str]]:
    sides = ({_KEY: read_object(_KEY, body)} for body in (legacy, target))
    prefix = "/" + _KEY.replace("/", "~1")
    return [(each.pointer.removeprefix(prefix), each.kind.value) for each in compare_objects(*sides)]


def _put(row: int, value: Any) -> Change:
    def change(cells: Cells) -> None:
        cells[row] = value

    return change


def _single(cells: Cells) -> None:
    cells[7] = struct.unpack("f", struct.pack("f", cells[7]))[0]


def _last_bit(cells: Cells) -> None:
    cells[7] = math.nextafter(cells[7], math.inf)


def _swap_rows(cells: Cells) -> None:
    cells[3], cells[4] = cells[4], cells[3]


_VALUE_DEFECTS: Mapping[str, tuple[str, Change, Sequence[int]]] = {
    "float through 32 bits": ("price", _single, [7]),
    "last bit of a float": ("price", _last_bit, [7]),
    "not a number": ("price", _put(7, math.nan), [7]),
    "infinity": ("price", _put(7, math.inf), [7]),
    "negative zero": ("hole", _put(1, -0.0), [1]),
    "hole filled": ("hole", _put(3, 0.0), [3]),
    "hole moved": ("hole", lambda cells: cells.insert(4, cells.pop(3)), [3, 4]),
    "null for an integer": ("count", _put(1, None), [1]),
    "zero for a null": ("count", _put(0, 0), [0]),
    "integer through a float": ("count", lambda cells: _put(1, int(float(cells[1])))(cells), [1]),
    "beyond 63 bits": ("vast", _put(5, 2**64 - 2**63), [5]),
    "trailing space": ("name", _put(2, "name-2 "), [2]),
    "cut text": ("name", _put(12, "name-1"), [12]),
    "case": ("name", _put(2, "Name-2"), [2]),
    "unicode form": ("name", _put(2, "name\u0301-2"), [2]),
    "empty for null": ("note", _put(5, ""), [5]),
    "the word None for null": ("note", _put(5, "None"), [5]),
    "null for text": ("note", _put(6, None), [6]),
    "bytes": ("raw", _put(9, b"\x0a"), [9]),
    "no bytes": ("raw", _put(9, b""), [9]),
    "flag": ("is_open", _put(1, True), [1]),
    "false for unknown": ("is_open", _put(4, False), [4]),
    "decimal": ("fee", _put(8, Decimal("0.0009")), [8]),
    "day": ("day", _put(8, date(2026, 1, 10)), [8]),
    "sub-second": ("at", _put(8, datetime(2026, 2, 12, 12, 30, 15)), [8]),
    "nanosecond of a time": ("clock", _put(8, 8 * 10**9), [8]),
    "ten hours": ("seen", _put(8, datetime(2026, 2, 12, 22, 30, 15, 250_000, UTC)), [8]),
    "duration": ("span", _put(8, timedelta(milliseconds=9)), [8]),
    "category": ("kind", _put(8, "kind 0"), [8]),
    "element of a list": ("weights", _put(8, [8 / 3, 0.0]), [8]),
    "list cut": ("weights", _put(8, [8 / 3]), [8]),
    "member of a struct": ("parts", _put(8, {"a": 8, "b": None}), [8]),
    "swapped rows": ("price", _swap_rows, [3, 4]),
}


@pytest.mark.parametrize("defect", _VALUE_DEFECTS)
def test_a_changed_value_is_found_at_its_row_and_column(defect: str) -> None:
    name, change, rows = _VALUE_DEFECTS[defect]
    planted = _columns()
    change(planted[name][1])
    assert _found(_written(_columns()), _written(planted)) == [(f"/{name}/{row}", "value") for row in rows]


_TYPE_DEFECTS = {
    "single precision": ("price", pa.float32()),
    "whole numbers": ("id", pa.int32()),
    "unsigned": ("id", pa.uint64()),
    "coarser time": ("at", pa.timestamp("us")),
    "zone added": ("at", pa.timestamp("ns", tz="UTC")),
    "zone lost": ("seen", pa.timestamp("us")),
    "another zone": ("seen", pa.timestamp("us", tz="Australia/Melbourne")),
    "fewer digits": ("fee", pa.decimal128(10, 4)),
    "times to the microsecond": ("clock", pa.time64("us")),
    "text for bytes": ("raw", pa.string()),
    "text for categories": ("kind", pa.string()),
}


@pytest.mark.parametrize("defect", _TYPE_DEFECTS)
def test_a_changed_type_is_found_at_its_column(defect: str) -> None:
    name, kind = _TYPE_DEFECTS[defect]
    planted = _columns()
    planted[name] = (kind, planted[name][1])
    assert _found(_written(_columns()), _written(planted)) == [(f"/{name}", "type")]


def test_a_column_that_may_hold_no_null_is_of_another_type() -> None:
    bodies = []
    for is_nullable in (True, False):
        buffer = io.BytesIO()
        schema = pa.schema([pa.field("x", pa.int64(), nullable=is_nullable)])
        pq.write_table(pa.table([pa.array([1, 2])], schema=schema), buffer)
        bodies.append(buffer.getvalue())
    assert _found(*bodies) == [("/x", "type")]


def test_a_type_that_only_pandas_asks_for_is_found() -> None:
    bodies = [_pandas({"x": [1, 2]}, dtype=dtype) for dtype in ("int64", "Int64")]
    assert _found(*bodies) == [("/x", "type")]


def test_nothing_and_not_a_number_are_two_values() -> None:
    kinds = {"double": pa.float64(), "single": pa.float32()}
    legacy = _written({name: (kind, [None, math.nan, None, 1.0]) for name, kind in kinds.items()})
    target = _written({name: (kind, [None, None, math.nan, 1.0]) for name, kind in kinds.items()})
    assert _found(legacy, legacy) == []
    assert _found(legacy, target) == [(f"/{name}/{row}", "value") for name in kinds for row in (1, 2)]


def test_how_wide_offsets_are_in_memory_is_no_type() -> None:
    texts = ["a", None, "c"]
    small, large = pa.list_(pa.string()), pa.large_list(pa.large_string())
    legacy = _written({"text": (pa.string(), texts), "texts": (small, [texts, [], None])})
    assert _found(legacy, _written({"text": (pa.large_string(), texts), "texts": (large, [texts, [], None])})) == []
    cut = _written({"text": (pa.large_string(), ["a", None, ""]), "texts": (large, [texts, [], []])})
    assert _found(legacy, cut) == [("/text/2", "value"), ("/texts/2", "value")]


def test_another_order_of_ordered_categories_is_found() -> None:
    import pandas as pd  # noqa: PLC0415 - the tests of plain Parquet need none

    def written(*categories: str, is_ordered: bool = True) -> bytes:
        buffer = io.BytesIO()
        cells = pd.Categorical(["low", "high"], categories=list(categories), ordered=is_ordered)
        pd.DataFrame({"x": cells}).to_parquet(buffer)
        return buffer.getvalue()

    assert _found(written("low", "high"), written("high", "low")) == [("/x", "type")]
    assert _found(written("low", "high", is_ordered=False), written("high", "low", is_ordered=False)) == []


def test_another_numbering_of_rows_is_found() -> None:
    assert _found(_pandas({"x": [1, 2]}), _pandas({"x": [1, 2]}, start=5)) == [("", "identity")]
    assert _found(_pandas({"x": [1, 2]}), _pandas({"x": [1, 2]}, start=0)) == []


def _pandas(cells: Mapping[str, Cells], *, dtype: str = "int64", start: int = 0) -> bytes:
    import pandas as pd  # noqa: PLC0415 - the tests of plain Parquet need none

    buffer = io.BytesIO()
    count = len(next(iter(cells.values())))
    pd.DataFrame(dict(cells), index=pd.RangeIndex(start, start + count), dtype=dtype).to_parquet(buffer)
    return buffer.getvalue()


def test_a_lost_last_row_group_is_found_row_by_row() -> None:
    planted = {name: (kind, cells[:-_GROUP_ROWS]) for name, (kind, cells) in _columns().items()}
    lost = range(_ROWS - _GROUP_ROWS, _ROWS)
    assert _found(_written(_columns()), _written(planted)) == [(f"//{row}", "missing") for row in lost]


def test_swapped_lost_added_and_repeated_columns_are_found() -> None:
    columns = {name: _columns()[name] for name in ("id", "price", "hole")}
    swapped = {**columns, "price": columns["hole"], "hole": columns["price"]}
    found = _found(_written(columns), _written(swapped))
    assert {pointer.split("/")[1] for pointer, _ in found} == {"price", "hole"} and len(found) >= 2 * _ROWS - 2
    lost = {name: columns[name] for name in ("id", "price")}
    assert _found(_written(columns), _written(lost)) == [("/hole", "missing")]
    assert _found(_written(lost), _written(columns)) == [("/hole", "extra")]
    twice = pa.table([pa.array([1, 2]), pa.array([3, 4])], names=["x", "x"])
    other = pa.table([pa.array([1, 9]), pa.array([3, 4])], names=["x", "x"])
    bodies = [io.BytesIO(), io.BytesIO()]
    for table, body in zip((twice, other), bodies, strict=True):
        pq.write_table(table, body)
    assert _found(bodies[0].getvalue(), bodies[1].getvalue()) == [("/x/1", "value")]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99], ids=["empty", "half", "without its end"])
def test_a_torn_file_is_unreadable(share: float) -> None:
    body = _written(_columns())
    assert _found(body, body[: int(len(body) * share)]) == [("", "unreadable")]


def test_times_beyond_what_python_knows_are_compared() -> None:
    bodies = []
    for far in (2**55, 2**55 + 1):
        buffer = io.BytesIO()
        pq.write_table(pa.table([pa.array([far, None], type=pa.timestamp("ms"))], names=["at"]), buffer)
        bodies.append(buffer.getvalue())
    assert _found(bodies[0], bodies[0]) == []
    assert _found(*bodies) == [("/at/0", "value")]


_SPELLINGS: Sequence[Mapping[str, Any]] = (
    {"compression": "zstd"},
    {"compression": "none", "row_group_size": 7},
    {"use_dictionary": False, "data_page_version": "2.0"},
    {"row_group_size": 1, "write_statistics": False},
    {"version": "2.6", "store_decimal_as_integer": True},
)


@pytest.mark.parametrize("seed", range(20))
def test_equal_tables_have_no_difference_however_they_are_written(seed: int) -> None:
    draw = random.Random(seed)
    columns = {name: (kind, draw.sample(cells, len(cells))) for name, (kind, cells) in _columns().items()}
    columns["price"] = (pa.float64(), [struct.unpack("d", draw.randbytes(8))[0] for _ in range(_ROWS)])
    columns["count"] = (
        pa.int64(),
        [draw.choice([None, 2**63 - 1, -(2**63), draw.getrandbits(60)]) for _ in range(_ROWS)],
    )
    columns["name"] = (pa.string(), ["".join(map(chr, draw.choices(range(0xD800), k=5))) for _ in range(_ROWS)])
    columns["raw"] = (pa.binary(), [draw.randbytes(draw.randrange(9)) for _ in range(_ROWS)])
    turned = dict(draw.sample(list(columns.items()), len(columns)))
    assert _found(_written(columns), _written(turned, **_SPELLINGS[seed % len(_SPELLINGS)])) == []
