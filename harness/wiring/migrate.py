"""The commands on rows with the real databases: migrate and prepare."""

from dataclasses import replace
from pathlib import Path

from harness.adapters.postgres import mark_disposable
from harness.adapters.postgres_load import PostgresTarget
from harness.adapters.sqlite_reader import SqliteSource, sqlite_identity
from harness.domain.row_mapping import RowMapping, TableMapping
from harness.engine.migrate import migrate
from harness.engine.migration import Migration, MigrationOptions
from harness.settings import RowsSettings
from legacy_adapter.sqlite import mark_disposable_file


async def migrate_rows(
    legacy_db: Path,
    target_dsn: str,
    *,
    rows: RowsSettings | None = None,
    options: MigrationOptions | None = None,
) -> Migration:
    """Carries a SQLite file into PostgreSQL; see `harness.engine.migrate.migrate`."""
    source, target = SqliteSource(legacy_db), PostgresTarget(target_dsn)
    options = replace(options or MigrationOptions(), source_identity=sqlite_identity(legacy_db))
    return await migrate(source, target, mapping=row_mapping(rows), options=options)


async def prepare_target(target_dsn: str) -> None:
    """Marks a database as disposable."""
    await mark_disposable(target_dsn)


def prepare_legacy(legacy_db: Path) -> None:
    """Marks a SQLite file as disposable."""
    mark_disposable_file(legacy_db)


def row_mapping(rows: RowsSettings | None) -> RowMapping:
    """`[rows]` as the domain takes it."""
    if rows is None:
        return {}
    mapped = {
        name: TableMapping(
            table=each.table,
            columns=each.columns,
            added=each.added,
            enums=each.enums,
            units=each.units,
            dropped=each.dropped,
        )
        for name, each in rows.map.items()
    }
    added = dict.fromkeys(rows.added, TableMapping(is_added=True))
    return {**added, **dict.fromkeys(rows.dropped, TableMapping(is_dropped=True)), **mapped}
