"""Reads what an answer shows of rows."""

from collections.abc import Sequence
from typing import Any

import orjson

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Response
from harness.domain.isolation.history import Page, Row
from harness.domain.isolation.plan import Intent
from harness.domain.isolation.scenario import Cell, RowSpec, normal_cell
from harness.domain.pointer import PointerError, resolve_pointer


def read_row(response: Response, spec: RowSpec, key: str) -> Row:
    """The one row of an answer; one that carries another key than `key` gets an id that no row has.

    Raises:
        SystemUnavailable: the answer shows no row where the scenario says that it does.
    """
    seen, row = _keyed_row(_document(response), spec)
    return row if seen == key else Row(id=f"{row.id} of {seen}", fields=row.fields)


def read_page(response: Response, spec: RowSpec, intent: Intent) -> Page:
    """The rows of a page, by key, and the count of all.

    Raises:
        SystemUnavailable: the answer shows no page where the scenario says that it does.
    """
    paging = intent.spec.page
    assert paging is not None  # noqa: S101 - asked of lists alone
    document = _document(response)
    total, listed = _at(document, paging.total), _at(document, paging.rows)
    if not isinstance(total, int) or not isinstance(listed, list):
        raise _unreadable(f"no count at {paging.total} or no list at {paging.rows}")
    rows = tuple(_keyed_row(each, spec) for each in listed)
    return Page(number=intent.page, size=intent.page_size, rows=rows, total=total)


def _keyed_row(document: Any, spec: RowSpec) -> tuple[str, Row]:
    fields: Sequence[Cell] = [normal_cell(_at(document, f"/{name}")) for name in spec.fields]
    return str(_at(document, spec.key)), Row(id=str(_at(document, spec.id)), fields=tuple(fields))


def _document(response: Response) -> Any:
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise _unreadable("it is no JSON") from error


def _at(document: Any, pointer: str) -> Any:
    try:
        return resolve_pointer(document, pointer)
    except PointerError as error:
        raise _unreadable(str(error)) from error


def _unreadable(why: str) -> SystemUnavailable:
    hint = "Correct the pointers of the isolation scenario, or see what the system answers."
    return SystemUnavailable(f"an accepted answer cannot be read: {why}", hint=hint)
