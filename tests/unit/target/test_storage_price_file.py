"""The Parquet file of prices: ours, and as the legacy's pandas writes and reads it."""

import io
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from target.quant.prices import PriceTable
from target.storage.objects import UnreadableObject
from target.storage.price_file import decode_prices, encode_prices

TABLE = PriceTable.from_series(
    {
        "SPY": {date(2026, 1, 5): 500.25, date(2026, 1, 6): 501.0, date(2026, 1, 7): 0.1 + 0.2},
        "BHP.AX": {date(2026, 1, 6): 41.5},
    }
)


def legacy_frame() -> pd.DataFrame:
    """The frame that the legacy's loader holds."""
    frame = pd.DataFrame(
        {"SPY": [500.25, 501.0, 0.1 + 0.2], "BHP.AX": [np.nan, 41.5, np.nan]},
        index=pd.DatetimeIndex(["2026-01-05", "2026-01-06", "2026-01-07"], name="Date").as_unit("ns"),
    )
    frame.columns.name = "Ticker"
    return frame


def written_by_legacy(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, compression="snappy")
    return buffer.getvalue()


def test_what_was_written_is_read() -> None:
    assert decode_prices(encode_prices(TABLE), "close") == TABLE


@pytest.mark.parametrize("table", [PriceTable.empty(), PriceTable.empty(("SPY",))], ids=["no ticker", "no day"])
def test_an_empty_table_is_read_as_one(table: PriceTable) -> None:
    assert decode_prices(encode_prices(table), "close") == table


def test_equal_tables_give_equal_bytes() -> None:
    again = PriceTable(TABLE.dates, TABLE.tickers, np.asfortranarray(TABLE.values))
    assert encode_prices(again) == encode_prices(TABLE)


def test_the_legacys_reader_finds_the_frame_it_would_have_written() -> None:
    frame = pd.read_parquet(io.BytesIO(encode_prices(TABLE)))
    pd.testing.assert_frame_equal(frame, legacy_frame(), check_freq=False)


def test_a_file_of_the_legacy_is_read() -> None:
    assert decode_prices(written_by_legacy(legacy_frame()), "close") == TABLE


def test_schema_and_compression_are_the_legacys() -> None:
    ours, theirs = (
        pq.ParquetFile(io.BytesIO(body)) for body in (encode_prices(TABLE), written_by_legacy(legacy_frame()))
    )
    assert ours.schema_arrow.equals(theirs.schema_arrow)
    codecs = {file.metadata.row_group(0).column(column).compression for file in (ours, theirs) for column in range(3)}
    assert codecs == {"SNAPPY"}


def test_days_out_of_order_are_sorted() -> None:
    assert decode_prices(written_by_legacy(legacy_frame().iloc[::-1]), "close") == TABLE


def test_a_column_of_whole_numbers_is_read_as_prices() -> None:
    frame = legacy_frame()[["SPY"]].round().astype("int64")
    assert decode_prices(written_by_legacy(frame), "close").values.tolist() == [[500.0], [501.0], [0.0]]


def parquet_of(columns: dict[str, list[object]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "0 bytes"),
        (encode_prices(TABLE)[:-40], "magic bytes"),
        (b"\x00" + encode_prices(TABLE)[1:40] + b"PAR1", "magic|footer|Parquet"),
        (parquet_of({"SPY": [1.0]}), "no column Date"),
        (parquet_of({"SPY": [1.0], "Date": ["2026-01-05"]}), "index is no list of days"),
        (parquet_of({"SPY": ["high"], "Date": [date(2026, 1, 5)]}), "column SPY is string"),
        (parquet_of({"SPY": [1.0, 2.0], "Date": [date(2026, 1, 5), date(2026, 1, 5)]}), "ascend without repeats"),
    ],
    ids=["empty", "cut", "garbage", "no index", "text index", "text prices", "day twice"],
)
def test_what_is_no_file_of_prices_is_refused_by_name_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableObject, match=why) as refused:
        decode_prices(body, "cache/us_prices_close.parquet")
    assert "cache/us_prices_close.parquet" in str(refused.value)
