"""Finds the request after which the rows are apart, by replaying parts of a session and reading the rows at their end.

It reads the databases about log2(steps) times, where a replay reads them after every step, and lets late writes settle:
so it serves large tables, and systems that write after they have answered.
"""

from dataclasses import dataclass, replace

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Facet
from harness.domain.operation import OperationTemplates
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.domain.session import Session, Step
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_session import SessionPass
from harness.engine.replay_sides import Outages, ReplaySide, fetch_templates
from harness.engine.replay_state import Changes, StatePair

_SETTLE_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The first step after which the rows are unexplainedly apart; None where they never are."""

    step: Step | None
    replays: int


class EndStates(StatePair):
    """Reads the rows only after the last of the steps announced, once writes have had time to settle."""

    steps_left: int = 0

    async def changes(self) -> tuple[Changes, Changes]:
        """All changes since `start`, at the last step; none before it."""
        self.steps_left -= 1
        if self.steps_left > 0:
            return (), ()
        await self._sleep(_SETTLE_S)
        return await super().changes()


async def find_cause(
    session: Session, sides: tuple[ReplaySide, ReplaySide], rules: Rules, options: ReplayOptions
) -> Cause:
    """Bisects the session's steps; every part starts from the present state, which is restored at the end.

    Guarantees that the rows were seen apart after the step named, and alike after the one before it (before the first
    step nothing was done to them).

    Raises:
        ConfigurationError: a database is not marked as disposable; nothing was sent or written.
        SystemUnavailable: a side stopped answering.
    """
    states = EndStates(sides[0].store, sides[1].store, mapping=options.mapping, sleep=options.sleep)
    async with states.kept():
        templates = await fetch_templates(sides[0].client, sides[1].client)
        return await _Bisection(session, sides, states, templates, (rules, options)).find()


class _Bisection:
    def __init__(
        self,
        session: Session,
        sides: tuple[ReplaySide, ReplaySide],
        states: EndStates,
        templates: OperationTemplates,
        conduct: tuple[Rules, ReplayOptions],
    ) -> None:
        self._session = session
        self._sides = sides
        self._states = states
        self._templates = templates
        self._rules, self._options = conduct
        self._replays = 0

    async def find(self) -> Cause:
        alike, apart = 0, len(self._session.steps)
        if not apart or not await self._is_apart(apart):
            return Cause(step=None, replays=self._replays)
        while apart - alike > 1:
            middle = (alike + apart) // 2
            if await self._is_apart(middle):
                apart = middle
            else:
                alike = middle
        return Cause(step=self._session.steps[apart - 1], replays=self._replays)

    async def _is_apart(self, count: int) -> bool:
        self._replays += 1
        part = replace(self._session, steps=self._session.steps[:count])
        await self._states.restore()
        self._states.steps_left = count
        seen: list[StepRecord] = []
        replayed = SessionPass(part, *self._sides, self._states, self._templates)
        await replayed.run(seen, self._options, Outages(limit=self._options.max_failures_in_a_row))
        last = judge_session(self._record(part, tuple(seen)), self._rules)[-1]
        return any(difference.facet is Facet.ROW for difference in last.differences)

    def _record(self, part: Session, steps: tuple[StepRecord, ...]) -> SessionRecord:
        return SessionRecord(
            session_id=part.id,
            group=part.group,
            origin=Origin.WRITTEN,
            legacy_schemas=self._states.legacy_schemas,
            target_schemas=self._states.target_schemas,
            steps=steps,
            compares_state=True,
        )
