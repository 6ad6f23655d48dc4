"""`parakeet up` as a user starts it, and what belongs to it: for tests that need both systems or end them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 120.0
_POLL_S = 0.05
_AS_A_BACKGROUND_JOB = ("sh", "-c", 'trap "" INT; exec "$0" "$@"')


class StartedCommand:
    """A `parakeet` command as a process of its own; its temporary files go below `temporary`, its words to a file."""

    def __init__(self, arguments: Iterable[str], *, directory: Path, ignores_interrupts: bool = False) -> None:
        self.directory = directory
        self.temporary = directory / "tmp"
        self.temporary.mkdir(parents=True, exist_ok=True)
        self._log_path = directory / "output.log"
        prefix = _AS_A_BACKGROUND_JOB if ignores_interrupts else ()
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*prefix, sys.executable, "-c", "from harness.cli import main; main()", *arguments],
                cwd=directory,
                env={**os.environ, "TMPDIR": str(self.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _open_to_every_account(self.temporary)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """All that it said."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Returns once `condition` holds; fails where the command ends or takes too long before it does."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not condition():
            assert self._process.poll() is None, f"it ended early: {self.output}"
            assert time.monotonic() < deadline, f"nothing came of it: {self.output}"
            time.sleep(_POLL_S)

    def left_behind(self) -> list[str]:
        """Its runtime directories that are still there."""
        return [path.name for path in self.temporary.glob("parakeet-*")]

    def family(self) -> list[psutil.Process]:
        """It and all that it has started, direct or not."""
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal; an interrupt goes to its whole process group, as a terminal's Ctrl-C does."""
        if number == signal.SIGINT:
            os.killpg(self.pid, number)
        else:
            self._process.send_signal(number)

    def wait(self, timeout_s: float = 60.0) -> int:
        """Its exit status."""
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """Ends it in order, or by force; safe where it has ended."""
        if self._process.poll() is None:
            self.send(signal.SIGTERM)
            try:
                self.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self.wait()


class StartedPair(StartedCommand):
    """Both systems, once `addresses` is known."""

    def __init__(self, directory: Path, *more: str, ignores_interrupts: bool = False) -> None:
        self.json_path = directory / "pair.json"
        self.json_path.unlink(missing_ok=True)
        arguments = ("up", "--json", str(self.json_path), *more)
        super().__init__(arguments, directory=directory, ignores_interrupts=ignores_interrupts)

    def addresses(self) -> dict[str, Any]:
        """What `--json` says, as soon as both systems answer."""
        self.wait_for(self.json_path.exists)
        found: dict[str, Any] = json.loads(self.json_path.read_text(encoding="utf-8"))
        return found


class StartedCommands:
    """Commands of one test, each in a directory of its own; all end with it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._all: list[StartedCommand] = []

    def up(self, name: str, *, ignores_interrupts: bool = False) -> StartedPair:
        """`parakeet up`."""
        pair = StartedPair(self._directory / name, ignores_interrupts=ignores_interrupts)
        self._all.append(pair)
        return pair

    def verify(self, name: str, *arguments: str) -> StartedCommand:
        """`parakeet verify`."""
        command = StartedCommand(("verify", *arguments), directory=self._directory / name)
        self._all.append(command)
        return command

    def end(self) -> None:
        """Ends what still runs."""
        for command in self._all:
            command.end()


def survivors(processes: Iterable[psutil.Process], *, timeout_s: float = 15.0) -> list[str]:
    """Those that still run after the time allowed, as text; a zombie is none."""
    waiting = list(processes)
    deadline = time.monotonic() + timeout_s
    while (waiting := [process for process in waiting if _runs(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return [str(process) for process in waiting]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _open_to_every_account(path: Path) -> None:
    # As root, PostgreSQL runs under an account of its own and must reach its files.
    if os.geteuid() == 0:
        for folder in (path, *path.parents):
            folder.chmod(folder.stat().st_mode | 0o011)
