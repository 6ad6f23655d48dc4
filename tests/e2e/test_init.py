"""`parakeet init`: a project to begin with, which loads as it is and is never written over another."""

import json
import re
from pathlib import Path

import pytest

from harness.adapters.session_files import load_sessions
from harness.cli import run
from harness.domain.errors import ExitCode
from harness.domain.waiver import parse_waivers
from harness.settings import Settings, load_settings

FILES = ("parakeet.toml", "scenarios/waivers.toml", "scenarios/sessions/example.json")
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {"/books": {"get": {}, "post": {}}, "/books/{id}": {"get": {}}, "/health": {"get": {}}},
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh directory, which commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_it_writes_can_be_used_at_once(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == ExitCode.GO
    told = capfd.readouterr().out
    assert [name for name in FILES if f"written: {name}\n" not in told] == []
    assert load_settings() == Settings()
    assert parse_waivers((here / FILES[1]).read_text()) == ()
    (session,) = load_sessions([FILES[2]])
    assert [(step.method, step.url) for step in session.steps] == [("GET", "/")]
    assert "parakeet replay" in told


def test_the_commented_waiver_is_one(here: Path) -> None:
    assert run(["init"]) == ExitCode.GO
    text = re.sub(r"^#(?! )", "", (here / FILES[1]).read_text(), flags=re.M)
    (waiver,) = parse_waivers(text)
    assert waiver.id == "negative-page"


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_overwritten(here: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "mine" / name).parent.mkdir(parents=True)
    (here / "mine" / name).write_text("mine")
    assert run(["init", "mine"]) == ExitCode.USAGE
    assert f"mine/{name}" in capfd.readouterr().err
    assert [path for path in here.rglob("*") if path.is_file()] == [here / "mine" / name]
    assert (here / "mine" / name).read_text() == "mine"


def test_a_description_gives_the_session_what_can_be_read(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "openapi.json").write_text(json.dumps(DOCUMENT))
    assert run(["init", "new/project", "--openapi", "openapi.json"]) == ExitCode.GO
    assert "reads 2 of 4 operations" in capfd.readouterr().out
    (session,) = load_sessions([f"new/project/{FILES[2]}"])
    assert [step.url for step in session.steps] == ["/books", "/health"]


@pytest.mark.parametrize(
    ("openapi", "code"),
    [
        ("absent.json", ExitCode.USAGE),
        ("text", ExitCode.USAGE),
        ("empty.json", ExitCode.USAGE),
        ("http://127.0.0.1:1", ExitCode.INCONCLUSIVE),
        ("ftp://127.0.0.1", ExitCode.USAGE),
    ],
)
def test_a_description_that_cannot_be_used_leaves_nothing(
    here: Path, openapi: str, code: ExitCode, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "text").write_text("no JSON")
    (here / "empty.json").write_text("{}")
    assert run(["init", "new", "--openapi", openapi]) == code
    told = capfd.readouterr().err
    assert openapi in told and "next:" in told
    assert not (here / "new").exists()


def test_a_place_that_cannot_be_written_to_is_told(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "file").write_text("a file")
    assert run(["init", "file"]) == ExitCode.USAGE
    assert "next:" in capfd.readouterr().err
