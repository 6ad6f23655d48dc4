"""Builds session records with one exchange of every awkward kind."""

from datetime import UTC, date, datetime
from decimal import Decimal

from msgspec import structs

from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.exchange import Exchange, ExchangePair, Headers, Request, Response, Side
from harness.domain.record import Origin, RowChange, SessionRecord, StepRecord
from harness.domain.rows import Cell, Column, TableSchema

SENT_AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CELLS: tuple[Cell, ...] = (
    None, True, 1, 1.0, -0.0, float("inf"), 10**30, -(2**63), Decimal("1.50"), "1", "", "é\u2028", "\ud800",
    b"\x00\xff", datetime(2024, 1, 2, 3, 4, 5, 6), datetime(2024, 1, 2, tzinfo=UTC), date(2024, 1, 2),
)  # fmt: skip
SCHEMA = TableSchema(
    name="things",
    columns=tuple(Column(name=f"c{n}", declared_type="TEXT", is_nullable=True) for n in range(len(CELLS))),
    key=("c2",),
)


def exchange(
    side: Side, body: bytes = b"{}", *, headers: Headers = (), request: Request | None = None, status: int = 200
) -> Exchange:
    """An answered request."""
    return Exchange(
        side=side,
        base_url=f"http://{side}:80",
        request=request or Request(method="GET", url="/x?y=%20"),
        response=Response(status=status, headers=headers, body=body),
        sent_at=SENT_AT,
        duration_ms=1.234,
    )


def step(number: int, body: bytes = b"{}", *, session_id: str = "s1") -> StepRecord:
    """A step answered alike by both sides."""
    pair = ExchangePair(
        session_id=session_id, group="g", step=number, name=f"step {number}", operation="GET /x",
        legacy=exchange(Side.LEGACY, body), target=exchange(Side.TARGET, body), tie=("id",), volatile=("/a",),
    )  # fmt: skip
    return StepRecord(pair=pair)


def session_record(session_id: str = "s1", steps: int = 3) -> SessionRecord:
    """A session whose first step has everything that is hard to store."""
    first = step(1, b"\xff\x00not text", session_id=session_id)
    broken = structs.replace(first.pair.target, response=None, transport_error="connection reset")
    hard = structs.replace(
        first,
        pair=structs.replace(first.pair, target=broken),
        legacy_changes=(RowChange(table="things", key=(1,), before=None, after=CELLS),),
        target_changes=(RowChange(table="things", key=("k", None), before=CELLS, after=None),),
        sent_differently=("/id: 1 -> 2",),
    )
    rest = tuple(step(number, session_id=session_id) for number in range(2, steps + 1))
    return SessionRecord(
        session_id=session_id,
        group="g",
        origin=Origin.WRITTEN,
        legacy_schemas={"things": SCHEMA},
        target_schemas={"things": SCHEMA},
        steps=(hard, *rest),
        repeat=(*rest,),
        initial_differences=(
            Difference(facet=Facet.ROW, pointer="/t/1/c", kind=DifferenceKind.VALUE, legacy="1", target=None),
        ),
        compares_state=True,
        sources=("file.json",),
    )
