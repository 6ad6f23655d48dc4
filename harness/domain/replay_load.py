"""Replay under load: which sessions may take part, and a seeded open-loop schedule of them."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from harness.domain.errors import ConfigurationError
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.domain.session import PROCESS_MEMORY_TAG, SAFE_METHODS, STATELESS_TAG, Session

LOAD_FILE = "load.json"
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How much, how fast and for how long at the most."""

    rate: float
    """Sessions started in a second, on average."""
    count: int
    limit_s: float
    """No session starts later than this after the first could."""
    seed: str = "parakeet"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionArrival:
    """A session that is due `at_s` seconds after the start, whether or not earlier ones have ended."""

    number: int
    at_s: float
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSeen:
    """What became of a plan; `late_ms` says for each started session how long after its time that was."""

    planned: int
    started: int
    requests: int
    """Of one side."""
    duration_s: float
    late_ms: tuple[float, ...]

    @property
    def achieved_rate(self) -> float:
        """Sessions in a second."""
        return self.started / self.duration_s if self.duration_s else 0.0


def plan_sessions(sessions: Sequence[Session], plan: LoadPlan) -> tuple[SessionArrival, ...]:
    """Poisson arrivals; each session comes as often as any other, give or take one. The same seed, the same schedule.

    Their ids are unique, `NAME@NUMBER`: what is one session in the file is many in the run.
    """
    # The schedule has to repeat, not to be unpredictable.
    chooser = random.Random(plan.seed)  # noqa: S311
    arrivals: list[SessionArrival] = []
    due_s = 0.0
    while len(arrivals) < plan.count:
        for session in chooser.sample(sessions, len(sessions))[: plan.count - len(arrivals)]:
            due_s += chooser.expovariate(plan.rate)
            number = len(arrivals) + 1
            named = replace(session, id=f"{session.id}@{number:06}")
            arrivals.append(SessionArrival(number=number, at_s=due_s, session=named))
    return tuple(arrivals)


def leaves_state_alone(session: Session) -> bool:
    """Whether it only reads, or is marked as stateless, and needs no process that remembers nothing."""
    if PROCESS_MEMORY_TAG in session.tags:
        return False
    return STATELESS_TAG in session.tags or all(step.method.upper() in SAFE_METHODS for step in session.steps)


def require_leaving_state_alone(sessions: Iterable[Session]) -> None:
    """Refuses sessions that write.

    Raises:
        ConfigurationError: some do; names them.
    """
    writing = [session.id for session in sessions if not leaves_state_alone(session)]
    if writing:
        more = f" and {len(writing) - _NAMED:,} more" if len(writing) > _NAMED else ""
        hint = f"Leave them out with --only-reading, or tag those as {STATELESS_TAG!r} that leave no state behind."
        names = ", ".join(writing[:_NAMED]) + more
        raise ConfigurationError(f"under load no state can be restored, and these sessions need it: {names}", hint=hint)


def load_record(arrival: SessionArrival, steps: Sequence[StepRecord], rest: Sequence[StepRecord]) -> SessionRecord:
    """The record of a session under load; `rest` is the same session at rest, from which noise is learned.

    Its origin is never a recording: that a session is sent a thousand times samples no traffic.
    """
    session = arrival.session
    repeat = (structs.replace(step, pair=structs.replace(step.pair, session_id=session.id)) for step in rest)
    return SessionRecord(
        session_id=session.id,
        group=session.group,
        origin=Origin.GENERATED,
        legacy_schemas={},
        target_schemas={},
        steps=tuple(steps),
        repeat=tuple(repeat),
        sources=(session.source,) if session.source else (),
    )
