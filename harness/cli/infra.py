"""`parakeet infra check`: Terraform applied for real against moto, read back and destroyed."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.domain.errors import ExitCode
from harness.staging.infra_check import InfraReport
from harness.wiring.infra import run_infra_check

app = typer.Typer(help="The target's Terraform.", no_args_is_help=True)

_WORDS = {
    True: Text("PASS", style="green"),
    False: Text("FAIL", style="bold red"),
    None: Text("INCONCLUSIVE", style="yellow"),
}


@app.callback()
def infra() -> None:
    """The target's Terraform."""


@app.command("check")
def check(
    directory: Annotated[
        Path | None, typer.Option("--terraform", help="Directory of the Terraform files; default: the project's.")
    ] = None,
) -> int:
    """Applies the Terraform files against a local AWS, reads the result back from its API, and destroys it.

    Needs the Terraform binary on PATH and the AWS provider in TF_PLUGIN_DIR (or in a mirror of Terraform's own
    settings). Ends with 0 if everything passed, 1 on a failure, 3 if it could not be told. About two minutes.

    Example: parakeet infra check
    """
    console = Console(stderr=True)
    with console.status("starting") as status:
        report = asyncio.run(run_infra_check(directory, progress=status.update))
    _print(report)
    return exit_code(report)


def _print(report: InfraReport) -> None:
    table = Table(title=f"terraform/ against moto, {report.duration_s:.0f} s", title_justify="left")
    table.add_column("Criterion")
    table.add_column("Check", overflow="fold")
    table.add_column("Verdict")
    table.add_column("Found", overflow="fold")
    for criterion, checks in report.checks.items():
        for found in checks:
            table.add_row(criterion, Text(found.name), _WORDS[found.passed], Text(found.detail))
    Console().print(table)


def exit_code(report: InfraReport) -> int:
    """1 on any failure, else 3 if anything could not be told, else 0."""
    outcomes = {check.passed for checks in report.checks.values() for check in checks}
    if False in outcomes:
        return ExitCode.NO_GO
    return ExitCode.INCONCLUSIVE if None in outcomes else ExitCode.GO
