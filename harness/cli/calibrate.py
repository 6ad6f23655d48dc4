"""`parakeet calibrate`."""

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.domain.errors import ExitCode, unwritable
from harness.settings import load_settings
from harness.wiring import calibrate as wiring


def calibrate(
    environment: Annotated[
        str, typer.Option(help="Whose probe function is asked; `local` asks a second local cloud.")
    ] = "local",
    out: Annotated[
        Path | None,
        typer.Option(help="Directory for the certificate; default: artifacts/fidelity.", show_default=False),
    ] = None,
    probe_zip: Annotated[
        Path | None, typer.Option("--zip", help="Write the probe function here, to be deployed, and ask nobody.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Certify how like AWS the local cloud is: the same requests to both, each behaviour same or different.

    The other side is a small probe function behind an HTTP API of yours, whose address is probe_url under
    [environments.NAME]. Ends with 0 if everything is the same, 1 if something differs.

    Example: parakeet calibrate --environment dev
    """
    console = Console(stderr=True, soft_wrap=True)
    if probe_zip is not None:
        return _write_zip(probe_zip)
    with console.status("starting") as status:
        done = asyncio.run(wiring.calibrate(environment, load_settings(config), out, status.update))
    for behaviour in done.certificate.behaviours:
        if not behaviour.is_same:
            text = f"{behaviour.name}: {behaviour.shows}: local {behaviour.local}, remote {behaviour.remote}"
            console.print(text, markup=False, highlight=False)
    typer.echo(done.certificate.statement)
    for file in done.files:
        typer.echo(file)
    return ExitCode.GO if all(found.is_same for found in done.certificate.behaviours) else ExitCode.NO_GO


def _write_zip(path: Path) -> int:
    try:
        shutil.copyfile(wiring.build_probe_zip(), path)
    except OSError as error:
        hint = "Choose a file in a directory that can be written to."
        raise unwritable(error, where=str(path), hint=hint, what="cannot write the zip") from error
    typer.echo(path)
    return ExitCode.GO
