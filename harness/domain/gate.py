"""The decision: what the criteria say together, by phase and as a whole."""

from collections.abc import Iterable, Mapping

from harness.domain.criterion import (
    CriterionResult,
    Decision,
    PhaseDecision,
    ReadinessDecision,
    Verdict,
)
from harness.domain.difference import Outcome
from harness.domain.errors import ExitCode
from harness.domain.findings import ComparisonRecord
from harness.domain.phase import Phase, Plan, Scope

EXIT_CODES: Mapping[Decision, ExitCode] = {
    Decision.GO: ExitCode.GO,
    Decision.NO_GO: ExitCode.NO_GO,
    Decision.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


def decide(results: Iterable[CriterionResult]) -> Decision:
    """Any required FAIL is NO_GO; else any other required verdict but PASS is INCONCLUSIVE; else GO.

    Nothing required is INCONCLUSIVE: an empty list has shown nothing. A worse verdict never gives a better decision.
    """
    return _decide_verdicts({result.verdict for result in results if result.is_required})


def decide_phases(plan: Plan, results: Mapping[str, CriterionResult], scope: Scope) -> ReadinessDecision:
    """The whole decision over what the scope requires, and each phase's over all that this environment can settle.

    So a phase with criteria that the profile leaves out reads INCONCLUSIVE, and the run can still be GO.

    Raises:
        KeyError: a criterion of the plan has no result.
    """
    return ReadinessDecision(
        environment=scope.environment,
        profile=scope.profile,
        decision=decide(results[criterion.id] for criterion in plan.criteria),
        phases=tuple(_decide_phase(phase, results, scope) for phase in plan.phases),
    )


def decide_replay(comparisons: Iterable[ComparisonRecord]) -> Decision:
    """The decision of a run without criteria: any unexplained difference is NO_GO, nothing comparable INCONCLUSIVE."""
    outcomes = {comparison.outcome for comparison in comparisons}
    if Outcome.DIFFERENT in outcomes:
        return Decision.NO_GO
    return Decision.GO if outcomes - {Outcome.NOT_COMPARABLE} else Decision.INCONCLUSIVE


def _decide_phase(phase: Phase, results: Mapping[str, CriterionResult], scope: Scope) -> PhaseDecision:
    criteria = tuple(results[criterion.id] for criterion in phase.criteria)
    can_settle = {criterion.id for criterion in phase.criteria if scope.can_settle(criterion)}
    verdicts = {result.verdict for result in criteria if result.id in can_settle}
    return PhaseDecision(phase=phase.number, title=phase.title, decision=_decide_verdicts(verdicts), criteria=criteria)


def _decide_verdicts(verdicts: set[Verdict]) -> Decision:
    if Verdict.FAIL in verdicts:
        return Decision.NO_GO
    return Decision.GO if verdicts == {Verdict.PASS} else Decision.INCONCLUSIVE
