"""The manifest of a new run."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.adapters.run_facts import commit, is_dirty, machine, sha256_of_files, versions
from harness.domain.evidence import RunManifest
from harness.settings import find_settings_file, judged_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """What decides a run besides the code: `command` carries no secret, `rules` are waivers and criteria."""

    command: tuple[str, ...]
    environment: str
    profile: str
    config: Path | None = None
    rules: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a verification is limited to, and the database that it starts from; empty means everything and ours."""

    phases: tuple[int, ...] = ()
    criteria: tuple[str, ...] = ()
    legacy_db: str = ""


def new_manifest(inputs: RunInputs, started_at: datetime, selected: Selection | None = None) -> RunManifest:
    """The manifest as it is when the run starts."""
    selected = selected or Selection()
    found = commit(judged_directory())
    return RunManifest(
        run_id=f"{started_at:%Y%m%dT%H%M%SZ}-{found[:7] or 'nocommit'}",
        environment=inputs.environment,
        profile=inputs.profile,
        commit=found,
        is_dirty=is_dirty(judged_directory()),
        started_at=started_at,
        command=inputs.command,
        selected_phases=selected.phases,
        selected_criteria=selected.criteria,
        legacy_db=selected.legacy_db,
        versions=versions(),
        config_sha256=sha256_of_files([inputs.config or find_settings_file()]),
        rules_sha256=sha256_of_files(inputs.rules),
        machine=machine(),
    )


def current_commit() -> str:
    """The commit that is checked out now; empty outside version control."""
    return commit(judged_directory())
