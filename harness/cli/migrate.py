"""`parakeet migrate`."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.migrate_objects import migrate_cache, print_objects
from harness.cli.progress import shown_stages
from harness.domain.errors import ConfigurationError, ExitCode
from harness.domain.migration import Refusal
from harness.engine.migration import Migration, MigrationOptions
from harness.settings import Settings, load_settings
from harness.wiring.migrate import migrate_rows


class OnBadRow(StrEnum):
    """How much is told of values that cannot be carried; nothing is written either way."""

    STOP = "stop"
    REPORT = "report"


def migrate(  # noqa: PLR0917 - an option each
    legacy_db: Annotated[Path | None, typer.Option(help="SQLite file of the legacy; read, never written.")] = None,
    target_dsn: Annotated[
        str | None, typer.Option(help="postgresql://user:password@host:port/database, tables existing.")
    ] = None,
    legacy_cache: Annotated[
        Path | None, typer.Option(help="The legacy's cache directory; read, never written.")
    ] = None,
    target_bucket: Annotated[
        str | None, typer.Option(help="Where its files go, below the prefix of [objects].")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Verify all that can be without changing anything.")
    ] = False,
    on_bad_row: Annotated[
        OnBadRow, typer.Option(help="Of values that cannot be carried, tell the first five, or report every one.")
    ] = OnBadRow.STOP,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted migration stopped.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Discard what an interrupted migration left.")] = False,
    partition_rows: Annotated[
        int, typer.Option(min=1_000, help="Rows per range of keys, the unit of --resume.")
    ] = MigrationOptions().partition_rows,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Copy a legacy SQLite file into PostgreSQL, or its cache into a bucket: all or nothing, every value verified.

    Both generations of the legacy schema are taken. A second run with the same data changes nothing. Credentials for
    the bucket are those of the AWS tools; AWS_ENDPOINT_URL chooses another S3. The rows of a large file wait beside the
    tables until all are there: after a kill --resume goes on, and nobody sees a part of them.

    Exit codes: 0 done or nothing to do, 1 the data cannot be carried (or other data is there), 2 unreadable input,
    3 the target does not answer.

    Example: parakeet migrate --legacy-db data/trades.db --target-dsn postgresql://app@localhost/parakeet

    Example: parakeet migrate --legacy-db data/trades.db --target-dsn postgresql://app@localhost/parakeet --resume

    Example: parakeet migrate --legacy-cache cache --target-bucket potential-parakeet-cache-dev
    """
    _require_pairs(
        {"--legacy-db": legacy_db, "--target-dsn": target_dsn},
        {"--legacy-cache": legacy_cache, "--target-bucket": target_bucket},
    )
    if resume and restart:
        raise ConfigurationError("--resume and --restart contradict each other", hint="Give one of them.")
    settings = load_settings(config)
    options = MigrationOptions(
        is_dry_run=dry_run, is_resumed=resume, is_restarted=restart, partition_rows=partition_rows
    )
    if legacy_db is not None and target_dsn is not None:
        migration = _migrate_rows(legacy_db, target_dsn, settings, on_bad_row, options)
        Console(soft_wrap=True).print(_table(migration))
        _tell(migration)
    if legacy_cache is not None and target_bucket is not None:
        print_objects(migrate_cache(legacy_cache, target_bucket, settings.objects, is_dry_run=dry_run))
    return ExitCode.GO


def _migrate_rows(
    legacy_db: Path, target_dsn: str, settings: Settings, on_bad_row: OnBadRow, options: MigrationOptions
) -> Migration:
    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def report(refusal: Refusal) -> None:
        if on_bad_row is OnBadRow.REPORT:
            console.print(f"cannot be carried: {refusal}", markup=False)

    with shown_stages("reading both schemas") as show:
        options = replace(options, on_rows=lambda stage, rows: show(f"{rows:,} rows {stage}"), on_refusal=report)
        return asyncio.run(migrate_rows(legacy_db, target_dsn, rows=settings.rows, options=options))


def _require_pairs(*pairs: Mapping[str, object]) -> None:
    """A source needs its target, and there has to be one of them."""
    given = [pair for pair in pairs if any(value is not None for value in pair.values())]
    lacking = [name for pair in given for name, value in pair.items() if value is None]
    if lacking or not given:
        wanted = " or ".join(" with ".join(pair) for pair in pairs)
        raise ConfigurationError(f"{', '.join(lacking) or 'what to migrate'} is not given", hint=f"Give {wanted}.")


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
    if migration.resumed_rows:
        console.print(f"went on behind {migration.resumed_rows} rows that an interrupted migration had copied")
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
