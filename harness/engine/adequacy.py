"""Which faults in an application's source its sessions notice: the unchanged application first, then every mutant."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from harness.domain.adequacy import Adequacy, Fate, MutantOutcome
from harness.domain.compare.rules import Rules
from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Exchange, Request
from harness.domain.mutation.exemptions import Exemptions
from harness.domain.mutation.mutant import Mutant, mutate, render_diff
from harness.domain.rows import TableSchema
from harness.domain.session import PROCESS_MEMORY_TAG, Session
from harness.engine.adequacy_baseline import Baseline, Reach, Sight, notice_difference
from harness.engine.replay_sides import ReplaySide, fetch_templates
from harness.engine.replay_state import WatchedStore
from harness.engine.session_trace import Line, StepTrace, trace_session

_REPEAT_GAP_S = 1.05
"""Between two passes over the same session, so that every clock shows another second."""
_FEW_SESSIONS = 3


class ApplicationProcess(Protocol):
    """A `SideClient` that calls one fresh process of the application."""

    failure: str
    lines: frozenset[Line]

    async def send(self, request: Request) -> Exchange:
        """Calls once."""

    async def fetch_modules(self) -> list[str]:
        """What it has imported from elsewhere."""

    async def close(self) -> None:
        """Ends it at once."""


class ApplicationHost(Protocol):
    """Starts processes of the application as its files are at that moment."""

    async def open(self, *, traced: bool = False) -> ApplicationProcess:
        """A fresh process."""

    async def preload(self, modules: Sequence[str]) -> None:
        """Imports once for all processes that follow."""

    def write(self, path: str, source: bytes) -> None:
        """Replaces one of the application's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where one mutant at a time is tried: an application and, where it has one, its database."""

    host: ApplicationHost
    watched: WatchedStore | None = None
    schemas: Mapping[str, TableSchema] = field(default_factory=dict)
    authorize: Callable[[str], str] | None = field(default=None, repr=False)

    @asynccontextmanager
    async def opened(self, *, traced: bool = False) -> AsyncIterator[ReplaySide]:
        """A fresh process of the application as a side; ended when the context is left."""
        process = await self.host.open(traced=traced)
        try:
            yield ReplaySide(client=process, authorize=self.authorize)
        finally:
            await process.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdequacyPlan:
    """What is tried: sessions, mutants in order, the files that they stand in."""

    sessions: tuple[Session, ...]
    mutants: tuple[Mutant, ...]
    sources: Mapping[str, bytes]
    rules: Rules
    exemptions: Exemptions = field(default_factory=Exemptions)
    generated: int = 0
    on_stage: Callable[[str], None] = field(default=lambda _: None)
    on_outcome: Callable[[MutantOutcome], None] = field(default=lambda _: None)


async def measure_adequacy(plan: AdequacyPlan, benches: Sequence[Bench]) -> Adequacy:
    """Tries every mutant on one of the benches, each at most once, and stops at what is noticed first.

    The unchanged application runs every session three times before: twice to learn its noise, once as a control on
    every bench. A session that the control does not repeat is left out and named.

    Raises:
        SystemUnavailable: the unchanged application does not start, or its database is gone.
    """
    baseline = await _record_baseline(plan, benches[0])
    for bench in benches[1:]:
        await bench.host.preload(baseline.modules)
    plan.on_stage("running the unchanged application again, as a control")
    for bench in benches:
        baseline.leave_out(await _find_unsteady(plan, bench, baseline))
    plan.on_stage("trying the faults")
    queue = list(reversed(list(enumerate(plan.mutants))))
    found: dict[int, MutantOutcome] = {}

    async def work(bench: Bench) -> None:
        while queue:
            number, mutant = queue.pop()
            found[number] = await _Trial(plan, bench, baseline, mutant).run()
            plan.on_outcome(found[number])

    async with asyncio.TaskGroup() as group:
        for bench in benches:
            group.create_task(work(bench))
    outcomes = tuple(found[number] for number in sorted(found))
    return Adequacy(
        outcomes=outcomes,
        generated=plan.generated or len(plan.mutants),
        unsteady=tuple(sorted(baseline.unsteady)),
        disproved=tuple(each.mutant.id for each in outcomes if each.fate is Fate.KILLED and each.reason),
    )


async def _record_baseline(plan: AdequacyPlan, bench: Bench) -> Baseline:
    plan.on_stage("running the unchanged application")
    async with bench.opened() as side:
        _require_started(side)
        first = await _trace_all(plan.sessions, side, bench)
        templates = await fetch_templates(side.client, side.client)
        modules = await side.client.fetch_modules()  # type: ignore[attr-defined]  # an ApplicationProcess
    await bench.host.preload(modules)
    ended = time.monotonic()
    plan.on_stage("running it again, to learn its noise and the lines that each step runs")
    await asyncio.sleep(max(0.0, _REPEAT_GAP_S - (time.monotonic() - ended)))
    async with bench.opened(traced=True) as side:
        _require_started(side)
        built: frozenset[Line] = side.client.lines  # type: ignore[attr-defined]  # as above
        second = await _trace_all(plan.sessions, side, bench)
    reach = Reach(built=built, traces=second, operation_of=templates.operation)
    return Baseline(sessions=plan.sessions, first=first, second=second, reach=reach, modules=modules)


async def _trace_all(sessions: Sequence[Session], side: ReplaySide, bench: Bench) -> dict[str, tuple[StepTrace, ...]]:
    return {session.id: await _trace(session, side, bench) for session in sessions}


async def _trace(session: Session, side: ReplaySide, bench: Bench) -> tuple[StepTrace, ...]:
    if PROCESS_MEMORY_TAG not in session.tags:
        return await trace_session(session, side, bench.watched)
    async with bench.opened() as fresh:
        return await trace_session(session, fresh, bench.watched)


async def _find_unsteady(plan: AdequacyPlan, bench: Bench, baseline: Baseline) -> list[str]:
    async with bench.opened() as side:
        _require_started(side)
        return [
            session.id
            for session in plan.sessions
            if notice_difference(session, baseline, await _trace(session, side, bench), bench.schemas, plan.rules)
        ]


def _require_started(side: ReplaySide) -> None:
    failure = getattr(side.client, "failure", "")
    if failure:
        hint = "Check `app`, `settings` and `environment` under [adequacy]."
        raise SystemUnavailable(f"the unchanged application does not start: {failure}", hint=hint)


class _Trial:
    """One mutant on one bench."""

    def __init__(self, plan: AdequacyPlan, bench: Bench, baseline: Baseline, mutant: Mutant) -> None:
        self._plan = plan
        self._bench = bench
        self._baseline = baseline
        self._mutant = mutant

    async def run(self) -> MutantOutcome:
        mutant, reach = self._mutant, self._baseline.reach
        if not reach.is_exercised(mutant):
            return self._outcome(Fate.NOT_EXERCISED)
        source = self._plan.sources[mutant.path]
        self._bench.host.write(mutant.path, mutate(source, mutant.edit))
        try:
            sight = await self._look()
        finally:
            self._bench.host.write(mutant.path, source)
        return self._outcome(Fate.SURVIVED if sight is None else Fate.KILLED, sight)

    async def _look(self) -> Sight | None:
        try:
            async with self._bench.opened() as side:
                failure = getattr(side.client, "failure", "")
                if failure:
                    return Sight(seen=f"the application does not start: {failure}")
                return await self._first_sight(side)
        except SystemUnavailable as error:
            # A mutant may keep a table locked; without it, the database must be there again.
            if self._bench.watched is not None:
                await self._bench.watched.restore()
            return Sight(seen=error.what)

    async def _first_sight(self, side: ReplaySide) -> Sight | None:
        for session in self._sessions():
            trace = await _trace(session, side, self._bench)
            sight = notice_difference(session, self._baseline, trace, self._bench.schemas, self._plan.rules)
            if sight is not None:
                return sight
        return None

    def _sessions(self) -> list[Session]:
        """Those that run the statement first, the shortest before the others.

        The rest cannot notice a statement that they do not run, unless it runs when the application is built, or
        once for all who need its outcome.
        """
        reach, steady = self._baseline.reach, self._baseline.steady
        touching = [session for session in steady if reach.touches(session.id, self._mutant)]
        touching.sort(key=lambda session: len(session.steps))
        if len(touching) >= _FEW_SESSIONS and not reach.is_built(self._mutant):
            return touching
        return [*touching, *(session for session in steady if session not in touching)]

    def _outcome(self, fate: Fate, sight: Sight | None = None) -> MutantOutcome:
        mutant = self._mutant
        exemption = self._plan.exemptions.find(mutant)
        is_exempt = exemption is not None and fate is not Fate.KILLED
        return MutantOutcome(
            mutant=mutant,
            fate=Fate.EQUIVALENT if is_exempt else fate,
            diff=render_diff(self._plan.sources[mutant.path], mutant),
            session=sight.session if sight else "",
            step=sight.step if sight else "",
            seen=sight.seen if sight else "",
            operations=self._baseline.reach.operations(mutant),
            reason=exemption.reason if exemption else "",
        )
