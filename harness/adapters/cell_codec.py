"""Database cells as JSON and back, without loss of type: NULL, 1, 1.0, true, '1' and a decimal stay distinct."""

import base64
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from harness.domain.rows import Cell, Row

StoredCell = None | bool | int | float | str | dict[str, str]
"""What JSON has, as itself; everything else as an object whose one key names the type."""
_SAFE_INTEGER = 2**63


def encode_row(row: Iterable[Cell]) -> list[StoredCell]:
    """The row's cells, ready for JSON."""
    return [_encode_cell(cell) for cell in row]


def decode_row(cells: Iterable[StoredCell]) -> Row:
    """The cells that `encode_row` was given.

    Raises:
        ValueError: an unknown type, or a value that is not of it.
    """
    return tuple(_decode_cell(cell) if isinstance(cell, dict) else cell for cell in cells)


def storable_text(text: str) -> str:
    """`text`, with what UTF-8 cannot carry (a lone surrogate) as an escape such as `\\ud800`."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _encode_cell(cell: Cell) -> StoredCell:
    match cell:
        case None | bool():
            return cell
        case str():
            return cell if _is_utf8(cell) else {"text": _base64(cell.encode("utf-8", "surrogatepass"))}
        case int():
            return cell if -_SAFE_INTEGER <= cell < _SAFE_INTEGER else {"integer": str(cell)}
        case float():
            return cell if math.isfinite(cell) else {"float": repr(cell)}
    return _encode_typed(cell)


def _encode_typed(cell: Decimal | bytes | date) -> StoredCell:
    match cell:
        case Decimal():
            return {"decimal": str(cell)}
        case bytes():
            return {"bytes": _base64(cell)}
        case datetime():
            return {"datetime": cell.isoformat()}
        case date():
            return {"date": cell.isoformat()}


def _decode_cell(stored: Mapping[str, str]) -> Cell:
    ((kind, text),) = stored.items()
    decode = _DECODERS.get(kind)
    if decode is None:
        raise ValueError(f"unknown cell type {kind!r}")
    return decode(text)


_DECODERS: Mapping[str, Callable[[str], Cell]] = MappingProxyType(
    {
        "text": lambda text: base64.b64decode(text).decode("utf-8", "surrogatepass"),
        "integer": int,
        "float": float,
        "decimal": Decimal,
        "bytes": base64.b64decode,
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
    }
)


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    return storable_text(text) == text


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
