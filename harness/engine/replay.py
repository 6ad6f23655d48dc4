"""Replay: the same sessions against both sides, twice, every time from the same state."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from harness.domain.errors import SystemUnavailable
from harness.domain.operation import OperationTemplates
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.domain.session import GENERATED_TAG, PROCESS_MEMORY_TAG, RECORDED_TAG, SAFE_METHODS, Session
from harness.engine.overlap import run_each
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_session import SessionPass
from harness.engine.replay_sides import Outages, ReplaySide, fetch_templates
from harness.engine.replay_state import StatePair


async def replay_sessions(
    sessions: Iterable[Session],
    legacy: ReplaySide,
    target: ReplaySide,
    *,
    on_record: Callable[[SessionRecord], None],
    options: ReplayOptions | None = None,
) -> None:
    """Replays the sessions in order and hands over each one's record when both its passes are done.

    A session is taken from `sessions` when it is its turn, and let go with its record. What was seen of sessions that
    a side left unfinished by no longer answering goes to `ReplayOptions.on_cut`.

    The state that the databases are in now is restored before every pass and at the end, however that comes. Where no
    database is known, neighbouring sessions that only read overlap as far as `ReplayOptions.concurrency` allows.
    Differences between the two databases before the first step are in the first record.

    Raises:
        ConfigurationError: a database is not marked as disposable; nothing was sent or written.
        SystemUnavailable: a side stopped answering; what was seen until then has been handed over. Or the state could
            not be restored.
    """
    options = options or ReplayOptions()
    states = StatePair(legacy.store, target.store, mapping=options.mapping, sleep=options.sleep)
    async with states.kept():
        templates = await fetch_templates(legacy.client, target.client)
        await _Replay(legacy, target, states, templates, options).run(sessions, on_record)


@dataclass(slots=True, kw_only=True)
class _Taken:
    """A session of the present batch, as far as it was replayed."""

    session: Session
    steps: list[StepRecord] = field(default_factory=list)
    ended: float = 0.0
    repeat: tuple[StepRecord, ...] | None = None


class _Waiting:
    """The sessions that are to be replayed; only the next one is looked at."""

    def __init__(self, sessions: Iterable[Session]) -> None:
        self._rest = iter(sessions)
        self.next: Session | None = next(self._rest, None)

    def take(self) -> Session:
        """The next one, which is then another."""
        taken, self.next = self.next, next(self._rest, None)
        if taken is None:
            raise IndexError("no session waits")
        return taken


class _Replay:
    def __init__(
        self,
        legacy: ReplaySide,
        target: ReplaySide,
        states: StatePair,
        templates: OperationTemplates,
        options: ReplayOptions,
    ) -> None:
        self._legacy = legacy
        self._target = target
        self._states = states
        self._templates = templates
        self._options = options
        self._outages = Outages(limit=options.max_failures_in_a_row)
        self._is_first = not options.has_reported_start

    async def run(self, sessions: Iterable[Session], on_record: Callable[[SessionRecord], None]) -> None:
        waiting = _Waiting(sessions)
        while waiting.next is not None:
            await self._replay_batch(waiting, on_record)

    def _may_overlap(self, session: Session) -> bool:
        if self._options.concurrency == 1 or self._states.is_compared or PROCESS_MEMORY_TAG in session.tags:
            return False
        return all(step.method in SAFE_METHODS for step in session.steps)

    async def _replay_batch(self, waiting: _Waiting, on_record: Callable[[SessionRecord], None]) -> None:
        taken: deque[_Taken] = deque()
        may_overlap = waiting.next is not None and self._may_overlap(waiting.next)
        limit = self._options.concurrency if may_overlap else 1

        async def first(each: _Taken) -> None:
            await self._pass(each.session, each.steps)
            each.ended = self._options.monotonic()

        async def again(each: _Taken) -> None:
            repeat: list[StepRecord] = []
            await self._wait_until(each.ended + self._options.repeat_gap_s)
            await self._pass(each.session, repeat)
            each.repeat = tuple(repeat)
            while taken and taken[0].repeat is not None:
                on_record(self._record(taken.popleft()))

        try:
            await run_each(self._take(waiting, taken, may_overlap=may_overlap), first, limit=limit)
            await run_each(tuple(taken), again, limit=limit)
        except SystemUnavailable:
            on_cut = self._options.on_cut or on_record
            for each in taken:
                if each.steps:
                    on_cut(self._record(each))
            raise

    def _take(self, waiting: _Waiting, taken: deque[_Taken], *, may_overlap: bool) -> Iterator[_Taken]:
        started = self._options.monotonic()
        while waiting.next is not None and self._may_overlap(waiting.next) == may_overlap:
            if self._options.monotonic() - started >= self._options.batch_s:
                return
            taken.append(_Taken(session=waiting.take()))
            yield taken[-1]

    async def _pass(self, session: Session, into: list[StepRecord]) -> None:
        await self._states.restore()
        if PROCESS_MEMORY_TAG in session.tags:
            await self._forget_memory()
        steps = SessionPass(session, self._legacy, self._target, self._states, self._templates)
        await steps.run(into, self._options, self._outages)

    async def _forget_memory(self) -> None:
        # After the restore: what a system reads at its start is the state that the session starts from.
        for side in (self._legacy, self._target):
            if side.restart is not None:
                await side.restart()

    async def _wait_until(self, moment: float) -> None:
        remaining = moment - self._options.monotonic()
        if remaining > 0:
            await self._options.sleep(remaining)

    def _record(self, taken: _Taken) -> SessionRecord:
        session = taken.session
        initial = self._states.initial_differences if self._is_first else ()
        self._is_first = False
        return SessionRecord(
            session_id=session.id,
            group=session.group,
            origin=_origin(session),
            legacy_schemas=self._states.legacy_schemas,
            target_schemas=self._states.target_schemas,
            steps=tuple(taken.steps),
            repeat=taken.repeat or (),
            initial_differences=initial,
            compares_state=self._states.is_compared,
            sources=(session.source,) if session.source else (),
        )


def _origin(session: Session) -> Origin:
    if RECORDED_TAG in session.tags:
        return Origin.RECORDED
    return Origin.GENERATED if GENERATED_TAG in session.tags else Origin.WRITTEN
