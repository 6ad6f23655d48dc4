"""The one frozen object that every renderer reads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.domain.criterion import CriterionResult, Decision, PhaseDecision, Verdict
from harness.domain.difference import Outcome
from harness.domain.evidence import RunManifest
from harness.domain.findings import ComparisonRecord, DifferenceOutcome, DifferenceRecord
from harness.domain.phase import Plan
from reports.benchmark_view import BenchmarkView, build_benchmarks
from reports.coverage_view import CoverageView, build_coverage
from reports.findings_view import (
    ParityView,
    SignatureView,
    WaiverView,
    build_parity,
    build_signatures,
    build_waivers,
)
from reports.run_directory import RunFiles, load_run

MAX_HEADLINES = 5
_EXPLAINED = frozenset({DifferenceOutcome.WAIVED, DifferenceOutcome.NOISY})

DECISION_WORDS = {
    Decision.GO: "GO",
    Decision.NO_GO: "NO-GO",
    Decision.INCONCLUSIVE: "INCONCLUSIVE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One required criterion that keeps the run from GO, with where to read on."""

    criterion: CriterionResult
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlines:
    """The first few, and how many more there are."""

    shown: tuple[Headline, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Criteria that this run was not asked to decide: whole phases by name, the others by id."""

    count: int
    total: int
    phases: tuple[PhaseDecision, ...]
    criteria: tuple[CriterionResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """A run as the report tells it; tuples that a run did not record are None."""

    manifest: RunManifest
    environment: str
    profile: str
    decision: Decision
    word: str
    why: str
    duration: timedelta | None
    blockers: Headlines
    unsettled: Headlines
    left_out: LeftOut
    phases: tuple[PhaseDecision, ...]
    benchmarks: tuple[BenchmarkView, ...]
    worst: tuple[SignatureView, ...]
    """The first few unexplained signatures."""
    parity: tuple[ParityView, ...] | None
    signatures: tuple[SignatureView, ...] | None
    """Unexplained ones of answers, worst first."""
    row_signatures: tuple[SignatureView, ...] | None
    cascaded: tuple[SignatureView, ...] | None
    """Those of answers and rows that follow from what a waived step left different."""
    explained: tuple[SignatureView, ...] | None
    """Noisy and waived ones."""
    waivers: tuple[WaiverView, ...] | None
    coverage: CoverageView | None
    comparisons: Iterable[ComparisonRecord] | None
    differences: Iterable[DifferenceRecord] | None
    files: frozenset[str]


def load_view(directory: Path, plan: Plan) -> ReportView:
    """The view of a run directory.

    Raises:
        EvidenceError: the directory or a file it must have is absent, corrupt or of another version.
    """
    return build_view(load_run(directory, plan), plan)


def build_view(run: RunFiles, plan: Plan) -> ReportView:
    """The view of decoded files; the same files give the same view, whenever it is built."""
    signatures = None if run.differences is None else build_signatures(run.differences)
    parity = None if run.comparisons is None else build_parity(run.comparisons)
    results = tuple(result for phase in run.decision.phases for result in phase.criteria)
    required = tuple(result for result in results if result.is_required)
    anchors = {group: found.anchor for found in reversed(signatures or ()) for group in found.groups if found.is_open}
    started, finished = run.manifest.started_at, run.manifest.finished_at
    return ReportView(
        manifest=run.manifest,
        environment=run.decision.environment,
        profile=run.decision.profile,
        decision=run.decision.decision,
        word=DECISION_WORDS[run.decision.decision],
        why=_why(run, required, _found(parity, signatures)),
        duration=None if finished is None else finished - started,
        blockers=_headlines(required, {Verdict.FAIL}, anchors),
        unsettled=_headlines(required, {Verdict.INCONCLUSIVE, Verdict.ERROR}, {}),
        left_out=_left_out(run.decision.phases, results),
        phases=run.decision.phases,
        benchmarks=build_benchmarks(plan.benchmarks, run.measurements, results) if results else (),
        worst=tuple(found for found in signatures or () if found.is_open)[:MAX_HEADLINES],
        parity=parity,
        signatures=_pick(signatures, lambda found: found.is_open and not found.is_row),
        row_signatures=_pick(signatures, lambda found: found.is_open and found.is_row),
        cascaded=_pick(signatures, lambda found: found.outcome is DifferenceOutcome.CASCADED),
        explained=_pick(signatures, lambda found: found.outcome in _EXPLAINED),
        waivers=build_waivers(run),
        coverage=None if run.coverage is None else build_coverage(run.coverage),
        comparisons=run.comparisons,
        differences=run.differences,
        files=run.names,
    )


def criterion_anchor(criterion_id: str) -> str:
    """The id of a criterion's row in the HTML report."""
    return "criterion-" + "".join(char if char.isascii() and char.isalnum() else "-" for char in criterion_id)


def _left_out(phases: tuple[PhaseDecision, ...], results: tuple[CriterionResult, ...]) -> LeftOut:
    whole = tuple(phase for phase in phases if not any(result.is_required for result in phase.criteria))
    in_whole = {result.id for phase in whole for result in phase.criteria}
    skipped = tuple(result for result in results if not result.is_required)
    return LeftOut(
        count=len(skipped),
        total=len(results),
        phases=whole,
        criteria=tuple(result for result in skipped if result.id not in in_whole),
    )


def _pick(
    signatures: tuple[SignatureView, ...] | None, is_wanted: Callable[[SignatureView], bool]
) -> tuple[SignatureView, ...] | None:
    return None if signatures is None else tuple(filter(is_wanted, signatures))


def _headlines(required: tuple[CriterionResult, ...], verdicts: set[Verdict], anchors: dict[str, str]) -> Headlines:
    found = [
        Headline(criterion=result, anchor=_first_anchor(result, anchors))
        for result in required
        if result.verdict in verdicts
    ]
    return Headlines(shown=tuple(found[:MAX_HEADLINES]), more=max(0, len(found) - MAX_HEADLINES))


def _first_anchor(result: CriterionResult, anchors: dict[str, str]) -> str:
    """The worst finding of the group that the criterion's id names, otherwise the criterion itself."""
    named = (anchors[segment] for segment in result.id.split(".") if segment in anchors)
    return next(named, criterion_anchor(result.id))


def _why(run: RunFiles, required: tuple[CriterionResult, ...], found: str) -> str:
    failed = sum(result.verdict is Verdict.FAIL for result in required)
    open_count = sum(result.verdict in {Verdict.INCONCLUSIVE, Verdict.ERROR} for result in required)
    if not run.decision.phases:
        return _why_replay(run, found)
    if not required:
        return "Nothing was asked to be decided, and nothing shown is no GO."
    if failed:
        return f"{_of(failed, len(required))} {_fail(failed)}{found}."
    if open_count:
        return f"No required criterion fails, but {_of(open_count, len(required))} cannot be settled yet."
    return f"{_all(len(required))}{found}."


def _why_replay(run: RunFiles, found: str) -> str:
    if run.decision.decision is Decision.INCONCLUSIVE:
        if any(each.outcome is not Outcome.NOT_COMPARABLE for each in run.comparisons or ()):
            return "The replay was cut off, and what is missing was not compared."
        return "No exchange could be compared, and nothing compared is never a match."
    found = found.removeprefix("; ")
    return f"{found[:1].upper()}{found[1:]}; answers and state only, no criterion was judged."


def _of(count: int, total: int) -> str:
    return f"{count} of {total} required criteria"


def _fail(count: int) -> str:
    return "fails" if count == 1 else "fail"


def _all(count: int) -> str:
    return "The one required criterion passes" if count == 1 else f"All {count} required criteria pass"


def _found(parity: tuple[ParityView, ...] | None, signatures: tuple[SignatureView, ...] | None) -> str:
    if parity is None or signatures is None:
        return ""
    open_ones = [found for found in signatures if found.is_open]
    compared = f"in {sum(group.total for group in parity):,} compared exchanges"
    if not open_ones:
        return f"; no unexplained difference {compared}"
    count = sum(found.count for found in open_ones)
    return f"; {_count(count, 'unexplained difference')} of {_count(len(open_ones), 'kind')} {compared}"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
