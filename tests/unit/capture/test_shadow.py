"""Copies for the target: what is sent, what is not, and that nobody waits."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from harness.domain.capture.steps import Captured
from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.record import SessionRecord
from harness.engine.shadow import Shadow, ShadowOptions, silence

_START = datetime(2026, 3, 1, tzinfo=UTC)


class Target:
    """Answers what it is told to, once it may."""

    def __init__(self, body: object = None, failure: str | None = None) -> None:
        self.sent: list[Request] = []
        self.was_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()
        self._body = body
        self._failure = failure

    async def send(self, request: Request) -> Exchange:
        self.sent.append(request)
        self.was_asked.set()
        await self.may_answer.wait()
        return exchange(Side.TARGET, request, None if self._failure else self._body, failure=self._failure)

    async def close(self) -> None:
        """Nothing is open."""


def exchange(side: Side, request: Request, body: object, failure: str | None = None, at: float = 0.0) -> Exchange:
    headers = (("content-type", "application/json"),)
    answer = None if failure else Response(status=200, headers=headers, body=json.dumps(body).encode())
    return Exchange(
        side=side,
        base_url=f"http://{side}",
        request=request,
        response=answer,
        transport_error=failure,
        sent_at=_START + timedelta(seconds=at),
        duration_ms=1.0,
    )


def captured(method: str, url: str, body: object = None, at: float = 0.0) -> Captured:
    request = Request(method=method, url=url, headers=(("Host", "client"), ("Content-Length", "0")))
    return Captured(exchange=exchange(Side.LEGACY, request, body, at=at), address="a")


async def test_reads_are_paired_and_writes_are_not_copied() -> None:
    target, records = Target({"a": 1}), list[SessionRecord]()
    shadow = Shadow(target, "rec", records.append)
    shadow.start()
    shadow.take(captured("POST", "/w", at=0), 1)
    shadow.take(captured("GET", "/x", {"a": 1}, at=1), 1)
    shadow.take(captured("GET", "/y", {"a": 1}, at=2), 2)
    await shadow.stop()
    assert [request.url for request in target.sent] == ["/x", "/y"]
    assert target.sent[0].headers == (("Host", "client"),)
    assert [record.session_id for record in records] == ["rec#1.1", "rec#2.1"]
    assert (shadow.counts.writes, shadow.counts.compared) == (1, 2)


async def test_a_read_during_which_something_was_written_is_not_judged() -> None:
    target, records = Target({}), list[SessionRecord]()
    target.may_answer.clear()
    shadow = Shadow(target, "rec", records.append)
    shadow.start()
    shadow.take(captured("GET", "/x", {}, at=1), 1)
    await asyncio.sleep(0)
    shadow.take(captured("POST", "/w", at=2), 1)
    target.may_answer.set()
    await shadow.stop()
    assert (shadow.counts.unsettled, records) == (1, [])


async def test_a_target_that_hangs_costs_no_more_than_the_copies_that_may_wait() -> None:
    target, records = Target({}), list[SessionRecord]()
    target.may_answer.clear()
    shadow = Shadow(target, "rec", records.append, ShadowOptions(workers=2, max_waiting=3, grace_s=0.01))
    shadow.start()
    for number in range(10):
        shadow.take(captured("GET", f"/{number}"), 1)
        await asyncio.sleep(0)
    await shadow.stop()
    assert len(target.sent) == 2
    assert (shadow.counts.dropped, records) == (8, [])
    assert silence(shadow.counts) == "nothing was compared: too many waited"


async def test_a_target_that_is_not_there_is_no_difference() -> None:
    records = list[SessionRecord]()
    shadow = Shadow(Target(failure="connection refused"), "rec", records.append)
    shadow.start()
    shadow.take(captured("GET", "/x"), 1)
    await shadow.stop()
    assert (shadow.counts.unanswered, shadow.counts.absent, records) == (1, 1, [])
    assert silence(shadow.counts) == "nothing was compared: the target did not answer"


async def test_a_target_that_hangs_up_is_judged() -> None:
    records = list[SessionRecord]()
    shadow = Shadow(Target(failure="connection closed before an answer"), "rec", records.append)
    shadow.start()
    shadow.take(captured("GET", "/x"), 1)
    await shadow.stop()
    assert len(records) == 1


async def test_where_writes_are_copied_a_session_is_one_record_and_ids_are_the_targets_own() -> None:
    target, records = Target({"id": 7}), list[SessionRecord]()
    shadow = Shadow(target, "rec", records.append, ShadowOptions(sends_writes=True))
    shadow.start()
    shadow.take(captured("POST", "/things", {"id": 1}), 1)
    shadow.take(captured("GET", "/things/1", {"id": 1}), 1)
    await shadow.stop()
    assert [request.url for request in target.sent] == ["/things", "/things/7"]
    (record,) = records
    assert [step.pair.step for step in record.steps] == [1, 2]
    assert record.steps[1].sent_differently


async def test_a_body_that_was_not_kept_is_not_copied() -> None:
    target = Target({})
    shadow = Shadow(target, "rec", lambda _: None, ShadowOptions(sends_writes=True))
    shadow.start()
    whole = captured("POST", "/w")
    shadow.take(Captured(exchange=whole.exchange, address="a", is_request_whole=False), 1)
    await shadow.stop()
    assert (shadow.counts.incomplete, target.sent) == (1, [])


async def test_nothing_is_sent_behind_a_stop_that_is_cancelled() -> None:
    target, records = Target({}), list[SessionRecord]()
    target.may_answer.clear()
    shadow = Shadow(target, "rec", records.append, ShadowOptions(workers=1, grace_s=600))
    shadow.start()
    for number in range(3):
        shadow.take(captured("GET", f"/{number}"), 1)
    stopping = asyncio.create_task(shadow.stop())
    await target.was_asked.wait()
    stopping.cancel()
    await asyncio.wait([stopping])
    target.may_answer.set()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert ([request.url for request in target.sent], records) == (["/0"], [])
    assert (shadow.counts.unanswered, shadow.counts.absent, shadow.counts.dropped) == (1, 0, 2)
