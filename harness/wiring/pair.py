"""Both systems side by side: the legacy and the local cloud, filled from the same database."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness.adapters.postgres import mark_disposable
from harness.adapters.tokens import authorization_header
from harness.child import Child
from harness.domain.cloud import CloudDefinition
from harness.domain.errors import ConfigurationError, HarnessError, SystemUnavailable
from harness.settings import FILE_NAME, RowsSettings, Settings, project_root
from harness.staging.aws import LocalAws
from harness.staging.build import BuiltArtifacts
from harness.staging.definition import load_definition
from harness.staging.iam.authoriser import Authoriser
from harness.staging.postgres import LocalPostgres
from harness.staging.stack import LocalCloud
from harness.uninterrupted import run_to_its_end
from harness.wiring.functions import local_cloud, require_handlers, start_authoriser, with_declared
from harness.wiring.legacy import legacy_system, place_database
from harness.wiring.market import local_market, market_variables
from harness.wiring.migrate import migrate_rows
from harness.wiring.packages import build_project
from harness.wiring.paths import require_own_systems, terraform_directory
from harness.wiring.runtime import runtime_directory
from legacy_adapter.adapter import LegacySystem
from legacy_adapter.local_market import LocalMarket

_ALEMBIC_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOptions:
    """What the two systems start from; `legacy_db` None means the project's own seed of 100 trades."""

    settings: Settings
    legacy_db: Path | None = None
    on_progress: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPair:
    """Both systems, answering; everything ends when the context that made it is left."""

    legacy: LegacySystem
    market: LocalMarket
    cloud: LocalCloud
    postgres: LocalPostgres
    aws: LocalAws
    authoriser: Authoriser
    definition: CloudDefinition
    artifacts: BuiltArtifacts
    runtime_directory: Path
    target_dsn: str = field(repr=False)
    target_jwt_secret_file: Path

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process that was started for the pair."""
        postmaster = () if self.postgres.pid is None else (self.postgres.pid,)
        return (*self.legacy.pids, *self.market.pids, *postmaster, *self.aws.pids, *self.cloud.pids)


@asynccontextmanager
async def running_pair(options: PairOptions) -> AsyncIterator[RunningPair]:
    """Starts both systems from the same data, in a temporary directory that is removed afterwards.

    Raises:
        ConfigurationError: the database, the configuration or `terraform/` cannot be used.
        SystemUnavailable: a part did not start; what had started is stopped again.
        DataRefused: the database cannot be carried to the target.
    """
    require_own_systems()
    async with AsyncExitStack() as stack:
        runtime = stack.enter_context(runtime_directory())
        yield await _start(options, runtime, stack)


async def _start(options: PairOptions, runtime: Path, stack: AsyncExitStack) -> RunningPair:
    settings = options.settings
    market = local_market(settings.local.market, runtime / "market.log")
    legacy = legacy_system(settings.legacy, runtime / "legacy", market.url_for("legacy"))
    postgres, aws = LocalPostgres(runtime / "postgres"), LocalAws(runtime / "moto.log")
    database = place_database(settings.legacy, options.legacy_db, legacy)
    for part in (market, legacy, postgres, aws):
        stack.push_async_callback(part.stop)
    options.on_progress("building artifacts; starting legacy, market, PostgreSQL and moto; migrating the database")
    # What needs nothing of each other runs at once: the slowest chain is how long it takes.
    async with _first_error_alone(), asyncio.TaskGroup() as group:
        loading = group.create_task(asyncio.to_thread(load_definition, terraform_directory()))
        group.create_task(_fill_target(postgres, database, settings.rows, runtime))
        group.create_task(_provision(aws, loading))
        group.create_task(legacy.start())
        group.create_task(market.start())
        building = group.create_task(asyncio.to_thread(build_project))
    sources = market_variables(market.url_for("target"))
    definition, artifacts = with_declared(loading.result(), sources), building.result()
    await asyncio.to_thread(require_handlers, definition, artifacts)
    options.on_progress("starting functions and gateway")
    contents = settings.local.secrets
    secret_file = await _provide_secrets(aws, definition, contents, postgres.dsn, runtime / "target-jwt-secret")
    authoriser = await start_authoriser(definition, aws)
    stack.push_async_callback(authoriser.stop)
    cloud = local_cloud(definition, artifacts, authoriser, runtime / "functions")
    stack.push_async_callback(cloud.stop)
    await cloud.start()
    return RunningPair(
        legacy=legacy,
        market=market,
        cloud=cloud,
        postgres=postgres,
        aws=aws,
        authoriser=authoriser,
        definition=definition,
        artifacts=artifacts,
        runtime_directory=runtime,
        target_dsn=postgres.dsn,
        target_jwt_secret_file=secret_file,
    )


@asynccontextmanager
async def _first_error_alone() -> AsyncIterator[None]:
    """Of a group whose tasks failed together, raises the first of our own errors by itself."""
    try:
        yield
    except* HarnessError as failures:
        raise failures.exceptions[0] from None


async def _fill_target(postgres: LocalPostgres, database: Path, rows: RowsSettings, runtime: Path) -> None:
    await postgres.start()
    await upgrade_schema(postgres.dsn, runtime / "alembic.log")
    await migrate_rows(database, postgres.dsn, rows=rows)
    await mark_disposable(postgres.dsn)


async def _provision(aws: LocalAws, loading: asyncio.Task[CloudDefinition]) -> None:
    await aws.start()
    await aws.provision(await loading)


async def upgrade_schema(dsn: str, log_path: Path) -> None:
    """Runs the target's own migrations up to head, as a deployment does.

    Raises:
        SystemUnavailable: they failed; carries their last lines.
    """
    environment = {"PATH": os.defpath, "USE_NEON": "true", "NEON_DATABASE_URL": dsn}
    argv = [sys.executable, "-m", "alembic", "upgrade", "head"]
    child = Child.start(argv, name="alembic", log_path=log_path, cwd=project_root(), env=environment)
    try:
        status = await child.wait(timeout_s=_ALEMBIC_TIMEOUT_S)
    finally:
        await child.stop()
    if status != 0:
        raise SystemUnavailable("the target's migrations failed", where="alembic upgrade head", hint=child.tail(8))


async def _provide_secrets(
    aws: LocalAws, definition: CloudDefinition, contents: Mapping[str, Mapping[str, str]], dsn: str, place: Path
) -> Path:
    """Fills the secrets that `[local.secrets]` describes; returns the file with the run's token secret."""
    names = {secret.key: secret.name for secret in definition.secrets}
    jwt_secret = secrets.token_urlsafe(32)
    for key, content in contents.items():
        if key not in names:
            hint = f"Terraform declares: {', '.join(sorted(names)) or 'none'}."
            raise ConfigurationError(f"[local.secrets] names the unknown secret {key}", where=FILE_NAME, hint=hint)
        filled = {name: text.format(dsn=dsn, jwt_secret=jwt_secret) for name, text in content.items()}
        await aws.put_secret(names[key], filled)
    await run_to_its_end(asyncio.to_thread(_write_private, place, jwt_secret))
    return place


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def mint_token(secret_file: Path | None) -> str | None:
    """A bearer token, valid for the system whose secret the file holds; None without a file."""
    if secret_file is None:
        return None
    secret = secret_file.read_text(encoding="utf-8").strip()
    return authorization_header("valid", secret, datetime.now(UTC)).removeprefix("Bearer ")
