"""The reference application as a child process, in its own pinned environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.errors import SystemUnavailable
from legacy_adapter.parquet import mark_disposable_directories
from legacy_adapter.secret_file import write_secret
from legacy_adapter.served_child import Launch, ServedChild

_PROJECT_ROOT = Path(__file__).resolve().parent.parent
_STATE_DIRECTORIES = ("cache", "reports", "dashboard")
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """Where and how the reference application runs.

    `app_root` becomes its working directory: database, caches and results lie below it. `jwt_secret` None means
    a random one per start of the judge. `environment` is added last, so it can override anything.
    """

    app_root: Path
    python: Path = _PROJECT_ROOT / ".venv-legacy" / "bin" / "python"
    port: int | None = None
    jwt_secret: str | None = field(default=None, repr=False)
    tiingo_base_url: str | None = None
    yahoo_base_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    startup_timeout_s: float = 30.0
    log_path: Path | None = None


class EmbeddedSystem:
    """Implements LegacySystem with the reference application."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self._secret_file = settings.app_root / ".secrets" / "jwt_secret"
        self._secret: str | None = settings.jwt_secret
        self._served = ServedChild(self._prepare, port=settings.port)

    @property
    def url(self) -> str:
        """Base address."""
        return self._served.url

    @property
    def database_path(self) -> Path:
        """The live SQLite file."""
        return self._settings.app_root / "data" / "trades.db"

    @property
    def cache_directory(self) -> Path:
        """The Parquet cache."""
        return self._settings.app_root / "cache"

    @property
    def results_directory(self) -> Path:
        """The result files."""
        return self._settings.app_root / "reports"

    @property
    def jwt_secret_file(self) -> Path:
        """The token secret of this run, mode 0600."""
        return self._secret_file

    @property
    def can_restart(self) -> bool:
        """Always: the process is ours."""
        return True

    @property
    def pids(self) -> tuple[int, ...]:
        """The application's process."""
        return self._served.pids

    async def start(self) -> None:
        """Starts the application and waits for `/health`; raises SystemUnavailable."""
        await self._served.start()

    async def stop(self) -> None:
        """Ends it."""
        await self._served.stop()

    async def restart(self) -> None:
        """A new process on the same port, with the same secret and files."""
        await self._served.restart()

    def _prepare(self, port: int) -> Launch:
        settings = self._settings
        if not settings.python.exists():
            raise SystemUnavailable(
                "the reference application's environment is missing",
                where=str(settings.python),
                hint="Run `make install`.",
            )
        self.database_path.parent.mkdir(parents=True, exist_ok=True)
        mark_disposable_directories(settings.app_root, _STATE_DIRECTORIES)
        self._secret = write_secret(self._secret_file, self._secret)
        command = [str(settings.python), "-m", "legacy_adapter.app", "--host", "127.0.0.1", "--port", str(port)]
        return Launch(
            name="the reference application",
            argv=command,
            cwd=settings.app_root,
            environment=self._environment(self._secret),
            log_path=settings.log_path or settings.app_root / "legacy.log",
            startup_timeout_s=settings.startup_timeout_s,
        )

    def _environment(self, secret: str) -> dict[str, str]:
        market = {"TIINGO_BASE_URL": self._settings.tiingo_base_url, "YAHOO_BASE_URL": self._settings.yahoo_base_url}
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "PYTHONPATH": str(_PROJECT_ROOT),
            "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1",
            "TZ": "UTC",
            "DATABASE_URL": "sqlite:///./data/trades.db",
            "JWT_SECRET": secret,
            **{name: value for name, value in market.items() if value is not None},
            **self._settings.environment,
        }
