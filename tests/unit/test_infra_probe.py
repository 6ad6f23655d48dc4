"""P1.7: what the functions called decides, and no call at all is no proof."""

import pytest

from harness.staging.iam.authoriser import JudgedCall
from harness.staging.iam.evaluate import Judgement, Ruling
from harness.wiring.probes.infra import judge_calls


def _call(judgement: Judgement) -> JudgedCall:
    ruling = Ruling(judgement=judgement)
    return JudgedCall(role="role", action="s3:GetObject", resource="arn:aws:s3:::a/b", ruling=ruling)


@pytest.mark.parametrize(
    ("calls", "passed"),
    [
        ([], False),
        ([Judgement.ALLOWED], True),
        ([Judgement.ALLOWED, Judgement.IMPLICITLY_DENIED], False),
        ([Judgement.UNKNOWN], False),
    ],
)
def test_every_call_has_to_be_allowed(calls: list[Judgement], passed: bool) -> None:
    check = judge_calls(_call(judgement) for judgement in calls)
    assert check.passed is passed
    assert ("s3:GetObject" in check.detail) is (bool(calls) and not passed)
