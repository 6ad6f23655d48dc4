"""Long work says how far it is: a bar on a terminal, a line now and then in a log, nothing if it is short."""

import os
import pty
import subprocess
import sys

import pytest

from harness.cli.progress import shown_progress


def test_without_a_terminal_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 3.0, 10.0, 10.0, 12.0, 25.0, 25.0])
    with shown_progress("replaying", "sessions", clock=lambda: next(times)) as tell:
        for done in (1, 2_000, 3_000, 4_000):
            tell(done, 5_000 if done < 4_000 else None)
    assert capsys.readouterr() == ("", "replaying: 2,000 of 5,000 sessions\nreplaying: 4,000 sessions\n")


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
