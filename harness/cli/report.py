"""`parakeet report`: renders a run again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def report(
    run: Annotated[Path, typer.Option("--run", help="The run directory.")],
    formats: Annotated[
        str, typer.Option("--format", help="Any of html, md, junit, json, sarif, with commas between.")
    ] = "html,md,junit,json,sarif",
) -> int:
    """Render a run directory again; prints the files written.

    Example: parakeet report --run artifacts/20260314T092653Z-4f1c2a9 --format html,md
    """
    from harness.wiring.report import render_all  # noqa: PLC0415 - templates load only when this command runs

    chosen = [name.strip() for name in formats.split(",") if name.strip()]
    for path in render_all(run, chosen):
        Console(soft_wrap=True).print(str(path), markup=False, highlight=False)
    return 0
