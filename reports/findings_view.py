"""What the replay found, grouped for people: parity bars, signatures, waivers."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.domain.difference import Facet, Outcome
from harness.domain.findings import ComparisonRecord, DifferenceOutcome, DifferenceRecord
from reports.run_directory import RunFiles
from reports.text import Piece, mark_difference

_OUTCOME_RANK = {
    DifferenceOutcome.DIFFERENT: 0,
    DifferenceOutcome.CASCADED: 1,
    DifferenceOutcome.WAIVED: 2,
    DifferenceOutcome.NOISY: 3,
}
_FACET_RANK = {
    Facet.TRANSPORT: 0,
    Facet.STATUS: 1,
    Facet.ROW: 2,
    Facet.OBJECT: 3,
    Facet.BODY: 4,
    Facet.HEADER: 5,
    Facet.SCHEMA: 6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a parity bar: `start` and `width` are percentages of the bar."""

    outcome: Outcome
    count: int
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityView:
    """One group's compared exchanges by outcome, in the order of `Outcome`."""

    group: str
    total: int
    sessions: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureView:
    """Equal differences with their smallest example, whose two values are cut into pieces."""

    anchor: str
    signature: str
    outcome: DifferenceOutcome
    count: int
    sessions: int
    groups: tuple[str, ...]
    example: DifferenceRecord
    line: int
    """Of the example, in differences.jsonl."""
    legacy: tuple[Piece, ...]
    target: tuple[Piece, ...]

    @property
    def is_open(self) -> bool:
        """True for what nothing explains."""
        return self.outcome is DifferenceOutcome.DIFFERENT

    @property
    def is_row(self) -> bool:
        """True for what was found in the database, not in an answer."""
        return self.example.facet in {Facet.ROW, Facet.OBJECT}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverView:
    """A waiver with what it hid in this run; `days_left` is counted from the day of the run."""

    id: str
    quirk: str
    reason: str
    owner: str
    expires_on: str
    days_left: int
    hits: int


def build_parity(comparisons: Iterable[ComparisonRecord]) -> tuple[ParityView, ...]:
    """A bar for each group, in the order in which groups first appear; comparisons of a session stand together."""
    by_group: dict[str, _Group] = defaultdict(_Group)
    for comparison in comparisons:
        by_group[comparison.group].add(comparison)
    return tuple(_bar(name, group) for name, group in by_group.items())


def build_signatures(differences: Iterable[DifferenceRecord]) -> tuple[SignatureView, ...]:
    """All signatures, worst first: unexplained before explained, then by facet, then by how often they occur."""
    grouped: dict[tuple[DifferenceOutcome, str], _Members] = {}
    for line, difference in enumerate(differences, start=1):
        place = difference.outcome, difference.signature
        if place not in grouped:
            grouped[place] = _Members(first=difference, example=difference, line=line)
        grouped[place].add(difference, line)
    ranked = sorted(grouped.values(), key=_badness)
    return tuple(_signature(number, members) for number, members in enumerate(ranked, start=1))


@dataclass(slots=True)
class _Sessions:
    """How many there are, told from neighbours alone, since what is stored of a session stands together."""

    count: int = 0
    _last: str | None = None

    def add(self, session_id: str) -> None:
        if session_id != self._last:
            self.count, self._last = self.count + 1, session_id


@dataclass(slots=True)
class _Group:
    counts: Counter[Outcome] = field(default_factory=Counter)
    sessions: _Sessions = field(default_factory=_Sessions)

    def add(self, comparison: ComparisonRecord) -> None:
        self.counts[comparison.outcome] += 1
        self.sessions.add(comparison.session_id)


@dataclass(slots=True, kw_only=True)
class _Members:
    """Equal differences, of which two are kept: the first and the smallest."""

    first: DifferenceRecord
    example: DifferenceRecord
    line: int
    count: int = 0
    sessions: _Sessions = field(default_factory=_Sessions)
    groups: dict[str, None] = field(default_factory=dict)

    def add(self, difference: DifferenceRecord, line: int) -> None:
        self.count += 1
        self.sessions.add(difference.session_id)
        self.groups[difference.group] = None
        if _size(difference) < _size(self.example):
            self.example, self.line = difference, line


def _size(difference: DifferenceRecord) -> int:
    return len(difference.legacy or "") + len(difference.target or "")


def build_waivers(run: RunFiles) -> tuple[WaiverView, ...] | None:
    """The run's waivers, the soonest to expire first; None where the run recorded none at all."""
    if run.waivers is None:
        return None
    today = run.manifest.started_at.date()
    views = [
        WaiverView(
            id=waiver.id,
            quirk=waiver.quirk,
            reason=waiver.reason,
            owner=waiver.owner,
            expires_on=waiver.expires_on.isoformat(),
            days_left=(waiver.expires_on - today).days,
            hits=waiver.hits,
        )
        for waiver in run.waivers
    ]
    return tuple(sorted(views, key=lambda view: (view.expires_on, view.id)))


def _bar(name: str, group: _Group) -> ParityView:
    counts, total = group.counts, group.counts.total()
    segments: list[Segment] = []
    start = 0.0
    for outcome in Outcome:
        if counts[outcome]:
            width = 100 * counts[outcome] / total
            segments.append(Segment(outcome=outcome, count=counts[outcome], start=start, width=width))
            start += width
    return ParityView(group=name, total=total, sessions=group.sessions.count, segments=tuple(segments))


def _badness(members: _Members) -> tuple[int, int, int, str]:
    first = members.first
    return _OUTCOME_RANK[first.outcome], _FACET_RANK[first.facet], -members.count, first.signature


def _signature(number: int, members: _Members) -> SignatureView:
    example = members.example
    legacy, target = mark_difference(example.legacy, example.target)
    return SignatureView(
        anchor=f"signature-{number}",
        signature=example.signature,
        outcome=example.outcome,
        count=members.count,
        sessions=members.sessions.count,
        groups=tuple(members.groups),
        example=example,
        line=members.line,
        legacy=legacy,
        target=target,
    )
