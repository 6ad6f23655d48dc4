"""Every way to run the legacy system keeps the same promises."""

import asyncio
import json
import os
import socket
import stat
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.child import Child, free_port
from harness.domain.errors import ConfigurationError, SystemUnavailable
from legacy_adapter.adapter import LegacySystem, wait_until_healthy
from legacy_adapter.docker import DockerSettings, DockerSystem
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.process import ProcessSettings, ProcessSystem
from legacy_adapter.remote import RemoteSettings, RemoteSystem
from legacy_adapter.seed import write_seed_database

_BUILDERS = Path(__file__).resolve().parents[1] / "builders"
_ROOT = Path(__file__).resolve().parents[2]
_TINY = _BUILDERS / "tiny_system.py"
_QUICK_S = 20.0


@dataclass
class Case:
    """A system under test, not started; `ours` says whether we run its process."""

    system: LegacySystem
    ours: bool = True


def _process(directory: Path, **changes: Any) -> ProcessSystem:
    settings: dict[str, Any] = {
        "command": [sys.executable, str(_TINY), "{port}", "{database}"],
        "working_directory": directory,
        "runtime_directory": directory / "runtime",
        "database": Path("data/trades.db"),
        "startup_timeout_s": _QUICK_S,
    }
    return ProcessSystem(ProcessSettings(**{**settings, **changes}))


def _fake_python(directory: Path) -> Path:
    """An interpreter that serves the tiny system whatever module it is told to run."""
    script = directory / "python"
    script.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "port = sys.argv[sys.argv.index('--port') + 1]\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, {str(_TINY)!r}, port, *sys.argv[1:3]])\n"
    )
    script.chmod(0o755)
    return script


def _fake_docker(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = directory / "bin"
    folder.mkdir()
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {_BUILDERS / "fake_docker.py"} "$@"\n')
    script.chmod(0o755)
    log = directory / "docker.log"
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_DOCKER_LOG", str(log))
    return log


def _docker(directory: Path, **changes: Any) -> DockerSystem:
    settings: dict[str, Any] = {
        "image": "parakeet-legacy:test",
        "data_directory": directory / "data",
        "runtime_directory": directory / "runtime",
        "startup_timeout_s": _QUICK_S,
    }
    return DockerSystem(DockerSettings(**{**settings, **changes}))


@pytest.fixture(params=["embedded", "process", "docker", "remote"])
async def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Case]:
    """One system of each kind; whatever the test leaves running is ended."""
    if request.param == "remote":
        behind = _process(tmp_path)
        await behind.start()
        marker = tmp_path / "reset"
        settings = RemoteSettings(url=behind.url + "/", reset_command=["touch", str(marker)])
        yield Case(system=RemoteSystem(settings), ours=False)
        await behind.stop()
        return
    if request.param == "docker":
        _fake_docker(tmp_path, monkeypatch)
    system: LegacySystem = {
        "embedded": lambda: EmbeddedSystem(EmbeddedSettings(app_root=tmp_path / "app", python=_fake_python(tmp_path))),
        "process": lambda: _process(tmp_path),
        "docker": lambda: _docker(tmp_path),
    }[request.param]()
    yield Case(system=system)
    await system.stop()


def _ask(url: str, path: str = "/") -> dict[str, Any]:
    with urllib.request.urlopen(url + path, timeout=5) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_answers_once_started(case: Case) -> None:
    await case.system.start()
    told = await asyncio.to_thread(_ask, case.system.url)
    assert not case.system.url.endswith("/")
    assert (told["pid"] in case.system.pids) is case.ours


async def test_stopping_leaves_no_process_and_may_be_repeated(case: Case) -> None:
    await case.system.start()
    pids = case.system.pids
    await case.system.stop()
    await case.system.stop()
    assert not any(map(_is_alive, pids))
    assert case.system.pids == ()


async def test_starting_twice_starts_one(case: Case) -> None:
    await case.system.start()
    pids = case.system.pids
    await case.system.start()
    assert case.system.pids == pids


async def test_a_restart_keeps_the_address_and_forgets_memory(case: Case) -> None:
    await case.system.start()
    url, pids = case.system.url, case.system.pids
    await asyncio.to_thread(_ask, url, "/count")
    await case.system.restart()
    assert case.system.url == url
    if case.ours:
        assert (await asyncio.to_thread(_ask, url))["count"] == 0
        assert not set(pids) & set(case.system.pids)


async def test_our_secret_is_passed_on_and_private(case: Case) -> None:
    await case.system.start()
    file = case.system.jwt_secret_file
    if file is None:
        return
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await asyncio.to_thread(_ask, case.system.url))["secret"] == file.read_text()


@pytest.mark.parametrize("make", [_process, _docker], ids=["process", "docker"])
async def test_a_taken_port_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., LegacySystem]
) -> None:
    _fake_docker(tmp_path, monkeypatch)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        system = make(tmp_path, port=port)
        with pytest.raises(SystemUnavailable, match=f"port {port} is already taken"):
            await system.start()
    assert system.pids == ()


async def test_a_missing_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemUnavailable, match="no-such-command"):
        await _process(tmp_path, command=["no-such-command"]).start()


async def test_an_empty_command_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="command"):
        _process(tmp_path, command=[])


async def test_an_application_that_dies_shows_its_last_lines(tmp_path: Path) -> None:
    system = _process(
        tmp_path, command=[sys.executable, "-c", "print('first'); raise SystemExit('no such module: app')"]
    )
    with pytest.raises(SystemUnavailable, match="ended at start") as raised:
        await system.start()
    assert "no such module: app" in raised.value.hint
    assert system.pids == ()


async def test_an_application_that_stays_silent_is_ended(tmp_path: Path) -> None:
    system = _process(
        tmp_path,
        command=[sys.executable, "-c", "import time; print('waiting', flush=True); time.sleep(600)"],
        startup_timeout_s=1.5,
    )
    with pytest.raises(SystemUnavailable, match=r"did not answer /health within 1\.5 s") as raised:
        await system.start()
    assert "waiting" in raised.value.hint
    assert system.pids == ()


async def test_a_missing_image_is_told_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = _fake_docker(tmp_path, monkeypatch)
    with pytest.raises(SystemUnavailable) as raised:
        await _docker(tmp_path, image="missing-image").start()
    assert "Unable to find image" in raised.value.hint
    assert "rm --force parakeet-legacy-" in log.read_text()


async def test_the_container_gets_its_mounts_and_no_secret_in_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = _fake_docker(tmp_path, monkeypatch)
    system = _docker(tmp_path, cache_directory=tmp_path / "cache")
    await system.start()
    await system.stop()
    ran = log.read_text().splitlines()[0]
    assert f"-v {tmp_path / 'data'}:/app/data" in ran
    assert f"-v {tmp_path / 'cache'}:/app/cache" in ran
    assert system.jwt_secret_file.read_text() not in ran
    assert system.database_path == tmp_path / "data" / "trades.db"


async def test_the_command_is_filled_in(tmp_path: Path) -> None:
    system = _process(tmp_path)
    await system.start()
    told = await asyncio.to_thread(_ask, system.url)
    await system.stop()
    assert told["arguments"][1] == str(tmp_path / "data" / "trades.db")
    assert told["directory"] == str(tmp_path)


async def test_a_remote_system_without_reset_command_cannot_restart() -> None:
    with pytest.raises(ConfigurationError, match="cannot be restarted"):
        await RemoteSystem(RemoteSettings(url="http://127.0.0.1:1")).restart()


@pytest.mark.parametrize("command", [["false"], ["no-such-command"]])
async def test_a_failing_reset_command_is_told(command: list[str]) -> None:
    with pytest.raises(SystemUnavailable, match="reset command"):
        await RemoteSystem(RemoteSettings(url="http://127.0.0.1:1", reset_command=command)).restart()


async def test_a_silent_address_is_unavailable() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SystemUnavailable) as raised:
        await RemoteSystem(RemoteSettings(url=url, startup_timeout_s=0.2)).start()
    assert raised.value.where == url


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://"])
def test_an_address_of_another_kind_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        RemoteSystem(RemoteSettings(url=url))


async def test_a_dead_child_is_noticed_before_the_timeout(tmp_path: Path) -> None:
    child = Child.start(["false"], name="it", log_path=tmp_path / "log")
    with pytest.raises(SystemUnavailable, match="ended at start"):
        await wait_until_healthy(f"http://127.0.0.1:{free_port()}", "/", timeout_s=60, child=child)
    child.kill()


async def test_a_missing_environment_names_the_remedy(tmp_path: Path) -> None:
    system = EmbeddedSystem(EmbeddedSettings(app_root=tmp_path, python=tmp_path / "nowhere"))
    with pytest.raises(SystemUnavailable) as raised:
        await system.start()
    assert "make install" in raised.value.hint


async def test_the_reference_application_serves_the_seed(tmp_path: Path) -> None:
    if not (_ROOT / ".venv-legacy" / ".installed").exists():
        pytest.skip("the reference application's environment is absent: run `make install`")
    system = EmbeddedSystem(EmbeddedSettings(app_root=tmp_path))
    write_seed_database(system.database_path)
    await system.start()
    try:
        told = await asyncio.to_thread(_ask, system.url, "/api/trades?page_size=5")
    finally:
        await system.stop()
    assert (told["total"], len(told["trades"])) == (100, 5)


async def test_the_containers_own_account_may_write_the_mounted_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_docker(tmp_path, monkeypatch)
    database = tmp_path / "runtime" / "data" / "trades.db"
    write_seed_database(database)
    (tmp_path / "cache").mkdir(mode=0o700)
    system = _docker(tmp_path, data_directory=database.parent, cache_directory=tmp_path / "cache")
    await system.start()
    await system.stop()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (database.parent, database)] == [0o777, 0o666]
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700, "what is not our copy stays as it is"


async def test_a_system_says_whether_it_can_be_restarted(case: Case) -> None:
    assert case.system.can_restart
    assert not RemoteSystem(RemoteSettings(url="http://127.0.0.1:1")).can_restart
