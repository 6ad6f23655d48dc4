"""What became of each mutant, and whether the sessions are adequate."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.domain.mutation.mutant import Mutant


class Fate(StrEnum):
    """What the sessions did about a mutant."""

    KILLED = "killed"
    """A session noticed it."""
    SURVIVED = "survived"
    """It ran, and no session noticed."""
    NOT_EXERCISED = "not exercised"
    """No session runs its statement."""
    EQUIVALENT = "equivalent"
    """No session can notice it, for the reason that an exemption gives, and none did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantOutcome:
    """One mutant's fate with what shows it."""

    mutant: Mutant
    fate: Fate
    diff: str
    session: str = ""
    """That noticed it first."""
    step: str = ""
    seen: str = ""
    """What was noticed: facet, place and both values."""
    operations: tuple[str, ...] = ()
    """That run the statement."""
    reason: str = ""
    """Of the exemption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adequacy:
    """All outcomes, in the order of the source."""

    outcomes: tuple[MutantOutcome, ...]
    generated: int
    """Mutants that the source has; those that are not judged were not drawn."""
    unsteady: tuple[str, ...] = ()
    """Sessions left out: the unchanged application does not repeat what they saw."""
    disproved: tuple[str, ...] = ()
    """Mutants that an exemption calls equivalent and a session noticed."""

    def count(self, fate: Fate) -> int:
        """How many mutants met this fate."""
        return sum(1 for outcome in self.outcomes if outcome.fate is fate)

    @property
    def judged(self) -> int:
        """Mutants that a session could notice."""
        return len(self.outcomes) - self.count(Fate.EQUIVALENT)

    @property
    def killed_ratio(self) -> float | None:
        """The share of those that a session noticed (0–1); None where there are none."""
        return self.count(Fate.KILLED) / self.judged if self.judged else None

    @property
    def survivors(self) -> tuple[MutantOutcome, ...]:
        """What the sessions would let through."""
        return tuple(each for each in self.outcomes if each.fate in (Fate.SURVIVED, Fate.NOT_EXERCISED))


def tally(outcomes: Sequence[MutantOutcome], by: Callable[[Mutant], str]) -> dict[str, Counter[Fate]]:
    """Fates by what `by` tells of a mutant, such as its file; names in order."""
    counts: dict[str, Counter[Fate]] = {}
    for outcome in outcomes:
        counts.setdefault(by(outcome.mutant), Counter())[outcome.fate] += 1
    return dict(sorted(counts.items()))
