"""The check against recordings, on the reference application or at an address."""

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.adapters.fresh_connection import FreshConnectionClient
from harness.adapters.session_files import load_sessions
from harness.adapters.tokens import authorization_header
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Request
from harness.domain.recording import Place
from harness.domain.recording_result import StepCheck
from harness.domain.session import Session
from harness.engine.recording_check import Application, StartAfresh, check_recording
from harness.wiring.runtime import runtime_directory
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem

_TAIL_LINES = 12
_SQLITE_MAGIC = b"SQLite format 3\x00"
# Port 1 is never served: the recordings were made without a market data source.
_NOWHERE = "http://127.0.0.1:1"
# The public development default: what an application runs with that was told no secret.
_DEVELOPMENT_SECRET = "dev-secret-change-in-production"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What to check: recordings, and the reference application on a copy of `database`, or the one at `url`."""

    recordings: Sequence[str]
    database: Path | None = None
    url: str | None = None
    jwt_secret_file: Path | None = None
    on_note: Callable[[str], None] = lambda _: None


async def check_legacy(options: CheckOptions) -> AsyncIterator[StepCheck]:
    """The outcome of every step, as it comes.

    Raises:
        ConfigurationError: a recording, the database or the secret cannot be read.
        SystemUnavailable: the application does not start or does not answer.
    """
    sessions = load_sessions(options.recordings)
    start = _embedded(options) if options.url is None else await _remote(options, options.url, sessions)
    async for check in check_recording(sessions, start):
        yield check


def _embedded(options: CheckOptions) -> StartAfresh:
    database = _require_database(options.database)

    def start(session: Session) -> AbstractAsyncContextManager[Application]:
        del session
        return _reference_application(database)

    return start


@asynccontextmanager
async def _reference_application(database: Path) -> AsyncIterator[Application]:
    with runtime_directory() as folder:
        root = _application_root(folder, database)
        system = EmbeddedSystem(
            EmbeddedSettings(
                app_root=root,
                jwt_secret=_DEVELOPMENT_SECRET,
                tiingo_base_url=_NOWHERE,
                yahoo_base_url=_NOWHERE,
                environment={"SPX500_LIST_URL": f"{_NOWHERE}/list.csv"},
            )
        )
        try:
            await system.start()
            yield _application(system.url, _DEVELOPMENT_SECRET, str(root))
        except SystemUnavailable as error:
            if system.pids:
                raise
            raise _with_last_lines(error, root / "legacy.log") from error
        finally:
            await system.stop()


def _application_root(folder: Path, database: Path) -> Path:
    root = folder.resolve()
    (root / "data").mkdir()
    shutil.copyfile(database, root / "data" / "trades.db")
    return root


async def _remote(options: CheckOptions, url: str, sessions: Sequence[Session]) -> StartAfresh:
    application = _application(url, _read_secret(options.jwt_secret_file), None)
    first = await application.client.send(Request(method="GET", url="/"))
    if first.response is None:
        hint = "Check the address: what listens there speaks no HTTP."
        raise SystemUnavailable(f"the application does not answer: {first.transport_error}", where=url, hint=hint)
    if len(sessions) > 1:
        options.on_note(
            f"the recording starts afresh {len(sessions) - 1} times; the application at {url} is not ours to restart, "
            "so state carries over and answers after the first session may differ"
        )
    if options.database is not None:
        options.on_note("--db is not used with --url: the application keeps the database that it has open")

    @asynccontextmanager
    async def start(session: Session) -> AsyncIterator[Application]:
        del session
        yield application

    return start


def _application(url: str, secret: str, app_root: str | None) -> Application:
    return Application(
        client=FreshConnectionClient(url),
        place=Place(base_url=url.rstrip("/"), app_root=app_root),
        authorize=lambda kind: authorization_header(kind, secret, datetime.now(UTC)),
    )


def _with_last_lines(error: SystemUnavailable, log: Path) -> SystemUnavailable:
    if not log.exists():
        return error
    lines = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
    return SystemUnavailable(error.what, where=error.where, hint=f"Its last lines:\n{lines}")


def _require_database(path: Path | None) -> Path:
    if path is None:
        raise ConfigurationError(
            "no database is given", hint="Give the SQLite file that the recording starts from with --db."
        )
    try:
        with path.open("rb") as file:
            magic = file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the database: {error.strerror}", where=str(path), hint="Check the path given with --db."
        ) from error
    if magic != _SQLITE_MAGIC:
        raise ConfigurationError(
            "not a SQLite database", where=str(path), hint="Give the file that the recording starts from."
        )
    return path


def _read_secret(path: Path | None) -> str:
    if path is None:
        return _DEVELOPMENT_SECRET
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read the token secret: {type(error).__name__}", where=str(path), hint="Check --jwt-secret-file."
        ) from error
