"""Child processes that cannot outlive us: stopped in order, and by a watchdog when we die without a word.

Every child leads a process group of its own. One watchdog process per judge holds the reading end of a pipe;
when the pipe closes, however we ended, it kills every group and daemon registered with it. The kernel's
parent-death signal covers the moment between fork and registration.
"""

import asyncio
import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.domain.errors import SystemUnavailable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A running child process with its log file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._process = process

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        *,
        name: str,
        log_path: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> "Child":
        """Starts `argv` in a process group of its own, output to `log_path`.

        Raises:
            SystemUnavailable: the command cannot be started.
        """
        log_path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log_path.open("ab") as log:
                process = _spawn(argv, log, cwd, env)
        except OSError as error:
            hint = "Check the command and its working directory."
            raise SystemUnavailable(f"cannot start {name}: {error}", where=argv[0], hint=hint) from error
        watchdog().register_group(process.pid)
        return cls(name, process, log_path)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; otherwise the exit status, negative for a signal."""
        return self._process.poll()

    async def wait(self, *, timeout_s: float) -> int | None:
        """The exit status once it ends; None if it still runs after `timeout_s`."""
        try:
            return await asyncio.to_thread(self._process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            return None

    async def stop(self, *, grace_s: float = 5.0) -> None:
        """Asks the group to end, kills it after `grace_s`, and reaps it."""
        self._signal(signal.SIGTERM)
        try:
            await self.wait(timeout_s=grace_s)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kills the group at once and reaps the child; safe to call twice."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        watchdog().forget_group(self.pid)

    def tail(self, lines: int = 20) -> str:
        """The last lines of its output, for messages."""
        with contextlib.suppress(OSError):
            text = self.log_path.read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class Watchdog:
    """A process that kills what we registered once we are gone."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self._lock = threading.Lock()
        self._is_closed = False
        self.owner_pid = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _WATCHDOG_PROGRAM],
            stdin=reader,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reader)
        atexit.register(self.close)

    def close(self) -> None:
        """Has it kill what is still registered, and waits for its end."""
        if self.owner_pid != os.getpid() or self._is_closed:
            return
        with self._lock:
            self._is_closed = True
            os.close(self._writer)
        with contextlib.suppress(subprocess.TimeoutExpired):  # a fork of ours still holds the pipe open
            self._process.wait(_END_S)

    def register_group(self, pgid: int) -> None:
        """Kills this process group when we end."""
        self._tell(f"+g {pgid}")

    def forget_group(self, pgid: int) -> None:
        """The group has ended: its id may be used again by others."""
        self._tell(f"-g {pgid}")

    def register_daemon(self, pid: int) -> None:
        """Ends this process, started by a library outside our groups, with SIGQUIT when we end.

        PostgreSQL's postmaster takes SIGQUIT as an immediate shutdown of all its children.
        """
        self._tell(f"+d {pid}")

    def forget_daemon(self, pid: int) -> None:
        """The daemon has ended."""
        self._tell(f"-d {pid}")

    def _tell(self, line: str) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            if not self._is_closed:
                os.write(self._writer, line.encode() + b"\n")


_WATCHDOG_PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def born(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[19]
    except OSError:
        return None
watched = {}
for line in sys.stdin:
    action, number = line.split()
    key = (action[1], int(number))
    if action[0] == "+":
        watched[key] = born(key[1])
    else:
        watched.pop(key, None)
def end(force):
    for (kind, pid), birth in watched.items():
        try:
            if kind == "g":
                if birth is None or born(pid) in (None, birth):
                    os.killpg(pid, signal.SIGKILL)
            elif born(pid) == birth is not None:
                os.kill(pid, signal.SIGKILL if force else signal.SIGQUIT)
        except ProcessLookupError:
            pass
if watched:
    end(False)
    time.sleep(2)
    end(True)
"""
_END_S = 5.0

_watchdog: Watchdog | None = None
_watchdog_lock = threading.Lock()


def watchdog() -> Watchdog:
    """The watchdog of this process, started on first use (again after a fork)."""
    global _watchdog  # noqa: PLW0603 - one per process is the point
    with _watchdog_lock:
        if _watchdog is None or _watchdog.owner_pid != os.getpid():
            _watchdog = Watchdog()
        return _watchdog


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _spawn(
    argv: Sequence[str], log: IO[bytes], cwd: Path | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # Nothing but one system call runs there, so that threads do no harm.
        preexec_fn=_die_with_parent,  # noqa: PLW1509
    )


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
