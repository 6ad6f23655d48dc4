"""`parakeet adequacy` with real parts: scratch copies of the source, processes of the application, databases."""

import asyncio
import compileall
import py_compile
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from harness.adapters.asgi_host import AsgiApp, AsgiHost
from harness.adapters.change_probe import PostgresProbe, ProbedStore
from harness.adapters.postgres import PostgresState, mark_disposable
from harness.adapters.session_files import load_sessions
from harness.domain.adequacy import Adequacy, MutantOutcome
from harness.domain.compare.rules import Rules
from harness.domain.errors import ConfigurationError
from harness.domain.mutation.exemptions import Exemptions, parse_exemptions, require_fresh
from harness.domain.mutation.generate import generate_mutants, sample_mutants
from harness.domain.mutation.mutant import Mutant
from harness.engine.adequacy import AdequacyPlan, Bench, measure_adequacy
from harness.engine.replay_state import WatchedStore
from harness.settings import FILE_NAME, AdequacySettings, Settings, project_root
from harness.staging.postgres import OWNER, LocalPostgres
from harness.uninterrupted import run_to_its_end
from harness.wiring.migrate import migrate_rows
from harness.wiring.pair import upgrade_schema
from harness.wiring.replay import authorizer, patterns_or_default
from harness.wiring.runtime import runtime_directory
from legacy_adapter.seed import write_seed_database

_DSN, _JWT_SECRET = "{dsn}", "{jwt_secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdequacyRequest:
    """What `parakeet adequacy` is asked for; None means what the configuration says, or the project's own."""

    sessions: tuple[str, ...] = ()
    source: Path | None = None
    files: tuple[str, ...] = ()
    """Patterns of the files to plant faults in, such as `target/routers/trades.py`; empty means all of the source."""
    limit: int = 0
    seed: int = 0
    jobs: int = 1
    legacy_db: Path | None = None
    on_stage: Callable[[str], None] = field(default=lambda _: None)
    on_start: Callable[[int], None] = field(default=lambda _: None)
    """Is told how many mutants are tried."""
    on_outcome: Callable[[MutantOutcome], None] = field(default=lambda _: None)


async def find_adequacy(request: AdequacyRequest, settings: Settings) -> Adequacy:
    """Plants faults in scratch copies of the source and tells which of them the sessions notice.

    Without anything to mutate, the outcome is empty.

    Raises:
        ConfigurationError: configuration, source, sessions or exemptions cannot be used.
        SystemUnavailable: the application or its database does not start.
    """
    spec = _complete(settings.adequacy, request.source)
    sessions = load_sessions(patterns_or_default(request.sessions))
    source = _directory(spec.source)
    sources = _read_sources(source)
    exemptions, every = _load_exemptions(spec), _generate(sources)
    require_fresh(exemptions, every, spec.exemptions)
    every = _in_files(every, request.files)
    mutants = sample_mutants(exemptions.in_scope(every), request.limit, request.seed)
    if not mutants:
        return Adequacy(outcomes=(), generated=len(every))
    request.on_start(len(mutants))
    plan = AdequacyPlan(
        sessions=sessions,
        mutants=mutants,
        sources=sources,
        rules=Rules(today=datetime.now(UTC).date()),
        exemptions=exemptions,
        generated=len(every),
        on_stage=request.on_stage,
        on_outcome=request.on_outcome,
    )
    async with _opened_benches(request, settings, spec, source) as benches:
        return await measure_adequacy(plan, benches)


def _complete(spec: AdequacySettings, source: Path | None) -> AdequacySettings:
    missing = [name for name, value in (("app", spec.app), ("source", source or spec.source)) if not value]
    if missing:
        hint = 'Set app = "module:factory" and source = "package directory" there.'
        raise ConfigurationError(f"`{missing[0]}` is not set", where=f"[adequacy] in {FILE_NAME}", hint=hint)
    return AdequacySettings(
        source=str(source or spec.source),
        app=spec.app,
        settings=spec.settings,
        environment=spec.environment,
        exemptions=spec.exemptions,
    )


def _directory(name: str) -> Path:
    found = next((path for path in (Path(name), project_root() / name) if path.is_dir()), None)
    if found is None:
        raise ConfigurationError("there is no such source directory", where=name, hint="Give the package's directory.")
    return found.resolve()


def _read_sources(source: Path) -> dict[str, bytes]:
    """Python files by their path from the directory that holds the package."""
    return {str(path.relative_to(source.parent)): path.read_bytes() for path in sorted(source.rglob("*.py"))}


def _in_files(mutants: tuple[Mutant, ...], patterns: tuple[str, ...]) -> tuple[Mutant, ...]:
    for pattern in patterns:
        if not any(fnmatchcase(mutant.path, pattern) for mutant in mutants):
            hint = "Name files from the directory that holds the source's package, such as target/routers/*.py."
            raise ConfigurationError("no file with anything to plant matches", where=f"--files {pattern}", hint=hint)
    chosen = [mutant for mutant in mutants if any(fnmatchcase(mutant.path, pattern) for pattern in patterns)]
    return tuple(chosen) if patterns else mutants


def _generate(sources: Mapping[str, bytes]) -> tuple[Mutant, ...]:
    mutants: list[Mutant] = []
    for path, text in sources.items():
        try:
            mutants += generate_mutants(path, text)
        except (SyntaxError, ValueError) as error:
            hint = "Only source that this Python can run is mutated."
            raise ConfigurationError(f"the source cannot be parsed: {error}", where=path, hint=hint) from error
    return tuple(mutants)


def _load_exemptions(spec: AdequacySettings) -> Exemptions:
    if not spec.exemptions:
        return Exemptions()
    path = next((each for each in (Path(spec.exemptions), project_root() / spec.exemptions) if each.is_file()), None)
    if path is None:
        hint = f"Correct `exemptions` under [adequacy] in {FILE_NAME}, or remove it."
        raise ConfigurationError("there is no such file of exemptions", where=spec.exemptions, hint=hint)
    return parse_exemptions(path.read_text(encoding="utf-8"), str(path))


@asynccontextmanager
async def _opened_benches(
    request: AdequacyRequest, settings: Settings, spec: AdequacySettings, source: Path
) -> AsyncIterator[list[Bench]]:
    async with AsyncExitStack() as stack:
        runtime = stack.enter_context(runtime_directory())
        dsns: list[str | None] = [None] * request.jobs
        if any(_DSN in value for value in spec.environment.values()):
            request.on_stage("starting PostgreSQL with the rows of the start")
            dsns = [*await _databases(request, settings, runtime, stack)]
        secret = secrets.token_urlsafe(32)
        opened = []
        for number, dsn in enumerate(dsns):
            root = runtime / f"bench-{number}" / "source"
            await run_to_its_end(asyncio.to_thread(_copy, source, root / source.name))
            values = {name: _filled(text, dsn, secret) for name, text in spec.environment.items()}
            app = AsgiApp(root=root, app=spec.app, settings=spec.settings, environment=values)
            opened.append(await _bench(app, dsn, secret, stack))
        yield opened


async def _databases(request: AdequacyRequest, settings: Settings, runtime: Path, stack: AsyncExitStack) -> list[str]:
    """One database a bench, all alike."""
    postgres = LocalPostgres(runtime / "postgres")
    stack.push_async_callback(postgres.stop)
    await postgres.start()
    legacy_db = request.legacy_db
    if legacy_db is None:
        legacy_db = runtime / "seed.db"
        write_seed_database(legacy_db)
    await upgrade_schema(postgres.dsn, runtime / "alembic.log")
    await migrate_rows(legacy_db, postgres.dsn, rows=settings.rows)
    await mark_disposable(postgres.dsn)
    return [await postgres.create_database(f"bench_{number}", template=OWNER) for number in range(request.jobs)]


async def _bench(app: AsgiApp, dsn: str | None, secret: str, stack: AsyncExitStack) -> Bench:
    host = AsgiHost(app, app.root.parent)
    stack.push_async_callback(host.stop)
    await host.start()
    if dsn is None:
        return Bench(host=host, authorize=authorizer(secret))
    store = ProbedStore(PostgresState(dsn), PostgresProbe(dsn))
    stack.push_async_callback(store.close)
    await store.capture()
    schemas = {name: table.schema for name, table in (await store.read()).items()}
    return Bench(host=host, watched=WatchedStore(store), schemas=schemas, authorize=authorizer(secret))


def _copy(source: Path, into: Path) -> None:
    shutil.copytree(source, into, ignore=shutil.ignore_patterns("__pycache__"))
    # Checked by hash: a mutant of the same size in the same second must not be taken for its original.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(into, quiet=2, invalidation_mode=mode)


def _filled(text: str, dsn: str | None, secret: str) -> str:
    return text.replace(_DSN, dsn or "").replace(_JWT_SECRET, secret)
