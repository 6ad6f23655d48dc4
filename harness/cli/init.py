"""`parakeet init`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.domain.errors import ExitCode
from harness.wiring.init import NewProject, write_project

_NEXT = """\
next:
  1. Start both systems, on copies of their data.
  2. Carry the rows over, and let both databases be overwritten:
       parakeet migrate --legacy-db FILE --target-dsn DSN
       parakeet prepare --legacy-db FILE --target-dsn DSN
  3. Replay, read the report, and see the decision:
       parakeet replay --legacy-url U --target-url U --legacy-db FILE --target-dsn DSN --out runs/first
       parakeet gate --run runs/first
  4. Write sessions of what your users do, one JSON file each, in {sessions}/.
Settings of the rows, such as renamed tables, are in {settings}; conscious differences go into {waivers}."""


def init(
    directory: Annotated[Path, typer.Argument(help="The project's directory; made where it is absent.")] = Path(),
    openapi: Annotated[
        str | None,
        typer.Option(help="Address of a system or of its OpenAPI document, or a file: the example session reads it."),
    ] = None,
) -> int:
    """Start a project of your own: settings with every default, an example session, and a place for waivers.

    Commands that are run in a directory with a `parakeet.toml` take settings, sessions and waivers from there. No file
    is ever overwritten: exit 2 names the one that is in the way.

    Example: parakeet init --openapi http://127.0.0.1:8000/openapi.json

    Example: parakeet init my-migration
    """
    made = asyncio.run(write_project(directory, openapi))
    console = Console(soft_wrap=True, highlight=False)
    for path in made.files:
        console.print(f"written: {path}", markup=False)
    if made.operations:
        console.print(f"the example session reads {made.read} of {made.operations} operations; the others need values")
    console.print(_next(made), markup=False)
    return ExitCode.GO


def _next(made: NewProject) -> str:
    settings, waivers, session = made.files
    return _NEXT.format(settings=settings, waivers=waivers, sessions=session.parent)
