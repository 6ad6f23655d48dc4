"""A Locust master and its workers as child processes, watched until the load is over; see `locust_user.py`.

A worker connects to the master, and sends its requests, from an address of its own on this machine.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.adapters.load_lines import (
    LINES_VARIABLE,
    ORDER_VARIABLE,
    WORKER_VARIABLE,
    LoadLine,
    LoadOrder,
    WorkerIdentity,
    decode,
    encode,
)
from harness.child import Child, free_port
from harness.domain.errors import HarnessError, SystemUnavailable
from harness.uninterrupted import run_together

_LOOPBACK = "127.0.0.1"
_START_S = 60
_LAST_ANSWER_S = 70
"""For what is on its way when the limit is reached: a request is given up on after a minute."""
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Who works, on what: `program` is the file that Locust runs, `directory` holds what they tell each other."""

    program: Path
    project: Path
    directory: Path
    workers: Sequence[WorkerIdentity]
    on_line: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that came in, by the numbers of the arrivals; `lost` says of each worker that did not end why."""

    lines: Mapping[int, LoadLine]
    lost: Mapping[str, str] = field(default_factory=dict)


async def run_crew(crew: Crew, order: LoadOrder) -> Gathered:
    """Has the order carried out; every child has ended when this returns.

    Raises:
        SystemUnavailable: no worker could be started.
        HarnessError: a session came twice, or a line cannot be read.
    """
    path, lines = _written(crew, "order.json", encode(order)), _written(crew, "lines.jsonl", b"")
    children: dict[str, Child] = {}
    try:
        port = free_port()
        master = children["master"] = _start_master(crew, order, port)
        for worker in crew.workers:
            children[worker.name] = _start_worker(crew, worker, port)
        ended = await _watch(crew, master, children, lines, order.limit_s + _START_S + _LAST_ANSWER_S)
    finally:
        await run_together(*(child.stop(grace_s=2.0) for child in children.values()))
        path.unlink(missing_ok=True)
    return gather(crew, lines, ended)


def _written(crew: Crew, name: str, content: bytes) -> Path:
    """A file for our eyes only: requests carry credentials."""
    crew.directory.mkdir(parents=True, exist_ok=True)
    path = crew.directory / name
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
    return path


def _start_master(crew: Crew, order: LoadOrder, port: int) -> Child:
    count = str(len(crew.workers))
    bound_s = int(order.limit_s) + _START_S + _LAST_ANSWER_S
    argv = [
        *("--master", "--master-bind-host", _LOOPBACK, "--master-bind-port", str(port)),
        *("--headless", "--expect-workers", count, "--expect-workers-max-wait", str(_START_S)),
        *("--users", count, "--spawn-rate", count, "--run-time", f"{bound_s}s", "--only-summary"),
    ]
    variables = {
        ORDER_VARIABLE: str(crew.directory / "order.json"),
        LINES_VARIABLE: str(crew.directory / "lines.jsonl"),
    }
    return _start(crew, "master", argv, variables)


def _start_worker(crew: Crew, worker: WorkerIdentity, port: int) -> Child:
    # ZeroMQ binds the near end of a connection to the address before the semicolon.
    master = f"{worker.address}:0;{_LOOPBACK}"
    argv = ["--worker", "--master-host", master, "--master-port", str(port)]
    return _start(crew, worker.name, argv, {WORKER_VARIABLE: encode(worker).decode()})


def _start(crew: Crew, name: str, argv: Sequence[str], variables: Mapping[str, str]) -> Child:
    kept = {each: os.environ[each] for each in ("PATH", "HOME", "LANG", "TMPDIR") if each in os.environ}
    return Child.start(
        [sys.executable, "-m", "locust", "-f", str(crew.program), *argv],
        name=f"locust {name}",
        log_path=crew.directory / f"{name}.log",
        cwd=crew.directory,
        env={**kept, "PYTHONPATH": str(crew.project), **variables},
    )


async def _watch(
    crew: Crew, master: Child, children: Mapping[str, Child], lines: Path, limit_s: float
) -> dict[str, str]:
    """Returns once the master has ended; names the workers that ended before it, and how."""
    loop = asyncio.get_running_loop()
    deadline, ended, seen, offset = loop.time() + limit_s, dict[str, str](), 0, 0
    while master.exit_status is None and loop.time() < deadline:
        for worker in crew.workers:
            status = children[worker.name].exit_status
            if status is not None and master.exit_status is None:
                ended.setdefault(worker.name, _how(status))
        if len(ended) == len(crew.workers):
            break
        new = _read_from(lines, offset)
        offset, seen = offset + len(new), seen + new.count(b"\n")
        crew.on_line(seen)
        await asyncio.sleep(_LOOK_S)
    return ended


def _read_from(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read()


def _how(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


def gather(crew: Crew, path: Path, ended: Mapping[str, str]) -> Gathered:
    """What the master wrote down; `ended` says of workers that ended too early how.

    Raises:
        SystemUnavailable, HarnessError: as `run_crew`.
    """
    lines: dict[int, LoadLine] = {}
    done: dict[str, int] = {}
    for text in path.read_bytes().splitlines():
        line = _line(text, path)
        if line.number == 0:
            done[line.worker] = line.started
        elif line.number in lines:
            raise HarnessError(f"session number {line.number} came twice", where=str(path))
        else:
            lines[line.number] = line
    if not lines and not done:
        hint = "; ".join(f"{name} {how}" for name, how in ended.items()) or "None of them ended by itself."
        raise SystemUnavailable("no Locust worker did anything", hint=hint)
    return Gathered(lines=lines, lost=dict(_lost(crew, lines, done, ended)))


def _line(text: bytes, path: Path) -> LoadLine:
    try:
        return decode(text, LoadLine)
    except ValueError as error:
        raise HarnessError(f"a worker's line cannot be read: {error}", where=str(path)) from error


def _lost(
    crew: Crew, lines: Mapping[int, LoadLine], done: Mapping[str, int], ended: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The workers of whose sessions some are missing, or of which it is not known that none is."""
    lost = []
    for worker in crew.workers:
        came = sum(line.worker == worker.name for line in lines.values())
        if worker.name not in done:
            lost.append((worker.name, ended.get(worker.name, "no longer answered the master")))
        elif done[worker.name] != came:
            lost.append((worker.name, f"started {done[worker.name]:,} sessions, of which {came:,} came"))
    return lost
