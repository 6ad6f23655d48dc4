"""The program of a distributed replay: Locust runs it, as master and as each worker, and nothing else imports it.

The master hands the order to its workers and writes down what they send; a worker replays its share, open-loop, from
its own address, and sends every session's exchanges to the master, where they are compared in one place.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from gevent.pool import Pool
from locust import User, events, task
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from harness.adapters.load_lines import (
    LINES_VARIABLE,
    ORDER_VARIABLE,
    WORKER_VARIABLE,
    Due,
    LoadLine,
    LoadOrder,
    WorkerIdentity,
    decode,
    encode,
)
from harness.adapters.plain_http import PlainSide
from harness.domain.exchange import Exchange, Side
from harness.domain.session import Session, Step
from harness.domain.substitution import UnsavedValueError, fill_request
from harness.engine.replay_session import not_sent, saved_values

_ORDER, _LINE = "parakeet order", "parakeet line"
_LOOK_S = 0.1
_order: AsyncResult = AsyncResult()


class ReplayUser(User):
    """One a worker: it replays the whole share, then waits for the end."""

    @task
    def replay(self) -> None:
        """Runs once: whoever comes second finds the order taken."""
        _Share(self.environment.runner, _order.get()).run()
        Event().wait()


class _Share:
    def __init__(self, runner: WorkerRunner, order: LoadOrder) -> None:
        self._runner = runner
        self._order = order
        self._me = decode(os.environ[WORKER_VARIABLE], WorkerIdentity)
        self._sides = {
            Side.LEGACY: PlainSide(side=Side.LEGACY, base_url=order.legacy_url, source=self._me.address),
            Side.TARGET: PlainSide(side=Side.TARGET, base_url=order.target_url, source=self._me.address),
        }

    def run(self) -> None:
        pool, began, started = Pool(self._order.concurrency), time.perf_counter(), 0
        for due in self._order.arrivals[self._me.index :: self._me.of]:
            if due.at_s > self._order.limit_s or time.perf_counter() - began > self._order.limit_s:
                break
            gevent.sleep(max(0.0, began + due.at_s - time.perf_counter()))
            pool.spawn(self._replay, due, began + due.at_s)
            started += 1
        pool.join()
        self._send(LoadLine(worker=self._me.name, number=0, started=started))

    def _replay(self, due: Due, moment: float) -> None:
        late_ms = max(0.0, time.perf_counter() - moment) * 1000
        sessions = {Side.LEGACY: self._order.legacy[due.name], Side.TARGET: self._order.target[due.name]}
        saved: dict[Side, dict[str, Any]] = {side: {} for side in sessions}
        steps = []
        for index in range(len(sessions[Side.LEGACY].steps)):
            steps.append(self._both(sessions, index, saved))
            gevent.sleep(sessions[Side.LEGACY].steps[index].sleep_s)
        self._send(LoadLine(worker=self._me.name, number=due.number, late_ms=late_ms, steps=tuple(steps)))

    def _both(
        self, sessions: dict[Side, Session], index: int, saved: dict[Side, dict[str, Any]]
    ) -> tuple[Exchange, Exchange]:
        target = gevent.spawn(self._exchange, Side.TARGET, sessions[Side.TARGET].steps[index], saved[Side.TARGET])
        legacy = self._exchange(Side.LEGACY, sessions[Side.LEGACY].steps[index], saved[Side.LEGACY])
        return legacy, target.get()

    def _exchange(self, side: Side, step: Step, saved: dict[str, Any]) -> Exchange:
        try:
            request = fill_request(step, saved)
        except UnsavedValueError as error:
            return not_sent(side, step, str(error), datetime.now(UTC))
        exchange = self._sides[side].send(request)
        saved |= saved_values(step, exchange)
        return exchange

    def _send(self, line: LoadLine) -> None:
        self._runner.send_message(_LINE, {"number": line.number, "line": encode(line)})


class _Master:
    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._waiting: set[str] = set()
        # Open for as long as the process lives; each line is whole on disk before the next message is taken.
        self._lines = Path(os.environ[LINES_VARIABLE]).open("ab", buffering=0)  # noqa: SIM115 - see above

    def start(self, **_: Any) -> None:
        """Before any user is spawned: a worker has its order by then."""
        self._waiting = set(self._runner.clients)
        self._runner.send_message(_ORDER, {"order": Path(os.environ[ORDER_VARIABLE]).read_bytes()})
        gevent.spawn(self._end)

    def take(self, msg: Any, **_: Any) -> None:
        self._lines.write(msg.data["line"] + b"\n")
        if msg.data["number"] == 0:
            self._waiting.discard(msg.node_id)

    def _end(self) -> None:
        """Ends the test once every worker is done or lost: one that is gone, or whose heartbeat has stopped."""
        clients = self._runner.clients
        while any(name in clients and clients[name].state != STATE_MISSING for name in self._waiting):
            gevent.sleep(_LOOK_S)
        self._runner.quit()


def _init(environment: Any, runner: Any, **_: Any) -> None:
    if isinstance(runner, MasterRunner):
        master = _Master(runner)
        runner.register_message(_LINE, master.take)
        environment.events.test_start.add_listener(master.start)
    elif isinstance(runner, WorkerRunner):
        runner.register_message(_ORDER, _take_order)


def _take_order(msg: Any, **_: Any) -> None:
    _order.set(decode(msg.data["order"], LoadOrder))


events.init.add_listener(_init)  # type: ignore[no-untyped-call]
