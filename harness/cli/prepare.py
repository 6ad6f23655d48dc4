"""`parakeet prepare`."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from harness.adapters.postgres_dsn import connectable_dsn, redact_dsn
from harness.domain.errors import ConfigurationError, ExitCode
from harness.wiring.migrate import prepare_target


def prepare(
    target_dsn: Annotated[str, typer.Option(help="The database that may be overwritten from now on.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Mark a database as disposable, after asking: `replay` overwrites marked databases only.

    Example: parakeet prepare --target-dsn postgresql://app@localhost/staging
    """
    connectable_dsn(target_dsn)  # a malformed address is told before the question
    shown = redact_dsn(target_dsn)
    if not yes:
        _ask(shown)
    asyncio.run(prepare_target(target_dsn))
    Console(stderr=True, soft_wrap=True).print(f"marked as disposable: {shown}", markup=False, highlight=False)
    return ExitCode.GO


def _ask(shown: str) -> None:
    if not sys.stdin.isatty():
        hint = "Say --yes if everything in it may be overwritten."
        raise ConfigurationError("nobody is there to be asked; nothing was marked", where=shown, hint=hint)
    typer.confirm(f"Everything in {shown} may be overwritten from now on. Mark it as disposable?", abort=True)
