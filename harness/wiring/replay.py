"""A replay between any two addresses: everything checked first, then sent, stored and judged."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from harness.adapters.change_probe import PostgresProbe, ProbedStore
from harness.adapters.evidence_store import (
    EvidenceStore,
    disk_errors,
    has_run,
    open_run,
    require_empty,
    resume_run,
    write_atomically,
)
from harness.adapters.http import HttpOptions, HttpSide, utc_now
from harness.adapters.postgres import PostgresState
from harness.adapters.session_files import open_sessions
from harness.adapters.tokens import authorization_header
from harness.domain.coverage import OPENAPI_FILE
from harness.domain.credential import secret_part
from harness.domain.drift import Drift
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Side
from harness.domain.identity import Identity
from harness.domain.ports import StateStore, SupportsRecovery
from harness.domain.session import Session, Sessions
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide, fetch_description
from harness.settings import AuthSettings, Settings, environment_variable, environments_at, judged_directory
from harness.wiring.legacy_state import Restart, RowsAndFiles, legacy_store, memory_note, restart_by_address
from harness.wiring.manifest import RunInputs, new_manifest
from harness.wiring.migrate import row_mapping
from harness.wiring.replay_inputs import is_replayed, replay_inputs
from harness.wiring.replay_request import ReplayRequest, SideOptions
from harness.wiring.rules import judged_mapping
from harness.wiring.writer import SessionWriter
from reports.seal import require_same_exchanges

__all__ = ["ReplayRequest", "SideOptions", "opened_sides", "replay", "replay_into"]  # the request belongs to the replay

SESSIONS_DIRECTORY = "scenarios/sessions"
Sides = tuple[ReplaySide, ReplaySide]
"""The legacy and the target, in that order."""
_STATE_FILE = "legacy-state.sqlite"
"""In the run directory while the run goes on: the legacy's rows as they were at the start."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


async def replay(
    request: ReplayRequest,
    settings: Settings,
    on_session: Callable[[int, int], None] = lambda _done, _all: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> None:
    """Replays and stores; `on_session` is told how many sessions are done and how many there are.

    `on_note` is told what was left out of the session files, and what cannot be reset between sessions.

    Raises:
        ConfigurationError: something asked for cannot be used; nothing was sent or written.
        SystemUnavailable: a side does not answer, or no longer; what was seen until then is stored.
    """
    if request.concurrency > 1 and request.legacy_db is not None:
        hint = "Leave --concurrency out, or leave out both databases: then only answers are compared."
        raise ConfigurationError("a change of rows has one cause only if sessions run one at a time", hint=hint)
    sessions = open_sessions(patterns_or_default(request.sessions), on_note, request.on_read)
    note = memory_note(sessions.written, _restart(request, settings))
    if note:
        on_note(note)
    if request.legacy.url.rstrip("/") == request.target.url.rstrip("/"):
        on_note("both addresses are one: a system is compared with itself, which says nothing of another")
    inputs = replay_inputs(request, sessions)
    request = replace(request, keeps_state=True)
    goes_on = request.is_resumed and has_run(request.out)
    if goes_on:
        if is_replayed(request.out, inputs):
            require_same_exchanges(request.out)
            (request.out / _STATE_FILE).unlink(missing_ok=True)
            return
    else:
        require_empty(request.out)
    async with opened_sides(request, settings, sessions.written) as sides:
        store = resume_run(request.out, _secrets(sides)) if goes_on else open_store(request, sides)
        try:
            store.bind_inputs(inputs)
            if goes_on:
                await _recover_state(sides)
            options = replace(replay_options(settings), concurrency=request.concurrency)
            drift = await replay_into(store, sessions, sides, on_session=on_session, options=options)
            if drift:
                on_note(drift)
            store.finish(utc_now())
        finally:
            store.close()


def patterns_or_default(patterns: Sequence[str]) -> tuple[str, ...]:
    """The session files named, or all of the judged project's.

    Raises:
        ConfigurationError: none is named, and the project has none.
    """
    if patterns:
        return tuple(patterns)
    directory = judged_directory() / SESSIONS_DIRECTORY
    if not any(path.is_file() for path in directory.rglob("*")):
        hint = "Name files with --sessions, or write some there: `parakeet init` makes an example."
        raise ConfigurationError("there are no sessions to replay", where=str(directory), hint=hint)
    return (str(directory / "**"),)


async def _recover_state(sides: Sides) -> None:
    for side in sides:
        if isinstance(side.store, RowsAndFiles):
            hint = "Bring the state at the start back and replay into a new directory."
            raise ConfigurationError("files beside the rows were not kept, so the run cannot go on", hint=hint)
        if isinstance(side.store, SupportsRecovery):
            await side.store.recover()


def open_store(request: ReplayRequest, sides: Sides) -> EvidenceStore:
    """The store of a new run in `request.out`, which keeps no credential of the sides.

    Raises:
        ConfigurationError: as `open_run`.
    """
    return open_run(request.out, new_manifest(_inputs(request), utc_now()), _secrets(sides))


async def replay_into(
    store: EvidenceStore,
    sessions: Sessions,
    sides: Sides,
    *,
    on_session: Callable[[int, int], None] = lambda _done, _all: None,
    options: ReplayOptions | None = None,
) -> str:
    """Replays the sessions that the store has not got yet, and adds each as it completes.

    Says where the legacy no longer answers as it was recorded; empty where it does.

    Raises:
        ConfigurationError, SystemUnavailable: as `replay_sessions`.
    """
    finished = store.finished_sessions
    drift = Drift()
    waiting = (drift.expect(session) for session in sessions if session.id not in finished)
    options = replace(options or ReplayOptions(), has_reported_start=bool(finished))
    if len(finished) < len(sessions):
        await store_description(store, sides)
        on_session(len(finished), len(sessions))
        async with SessionWriter(store, lambda new: on_session(len(finished) + new, len(sessions))) as writer:
            options = replace(options, on_cut=writer.take_cut)
            await replay_sessions(waiting, *sides, on_record=drift.seen_by(writer.take), options=options)
    return drift.sentence


async def store_description(store: EvidenceStore, sides: Sides) -> None:
    """What the system says of itself, for the coverage: what was never exercised is told from it."""
    document = await fetch_description(sides[0].client, sides[1].client)
    if document is not None:
        text = store.redactor.data(msgspec.json.encode(document))
        with disk_errors(store.directory / OPENAPI_FILE):
            write_atomically(store.directory / OPENAPI_FILE, text)


@asynccontextmanager
async def opened_sides(request: ReplayRequest, settings: Settings, sessions: Sequence[Session]) -> AsyncIterator[Sides]:
    """Both sides, checked: databases marked, secrets there, addresses reachable; closed when the context is left.

    Raises:
        ConfigurationError, SystemUnavailable: a check failed; nothing was sent or written.
    """
    kinds = {step.auth for session in sessions for step in session.steps if step.auth is not None}
    async with AsyncExitStack() as stack:
        http = HttpOptions(reuse_connections=request.keeps_connections)
        legacy_client = _client(HttpSide(Side.LEGACY, request.legacy.url, options=http), stack)
        target_client = _client(HttpSide(Side.TARGET, request.target.url, options=http), stack)
        stores = _stores(request, settings, stack)
        legacy = _side(Side.LEGACY, request.legacy, settings.sides.legacy.auth, legacy_client, kinds)
        legacy = replace(legacy, restart=_restart(request, settings))
        target = _side(Side.TARGET, request.target, settings.sides.target.auth, target_client, kinds)
        target = replace(target, restart=_restart_target(request, settings))
        for store in stores:
            await store.require_disposable()
        await legacy_client.require_reachable()
        await target_client.require_reachable()
        if stores:
            legacy, target = with_store(legacy, stores[0]), with_store(target, stores[1])
        yield legacy, target


def replay_options(settings: Settings) -> ReplayOptions:
    """The usual pace, with the row mapping of the configuration."""
    identity = partial(Identity, judged_mapping(settings.rows))
    return ReplayOptions(mapping=row_mapping(settings.rows), new_identity=identity)


def with_store(side: ReplaySide, store: StateStore) -> ReplaySide:
    """The side with its database known."""
    return replace(side, store=store)


def authorizer(secret: str) -> Callable[[str], str]:
    """Makes the Authorization header of an `auth` kind with one side's secret, valid from now on."""
    return lambda kind: authorization_header(kind, secret, utc_now())


def _restart(request: ReplayRequest, settings: Settings) -> Restart | None:
    return request.restart_legacy or restart_by_address(settings.legacy, request.legacy.url)


def _restart_target(request: ReplayRequest, settings: Settings) -> Restart | None:
    commands = [each.reset_command for each in environments_at(request.target.url, settings) if each.reset_command]
    return restart_by_address(settings.legacy, request.target.url, commands[0]) if commands else None


def _with_environment(request: ReplayRequest, settings: Settings) -> ReplayRequest:
    """With the database that the configuration names for the target's address, where none is given."""
    if request.legacy_db is None or request.target_dsn is not None:
        return request
    names = [each.dsn_env for each in environments_at(request.target.url, settings) if each.dsn_env]
    return replace(request, target_dsn=environment_variable(names[0])) if names else request


def _client(client: HttpSide, stack: AsyncExitStack) -> HttpSide:
    stack.push_async_callback(client.close)
    return client


def _stores(request: ReplayRequest, settings: Settings, stack: AsyncExitStack) -> tuple[StateStore, ...]:
    request = _with_environment(request, settings)
    if (request.legacy_db is None) != (request.target_dsn is None):
        given, missing = ("--legacy-db", "--target-dsn") if request.legacy_db else ("--target-dsn", "--legacy-db")
        hint = f"Add {missing}, or leave out {given}: then only answers are compared."
        raise ConfigurationError(f"{given} is given and {missing} is not: state is compared between two", hint=hint)
    if request.legacy_db is None or request.target_dsn is None:
        return ()
    if not request.legacy_db.is_file():
        hint = "Give the file that the running legacy has open."
        raise ConfigurationError("there is no such database file", where=str(request.legacy_db), hint=hint)
    working = settings.legacy.working_directory
    owner = str(request.out.resolve()) if request.keeps_state else ""
    target = ProbedStore(PostgresState(request.target_dsn, owner=owner), PostgresProbe(request.target_dsn))
    kept = request.out / _STATE_FILE if request.keeps_state else None
    stores: tuple[StateStore, ...] = (
        legacy_store(request.legacy_db, Path(working) if working else None, kept),
        RowsAndFiles(target, request.target_files) if request.target_files else target,
    )
    for store in stores:
        stack.push_async_callback(store.close)
    return stores


def _side(side: Side, options: SideOptions, auth: AuthSettings, client: HttpSide, kinds: set[str]) -> ReplaySide:
    secret = _secret(options, auth)
    if kinds and secret is None:
        hint = f"Give --{side}-jwt-secret-file, or set sides.{side}.auth.jwt_secret_file in parakeet.toml."
        raise ConfigurationError(
            f"the sessions ask for auth ({', '.join(sorted(kinds))}), and the {side}'s secret is not known", hint=hint
        )
    token = options.token or (environment_variable(auth.token_env) if auth.token_env else None)
    return ReplaySide(client=client, authorize=None if secret is None else authorizer(secret), token=token)


def _secret(options: SideOptions, auth: AuthSettings) -> str | None:
    path = options.jwt_secret_file or (Path(auth.jwt_secret_file) if auth.jwt_secret_file else None)
    if path is None:
        return None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        hint = "Give a text file that holds the secret and nothing else."
        raise ConfigurationError(f"cannot read the secret: {error}", where=str(path), hint=hint) from error
    if not secret:
        raise ConfigurationError("the secret is empty", where=str(path), hint="Write the side's JWT secret into it.")
    return secret


def _secrets(sides: Sides) -> tuple[str | None, ...]:
    return tuple(secret_part(side.token) for side in sides)


def _inputs(request: ReplayRequest) -> RunInputs:
    urls = (request.legacy.url, request.target.url)
    is_local = all((urlsplit(url).hostname or "") in _LOOPBACK for url in urls)
    return RunInputs(
        command=("parakeet", "replay", "--legacy-url", urls[0], "--target-url", urls[1], "--out", str(request.out)),
        environment="local" if is_local else "remote",
        profile="replay",
        rules=request.rules,
    )
