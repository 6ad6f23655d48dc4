"""`parakeet waivers`: every waiver with what it hides in a run."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from harness.domain.compare.rules import Rules
from harness.domain.findings import DifferenceOutcome, DifferenceRecord
from harness.domain.waiver import Waiver
from harness.wiring.judgement import judge_stored
from harness.wiring.rules import waiver_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A signature that a waiver hides: how often, and its smallest example."""

    signature: str
    count: int
    example: DifferenceRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverListing:
    """A waiver today; `hits` are the exchanges that it explains, None where no run was looked at."""

    waiver: Waiver
    pattern: str
    days_left: int
    hits: int | None
    hidden: tuple[Hidden, ...]

    @property
    def is_expired(self) -> bool:
        """Whether its last day has passed: it hides nothing any more."""
        return self.days_left < 0


def list_waivers(rules: Rules, run: Path | None) -> tuple[WaiverListing, ...]:
    """All waivers, the soonest to expire first, so that expired ones lead; nothing is written.

    A difference that several waivers explain together is listed under each.

    Raises:
        EvidenceError: the run cannot be read.
    """
    hits: dict[str, int] = {}
    hidden: dict[str, list[DifferenceRecord]] = defaultdict(list)
    if run is not None:
        judgement = judge_stored(run, rules)
        hits = {record.id: record.hits for record in judgement.waivers}
        for found in judgement.differences:
            if found.outcome is DifferenceOutcome.WAIVED:
                for name in found.waiver.split(", "):
                    hidden[name].append(found)
    listings = [_listing(waiver, rules.today, hits.get(waiver.id), hidden[waiver.id]) for waiver in rules.waivers]
    return tuple(sorted(listings, key=lambda listing: (listing.days_left, listing.waiver.id)))


def _listing(waiver: Waiver, today: date, hits: int | None, found: Sequence[DifferenceRecord]) -> WaiverListing:
    groups: dict[str, list[DifferenceRecord]] = defaultdict(list)
    for difference in found:
        groups[difference.signature].append(difference)
    hidden = [
        Hidden(signature=signature, count=len(members), example=min(members, key=_size))
        for signature, members in groups.items()
    ]
    return WaiverListing(
        waiver=waiver,
        pattern=waiver_pattern(waiver),
        days_left=waiver.days_left(today),
        hits=hits,
        hidden=tuple(sorted(hidden, key=lambda each: (-each.count, each.signature))),
    )


def _size(found: DifferenceRecord) -> tuple[int, str, int]:
    return len(found.legacy or "") + len(found.target or ""), found.session_id, found.step
