"""What a judgement comes to, counted as it goes on: outcomes by group, and unexplained differences by signature."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.domain.difference import Outcome
from harness.domain.findings import ComparisonRecord, DifferenceOutcome, DifferenceRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureCount:
    """An unexplained signature: how often it was found, and where first."""

    count: int
    example: DifferenceRecord


@dataclass(slots=True)
class FindingTally:
    """Counts; it grows with the groups and signatures there are, not with the exchanges."""

    groups: dict[str, Counter[Outcome]] = field(default_factory=dict)
    """Outcomes of exchanges by group, in order of first appearance."""
    _signatures: dict[str, SignatureCount] = field(default_factory=dict)

    def add(self, comparison: ComparisonRecord, differences: Iterable[DifferenceRecord]) -> None:
        """Takes a comparison in, with its differences."""
        self.groups.setdefault(comparison.group, Counter())[comparison.outcome] += 1
        for found in differences:
            if found.outcome is DifferenceOutcome.DIFFERENT:
                known = self._signatures.get(found.signature)
                count, example = (0, found) if known is None else (known.count, known.example)
                self._signatures[found.signature] = SignatureCount(count=count + 1, example=example)

    @property
    def signatures(self) -> Mapping[str, SignatureCount]:
        """The unexplained ones, in order of first appearance."""
        return self._signatures

    @property
    def compared(self) -> int:
        """Exchanges that could be compared."""
        return sum(counts.total() - counts[Outcome.NOT_COMPARABLE] for counts in self.groups.values())

    @property
    def unexplained(self) -> int:
        """Differences that nothing explains."""
        return sum(found.count for found in self._signatures.values())

    @property
    def is_different(self) -> bool:
        """True where anything is unexplained."""
        return bool(self._signatures) or any(counts[Outcome.DIFFERENT] for counts in self.groups.values())
