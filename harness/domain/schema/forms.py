"""Declared texts as they are compared: defaults, checks and index terms of one form, whichever database wrote them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.domain.cell_values import Family
from harness.domain.schema.expression import Form, parse_expression
from harness.domain.schema.facts import COMPUTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What is known of the columns that a text names; all in lower case."""

    names: Mapping[str, str] = field(default_factory=dict)
    """What the target calls the legacy's columns."""
    flags: frozenset[str] = frozenset()
    """Those that are true or false, as the target calls them."""


UTC_SECONDS = "the time in UTC, in whole seconds"
UTC_TODAY = "the day in UTC"
_ORDERED = re.compile(
    r"(?P<base>.*?)(?P<order>(?: COLLATE \S+)?(?: \w+_ops)?(?: DESC)?(?: NULLS (?:FIRST|LAST))?)", re.DOTALL
)
_NOW: tuple[Form, ...] = (("now",), "current_timestamp", ("transaction_timestamp",), ("statement_timestamp",))
_IN_UTC: tuple[Form, ...] = tuple(("timezone", "'utc'", now) for now in _NOW)
_UTC_SECONDS: tuple[Form, ...] = (
    *(("date_trunc", "'second'", each) for each in _IN_UTC),
    *(("timezone", "'utc'", ("date_trunc", "'second'", now)) for now in _NOW),
)
_SQLITE_CLOCKS: Mapping[Form, str] = {
    "current_timestamp": UTC_SECONDS,
    ("datetime", "'now'"): UTC_SECONDS,
    ("datetime",): UTC_SECONDS,
    "current_date": UTC_TODAY,
    ("date", "'now'"): UTC_TODAY,
    ("date",): UTC_TODAY,
}
_TRUTHS: Mapping[Form, str] = {
    "true": "true",
    "false": "false",
    "0": "false",
    "1": "true",
    "'0'": "false",
    "'1'": "true",
    "'f'": "false",
    "'t'": "true",
}
_NUMBERS = frozenset({Family.INTEGER, Family.FLOAT, Family.DECIMAL})


def expression_form(text: str, naming: Naming) -> Form:
    """An expression under the target's names of its columns."""
    return _renamed(parse_expression(text), naming)


def term_form(term: str, naming: Naming) -> Form:
    """What an index is over, with its order and collation."""
    found = _ORDERED.fullmatch(term)
    assert found is not None  # noqa: S101 - it takes every text
    return (expression_form(found["base"], naming), found["order"].strip())


def default_form(text: str | None, family: Family, naming: Naming, *, is_sqlite: bool) -> "Form | None":
    """A column's default, or what it is computed by; None where it is NULL.

    SQLite's clocks give UTC, in whole seconds: only what does so on the other side is the same.
    """
    if text is not None and text.startswith(COMPUTED):
        return (COMPUTED, expression_form(text.removeprefix(COMPUTED), naming))
    form = None if text is None else expression_form(text, naming)
    if form is None or form == "null":
        return None
    clock = _SQLITE_CLOCKS.get(form) if is_sqlite else _postgres_clock(form, family)
    return clock or _literal(form, family)


def _postgres_clock(form: Form, family: Family) -> str | None:
    if form in _UTC_SECONDS:
        return UTC_SECONDS
    return UTC_TODAY if family is Family.DATE and form in _IN_UTC else None


def _literal(form: Form, family: Family) -> Form:
    if family is Family.BOOLEAN:
        return _TRUTHS.get(form, form)
    # A number may be given in quotes, and is stored as a number.
    return parse_expression(form.strip("'")) if family in _NUMBERS and isinstance(form, str) else form


def _renamed(form: Form, naming: Naming) -> Form:
    if isinstance(form, str):
        return naming.names.get(form, form)
    renamed = (form[0], *(_renamed(each, naming) for each in form[1:]))
    # SQLite compares a flag with 1 where PostgreSQL just names it.
    if renamed[0] == "=" and renamed[1] in naming.flags and renamed[2] in _TRUTHS:
        return renamed[1] if _TRUTHS[renamed[2]] == "true" else ("not", renamed[1])
    return renamed
