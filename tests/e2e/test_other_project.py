"""Commands in the directory of another project: its own settings, sessions and waivers count, and nothing of ours."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.adapters.evidence_store import open_run
from harness.child import free_port
from harness.cli import run
from harness.domain.errors import ExitCode
from harness.settings import FILE_NAME, judged_directory, project_root
from harness.wiring.manifest import RunInputs, new_manifest
from tests.builders.run_directory import clean_content, write_run
from tests.builders.stored_records import session_record, step

WAIVER = """
[[waiver]]
id = "theirs"
quirk = "T1"
reason = "A reason."
owner = "somebody"
expires_on = 2099-01-01
match = { operation = "GET /theirs" }
expect = { legacy = { status = 200, body = 1 }, target = { status = 200, body = 2 } }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a `parakeet.toml` and nothing else, which commands are run in."""
    directory = tmp_path / "theirs"
    directory.mkdir()
    (directory / FILE_NAME).write_text("[rows]\nadded = ['theirs']\n")
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def stored(project: Path) -> Path:
    """A replay of theirs, with one session whose answers are alike."""
    inputs = RunInputs(command=("parakeet",), environment="local", profile="replay")
    store = open_run(project / "run", new_manifest(inputs, datetime.now(UTC)))
    store.append_session(replace(session_record(), steps=(step(1), step(2)), repeat=(), initial_differences=()))
    store.finish(datetime.now(UTC))
    store.close()
    return project / "run"


@pytest.mark.parametrize("command", ["compare", "report", "gate", "selftest", "waivers"])
def test_a_stored_replay_is_judged_without_anything_of_ours(
    stored: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "--run", str(stored)]) == ExitCode.GO
    capfd.readouterr()
    assert run([command, "--run", str(stored)]) == ExitCode.GO
    captured = capfd.readouterr()
    assert captured.err.strip() == "", "no waiver of ours is unused here, and no rule comes from elsewhere"
    assert (stored / "waivers.jsonl").read_text() == ""


def test_waivers_of_the_project_are_found(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "scenarios").mkdir()
    (project / "scenarios" / "waivers.toml").write_text(WAIVER)
    assert run(["waivers"]) == ExitCode.GO
    assert capfd.readouterr().out.startswith("theirs (T1)")


def test_sessions_of_the_project_are_replayed_by_default(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sessions = project / "scenarios" / "sessions" / "group"
    sessions.mkdir(parents=True)
    (sessions / "own.json").write_text(json.dumps({"format_version": 99}))
    nobody = f"http://127.0.0.1:{free_port()}"
    assert run(["replay", "--legacy-url", nobody, "--target-url", nobody, "--out", "new"]) == ExitCode.USAGE
    assert str(sessions / "own.json") in capfd.readouterr().err


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("verify", "scenarios/criteria.toml"),
        ("up", "terraform"),
        ("build", "terraform"),
        ("bench cold-start", "terraform"),
        ("load", "terraform"),
        ("infra check", "terraform"),
        ("phases", "scenarios/criteria.toml"),
        ("replay --legacy-url http://127.0.0.1:1 --target-url http://127.0.0.1:1 --out new", "scenarios/sessions"),
    ],
)
def test_what_the_project_lacks_is_named(
    project: Path, command: str, missing: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(command.split()) == ExitCode.USAGE
    told = capfd.readouterr().err
    assert missing in told and str(project) in told and "next:" in told
    assert [path.name for path in project.iterdir()] == [FILE_NAME], "nothing was written"


def test_a_run_that_was_decided_by_our_criteria_is_not_decided_by_none(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "ours"
    write_run(directory, clean_content())
    manifest = json.loads((directory / "manifest.json").read_text())
    (directory / "manifest.json").write_text(json.dumps({**manifest, "required_criteria": ["P1.1"]}))
    before = {path: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    assert run(["compare", "--run", str(directory)]) == ExitCode.USAGE
    assert "P1.1" in capfd.readouterr().err
    assert {path: path.read_bytes() for path in directory.iterdir() if path.is_file()} == before


def test_without_settings_of_its_own_ours_are_used_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert judged_directory() == project_root()
    assert run(["waivers"]) in {ExitCode.GO, ExitCode.NO_GO}
    told = capfd.readouterr().err
    assert str(project_root()) in told and "parakeet init" in told
