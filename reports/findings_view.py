"""What the replay found, grouped for people: parity bars, signatures, waivers."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

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
    legacy: tuple[Piece, ...]
    target: tuple[Piece, ...]

    @property
    def is_open(self) -> bool:
        """True for what nothing explains."""
        return self.outcome in {DifferenceOutcome.DIFFERENT, DifferenceOutcome.CASCADED}

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


def build_parity(comparisons: Sequence[ComparisonRecord]) -> tuple[ParityView, ...]:
    """A bar for each group, in the order in which groups first appear."""
    by_group: dict[str, list[ComparisonRecord]] = defaultdict(list)
    for comparison in comparisons:
        by_group[comparison.group].append(comparison)
    return tuple(_bar(group, members) for group, members in by_group.items())


def build_signatures(differences: Sequence[DifferenceRecord]) -> tuple[SignatureView, ...]:
    """All signatures, worst first: unexplained before explained, then by facet, then by how often they occur."""
    grouped: dict[tuple[DifferenceOutcome, str], list[DifferenceRecord]] = defaultdict(list)
    for difference in differences:
        grouped[difference.outcome, difference.signature].append(difference)
    ranked = sorted(grouped.items(), key=lambda item: _badness(item[0][0], item[1]))
    return tuple(_signature(number, outcome, members) for number, ((outcome, _), members) in enumerate(ranked, start=1))


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


def _bar(group: str, members: Sequence[ComparisonRecord]) -> ParityView:
    counts = Counter(member.outcome for member in members)
    segments: list[Segment] = []
    start = 0.0
    for outcome in Outcome:
        if counts[outcome]:
            width = 100 * counts[outcome] / len(members)
            segments.append(Segment(outcome=outcome, count=counts[outcome], start=start, width=width))
            start += width
    sessions = len({member.session_id for member in members})
    return ParityView(group=group, total=len(members), sessions=sessions, segments=tuple(segments))


def _badness(outcome: DifferenceOutcome, members: Sequence[DifferenceRecord]) -> tuple[int, int, int, str]:
    return _OUTCOME_RANK[outcome], _FACET_RANK[members[0].facet], -len(members), members[0].signature


def _signature(number: int, outcome: DifferenceOutcome, members: Sequence[DifferenceRecord]) -> SignatureView:
    example = min(members, key=lambda member: len(member.legacy or "") + len(member.target or ""))
    legacy, target = mark_difference(example.legacy, example.target)
    return SignatureView(
        anchor=f"signature-{number}",
        signature=example.signature,
        outcome=outcome,
        count=len(members),
        sessions=len({member.session_id for member in members}),
        groups=tuple(dict.fromkeys(member.group for member in members)),
        example=example,
        legacy=legacy,
        target=target,
    )
