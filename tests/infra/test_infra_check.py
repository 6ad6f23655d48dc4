"""`parakeet infra check` against the real Terraform: what it finds sound, and that planted defects are found."""

import os
import shutil
from pathlib import Path

import pytest

from harness.cli.infra import exit_code
from harness.domain.criterion import Check
from harness.domain.errors import ExitCode, SystemUnavailable
from harness.staging.infra_check import InfraReport
from harness.wiring.infra import run_infra_check

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"

needs_terraform = [
    pytest.mark.terraform,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("terraform"),
    pytest.mark.skipif(
        shutil.which("terraform") is None or "TF_PLUGIN_DIR" not in os.environ,
        reason="needs terraform on PATH and a provider mirror in TF_PLUGIN_DIR",
    ),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform")))


class TestWithTerraform:
    pytestmark = needs_terraform

    async def test_the_project_applies_reads_back_as_defined_and_is_destroyed(self) -> None:
        steps: list[str] = []
        report = await run_infra_check(progress=steps.append)
        failed = [check for checks in report.checks.values() for check in checks if not check.passed]
        assert failed == []
        assert exit_code(report) == ExitCode.GO
        assert [step for step in steps if step.startswith("terraform ")] == [
            f"terraform {command}"
            for command in ("init", "fmt", "validate", "test", "plan", "apply", "plan", "destroy")
        ]
        assert {evidence.criterion_id for evidence in report.evidence()} == {"P1.5", "P1.6", "P1.7"}
        assert report.duration_s < 240

    async def test_planted_defects_are_found_each_under_its_criterion(self, copy: Path) -> None:
        _edit(copy / "modules/bucket/main.tf", "block_public_acls       = true", "block_public_acls       = false")
        _edit(copy / "modules/bucket/main.tf", '"aws:SecureTransport" = "false"', '"aws:SecureTransport" = "true"')
        _remove_block(copy / "modules/bucket/main.tf", 'resource "aws_s3_bucket_lifecycle_configuration"')
        _edit(copy / "modules/function/main.tf", '["${local.log_group_arn}:*"]', '["*"]')
        _edit(copy / "modules/function/main.tf", '"lambda.amazonaws.com"', '"ec2.amazonaws.com"')
        _edit(copy / "modules/function/alarms.tf", "  alarm_actions       = [var.alarm_topic_arn]\n", "")
        _drop_tests(copy)
        report = await run_infra_check(copy)
        assert exit_code(report) == ExitCode.NO_GO
        assert _failed(report, "P1.5") == {"trades has its alarms, and each reaches a topic that exists"}
        assert {name.partition(" ")[2] for name in _failed(report, "P1.6")} == {
            "moves objects to STANDARD_IA after 30 and GLACIER_IR after 90 days",
            "blocks public access four times over",
            "refuses plain HTTP",
        }
        assert _failed(report, "P1.7") == {
            "only Lambda may take the role of trades",
            "the role of trades grants named actions on named resources",
        }

    async def test_a_plan_that_never_settles_is_found(self, copy: Path) -> None:
        _remove_block(copy / "modules/bucket/main.tf", 'resource "aws_s3_bucket_lifecycle_configuration"')
        _edit(copy / "api_gateway.tf", '"HTTP API of the target"', '"At ${timestamp()}"')
        _drop_tests(copy)
        report = await run_infra_check(copy)
        assert _failed(report, "P1.5") == {"second plan has no changes"}
        assert [check.passed for check in report.checks["P1.6"]] == [None], "what was not read back is not passed"

    async def test_files_that_are_not_formatted_or_not_valid_fail_before_anything_is_applied(self, copy: Path) -> None:
        _edit(copy / "outputs.tf", "aws_sns_topic.alarms.arn", "aws_sns_topic.nosuch.arn")
        _edit(copy / "outputs.tf", "  value       = ", "  value =     ")
        _drop_tests(copy)
        report = await run_infra_check(copy)
        assert {"files are formatted", "files are valid"} <= _failed(report, "P1.5")
        assert any("outputs.tf line" in check.detail for check in report.checks["P1.5"])
        assert "apply" not in {check.name for check in report.checks["P1.5"]}

    async def test_a_mirror_without_the_provider_is_inconclusive(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TF_PLUGIN_DIR", str(tmp_path))
        with pytest.raises(SystemUnavailable, match="hashicorp/aws") as raised:
            await run_infra_check()
        assert raised.value.exit_code == ExitCode.INCONCLUSIVE


async def test_without_terraform_it_is_inconclusive_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemUnavailable, match=r"Install Terraform 1\.7"):
        await run_infra_check()


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([True, True], ExitCode.GO),
        ([True, None], ExitCode.INCONCLUSIVE),
        ([True, None, False], ExitCode.NO_GO),
    ],
)
def test_the_exit_code_is_that_of_the_worst_check(outcomes: list[bool | None], expected: ExitCode) -> None:
    checks = tuple(Check(name="a check", passed=passed) for passed in outcomes)
    assert exit_code(InfraReport(checks={"P1.5": checks}, duration_s=1.0)) == expected


def _failed(report: InfraReport, criterion: str) -> set[str]:
    return {check.name for check in report.checks[criterion] if check.passed is False}


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is no longer in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def _remove_block(file: Path, start: str) -> None:
    before, _, rest = file.read_text(encoding="utf-8").partition(start)
    assert rest
    file.write_text(before.rstrip("\n") + rest.partition("\n}\n")[2], encoding="utf-8")


def _drop_tests(copy: Path) -> None:
    """The planted defects are not what the validations are about, and plans take seconds."""
    shutil.rmtree(copy / "tests")
