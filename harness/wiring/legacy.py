"""The legacy system that the configuration asks for, on a copy of its database."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.settings import FILE_NAME, LegacySettings
from harness.wiring.market import market_variables
from legacy_adapter.adapter import LegacySystem
from legacy_adapter.docker import DockerSettings, DockerSystem
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.parquet import mark_disposable_directories, require_readable
from legacy_adapter.process import ProcessSettings, ProcessSystem
from legacy_adapter.remote import RemoteSettings, RemoteSystem
from legacy_adapter.seed import write_seed_database
from legacy_adapter.sqlite import copy_database, mark_disposable_file


def legacy_system(settings: LegacySettings, runtime: Path, market_url: str) -> LegacySystem:
    """The system of `settings.mode`, not started; what it writes of ours goes below `runtime`.

    The reference application asks the market at `market_url`; another one does if its `environment` says so.

    Raises:
        ConfigurationError: a setting that the mode needs is missing, or a directory that it names is none.
    """
    for directory in (settings.cache_directory, settings.results_directory):
        require_readable(_named_directory(settings, directory))
    environment = {name: text.replace("{market}", market_url) for name, text in settings.environment.items()}
    if settings.mode == "process":
        return ProcessSystem(_process(settings, runtime, environment))
    if settings.mode == "docker":
        return DockerSystem(_docker(settings, runtime, environment))
    if settings.mode == "remote":
        return RemoteSystem(_remote(settings))
    return EmbeddedSystem(
        EmbeddedSettings(
            app_root=runtime,
            port=settings.port,
            # The public list of an index is not there, so that the fixed one is used, the same on every day.
            environment={**market_variables(market_url), "SPX500_LIST_URL": f"{market_url}/none.csv", **environment},
            startup_timeout_s=settings.startup_timeout_s,
        )
    )


def place_database(settings: LegacySettings, given: Path | None, legacy: LegacySystem) -> Path:
    """The database that both sides start from, where the legacy opens it.

    Ours is a disposable copy of `given`, else of the configured file, else the project's seed of 100 trades. A
    remote system's own file is used as it is and not marked.

    Raises:
        ConfigurationError: there is no such file, or a remote system's file is not named.
    """
    place = legacy.database_path
    if settings.mode == "remote":
        return _existing(given or place)
    if place is None:
        raise ConfigurationError("the legacy's database is not named", where=f"[legacy] in {FILE_NAME}")
    source = given or _configured(settings)
    place.parent.mkdir(parents=True, exist_ok=True)
    if source is None:
        write_seed_database(place)
    else:
        copy_database(_existing(source), place)
    mark_disposable_file(place)
    return place


def _existing(path: Path | None) -> Path:
    if path is None or not path.is_file():
        hint = "Give the SQLite file of the legacy system with --legacy-db."
        raise ConfigurationError("there is no such database", where=str(path or "not named"), hint=hint)
    return path


def _configured(settings: LegacySettings) -> Path | None:
    if settings.database is None or settings.mode == "embedded":
        return None
    return Path(settings.working_directory or ".") / settings.database


def _named_directory(settings: LegacySettings, directory: str | None) -> Path | None:
    return None if directory is None else Path(settings.working_directory or ".") / directory


def _process(settings: LegacySettings, runtime: Path, environment: Mapping[str, str]) -> ProcessSettings:
    return ProcessSettings(
        command=settings.command,
        working_directory=Path(settings.working_directory or ".").resolve(),
        runtime_directory=runtime,
        environment=environment,
        port=settings.port,
        # A copy: `{database}` in the command or its environment leads there.
        database=runtime / "legacy.db",
        cache_directory=_optional(settings.cache_directory),
        results_directory=_optional(settings.results_directory),
        health_path=settings.health_path,
        startup_timeout_s=settings.startup_timeout_s,
    )


def _docker(settings: LegacySettings, runtime: Path, environment: Mapping[str, str]) -> DockerSettings:
    if settings.image is None:
        hint = f"Set `image` under [legacy] in {FILE_NAME}."
        raise ConfigurationError("the legacy image is not named", hint=hint)
    return DockerSettings(
        image=settings.image,
        data_directory=runtime / "data",
        runtime_directory=runtime,
        cache_directory=_copied(_named_directory(settings, settings.cache_directory), runtime / "cache"),
        results_directory=_copied(_named_directory(settings, settings.results_directory), runtime / "reports"),
        environment=environment,
        port=settings.port,
        health_path=settings.health_path,
        startup_timeout_s=settings.startup_timeout_s,
    )


def _copied(named: Path | None, place: Path) -> Path:
    """A directory of ours for the container to write: what is the user's is copied, never written."""
    if named is not None and named.is_dir():
        shutil.copytree(named, place, dirs_exist_ok=True)
    place.mkdir(parents=True, exist_ok=True)
    mark_disposable_directories(place.parent, ("cache", "reports"))
    return place


def _remote(settings: LegacySettings) -> RemoteSettings:
    if settings.url is None:
        raise ConfigurationError("the legacy address is not named", hint=f"Set `url` under [legacy] in {FILE_NAME}.")
    return RemoteSettings(
        url=settings.url,
        database=_optional(settings.database),
        cache_directory=_optional(settings.cache_directory),
        results_directory=_optional(settings.results_directory),
        reset_command=settings.reset_command,
        health_path=settings.health_path,
        startup_timeout_s=settings.startup_timeout_s,
    )


def _optional(path: str | None) -> Path | None:
    return None if path is None else Path(path)
