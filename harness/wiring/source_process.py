"""The target's application from its source, in one process, on a database and a bucket of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.adapters.postgres import mark_disposable
from harness.domain.errors import ConfigurationError
from harness.settings import RowsSettings, project_root
from harness.wiring.market import market_variables
from harness.wiring.migrate import migrate_rows
from harness.wiring.pair import RunningPair, upgrade_schema
from legacy_adapter.served_child import Launch, ServedChild

_SERVER = Path(__file__).resolve().parents[1] / "adapters" / "asgi_server.py"
_NAME = "source-process"


class SourceApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is served: a factory and what it is called with, both as `module:function`, and its variables.

    In a variable, `{dsn}`, `{bucket}` and `{jwt_secret}` stand for what the process is given.
    """

    app: str
    settings: str = ""
    health_path: str = "/health"
    environment: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProcess:
    """Where it answers, and what it keeps its rows in."""

    url: str
    dsn: str = field(repr=False)


@asynccontextmanager
async def source_process(
    pair: RunningPair, source: SourceApp, rows: RowsSettings, directory: Path
) -> AsyncIterator[SourceProcess]:
    """Serves the application with the rows that the legacy has now, and with an empty bucket.

    Raises:
        ConfigurationError: a variable has a placeholder that is unknown.
        SystemUnavailable: it does not start; carries its last lines.
    """
    dsn = await _filled_database(pair, rows, directory)
    bucket = f"{_NAME}-{pair.definition.environment}"
    await asyncio.to_thread(lambda: pair.aws.client("s3").create_bucket(Bucket=bucket))
    environment = {**_surroundings(pair), **_filled(source, pair, dsn, bucket)}
    served = ServedChild(lambda port: _launch(source, port, directory, environment))
    try:
        await served.start()
        yield SourceProcess(url=served.url, dsn=dsn)
    finally:
        await served.stop()


async def _filled_database(pair: RunningPair, rows: RowsSettings, directory: Path) -> str:
    database = pair.legacy.database_path
    if database is None:
        raise ConfigurationError("the legacy's database is not named", hint="Set `database` under [legacy].")
    dsn = await pair.postgres.create_database(_NAME.replace("-", "_"))
    await upgrade_schema(dsn, directory / "alembic.log")
    await migrate_rows(database, dsn, rows=rows)
    await mark_disposable(dsn)
    return dsn


def _surroundings(pair: RunningPair) -> Mapping[str, str]:
    """What any process finds here: its code, a stand-in for AWS, and the market."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(project_root()),
        "TZ": "UTC",
        "AWS_ENDPOINT_URL": pair.aws.endpoint,
        "AWS_REGION": pair.definition.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        **market_variables(pair.market.url_for("target")),
    }


def _filled(source: SourceApp, pair: RunningPair, dsn: str, bucket: str) -> Mapping[str, str]:
    secret = pair.target_jwt_secret_file.read_text(encoding="utf-8").strip()
    try:
        return {
            name: text.format(dsn=dsn, bucket=bucket, jwt_secret=secret) for name, text in source.environment.items()
        }
    except (KeyError, IndexError, ValueError) as error:
        hint = "Write {dsn}, {bucket} or {jwt_secret}, and double any other brace."
        raise ConfigurationError(f"a variable of the process cannot be filled in: {error}", hint=hint) from error


def _launch(source: SourceApp, port: int, directory: Path, environment: Mapping[str, str]) -> Launch:
    settings = [source.settings] if source.settings else []
    return Launch(
        name="the application's source",
        argv=[sys.executable, "-P", str(_SERVER), str(port), source.app, *settings],
        cwd=directory,
        environment=environment,
        log_path=directory / f"{_NAME}.log",
        health_path=source.health_path,
    )
