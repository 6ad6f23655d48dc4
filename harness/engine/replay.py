"""Replay: the same sessions against both sides, twice, every time from the same state."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from harness.domain.errors import HarnessError, SystemUnavailable
from harness.domain.operation import OperationTemplates
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.domain.session import Session
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_session import SessionPass
from harness.engine.replay_sides import Outages, ReplaySide, fetch_templates
from harness.engine.replay_state import StatePair

RECORDED_TAG = "recorded"
GENERATED_TAG = "generated"
PROCESS_MEMORY_TAG = "process_memory"
"""Marks a session that needs processes which remember nothing."""
Steps = tuple[StepRecord, ...]


async def replay_sessions(
    sessions: Sequence[Session],
    legacy: ReplaySide,
    target: ReplaySide,
    *,
    on_record: Callable[[SessionRecord], None],
    options: ReplayOptions | None = None,
) -> None:
    """Replays the sessions in order and hands over each one's record when both its passes are done.

    The state that the databases are in now is restored before every pass and at the end, however that comes.
    Differences between the two databases before the first step are in the first record.

    Raises:
        ConfigurationError: a database is not marked as disposable; nothing was sent or written.
        SystemUnavailable: a side stopped answering; what was seen until then has been handed over.
    """
    options = options or ReplayOptions()
    states = StatePair(legacy.store, target.store, mapping=options.mapping, sleep=options.sleep)
    await states.capture()
    try:
        templates = await fetch_templates(legacy.client, target.client)
        await _Replay(legacy, target, states, templates, options).run(sessions, on_record)
    except BaseException as error:
        await _restore_after(states, error)
        raise
    await states.restore()


async def _restore_after(states: StatePair, error: BaseException) -> None:
    try:
        await states.restore()
    except HarnessError as second:
        error.add_note(f"The state at the start could not be restored: {second}")


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
        waiting = deque(sessions)
        while waiting:
            await self._replay_batch(waiting, on_record)

    async def _replay_batch(self, waiting: deque[Session], on_record: Callable[[SessionRecord], None]) -> None:
        done: deque[tuple[Session, Steps, float]] = deque()
        partial: list[StepRecord] = []
        started = self._options.monotonic()
        try:
            while waiting and self._options.monotonic() - started < self._options.batch_s:
                partial = []
                await self._pass(waiting[0], partial)
                done.append((waiting.popleft(), tuple(partial), self._options.monotonic()))
            while done:
                session, steps, ended = done[0]
                repeat: list[StepRecord] = []
                await self._wait_until(ended + self._options.repeat_gap_s)
                await self._pass(session, repeat)
                done.popleft()
                on_record(self._record(session, steps, tuple(repeat)))
        except SystemUnavailable:
            for session, steps, _ in done:
                on_record(self._record(session, steps))
            if waiting and partial and waiting[0].id == partial[0].pair.session_id:
                on_record(self._record(waiting[0], tuple(partial)))
            raise

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

    def _record(self, session: Session, steps: Steps, repeat: Steps = ()) -> SessionRecord:
        initial = self._states.initial_differences if self._is_first else ()
        self._is_first = False
        return SessionRecord(
            session_id=session.id,
            group=session.group,
            origin=_origin(session),
            legacy_schemas=self._states.legacy_schemas,
            target_schemas=self._states.target_schemas,
            steps=steps,
            repeat=repeat,
            initial_differences=initial,
            compares_state=self._states.is_compared,
            sources=(session.source,) if session.source else (),
        )


def _origin(session: Session) -> Origin:
    if RECORDED_TAG in session.tags:
        return Origin.RECORDED
    return Origin.GENERATED if GENERATED_TAG in session.tags else Origin.WRITTEN
