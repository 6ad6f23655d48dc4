"""What the unchanged application shows: its answers, its noise, and which steps run which lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Comparison, Outcome
from harness.domain.exchange import Exchange, ExchangePair, Side
from harness.domain.mutation.mutant import Mutant
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.domain.rows import TableSchema
from harness.domain.session import Session
from harness.engine.session_trace import Line, StepTrace

Traces = Mapping[str, tuple[StepTrace, ...]]
"""By session id."""
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What gave a mutant away, and where."""

    seen: str
    session: str = ""
    step: str = ""


class Reach:
    """Which sessions and operations run which statements."""

    def __init__(self, *, built: frozenset[Line], traces: Traces, operation_of: Callable[[str, str], str]) -> None:
        self._built = built
        self._sessions: dict[Line, set[str]] = {}
        self._operations: dict[Line, dict[str, None]] = {}
        for session_id, steps in traces.items():
            for trace in steps:
                request = trace.exchange.request
                operation = operation_of(request.method, request.url)
                for line in trace.lines:
                    self._sessions.setdefault(line, set()).add(session_id)
                    self._operations.setdefault(line, {})[operation] = None

    def is_exercised(self, mutant: Mutant) -> bool:
        """Whether its statement runs at all."""
        return self.is_built(mutant) or any(line in self._sessions for line in _lines(mutant))

    def is_built(self, mutant: Mutant) -> bool:
        """Whether its statement runs while the application is built: then it may show anywhere."""
        return any(line in self._built for line in _lines(mutant))

    def touches(self, session_id: str, mutant: Mutant) -> bool:
        """Whether a session runs its statement."""
        return any(session_id in self._sessions.get(line, ()) for line in _lines(mutant))

    def operations(self, mutant: Mutant) -> tuple[str, ...]:
        """The operations that run its statement, in the order of the sessions."""
        return tuple(dict.fromkeys(name for line in _lines(mutant) for name in self._operations.get(line, ())))


@dataclass(slots=True, kw_only=True)
class Baseline:
    """Two passes of the unchanged application over all sessions."""

    sessions: tuple[Session, ...]
    first: Traces
    second: Traces
    reach: Reach
    modules: Sequence[str] = ()
    unsteady: set[str] = field(default_factory=set)

    def leave_out(self, session_ids: Sequence[str]) -> None:
        """Judges nothing by these sessions."""
        self.unsteady.update(session_ids)

    @property
    def steady(self) -> list[Session]:
        """The sessions that mutants are judged by."""
        return [session for session in self.sessions if session.id not in self.unsteady]


def notice_difference(
    session: Session,
    baseline: Baseline,
    trace: Sequence[StepTrace],
    schemas: Mapping[str, TableSchema],
    rules: Rules,
) -> Sight | None:
    """The first difference that the comparer finds between the baseline and what a process showed, or None.

    The baseline stands where the legacy does. Its own second pass is both sides' repetition: only where the unchanged
    application does not repeat itself is a value noise, and then it is checked by its relation.
    """
    first, second = baseline.first[session.id], baseline.second[session.id]
    pairs = list(zip(first, trace, strict=False))
    record = SessionRecord(
        session_id=session.id,
        group=session.group,
        origin=Origin.WRITTEN,
        legacy_schemas=schemas,
        target_schemas=schemas,
        steps=tuple(_record(session, mine, theirs) for mine, theirs in pairs),
        repeat=tuple(_record(session, again, again) for again, _ in zip(second, pairs, strict=False)),
        compares_state=bool(schemas),
    )
    comparisons = judge_session(record, rules)
    different = next((found for found in comparisons if found.outcome is Outcome.DIFFERENT), None)
    if different is not None:
        return Sight(seen=_describe(different), session=session.id, step=different.name)
    if len(trace) < len(first):
        return Sight(seen="the application is gone", session=session.id, step=trace[-1].step.name if trace else "")
    return None


def _record(session: Session, mine: StepTrace, theirs: StepTrace) -> StepRecord:
    step = mine.step
    pair = ExchangePair(
        session_id=session.id,
        group=session.group,
        step=step.n,
        name=step.name,
        operation=f"{step.method} {step.url.partition('?')[0]}",
        legacy=_on(Side.LEGACY, mine.exchange),
        target=_on(Side.TARGET, theirs.exchange),
        volatile=step.volatile,
        volatile_headers=step.volatile_headers,
        tie=step.tie,
    )
    return StepRecord(pair=pair, legacy_changes=mine.changes, target_changes=theirs.changes)


def _on(side: Side, exchange: Exchange) -> Exchange:
    return exchange if exchange.side is side else structs.replace(exchange, side=side)


def _describe(comparison: Comparison) -> str:
    difference = comparison.differences[0]
    values = " → ".join(_shown(value) for value in (difference.legacy, difference.target))
    return f"{difference.facet} {difference.pointer or '(status)'}: {values}"


def _shown(value: str | None) -> str:
    if value is None:
        return "(absent)"
    return value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…"


def _lines(mutant: Mutant) -> list[Line]:
    return [(mutant.path, line) for line in range(mutant.first_line, mutant.last_line + 1)]
