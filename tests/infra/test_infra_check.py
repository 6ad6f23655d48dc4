"""`parakeet infra check` against the real Terraform: what it finds sound, and that planted defects are found."""

import json
import os
import shutil
from pathlib import Path

import pytest

from harness.cli.infra import exit_code
from harness.domain.cloud import CloudDefinition
from harness.domain.criterion import Check
from harness.domain.errors import ExitCode, SystemUnavailable
from harness.staging.aws import LocalAws
from harness.staging.definition import load_definition
from harness.staging.infra_check import InfraReport, InfraRun, check_infrastructure
from harness.staging.terraform_workspace import TerraformWorkspace
from harness.wiring.infra import plugin_dir, run_infra_check

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"

_SMALL = """\
variable "artifacts_directory" {
  type = string
}

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

resource "terraform_data" "packages" {
  input = var.artifacts_directory
}

"""

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
def small(tmp_path: Path) -> Path:
    """A root with nothing but what the check needs of one: seconds to apply, where the project takes a minute."""
    directory = tmp_path / "terraform"
    (directory / "environments").mkdir(parents=True)
    (directory / "environments" / "local.tfvars").write_text("", encoding="utf-8")
    shutil.copy(TERRAFORM / ".terraform.lock.hcl", directory)
    (directory / "main.tf").write_text(_SMALL, encoding="utf-8")
    return directory


class TestWithTerraform:
    pytestmark = needs_terraform

    async def test_the_project_applies_planted_defects_are_found_and_destroy_is_clean(self, tmp_path: Path) -> None:
        """One apply for all: it is mostly a wait for lifecycle rules."""
        definition, aws = load_definition(TERRAFORM), LocalAws(tmp_path / "moto.log")
        await aws.start()
        try:
            workspace = TerraformWorkspace.copy(
                TERRAFORM, tmp_path, definition=definition, plugin_dir=plugin_dir(), endpoint=aws.endpoint
            )
            run = InfraRun(workspace, aws, definition, lambda _: None)
            assert await run.check_files(), run.report()
            assert await run.apply(), run.report()
            await run.read_back()
            assert [found for checks in run.report().values() for found in checks if not found.passed] == []

            _plant_defects(aws, definition)
            second = InfraRun(workspace, aws, definition, lambda _: None)
            await second.read_back()
            _require_found(InfraReport(checks=second.report(), duration_s=0.0))

            await run.destroy()
            report = InfraReport(checks=run.report(), duration_s=0.0)
            assert exit_code(report) == ExitCode.GO, report
            assert "destroy leaves nothing" in {check.name for check in report.checks["P1.5"]}
            assert {evidence.criterion_id for evidence in report.evidence()} == {"P1.5", "P1.6", "P1.7"}
        finally:
            await aws.stop()

    async def test_a_plan_that_never_settles_is_found(self, small: Path, tmp_path: Path) -> None:
        (small / "main.tf").write_text(_SMALL + 'resource "terraform_data" "now" {\n  input = timestamp()\n}\n')
        report = await _check(small, tmp_path / "work")
        assert _failed(report, "P1.5") == {"second plan has no changes"}
        assert [check.passed for check in report.checks["P1.6"]] == [None], "what was not read back is not passed"

    async def test_files_that_are_not_formatted_or_not_valid_fail_before_anything_is_applied(
        self, small: Path, tmp_path: Path
    ) -> None:
        (small / "outputs.tf").write_text('output "topic" {\n  value =  aws_sns_topic.nosuch.arn\n}\n')
        report = await _check(small, tmp_path / "work")
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


async def _check(directory: Path, work: Path) -> InfraReport:
    return await check_infrastructure(directory, work, definition=load_definition(TERRAFORM), plugin_dir=plugin_dir())


def _plant_defects(aws: LocalAws, definition: CloudDefinition) -> None:
    """What somebody might do by hand in a console: the files stay right, the cloud does not."""
    s3, iam, bucket = aws.client("s3"), aws.client("iam"), definition.bucket("cache").name
    trades = definition.function("trades")
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={"BlockPublicAcls": False, "IgnorePublicAcls": True, "BlockPublicPolicy": True,
                                        "RestrictPublicBuckets": True},
    )  # fmt: skip
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=trades.role, PolicyName="least-privilege", PolicyDocument=json.dumps(wide))
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_assume_role_policy(RoleName=trades.role, PolicyDocument=document)
    aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{trades.name}-throttles"])
    aws.client("lambda").put_function_concurrency(FunctionName=trades.name, ReservedConcurrentExecutions=7)


def _require_found(report: InfraReport) -> None:
    assert exit_code(report) == ExitCode.NO_GO
    assert _failed(report, "P1.5") == {
        "trades has its alarms, and each reaches a topic that exists",
        "trades is applied as the local cloud runs it",
    }
    assert _failed(report, "P1.6") == {
        "cache moves objects to STANDARD_IA after 30 and GLACIER_IR after 90 days",
        "cache blocks public access four times over",
        "cache refuses plain HTTP",
    }
    assert _failed(report, "P1.7") == {
        "only Lambda may take the role of trades",
        "the role of trades grants named actions on named resources",
        "the role of trades is the one that the local cloud judges by",
    }


def _failed(report: InfraReport, criterion: str) -> set[str]:
    return {check.name for check in report.checks[criterion] if check.passed is False}
