"""The real Terraform binary at work in a scratch copy of the project's files, against a local endpoint."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.child import watchdog
from harness.domain.cloud import CloudDefinition
from harness.domain.errors import SystemUnavailable
from harness.staging.aws import ACCESS_KEY_ID, SECRET_ACCESS_KEY

_MINIMUM_VERSION = (1, 7)
_REASON_LINES = 6
_IGNORED = shutil.ignore_patterns(".terraform", "*.tfstate", "*.tfstate.*", "*_override.tf")
_LOCAL_PROVIDER = """\
provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = "true"
}
"""
_INSTALL_HINT = (
    "Install Terraform 1.7 or newer, put it on PATH, and set TF_PLUGIN_DIR to a provider mirror that holds "
    "hashicorp/aws 5.100 (`terraform providers mirror DIRECTORY` makes one)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformStep:
    """One finished command: `output` is what it printed."""

    exit_code: int
    output: str
    duration_s: float

    def reason(self) -> str:
        """The lines that say why it failed, for messages."""
        lines = [line.strip(" │╷╵") for line in self.output.splitlines()]
        kept = [line for line in lines if line]
        told = [index for index, line in enumerate(kept) if line.startswith(("Error", "# "))]
        start = told[0] if told else max(0, len(kept) - _REASON_LINES)
        return " ".join(kept[start : start + _REASON_LINES])


class TerraformWorkspace:
    """A copy of the Terraform files with packages to deploy, which commands run in."""

    def __init__(self, directory: Path, *, plugin_dir: Path | None, endpoint: str) -> None:
        self._directory = directory
        self._plugin_dir = plugin_dir
        self._endpoint = endpoint

    @classmethod
    def copy(
        cls, terraform_dir: Path, into: Path, *, definition: CloudDefinition, plugin_dir: Path | None, endpoint: str
    ) -> "TerraformWorkspace":
        """Copies the files, with a package for each function and layer that the definition names."""
        shutil.copytree(terraform_dir, into / "terraform", ignore=_IGNORED)
        (into / "terraform" / "local_override.tf").write_text(_LOCAL_PROVIDER, encoding="utf-8")
        layers = {layer for function in definition.functions for layer in function.layers}
        names = [f"functions/{function.key}" for function in definition.functions]
        _write_packages(
            into / "packages", [*names, "functions/edge-authorizer", *(f"layers/{name}" for name in layers)]
        )
        return cls(into / "terraform", plugin_dir=plugin_dir, endpoint=endpoint)

    async def init(self) -> TerraformStep:
        """Installs the provider that the lock file names.

        Raises:
            SystemUnavailable: no Terraform, one that is too old, or no provider: nothing can be concluded.
        """
        version = await self._version()
        if version < _MINIMUM_VERSION:
            shown = ".".join(map(str, version))
            raise SystemUnavailable(f"Terraform {shown} is too old", where="terraform", hint=_INSTALL_HINT)
        mirror = () if self._plugin_dir is None else (f"-plugin-dir={self._plugin_dir}",)
        step = await self.run("init", "-lockfile=readonly", *mirror, timeout_s=120)
        if step.exit_code != 0:
            raise SystemUnavailable(f"terraform init failed: {step.reason()}", where="terraform", hint=_INSTALL_HINT)
        return step

    async def run(self, command: str, *options: str, timeout_s: float) -> TerraformStep:
        """Runs one command; it is ended when it takes longer than `timeout_s`.

        Raises:
            SystemUnavailable: there is no Terraform on PATH, or it did not end in time.
        """
        quiet = () if command in ("fmt", "version") else ("-no-color",)
        interactive = () if command in ("fmt", "version", "validate", "test") else ("-input=false",)
        started = time.monotonic()
        exit_code, output = await self._execute([command, *quiet, *interactive, *options], timeout_s)
        return TerraformStep(exit_code=exit_code, output=output, duration_s=time.monotonic() - started)

    async def _version(self) -> tuple[int, ...]:
        step = await self.run("version", "-json", timeout_s=30)
        try:
            # Warnings about the command line's own settings may precede the document.
            text = str(json.loads(step.output[step.output.index("{") :])["terraform_version"])
            return tuple(int(part) for part in text.split("-", maxsplit=1)[0].split("."))
        except (ValueError, KeyError) as error:
            what = f"`terraform version` said what cannot be understood: {step.output[:200]}"
            raise SystemUnavailable(what, where="terraform", hint=_INSTALL_HINT) from error

    async def _execute(self, arguments: Iterable[str], timeout_s: float) -> tuple[int, str]:
        binary = shutil.which("terraform")
        if binary is None:
            raise SystemUnavailable("there is no terraform on PATH", where="PATH", hint=_INSTALL_HINT)
        log = self._directory / "terraform.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                binary,
                *arguments,
                cwd=self._directory,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        # Its providers are processes of its group: they end with it, and with us.
        watchdog().register_group(process.pid)
        try:
            async with asyncio.timeout(timeout_s):
                await process.wait()
        except TimeoutError as error:
            last = "; ".join(log.read_text(errors="replace").splitlines()[-_REASON_LINES:])
            hint = f"See whether the machine is overloaded, and run it again. Its last lines: {last}"
            raise SystemUnavailable(f"terraform took longer than {timeout_s:g} s", hint=hint) from error
        finally:
            await _end_group(process)
        return process.returncode or 0, log.read_text(errors="replace")

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
        kept |= {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            # The providers' sockets: those that are ended leave them behind.
            "TMPDIR": str(self._directory.parent),
        }
        return kept


async def _end_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    watchdog().forget_group(process.pid)


def _write_packages(directory: Path, names: Iterable[str]) -> None:
    """The infrastructure is checked here, not what it runs: a package is one line, and says so."""
    for name in names:
        path = directory / f"{name}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as package:
            package.writestr(zipfile.ZipInfo("README.txt"), f"Stands for {name} in the check of the infrastructure.\n")
