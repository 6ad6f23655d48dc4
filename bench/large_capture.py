"""A large capture replayed, killed at random points and resumed.

`python -m bench.large_capture --entries N --kills K` replays a HAR of N requests in an unbroken run, and once more in
a run that is ended by SIGKILL K times, at random points from its start to its report, and resumed every time. Both must
come to the same: findings byte for byte but for the times in them, counts, and decision. It prints how long both took
and the most memory that any of the processes had.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import orjson

from bench.capture_file import write_capture
from harness.child import free_port
from harness.domain.coverage import COVERAGE_FILE
from harness.domain.evidence import DECISION_FILE, EXCHANGES_FILE, MANIFEST_FILE
from harness.domain.findings import COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE

_COMPARED = (COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE, COVERAGE_FILE, DECISION_FILE)
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")
_FOUND = 1
"""The exit code of a replay that found differences, as these servers give it."""
_POLL_S = 0.005
_AFTER_REPLAY_SHARE = 5
"""Of so many kills one comes after everything is replayed, while it is judged and the report is written."""
_SHOWN_BYTES = 1_000
_ROOT = Path(__file__).resolve().parents[1]
_OUT_OPTION = {"replay": "--out", "compare": "--run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended: `peak_mb` is the most that was resident in it."""

    code: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The command without its `--out`."""

    arguments: tuple[str, ...]
    log: Path

    def start(self, out: Path, *more: str) -> "subprocess.Popen[bytes]":
        """`parakeet …` as a child."""
        code = "import sys; from harness.cli import main; main()"
        command = [sys.executable, "-c", code, *self.arguments, *more]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*command, _OUT_OPTION[self.arguments[0]], str(out)], cwd=_ROOT, stdout=log, stderr=log
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if both runs came to the same, 1 if not."""
    given = _parse(arguments)
    with tempfile.TemporaryDirectory(dir=given.directory, prefix="large-capture-") as made:
        directory = Path(made)
        har = directory / "capture.har"
        size = write_capture(har, given.entries)
        print(f"{given.entries:,} requests, {size / 1e6:,.1f} MB, {given.kills} kills, seed {given.seed}", flush=True)
        with _servers(directory) as urls:
            address = ("--legacy-url", urls[0], "--target-url", urls[1])
            options = ("--sessions", str(har), "--concurrency", str(given.concurrency), "--keep-connections")
            replay = Task(arguments=("replay", *address, *options), log=directory / "replay.log")
            return _try_both(directory, replay, given)


def _try_both(directory: Path, replay: Task, given: argparse.Namespace) -> int:
    whole, broken = directory / "whole", directory / "broken"
    try:
        _tell("unbroken", _end(replay.start(whole)))
        _tell("compare", _end(Task(arguments=("compare",), log=replay.log).start(whole)))
        if given.kills:
            _tell("killed and resumed", _kill_and_resume(replay, broken, whole, given))
    except RuntimeError:
        print(replay.log.read_text(errors="replace")[-4_000:], file=sys.stderr)
        raise
    counts = _lines(whole / COMPARISONS_FILE), _lines(whole / DIFFERENCES_FILE)
    print(f"{counts[0]:,} comparisons, {counts[1]:,} differences", flush=True)
    if counts[0] != given.entries:
        print(f"NOT all of {given.entries:,} requests were compared")
        return 1
    apart = [first for name in _COMPARED if given.kills for first in _first_apart(whole / name, broken / name)]
    print("\n".join(["NOT the same", *apart]) if apart else "the same, byte for byte but for times")
    return 1 if apart else 0


def _kill_and_resume(replay: Task, out: Path, whole: Path, given: argparse.Namespace) -> Ended:
    chance = random.Random(given.seed)
    late = given.kills // _AFTER_REPLAY_SHARE
    size = (whole / EXCHANGES_FILE).stat().st_size
    points = sorted(chance.uniform(0, 1) for _ in range(given.kills - late))
    started, peak = time.monotonic(), 0.0
    for point in points:
        reached = _Reached(out=out, size=int(point * size))
        peak = max(peak, _kill(replay.start(out, "--resume"), reached, chance.uniform(0, 0.05)))
    for _ in range(late):
        peak = max(
            peak, _kill(replay.start(out, "--resume"), _Reached(out=out, size=None), chance.uniform(0, given.late))
        )
    last = _end(replay.start(out, "--resume"))
    return Ended(code=last.code, seconds=time.monotonic() - started, peak_mb=max(peak, last.peak_mb))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """A point of a run: so much is stored, or with None everything is replayed."""

    out: Path
    size: int | None

    def holds(self) -> bool:
        """Whether the run is there."""
        try:
            if self.size is None:
                return orjson.loads((self.out / MANIFEST_FILE).read_bytes())["finished_at"] is not None
            return (self.out / EXCHANGES_FILE).stat().st_size >= self.size
        except FileNotFoundError:
            return self.size == 0


def _kill(process: "subprocess.Popen[bytes]", reached: _Reached, more_s: float) -> float:
    """Ends it a moment after the point; returns its peak in MB."""
    with _ended_with_us(process):
        while not reached.holds():
            if process.poll() is not None:
                break
            time.sleep(_POLL_S)
        time.sleep(more_s)
        process.send_signal(signal.SIGKILL)
        ended = _wait(process)
    if ended.code not in {-signal.SIGKILL, _FOUND}:
        raise RuntimeError(f"ended with {ended.code} before it was killed")
    return ended.peak_mb


def _end(process: "subprocess.Popen[bytes]") -> Ended:
    with _ended_with_us(process):
        ended = _wait(process)
    if ended.code != _FOUND:
        raise RuntimeError(f"ended with {ended.code}")
    return ended


@contextlib.contextmanager
def _ended_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Ctrl-C ends us while it runs: then it must not go on without us."""
    try:
        yield
    except BaseException:
        process.kill()
        process.wait()
        raise


def _wait(process: "subprocess.Popen[bytes]") -> Ended:
    started = time.monotonic()
    if process.returncode is not None:
        return Ended(code=process.returncode, seconds=0, peak_mb=0)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(code=process.returncode, seconds=time.monotonic() - started, peak_mb=usage.ru_maxrss * 1024 / 1e6)


def _tell(what: str, ended: Ended) -> None:
    print(f"{what:<20}{ended.seconds:>9.1f} s{ended.peak_mb:>9.1f} MB at most", flush=True)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _first_apart(one: Path, other: Path) -> Iterator[str]:
    """The first lines that are not the same in both, as a text; nothing where all are."""
    with one.open("rb") as mine, other.open("rb") as theirs:
        for number, lines in enumerate(zip_longest(mine, theirs, fillvalue=b""), start=1):
            if _TIME.sub(b"T", lines[0]) != _TIME.sub(b"T", lines[1]):
                shown = (line[:_SHOWN_BYTES].decode(errors="replace").rstrip() for line in lines)
                yield "\n".join([f"{one.name}, line {number}:", *shown])
                return


@contextlib.contextmanager
def _servers(directory: Path) -> Iterator[tuple[str, str]]:
    """Both systems; they are ended when the context is left."""
    with contextlib.ExitStack() as stack:
        ports = [free_port(), free_port()]
        for port, more in zip(ports, ((), ("--differs",)), strict=True):
            log = stack.enter_context((directory / f"{port}.log").open("wb"))
            command = [sys.executable, "-m", "bench.item_server", str(port), *more]
            process = stack.enter_context(subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log))
            stack.callback(process.kill)
            _wait_until_open(process, port)
        yield f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"


def _wait_until_open(process: "subprocess.Popen[bytes]", port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(_POLL_S)
    raise RuntimeError(f"the server ended with {process.returncode}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.large_capture", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--late", type=float, default=10.0, help="seconds after the replay within which late kills fall"
    )
    parser.add_argument("--directory", type=Path, help="where a directory for all files is made")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
