"""`parakeet parity isolation` against a small server, with and without a planted race."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.child import free_port
from harness.cli import run
from tests.builders.racy_things import scenario_toml

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "things.toml"
    path.write_text(scenario_toml(), encoding="utf-8")
    return str(path)


@pytest.fixture
def serve() -> Iterator[Callable[[str], str]]:
    children: list[subprocess.Popen[str]] = []

    def start(defect: str) -> str:
        command = [sys.executable, "-m", "tests.builders.racy_things", defect]
        children.append(subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True))
        assert children[-1].stdout is not None
        return f"http://127.0.0.1:{children[-1].stdout.readline().strip()}"

    yield start
    for child in children:
        child.kill()
        child.communicate()


def isolation(*arguments: str) -> int:
    return run(["parity", "isolation", "--clients", "6", *arguments])


@pytest.mark.parametrize("defect", ["lost update", "double seal", "phantom page"])
def test_a_planted_race_is_found_and_told(
    defect: str, serve: Callable[[str], str], scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = ("--target-url", serve(defect), "--scenario", scenario, "--for", "60s", "--until-found")
    assert isolation(*arguments, "--out", str(out)) == 1
    assert "these answers have no serial order" in capsys.readouterr().out
    findings = json.loads((out / "findings.json").read_text())
    assert findings["findings"]
    assert findings["operations"] == len((out / "history.jsonl").read_text().splitlines())
    assert findings["findings"][0]["title"] in (out / "timelines.txt").read_text()
    assert isolation(*arguments, "--out", str(out)) == 2, "evidence of two runs does not mix"


def test_a_system_that_keeps_the_laws_is_clean(
    serve: Callable[[str], str], scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve("")
    assert isolation("--target-url", url, "--legacy-url", url, "--scenario", scenario, "--for", "1s") == 0
    told = capsys.readouterr().out
    assert "the serial model agrees with the legacy on 20 serial histories" in told
    assert " 0 undecided, 0 findings" in told


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--target-url", "http://192.0.2.1:80"), 2, "this machine only"),
        (("--target-url", "http://127.0.0.1:{dead}", "--for", "1s"), 3, "does not answer"),
        (("--target-url", "http://127.0.0.1:{dead}", "--for", "soon"), 2, "is no run time"),
        (("--target-url", "http://127.0.0.1:{dead}", "--scenario", "absent.toml"), 2, "cannot be read"),
    ],
)
def test_what_cannot_be_checked_is_said(
    arguments: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = str(free_port())
    assert isolation(*(each.replace("{dead}", dead) for each in arguments)) == code
    assert told in capsys.readouterr().err
