"""`parakeet export`."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from harness.domain.errors import ExitCode
from harness.domain.exchange import Side
from harness.wiring.export import export_har


def export(
    run: Annotated[Path, typer.Option(help="Directory of a run.")],
    out: Annotated[Path, typer.Option(help="The HAR file to write.")],
    side: Annotated[Side, typer.Option(help="Whose answers.")] = Side.LEGACY,
) -> int:
    """Write the exchanges of a run as a HAR file, one page a session; secrets stay redacted.

    Example: parakeet export --run artifacts/20261124-070000 --out traffic.har
    """
    count = export_har(run, out, side, version=version("parakeet-migration"))
    print(f"{count} requests in {out}")
    return ExitCode.GO
