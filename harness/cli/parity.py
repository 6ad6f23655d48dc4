"""`parakeet parity`: rows, objects, schemas, or what concurrent clients see."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.parity_isolation import isolation
from harness.cli.parity_objects import objects
from harness.cli.parity_schema import schema
from harness.cli.progress import shown_stages
from harness.domain.errors import ConfigurationError, ExitCode
from harness.engine.rows import RowParityOptions
from harness.settings import load_settings
from harness.wiring.parity import RowParity, RowParityRequest, compare_rows, shown
from harness.wiring.row_tasks import DaskSettings


class Engine(StrEnum):
    """Where ranges of rows are compared."""

    LOCAL = "local"
    DASK = "dask"


parity = typer.Typer(help="Compare what the two systems store, and what concurrent clients see.", no_args_is_help=True)
parity.command("objects")(objects)
parity.command("schema")(schema)
parity.command("isolation")(isolation)


@parity.command("rows")
def rows(  # noqa: PLR0917 - an option each
    legacy_db: Annotated[str, typer.Option(help="SQLite file of the legacy, read only; or postgresql://…")],
    target_dsn: Annotated[str, typer.Option(help="postgresql://user:password@host:port/database.")],
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for all differences and for --resume.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the comparison in --out stopped.")] = False,
    partition_rows: Annotated[int, typer.Option(min=1_000, help="Rows per range of keys, the unit of --resume.")] = (
        RowParityOptions().partition_rows
    ),
    recheck_after_s: Annotated[float, typer.Option(min=0.0, help="Read differing rows again after this long.")] = (
        RowParityOptions().recheck_after_s
    ),
    recheck_times: Annotated[int, typer.Option(min=0, help="How often at most they are read again.")] = (
        RowParityOptions().recheck_times
    ),
    engine: Annotated[Engine, typer.Option(help="Where ranges are compared: in this process, or by Dask.")] = (
        Engine.LOCAL
    ),
    workers: Annotated[int, typer.Option(min=1, help="Processes of our own Dask; they listen on loopback only.")] = 2,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler that is there already, such as tcp://127.0.0.1:8786.")
    ] = None,
) -> int:
    """Compare every row of both databases, by key and cell by cell; exit 1 on any difference, 3 where there is no row.

    Both are read as streams, each range of keys as of one moment: memory does not grow with the rows. Rows that
    differ are read again a moment later, so that a write in flight is no difference.

    Example: parakeet parity rows --legacy-db data/trades.db --target-dsn postgresql://app@localhost/parakeet

    Example: parakeet parity rows --legacy-db big.db --target-dsn postgresql://app@localhost/big --out run --resume
    """
    if resume and out is None:
        raise ConfigurationError("--resume needs --out", hint="Name the directory of the comparison to go on with.")
    if dask_scheduler is not None and engine is not Engine.DASK:
        raise ConfigurationError("--dask-scheduler needs --engine dask", hint="Give both, or neither.")
    request = RowParityRequest(
        legacy=legacy_db,
        target_dsn=target_dsn,
        rows=load_settings(config).rows,
        out=out,
        is_resumed=resume,
        options=RowParityOptions(
            partition_rows=partition_rows, recheck_after_s=recheck_after_s, recheck_times=recheck_times
        ),
        dask=DaskSettings(scheduler=dask_scheduler, workers=workers) if engine is Engine.DASK else None,
    )
    found = _compare(request)
    for line in shown(found.first):
        print(line)
    if found.differences > len(found.first):
        print(f"… and {found.differences - len(found.first)} more{'' if out is None else f', all in {out}'}")
    print(_summary(found))
    if found.differences:
        return ExitCode.NO_GO
    return ExitCode.GO if found.legacy_rows else ExitCode.INCONCLUSIVE


def _compare(request: RowParityRequest) -> RowParity:
    with shown_stages("comparing rows") as show:
        return asyncio.run(
            compare_rows(
                request, lambda sums: show(f"{sums.legacy_rows:,} rows compared, {sums.differences:,} differences")
            )
        )


def _summary(found: RowParity) -> str:
    settled = f", {found.settled} settled when read again" if found.settled else ""
    return f"{found.legacy_rows} legacy rows in {len(found.tables)} tables, {found.differences} differences{settled}"
