"""`parakeet generate`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from harness.cli import replay_arguments as given
from harness.cli.progress import shown_stages
from harness.domain.coverage import OperationCoverage
from harness.domain.description import Parameter
from harness.domain.errors import ExitCode
from harness.settings import load_settings
from harness.wiring.generate import DEFAULT_SEED, Generated, GenerateRequest
from harness.wiring.generate import generate as generate_sessions
from harness.wiring.replay_request import SideOptions

_FILE_WIDTH = 132


def generate(
    *,
    openapi: Annotated[str, typer.Option(help="OpenAPI document: a file or an address, JSON or YAML.")],
    out: Annotated[Path, typer.Option(help="Session file to write, for `parakeet replay --sessions`.")],
    legacy_url: Annotated[
        str | None,
        typer.Option(
            help="Address of the legacy; default: where the document is, and the path of its server.",
            show_default=False,
        ),
    ] = None,
    target_url: Annotated[
        str | None, typer.Option(help="Address of the target: keeps what the sides answer differently.")
    ] = None,
    legacy_db: given.LegacyDb = None,
    target_dsn: given.TargetDsn = None,
    legacy_token: given.LegacyToken = None,
    target_token: given.TargetToken = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same sessions.", min=0)] = DEFAULT_SEED,
    max_examples: Annotated[
        int, typer.Option(help="Random cases for each operation, and walks along links.", min=1, max=10_000)
    ] = 20,
    max_steps: Annotated[int, typer.Option(help="Steps of one session.", min=1, max=50)] = 6,
    max_sessions: Annotated[
        int | None, typer.Option(help="Sessions in the file: those that add the most.", min=1, show_default=False)
    ] = None,
    config: given.Config = None,
) -> int:
    """Make sessions from an OpenAPI document: the fewest that exercise all that exploring the system did.

    The legacy is explored by the document, along its links or those that are inferred from paths and answers. One
    session of each shape (operations, statuses, classes of parameters) is then run against the legacy, and the target
    if it is given, and the fewest that exercise the same are written. An id of one answer that a later request needs is
    saved and filled in, on each side its own. With --legacy-db and --target-dsn every session is run from the state at
    the start, which is restored at the end, as in `parakeet replay`.

    It writes to the systems: never let it at one whose data matter. From equal states the same seed writes the same
    file. Exit codes: 0 written, 2 no such document, or none with operations, 3 a system does not answer.

    Example: parakeet generate --openapi http://127.0.0.1:8000/openapi.json --seed 7 --out generated.json
    """
    with shown_stages("reading the document") as show:
        request = GenerateRequest(
            openapi=openapi,
            out=out,
            legacy_url=legacy_url,
            legacy_token=legacy_token,
            target=None if target_url is None else SideOptions(url=target_url, token=target_token),
            legacy_db=legacy_db,
            target_dsn=target_dsn,
            seed=seed,
            examples=max_examples,
            steps=max_steps,
            limit=max_sessions,
            tell=show,
        )
        generated = asyncio.run(generate_sessions(request, load_settings(config)))
    _show(generated, out)
    return ExitCode.GO


def _show(generated: Generated, out: Path) -> None:
    console = Console(soft_wrap=True, highlight=False, width=None if Console().is_terminal else _FILE_WIDTH)
    console.print(_table(generated))
    for operation, statuses in generated.disagreeing:
        console.print(f"the sides disagree: {operation} answered {statuses}", markup=False)
    for problem in generated.explored.problems:
        console.print(f"not explored: {problem}", markup=False)
    if generated.explored.unwritable:
        console.print(f"{generated.explored.unwritable:,} requests are of bytes that no session file can hold")
    if generated.lost:
        console.print(
            f"--max-sessions gave up {generated.lost:,} of {generated.lost + generated.items:,} things exercised"
        )
    if urlsplit(generated.legacy_url).path.strip("/"):
        console.print(f"paths are relative to {generated.legacy_url}: replay with addresses that have it", markup=False)
    steps = sum(len(session.steps) for session in generated.sessions)
    console.print(
        f"{generated.explored.requests:,} requests explored, {generated.shapes:,} shapes; "
        f"{len(generated.sessions):,} sessions of {steps:,} steps exercise {generated.items:,} things: {out}",
        markup=False,
    )


def _table(generated: Generated) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("operation", "answered", "never answered", "never sent so"):
        table.add_column(name, overflow="fold")
    for operation in generated.coverage.operations:
        if operation.is_described:
            answered = " ".join(operation.statuses) or "(never reached)"
            never = _never_sent(operation, generated.described[operation.operation].parameters)
            table.add_row(operation.operation, answered, " ".join(operation.never), never)
    return table


def _never_sent(operation: OperationCoverage, described: Sequence[Parameter]) -> str:
    return ", ".join(
        f"{each.place} {each.name} {'/'.join(each.never)}"
        for each in operation.parameters
        if each.never and Parameter(each.place, each.name) in described
    )
