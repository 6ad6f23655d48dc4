"""Stored exchanges judged under the rules of today: what a live replay and `parakeet compare` both end with."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.adapters.evidence_files import load_description, load_manifest, load_records
from harness.adapters.evidence_store import disk_errors, write_atomically, write_json
from harness.adapters.stored_rows import RowWriter, StoredRows
from harness.domain.compare.judge import judge_session
from harness.domain.compare.redacted import Redacted, RedactedCount
from harness.domain.compare.rules import Rules
from harness.domain.coverage import COVERAGE_FILE, Coverage, CoverageCount
from harness.domain.difference import Comparison
from harness.domain.evidence import EXCHANGES_FILE
from harness.domain.finding_records import comparison_record, difference_records
from harness.domain.finding_tally import FindingTally
from harness.domain.findings import (
    COMPARISONS_FILE,
    DIFFERENCES_FILE,
    WAIVERS_FILE,
    ComparisonRecord,
    DifferenceOutcome,
    DifferenceRecord,
    WaiverRecord,
)
from harness.domain.quiet_side import WriteCount
from harness.domain.record import SessionRecord
from harness.wiring.rules import waiver_pattern
from reports.seal import SEAL_FILE, encode_seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Everything that a run's exchanges say, in session and step order.

    Of a run that was written, comparisons and differences are read from its files whenever they are gone through.
    """

    comparisons: Collection[ComparisonRecord]
    differences: Collection[DifferenceRecord]
    tally: FindingTally
    waivers: tuple[WaiverRecord, ...]
    coverage: Coverage
    redacted: Redacted
    """What could be compared for equality only, since secrets were replaced when it was stored."""
    quiet_side: str = ""
    """A sentence where the rows of only one side ever changed."""

    @property
    def compared(self) -> int:
        """Exchanges that could be compared."""
        return self.tally.compared

    @property
    def unexplained(self) -> Iterator[DifferenceRecord]:
        """Differences that nothing explains."""
        return (found for found in self.differences if found.outcome is DifferenceOutcome.DIFFERENT)

    @property
    def is_different(self) -> bool:
        """True where anything is unexplained."""
        return self.tally.is_different

    @property
    def unused_waivers(self) -> tuple[str, ...]:
        """Ids of the waivers that explained nothing."""
        return tuple(waiver.id for waiver in self.waivers if not waiver.hits)


def judge_run(directory: Path, rules: Rules, on_session: Callable[[int], None] = lambda _: None) -> Judgement:
    """Judges the run's stored exchanges and writes `comparisons.jsonl`, `differences.jsonl`, `waivers.jsonl`,
    `coverage.json` and the seal of what was judged; `on_session` is told how many sessions are judged.

    The same exchanges under the same rules give the same files, byte for byte. Memory does not grow with their number.

    Raises:
        EvidenceError: the exchanges cannot be read; nothing is written.
        HarnessError: the files cannot be written; each is then the old one or the new.
    """
    load_manifest(directory)
    judging = _Judging(directory, rules, on_session)
    paths = directory / COMPARISONS_FILE, directory / DIFFERENCES_FILE
    with disk_errors(directory), RowWriter(paths[0]) as comparisons, RowWriter(paths[1]) as differences:
        for compared, found in judging.sessions():
            comparisons.add(compared)
            differences.add(found)
        comparisons.replace()
        differences.replace()
        judgement = judging.judgement(
            StoredRows(paths[0], ComparisonRecord, comparisons.count),
            StoredRows(paths[1], DifferenceRecord, differences.count),
        )
        write_atomically(directory / WAIVERS_FILE, msgspec.json.Encoder().encode_lines(judgement.waivers))
        write_json(directory / COVERAGE_FILE, judgement.coverage)
        judged = COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE, EXCHANGES_FILE
        write_atomically(directory / SEAL_FILE, encode_seal(directory, judged))
    return judgement


def judge_stored(directory: Path, rules: Rules) -> Judgement:
    """Judges the run's stored exchanges, holds what it finds in memory, and writes nothing.

    Raises:
        EvidenceError: the exchanges cannot be read.
    """
    judging = _Judging(directory, rules)
    comparisons: list[ComparisonRecord] = []
    differences: list[DifferenceRecord] = []
    for compared, found in judging.sessions():
        comparisons += compared
        differences += found
    return judging.judgement(tuple(comparisons), tuple(differences))


class _Judging:
    """One session after the other; only counts are kept."""

    def __init__(self, directory: Path, rules: Rules, on_session: Callable[[int], None] = lambda _: None) -> None:
        self._directory = directory
        self._rules = rules
        self._on_session = on_session
        self._hits: Counter[str] = Counter()
        self._counted = CoverageCount(load_description(directory))
        self._redacted = RedactedCount()
        self._writes = WriteCount()
        self._tally = FindingTally()

    def sessions(self) -> Iterator[tuple[list[ComparisonRecord], list[DifferenceRecord]]]:
        """What is found of each."""
        for number, record in enumerate(load_records(self._directory), start=1):
            self._redacted.add(record)
            self._writes.add(record)
            judged = tuple(_judge(record, self._rules))
            self._counted.add(record, (comparison for comparison, _ in judged))
            compared: list[ComparisonRecord] = []
            differences: list[DifferenceRecord] = []
            for comparison, lines in judged:
                compared.append(comparison_record(comparison))
                differences += lines
                self._hits.update(comparison.waivers)
                self._tally.add(compared[-1], lines)
            yield compared, differences
            self._on_session(number)

    def judgement(
        self, comparisons: Collection[ComparisonRecord], differences: Collection[DifferenceRecord]
    ) -> Judgement:
        """All of it together."""
        return Judgement(
            comparisons=comparisons,
            differences=differences,
            tally=self._tally,
            waivers=_waiver_records(self._rules, self._hits),
            coverage=self._counted.coverage(),
            redacted=self._redacted.redacted(),
            quiet_side=self._writes.sentence,
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
