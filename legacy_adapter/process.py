"""Any command as the legacy system, such as the real monolith from its own checkout."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.errors import ConfigurationError
from legacy_adapter.secret_file import write_secret
from legacy_adapter.served_child import Launch, ServedChild


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """A command with `{port}` and `{database}` filled in, also in the environment's values.

    `environment` is added to ours. Relative paths are taken from `working_directory`.
    """

    command: Sequence[str]
    working_directory: Path
    runtime_directory: Path
    """Ours: the log and the secret file go there."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    database: Path | None = None
    cache_directory: Path | None = None
    results_directory: Path | None = None
    health_path: str = "/health"
    startup_timeout_s: float = 30.0
    port: int | None = None
    jwt_secret: str | None = field(default=None, repr=False)
    """None leaves the command's own secret alone; then there is no secret file."""


class ProcessSystem:
    """Implements LegacySystem with a command of the user's."""

    def __init__(self, settings: ProcessSettings) -> None:
        if not settings.command:
            hint = "Set `command` under [legacy] in parakeet.toml."
            raise ConfigurationError("the legacy command is empty", hint=hint)
        self._settings = settings
        self._served = ServedChild(self._prepare, port=settings.port)

    @property
    def url(self) -> str:
        """Base address."""
        return self._served.url

    @property
    def database_path(self) -> Path | None:
        """The live SQLite file, if it was named."""
        return self._absolute(self._settings.database)

    @property
    def cache_directory(self) -> Path | None:
        """The Parquet cache, if it was named."""
        return self._absolute(self._settings.cache_directory)

    @property
    def results_directory(self) -> Path | None:
        """The result files, if they were named."""
        return self._absolute(self._settings.results_directory)

    @property
    def jwt_secret_file(self) -> Path | None:
        """The secret that we passed as JWT_SECRET, if any."""
        return None if self._settings.jwt_secret is None else self._settings.runtime_directory / "jwt_secret"

    @property
    def can_restart(self) -> bool:
        """Always: the process is ours."""
        return True

    @property
    def pids(self) -> tuple[int, ...]:
        """The command's process."""
        return self._served.pids

    async def start(self) -> None:
        """Starts the command and waits for its health answer; raises SystemUnavailable."""
        await self._served.start()

    async def stop(self) -> None:
        """Ends the command's process group."""
        await self._served.stop()

    async def restart(self) -> None:
        """A new process on the same port."""
        await self._served.restart()

    def _absolute(self, path: Path | None) -> Path | None:
        return None if path is None else (self._settings.working_directory / path).absolute()

    def _prepare(self, port: int) -> Launch:
        settings = self._settings
        environment = {**os.environ, **{name: self._fill(text, port) for name, text in settings.environment.items()}}
        if self.jwt_secret_file is not None:
            environment["JWT_SECRET"] = write_secret(self.jwt_secret_file, settings.jwt_secret)
        return Launch(
            name="the legacy command",
            argv=[self._fill(part, port) for part in settings.command],
            cwd=settings.working_directory,
            environment=environment,
            log_path=settings.runtime_directory / "legacy.log",
            health_path=settings.health_path,
            startup_timeout_s=settings.startup_timeout_s,
        )

    def _fill(self, text: str, port: int) -> str:
        # Not str.format: commands carry braces of their own.
        return text.replace("{port}", str(port)).replace("{database}", str(self.database_path or ""))
