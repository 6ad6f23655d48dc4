"""`parakeet selftest`: our planted defects, put into what a run recorded of the user's own two systems."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.evidence_files import load_records
from harness.domain.compare.rules import Rules
from harness.domain.difference import Facet
from harness.domain.errors import ExitCode
from harness.domain.sabotage.catalogue import DEFECTS
from harness.domain.sabotage.detection import Detection, Trial, try_defects


@dataclass(frozen=True, slots=True, kw_only=True)
class Selftest:
    """A trial for every defect of the catalogue, in its order."""

    trials: tuple[Trial, ...]

    @property
    def exit_code(self) -> ExitCode:
        """NO_GO where a defect was missed, INCONCLUSIVE where none had a place, else GO."""
        found = Counter(trial.detection for trial in self.trials)
        if found[Detection.MISSED]:
            return ExitCode.NO_GO
        return ExitCode.GO if found[Detection.DETECTED] else ExitCode.INCONCLUSIVE

    def of(self, detection: Detection) -> tuple[Trial, ...]:
        """The trials that ended so."""
        return tuple(trial for trial in self.trials if trial.detection is detection)

    def tally(self, facet: Facet) -> Counter[Detection]:
        """How the defects of a facet ended."""
        return Counter(trial.detection for trial in self.trials if trial.facet is facet)


def selftest_run(
    run: Path, rules: Rules, on_session: Callable[[int, int], None] = lambda _done, _all: None
) -> Selftest:
    """Plants every defect in every stored session that has a place for it; writes nothing.

    `on_session` is told how many sessions are done and how many there are.

    Raises:
        EvidenceError: the run cannot be read.
    """
    records = tuple(load_records(run))
    trials = try_defects(records, DEFECTS, rules, lambda done: on_session(done, len(records)))
    return Selftest(trials=trials)
