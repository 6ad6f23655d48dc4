"""Field types that several schemas share: bounds of the contract, and what poisons a row or an answer."""

import math
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, JsonValue, PlainSerializer, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError

LARGEST_FIGURE = 1e150
"""Prices, quantities and fees beyond this overflow once multiplied, and poison every total that holds them (Q3)."""

SMALLEST_ID, LARGEST_ID = -(2**63), 2**63 - 1
"""What a 64-bit column can be compared with (Q5)."""

LONGEST_TEXT = 1_000
LONGEST_TICKER = 64
MOST_TICKERS = 5_000
"""Generous bounds where the legacy has none. Source: docs/security.md."""

_TICKER_LENGTH = 20


class TradeDirection(StrEnum):
    """Which side of the market was taken."""

    BUY = "BUY"
    SELL = "SELL"


class TradeStatus(StrEnum):
    """Where a trade stands."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


def _refuse_unstorable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "String should not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticKnownError("string_unicode") from None
    return text


class _Storable(AfterValidator):
    """A check that the API's document shows as a pattern."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), **_WITHOUT_NUL}


class _ShownWithoutNull:
    """A null that the API's document does not offer, because a later stage refuses it."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        offered: JsonSchemaValue = handler(schema)["anyOf"][0]
        return offered


def _bound(number: float) -> float:
    if not math.isfinite(number):
        raise PydanticKnownError("finite_number")
    if number > LARGEST_FIGURE:
        # Not pydantic's own wording, which writes the number out with all its zeros.
        raise PydanticCustomError(
            "less_than_equal", "Input should be less than or equal to 1e+150", {"le": LARGEST_FIGURE}
        )
    return _without_sign_of_zero(number)


def _without_sign_of_zero(number: float) -> float:
    """LEGACY-PARITY: section 2, SQLite stores a whole number as an integer, which has no negative zero."""
    return number + 0.0


def _normalise_ticker(raw: str) -> str:
    """Uppercase and trim, then hold the outcome to the bounds that the input met (Q1)."""
    ticker = raw.upper().strip()
    if not ticker:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    if len(ticker) > _TICKER_LENGTH:
        raise PydanticKnownError("string_too_long", {"max_length": _TICKER_LENGTH})
    return ticker


def _drop_offset(instant: datetime) -> datetime:
    """LEGACY-PARITY: Q6, an offset is dropped, not converted."""
    return instant.replace(tzinfo=None)


def _finite_or_null(number: float) -> float | None:
    return number if math.isfinite(number) else None


# For the API's document; `_bound` and `_refuse_unstorable` hold them, with their own words.
_MAXIMUM: dict[str, JsonValue] = {"maximum": LARGEST_FIGURE}
_WITHOUT_NUL: dict[str, JsonValue] = {"pattern": "^[^\\x00]*$"}

STORABLE = _Storable(_refuse_unstorable)
"""Goes after the bounds: pydantic words a bound differently once a function precedes it."""

Ticker = Annotated[
    str,
    Field(min_length=1, max_length=_TICKER_LENGTH),
    STORABLE,
    AfterValidator(_normalise_ticker),
]
ToldFigure = Annotated[float, Field(gt=0, json_schema_extra=_MAXIMUM)]
ToldText = Annotated[str, Field(json_schema_extra=_WITHOUT_NUL)]
ToldStatus = Annotated[TradeStatus | None, _ShownWithoutNull]
"""What the legacy accepts, shown as what is accepted in the end: a later stage holds our rules."""

PositiveFigure = Annotated[ToldFigure, AfterValidator(_bound)]
Score = Annotated[float, Field(ge=0, le=1), AfterValidator(_without_sign_of_zero)]
Fee = Annotated[float, Field(ge=0, json_schema_extra=_MAXIMUM), AfterValidator(_bound)]
NaiveTime = Annotated[datetime, AfterValidator(_drop_offset)]
StorableText = Annotated[str, Field(max_length=LONGEST_TEXT), STORABLE]
"""Free text of an order that is stored as it is told."""

TickerList = Annotated[list[Annotated[str, Field(max_length=LONGEST_TICKER), STORABLE]], Field(max_length=MOST_TICKERS)]
"""Tickers as they are told, unknown ones and repetitions included; no universe is as long."""

AnsweredTime = Annotated[
    datetime,
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$"}, mode="serialization"),
]
"""A time in an answer: ISO 8601 in UTC without an offset, microseconds where there are any (contract section 1)."""

AnsweredFigure = Annotated[float, PlainSerializer(_finite_or_null, return_type=float | None)]
"""A number in an answer; a row that was migrated with an infinity answers null instead of failing."""
