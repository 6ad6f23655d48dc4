"""Which run it was, and the files of it that back its claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MANIFEST_FILE = "manifest.json"
MEASUREMENTS_FILE = "measurements.jsonl"
DECISION_FILE = "decision.json"
EXCHANGES_FILE = "exchanges.jsonl.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file in a run directory: `path` is relative to it."""

    path: str
    sha256: str
    source: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunManifest:
    """The content of `manifest.json`: all that must be equal for two runs to be comparable.

    `commit` is empty where the project is no git checkout; `finished_at` is None while the run goes on, or
    after it was killed. Empty selections mean everything. No value is a secret.
    """

    run_id: str
    environment: str
    profile: str
    commit: str
    is_dirty: bool = False
    """The working tree had uncommitted changes."""
    started_at: datetime
    finished_at: datetime | None = None
    command: tuple[str, ...] = ()
    selected_phases: tuple[int, ...] = ()
    selected_criteria: tuple[str, ...] = ()
    required_criteria: tuple[str, ...] = ()
    """Ids of the criteria that the decision hangs on: the report names all others as left out."""
    legacy_db: str = ""
    """The SQLite file that both sides start from; empty for the project's own seed."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the harness, Python, the database and the libraries that decide results."""
    seeds: Mapping[str, int] = field(default_factory=dict)
    config_sha256: str = ""
    rules_sha256: str = ""
    machine: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Where the place that was judged is another than the one described: belongs beside every figure."""
    files: tuple[Evidence, ...] = ()
    format_version: int = 1
