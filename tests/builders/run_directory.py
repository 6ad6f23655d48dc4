"""Builds run directories as a real run leaves them, small and with known content."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from harness.domain.coverage import (
    COVERAGE_FILE,
    Coverage,
    MismatchRate,
    OperationCoverage,
    ParameterClass,
    ParameterCoverage,
)
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.description import Place
from harness.domain.difference import DifferenceKind, Facet, Outcome
from harness.domain.evaluate import EvaluationContext, evaluate_criterion
from harness.domain.evidence import DECISION_FILE, EXCHANGES_FILE, MANIFEST_FILE, MEASUREMENTS_FILE, RunManifest
from harness.domain.findings import (
    COMPARISONS_FILE,
    DIFFERENCES_FILE,
    WAIVERS_FILE,
    ComparisonRecord,
    DifferenceOutcome,
    DifferenceRecord,
    WaiverRecord,
)
from harness.domain.gate import decide_phases
from harness.domain.measurement import Measurement
from harness.domain.phase import BenchmarkRow, Phase, Plan, Scope
from reports.json_report import encode_decision
from reports.seal import SEAL_FILE, encode_seal
from scenarios.criteria import load_plan

STARTED_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
COMMIT = "4f1c2a9e7b3d5f60718293a4b5c6d7e8f9012345"
HOSTILE = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(2)>\u202egnp.exe\x00"

COVERAGE = Coverage(
    has_description=True,
    operations=(
        OperationCoverage(
            operation="GET /api/trades/",
            is_described=True,
            exchanges=4,
            sessions=2,
            statuses={"200": 3, "422": 1},
            never=(),
            parameters=(
                ParameterCoverage(
                    place=Place.QUERY,
                    name="page",
                    classes={"present": 2, "absent": 1, "refused": 1},
                    never=(ParameterClass.EMPTY,),
                ),
            ),
        ),
        OperationCoverage(
            operation="DELETE /api/trades/{trade_id}",
            is_described=True,
            exchanges=0,
            sessions=0,
            statuses={},
            never=("204", "422"),
            parameters=(
                ParameterCoverage(
                    place=Place.PATH,
                    name="trade_id",
                    classes={},
                    never=(ParameterClass.PRESENT, ParameterClass.REFUSED),
                ),
            ),
        ),
    ),
    rates=(MismatchRate(operation="all", sessions=59, mismatched=0, rate=0.0, upper=0.0495),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContent:
    """What goes into the files."""

    manifest: RunManifest
    evidence: tuple[CriterionEvidence, ...]
    comparisons: tuple[ComparisonRecord, ...]
    differences: tuple[DifferenceRecord, ...]
    measurements: tuple[Measurement, ...]
    waivers: tuple[WaiverRecord, ...]
    coverage: Coverage = field(default_factory=lambda: COVERAGE)


def write_run(directory: Path, content: RunContent, plan: Plan | None = None) -> Path:
    """Writes the files of §3 that a report is made of; the decision is decided, not given."""
    directory.mkdir(parents=True, exist_ok=True)
    manifest = content.manifest
    scope = Scope(environment=manifest.environment, profile=manifest.profile)
    context = EvaluationContext(scope=scope, commit=manifest.commit, judged_at=STARTED_AT)
    found = {evidence.criterion_id: evidence for evidence in content.evidence}
    plan = plan or load_plan()
    results = {c.id: evaluate_criterion(c, found.get(c.id), context) for c in plan.criteria}
    decision = decide_phases(plan, results, scope)
    (directory / MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest))
    (directory / DECISION_FILE).write_bytes(encode_decision(decision))
    _write_lines(directory / COMPARISONS_FILE, content.comparisons)
    _write_lines(directory / DIFFERENCES_FILE, content.differences)
    _write_lines(directory / MEASUREMENTS_FILE, content.measurements)
    _write_lines(directory / WAIVERS_FILE, content.waivers)
    (directory / COVERAGE_FILE).write_bytes(msgspec.json.encode(content.coverage))
    seal_run(directory)
    return directory


def seal_run(directory: Path) -> None:
    """Seals the files of a run as they are now."""
    names = DECISION_FILE, COMPARISONS_FILE, DIFFERENCES_FILE, EXCHANGES_FILE, MEASUREMENTS_FILE, WAIVERS_FILE
    (directory / SEAL_FILE).write_bytes(encode_seal(directory, names))


def small_plan() -> Plan:
    """Two phases with a criterion of each sort, so that snapshots do not move with the migration's own list."""
    rows = Criterion(id="P1.parity", phase=1, title="Rows are equal", probe="row_parity", in_quick=True)
    later = Criterion(id="P1.5", phase=1, title="Terraform applies")
    cold = Criterion(id="P3.2", phase=3, title="Cold start, p95", probe="cold_start", in_quick=True, target=2,
                     unit="s", measurement="cold_start.p95")  # fmt: skip
    trades = Criterion(id="P4.trades.parity", phase=3, title="trades: answers are equal", probe="x", in_quick=True)
    benchmark = BenchmarkRow(metric="Cold Start", measurement="cold_start.p95", criterion_id="P3.2",
                             before_stated="N/A", target_stated="< 2s")  # fmt: skip
    phases = (
        Phase(number=1, title="Foundation", criteria=(rows, later)),
        Phase(number=3, title="Functions", criteria=(cold, trades)),
    )
    return Plan(phases=phases, benchmarks=(benchmark,))


def _write_lines(path: Path, records: Sequence[object]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))


def clean_content() -> RunContent:
    """A run that ends in GO."""
    measurements = _measurements(cold_p95_ms=1180.0)
    return RunContent(
        manifest=_manifest(),
        evidence=_evidence(measurements, parity=True),
        comparisons=(*_comparisons("trades", 34, 8), *_comparisons("root", 3, 6)),
        differences=_explained(),
        measurements=measurements,
        waivers=_waivers(),
    )


def defective_content() -> RunContent:
    """A run that ends in NO-GO, with a difference of most kinds and one hostile answer."""
    content = clean_content()
    findings = _unexplained()
    broken = {(found.session_id, found.step): found for found in findings}
    measurements = _measurements(cold_p95_ms=2640.0)
    return replace(
        content,
        comparisons=tuple(_broken(record, broken) for record in content.comparisons),
        differences=(*findings, *content.differences),
        measurements=measurements,
        evidence=_evidence(measurements, parity=False),
    )


def _broken(record: ComparisonRecord, broken: dict[tuple[str, int], DifferenceRecord]) -> ComparisonRecord:
    found = broken.get((record.session_id, record.step))
    if found is None:
        return record
    return replace(record, outcome=Outcome(found.outcome.value), signatures=(found.signature,))


def _manifest() -> RunManifest:
    return RunManifest(
        run_id="20260314T092653Z-4f1c2a9",
        environment="local",
        profile="quick",
        commit=COMMIT,
        started_at=STARTED_AT,
        finished_at=STARTED_AT + timedelta(minutes=3, seconds=42),
        command=("parakeet", "verify", "--profile", "quick"),
        versions={"harness": "0.1.0", "python": "3.11.9", "postgresql": "18.0", "fastapi": "0.128.0"},
        seeds={"load": 7, "sessions": 11},
        config_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        rules_sha256="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        machine={"cpu": "2 cores", "memory": "23 GB", "system": "Linux 6.1", "cpu share": "unscaled"},
    )


def _measurements(cold_p95_ms: float) -> tuple[Measurement, ...]:
    source = "measurements.jsonl"
    return (
        Measurement(name="cold_start.p95", subject="trades", value=cold_p95_ms, unit="ms", samples=60,
                    lower=cold_p95_ms * 0.93, upper=cold_p95_ms * 1.11, source=source),
        Measurement(name="latency.p50", subject="legacy", value=6.4, unit="ms", samples=600,
                    lower=6.2, upper=6.6, source=source),
        Measurement(name="latency.p50", subject="target", value=11.8, unit="ms", samples=600,
                    lower=11.4, upper=12.3, source=source),
        Measurement(name="latency.p99", subject="legacy", value=38.0, unit="ms", samples=600,
                    lower=29.0, upper=61.0, source=source),
        Measurement(name="latency.p99", subject="target", value=52.7, unit="ms", samples=600,
                    lower=44.1, upper=97.5, source=source),
    )  # fmt: skip


def _evidence(measurements: Sequence[Measurement], *, parity: bool) -> tuple[CriterionEvidence, ...]:
    def checked(criterion_id: str, *checks: Check, samples: int | None = None, path: str) -> CriterionEvidence:
        return CriterionEvidence(criterion_id=criterion_id, checks=checks, evidence_paths=(path,), samples=samples)

    def measured(criterion_id: str, name: str) -> CriterionEvidence:
        figures = tuple(m for m in measurements if m.name == name)
        return CriterionEvidence(criterion_id=criterion_id, measurements=figures,
                                 evidence_paths=("measurements.jsonl",))  # fmt: skip

    answers = "no unexplained difference" if parity else "7 exchanges differ without an explanation"
    told = (
        checked("P1.1", *(Check(name=name, passed=True) for name in
                ("SQLite up", "SQLite round trip", "PostgreSQL up", "PostgreSQL round trip", "models match")),
                path="migrations.json"),
        checked("P1.2", Check(name="older generation", passed=True, detail="100 of 100 rows"),
                Check(name="newer generation", passed=True, detail="100 of 100 rows"), path="migrate.json"),
        checked("P1.3", Check(name="commits", passed=True), Check(name="rolls back", passed=True),
                Check(name="survives a restart", passed=True), path="session.json"),
        checked("P1.4", Check(name="one fetch", passed=True), path="secrets.json"),
        checked("P1.parity", Check(name="rows equal", passed=True), samples=100, path="rows.json"),
        checked("P3.1.trades", Check(name="size", passed=True, detail="48 MB of 262 MB"), path="artifacts.json"),
        measured("P3.2", "cold_start.p95"),
        checked("P3.3.smoke", Check(name="no failure", passed=True), samples=412, path="load.json"),
        checked("P4.root.parity", Check(name="answers equal", passed=True), samples=18, path="differences.jsonl"),
        checked("P4.trades.parity", Check(name="answers equal", passed=parity, detail=answers),
                samples=272, path="differences.jsonl"),
        checked("P4.trades.state", Check(name="rows equal", passed=parity, detail="" if parity else
                "1 row differs after trades-lifecycle-07 step 3"), samples=272, path="differences.jsonl"),
        measured("P4.latency.p50", "latency.p50"),
        measured("P4.latency.p99", "latency.p99"),
    )  # fmt: skip
    wanted = [criterion.id for phase in load_plan().phases for criterion in phase.criteria if criterion.in_quick]
    rest = [each for each in wanted if each not in {found.criterion_id for found in told}]
    holds = Check(name="it holds", passed=True)
    return (*told, *(checked(each, holds, samples=6, path="differences.jsonl") for each in rest))


def _comparisons(group: str, sessions: int, steps: int) -> tuple[ComparisonRecord, ...]:
    operations = ("POST /api/trades", "GET /api/trades/{trade_id}", "GET /api/trades", "GET /api/trades/metrics")
    records = []
    for session in range(sessions):
        for step in range(1, steps + 1):
            outcome = Outcome.EQUIVALENT if step % 3 == 0 else Outcome.IDENTICAL
            if session % 9 == 4 and step == 5:
                outcome = Outcome.WAIVED
            if session % 11 == 6 and step == 6:
                outcome = Outcome.NOISY
            records.append(ComparisonRecord(
                session_id=f"{group}-lifecycle-{session:02}", group=group, step=step, name=f"step {step}",
                operation="GET /" if group == "root" else operations[step % 4], outcome=outcome,
                waivers=("W-Q4-nul",) if outcome is Outcome.WAIVED else (),
            ))  # fmt: skip
    return tuple(records)


def _finding(number: int, pointer: str, kind: DifferenceKind, legacy: str | None, target: str | None,
             **changes: object) -> DifferenceRecord:  # fmt: skip
    operation = str(changes.pop("operation", "GET /api/trades/{trade_id}"))
    url = "/api/trades/{}?sort=entry_date&limit=50"
    found = DifferenceRecord(
        id=f"d{number:04}", session_id=f"trades-lifecycle-{number:02}", group="trades", step=3,
        name="read it back", operation=operation, facet=Facet.BODY, pointer=pointer, kind=kind,
        legacy=legacy, target=target, outcome=DifferenceOutcome.DIFFERENT,
        signature=f"{operation} {pointer} {kind.value}",
        curl_legacy=f"curl -sS -X GET 'http://127.0.0.1:18000{url.format(110)}' -H 'Authorization: Bearer $TOKEN'",
        curl_target=f"curl -sS -X GET 'http://127.0.0.1:18080{url.format(111)}' -H 'Authorization: Bearer $TOKEN'",
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def _unexplained() -> tuple[DifferenceRecord, ...]:
    long_text = '"' + "A note about the position. " * 90
    return (
        _finding(1, "", DifferenceKind.VALUE, "422", "500", facet=Facet.STATUS, operation="POST /api/trades"),
        _finding(2, "/trades/0/quantity", DifferenceKind.REPRESENTATION, "10.0", "10"),
        _finding(3, "/trades/0/quantity", DifferenceKind.REPRESENTATION, "2.0", "2"),
        _finding(5, "/trades/0/entry_date", DifferenceKind.VALUE, '"2025-11-03T00:00:00"', '"2025-11-04T00:00:00"'),
        _finding(7, "/trades/31/notes", DifferenceKind.VALUE, '"2025-11-03T10:00:00"', '"2025-11-03T10:00:00Z"',
                 facet=Facet.ROW, name="close the trade", operation="POST /api/trades/{trade_id}/close"),
        _finding(8, "/notes", DifferenceKind.VALUE, long_text + 'end"', long_text + 'END"'),
        _finding(9, "/asset_name", DifferenceKind.MISSING, '"' + HOSTILE + '"', None),
        _finding(10, "/pnl", DifferenceKind.TYPE, "null", '"0.0"', waiver="W-Q4-nul",
                 outcome=DifferenceOutcome.CASCADED),
    )  # fmt: skip


def _explained() -> tuple[DifferenceRecord, ...]:
    return (
        _finding(4, "", DifferenceKind.VALUE, "500", "422", facet=Facet.STATUS, waiver="W-Q4-nul",
                 outcome=DifferenceOutcome.WAIVED, operation="POST /api/trades"),
        _finding(6, "/generated_at", DifferenceKind.CLOCK, '"2026-03-14T09:27:11"', '"2026-03-14T09:27:12"',
                 outcome=DifferenceOutcome.NOISY, operation="GET /api/trades/metrics"),
    )  # fmt: skip


def _waivers() -> tuple[WaiverRecord, ...]:
    return (
        WaiverRecord(id="W-Q4-nul", quirk="Q4", reason="The legacy stores a NUL byte and then cannot read it.",
                     owner="backend lead", expires_on=date(2027, 2, 4), pattern="POST /api/trades", hits=4),
        WaiverRecord(id="W-Q11-order", quirk="Q11", reason="Pages of equal dates are cut at random by the legacy.",
                     owner="backend lead", expires_on=date(2026, 4, 2), pattern="GET /api/trades", hits=0),
    )  # fmt: skip
