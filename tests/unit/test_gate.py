"""The decision: required failures, open criteria, profiles and selections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.criterion import Criterion, CriterionResult, Decision, Verdict
from harness.domain.gate import decide, decide_phases
from harness.domain.phase import Phase, Plan, Scope

ORDER = [Decision.NO_GO, Decision.INCONCLUSIVE, Decision.GO]
BETTER = {Verdict.FAIL: 0, Verdict.ERROR: 1, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}
verdicts = st.sampled_from(list(Verdict))


def result(number: int, verdict: Verdict, *, is_required: bool = True) -> CriterionResult:
    return CriterionResult(id=f"C{number}", title="", verdict=verdict, is_required=is_required)


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        ([], Decision.INCONCLUSIVE),
        ([Verdict.PASS], Decision.GO),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], Decision.INCONCLUSIVE),
        ([Verdict.PASS, Verdict.ERROR], Decision.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.PASS], Decision.NO_GO),
    ],
)
def test_the_worst_required_verdict_decides(found: list[Verdict], decision: Decision) -> None:
    assert decide(result(n, verdict) for n, verdict in enumerate(found)) is decision


def test_what_is_not_required_does_not_decide() -> None:
    assert decide([result(1, Verdict.PASS), result(2, Verdict.FAIL, is_required=False)]) is Decision.GO
    assert decide([result(1, Verdict.PASS, is_required=False)]) is Decision.INCONCLUSIVE


@given(st.lists(st.tuples(verdicts, st.booleans()), min_size=1), st.data())
def test_a_worse_verdict_never_gives_a_better_decision(found: list[tuple[Verdict, bool]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(found) - 1))
    worse = data.draw(st.sampled_from([v for v in Verdict if BETTER[v] <= BETTER[found[index][0]]]))
    before = [result(n, verdict, is_required=required) for n, (verdict, required) in enumerate(found)]
    after = [*before[:index], result(index, worse, is_required=found[index][1]), *before[index + 1 :]]
    assert ORDER.index(decide(after)) <= ORDER.index(decide(before))


def plan() -> Plan:
    quick = Criterion(id="P1.1", phase=1, title="quick", probe="p", in_quick=True)
    slow = Criterion(id="P1.2", phase=1, title="slow", probe="p")
    aws = Criterion(id="P2.aws", phase=2, title="aws", probe="p", needs_aws=True)
    other = Criterion(id="P2.other", phase=2, title="other", probe="p", in_quick=True)
    return Plan(
        phases=(
            Phase(number=1, title="One", criteria=(quick, slow)),
            Phase(number=2, title="Two", criteria=(aws, other)),
        )
    )


def decided(scope: Scope, open_ids: set[str]) -> tuple[Decision, dict[int, Decision]]:
    results = {
        criterion.id: CriterionResult(
            id=criterion.id,
            title=criterion.title,
            verdict=Verdict.INCONCLUSIVE if criterion.id in open_ids else Verdict.PASS,
            is_required=scope.requires(criterion),
        )
        for criterion in plan().criteria
    }
    decision = decide_phases(plan(), results, scope)
    return decision.decision, {phase.phase: phase.decision for phase in decision.phases}


def test_quick_can_be_go_while_a_phase_with_left_out_criteria_stays_inconclusive() -> None:
    decision, phases = decided(Scope(environment="local", profile="quick"), {"P1.2", "P2.aws"})
    assert decision is Decision.GO
    assert phases == {1: Decision.INCONCLUSIVE, 2: Decision.GO}


def test_full_requires_what_quick_leaves_out() -> None:
    decision, _ = decided(Scope(environment="local", profile="full"), {"P1.2"})
    assert decision is Decision.INCONCLUSIVE


def test_what_needs_aws_blocks_staging_and_not_local() -> None:
    assert decided(Scope(environment="local", profile="full"), {"P2.aws"})[0] is Decision.GO
    staging, phases = decided(Scope(environment="staging", profile="full"), {"P2.aws"})
    assert staging is Decision.INCONCLUSIVE
    assert phases[2] is Decision.INCONCLUSIVE


def test_a_selected_phase_decides_alone() -> None:
    scope = Scope(environment="local", profile="full", phases=frozenset({2}))
    assert decided(scope, {"P1.1", "P1.2", "P2.aws"})[0] is Decision.GO


def test_a_criterion_asked_for_by_name_is_required_in_any_profile() -> None:
    scope = Scope(environment="local", profile="quick", criterion_ids=frozenset({"P1.2"}))
    assert decided(scope, {"P1.2"})[0] is Decision.INCONCLUSIVE
    assert decided(scope, {"P1.1", "P2.other"})[0] is Decision.GO


def test_an_id_prefix_finds_all_its_criteria() -> None:
    assert [c.id for c in plan().find_criteria("P2")] == ["P2.aws", "P2.other"]
    assert [c.id for c in plan().find_criteria("P1.1")] == ["P1.1"]
    assert plan().find_criteria("P9") == ()
