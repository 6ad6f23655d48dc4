"""Condition operators of IAM, three-valued: what cannot be known is None, and neither grants nor denies quietly.

Source: AWS, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values".
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from harness.staging.iam.policy import Condition
from harness.staging.iam.wildcards import matches

Context = Mapping[str, tuple[str, ...] | None]
"""Condition keys in lower case: their values, or None where the key is known to be absent from the request."""

_Test = Callable[[str, str], bool]

_NEGATIONS = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnlike",
    "arnnotlike": "arnlike",
}


def is_met(condition: Condition, context: Context) -> bool | None:
    """Whether the request meets the condition; None where its key or operator is not known here."""
    quantifier, operator = _split(condition.operator.lower())
    if_exists = operator.endswith("ifexists")
    operator = operator.removesuffix("ifexists")
    key = condition.key.lower()
    if key not in context:
        return None
    found = context[key]
    if operator == "null":
        return (found is None) == (condition.values == ("true",))
    test = _TESTS.get(_NEGATIONS.get(operator, operator))
    if test is None:
        return None
    if found is None:
        return if_exists or quantifier == "forallvalues" or operator in _NEGATIONS
    return _compare(test, operator in _NEGATIONS, quantifier, found, condition.values)


def are_met(conditions: Iterable[Condition], context: Context) -> bool | None:
    """Whether all are met: one that is not settles it, one that is unknown leaves it open."""
    outcomes = [is_met(condition, context) for condition in conditions]
    if False in outcomes:
        return False
    return None if None in outcomes else True


def _compare(
    test: _Test, is_negated: bool, quantifier: str, found: tuple[str, ...], wanted: tuple[str, ...]
) -> bool | None:
    try:
        # A negated operator refuses all of the wanted values; a plain one takes any.
        outcomes = [any(test(value, pattern) for pattern in wanted) != is_negated for value in found]
    except (ValueError, ArithmeticError):
        return False  # a value that is not of the operator's type does not match
    return any(outcomes) if quantifier == "foranyvalue" else all(outcomes)


def _split(operator: str) -> tuple[str, str]:
    quantifier, separator, rest = operator.partition(":")
    return (quantifier, rest) if separator else ("", operator)


def _number(compare: Callable[[Decimal, Decimal], bool]) -> _Test:
    return lambda value, wanted: compare(Decimal(value), Decimal(wanted))


def _date(compare: Callable[[datetime, datetime], bool]) -> _Test:
    return lambda value, wanted: compare(_moment(value), _moment(wanted))


def _moment(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_network(value: str, network: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)


def _arn_like(value: str, pattern: str) -> bool:
    """Each of the six parts of an ARN is matched by itself: a wildcard does not reach over a colon."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(matches, parts, patterns))


_TESTS: Mapping[str, _Test] = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": lambda value, wanted: value.lower() == wanted.lower(),
    "stringlike": matches,
    "bool": lambda value, wanted: value.lower() == wanted.lower(),
    "numericequals": _number(lambda value, wanted: value == wanted),
    "numericlessthan": _number(lambda value, wanted: value < wanted),
    "numericlessthanequals": _number(lambda value, wanted: value <= wanted),
    "numericgreaterthan": _number(lambda value, wanted: value > wanted),
    "numericgreaterthanequals": _number(lambda value, wanted: value >= wanted),
    "dateequals": _date(lambda value, wanted: value == wanted),
    "datelessthan": _date(lambda value, wanted: value < wanted),
    "datelessthanequals": _date(lambda value, wanted: value <= wanted),
    "dategreaterthan": _date(lambda value, wanted: value > wanted),
    "dategreaterthanequals": _date(lambda value, wanted: value >= wanted),
    "ipaddress": _in_network,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
}
