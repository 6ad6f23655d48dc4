"""A replay that was cut off goes on: behind a kill with rows changed, behind a full disk, and from nothing."""

import asyncio
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.cli import run
from tests.builders.postgres import fetch
from tests.builders.small_pair import JSON_HEADERS, Databases, Servers, write_session

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ("comparisons.jsonl", "differences.jsonl", "coverage.json", "decision.json")
START = ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")])


@pytest.fixture
def databases(databases: Databases) -> Databases:
    databases.mark()
    return databases


def write_sessions(directory: Path, count: int, name_bytes: int = 8) -> list[str]:
    """Each makes a thing with a name that cannot be packed, reads it, and leaves it."""
    options, chance = [], random.Random(1)
    for number in range(count):
        create = {
            "method": "POST",
            "url": "/things",
            "json": {"name": chance.randbytes(name_bytes).hex()},
            "headers": JSON_HEADERS,
        }
        steps = [
            {"name": "create", "request": create, "save": {"id": "/id"}},
            {"name": "read", "request": {"method": "GET", "url": "/things/{{id}}"}},
        ]
        options += ["--sessions", write_session(directory / f"s{number:03}.json", *steps)]
    return options


def arguments(legacy: str, target: str, out: Path, *more: str) -> list[str]:
    return ["replay", "--legacy-url", legacy, "--target-url", target, "--out", str(out), *more]


def start(given: list[str], max_file_bytes: int = resource.RLIM_INFINITY) -> "subprocess.Popen[bytes]":
    code = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({max_file_bytes}, resource.RLIM_INFINITY))
from harness.cli import main
main()
"""
    return subprocess.Popen(
        [sys.executable, "-c", code, *given], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )


def findings(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FINDINGS}


def test_a_run_that_was_killed_with_rows_changed_goes_on_from_the_state_at_its_start(
    servers: Servers, databases: Databases, tmp_path: Path
) -> None:
    legacy = servers.start("--sqlite", str(databases.sqlite_path))
    target = servers.start("--dsn", databases.dsn, "--defect", "upper")
    state = ("--legacy-db", str(databases.sqlite_path), "--target-dsn", databases.dsn)
    sessions = write_sessions(tmp_path, 20)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(arguments(legacy, target, whole, *state, *sessions)) == 1
    process = start(arguments(legacy, target, broken, *state, *sessions))
    with process:
        while not (broken / "exchanges.jsonl.gz").exists():
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
    insert = "INSERT INTO things (name) VALUES ('left behind')"  # whatever a session had done when the kill came
    with closing(sqlite3.connect(databases.sqlite_path, isolation_level=None)) as database:
        database.execute(insert)
    asyncio.run(fetch(databases.dsn, insert))
    assert (broken / "legacy-state.sqlite").stat().st_mode & 0o077 == 0
    assert run(arguments(legacy, target, broken, *state, *sessions, "--resume")) == 1
    assert findings(broken) == findings(whole)
    assert databases.things() == START
    assert {path.name for path in broken.iterdir()} == {path.name for path in whole.iterdir()}


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(servers: Servers, tmp_path: Path) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory", "--defect", "upper")
    sessions = write_sessions(tmp_path, 20, name_bytes=4_000)
    out = tmp_path / "run"
    with start(arguments(legacy, target, out, *sessions), max_file_bytes=49_152) as process:
        _, shown = process.communicate()
    assert process.returncode == 4, shown
    assert b"cannot write the evidence" in shown and b"--resume" in shown and b"Traceback" not in shown
    assert not (out / "report.html").exists()
    assert run(arguments(legacy, target, out, *sessions, "--resume")) == 1
    assert len((out / "comparisons.jsonl").read_text().splitlines()) == 40
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_only_the_same_inputs_go_on_and_a_finished_run_is_judged_again(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory")
    sessions = write_sessions(tmp_path, 2)
    out = tmp_path / "run"
    given = arguments(legacy, target, out, *sessions, "--resume")
    assert run(given) == 0, "nothing is there yet, so it begins"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(given) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    capsys.readouterr()
    for changed in (arguments(target, target, out, *sessions), arguments(legacy, target, out, *sessions[:2])):
        assert run([*changed, "--resume"]) == 2
        assert "other inputs" in capsys.readouterr().err
    assert run(arguments(legacy, target, out, *sessions)) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
