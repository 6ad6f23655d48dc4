"""Builds step and session records from a few words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from harness.domain.exchange import Exchange, ExchangePair, Headers, Request, Response, Side
from harness.domain.record import Origin, RowChange, SessionRecord, StepRecord
from harness.domain.rows import Cell, Column, TableSchema

START = datetime(2026, 2, 4, 12, 0, tzinfo=UTC)
BASES = {Side.LEGACY: "http://127.0.0.1:8001", Side.TARGET: "http://127.0.0.1:9002"}
SCHEMAS = {
    "trades": TableSchema(
        name="trades",
        columns=(
            Column(name="id", declared_type="INTEGER", is_nullable=False),
            Column(name="code", declared_type="TEXT", is_nullable=True),
            Column(name="created_at", declared_type="DATETIME", is_nullable=True),
        ),
        key=("id",),
    )
}
JSON: Headers = (("content-type", "application/json"),)


def answer(body: Any = None, status: int = 200, headers: Headers = JSON) -> Response:
    """A response: bytes as they are, anything else as JSON."""
    return Response(status=status, headers=headers, body=body if isinstance(body, bytes) else orjson.dumps(body))


def step(
    legacy: Response | str,
    target: Response | str,
    request: str = "GET /api/trades/",
    *,
    n: int = 0,
    body: Any = None,
    operation: str = "",
    tie: tuple[str, ...] = (),
    volatile: tuple[str, ...] = (),
    polled: bool = False,
    legacy_changes: tuple[RowChange, ...] = (),
    target_changes: tuple[RowChange, ...] = (),
    at: datetime = START,
) -> StepRecord:
    """A step at second n; a text in a response's place is a transport error."""
    method, url = request.split(" ", 1)

    def exchange(side: Side, outcome: Response | str) -> Exchange:
        return Exchange(
            side=side,
            base_url=BASES[side],
            request=Request(method=method, url=url, headers=JSON, body=None if body is None else orjson.dumps(body)),
            response=outcome if isinstance(outcome, Response) else None,
            transport_error=None if isinstance(outcome, Response) else outcome,
            sent_at=at + timedelta(seconds=n),
            duration_ms=100,
        )

    pair = ExchangePair(
        session_id="s",
        group="trades",
        step=n,
        name=f"step {n}",
        operation=operation or f"{method} {url.partition('?')[0]}",
        legacy=exchange(Side.LEGACY, legacy),
        target=exchange(Side.TARGET, target),
        tie=tie,
        volatile=volatile,
        polled=polled,
    )
    return StepRecord(pair=pair, legacy_changes=legacy_changes, target_changes=target_changes)


def session(*steps: StepRecord, repeat: tuple[StepRecord, ...] = (), compares_state: bool = True) -> SessionRecord:
    """A session of these steps."""
    return SessionRecord(
        session_id="s",
        group="trades",
        origin=Origin.WRITTEN,
        legacy_schemas=SCHEMAS,
        target_schemas=SCHEMAS,
        steps=steps,
        repeat=repeat,
        compares_state=compares_state,
    )


def insert(key: int, code: str = "a", created_at: Cell = None) -> RowChange:
    """A row that came."""
    return RowChange(table="trades", key=(key,), before=None, after=(key, code, created_at))


def delete(key: int, code: str = "a") -> RowChange:
    """A row that went."""
    return RowChange(table="trades", key=(key,), before=(key, code, None), after=None)


def update(key: int, before: str, after: str) -> RowChange:
    """A row whose code changed."""
    return RowChange(table="trades", key=(key,), before=(key, before, None), after=(key, after, None))
