"""Invokes functions by the clock, as EventBridge Scheduler does; the clock is injected."""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from harness.domain.cloud import ScheduleDefinition
from harness.staging.authorizer import Invoker
from harness.staging.pool import InvocationOutcome
from harness.staging.schedule_expressions import Schedule, parse_schedule

_log = logging.getLogger(__name__)


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> datetime:
        """The time, aware."""

    async def sleep_until(self, moment: datetime) -> None:
        """Returns once it is `moment`."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        """Looks at the clock again every minute at least: it may be set, and the machine may sleep."""
        while (left_s := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - time passes, nobody sets it
            await asyncio.sleep(min(left_s, 60.0))


class Scheduler:
    """All schedules of a definition, one after another where they are due together."""

    def __init__(
        self, definitions: tuple[ScheduleDefinition, ...], invoker: Invoker, *, clock: Clock | None = None
    ) -> None:
        """Raises ConfigurationError for an expression that cannot be used."""
        self._invoker = invoker
        self._clock = clock or SystemClock()
        begun_at = self._clock.now()
        self._schedules: list[tuple[ScheduleDefinition, Schedule]] = [
            (found, parse_schedule(found.expression, timezone=found.timezone, begun_at=begun_at))
            for found in definitions
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Each schedule runs from now on; what was due before is not caught up."""
        self._tasks = [asyncio.create_task(self._run(*found)) for found in self._schedules]

    async def stop(self) -> None:
        """Nothing is invoked any more; safe to call twice."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, definition: ScheduleDefinition, schedule: Schedule) -> None:
        due_at = schedule.next_after(self._clock.now())
        while due_at is not None:
            await self._clock.sleep_until(due_at)
            await self._invoke(definition, due_at)
            due_at = schedule.next_after(max(due_at, self._clock.now()))

    async def _invoke(self, definition: ScheduleDefinition, due_at: datetime) -> None:
        """Tries again at once, as often as the schedule says; AWS waits longer each time."""
        event = render_input(definition.input, due_at)
        for attempt in range(definition.maximum_retries + 1):
            answer = await self._invoker.invoke(definition.function_key, event, trace_id="")
            if answer.outcome is InvocationOutcome.ANSWERED:
                return
            _log.warning("%s: attempt %d ended with %s", definition.name, attempt + 1, answer.outcome)


def render_input(text: str, due_at: datetime) -> Mapping[str, object]:
    """The event, with the scheduled time where the input asks for it."""
    stamp = f"{due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    event: Mapping[str, object] = json.loads(text.replace("<aws.scheduler.scheduled-time>", stamp))
    return event
