"""A legacy system that is a child process on a loopback port: what embedded, process and docker share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.child import Child, free_port
from legacy_adapter.adapter import require_free_port, wait_until_healthy


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the child is started; `environment` is complete, nothing is inherited beside it."""

    name: str
    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    log_path: Path
    health_path: str = "/health"
    startup_timeout_s: float = 30.0


class ServedChild:
    """Runs one child at a time on a port that stays the same over restarts."""

    def __init__(self, launch: Callable[[int], Launch], *, port: int | None = None) -> None:
        self._launch = launch
        self._wanted_port = port
        self._port: int | None = None
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The port it listens on; chosen on first use."""
        if self._port is None:
            self._port = self._wanted_port or free_port()
        return self._port

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> tuple[int, ...]:
        """The child's pid while it runs."""
        return () if self._child is None or self._child.exit_status is not None else (self._child.pid,)

    async def start(self) -> None:
        """Starts and waits for health.

        Raises:
            SystemUnavailable: port taken, command missing, dead at start, or silent; no process is left.
        """
        if self.pids:
            return
        require_free_port(self.port)
        launch = self._launch(self.port)
        self._child = Child.start(
            launch.argv, name=launch.name, log_path=launch.log_path, cwd=launch.cwd, env=launch.environment
        )
        try:
            await wait_until_healthy(
                self.url,
                launch.health_path,
                timeout_s=launch.startup_timeout_s,
                child=self._child,
                name=launch.name,
            )
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the child and waits for it."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def restart(self) -> None:
        """A new process on the same port."""
        await self.stop()
        await self.start()
