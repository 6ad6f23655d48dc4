"""One pass over one session: each step sent to both sides at once, what it changed read from both databases."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

from harness.domain.exchange import NOT_SENT, Exchange, ExchangePair, Request, Side
from harness.domain.grouping import group_of_step
from harness.domain.operation import OperationTemplates
from harness.domain.plain_json import load_json
from harness.domain.pointer import PointerError, resolve_pointer
from harness.domain.record import StepRecord
from harness.domain.secret_names import is_secret_header, is_secret_name
from harness.domain.session import Poll, Session, Step
from harness.domain.substitution import (
    UnsavedValueError,
    encode_text,
    extract_saves,
    fill_request,
    is_saved_of_headers,
    saved_cookie,
    step_placeholders,
    value_text,
)
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import Outages, ReplaySide
from harness.engine.replay_state import StatePair

ABSENT_DOCUMENT = object()
_EACH_SIDES_OWN = "each side's own secret"


class SessionPass:
    """Replays a session once, from the state that the databases are in.

    Saved values are each side's own. Ids that the session spells out are the legacy's: the target is sent its own
    for the same rows, and what was sent differently is on record.
    """

    def __init__(
        self,
        session: Session,
        legacy: ReplaySide,
        target: ReplaySide,
        states: StatePair,
        templates: OperationTemplates,
    ) -> None:
        self._session = session
        self._sides = {Side.LEGACY: legacy, Side.TARGET: target}
        self._states = states
        self._templates = templates
        self._saved: dict[Side, dict[str, Any]] = {Side.LEGACY: {}, Side.TARGET: {}}
        self._secret: set[str] = set()

    async def run(self, into: list[StepRecord], options: ReplayOptions, outages: Outages) -> None:
        """Appends a record per step to `into`, so that a pass that ends early leaves what it saw.

        Raises:
            SystemUnavailable: a side stopped answering.
        """
        self._options = options
        self._identity = options.new_identity()
        await self._states.start()
        for step in self._session.steps:
            record = await self._replay_step(step)
            into.append(record)
            self._identity.learn(record, self._states.legacy_schemas, self._states.target_schemas)
            outages.see(record.pair.legacy)
            outages.see(record.pair.target)

    async def _replay_step(self, step: Step) -> StepRecord:
        translated, changes = self._for_target(step)
        legacy, target = await self._exchange_both(step, translated)
        if step.sleep_s:
            await self._options.sleep(step.sleep_s)
        notes = (*changes, *self._saved_differently(step))
        self._keep(step, legacy)
        self._keep(step, target)
        legacy_changes, target_changes = await self._states.changes()
        return StepRecord(
            pair=exchange_pair(self._session, step, legacy, target, self._templates),
            legacy_changes=legacy_changes,
            target_changes=target_changes,
            sent_differently=notes,
        )

    def _for_target(self, step: Step) -> tuple[Step, tuple[str, ...]]:
        # Before saved values are filled in: those are the target's own already and must not be translated again.
        translated, changes = self._identity.to_target(unfilled(step))
        if not changes:
            return step, ()
        body = None if translated.body is None else translated.body.decode("utf-8", "surrogatepass")
        return replace(step, url=translated.url, headers=translated.headers, body=body), tuple(changes)

    async def _exchange_both(self, step: Step, translated: Step) -> tuple[Exchange, Exchange]:
        # Not `gather`: one task less is a twentieth of a replay's time (`python -m bench --only replay_throughput`).
        target = asyncio.ensure_future(self._exchange(Side.TARGET, translated))
        try:
            legacy = await self._exchange(Side.LEGACY, step)
            return legacy, await target
        except BaseException:
            target.cancel()
            await asyncio.gather(target, return_exceptions=True)
            raise

    async def _exchange(self, side: Side, step: Step) -> Exchange:
        system = self._sides[side]
        try:
            request = system.authorized(fill_request(step, self._saved[side]), step.auth)
        except (UnsavedValueError, ValueError) as error:
            return not_sent(side, step, str(error), self._options.clock())
        exchange = await system.send(request)
        return exchange if step.poll is None else await self._poll(system, request, step.poll, exchange)

    async def _poll(self, system: ReplaySide, request: Request, poll: Poll, exchange: Exchange) -> Exchange:
        deadline = self._options.monotonic() + poll.timeout_s
        while is_waiting(exchange, poll) and self._options.monotonic() < deadline:
            await self._options.sleep(poll.interval_s)
            exchange = await system.send(request)
        return exchange

    def _keep(self, step: Step, exchange: Exchange) -> None:
        if step.save:
            self._saved[exchange.side].update(saved_values(step, exchange))
            self._secret.update(name for name, pointer in step.save if _is_secret(pointer))

    def _saved_differently(self, step: Step) -> tuple[str, ...]:
        legacy, target = self._saved[Side.LEGACY], self._saved[Side.TARGET]
        if not legacy or not target:
            return ()
        return tuple(
            f"{{{{{name}}}}}: {_EACH_SIDES_OWN}"
            if name in self._secret
            else f"{{{{{name}}}}}: {value_text(legacy[name])} -> {value_text(target[name])}"
            for name in step_placeholders(step)
            if name in legacy and name in target and value_text(legacy[name]) != value_text(target[name])
        )


def exchange_pair(
    session: Session, step: Step, legacy: Exchange, target: Exchange, templates: OperationTemplates
) -> ExchangePair:
    """What the two sides answered to one step of a session."""
    return ExchangePair(
        session_id=session.id,
        group=group_of_step(session.group, legacy.request.url),
        step=step.n,
        name=step.name,
        operation=templates.operation(step.method, legacy.request.url),
        legacy=legacy,
        target=target,
        volatile=step.volatile,
        volatile_headers=step.volatile_headers,
        tie=step.tie,
        polled=step.poll is not None,
    )


def not_sent(side: Side, step: Step, reason: str, at: datetime) -> Exchange:
    """In place of a request that could not be made."""
    return Exchange(
        side=side,
        base_url="",
        request=unfilled(step),
        response=None,
        transport_error=f"{NOT_SENT}: {reason}",
        sent_at=at,
        duration_ms=0.0,
    )


def unfilled(step: Step) -> Request:
    """The request as the session spells it, without saved values."""
    body = None if step.body is None else encode_text(step.body)
    return Request(method=step.method, url=step.url, headers=step.headers, body=body)


def is_waiting(exchange: Exchange, poll: Poll) -> bool:
    """Whether the answer still has one of the values that the step waits to see the end of."""
    document = read_document(exchange)
    if document is ABSENT_DOCUMENT:
        return False
    try:
        value = value_text(resolve_pointer(document, poll.pointer))
    except PointerError:
        return False
    return any(value == value_text(waiting) for waiting in poll.while_values)


def saved_values(step: Step, exchange: Exchange) -> dict[str, Any]:
    """What `step.save` keeps of an answer: of one that is no JSON only cookies and headers."""
    document = read_document(exchange)
    headers = () if exchange.response is None else exchange.response.headers
    if document is not ABSENT_DOCUMENT:
        return extract_saves(step, document, headers)
    saves = tuple(pair for pair in step.save if is_saved_of_headers(pair[1]))
    return extract_saves(replace(step, save=saves), None, headers)


def _is_secret(pointer: str) -> bool:
    if is_saved_of_headers(pointer):
        return saved_cookie(pointer) is not None or is_secret_header(pointer.split(" ")[1])
    return any(map(is_secret_name, pointer.split("/")))


def read_document(exchange: Exchange) -> Any:
    """The answer's JSON, or ABSENT_DOCUMENT."""
    if exchange.response is None:
        return ABSENT_DOCUMENT
    try:
        return load_json(exchange.response.body)
    except ValueError:
        return ABSENT_DOCUMENT
