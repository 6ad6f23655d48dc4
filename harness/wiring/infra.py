"""Puts the check of the infrastructure together."""

import os
import tempfile
from pathlib import Path

from harness.settings import judged_directory
from harness.staging.definition import load_definition
from harness.staging.infra_check import InfraReport, Progress, check_infrastructure

PLUGIN_DIR_VARIABLE = "TF_PLUGIN_DIR"


async def run_infra_check(terraform_dir: Path | None = None, *, progress: Progress = lambda _: None) -> InfraReport:
    """Applies the project's Terraform (or that of `terraform_dir`) against moto and reads it back.

    The provider comes from the mirror that TF_PLUGIN_DIR names, or else from where Terraform's own settings say.

    Raises:
        ConfigurationError: the files are not valid Terraform.
        SystemUnavailable: Terraform or its provider is missing: INCONCLUSIVE.
    """
    directory = terraform_dir or judged_directory() / "terraform"
    definition = load_definition(directory)
    with tempfile.TemporaryDirectory(prefix="parakeet-infra-") as scratch:
        return await check_infrastructure(
            directory,
            Path(scratch),
            definition=definition,
            plugin_dir=plugin_dir(),
            progress=progress,
        )


def plugin_dir() -> Path | None:
    """The provider mirror that TF_PLUGIN_DIR names; None leaves it to Terraform's own settings."""
    named = os.environ.get(PLUGIN_DIR_VARIABLE)
    return Path(named).absolute() if named else None
