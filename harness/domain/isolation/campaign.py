"""What many histories of one system came to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.domain.isolation.history import History, Op
from harness.domain.isolation.judge import Finding, Judgement


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Sums over the histories so far, and of every kind of finding the smallest.

    `contended` counts histories in which two accepted writes of one key overlapped: without any, nothing was tested.
    `unknown` counts operations without an outcome.
    """

    seed: int
    histories: int = 0
    contended: int = 0
    operations: int = 0
    unknown: int = 0
    searches: int = 0
    undecided: int = 0
    duration_s: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, Finding] = field(default_factory=dict)

    @property
    def is_comparable(self) -> bool:
        """True if writes met, and every search ended."""
        return self.contended > 0 and self.undecided == 0

    @property
    def findings(self) -> tuple[tuple[Finding, int], ...]:
        """The smallest finding of each kind with how many there were, the most frequent first."""
        return tuple((self.smallest[title], count) for title, count in self.found.most_common())

    def add(self, history: History, judgement: Judgement) -> None:
        """Counts one more history."""
        self.histories += 1
        self.contended += has_contention(history.ops)
        self.operations += len(history.ops)
        self.unknown += sum(op.is_unknown for op in history.ops)
        self.searches += judgement.searches
        self.undecided += judgement.undecided
        self.statuses.update(f"{op.spec.name} {op.status or 'unanswered'}" for op in history.ops)
        for finding in judgement.findings:
            self.found[finding.title] += 1
            known = self.smallest.get(finding.title)
            if known is None or _weight(finding) < _weight(known):
                self.smallest[finding.title] = finding


def has_contention(ops: Sequence[Op]) -> bool:
    """True if two accepted writes of one key overlap."""
    writes = sorted((op for op in ops if op.may_write and op.is_accepted), key=lambda op: op.invoked_ns)
    open_until: dict[str | None, int] = {}
    for op in writes:
        if op.invoked_ns < open_until.get(op.key, 0):
            return True
        open_until[op.key] = max(op.returned_ns, open_until.get(op.key, 0))
    return False


def _weight(finding: Finding) -> tuple[int, int]:
    return len(finding.core), len(finding.context)
