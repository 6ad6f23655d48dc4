"""Copies of what a legacy answered, sent to the target beside the traffic and paired with the legacy's answers."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import structs

from harness.domain.capture.own_values import OwnValues, filled
from harness.domain.capture.relay import without
from harness.domain.capture.steps import Captured
from harness.domain.exchange import Exchange, ExchangePair, Request
from harness.domain.grouping import group_of_url
from harness.domain.identity import Identity
from harness.domain.operation import OperationTemplates
from harness.domain.ports import SideClient
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.uninterrupted import run_to_its_end

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNANSWERED = ("connection refused", "no complete answer within")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowOptions:
    """What is copied, and how much may wait."""

    sends_writes: bool = False
    keeps_host: bool = True
    workers: int = 8
    """Copies at once; where writes are sent too it is one, so that the target sees the order that the legacy saw."""
    max_waiting: int = 1_000
    max_waiting_bytes: int = 64 * 1024 * 1024
    max_steps: int = 500
    """Of a session that writes, before its record is closed and another begun."""
    grace_s: float = 10.0
    """How long copies that wait may take once the traffic has ended."""
    new_identity: Callable[[], Identity] = Identity


@dataclass(slots=True, kw_only=True)
class ShadowCounts:
    """What became of the exchanges that passed."""

    compared: int = 0
    """Answered by both sides, and handed on to be judged."""
    writes: int = 0
    """Not copied, since they change something."""
    dropped: int = 0
    """Not copied, since too many waited, or the traffic had ended."""
    unanswered: int = 0
    """The target did not answer at all, or not in time."""
    absent: int = 0
    """Of those the ones that the target is the reason for, and not the end of the traffic."""
    unsettled: int = 0
    """Reads during which something was written: the two answers may be of two states."""
    incomplete: int = 0
    """The legacy's answer, or the request, was not kept as a whole."""


@dataclass(slots=True, kw_only=True)
class _Session:
    identity: Identity
    own: OwnValues = field(default_factory=OwnValues)
    steps: list[StepRecord] = field(default_factory=list)
    parts: int = 0
    count: int = 0


class Shadow:
    """Takes exchanges as they end and sends them to the target; it never makes anyone wait.

    Of reads each pair is a record of its own, handed to `on_record` at once. Where writes are sent too, a session is
    one record, since its ids are learned from its creates: it is handed on when it is long, and at the end.
    """

    def __init__(
        self,
        target: SideClient,
        name: str,
        on_record: Callable[[SessionRecord], None],
        options: ShadowOptions | None = None,
    ) -> None:
        self.counts = ShadowCounts()
        self._target = target
        self._name = name
        self._on_record = on_record
        self._options = options or ShadowOptions()
        self._templates = OperationTemplates()
        self._waiting: asyncio.Queue[tuple[Captured, int]] = asyncio.Queue()
        self._waiting_bytes = 0
        self._sessions: dict[int, _Session] = {}
        self._written_until: datetime | None = None
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to send."""
        count = 1 if self._options.sends_writes else self._options.workers
        self._workers = [asyncio.create_task(self._work()) for _ in range(count)]

    def take(self, captured: Captured, session: int) -> None:
        """Accepts an exchange of a session, or counts why not; returns at once."""
        exchange = captured.exchange
        is_write = exchange.request.method not in _READS
        if is_write:
            self._written_until = max(self._written_until or exchange.received_at, exchange.received_at)
        if is_write and not self._options.sends_writes:
            self.counts.writes += 1
        elif not captured.is_request_whole or (exchange.response is not None and exchange.response.is_truncated):
            self.counts.incomplete += 1
        elif not self._has_room(captured):
            self.counts.dropped += 1
        else:
            self._waiting_bytes += _size(captured)
            self._waiting.put_nowait((captured, session))

    async def stop(self) -> None:
        """Sends what waits, as long as is allowed, and hands on what is left.

        Whatever happens to the task, nothing is sent afterwards; to cancel it cuts the waiting short.
        """
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.grace_s):
                    await self._waiting.join()
        finally:
            await run_to_its_end(self._end())

    async def _end(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self.counts.dropped += self._waiting.qsize()
        for number, session in sorted(self._sessions.items()):
            self._close(number, session)

    def _has_room(self, captured: Captured) -> bool:
        options = self._options
        is_small = self._waiting_bytes + _size(captured) <= options.max_waiting_bytes
        return is_small and self._waiting.qsize() < options.max_waiting

    async def _work(self) -> None:
        while True:
            captured, number = await self._waiting.get()
            try:
                await self._copy(captured, number)
            finally:
                self._waiting_bytes -= _size(captured)
                self._waiting.task_done()

    async def _copy(self, captured: Captured, number: int) -> None:
        legacy = captured.exchange
        session = self._session(number)
        request, own = self._referred(session, legacy)
        request, changes = session.identity.to_target(request)
        try:
            target = await self._target.send(filled(request, own))
        except asyncio.CancelledError:
            self.counts.unanswered += 1
            raise
        if target.transport_error is not None and target.transport_error.startswith(_UNANSWERED):
            self.counts.unanswered += 1
            self.counts.absent += 1
            return
        if not self._options.sends_writes and self._is_unsettled(legacy):
            self.counts.unsettled += 1
            return
        self.counts.compared += 1
        session.count += 1
        notes = (*changes, *(f"{{{{{name}}}}}: each side's own" for name in own))
        step = StepRecord(pair=self._pair(session.count, number, legacy, target), sent_differently=notes)
        session.steps.append(step)
        if self._options.sends_writes:
            session.identity.learn(step, {})
            session.own.learn(legacy, target)
        if not self._options.sends_writes or len(session.steps) >= self._options.max_steps:
            self._close(number, session)

    def _referred(self, session: _Session, legacy: Exchange) -> tuple[Request, Mapping[str, str]]:
        """Where writes are sent too, both sides give out their own cookies, tokens and ids."""
        request = self._request(legacy.request)
        return session.own.refer(request, legacy.sent_at) if self._options.sends_writes else (request, {})

    def _is_unsettled(self, legacy: Exchange) -> bool:
        return self._written_until is not None and self._written_until >= legacy.sent_at

    def _session(self, number: int) -> _Session:
        found = self._sessions.get(number)
        if found is None:
            found = self._sessions[number] = _Session(identity=self._options.new_identity())
        return found

    def _request(self, request: Request) -> Request:
        dropped = ("content-length",) if self._options.keeps_host else ("content-length", "host")
        return structs.replace(request, headers=without(request.headers, *dropped))

    def _pair(self, step: int, number: int, legacy: Exchange, target: Exchange) -> ExchangePair:
        request = legacy.request
        return ExchangePair(
            session_id=self._record_id(number),
            group=group_of_url(request.url),
            step=step,
            name=f"{request.method} {request.url}",
            operation=self._templates.operation(request.method, request.url),
            legacy=legacy,
            target=target,
        )

    def _record_id(self, number: int) -> str:
        parts = self._sessions[number].parts
        return f"{self._name}#{number}.{parts + 1}"

    def _close(self, number: int, session: _Session) -> None:
        if not session.steps:
            return
        steps, session.steps = tuple(session.steps), []
        record = SessionRecord(
            session_id=self._record_id(number),
            group=steps[0].pair.group,
            origin=Origin.RECORDED,
            legacy_schemas={},
            target_schemas={},
            steps=steps,
        )
        session.parts += 1
        self._on_record(record)


def _size(captured: Captured) -> int:
    response = captured.exchange.response
    return len(captured.exchange.request.body or b"") + (0 if response is None else len(response.body)) + 1024


def silence(counts: ShadowCounts) -> str:
    """Why nothing was compared, in words; empty where something was."""
    if counts.compared:
        return ""
    reasons = {
        "the target did not answer": counts.unanswered,
        "they change something": counts.writes,
        "something was written meanwhile": counts.unsettled,
        "too many waited": counts.dropped,
        "their bodies are too long": counts.incomplete,
    }
    worst = max(reasons, key=lambda reason: reasons[reason])
    return f"nothing was compared: {worst}" if reasons[worst] else "nothing was compared: there was no traffic"
