"""Replays recordings against an application and matches every answer with the recorded one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from harness.domain.exchange import Exchange, Request
from harness.domain.pointer import PointerError, resolve_pointer
from harness.domain.ports import SideClient
from harness.domain.recording import Mismatch, Place, match_answer, parse_body
from harness.domain.recording_result import StepCheck
from harness.domain.session import Poll, Session, Step
from harness.domain.substitution import UnsavedValueError, extract_saves, fill_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application that stands at the state in which a session starts."""

    client: SideClient
    place: Place
    authorize: Callable[[str], str]
    """Makes the Authorization header of an `auth` kind."""


StartAfresh = Callable[[Session], AbstractAsyncContextManager[Application]]
"""Gives the application of one session, database and process afresh where that can be done."""


async def check_recording(sessions: Sequence[Session], start_afresh: StartAfresh) -> AsyncIterator[StepCheck]:
    """One StepCheck a step, in the order of the recording.

    Raises:
        SystemUnavailable: the application does not answer at all.
    """
    for session in sessions:
        async with start_afresh(session) as application:
            run = _Run(application, session)
            for step in session.steps:
                yield await run.check(step)


class _Run:
    """One session under way: what its answers saved."""

    def __init__(self, application: Application, session: Session) -> None:
        self._application = application
        self._session = session
        self._saved: dict[str, Any] = {}

    async def check(self, step: Step) -> StepCheck:
        try:
            request = self._request(step)
        except UnsavedValueError as error:
            reason = Mismatch(pointer="request", recorded="sent", answered=f"not sent: {error}")
            return self._judged(step, (reason,))
        exchange = await self._exchange(step, request)
        mismatches = self._mismatches(step, exchange)
        mismatches += self._save(step, exchange)
        await asyncio.sleep(step.sleep_s)
        return self._judged(step, mismatches)

    def _request(self, step: Step) -> Request:
        request = fill_request(step, self._saved)
        if step.auth is None:
            return request
        header = ("Authorization", self._application.authorize(step.auth))
        return Request(method=request.method, url=request.url, headers=(*request.headers, header), body=request.body)

    async def _exchange(self, step: Step, request: Request) -> Exchange:
        exchange = await self._application.client.send(request)
        if step.poll is None:
            return exchange
        loop = asyncio.get_running_loop()
        deadline = loop.time() + step.poll.timeout_s
        while _is_waiting(step.poll, exchange) and loop.time() < deadline:
            await asyncio.sleep(step.poll.interval_s)
            exchange = await self._application.client.send(request)
        return exchange

    def _mismatches(self, step: Step, exchange: Exchange) -> tuple[Mismatch, ...]:
        recorded = step.recorded
        if recorded is None:
            return ()
        if exchange.response is not None and recorded.transport_error is None:
            return match_answer(step, exchange.response, self._application.place)
        if exchange.response is None and recorded.transport_error is not None:
            return ()
        return (
            Mismatch(
                pointer="transport",
                recorded=recorded.transport_error or f"status {recorded.status}",
                answered=exchange.transport_error or _status_text(exchange),
            ),
        )

    def _save(self, step: Step, exchange: Exchange) -> tuple[Mismatch, ...]:
        document = None if exchange.response is None else parse_body(exchange.response)
        headers = () if exchange.response is None else exchange.response.headers
        self._saved |= extract_saves(step, document, headers)
        own = [name for name, _ in step.save]
        found = [
            Mismatch(pointer=pointer, recorded=f"a value to save as {name}", answered="(absent)")
            for name, pointer in step.save
            if name not in self._saved
        ]
        return (*found, *_reuse_mismatches(step.reused, own, self._saved))

    def _judged(self, step: Step, mismatches: tuple[Mismatch, ...]) -> StepCheck:
        return StepCheck(
            session_id=self._session.id,
            n=step.n,
            name=step.name,
            method=step.method,
            url=step.url,
            is_withheld=step.recorded is None,
            mismatches=mismatches,
        )


def _is_waiting(poll: Poll, exchange: Exchange) -> bool:
    if exchange.response is None:
        return False
    try:
        value = resolve_pointer(parse_body(exchange.response), poll.pointer)
    except PointerError:
        return False
    return any(type(value) is type(waiting) and value == waiting for waiting in poll.while_values)


def _reuse_mismatches(reused: Sequence[str], own: Sequence[str], saved: Mapping[str, Any]) -> tuple[Mismatch, ...]:
    """The named values must be equal; a name alone must equal one that this step saved, or any other."""
    names = [name for name in reused if name in saved]
    if not names:
        return ()
    others = names[1:] or [name for name in own if name != names[0]] or [n for n in saved if n != names[0]]
    equal = [saved[name] == saved[names[0]] for name in others]
    if all(equal) if names[1:] else any(equal):
        return ()
    values = json.dumps({name: saved[name] for name in (names[0], *others)}, ensure_ascii=False)
    return (Mismatch(pointer="reused", recorded=f"equal: {', '.join(reused)}", answered=values),)


def _status_text(exchange: Exchange) -> str:
    return f"status {exchange.response.status}" if exchange.response is not None else "nothing"
