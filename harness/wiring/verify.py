"""`parakeet verify`: both systems up, evidence gathered for the criteria asked for, decided, reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec

from harness.adapters.evidence_files import load_manifest
from harness.adapters.evidence_store import EvidenceStore, open_run, resume_run, write_atomically
from harness.adapters.http import utc_now
from harness.adapters.sqlite_reader import require_sqlite_file
from harness.domain.compare.rules import Rules
from harness.domain.criterion import Criterion, CriterionEvidence, CriterionResult, ReadinessDecision
from harness.domain.errors import ConfigurationError
from harness.domain.evaluate import EvaluationContext, error_result, evaluate_criterion
from harness.domain.evidence import MEASUREMENTS_FILE
from harness.domain.gate import decide_phases
from harness.domain.phase import LOCAL_ENVIRONMENT, Plan, Scope
from harness.engine.pipeline import Evidences, Gathered, Hooks, Probe, gather_evidence
from harness.settings import Settings
from harness.wiring.manifest import RunInputs, Selection, current_commit, new_manifest
from harness.wiring.pair import PairOptions, running_pair
from harness.wiring.paths import artifacts_directory, require_own_systems
from harness.wiring.plan import judged_plan
from harness.wiring.probes import (
    artifact_parity,
    artifacts,
    cache,
    cold_start,
    data_migration,
    fuzz,
    infra,
    ingest,
    isolation,
    latency,
    load,
    load_smoke,
    migrations,
    objects,
    routes,
    row_parity,
    secrets,
    session,
    variables,
)
from harness.wiring.probes.context import ProbeContext
from harness.wiring.probes.parity import SessionReplay
from harness.wiring.report import load_stored_decision, render_all, save_decision
from harness.wiring.rules import load_waivers, rules_of_today, waiver_file
from scenarios.criteria import CRITERIA_FILE

_KEPT = ".resume/{name}.msgpack"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to verify; empty selections mean everything, `out` None a new directory under `artifacts/`."""

    profile: str = "full"
    phases: frozenset[int] = frozenset()
    criteria: tuple[str, ...] = ()
    environment: str = LOCAL_ENVIRONMENT
    out: Path | None = None
    is_resumed: bool = False
    legacy_db: Path | None = None
    command: tuple[str, ...] = ("parakeet", "verify")
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came out: the decision and the files that say so."""

    decision: ReadinessDecision
    run_directory: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    request: VerifyRequest
    settings: Settings
    plan: Plan
    scope: Scope
    rules: Rules
    store: EvidenceStore


async def verify(request: VerifyRequest, settings: Settings) -> Verified:
    """Gathers what the selected criteria need, decides, and renders every report format.

    Raises:
        ConfigurationError: an unknown phase, criterion or environment, unusable waivers, or a run directory that
            cannot be used; or the systems cannot be started as configured. Nothing is left behind.
        SystemUnavailable: the systems did not start; the run can be resumed.
    """
    require_own_systems()
    plan = judged_plan()
    if request.is_resumed:
        request = _as_it_was(request)
    scope = _scope(request, plan, settings)
    rules = rules_of_today(load_waivers(None), settings.rows)
    if request.legacy_db is not None:
        require_sqlite_file(request.legacy_db)
    store = _open_store(request)
    try:
        run = _Run(request=request, settings=settings, plan=plan, scope=scope, rules=rules, store=store)
        await _gather_and_decide(run)
    except ConfigurationError:
        if not request.is_resumed:
            store.discard()
        raise
    finally:
        store.close()
    files = render_all(store.directory)
    return Verified(decision=load_stored_decision(store.directory, plan), run_directory=store.directory, files=files)


async def _gather_and_decide(run: _Run) -> None:
    required = tuple(criterion for criterion in run.plan.criteria if run.scope.requires(criterion))
    run.store.update_manifest(required_criteria=tuple(criterion.id for criterion in required))
    gathered = await _gather(run, required)
    measured = dict.fromkeys(m for found in gathered.evidence.values() for m in found.measurements)
    run.store.write_lines(MEASUREMENTS_FILE, measured)
    context = EvaluationContext(scope=run.scope, commit=current_commit(), judged_at=utc_now())
    results = {criterion.id: _result(criterion, gathered, context) for criterion in run.plan.criteria}
    save_decision(run.store.directory, decide_phases(run.plan, results, run.scope))
    run.store.finish(utc_now())


async def _gather(run: _Run, required: Sequence[Criterion]) -> Gathered:
    request, store = run.request, run.store
    options = PairOptions(settings=run.settings, legacy_db=request.legacy_db, on_progress=request.tell)
    async with running_pair(options) as pair:
        store.update_manifest(notes=pair.cloud.notes)
        context = ProbeContext(
            pair=pair,
            store=store,
            run_directory=store.directory,
            settings=run.settings,
            rules=run.rules,
            tell=request.tell,
        )
        return await gather_evidence(_probes(context, required), required, _hooks(run))


def _probes(context: ProbeContext, required: Sequence[Criterion]) -> tuple[Probe, ...]:
    """In the order in which they run: what needs a quiet, fresh system first, what writes a lot last."""
    replayed = SessionReplay(context, required)
    return (
        Probe(name="row_parity", title="comparing rows", gather=partial(row_parity.gather, context)),
        Probe(name="answer_parity", title="replaying sessions", gather=replayed.gather_answers),
        Probe(name="state_parity", title="judging rows", gather=replayed.gather_state),
        Probe(name="migrations", title="round trip of the migrations", gather=partial(migrations.gather, context)),
        Probe(
            name="data_migration", title="migrating both generations", gather=partial(data_migration.gather, context)
        ),
        Probe(name="cold_start", title="cold starts", gather=partial(cold_start.gather, context)),
        Probe(name="latency", title="latency, open loop", gather=partial(latency.gather, context)),
        Probe(name="load_smoke", title="load", gather=partial(load_smoke.gather, context)),
        Probe(name="load", title="load, ramped", gather=partial(load.gather, context)),
        Probe(name="secrets", title="secrets", gather=partial(secrets.gather, context)),
        Probe(name="session", title="transactions and a restart", gather=partial(session.gather, context)),
        Probe(name="ingest", title="daily ingest", gather=partial(ingest.gather, context)),
        Probe(name="objects", title="caches of both sides", gather=partial(objects.gather, context)),
        Probe(name="cache", title="reads of the cache", gather=partial(cache.gather, context)),
        Probe(name="fuzz", title="fuzzing by the API's document", gather=partial(fuzz.gather, context)),
        Probe(name="isolation", title="concurrent histories", gather=partial(isolation.gather, context)),
        Probe(name="artifacts", title="artifacts", gather=partial(artifacts.gather, context)),
        Probe(name="routes", title="routes to functions", gather=partial(routes.gather, context)),
        Probe(
            name="artifact_parity", title="source against artifacts", gather=partial(artifact_parity.gather, context)
        ),
        Probe(name="variables", title="variables", gather=partial(variables.gather, context)),
        Probe(name="infra", title="Terraform against moto", gather=partial(infra.gather, context)),
    )


def _result(criterion: Criterion, gathered: Gathered, context: EvaluationContext) -> CriterionResult:
    error = gathered.errors.get(criterion.id)
    if error is not None:
        return error_result(criterion, error, context)
    return evaluate_criterion(criterion, gathered.evidence.get(criterion.id), context)


def _scope(request: VerifyRequest, plan: Plan, settings: Settings) -> Scope:
    known = {phase.number for phase in plan.phases}
    unknown = sorted(request.phases - known)
    if unknown:
        hint = f"Choose from {', '.join(map(str, sorted(known)))}, or all."
        raise ConfigurationError(f"there is no phase {', '.join(map(str, unknown))}", where="--phase", hint=hint)
    if request.environment != LOCAL_ENVIRONMENT:
        _refuse_environment(request.environment, settings)
    return Scope(
        environment=request.environment,
        profile=request.profile,
        phases=request.phases,
        criterion_ids=frozenset(found for wanted in request.criteria for found in _criterion_ids(plan, wanted)),
    )


def _criterion_ids(plan: Plan, wanted: str) -> tuple[str, ...]:
    found = tuple(criterion.id for criterion in plan.find_criteria(wanted))
    if not found:
        hint = "`parakeet phases` lists them."
        raise ConfigurationError(f"there is no criterion {wanted}", where="--criterion", hint=hint)
    return found


def _refuse_environment(name: str, settings: Settings) -> None:
    if name in settings.environments:
        hint = "Use `parakeet replay` against its address; a whole verification runs on `local` so far."
        raise ConfigurationError(f"the environment {name} cannot be verified as a whole yet", hint=hint)
    known = ", ".join(sorted({LOCAL_ENVIRONMENT, *settings.environments}))
    raise ConfigurationError(f"there is no environment {name}", where="--environment", hint=f"Known: {known}.")


def _as_it_was(request: VerifyRequest) -> VerifyRequest:
    """The request of the run that is resumed: what it was asked for is not asked again."""
    directory = request.out or _latest_run()
    manifest = load_manifest(directory)
    return replace(
        request,
        profile=manifest.profile,
        phases=frozenset(manifest.selected_phases),
        criteria=manifest.selected_criteria,
        environment=manifest.environment,
        legacy_db=Path(manifest.legacy_db) if manifest.legacy_db else None,
        out=directory,
    )


def _open_store(request: VerifyRequest) -> EvidenceStore:
    if request.is_resumed and request.out is not None:
        return resume_run(request.out)
    rules = tuple(path for path in (waiver_file(None), CRITERIA_FILE) if path is not None)
    inputs = RunInputs(command=request.command, environment=request.environment, profile=request.profile, rules=rules)
    selected = Selection(
        phases=tuple(sorted(request.phases)),
        criteria=request.criteria,
        legacy_db="" if request.legacy_db is None else str(request.legacy_db.resolve()),
    )
    manifest = new_manifest(inputs, utc_now(), selected)
    return open_run(request.out or artifacts_directory() / manifest.run_id, manifest)


def _latest_run() -> Path:
    runs = sorted(path.parent for path in artifacts_directory().glob("*/manifest.json"))
    if not runs:
        raise ConfigurationError(
            "there is no run to resume", where=str(artifacts_directory()), hint="Leave out --resume."
        )
    return runs[-1]


def _hooks(run: _Run) -> Hooks:
    """A probe's evidence is kept in a file, so that a resumed run need not gather it again."""
    store, tell = run.store, run.request.tell

    def recall(name: str) -> Evidences | None:
        if name not in store.finished_stages:
            return None
        content = (store.directory / _KEPT.format(name=name)).read_bytes()
        return tuple(msgspec.msgpack.decode(content, type=list[CriterionEvidence]))

    def remember(name: str, evidence: Evidences) -> None:
        # Stamped, so that a run resumed on another commit finds it foreign.
        commit, now = current_commit(), utc_now()
        kept = store.directory / _KEPT.format(name=name)
        kept.parent.mkdir(exist_ok=True)
        # MessagePack, since a failure's latency is infinite, which JSON cannot say.
        stamped = [
            replace(item, environment=run.scope.environment, commit=commit, recorded_at=now) for item in evidence
        ]
        write_atomically(kept, msgspec.msgpack.encode(stamped))
        store.mark_stage(name)

    return Hooks(
        recall=recall,
        remember=remember,
        on_start=lambda probe: tell(probe.title),
        on_end=lambda probe, seconds: tell(f"{probe.title}: done in {seconds:.1f} s"),
    )
