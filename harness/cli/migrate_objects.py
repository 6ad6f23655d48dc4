"""The part of `parakeet migrate` that carries a cache directory."""

import asyncio
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.engine.migrate_objects import ObjectMigration
from harness.settings import ObjectsSettings
from harness.wiring.objects import bucket_of_session, migrate_directory


def migrate_cache(
    legacy_cache: Path, target_bucket: str, settings: ObjectsSettings, *, is_dry_run: bool
) -> ObjectMigration:
    """Carries the directory into the bucket; raises DataRefused, ConfigurationError or SystemUnavailable."""
    bucket = bucket_of_session(target_bucket, settings.prefix)
    return asyncio.run(migrate_directory(legacy_cache, bucket, settings, is_dry_run=is_dry_run))


def print_objects(migration: ObjectMigration) -> None:
    """The outcome as a table, and what it means as a sentence."""
    table = Table(title=None)
    table.add_column("object")
    for heading in ("bytes", "rows", "values verified", "written"):
        table.add_column(heading, justify="right")
    for each in migration.objects:
        counts = ("" if count is None else f"{count:,}" for count in (each.size_bytes, each.rows, each.values))
        table.add_row(each.key, *counts, "yes" if each.is_written and not migration.is_dry_run else "no")
    Console(soft_wrap=True).print(table)
    Console(stderr=True, soft_wrap=True, highlight=False).print(_outcome(migration))


def _outcome(migration: ObjectMigration) -> str:
    if not migration.objects:
        return "the directory holds no object; nothing was written"
    if not any(each.is_written for each in migration.objects):
        return "the target holds exactly these objects already; nothing was written"
    if migration.is_dry_run:
        return "dry run: every object can be read and would be written; nothing is changed"
    return "every object was written and every value verified"
