"""The legacy's whole state between sessions: its rows, the files that it writes, and its process memory."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from harness.adapters.change_probe import ProbedStore, SqliteProbe
from harness.domain.ports import StateStore
from harness.domain.rows import DatabaseState
from harness.domain.session import PROCESS_MEMORY_TAG, Session
from harness.settings import LegacySettings
from harness.uninterrupted import uninterrupted
from legacy_adapter.adapter import LegacySystem
from legacy_adapter.parquet import DirectoryState, find_disposable_directories
from legacy_adapter.remote import RemoteSettings, RemoteSystem
from legacy_adapter.sqlite import SqliteState

Restart = Callable[[], Awaitable[None]]


class FileState(Protocol):
    """What a side keeps beside its rows."""

    async def capture(self) -> None:
        """Remembers it as it is now."""

    async def restore(self) -> None:
        """Brings it back."""

    async def close(self) -> None:
        """Leaves it as it is."""


class RowsAndFiles:
    """A StateStore whose capture and restore cover what lies beside the database too."""

    def __init__(self, rows: ProbedStore, files: FileState) -> None:
        self._rows = rows
        self._files = files

    async def change_token(self) -> object:
        """Equal tokens guarantee equal rows; files do not count."""
        return await self._rows.change_token()

    async def require_disposable(self) -> None:
        """Files carry their mark already, or are ours: others are not found."""
        await self._rows.require_disposable()

    async def capture(self) -> None:
        """Remembers files and rows as they are now."""
        await self._files.capture()
        await self._rows.capture()

    async def restore(self) -> None:
        """Brings both back, the files first: that may have to wait for work which still writes rows."""
        await self._files.restore()
        await self._rows.restore()

    async def read(self) -> DatabaseState:
        """The rows."""
        return await self._rows.read()

    @uninterrupted
    async def close(self) -> None:
        """Leaves database and files as they are."""
        try:
            await self._rows.close()
        finally:
            await self._files.close()


def legacy_store(database: Path, working_directory: Path | None = None, kept: Path | None = None) -> StateStore:
    """The rows of the live file, and the marked directories that belong to it or lie in the working directory.

    With `kept`, a file, the rows that are captured outlive a killed process.
    """
    rows = ProbedStore(SqliteState(database, kept=kept), SqliteProbe(database))
    directories = find_disposable_directories(database, working_directory)
    return RowsAndFiles(rows, DirectoryState(directories)) if directories else rows


def restart_of(legacy: LegacySystem) -> Restart | None:
    """How a system that we run, or can have reset, forgets its process memory."""
    return legacy.restart if legacy.can_restart else None


def restart_by_address(settings: LegacySettings, url: str, command: Sequence[str] | None = None) -> Restart | None:
    """The configured reset command of a system that somebody else runs at `url`, if there is one.

    With `command`, that of another system which is asked for the same path to tell that it is up.
    """
    reset_command = settings.reset_command if command is None else command
    if not reset_command:
        return None
    remote = RemoteSettings(
        url=url,
        reset_command=reset_command,
        health_path=settings.health_path,
        startup_timeout_s=settings.startup_timeout_s,
    )
    return RemoteSystem(remote).restart


def memory_note(sessions: Sequence[Session], restart: Restart | None) -> str | None:
    """A warning where sessions need a fresh process and nobody can make one."""
    marked = [session.id for session in sessions if PROCESS_MEMORY_TAG in session.tags]
    if restart is not None or not marked:
        return None
    return (
        "the legacy's process memory cannot be reset by address: set `reset_command` under [legacy]; sessions that"
        f" depend on it: {len(marked)} ({', '.join(marked[:3])})"
    )
