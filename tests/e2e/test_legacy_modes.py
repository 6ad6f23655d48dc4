"""`parakeet up` with the legacy run in each way that `[legacy] mode` names, and with ways that cannot work."""

import asyncio
import json
import os
import re
import socket
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.domain.errors import ExitCode
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.seed import write_seed_database
from tests.builders.started_pair import ROOT, StartedCommand, StartedPair, survivors

_PYTHON = ROOT / ".venv-legacy" / "bin" / "python"
_APPLICATION = [str(_PYTHON), "-m", "legacy_adapter.app", "--host", "127.0.0.1", "--port", "{port}"]
_BACKTEST = {"strategy_name": "HRP", "start_date": "2024-01-01", "end_date": "2024-06-30"}

if not _PYTHON.exists():
    pytest.skip("the reference application's environment is absent: run `make install`", allow_module_level=True)


def _configuration(directory: Path, **legacy: Any) -> Path:
    """The project's own configuration with another `[legacy]`."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{name} = {_toml(value)}" for name, value in legacy.items())
    text = (ROOT / "parakeet.toml").read_text(encoding="utf-8")
    own = re.compile(r'^mode = "embedded"\n.*?^\n', re.M | re.S)
    assert len(own.findall(text)) == 1
    path = directory / "other.toml"
    path.write_text(own.sub(lambda _: f"{lines}\n\n", text), encoding="utf-8")
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {json.dumps(text)}" for name, text in value.items()) + " }"
    return json.dumps(value)


def _process(directory: Path, **changes: Any) -> Path:
    root = directory / "application"
    root.mkdir(parents=True)
    settings = {
        "mode": "process",
        "command": _APPLICATION,
        "working_directory": str(root),
        "environment": {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": "sqlite:///{database}",
            "YAHOO_BASE_URL": "{market}",
            "SPX500_LIST_URL": "{market}/none.csv",
        },
    }
    return _configuration(directory, **{**settings, **changes})


def _docker(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = directory / "bin"
    folder.mkdir()
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests" / "builders" / "fake_docker_app.py"} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    environment = {"YAHOO_BASE_URL": "{market}", "SPX500_LIST_URL": "{market}/none.csv"}
    results = directory / "their-results"
    results.mkdir()
    (results / "HRP_results.json").write_text('{"metrics": {}}')
    return _configuration(
        directory, mode="docker", image="parakeet-legacy:test", environment=environment, results_directory=str(results)
    )


@pytest.fixture
def somebody_elses(tmp_path: Path) -> Iterator[EmbeddedSystem]:
    """A legacy that runs already and is not ours to end."""
    system = EmbeddedSystem(EmbeddedSettings(app_root=tmp_path / "elsewhere"))
    write_seed_database(system.database_path)
    asyncio.run(system.start())
    yield system
    asyncio.run(system.stop())


def _call(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def _require_both_serve(found: dict[str, Any]) -> None:
    for side in ("legacy_url", "target_url"):
        assert _call(f"{found[side]}/api/trades/?page_size=1")["total"] == 100


def _require_prices(legacy_url: str) -> None:
    _call(f"{legacy_url}/api/strategies/run", _BACKTEST)
    assert _call(f"{legacy_url}/api/strategies/HRP/status")["status"] == "completed"


@pytest.mark.parametrize("mode", ["embedded", "process", "docker"])
def test_a_legacy_of_ours_serves_the_seed_and_asks_the_market(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    configuration = {
        "embedded": lambda: _configuration(tmp_path, mode="embedded"),
        "process": lambda: _process(tmp_path),
        "docker": lambda: _docker(tmp_path, monkeypatch),
    }[mode]()
    pair = StartedPair(tmp_path, "--config", str(configuration))
    try:
        found = pair.addresses()
        _require_both_serve(found)
        _require_prices(found["legacy_url"])
        assert Path(found["legacy_db"]).is_file()
        family = pair.family()
    finally:
        pair.end()
    assert survivors(family) == []
    theirs = tmp_path / "their-results" / "HRP_results.json"
    assert not theirs.exists() or theirs.read_text() == '{"metrics": {}}', (
        "the user's own files are copied, not written"
    )


def test_a_legacy_that_runs_elsewhere_is_used_and_left_running(tmp_path: Path, somebody_elses: EmbeddedSystem) -> None:
    configuration = _configuration(
        tmp_path, mode="remote", url=somebody_elses.url, database=str(somebody_elses.database_path)
    )
    pair = StartedPair(tmp_path, "--config", str(configuration))
    try:
        found = pair.addresses()
        _require_both_serve(found)
        assert found["legacy_url"] == somebody_elses.url
        assert found["legacy_db"] == str(somebody_elses.database_path)
        assert not set(found["pids"]) & set(somebody_elses.pids)
        family = pair.family()
    finally:
        pair.end()
    assert survivors(family) == []
    assert _call(f"{somebody_elses.url}/health")["status"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a command ended, and which of the processes it ever had still run."""

    code: int
    output: str
    left: list[str]


def _run(directory: Path, *arguments: str) -> _Ended:
    command = StartedCommand(["up", *arguments], directory=directory)
    seen: set[psutil.Process] = set()
    try:
        parent = psutil.Process(command.pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            seen.update(parent.children(recursive=True))
            time.sleep(0.02)
    finally:
        command.end()
    return _Ended(command.wait(), command.output, survivors(seen))


_Make = Callable[[Path], list[str]]


def _dies(directory: Path) -> list[str]:
    program = "import sys; print('looking for trades'); sys.exit('no module named backend')"
    return ["--config", str(_process(directory, command=[sys.executable, "-c", program]))]


def _missing(directory: Path) -> list[str]:
    return ["--config", str(_process(directory, command=["no-such-command", "{port}"]))]


def _unreadable(directory: Path) -> list[str]:
    (directory / "application-cache").write_text("a file where a directory should be")
    return ["--config", str(_process(directory, cache_directory=str(directory / "application-cache")))]


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (_missing, ExitCode.INCONCLUSIVE, ["cannot start the legacy command", "no-such-command"]),
        (
            _dies,
            ExitCode.INCONCLUSIVE,
            ["ended at start with status 1", "looking for trades", "no module named backend"],
        ),
        (_unreadable, ExitCode.USAGE, ["the legacy's files cannot be used", "application-cache"]),
    ],
    ids=["missing command", "dies at start", "unreadable cache"],
)
def test_a_legacy_that_cannot_run_is_told_once_and_leaves_nothing(
    tmp_path: Path, make: _Make, code: ExitCode, words: list[str]
) -> None:
    _require_told(_run(tmp_path, *make(tmp_path)), code, words)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = _run(tmp_path, "--config", str(_configuration(tmp_path, mode="embedded", port=port)))
    _require_told(ended, ExitCode.INCONCLUSIVE, [f"port {port} is already taken"])


def test_a_database_that_another_process_keeps_locked_is_told(tmp_path: Path) -> None:
    database = tmp_path / "locked.db"
    write_seed_database(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ended = _run(tmp_path, "--legacy-db", str(database))
    _require_told(ended, ExitCode.INCONCLUSIVE, ["locked", str(database)])


def _require_told(ended: _Ended, code: ExitCode, words: list[str]) -> None:
    assert ended.code == code, ended.output
    assert ended.output.count("error:") == 1, ended.output
    assert "Traceback" not in ended.output
    assert [word for word in words if word not in ended.output] == [], ended.output
    assert ended.left == []
