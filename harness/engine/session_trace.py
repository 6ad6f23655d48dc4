"""One session on one system alone: each step's exchange, the rows that it changed, the lines that it ran."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.domain.exchange import NOT_SENT, Exchange, Request, Side
from harness.domain.record import RowChange
from harness.domain.session import Session, Step
from harness.domain.substitution import UnsavedValueError, fill_request
from harness.engine.replay_session import is_waiting, saved_values, unfilled
from harness.engine.replay_sides import ReplaySide
from harness.engine.replay_state import WatchedStore

Line = tuple[str, int]
"""A file below the application's directory, and a line of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTrace:
    """What a step showed."""

    step: Step
    exchange: Exchange
    changes: tuple[RowChange, ...] = ()
    lines: frozenset[Line] = frozenset()


async def trace_session(
    session: Session,
    side: ReplaySide,
    watched: WatchedStore | None,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> tuple[StepTrace, ...]:
    """Runs the session from the captured state; ends with the first step after which the system is gone.

    Raises:
        SystemUnavailable: the database cannot be restored or read.
    """
    if watched is not None:
        await watched.restore()
        await watched.start()
    saved: dict[str, Any] = {}
    traces: list[StepTrace] = []
    for step in session.steps:
        exchange = await _exchange(side, step, saved, sleep)
        if step.sleep_s:
            await sleep(step.sleep_s)
        changes: tuple[RowChange, ...] = ()
        if watched is not None:
            changes = await watched.changes()
            watched.accept()
        traces.append(StepTrace(step=step, exchange=exchange, changes=changes, lines=_lines(side)))
        if getattr(side.client, "failure", ""):
            break
    return tuple(traces)


async def _exchange(
    side: ReplaySide, step: Step, saved: dict[str, Any], sleep: Callable[[float], Awaitable[None]]
) -> Exchange:
    try:
        request = side.authorized(fill_request(step, saved), step.auth)
    except (UnsavedValueError, ValueError) as error:
        return _not_sent(unfilled(step), str(error))
    exchange = await side.client.send(request)
    waited_s = 0.0
    while step.poll is not None and is_waiting(exchange, step.poll) and waited_s < step.poll.timeout_s:
        await sleep(step.poll.interval_s)
        waited_s += step.poll.interval_s
        exchange = await side.client.send(request)
    if step.save:
        saved.update(saved_values(step, exchange))
    return exchange


def _not_sent(request: Request, reason: str) -> Exchange:
    return Exchange(
        side=Side.TARGET,
        base_url="",
        request=request,
        response=None,
        transport_error=f"{NOT_SENT}: {reason}",
        sent_at=datetime.now(UTC),
        duration_ms=0.0,
    )


def _lines(side: ReplaySide) -> frozenset[Line]:
    lines: frozenset[Line] = getattr(side.client, "lines", frozenset())
    return lines
