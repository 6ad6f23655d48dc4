"""Long work says how far it is: a bar on a terminal, a line now and then in a log, nothing if it is short."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness.adapters.har import HarFile
from harness.cli import progress
from harness.cli.progress import shown_progress, shown_stages
from harness.cli.replay_progress import reading_told


def test_without_a_terminal_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 3.0, 10.0, 10.0, 12.0, 25.0, 25.0])
    with shown_progress("replaying", "sessions", clock=lambda: next(times)) as tell:
        for done in (1, 2_000, 3_000, 4_000):
            tell(done, 5_000 if done < 4_000 else None)
    assert capsys.readouterr() == ("", "replaying: 2,000 of 5,000 sessions\nreplaying: 4,000 sessions\n")


def test_without_a_terminal_stages_are_lines_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 3.0, 10.0, 10.0, 12.0])
    with shown_stages("starting", clock=lambda: next(times)) as tell:
        for stage in ("one", "two", "three"):
            tell(stage)
    assert capsys.readouterr() == ("", "… two\n")


def test_a_large_har_tells_how_far_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_BETWEEN_LINES_S", 0.0)
    entry = {"request": {"method": "GET", "url": "http://h/x"}, "response": {"status": 200, "content": "x" * 1_000_000}}
    path = tmp_path / "large.har"
    path.write_text(json.dumps({"log": {"entries": [entry] * 3}}))
    assert len(HarFile(path, on_read=reading_told())) == 1
    assert capsys.readouterr().err.splitlines() == [f"reading large.har: {n} of 3 MB" for n in (1, 2, 3)]


def test_on_a_terminal_there_is_a_bar() -> None:
    code = (
        "from harness.cli.progress import shown_progress\n"
        "with shown_progress('replaying', 'sessions') as tell:\n    tell(3, 7)\n"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the terminal is gone when its last process has ended
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    assert b"replaying" in shown and b"3/7 sessions" in shown.replace(b"\x1b[32m", b"").replace(b"\x1b[0m", b"")
