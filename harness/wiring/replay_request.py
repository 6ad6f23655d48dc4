"""What a replay is asked for."""

from dataclasses import dataclass, field
from pathlib import Path

from harness.adapters.har import TellRead, tell_nothing
from harness.wiring.legacy_state import FileState, Restart


@dataclass(frozen=True, slots=True, kw_only=True)
class SideOptions:
    """How one side is reached; the secret makes the `auth` kinds, the token goes where nothing else does."""

    url: str
    token: str | None = field(default=None, repr=False)
    jwt_secret_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What `parakeet replay` is asked for."""

    legacy: SideOptions
    target: SideOptions
    legacy_db: Path | None = None
    target_dsn: str | None = field(default=None, repr=False)
    sessions: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    """Files that decide how exchanges are judged, for the manifest."""
    restart_legacy: Restart | None = field(default=None, repr=False)
    """Makes the legacy forget its process memory; None means the configured reset command, if any."""
    target_files: FileState | None = field(default=None, repr=False)
    """What the target keeps beside its rows, where it can be brought back; it is closed with the rest."""
    concurrency: int = 1
    """Sessions at once that only read; more than one only where no rows are compared."""
    keeps_connections: bool = False
    """Several requests a connection: faster, and a system that hangs up may then break a request that it never saw."""
    keeps_state: bool = False
    """The state at the start outlives a killed process: in `out`, and in the target's database."""
    is_resumed: bool = False
    """Goes on with the run in `out` that was cut off, or begins it where there is none."""
    on_read: TellRead = field(default=tell_nothing, repr=False)
    """Told how far a HAR was looked through, which a large one takes a while for."""
    out: Path
