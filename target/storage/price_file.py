"""The Parquet file of one field's prices, as the legacy's loaders read and write it. Source: contract section 5.

Wide: a double column for each ticker, and `Date`, timestamp[ns] without a zone, which pandas' own note in the schema
makes the index; snappy. Equal tables give equal bytes.
"""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from target.quant.prices import Dates, Floats, PriceTable
from target.storage.objects import UnreadableObject

_INDEX = "Date"
_COLUMNS_NAME = "Ticker"
_PANDAS = b"pandas"


def encode_prices(table: PriceTable) -> bytes:
    """Return the file's bytes; pandas reads from them a frame with the index `Date`."""
    columns: list[Any] = [pa.array(table.values[:, i], from_pandas=True) for i in range(len(table.tickers))]
    columns.append(pa.array(table.dates.astype("datetime64[ns]")))
    fields = [pa.field(ticker, pa.float64()) for ticker in table.tickers] + [pa.field(_INDEX, pa.timestamp("ns"))]
    schema = pa.schema(fields, metadata={_PANDAS: _pandas_note(table.tickers)})
    buffer = io.BytesIO()
    # Prices hardly repeat: a dictionary of them costs time and saves nothing.
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), buffer, compression="snappy", use_dictionary=False)
    return buffer.getvalue()


def decode_prices(body: bytes, name: str) -> PriceTable:
    """Read a file that we or the legacy's pandas wrote; `name` is for the error alone.

    Of columns with one name the first counts, as in the legacy.

    Raises:
        UnreadableObject: it is not Parquet, has no index of days, a day twice, or a column that is no number.
    """
    try:
        read = pq.read_table(io.BytesIO(body))
        index = _index_name(read.schema)
        days = _days(read.column(index))
        tickers = [ticker for ticker in dict.fromkeys(read.schema.names) if ticker != index]
        values = np.empty((len(days), len(tickers)), order="F")
        for position, ticker in enumerate(tickers):
            values[:, position] = _numbers(read.column(read.schema.names.index(ticker)), ticker)
        order = np.argsort(days, kind="stable")
        return PriceTable(days[order], tuple(tickers), values[order])
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise UnreadableObject(
            f"{name} holds no prices that can be read ({error}): restore it, or remove it and refresh the cache"
        ) from error


def _index_name(schema: Any) -> str:
    note = json.loads((schema.metadata or {}).get(_PANDAS, b"{}"))
    named = [column for column in note.get("index_columns", []) if isinstance(column, str)]
    index = named[0] if named else _INDEX
    if index not in schema.names:
        raise ValueError(f"it has no column {index}")
    return index


def _days(column: Any) -> Dates:
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)) or column.null_count:
        raise ValueError("its index is no list of days")
    days: Dates = np.asarray(column.to_numpy()).astype("datetime64[D]")
    return days


def _numbers(column: Any, ticker: str) -> Floats:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise ValueError(f"column {ticker} is {column.type}, not double")
    numbers: Floats = column.cast(pa.float64()).to_numpy()
    return numbers


def _pandas_note(tickers: Sequence[str]) -> bytes:
    """What pandas keeps beside the schema, so that it finds its index and the columns' name again."""
    columns = [_described(ticker, "float64", "float64") for ticker in tickers]
    names = _described(_COLUMNS_NAME, "unicode", "object") | {"metadata": {"encoding": "UTF-8"}}
    note = {
        "index_columns": [_INDEX],
        "column_indexes": [names],
        "columns": [*columns, _described(_INDEX, "datetime", "datetime64[ns]")],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    return json.dumps(note).encode()


def _described(name: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "field_name": name,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }
