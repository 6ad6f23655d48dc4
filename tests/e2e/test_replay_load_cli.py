"""`parakeet replay --rate` from the outside: exit codes, what is stored, and what is refused before any request."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.child import free_port
from harness.cli import run
from tests.builders.small_pair import Servers

READS = ("GET /things", "GET /time")


def sessions_file(path: Path, *sessions: tuple[str, ...]) -> str:
    entries = [
        {
            "id": f"s{number}",
            "group": "things",
            "steps": [{"request": {"method": text.split()[0], "url": text.split()[1]}} for text in requests],
        }
        for number, requests in enumerate(sessions, start=1)
    ]
    path.write_text(json.dumps({"format_version": 1, "sessions": entries}), encoding="utf-8")
    return str(path)


def load(urls: tuple[str, str], sessions: str, out: Path, *more: str) -> int:
    sides = ("--legacy-url", urls[0], "--target-url", urls[1])
    return run(["replay", *sides, "--sessions", sessions, "--out", str(out), "--rate", "200", "--count", "40", *more])


def test_equal_systems_are_go_and_what_was_sent_is_told(servers: Servers, tmp_path: Path, capsys: Any):
    urls = (servers.start("--memory"), servers.start("--memory"))
    sessions = sessions_file(tmp_path / "s.json", READS, ("POST /things",))
    assert load(urls, sessions, tmp_path / "run", "--concurrency", "4", "--only-reading") == 0
    captured = capsys.readouterr()
    assert "no unexplained difference in 80 compared exchanges" in captured.out
    assert "40 of 40 sessions started" in captured.out
    assert "1 of 2 sessions write and are left out" in captured.err
    told = json.loads((tmp_path / "run" / "load.json").read_bytes())
    assert (told["started"], told["requests_of_a_side"], told["concurrency"]) == (40, 80, 4)
    assert run(["compare", "--run", str(tmp_path / "run")]) == 0


def test_a_side_that_answers_otherwise_is_no_go_and_one_that_dies_inconclusive(servers: Servers, tmp_path: Path):
    legacy, other = (
        servers.start("--memory"),
        servers.start("notes_api:create_app", module="tests.builders.asgi_process"),
    )
    assert load((legacy, other), sessions_file(tmp_path / "s.json", ("GET /things",)), tmp_path / "other") == 1
    dying = servers.start("--memory", "--defect", "dies")
    times = sessions_file(tmp_path / "t.json", ("GET /time",))
    assert load((legacy, dying), times, tmp_path / "dead", "--count", "80") == 3
    assert (tmp_path / "dead" / "differences.jsonl").read_text().count("connection refused") > 0


@pytest.mark.parametrize(
    ("sessions", "more", "told"),
    [
        ((READS, ("POST /things",)), (), "s2"),
        (
            (("POST /things",), ("GET /things", "DELETE /things/1")),
            ("--only-reading",),
            "none of 2 sessions only reads",
        ),
        ((READS,), ("--rate", "0"), "--rate"),
        ((READS,), ("--rate", "0.01", "--seconds", "0.1"), "no session would start"),
        ((READS,), ("--legacy-db", "x"), "--legacy-db"),
        ((READS,), ("--target-url", "http://192.0.2.1"), "192.0.2.1"),
        ((READS,), ("--target-url", "http://192.0.2.1", "--allow-load"), "allow_load = true"),
    ],
    ids=[
        "writes",
        "nothing reads",
        "no rate",
        "none in time",
        "with a database",
        "off this machine",
        "not allowed there",
    ],
)
def test_what_cannot_be_is_refused_by_name_before_anything_is_sent(
    tmp_path: Path, capsys: Any, sessions: tuple[tuple[str, ...], ...], more: tuple[str, ...], told: str
):
    nobody = f"http://127.0.0.1:{free_port()}"
    assert load((nobody, nobody), sessions_file(tmp_path / "s.json", *sessions), tmp_path / "run", *more) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_nobody_there_is_inconclusive(tmp_path: Path):
    nobody = f"http://127.0.0.1:{free_port()}"
    assert load((nobody, nobody), sessions_file(tmp_path / "s.json", READS), tmp_path / "run") == 3
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", [("--worker", "127.0.0.2"), ("--only-reading",), ("--allow-load",)])
def test_an_option_of_a_load_is_refused_without_a_rate(tmp_path: Path, capsys: Any, option: tuple[str, ...]):
    nobody = f"http://127.0.0.1:{free_port()}"
    sessions = sessions_file(tmp_path / "s.json", READS)
    sides = ("--legacy-url", nobody, "--target-url", nobody, "--sessions", sessions)
    assert run(["replay", *sides, "--out", str(tmp_path / "run"), *option]) == 2
    assert "go with --rate only" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
