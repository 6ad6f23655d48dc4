"""Field types that several schemas share: bounds of the contract, and what poisons a row or an answer."""

import math
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

SECOND_STAGE: Final = "second stage"
"""The context in which validation holds our own rules too (target/routers/second_stage.py)."""

LARGEST_FIGURE = 1e150
"""Prices, quantities and fees beyond this overflow once multiplied, and poison every total that holds them (Q3)."""

SMALLEST_ID, LARGEST_ID = -(2**63), 2**63 - 1
"""What a 64-bit column can be compared with (Q5)."""

LONGEST_TEXT = 1_000
LONGEST_TICKER = 64
MOST_TICKERS = 5_000
"""Generous bounds where the legacy has none; that of a list comes first, like those of a request (target/limits.py)."""

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


_EXPECTED_STATUS: Final = "'OPEN', 'CLOSED' or 'CANCELLED'"
"""The statuses as pydantic lists them."""


class OwnRule:
    """A rule that the legacy lacks: the API's document always shows it, validation holds it in the second stage alone.

    It returns what is stored, or raises an error of pydantic's. It goes after the bounds: pydantic words a bound
    differently once a function precedes it.
    """

    def __init__(self, rule: Callable[[Any], Any], **shown: JsonValue) -> None:
        self._rule = rule
        self._shown = shown

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read as without the rule, then hold it."""
        return core_schema.with_info_after_validator_function(self._hold, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show the rule."""
        return {**handler(schema), **self._shown}

    def _hold(self, value: Any, info: ValidationInfo) -> Any:
        return self._rule(value) if info.context == SECOND_STAGE else value


class _ShownWithoutNull:
    """A null that the API's document does not offer, because the second stage refuses it."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        offered: JsonSchemaValue = handler(schema)["anyOf"][0]
        return offered


def _refuse_unstorable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "String should not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticKnownError("string_unicode") from None
    return text


def _refuse_null(status: TradeStatus | None) -> TradeStatus:
    if status is None:
        raise PydanticKnownError("enum", {"expected": _EXPECTED_STATUS})
    return status


def _refuse_beyond_64_bits(number: int) -> int:
    if number > LARGEST_ID:
        raise PydanticKnownError("less_than_equal", {"le": LARGEST_ID})
    if number < SMALLEST_ID:
        raise PydanticKnownError("greater_than_equal", {"ge": SMALLEST_ID})
    return number


def _refuse_no_number(number: float) -> float:
    if not math.isfinite(number):
        raise PydanticKnownError("finite_number")
    return number


def _at_most(length: int) -> OwnRule:
    def refuse_longer(text: str) -> str:
        if len(text) > length:
            raise PydanticKnownError("string_too_long", {"max_length": length})
        return text

    return OwnRule(refuse_longer, maxLength=length)


def _bound(number: float) -> float:
    _refuse_no_number(number)
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


STORABLE = OwnRule(_refuse_unstorable, pattern="^[^\\x00]*$")
_BOUNDED = OwnRule(_bound, maximum=LARGEST_FIGURE)

RowId = Annotated[int, OwnRule(_refuse_beyond_64_bits, minimum=SMALLEST_ID, maximum=LARGEST_ID)]
Ticker = Annotated[
    str,
    Field(min_length=1, max_length=_TICKER_LENGTH),
    STORABLE,
    OwnRule(_normalise_ticker),
]
PositiveFigure = Annotated[float, Field(gt=0), _BOUNDED]
Score = Annotated[float, Field(ge=0, le=1), AfterValidator(_without_sign_of_zero)]
Fee = Annotated[float, Field(ge=0), _BOUNDED]
Finite = Annotated[float, OwnRule(_refuse_no_number)]
KnownStatus = Annotated[TradeStatus | None, OwnRule(_refuse_null), _ShownWithoutNull]
"""A status that may be left out, but not be null."""

NaiveTime = Annotated[datetime, AfterValidator(_drop_offset)]
StorableText = Annotated[str, _at_most(LONGEST_TEXT), STORABLE]
"""Free text of an order that is stored as it is told."""

TickerList = Annotated[list[Annotated[str, _at_most(LONGEST_TICKER), STORABLE]], Field(max_length=MOST_TICKERS)]
"""Tickers as they are told, unknown ones and repetitions included; no universe is as long."""

AnsweredTime = Annotated[
    datetime,
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$"}, mode="serialization"),
]
"""A time in an answer: ISO 8601 in UTC without an offset, microseconds where there are any (contract section 1)."""

AnsweredFigure = Annotated[float, PlainSerializer(_finite_or_null, return_type=float | None)]
"""A number in an answer; a row that was migrated with an infinity answers null instead of failing."""
