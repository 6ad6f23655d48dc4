"""Objects against objects: every facet of a table that can differ is found, and nothing else."""

import io
from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.adapters.parquet import read_object
from harness.domain.compare_objects import compare_objects
from harness.domain.objects import ObjectState, TableObject, UnreadableObject

KEY = "us_prices_close.parquet"
FIRST, SECOND, THIRD, FOURTH = (f"2026-01-0{day} 00:00:00" for day in (5, 6, 7, 8))
DAYS = pd.DatetimeIndex(["2026-01-05", "2026-01-06", "2026-01-07"], name="Date")


def frame(**changes: list[object]) -> pd.DataFrame:
    columns: Mapping[str, list[object]] = {"SPY": [500.25, 501.0, np.nan], "QQQ": [400.0, 401.5, 402.0], **changes}
    return pd.DataFrame(columns, index=DAYS)


def state(content: pd.DataFrame | bytes, key: str = KEY) -> ObjectState:
    if isinstance(content, bytes):
        return {key: read_object(key, content)}
    buffer = io.BytesIO()
    content.to_parquet(buffer, compression="snappy")
    return {key: read_object(key, buffer.getvalue())}


def found(legacy: ObjectState, target: ObjectState) -> list[tuple[str, str]]:
    return [(each.pointer, each.kind.value) for each in compare_objects(legacy, target)]


def test_equal_tables_have_no_difference_and_nan_equals_nan() -> None:
    assert found(state(frame()), state(frame())) == []


def test_columns_may_stand_in_another_order() -> None:
    assert found(state(frame()), state(frame()[["QQQ", "SPY"]])) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (frame(SPY=[500.25, 501.0000001, np.nan]), [(f"/{KEY}/SPY/{SECOND}", "value")]),
        (frame(SPY=[500.25, np.nan, 501.0]), [(f"/{KEY}/SPY/{day}", "value") for day in (SECOND, THIRD)]),
        (frame()[["SPY"]], [(f"/{KEY}/QQQ", "missing")]),
        (frame(GLD=[1.0, 2.0, 3.0]), [(f"/{KEY}/GLD", "extra")]),
        (frame(QQQ=[400, 401, 402]), [(f"/{KEY}/QQQ", "type")]),
        (frame().astype("float32"), [(f"/{KEY}/SPY", "type"), (f"/{KEY}/QQQ", "type")]),
        (frame().iloc[:2], [(f"/{KEY}//{THIRD}", "missing")]),
        (frame().iloc[::-1], [(f"/{KEY}", "order")]),
        (frame().rename_axis("Day"), [(f"/{KEY}", "identity")]),
        (frame().set_index(DAYS.tz_localize("UTC")), [(f"/{KEY}/Date", "type")]),
        (frame().rename(columns={"SPY": "QQQ", "QQQ": "SPY"}), [
            (f"/{KEY}/{name}/{label}", "value")
            for name in ("SPY", "QQQ")
            for label in (FIRST, SECOND, THIRD)
        ]),
    ],
    ids=["value", "hole moved", "column lost", "column added", "whole numbers", "single precision",
         "row lost", "rows reversed", "index renamed", "zone added", "columns swapped"],
)  # fmt: skip
def test_a_planted_defect_is_found_where_it_is(target: pd.DataFrame, expected: list[tuple[str, str]]) -> None:
    assert found(state(frame()), state(target)) == expected


def test_a_negative_zero_is_another_value() -> None:
    assert found(state(frame(SPY=[0.0, 1.0, 2.0])), state(frame(SPY=[-0.0, 1.0, 2.0]))) == [
        (f"/{KEY}/SPY/{FIRST}", "value")
    ]


def test_a_row_that_only_the_target_has_is_extra_and_the_others_are_still_compared() -> None:
    target = frame(SPY=[500.25, 999.0, np.nan])
    target.loc[pd.Timestamp("2026-01-08")] = [1.0, 2.0]
    assert found(state(frame()), state(target)) == [
        (f"/{KEY}//{FOURTH}", "extra"),
        (f"/{KEY}/SPY/{SECOND}", "value"),
    ]


def test_lost_and_added_objects_are_told() -> None:
    assert found(state(frame(), "a.parquet"), state(frame(), "b.parquet")) == [
        ("/a.parquet", "missing"),
        ("/b.parquet", "extra"),
    ]


def test_a_file_that_is_no_table_is_unreadable_with_the_reason() -> None:
    broken = state(b"PAR1")
    assert isinstance(broken[KEY], UnreadableObject)
    assert found(state(frame()), broken) == [(f"/{KEY}", "unreadable")]
    assert found(broken, broken) == [(f"/{KEY}", "unreadable")]


def test_other_files_are_equal_byte_by_byte() -> None:
    assert found(state(b"{}", "meta.json"), state(b"{}", "meta.json")) == []
    assert found(state(b"{}", "meta.json"), state(b"{ }", "meta.json")) == [("/meta.json", "value")]


def test_text_and_days_are_compared_as_values() -> None:
    columns = {"name": ["a", None], "day": [date(2026, 1, 5), date(2026, 1, 6)]}
    changed = {"name": ["a", "None"], "day": [date(2026, 1, 5), date(2026, 1, 7)]}
    assert found(state(pd.DataFrame(columns)), state(pd.DataFrame(columns))) == []
    assert found(state(pd.DataFrame(columns)), state(pd.DataFrame(changed))) == [
        (f"/{KEY}/name/1", "value"),
        (f"/{KEY}/day/1", "value"),
    ]


def test_only_the_whole_number_that_is_lost_differs() -> None:
    whole, holed = (pd.DataFrame({"n": pd.array(cells, dtype="Int64")}) for cells in ([1, 2, 3], [1, None, 3]))
    (lost,) = compare_objects(state(whole), state(holed))
    assert (lost.pointer, lost.legacy, lost.target) == (f"/{KEY}/n/1", "2", "null")


_TIME = pa.time64("ns")
_STAMP = pa.timestamp("us")


@pytest.mark.parametrize(
    ("kind", "wrap"),
    [
        pytest.param(_TIME, lambda count: count, id="time"),
        pytest.param(pa.list_(_TIME), lambda count: [count], id="list of times"),
        pytest.param(pa.list_(_TIME, 1), lambda count: [count], id="list of one time"),
        pytest.param(pa.struct([("a", _TIME)]), lambda count: {"a": count}, id="time in a struct"),
        pytest.param(pa.map_(pa.string(), pa.list_(_TIME)), lambda count: [("k", [count])], id="times in a map"),
        pytest.param(pa.list_(_STAMP), lambda count: [2**62 + count], id="list of moments beyond all years"),
        pytest.param(pa.struct([("a", pa.date32())]), lambda count: {"a": 2**30 + count}, id="day beyond all years"),
    ],
)
def test_times_are_told_apart_to_the_last_unit_however_deep_they_lie(
    kind: pa.DataType, wrap: Callable[[int], object]
) -> None:
    first, second = (_file(pa.array([wrap(count)], kind)) for count in (1, 2))
    assert found(state(first), state(first)) == []
    assert found(state(first), state(second)) == [(f"/{KEY}/n/0", "value")]


def _file(column: pa.Array) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"n": column}), buffer)
    return buffer.getvalue()


def test_compression_is_told_and_rows_and_values_are_counted() -> None:
    content = state(frame())[KEY]
    assert isinstance(content, TableObject)
    assert (content.codecs, content.row_count, content.value_count) == (frozenset({"SNAPPY"}), 3, 9)
