"""Shrinks a session to the steps that a finding needs, by replaying parts of it from the same state."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.finding_records import difference_records
from harness.domain.findings import DifferenceRecord
from harness.domain.record import SessionRecord
from harness.domain.session import Session
from harness.domain.shrinking import Kept, minimise, sub_session, with_savers
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide

MAX_TRIES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkTask:
    """What to shrink: the finding is at position `at`, the smallest session will be called `name`.

    `on_try` is told the number of tries and the steps of the smallest session so far.
    """

    session: Session
    at: int
    name: str
    max_tries: int = MAX_TRIES
    on_try: Callable[[int, int], None] = lambda _tries, _steps: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest session that was seen to show the finding, None where it did not show at all."""

    session: Session | None
    tries: int
    is_minimal: bool
    """False where the tries ran out before every single step was found to be needed."""


class FindingCheck:
    """Whether a session, replayed from the captured state, shows a finding of the same signature and outcome."""

    def __init__(
        self, finding: DifferenceRecord, sides: tuple[ReplaySide, ReplaySide], rules: Rules, options: ReplayOptions
    ) -> None:
        self._finding = finding
        self._sides = sides
        self._rules = rules
        self._options = options

    async def __call__(self, session: Session) -> bool:
        """Replays twice, as a replay does: noise must not pass for the finding.

        Raises:
            ConfigurationError, SystemUnavailable: as `replay_sessions`.
        """
        records: list[SessionRecord] = []
        await replay_sessions([session], *self._sides, on_record=records.append, options=self._options)
        return any(self._is_shown(record) for record in records)

    def _is_shown(self, record: SessionRecord) -> bool:
        return any(
            found.signature == self._finding.signature and found.outcome is self._finding.outcome
            for comparison in judge_session(record, self._rules)
            for found in difference_records(comparison, None)
        )


async def shrink_session(task: ShrinkTask, is_shown: Callable[[Session], Awaitable[bool]]) -> Shrunk:
    """Takes out every step that the finding does not need; what the others refer to stays.

    Guarantees that the session returned was seen to show the finding, and that at most `max_tries` sessions were
    replayed.
    """
    tries = _Tries(task, is_shown)
    everything = tuple(range(task.at))
    if not await tries.shows(everything):
        return Shrunk(session=None, tries=tries.count, is_minimal=False)
    search = minimise(everything)
    answer: bool | None = None
    try:
        while True:
            candidate = next(search) if answer is None else search.send(answer)
            if tries.is_spent(candidate):
                return Shrunk(session=tries.smallest(), tries=tries.count, is_minimal=False)
            answer = await tries.shows(candidate)
    except StopIteration:
        return Shrunk(session=tries.smallest(), tries=tries.count, is_minimal=True)


class _Tries:
    """Remembers what was tried: different candidates may need the same steps."""

    def __init__(self, task: ShrinkTask, is_shown: Callable[[Session], Awaitable[bool]]) -> None:
        self._task = task
        self._is_shown = is_shown
        self._known: dict[Kept, bool] = {}

    @property
    def count(self) -> int:
        return len(self._known)

    def is_spent(self, candidate: Kept) -> bool:
        return self.count >= self._task.max_tries and self._kept(candidate) not in self._known

    async def shows(self, candidate: Kept) -> bool:
        kept = self._kept(candidate)
        if kept not in self._known:
            self._known[kept] = await self._is_shown(self._session_of(kept))
            self._task.on_try(self.count, min((len(each) for each, shown in self._known.items() if shown), default=0))
        return self._known[kept]

    def smallest(self) -> Session:
        shown = [kept for kept, is_shown in self._known.items() if is_shown]
        return self._session_of(min(shown, key=lambda kept: (len(kept), kept)))

    def _kept(self, candidate: Kept) -> Kept:
        return with_savers(self._task.session.steps, (*candidate, self._task.at))

    def _session_of(self, kept: Kept) -> Session:
        return sub_session(self._task.session, kept, self._task.name)


def options_for_tries(options: ReplayOptions, record: SessionRecord) -> ReplayOptions:
    """What differed before the first step is part of a try only where it was part of the finding's session."""
    return replace(options, has_reported_start=not record.initial_differences)
