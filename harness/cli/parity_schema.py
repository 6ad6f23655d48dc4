"""`parakeet parity schema`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.domain.difference import Difference
from harness.domain.errors import ExitCode
from harness.domain.schema.acceptance import SchemaParity
from harness.settings import load_settings
from harness.wiring.parity_schema import SchemaParityRequest, compare_declared

_SHOWN = 200
_FILE_WIDTH = 160


def schema(
    legacy_db: Annotated[str, typer.Option(help="SQLite file of the legacy, read only; or postgresql://…")],
    target_dsn: Annotated[str, typer.Option(help="postgresql://user:password@host:port/database.")],
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for all differences, as JSON lines.")] = None,
) -> int:
    """Compare what both databases declare: types, nullability, defaults, keys, indexes, constraints, sequences.

    Differences that are wanted stand in the configuration: [rows] for renamed and added tables and columns, [schema]
    for all else. Exit codes: 0 nothing unexplained, 1 any unexplained difference, 2 unreadable input, 3 no table to
    compare, or a database does not answer.

    Example: parakeet parity schema --legacy-db data/trades.db --target-dsn postgresql://app@localhost/parakeet
    """
    settings = load_settings(config)
    request = SchemaParityRequest(legacy=legacy_db, target_dsn=target_dsn, settings=settings, out=out)
    found = asyncio.run(compare_declared(request))
    _print(found, out)
    if found.unexplained:
        return ExitCode.NO_GO
    return ExitCode.GO if found.tables else ExitCode.INCONCLUSIVE


def _print(found: SchemaParity, out: Path | None) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    rows = [(each, "") for each in found.unexplained] + [(each.difference, each.reason) for each in found.accepted]
    if rows:
        console.print(_table(rows[:_SHOWN]))
    if len(rows) > _SHOWN:
        console.print(f"… and {len(rows) - _SHOWN} more{'' if out is None else f', all in {out}'}", markup=False)
    for each in found.unused:
        text = f"accepted, but not there: {each.at} (legacy {each.legacy}, target {each.target}): {each.reason}"
        Console(stderr=True, soft_wrap=True).print(text, style="yellow", markup=False, highlight=False)
    print(
        f"{found.tables} legacy tables with {found.columns} columns, {len(found.unexplained)} unexplained differences,"
        f" {len(found.accepted)} accepted"
    )


def _table(rows: list[tuple[Difference, str]]) -> Table:
    table = Table()
    for title in ("place", "kind", "legacy", "target", "accepted because"):
        table.add_column(title, overflow="fold")
    for each, reason in rows:
        cells = (each.pointer, each.kind, each.legacy or "–", each.target or "–", reason or "–")
        table.add_row(*(Text(cell) for cell in cells))
    return table
