"""Terraform applied for real, against moto: what it creates is read back from the API, then destroyed again."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from harness.domain.cloud import CloudDefinition
from harness.domain.criterion import Check, CriterionEvidence
from harness.staging.aws import LocalAws
from harness.staging.infra_buckets import check_buckets
from harness.staging.infra_functions import check_functions
from harness.staging.infra_roles import check_roles
from harness.staging.terraform_workspace import TerraformWorkspace

_STEP_TIMEOUT_S = 240.0
_PACKAGES = "-var=artifacts_directory=../packages"
_VARIABLES = ("-var-file=environments/local.tfvars", _PACKAGES)

Progress = Callable[[str], None]
_Reader = Callable[[Callable[[str], Any], CloudDefinition], list[Check]]
_READERS: Mapping[str, _Reader] = {"P1.5": check_functions, "P1.6": check_buckets, "P1.7": check_roles}


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraReport:
    """What was found, by the criterion that it is evidence for."""

    checks: Mapping[str, tuple[Check, ...]]
    duration_s: float

    def evidence(self) -> tuple[CriterionEvidence, ...]:
        """The same, as the gate judges it."""
        return tuple(
            CriterionEvidence(criterion_id=criterion, checks=checks) for criterion, checks in self.checks.items()
        )


async def check_infrastructure(
    terraform_dir: Path,
    work_dir: Path,
    *,
    definition: CloudDefinition,
    plugin_dir: Path | None,
    progress: Progress = lambda _: None,
) -> InfraReport:
    """Formats, validates, tests, plans, applies, plans again, reads back and destroys; about two minutes.

    Works in a copy under `work_dir`, which must be empty or absent; nothing of `terraform_dir` is changed, and
    no real AWS is ever called. A step that fails ends the sequence: what follows it was not checked (None).

    Raises:
        SystemUnavailable: Terraform or its provider is missing: nothing can be concluded.
    """
    started = time.monotonic()
    aws = LocalAws(work_dir / "moto.log", region=definition.region)
    await aws.start()
    try:
        workspace = TerraformWorkspace.copy(
            terraform_dir, work_dir, definition=definition, plugin_dir=plugin_dir, endpoint=aws.endpoint
        )
        run = InfraRun(workspace, aws, definition, progress)
        await run.perform()
    finally:
        await aws.stop()
    return InfraReport(checks=run.report(), duration_s=time.monotonic() - started)


class InfraRun:
    """One pass over a workspace whose Terraform talks to `aws`; each part adds to the report."""

    def __init__(
        self, workspace: TerraformWorkspace, aws: LocalAws, definition: CloudDefinition, progress: Progress
    ) -> None:
        self._workspace = workspace
        self._aws = aws
        self._definition = definition
        self._progress = progress
        self._checks: dict[str, list[Check]] = {criterion: [] for criterion in _READERS}

    def report(self) -> Mapping[str, tuple[Check, ...]]:
        """Every criterion has at least one check; one that nothing could be told of says so."""
        untold = Check(name="read back from the API", passed=None, detail="an earlier step failed")
        return {criterion: tuple(checks) or (untold,) for criterion, checks in self._checks.items()}

    async def perform(self) -> None:
        """All parts in order, as far as they go."""
        if await self.check_files() and await self.apply():
            await self.read_back()
            await self.destroy()

    async def check_files(self) -> bool:
        """True if the files are formatted, valid, and refuse what their own tests say.

        Raises:
            SystemUnavailable: Terraform or its provider is missing.
        """
        self._progress("terraform init")
        await self._workspace.init()
        outcomes = [
            await self._step("files are formatted", "fmt", "-check", "-recursive"),
            await self._step("files are valid", "validate"),
            await self._step("validations refuse what they should", "test", _PACKAGES),
        ]
        return all(outcomes)

    async def apply(self) -> bool:
        """True if everything was created and a second plan finds nothing to change."""
        return (
            await self._step("plan", "plan", *_VARIABLES, "-out=plan.bin")
            and await self._step("apply", "apply", "plan.bin")
            and await self._step("second plan has no changes", "plan", *_VARIABLES, "-detailed-exitcode")
        )

    async def read_back(self) -> None:
        """Judges what is there by what the API says of it."""
        self._progress("reading back")
        for criterion, read in _READERS.items():
            try:
                self._checks[criterion] += await asyncio.to_thread(read, self._aws.client, self._definition)
            except ClientError as error:
                # What the definition names is not there to be asked about.
                self._checks[criterion].append(Check(name="read back from the API", passed=False, detail=str(error)))

    async def destroy(self) -> None:
        """Removes everything again, and looks for what is left."""
        if await self._step("destroy", "destroy", *_VARIABLES, "-auto-approve"):
            left = await asyncio.to_thread(_left_behind, self._aws, self._definition)
            check = Check(name="destroy leaves nothing", passed=not left, detail=", ".join(left) or "nothing is left")
            self._checks["P1.5"].append(check)

    async def _step(self, name: str, command: str, *options: str) -> bool:
        self._progress(f"terraform {command}")
        step = await self._workspace.run(command, *options, timeout_s=_STEP_TIMEOUT_S)
        passed = step.exit_code == 0
        detail = f"{step.duration_s:.1f} s" if passed else step.reason()
        self._checks["P1.5"].append(Check(name=name, passed=passed, detail=detail))
        return passed


def _left_behind(aws: LocalAws, definition: CloudDefinition) -> list[str]:
    functions = {function["FunctionName"] for function in aws.client("lambda").list_functions()["Functions"]}
    buckets = {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    secrets = {secret["Name"] for secret in aws.client("secretsmanager").list_secrets()["SecretList"]}
    roles = {role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]}
    apis = {api["Name"] for api in aws.client("apigatewayv2").get_apis()["Items"]}
    ours = {role.name for role in definition.roles}
    return sorted(functions | buckets | secrets | (roles & ours) | apis)
