"""`parakeet prepare`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.adapters.postgres_dsn import connectable_dsn, redact_dsn
from harness.adapters.sqlite_reader import require_sqlite_file
from harness.domain.errors import ConfigurationError, ExitCode
from harness.wiring.migrate import prepare_legacy, prepare_target


def prepare(
    target_dsn: Annotated[
        str | None, typer.Option(help="The target's PostgreSQL, which may be overwritten from now on.")
    ] = None,
    legacy_db: Annotated[
        Path | None, typer.Option(help="The legacy's SQLite file, which may be overwritten from now on.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Mark databases as disposable, after asking: `replay` overwrites marked databases only.

    Between sessions it brings back the rows that were there at its start. The mark is an empty table
    `parakeet_disposable`; dropping it takes the mark away.

    Example: parakeet prepare --target-dsn postgresql://app@localhost/staging

    Example: parakeet prepare --legacy-db copy.db --target-dsn postgresql://app@localhost/staging --yes
    """
    shown = _checked(legacy_db, target_dsn)  # what cannot be used is told before the question
    if not yes:
        _ask(shown)
    if target_dsn is not None:
        asyncio.run(prepare_target(target_dsn))
    if legacy_db is not None:
        prepare_legacy(legacy_db)
    Console(stderr=True, soft_wrap=True).print(f"marked as disposable: {shown}", markup=False, highlight=False)
    return ExitCode.GO


def _checked(legacy_db: Path | None, target_dsn: str | None) -> str:
    named: list[str] = []
    if legacy_db is not None:
        require_sqlite_file(legacy_db)
        named.append(str(legacy_db))
    if target_dsn is not None:
        connectable_dsn(target_dsn)
        named.append(redact_dsn(target_dsn))
    if not named:
        hint = "Give --legacy-db FILE, --target-dsn DSN, or both."
        raise ConfigurationError("there is no database to mark", hint=hint)
    return " and ".join(named)


def _ask(shown: str) -> None:
    if not sys.stdin.isatty():
        hint = "Say --yes if everything in it may be overwritten."
        raise ConfigurationError("nobody is there to be asked; nothing was marked", where=shown, hint=hint)
    typer.confirm(f"Everything in {shown} may be overwritten from now on. Mark as disposable?", abort=True)
