"""Histories written by hand: one thing, or a few, and times in whole steps."""

from dataclasses import replace

from harness.domain.isolation.history import History, Op, Page, Row
from tests.builders.racy_things import things_scenario

_SCENARIO = things_scenario()
_SPECS = {spec.name: spec for spec in _SCENARIO.operation}
FIELDS = _SCENARIO.row.fields


def row(label: str | None, price: float | None = None, state: str = "open", *, id: str = "1") -> Row:
    """One thing."""
    return Row(id=id, fields=(label, price, state))


def op(
    name: str,
    at: tuple[int, int],
    *,
    value: int = 0,
    status: int | None = -1,
    answer: Row | None = None,
    key: str = "k",
    row_id: str | None = "1",
    page: Page | None = None,
) -> Op:
    """One operation from one step to another; it succeeds unless a `status` is given."""
    spec = _SPECS[name]
    return Op(
        index=0,
        client=1,
        spec=spec,
        key=None if spec.page else key,
        row_id=None if spec.name in {"create", "list"} else row_id,
        value=value,
        writes=_SCENARIO.row.written_by(spec, value),
        guard=_SCENARIO.row.indexed(spec.guard),
        invoked_ns=at[0],
        returned_ns=at[1],
        status=spec.succeeds if status == -1 else status,
        row=answer,
        page=page,
    )


def created(at: tuple[int, int] = (0, 1), label: int = 1, *, key: str = "k", id: str = "1") -> Op:
    """A create that was accepted."""
    return op("create", at, value=label, key=key, answer=row(str(label), id=id))


def page(*rows: tuple[str, Row], total: int | None = None, size: int = 50, number: int = 1) -> Page:
    """A page with these rows."""
    return Page(number=number, size=size, rows=rows, total=len(rows) if total is None else total)


def history(*ops: Op, keys: tuple[str, ...] = ("k",)) -> History:
    """The operations, numbered."""
    numbered = tuple(replace(each, index=index) for index, each in enumerate(ops))
    return History(name="h", keys=keys, fields=FIELDS, ops=numbered)
