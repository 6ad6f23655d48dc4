"""Conscious differences of the target's schema: each names its place, what both sides declare there, and why."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.domain.difference import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """`*` stands for any text; a side that is None declares nothing at that place."""

    at: str
    legacy: str | None = None
    target: str | None = None
    reason: str

    def fits(self, difference: Difference) -> bool:
        """Whether that is the difference that was accepted."""
        pairs = ((self.at, difference.pointer), (self.legacy, difference.legacy), (self.target, difference.target))
        return all(_is_match(pattern, text) for pattern, text in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedDifference:
    """A difference and why it is wanted."""

    difference: Difference
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaParity:
    """What the comparison of two schemas came to."""

    tables: int
    """Tables of the legacy that were looked at."""
    columns: int
    unexplained: tuple[Difference, ...]
    accepted: tuple[AcceptedDifference, ...]
    unused: tuple[Acceptance, ...]
    """Accepted, but not there."""


def explain(
    differences: Iterable[Difference], acceptances: Sequence[Acceptance], *, tables: int, columns: int
) -> SchemaParity:
    """Parts what was accepted from what was not; the first acceptance that fits explains a difference."""
    unexplained, accepted, used = list[Difference](), list[AcceptedDifference](), set[Acceptance]()
    for difference in differences:
        fitting = next((each for each in acceptances if each.fits(difference)), None)
        if fitting is None:
            unexplained.append(difference)
            continue
        used.add(fitting)
        accepted.append(AcceptedDifference(difference=difference, reason=fitting.reason))
    return SchemaParity(
        tables=tables,
        columns=columns,
        unexplained=tuple(unexplained),
        accepted=tuple(accepted),
        unused=tuple(each for each in acceptances if each not in used),
    )


def _is_match(pattern: str | None, text: str | None) -> bool:
    if pattern is None or text is None:
        return pattern is text
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
