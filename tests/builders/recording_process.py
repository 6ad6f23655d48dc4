"""`parakeet record` as a process, at a free port."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_READY = re.compile(r"recording (http://\S+) ->")


class RecordingProcess:
    """Records until it is told to end."""

    def __init__(self, upstream: str, out: Path, *more: str, prepare: Callable[[], None] | None = None) -> None:
        argv = [sys.executable, "-c", "from harness.cli import main; main()", "record", "--listen", "127.0.0.1:0"]
        argv += ["--upstream", upstream, "--out", str(out), *more]
        self.said: list[str] = []
        self._process = subprocess.Popen(
            argv,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=prepare,  # noqa: PLW1509 - one system call
        )
        self.url = self._await_url()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal and waits; all that was printed is in `said` afterwards."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit status, once it ends."""
        printed, _ = self._process.communicate(timeout=60)
        self.said += printed.splitlines()
        return self._process.returncode

    def kill(self) -> None:
        """At once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=60)

    def _await_url(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if found := _READY.search(line):
                return found[1]
        self._process.communicate(timeout=60)
        raise AssertionError("\n".join(self.said))
