"""Reads what an answer shows of rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Response
from harness.domain.isolation.history import Page, Row
from harness.domain.isolation.plan import Intent
from harness.domain.isolation.scenario import Cell, OperationSpec, RowSpec, normal_cell
from harness.domain.pointer import PointerError, resolve_pointer


def read_row(response: Response, spec: RowSpec, intent: Intent) -> Row:
    """The one row of an answer; one that carries another key than the intent's gets an id that no row has.

    Raises:
        SystemUnavailable: the answer shows no row where the scenario says that it does.
    """
    with _reading(intent.spec):
        seen, row = _keyed_row(resolve_pointer(orjson.loads(response.body), intent.spec.row), spec)
    return row if seen == intent.key else Row(id=f"{row.id} of {seen}", fields=row.fields)


def read_page(response: Response, spec: RowSpec, intent: Intent) -> Page:
    """The rows of a page, by key, and the count of all.

    Raises:
        SystemUnavailable: the answer shows no page where the scenario says that it does.
    """
    paging = intent.spec.page
    assert paging is not None  # noqa: S101 - asked of lists alone
    with _reading(intent.spec):
        document = orjson.loads(response.body)
        total = None if paging.total is None else resolve_pointer(document, paging.total)
        listed = resolve_pointer(document, paging.rows)
        if not (paging.total is None or isinstance(total, int)) or not isinstance(listed, list):
            raise ValueError(f"no count at {paging.total!r} or no list at {paging.rows!r}")
        rows = tuple(_keyed_row(each, spec) for each in listed)
    return Page(number=intent.page, size=intent.page_size, rows=rows, total=total)


def _keyed_row(document: Any, spec: RowSpec) -> tuple[str, Row]:
    fields = tuple(normal_cell(_value(document, f"/{name}")) for name in spec.fields)
    return str(_value(document, spec.key)), Row(id=str(_value(document, spec.id)), fields=fields)


def _value(document: Any, pointer: str) -> Cell:
    found: Cell | list[Any] | dict[str, Any] = resolve_pointer(document, pointer)
    if isinstance(found, list | dict):
        raise ValueError(f"at {pointer!r} is no single value but a list or an object")
    return found


@contextmanager
def _reading(spec: OperationSpec) -> Iterator[None]:
    try:
        yield
    except (PointerError, ValueError) as error:
        why = "it is no JSON" if isinstance(error, orjson.JSONDecodeError) else str(error)
        raise SystemUnavailable(
            f"an accepted answer cannot be read: {why}",
            where=f"{spec.name!r}, {spec.method} {spec.url}",
            hint="Correct the pointers of the isolation scenario, or see what the system answers.",
        ) from error
