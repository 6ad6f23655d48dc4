"""Sessions that leave the state alone, replayed open-loop at a rate, every answer kept for comparing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.domain.errors import SystemUnavailable
from harness.domain.operation import OperationTemplates
from harness.domain.record import SessionRecord, StepRecord
from harness.domain.replay_load import LoadPlan, LoadSeen, SessionArrival, load_record
from harness.domain.session import Session
from harness.engine.overlap import run_each
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_session import SessionPass
from harness.engine.replay_sides import Outages, ReplaySide
from harness.engine.replay_state import StatePair

Steps = tuple[StepRecord, ...]
Sides = tuple[ReplaySide, ReplaySide]
MAX_FAILURES_IN_A_ROW = 50
"""An overloaded side may break some connections in a row, which is found by comparing; a dead one breaks all."""


async def replay_at_rest(
    sessions: Sequence[Session], sides: Sides, templates: OperationTemplates, options: ReplayOptions
) -> Mapping[str, Steps]:
    """What each session is answered without load, one after another, by its id.

    Raises:
        SystemUnavailable: a side stopped answering.
    """
    seen: dict[str, Steps] = {}
    outages = Outages(limit=options.max_failures_in_a_row)
    for session in sessions:
        steps: list[StepRecord] = []
        await SessionPass(session, *sides, StatePair(None, None), templates).run(steps, options, outages)
        seen[session.id] = tuple(steps)
    # Every clock shows another second under load: that is how one is told from a constant.
    await options.sleep(options.repeat_gap_s)
    return seen


class LoadReplay:
    """One run of a schedule."""

    def __init__(
        self, sides: Sides, templates: OperationTemplates, at_rest: Mapping[str, Steps], options: ReplayOptions
    ) -> None:
        self._sides = sides
        self._templates = templates
        self._at_rest = at_rest
        self._options = options
        self._outages = Outages(limit=MAX_FAILURES_IN_A_ROW)
        self._late_ms: list[float] = []
        self._requests = 0

    async def run(
        self, arrivals: Sequence[SessionArrival], plan: LoadPlan, on_record: Callable[[SessionRecord], None]
    ) -> LoadSeen:
        """Starts each session when it is due, as many at once as the options allow; records come in the order planned.

        Raises:
            SystemUnavailable: a side stopped answering; what was seen until then has been handed over.
        """
        ordered = _InOrder(on_record)
        now = self._options.monotonic
        started = now()

        async def one(arrival: SessionArrival) -> None:
            due = started + arrival.at_s
            await self._options.sleep(max(0.0, due - now()))
            self._late_ms.append(max(0.0, now() - due) * 1000)
            steps: list[StepRecord] = []
            try:
                single = SessionPass(arrival.session, *self._sides, StatePair(None, None), self._templates)
                await single.run(steps, self._options, self._outages)
            finally:
                self._requests += len(steps)
                if steps:
                    ordered.add(arrival.number, load_record(arrival, steps, self._rest(arrival)))

        try:
            await run_each(_until(arrivals, plan.limit_s, now), one, limit=self._options.concurrency)
        except SystemUnavailable:
            ordered.flush()
            raise
        return LoadSeen(
            planned=len(arrivals),
            started=len(self._late_ms),
            requests=self._requests,
            duration_s=now() - started,
            late_ms=tuple(self._late_ms),
        )

    def _rest(self, arrival: SessionArrival) -> Steps:
        return self._at_rest[arrival.session.id.rpartition("@")[0]]


def _until(
    arrivals: Sequence[SessionArrival], limit_s: float, monotonic: Callable[[], float]
) -> Iterator[SessionArrival]:
    started = monotonic()
    for arrival in arrivals:
        if arrival.at_s > limit_s or monotonic() - started > limit_s:
            return
        yield arrival


@dataclass(slots=True)
class _InOrder:
    """Hands records over by their numbers, however they come."""

    on_record: Callable[[SessionRecord], None]
    waiting: dict[int, SessionRecord] = field(default_factory=dict)
    due: int = 1

    def add(self, number: int, record: SessionRecord) -> None:
        self.waiting[number] = record
        while self.due in self.waiting:
            self.on_record(self.waiting.pop(self.due))
            self.due += 1

    def flush(self) -> None:
        """What waits behind a session that left no record."""
        for number in sorted(self.waiting):
            self.on_record(self.waiting.pop(number))
