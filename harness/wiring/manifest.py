"""The manifest of a new run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.adapters.run_facts import commit, is_dirty, machine, sha256_of_files, versions
from harness.domain.evidence import RunManifest
from harness.settings import find_settings_file, project_root


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """What decides a run besides the code: `command` carries no secret, `rules` are waivers and criteria."""

    command: tuple[str, ...]
    environment: str
    profile: str
    config: Path | None = None
    rules: tuple[Path, ...] = ()


def new_manifest(inputs: RunInputs, started_at: datetime, *, only: Iterable[str] = ()) -> RunManifest:
    """The manifest as it is when the run starts; `only` are the criteria that it is limited to."""
    found = commit(project_root())
    return RunManifest(
        run_id=f"{started_at:%Y%m%dT%H%M%SZ}-{found[:7] or 'nocommit'}",
        environment=inputs.environment,
        profile=inputs.profile,
        commit=found,
        is_dirty=is_dirty(project_root()),
        started_at=started_at,
        command=inputs.command,
        selected_criteria=tuple(only),
        versions=versions(),
        config_sha256=sha256_of_files([inputs.config or find_settings_file()]),
        rules_sha256=sha256_of_files(inputs.rules),
        machine=machine(),
    )


def current_commit() -> str:
    """The commit that is checked out now; empty outside version control."""
    return commit(project_root())
