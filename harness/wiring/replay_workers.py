"""A replay under load from several addresses: ordered of Locust workers, their exchanges brought into one order."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.adapters.load_lines import Due, LoadLine, LoadOrder, WorkerIdentity
from harness.adapters.locust_workers import Crew, Gathered, run_crew
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Exchange
from harness.domain.operation import OperationTemplates
from harness.domain.record import SessionRecord, StepRecord
from harness.domain.replay_load import LoadPlan, LoadSeen, SessionArrival, load_record
from harness.domain.session import Session, Step
from harness.engine.replay_load import MAX_FAILURES_IN_A_ROW, Steps
from harness.engine.replay_session import exchange_pair, unfilled
from harness.engine.replay_sides import Outages, ReplaySide
from harness.settings import project_root
from harness.wiring.replay import Sides
from harness.wiring.runtime import runtime_directory

PROGRAM = Path(__file__).with_name("locust_user.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Who sends: the addresses, and how many sessions they have under way at once in all."""

    identities: tuple[WorkerIdentity, ...]
    concurrency: int


def workers_at(addresses: Sequence[str], concurrency: int) -> Workers:
    """One worker for each address of this machine; the same address again is another worker.

    Raises:
        ConfigurationError: one is no loopback address, or there are more workers than sessions at once.
    """
    for address in addresses:
        if not _is_loopback(address):
            hint = "Workers run on this machine: give addresses such as 127.0.0.2."
            raise ConfigurationError(f"{address!r} is no loopback address", where="--worker", hint=hint)
    if len(addresses) > concurrency:
        hint = f"Give --concurrency {len(addresses)} or more: each worker has at least one session under way."
        raise ConfigurationError(f"{len(addresses)} workers for {concurrency} sessions at once", hint=hint)
    seen: Counter[str] = Counter()
    identities = []
    for index, address in enumerate(addresses):
        seen[address] += 1
        name = address if seen[address] == 1 else f"{address}~{seen[address]}"
        identities.append(WorkerIdentity(name=name, address=address, index=index, of=len(addresses)))
    return Workers(identities=tuple(identities), concurrency=concurrency)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def require_no_poll(sessions: Sequence[Session]) -> None:
    """Refuses sessions that repeat a request until its answer changes: workers send each request once.

    Raises:
        ConfigurationError: some do; names them.
    """
    polling = [session.id for session in sessions if any(step.poll is not None for step in session.steps)]
    if polling:
        hint = "Leave them out, or replay without --worker."
        raise ConfigurationError(f"workers do not poll, and these sessions do: {', '.join(polling[:5])}", hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersReplay:
    """One run of a schedule by workers; `urls` are the legacy's and the target's."""

    urls: tuple[str, str]
    sides: Sides
    templates: OperationTemplates
    at_rest: Mapping[str, Steps]
    workers: Workers

    async def run(
        self,
        arrivals: Sequence[SessionArrival],
        plan: LoadPlan,
        on_record: Callable[[SessionRecord], None],
        on_line: Callable[[int], None] = lambda _: None,
    ) -> tuple[LoadSeen, Gathered]:
        """Hands over the record of every session that came in, in the order of the schedule, each once.

        Raises:
            SystemUnavailable: a side, or every worker, did not answer; what was seen until then has been handed over.
            HarnessError: a session came twice.
        """
        with runtime_directory() as directory:
            identities = self.workers.identities
            crew = Crew(
                program=PROGRAM, project=project_root(), directory=directory, workers=identities, on_line=on_line
            )
            gathered = await run_crew(crew, self._order(arrivals, plan))
        outages = Outages(limit=MAX_FAILURES_IN_A_ROW)
        came = [(arrival, gathered.lines[arrival.number]) for arrival in arrivals if arrival.number in gathered.lines]
        for arrival, line in came:
            steps = tuple(self._steps(arrival.session, line))
            on_record(load_record(arrival, steps, self.at_rest[arrival.session.id.rpartition("@")[0]]))
            for exchange in (each for pair in line.steps for each in pair):
                outages.see(exchange)
        return _seen(arrivals, [line for _, line in came]), gathered

    def _order(self, arrivals: Sequence[SessionArrival], plan: LoadPlan) -> LoadOrder:
        sessions = {each.session.id.rpartition("@")[0]: each.session for each in arrivals}
        legacy, target = (
            {name: _authorized(session, side) for name, session in sessions.items()} for side in self.sides
        )
        return LoadOrder(
            legacy_url=self.urls[0],
            target_url=self.urls[1],
            legacy=legacy,
            target=target,
            arrivals=tuple(
                Due(number=each.number, at_s=each.at_s, name=each.session.id.rpartition("@")[0]) for each in arrivals
            ),
            limit_s=plan.limit_s,
            concurrency=self.workers.concurrency // len(self.workers.identities),
        )

    def _steps(self, session: Session, line: LoadLine) -> Iterator[StepRecord]:
        for step, (legacy, target) in zip(session.steps, line.steps, strict=True):
            yield StepRecord(pair=exchange_pair(session, step, legacy, target, self.templates))


def _authorized(session: Session, side: ReplaySide) -> Session:
    """The session with one side's credentials among the headers; recorded answers are nobody's business."""
    return replace(session, steps=tuple(_with_credentials(step, side) for step in session.steps))


def _with_credentials(step: Step, side: ReplaySide) -> Step:
    return replace(step, headers=side.authorized(unfilled(step), step.auth).headers, auth=None, recorded=None)


def _seen(arrivals: Sequence[SessionArrival], lines: Sequence[LoadLine]) -> LoadSeen:
    exchanges: list[Exchange] = [each for line in lines for pair in line.steps for each in pair]
    duration_s = 0.0
    if exchanges:
        first, last = min(each.sent_at for each in exchanges), max(each.received_at for each in exchanges)
        duration_s = (last - first).total_seconds()
    return LoadSeen(
        planned=len(arrivals),
        started=len(lines),
        requests=len(exchanges) // 2,
        duration_s=duration_s,
        late_ms=tuple(line.late_ms for line in lines),
    )


def require_all_workers(gathered: Gathered, arrivals: Sequence[SessionArrival], workers: Workers) -> None:
    """The answer to whether anything is missing.

    Raises:
        SystemUnavailable: a worker was lost; names each, and how much of its share came.
    """
    parts = []
    for worker in workers.identities:
        if worker.name in gathered.lost:
            share = len(arrivals[worker.index :: worker.of])
            came = sum(line.worker == worker.name for line in gathered.lines.values())
            parts.append(f"{worker.name} {gathered.lost[worker.name]}: {came:,} of its {share:,} sessions came")
    if parts:
        hint = "What came is compared and in the run directory; the rest was not seen. Run it again."
        raise SystemUnavailable(f"a Locust worker was lost: {'; '.join(parts)}", hint=hint)
