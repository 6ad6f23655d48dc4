"""A run directory brought up to date after its exchanges were judged: its decision, then its report files."""

from dataclasses import replace
from pathlib import Path

from harness.adapters.http import utc_now
from harness.domain.compare.rules import Rules
from harness.domain.criterion import Criterion, CriterionResult
from harness.domain.evaluate import EvaluationContext, evaluate_criterion
from harness.domain.evidence import DECISION_FILE, RunManifest
from harness.domain.gate import decide_phases
from harness.domain.phase import REPLAY_PROFILE, Plan, Scope
from harness.wiring.judgement import Judgement
from harness.wiring.plan import judged_plan
from harness.wiring.probes.parity import PROBES_OF_ROWS, parity_evidence
from harness.wiring.report import load_stored_decision, render_all, save_decision
from reports.run_directory import load_manifest


def render_judged(run_dir: Path, judgement: Judgement, rules: Rules) -> tuple[Path, ...]:
    """Renders every report format after a judgement; of a verification, the parity criteria are decided again.

    A verification that was cut off has no decision yet: nothing is rendered then.

    Raises:
        EvidenceError: the manifest or the decision is corrupt or of another version.
    """
    manifest = load_manifest(run_dir)
    if manifest.profile != REPLAY_PROFILE:
        if not (run_dir / DECISION_FILE).is_file():
            return ()
        _decide_again(run_dir, manifest, judgement, rules)
    return render_all(run_dir)


def _decide_again(run_dir: Path, manifest: RunManifest, judgement: Judgement, rules: Rules) -> None:
    plan = judged_plan()
    stored = load_stored_decision(run_dir, plan)
    scope = scope_of(manifest, plan)
    context = EvaluationContext(scope=scope, commit=manifest.commit, judged_at=utc_now())
    results = {result.id: result for phase in stored.phases for result in phase.criteria}
    for criterion in plan.criteria:
        known = results.get(criterion.id)
        if known is None:
            results[criterion.id] = evaluate_criterion(criterion, None, context)
        elif known.is_required and criterion.probe in PROBES_OF_ROWS:
            results[criterion.id] = _judge_parity(criterion, judgement, rules, context)
    save_decision(run_dir, decide_phases(plan, results, scope))


def _judge_parity(
    criterion: Criterion, judgement: Judgement, rules: Rules, context: EvaluationContext
) -> CriterionResult:
    rows = PROBES_OF_ROWS[criterion.probe or ""]
    result = evaluate_criterion(criterion, parity_evidence(judgement, criterion, rules, rows=rows), context)
    return replace(result, is_required=True)


def scope_of(manifest: RunManifest, plan: Plan) -> Scope:
    """What the run had to decide."""
    chosen = (criterion.id for wanted in manifest.selected_criteria for criterion in plan.find_criteria(wanted))
    return Scope(
        environment=manifest.environment,
        profile=manifest.profile,
        phases=frozenset(manifest.selected_phases),
        criterion_ids=frozenset(chosen),
    )
