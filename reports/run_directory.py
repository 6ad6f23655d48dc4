"""Reads what the report is made of from a run directory."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.domain.coverage import COVERAGE_FILE, Coverage
from harness.domain.criterion import CriterionResult, Decision, PhaseDecision, ReadinessDecision, Verdict
from harness.domain.errors import EvidenceError
from harness.domain.evidence import DECISION_FILE, EXCHANGES_FILE, MANIFEST_FILE, MEASUREMENTS_FILE, RunManifest
from harness.domain.findings import (
    COMPARISONS_FILE,
    DIFFERENCES_FILE,
    WAIVERS_FILE,
    ComparisonRecord,
    DifferenceRecord,
    WaiverRecord,
)
from harness.domain.gate import decide_replay
from harness.domain.measurement import Measurement
from harness.domain.phase import REPLAY_PROFILE, Plan, Scope
from reports.seal import require_as_judged

FORMAT_VERSION = 1
_RUN_HINT = "Give a directory that `parakeet verify` or `parakeet replay` has written to the end."

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """A run's files, decoded; None where the run did not record that file."""

    manifest: RunManifest
    decision: ReadinessDecision
    comparisons: Iterable[ComparisonRecord] | None
    """As `differences`, read from its file each time it is gone through: it may be larger than memory."""
    differences: Iterable[DifferenceRecord] | None
    measurements: tuple[Measurement, ...] | None
    waivers: tuple[WaiverRecord, ...] | None
    coverage: Coverage | None = None
    names: frozenset[str]
    """Names of the files that are there: only these are linked to."""


class CriterionDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A criterion; `measured` and `bound` are in `unit`, and null where nothing was measured."""

    id: str
    title: str
    verdict: Verdict
    measured: float | str | None
    unit: str
    target: float | str | None
    bound: float | None
    samples: int
    evidence: list[str]
    reason: str


class PhaseDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phase with its criteria in order."""

    phase: int
    decision: Decision
    criteria: list[CriterionDocument]


class DecisionDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`decision.json` exactly as it is stored."""

    format_version: int
    environment: str
    profile: str
    decision: Decision
    phases: list[PhaseDocument]


def load_run(directory: Path, plan: Plan) -> RunFiles:
    """All files of a run that a report needs.

    Raises:
        EvidenceError: the directory or a file it must have is absent, corrupt or of another version.
    """
    manifest = load_manifest(directory)
    return RunFiles(
        manifest=manifest,
        decision=load_decision(directory, plan, manifest),
        comparisons=_stored_lines(directory / COMPARISONS_FILE, _typed(ComparisonRecord)),
        differences=_stored_lines(directory / DIFFERENCES_FILE, _typed(DifferenceRecord)),
        measurements=_load_lines(directory / MEASUREMENTS_FILE, _decode_measurement),
        waivers=_load_lines(directory / WAIVERS_FILE, _typed(WaiverRecord)),
        coverage=_load_coverage(directory / COVERAGE_FILE),
        names=frozenset(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()),
    )


def load_manifest(directory: Path) -> RunManifest:
    """The run's manifest.

    Raises:
        EvidenceError: it is absent, corrupt or of another version.
    """
    path = directory / MANIFEST_FILE
    _require_version(path)
    return _decode(path, RunManifest)


def load_decision(directory: Path, plan: Plan, manifest: RunManifest) -> ReadinessDecision:
    """The stored decision, with phase titles from the plan and what was required from the manifest.

    A manifest that does not say what was required is filled in from its profile and selections. A run that only
    replayed has no criteria: its decision is made of its comparisons, whatever is stored.

    Raises:
        EvidenceError: it is absent, corrupt or of another version; or it is GO, and not by the files that were judged.
    """
    if manifest.profile == REPLAY_PROFILE:
        return _replay_decision(directory, manifest)
    path = directory / DECISION_FILE
    _require_version(path)
    document = _decode(path, DecisionDocument)
    if document.decision is Decision.GO:
        require_as_judged(directory, (DECISION_FILE,))
    scope = Scope(
        environment=document.environment,
        profile=document.profile,
        phases=frozenset(manifest.selected_phases),
        criterion_ids=frozenset(c.id for wanted in manifest.selected_criteria for c in plan.find_criteria(wanted)),
    )
    recorded = frozenset(manifest.required_criteria)
    planned = frozenset(criterion.id for criterion in plan.criteria if scope.requires(criterion))
    return ReadinessDecision(
        environment=document.environment,
        profile=document.profile,
        decision=document.decision,
        phases=tuple(_phase(phase, plan, recorded or planned) for phase in document.phases),
    )


def _replay_decision(directory: Path, manifest: RunManifest) -> ReadinessDecision:
    comparisons = _stored_lines(directory / COMPARISONS_FILE, _typed(ComparisonRecord)) or ()
    decision = decide_replay(comparisons)
    if decision is Decision.GO and manifest.finished_at is None:
        decision = Decision.INCONCLUSIVE  # cut off: what is missing was not compared
    if decision is Decision.GO:
        require_as_judged(directory, (COMPARISONS_FILE, EXCHANGES_FILE))
    return ReadinessDecision(
        environment=manifest.environment,
        profile=manifest.profile,
        decision=decision,
        phases=(),
    )


def _phase(document: PhaseDocument, plan: Plan, required: frozenset[str]) -> PhaseDecision:
    known = plan.find_phase(document.phase)
    return PhaseDecision(
        phase=document.phase,
        title=known.title if known else f"Phase {document.phase}",
        decision=document.decision,
        criteria=tuple(_result(criterion, required) for criterion in document.criteria),
    )


def _result(document: CriterionDocument, required: frozenset[str]) -> CriterionResult:
    return CriterionResult(
        id=document.id,
        title=document.title,
        verdict=document.verdict,
        measured=document.measured,
        unit=document.unit,
        target=document.target,
        bound=document.bound,
        samples=document.samples,
        evidence=tuple(document.evidence),
        reason=document.reason,
        is_required=document.id in required,
    )


def _require_version(path: Path) -> None:
    found = _decode(path, dict[str, Any]).get("format_version")
    if found != FORMAT_VERSION:
        hint = "Read it with the release that wrote it, or run again."
        raise EvidenceError(f"format version {found!r} is not {FORMAT_VERSION}", where=str(path), hint=hint)


def _decode(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise EvidenceError(f"cannot read it: {error.strerror}", where=str(path), hint=_RUN_HINT) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"it is corrupt: {error}", where=str(path), hint=_RUN_HINT) from error


def _load_coverage(path: Path) -> Coverage | None:
    if not path.is_file():
        return None
    _require_version(path)
    return _decode(path, Coverage)


@dataclass(frozen=True, slots=True)
class StoredLines(Iterable[T]):
    """The lines of a file, decoded each time they are gone through.

    Raises:
        EvidenceError: while they are gone through, if a line is corrupt.
    """

    path: Path
    decode: Callable[[bytes], T] = field(compare=False)

    def __iter__(self) -> Iterator[T]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield self.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    where = f"{self.path}, line {number}"
                    raise EvidenceError(f"it is corrupt: {error}", where=where, hint=_RUN_HINT) from error


def _stored_lines(path: Path, decode: Callable[[bytes], T]) -> StoredLines[T] | None:
    return StoredLines(path, decode) if path.is_file() else None


def _load_lines(path: Path, decode: Callable[[bytes], T]) -> tuple[T, ...] | None:
    stored = _stored_lines(path, decode)
    return None if stored is None else tuple(stored)


def _typed(kind: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(kind).decode


def _decode_measurement(line: bytes) -> Measurement:
    """JSON has no infinity: a figure that never came is stored as null."""
    fields = msgspec.json.decode(line, type=dict[str, Any])
    if fields.get("value") is None:
        fields["value"] = math.inf
    return msgspec.convert(fields, Measurement)
