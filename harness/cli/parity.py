"""`parakeet parity`: rows alone."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from harness.domain.difference import Difference
from harness.domain.errors import ExitCode
from harness.settings import load_settings
from harness.wiring.migrate import compare_databases

parity = typer.Typer(help="Compare what the two systems store.", no_args_is_help=True)
_SHOWN = 200


@parity.command("rows")
def rows(
    legacy_db: Annotated[Path, typer.Option(help="SQLite file of the legacy; read, never written.")],
    target_dsn: Annotated[str, typer.Option(help="postgresql://user:password@host:port/database.")],
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Compare every row of a SQLite file with PostgreSQL; exit 1 on any difference, 3 where there is no row.

    Example: parakeet parity rows --legacy-db data/trades.db --target-dsn postgresql://app@localhost/parakeet
    """
    settings = load_settings(config).rows
    legacy, differences = asyncio.run(compare_databases(legacy_db, target_dsn, rows=settings))
    for each in differences[:_SHOWN]:
        print(_line(each))
    if len(differences) > _SHOWN:
        print(f"… and {len(differences) - _SHOWN} more")
    compared = sum(len(table.rows) for table in legacy.values())
    print(f"{compared} legacy rows in {len(legacy)} tables, {len(differences)} differences")
    if differences:
        return ExitCode.NO_GO
    return ExitCode.GO if compared else ExitCode.INCONCLUSIVE


def _line(difference: Difference) -> str:
    return f"{difference.pointer}\t{difference.kind}\tlegacy {difference.legacy}\ttarget {difference.target}"
