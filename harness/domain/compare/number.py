"""A JSON number whose text a Python int or float would not keep."""

from decimal import Decimal, InvalidOperation
from typing import Any

_DIGITS_OF_64_BITS = 18


class Number:
    """A number token as it was written: `1.10`, `1E2`, `-0`, an integer beyond 64 bits, `NaN`.

    Two numbers are the same when sign, digits and exponent agree, however the exponent is spelt: `1E2` is `1e+2`,
    but neither is `100`.
    """

    __slots__ = ("canonical", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.canonical = _canonical(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __repr__(self) -> str:
        return f"Number({self.text!r})"


def parse_int(text: str) -> int | Number:
    """The integer where its text is the plain one that fits 64 bits, else the text itself."""
    if len(text) <= _DIGITS_OF_64_BITS and text != "-0":
        return int(text)
    return Number(text)


def parse_float(text: str) -> float | Number:
    """The float where printing it gives the same digits back, else the text itself."""
    value = float(text)
    return value if repr(value) == text or _canonical(repr(value)) == _canonical(text) else Number(text)


def is_number(value: Any) -> bool:
    """Whether a parsed value is a JSON number; booleans are not."""
    return type(value) in (int, float, Number)


def number_text(value: int | float | Number) -> str:
    """The text that the number stands for."""
    return value.text if isinstance(value, Number) else repr(value)


def is_same_number(first: int | float | Number, second: int | float | Number) -> bool:
    """Same sign, digits and exponent: 10 is not 10.0, 0.0 is not -0.0."""
    return _canonical(number_text(first)) == _canonical(number_text(second))


def is_equal_quantity(first: int | float | Number, second: int | float | Number) -> bool:
    """Same quantity, however it is written: 10 is 10.0; NaN tokens equal nothing."""
    try:
        return Decimal(number_text(first)) == Decimal(number_text(second))
    except InvalidOperation:
        return False


def _canonical(text: str) -> str:
    """Sign, digits and exponent in one spelling: equal for `1E2` and `1e+2`, not for `100`."""
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:  # an exponent beyond what decimals hold: the text is all there is
        return text
    if not isinstance(exponent, int):  # NaN and the infinities
        return text
    is_whole = not exponent and "e" not in text and "E" not in text  # `1e0` is read as a float by most, `1` is not
    return f"{'-' if sign else ''}{''.join(map(str, digits))}{'' if is_whole else f'e{exponent}'}"
