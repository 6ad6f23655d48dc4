"""`parakeet migrate`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.domain.errors import ExitCode
from harness.engine.migrate import Migration
from harness.settings import load_settings
from harness.wiring.migrate import migrate_rows


def migrate(
    legacy_db: Annotated[Path, typer.Option(help="SQLite file of the legacy; read, never written.")],
    target_dsn: Annotated[str, typer.Option(help="postgresql://user:password@host:port/database, tables existing.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, verify, and roll back.")] = False,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Copy a legacy SQLite file into PostgreSQL: every row or none, each verified afterwards.

    Both generations of the legacy schema are taken. A second run with the same rows changes nothing.

    Exit codes: 0 done or nothing to do, 1 the data cannot be carried (or other rows are there), 2 unreadable input,
    3 a database does not answer.

    Example: parakeet migrate --legacy-db data/trades.db --target-dsn postgresql://app@localhost/parakeet
    """
    rows = load_settings(config).rows
    migration = asyncio.run(migrate_rows(legacy_db, target_dsn, rows=rows, is_dry_run=dry_run))
    Console(soft_wrap=True).print(_table(migration))
    _tell(migration)
    return ExitCode.GO


def _table(migration: Migration) -> Table:
    table = Table(title=None)
    table.add_column("table")
    for heading in ("legacy rows", "present before", "written", "verified"):
        table.add_column(heading, justify="right")
    for each in migration.tables:
        name = (
            each.target_table
            if each.target_table == each.legacy_table
            else f"{each.legacy_table} → {each.target_table}"
        )
        written = 0 if migration.is_dry_run else each.written_rows
        counts = (each.legacy_rows, each.present_rows, written, each.verified_rows)
        table.add_row(name, *map(str, counts))
    return table


def _tell(migration: Migration) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for rule in migration.rules:
        console.print(f"not in the legacy: {rule}", markup=False)
    for sequence in migration.moved_sequences:
        console.print(f"sequence set: {sequence}", markup=False)
    if migration.is_unchanged:
        console.print("the target holds exactly these rows already; no row was written")
    elif migration.is_dry_run:
        console.print("dry run: every row was written, verified and rolled back; nothing is changed")
    else:
        console.print("every row was written and verified")
