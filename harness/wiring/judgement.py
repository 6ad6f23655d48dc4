"""Stored exchanges judged under the rules of today: what a live replay and `parakeet compare` both end with."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.adapters.evidence_files import load_description, load_records
from harness.adapters.evidence_store import write_atomically, write_json
from harness.domain.compare.judge import judge_session
from harness.domain.compare.redacted import Redacted, RedactedCount
from harness.domain.compare.rules import Rules
from harness.domain.coverage import COVERAGE_FILE, Coverage, CoverageCount
from harness.domain.difference import Comparison, Outcome
from harness.domain.finding_records import comparison_record, difference_records
from harness.domain.findings import (
    COMPARISONS_FILE,
    DIFFERENCES_FILE,
    WAIVERS_FILE,
    ComparisonRecord,
    DifferenceOutcome,
    DifferenceRecord,
    WaiverRecord,
)
from harness.domain.record import SessionRecord
from harness.wiring.rules import waiver_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Everything that a run's exchanges say, in session and step order."""

    comparisons: tuple[ComparisonRecord, ...]
    differences: tuple[DifferenceRecord, ...]
    waivers: tuple[WaiverRecord, ...]
    coverage: Coverage
    redacted: Redacted
    """What could be compared for equality only, since secrets were replaced when it was stored."""

    @property
    def compared(self) -> int:
        """Exchanges that could be compared."""
        return sum(1 for found in self.comparisons if found.outcome is not Outcome.NOT_COMPARABLE)

    @property
    def unexplained(self) -> tuple[DifferenceRecord, ...]:
        """Differences that nothing explains."""
        return tuple(found for found in self.differences if found.outcome is DifferenceOutcome.DIFFERENT)

    @property
    def is_different(self) -> bool:
        """True where anything is unexplained."""
        return bool(self.unexplained) or any(found.outcome is Outcome.DIFFERENT for found in self.comparisons)

    @property
    def unused_waivers(self) -> tuple[str, ...]:
        """Ids of the waivers that explained nothing."""
        return tuple(waiver.id for waiver in self.waivers if not waiver.hits)

    def tallies(self) -> Mapping[str, Counter[Outcome]]:
        """Exchanges by group and outcome, groups in order of first appearance."""
        found: dict[str, Counter[Outcome]] = {}
        for comparison in self.comparisons:
            found.setdefault(comparison.group, Counter())[comparison.outcome] += 1
        return found


def judge_run(directory: Path, rules: Rules) -> Judgement:
    """Judges the run's stored exchanges and writes `comparisons.jsonl`, `differences.jsonl`, `waivers.jsonl` and
    `coverage.json`.

    The same exchanges under the same rules give the same files, byte for byte.

    Raises:
        EvidenceError: the exchanges cannot be read; nothing is written.
    """
    judgement = judge_stored(directory, rules)
    _write(directory, judgement)
    return judgement


def judge_stored(directory: Path, rules: Rules) -> Judgement:
    """Judges the run's stored exchanges and writes nothing.

    Raises:
        EvidenceError: the exchanges cannot be read.
    """
    comparisons: list[ComparisonRecord] = []
    differences: list[DifferenceRecord] = []
    hits: Counter[str] = Counter()
    counted, redacted = CoverageCount(load_description(directory)), RedactedCount()
    for record in load_records(directory):
        redacted.add(record)
        judged = tuple(_judge(record, rules))
        counted.add(record, (comparison for comparison, _ in judged))
        for comparison, lines in judged:
            comparisons.append(comparison_record(comparison))
            differences += lines
            hits.update(comparison.waivers)
    return Judgement(
        comparisons=tuple(comparisons),
        differences=tuple(differences),
        waivers=_waiver_records(rules, hits),
        coverage=counted.coverage(),
        redacted=redacted.redacted(),
    )


def _judge(record: SessionRecord, rules: Rules) -> Iterator[tuple[Comparison, tuple[DifferenceRecord, ...]]]:
    steps = {step.pair.step: step for step in record.steps}
    for comparison in judge_session(record, rules):
        yield comparison, tuple(difference_records(comparison, steps.get(comparison.step)))


def _waiver_records(rules: Rules, hits: Mapping[str, int]) -> tuple[WaiverRecord, ...]:
    return tuple(
        WaiverRecord(
            id=waiver.id,
            quirk=waiver.quirk,
            reason=waiver.reason,
            owner=waiver.owner,
            expires_on=waiver.expires_on,
            pattern=waiver_pattern(waiver),
            hits=hits.get(waiver.id, 0),
        )
        for waiver in rules.waivers
    )


def _write(directory: Path, judgement: Judgement) -> None:
    encode = msgspec.json.Encoder().encode_lines
    for name, rows in (
        (COMPARISONS_FILE, judgement.comparisons),
        (DIFFERENCES_FILE, judgement.differences),
        (WAIVERS_FILE, judgement.waivers),
    ):
        write_atomically(directory / name, encode(rows))
    write_json(directory / COVERAGE_FILE, judgement.coverage)
