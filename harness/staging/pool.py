"""A function's execution environments: scale-out on concurrency, reuse, throttling, reaping."""

import asyncio
import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.domain.errors import HarnessError, SystemUnavailable
from harness.staging.environments import (
    Completed,
    EventNotDelivered,
    ExecutionEnvironment,
    InitFailed,
)
from harness.staging.function_launch import FunctionLaunch
from harness.staging.report_lines import InvocationReport
from harness.staging.runtime_api import MAX_PAYLOAD_BYTES

DEFAULT_CONCURRENCY = 20
_SUPERVISION_PERIOD_S = 0.05


class InvocationOutcome(StrEnum):
    """What the caller of a function gets."""

    ANSWERED = "answered"
    FUNCTION_ERROR = "function_error"
    THROTTLED = "throttled"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationAnswer:
    """The answer to one synchronous invocation; `report` is None if it never reached an environment."""

    outcome: InvocationOutcome
    payload: bytes
    report: InvocationReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """What Lambda fixes for every function."""

    init_timeout_s: float = 10.0
    idle_timeout_s: float = 600.0


class FunctionPool:
    """Runs a function. All methods belong to one event loop on the main thread, where children must be started."""

    def __init__(
        self, launch: FunctionLaunch, *, inits: asyncio.Semaphore | None = None, limits: PoolLimits | None = None
    ) -> None:
        """`inits` bounds how many environments initialise at once, over all functions; default: one a core."""
        self._launch = launch
        self._limits = limits or PoolLimits()
        self._inits = inits or asyncio.Semaphore(len(os.sched_getaffinity(0)))
        reserved = launch.definition.reserved_concurrency
        self._concurrency = DEFAULT_CONCURRENCY if reserved is None else reserved
        self._in_flight = 0
        self._is_stopped = False
        self._all: set[ExecutionEnvironment] = set()
        self._idle: list[ExecutionEnvironment] = []
        self._waiters: deque[asyncio.Future[ExecutionEnvironment]] = deque()
        self._starts: set[asyncio.Task[None]] = set()
        self._supervisor: asyncio.Task[None] | None = None
        self._reports: list[InvocationReport] = []
        self.environments_started = 0

    @property
    def reports(self) -> Sequence[InvocationReport]:
        """One report for each invocation that reached an environment, in the order that they ended."""
        return self._reports

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes of the environments that live now."""
        return tuple(found.pid for found in self._all if found.is_alive and found.pid is not None)

    async def invoke(self, event: Mapping[str, object], *, trace_id: str = "") -> InvocationAnswer:
        """Runs the function on an event, in a warm environment or a fresh one.

        Guarantees one event at a time per environment and never more environments than the reserved
        concurrency: beyond that the answer is THROTTLED, at once. An event is delivered at most once.

        Raises:
            SystemUnavailable: no process can be started on this machine, or the pool was stopped meanwhile.
        """
        payload = json.dumps(event, separators=(",", ":")).encode()
        if len(payload) > MAX_PAYLOAD_BYTES:
            return _refused(InvocationOutcome.TOO_LARGE, "RequestEntityTooLargeException")
        if self._in_flight >= self._concurrency:
            return _refused(InvocationOutcome.THROTTLED, "TooManyRequestsException")
        self._in_flight += 1
        try:
            return self._answer(await self._run(payload, trace_id))
        except InitFailed as failed:
            return self._answer(Completed(answer=failed.answer, report=failed.report))
        finally:
            self._in_flight -= 1

    async def recycle(self) -> None:
        """Ends all idle environments and gives up starts that nobody waits for: the next invocation is cold."""
        surplus = list(self._starts)[len(self._waiters) :]
        for start in surplus:
            start.cancel()
        await asyncio.gather(*surplus, return_exceptions=True)
        while self._idle:
            self._discard(self._idle.pop())

    async def stop(self) -> None:
        """Ends every environment, busy ones too; whoever still waits for one gets SystemUnavailable."""
        self._is_stopped = True
        background = [*self._starts, *([self._supervisor] if self._supervisor else [])]
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(_stopped())
        for environment in tuple(self._all):
            self._discard(environment)
        self._idle.clear()

    async def _run(self, payload: bytes, trace_id: str) -> Completed:
        while True:
            environment = await self._acquire()
            with contextlib.suppress(EventNotDelivered):
                try:
                    return await environment.invoke(payload, trace_id=trace_id)
                except BaseException:
                    environment.end()  # given up half-way: what it does now is nobody's
                    raise
                finally:
                    self._release(environment)

    def _answer(self, completed: Completed) -> InvocationAnswer:
        self._reports.append(completed.report)
        failed = completed.answer.error_type is not None
        outcome = InvocationOutcome.FUNCTION_ERROR if failed else InvocationOutcome.ANSWERED
        return InvocationAnswer(outcome=outcome, payload=completed.answer.payload, report=completed.report)

    async def _acquire(self) -> ExecutionEnvironment:
        if self._is_stopped:
            raise _stopped()
        while self._idle:
            environment = self._idle.pop()
            if environment.is_alive:
                return environment
            self._discard(environment)
        waiter: asyncio.Future[ExecutionEnvironment] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if len(self._starts) < len(self._waiters):
            self._begin_start()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._release(waiter.result())
            raise

    def _release(self, environment: ExecutionEnvironment) -> None:
        """Hands the environment to whoever waits longest, or keeps it warm."""
        if not environment.is_alive:
            self._discard(environment)
            return
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(environment)
            return
        environment.idle_since = time.monotonic()
        self._idle.append(environment)

    def _next_waiter(self) -> asyncio.Future[ExecutionEnvironment] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _begin_start(self) -> None:
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise())
        start = asyncio.create_task(self._start_one())
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)

    async def _start_one(self) -> None:
        """One environment more; its failure goes to whoever waits longest."""
        try:
            async with self._inits:
                environment = await self._start_with_retry()
        except (InitFailed, HarnessError) as failure:
            waiter = self._next_waiter()
            if waiter is not None:
                waiter.set_exception(failure)
        else:
            self._release(environment)

    async def _start_with_retry(self) -> ExecutionEnvironment:
        """As Lambda does, a failed INIT is run once more within the first invocation's own timeout."""
        try:
            return await self._start(self._limits.init_timeout_s)
        except InitFailed:
            return await self._start(self._launch.definition.timeout_s)

    async def _start(self, timeout_s: float) -> ExecutionEnvironment:
        environment = ExecutionEnvironment(self._launch)
        self._all.add(environment)
        self.environments_started += 1
        try:
            await environment.start(timeout_s=timeout_s)
        except BaseException:
            self._discard(environment)
            raise
        return environment

    def _discard(self, environment: ExecutionEnvironment) -> None:
        self._all.discard(environment)
        environment.end()

    async def _supervise(self) -> None:
        """Enforces the memory ceiling of all, and reaps those that nobody needed for long."""
        while True:
            await asyncio.sleep(_SUPERVISION_PERIOD_S)
            for environment in tuple(self._all):
                environment.enforce_memory()
            horizon = time.monotonic() - self._limits.idle_timeout_s
            for environment in [found for found in self._idle if found.idle_since < horizon]:
                self._idle.remove(environment)
                self._discard(environment)


def _refused(outcome: InvocationOutcome, error_type: str) -> InvocationAnswer:
    return InvocationAnswer(outcome=outcome, payload=json.dumps({"errorType": error_type}).encode())


def _stopped() -> SystemUnavailable:
    return SystemUnavailable("the local cloud has been stopped", hint="Start it again.")
