"""The two prices that are cached of each day."""

from enum import StrEnum


class PriceField(StrEnum):
    """Which price of a day; both are adjusted for splits and dividends."""

    CLOSE = "close"
    OPEN = "open"
